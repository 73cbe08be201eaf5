//! Answers to callers when the store, the owner or the queue fails them.

use std::sync::Arc;

use axum::http::header;
use futures::future::join_all;
use heronry_store::Store;
use heronry_testkit::{FaultStore, Faulty};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a50_a_second_server_on_the_store_is_told_who_owns_the_pool
    a50_a_server_whose_pool_was_seized_stops_and_says_so
}

async fn a50_a_second_server_on_the_store_is_told_who_owns_the_pool(server: Server) {
    server.with_pair().await;
    let second = Server::over(server.store.clone());
    second
        .get(OPERATOR, "/v1/pools/p")
        .await
        .refused(503, "pool-owned");
    let list = second.get(OPERATOR, "/v1/pools").await.is(200);
    assert_eq!(list["pools"][0]["pool"], "p");
}

async fn a50_a_server_whose_pool_was_seized_stops_and_says_so(server: Server) {
    let (a, _) = server.with_pair().await;
    let mut stream = server.stream(OPERATOR, "").await;
    stream.until("caught_up").await;
    let now = "2026-11-20T08:00:00Z".parse().unwrap();
    let pool = "p".parse().unwrap();
    server
        .store
        .leases
        .seize(&pool, "another", now, heronry_store::LEASE_TERM)
        .await
        .unwrap();
    let refused = server.tell(&a, "b", "k").await.refused(503, "store-fenced");
    assert_eq!(refused["outcome"], "none");
    let closed = stream.until("closed").await.pop().unwrap();
    assert_eq!(closed.id, None);
}

#[tokio::test]
async fn after_a_failed_commit_the_outcome_is_unknown_and_nothing_is_ready() {
    let memory = Store::of(Arc::new(heronry_store_memory::MemoryStore::new()));
    let Faulty { store, faults } = FaultStore::over(memory);
    let server = Server::over(store);
    let (a, _) = server.with_pair().await;
    assert_eq!(server.get("", "/readyz").await.status, 200);
    faults.fail_next_append(heronry_testkit::AppendFault::UnknownNotKept);
    let refused = server.tell(&a, "b", "k").await.refused(503, "store-fenced");
    assert_eq!(refused["outcome"], "unknown");
    assert_eq!(refused["cause"], "io");
    let again = server.tell(&a, "b", "k").await.refused(503, "store-fenced");
    assert_eq!(
        (&again["outcome"], &again["cause"]),
        (&json!("none"), &json!("io"))
    );
    server.get("", "/readyz").await.refused(503, "store-fenced");
    assert_eq!(server.get("", "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_pool_with_too_much_to_do_says_when_to_try_again() {
    let memory = Store::of(Arc::new(heronry_store_memory::MemoryStore::new()));
    let Faulty { store, faults } = FaultStore::over(memory);
    let server = Server::over(store);
    server.with_pair().await;
    let hold = faults.hold_appends();
    let sends = join_all((0..6_000).map(|number| {
        let message = json!({
            "from": "a", "to": {"type": "run", "run_id": "nobody"}, "body": "x",
            "idempotency_key": format!("{number}")
        });
        server.post(OPERATOR, "/v1/pools/p/messages", message)
    }));
    let release = async {
        hold.reached(1).await;
        server.quiet().await;
        hold.release();
    };
    let (replies, ()) = tokio::join!(sends, release);
    let busy: Vec<_> = replies.iter().filter(|reply| reply.status == 429).collect();
    // Part of the queue is kept free for commands that relieve the pool.
    assert!(!busy.is_empty() && busy.len() < 3_000, "{}", busy.len());
    for reply in busy {
        let problem = reply.refused(429, "busy");
        assert!(problem["retry_after_ms"].as_u64().unwrap() > 0);
        assert!(reply.headers.contains_key(header::RETRY_AFTER));
    }
    let accepted = replies.iter().filter(|reply| reply.status == 201).count();
    let page = "/v1/pools/p/events?limit=1&filter=kind%20%3D%3D%20%22run_message_accepted%22";
    let first = server.get(OPERATOR, page).await.is(200);
    assert_ne!(first["events"], Value::Array(Vec::new()));
    let head = server.head().await;
    let position: usize = head
        .as_str()
        .unwrap()
        .split_once('-')
        .unwrap()
        .1
        .parse()
        .unwrap();
    assert_eq!(
        position,
        3 + 2 * accepted,
        "what was refused left nothing behind"
    );
}
