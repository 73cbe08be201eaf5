//! Exporting and deleting pools over HTTP.

use axum::http::header;
use heronry_transfer as transfer;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a_pool_with_members_is_not_deleted_and_says_how_many
    a_pool_is_deleted_once_and_is_not_found_afterwards
    a_pool_that_has_moved_on_is_not_deleted_by_who_did_not_see_it
    a_later_pool_of_the_name_takes_no_cursor_and_no_token_of_before
    a_stream_of_a_pool_that_is_deleted_says_so
    an_export_is_whole_and_its_last_line_names_the_head
    members_neither_export_nor_delete
}

const POOL: &str = "/v1/pools/p";

async fn delete(server: &Server, query: &str) -> heronry_tests::server::HttpReply {
    let line = format!("DELETE {POOL}{query}");
    server.call(OPERATOR, &line, Value::Null).await
}

async fn leave(server: &Server, run: &str) {
    let line = format!("DELETE {POOL}/members/{run}");
    server.call(OPERATOR, &line, Value::Null).await.is(200);
}

async fn a_pool_with_members_is_not_deleted_and_says_how_many(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let refused = delete(&server, "").await.refused(409, "pool-has-members");
    assert_eq!(refused["members"], 2);
    assert_eq!(server.head().await, head);
    server.tell(&a, "b", "k").await.is(201);
    leave(&server, "a").await;
    let refused = delete(&server, "").await.refused(409, "pool-has-members");
    assert_eq!(refused["members"], 1);
}

async fn a_pool_is_deleted_once_and_is_not_found_afterwards(server: Server) {
    server.open(json!({})).await;
    let head = server.head().await;
    let deleted = delete(&server, "").await.is(200);
    assert_eq!(deleted, json!({"pool": "p", "head": head}));
    let list = server.get(OPERATOR, "/v1/pools").await.is(200);
    assert_eq!(list, json!({"pools": []}));
    delete(&server, "").await.refused(404, "pool-not-found");
    for path in ["", "/members", "/events", "/export"] {
        let gone = server.get(OPERATOR, &format!("{POOL}{path}")).await;
        gone.refused(404, "pool-not-found");
    }
    server.get(OPERATOR, "/metrics").await;
}

async fn a_pool_that_has_moved_on_is_not_deleted_by_who_did_not_see_it(server: Server) {
    server.open(json!({})).await;
    let seen = server.head().await;
    let seen = seen.as_str().unwrap();
    server.join("a").await;
    leave(&server, "a").await;
    let refused = delete(&server, &format!("?expected_head={seen}")).await;
    let refused = refused.refused(409, "pool-changed");
    let head = server.head().await;
    assert_eq!(refused["head"], head);
    let head = head.as_str().unwrap();
    delete(&server, &format!("?expected_head={head}"))
        .await
        .is(200);
}

async fn a_later_pool_of_the_name_takes_no_cursor_and_no_token_of_before(server: Server) {
    let (a, _) = server.with_pair().await;
    server.tell(&a, "b", "k").await.is(201);
    let old = server.head().await;
    for run in ["a", "b"] {
        leave(&server, run).await;
    }
    delete(&server, "").await.is(200);
    server
        .get(&a, &format!("{POOL}/members"))
        .await
        .refused(401, "unauthorized");
    server.open(json!({})).await;
    let old = old.as_str().unwrap();
    let events = server
        .get(OPERATOR, &format!("{POOL}/events?after={old}"))
        .await;
    let refused = events.refused(409, "cursor-foreign");
    assert_eq!(refused["requested"], old);
    // The same run joins again, at the same position: its token of before is not believed.
    server.join("a").await;
    server
        .get(&a, &format!("{POOL}/members"))
        .await
        .refused(401, "unauthorized");
}

async fn a_stream_of_a_pool_that_is_deleted_says_so(server: Server) {
    server.open(json!({})).await;
    let mut stream = server.stream(OPERATOR, "").await;
    stream.until("caught_up").await;
    delete(&server, "").await.is(200);
    let closed = stream.next().await.unwrap();
    assert_eq!(closed.event.as_deref(), Some("closed"));
    assert_eq!(closed.data, Some(json!({"reason": "pool_deleted"})));
    assert_eq!(stream.next().await, None);
}

async fn an_export_is_whole_and_its_last_line_names_the_head(server: Server) {
    let (a, _) = server.with_pair().await;
    for key in ["k1", "k2"] {
        server.tell(&a, "b", key).await.is(201);
    }
    let export = server.get(OPERATOR, &format!("{POOL}/export")).await;
    assert_eq!(export.status.as_u16(), 200);
    assert_eq!(export.headers[header::CONTENT_TYPE], "application/x-ndjson");
    let whole = transfer::verify(export.bytes.as_slice()).unwrap();
    let [carried] = &*whole else {
        panic!("{whole:?}");
    };
    assert_eq!(carried.pool.as_str(), "p");
    assert_eq!(json!(carried.head), server.head().await);
    assert_eq!(carried.contents, 2);
    let cut = &export.bytes[..export.bytes.len() - 10];
    transfer::verify(cut).unwrap_err();
    // What was exported goes on, and the same is exported again.
    let again = server.get(OPERATOR, &format!("{POOL}/export")).await;
    assert_eq!(again.bytes, export.bytes);
}

async fn members_neither_export_nor_delete(server: Server) {
    let (a, _) = server.with_pair().await;
    let line = format!("DELETE {POOL}");
    let delete = server.call(&a, &line, Value::Null).await;
    delete.refused(403, "operator-only");
    let export = server.get(&a, &format!("{POOL}/export")).await;
    export.refused(403, "operator-only");
}
