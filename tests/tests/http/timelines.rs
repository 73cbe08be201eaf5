//! A pool that was copied, over HTTP: cursors and tokens of the timeline that it left.

use heronry_runtime::transfer::{self, Carrier, Pools};
use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_testkit::SeededIds;
use serde_json::json;
use std::sync::Arc;

use crate::support::{OPERATOR, Server, on_every_store};

on_every_store! {
    a47_a_cursor_past_the_fork_is_foreign_and_says_where_the_branches_part
    a_member_token_of_before_is_good_on_the_copy
}

const EVENTS: &str = "/v1/pools/p/events";

/// Serves a copy of every pool.
async fn copied(server: &Server) -> Server {
    let store = Store::of(Arc::new(MemoryStore::new()));
    let carrier = Carrier {
        clock: Arc::new(server.clock.clone()),
        ids: Arc::new(SeededIds::new(55)),
        owner: "a test".to_owned(),
    };
    let copied = transfer::copy(&server.store, &store, &Pools::All, &carrier).await;
    copied.unwrap();
    Server::over(store)
}

async fn a47_a_cursor_past_the_fork_is_foreign_and_says_where_the_branches_part(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let head = head.as_str().unwrap();
    let copy = copied(&server).await;
    let (epoch, position) = head.split_once('-').unwrap();
    let next = position.parse::<u64>().unwrap() + 1;

    let page = copy
        .get(OPERATOR, &format!("{EVENTS}?after={head}"))
        .await
        .is(200);
    assert_eq!(page["events"][0]["kind"], "agent_pool_epoch_started");
    assert_eq!(page["events"][0]["cursor"], page["head"]);
    let newest = page["head"].as_str().unwrap();
    assert!(newest.ends_with(&format!("-{next}")));
    assert!(!newest.starts_with(epoch));

    let past = format!("{epoch}-{next}");
    let refused = copy.get(OPERATOR, &format!("{EVENTS}?after={past}")).await;
    let refused = refused.refused(409, "cursor-foreign");
    assert_eq!(refused["requested"], past);
    assert_eq!(refused["diverged_at"], head);
    let unknown = format!("{}-1", "0".repeat(32));
    let refused = copy
        .get(OPERATOR, &format!("{EVENTS}?after={unknown}"))
        .await;
    let refused = refused.refused(409, "cursor-foreign");
    assert_eq!(refused.get("diverged_at"), None);

    // Events of before keep their names.
    let all = copy.get(OPERATOR, EVENTS).await.is(200);
    let before = server.get(OPERATOR, EVENTS).await.is(200);
    let count = before["events"].as_array().unwrap().len();
    assert_eq!(
        all["events"].as_array().unwrap()[..count],
        before["events"].as_array().unwrap()[..]
    );
}

async fn a_member_token_of_before_is_good_on_the_copy(server: Server) {
    let (lead, _) = server.with_pair().await;
    let copy = copied(&server).await;
    let sent = copy.tell(&lead, "b", "k").await.is(201);
    let pool = copy.get(OPERATOR, "/v1/pools/p").await.is(200);
    let epoch = pool["epoch"].as_str().unwrap();
    assert!(sent["cursor"].as_str().unwrap().starts_with(epoch));
    let again = copy
        .call(
            OPERATOR,
            "POST /v1/pools/p/members",
            json!({"run_id": "new", "agent_id": "new"}),
        )
        .await
        .is(201);
    let token = again["member_token"].as_str().unwrap();
    copy.tell(token, "b", "k").await.is(201);
}
