//! Bad input over HTTP: filters that explode, and receipts that are not there.

use heronry_pool::decide::StateDigest;
use heronry_types::PoolSpec;
use serde_json::json;

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a43_filters_that_explode_are_refused_with_their_errors_and_change_nothing
    m7_a_receipt_of_a_message_that_is_not_there_is_not_found
}

/// Short or long texts that would be large to match, to nest or to write down.
fn explosive() -> Vec<String> {
    let both = |number| format!(r#"(run == "a{number}" && topic == "b{number}")"#);
    let both: Vec<String> = (0..400).map(both).collect();
    vec![
        "(".repeat(16_000),
        "!".repeat(16_000),
        format!("{}terminal{}", "(".repeat(7_000), ")".repeat(7_000)),
        both.join(" || "),
        format!("run == \"{}\"", "a".repeat(17_000)),
    ]
}

async fn a43_filters_that_explode_are_refused_with_their_errors_and_change_nothing(server: Server) {
    let (a, _) = server.with_pair().await;
    let id = "p".parse().unwrap();
    let pool = server
        .runtime
        .open(&id, PoolSpec::default())
        .await
        .unwrap()
        .pool;
    let before = pool.call(StateDigest).await.unwrap();
    for text in explosive() {
        let shown: String = text.chars().take(40).collect();
        let named = json!({"filter": text, "idempotency_key": "k"});
        let nested = json!({"all_of": ["terminal", text], "idempotency_key": "k"});
        for asked in [named, nested] {
            let refused = server.post(&a, "/v1/pools/p/wakes", asked).await;
            assert_eq!(refused.status, 400, "{shown} of {} bytes", text.len());
            let refused = refused.refused(400, "filter-invalid");
            let errors = refused["errors"].as_array().unwrap();
            assert!(!errors.is_empty(), "{shown}");
            assert!(
                errors.iter().all(|error| error["span"]["end"].is_u64()),
                "{shown}: {refused}"
            );
        }
        let compiled = server.post(&a, "/v1/filters/compile", json!({"filter": text}));
        compiled.await.refused(400, "filter-invalid");
    }
    assert_eq!(pool.call(StateDigest).await.unwrap(), before);
    server.tell(&a, "b", "and it goes on").await.is(201);
}

async fn m7_a_receipt_of_a_message_that_is_not_there_is_not_found(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "k").await.is(201);
    let head = server.head().await;
    for (token, path) in [
        (&*a, "messages/absent"),
        (&*b, "messages/absent"),
        (OPERATOR, "messages/absent?from=a"),
        (OPERATOR, "messages/absent?from=nobody"),
    ] {
        let found = server.get(token, &format!("/v1/pools/p/{path}")).await;
        found.refused(404, "message-not-found");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}
