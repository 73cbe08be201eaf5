//! Effective limits: the limits of a pool are shown, and the defaults chosen for a caller fit into
//! them.

use heronry_types::{LimitName, Limits, Vocabulary};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a53_a_pool_shows_every_limit_with_the_value_that_holds
    a53_a_default_of_ours_fits_into_a_lower_limit_and_a_callers_value_is_refused
}

async fn a53_a_pool_shows_every_limit_with_the_value_that_holds(server: Server) {
    server.open(json!({"limits": {"claim_ms_max": 7}})).await;
    let shown = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    let mut limits = Limits::default();
    limits.set(LimitName::ClaimMsMax, 7);
    let all = shown["limits"].as_object().unwrap();
    assert_eq!(all.len(), LimitName::ALL.len());
    for (name, value) in limits.effective() {
        assert_eq!(all[name.wire_name()], value, "{name}");
    }
    for setting in ["message_policy", "wake_policy", "policies"] {
        assert!(shown["config"].get(setting).is_some(), "{setting}: {shown}");
    }
}

async fn a53_a_default_of_ours_fits_into_a_lower_limit_and_a_callers_value_is_refused(
    server: Server,
) {
    let limits = json!({"claim_ms_max": 1_000, "long_poll_ms_max": 0, "page_items_max": 2});
    let (a, b) = server.with_pair().await;
    let line = "PATCH /v1/pools/p/settings";
    let patch = json!({"expected_version": 1, "limits": limits});
    server.call(OPERATOR, line, patch).await.is(200);
    for key in ["k1", "k2", "k3"] {
        server.tell(&a, "b", key).await.is(201);
    }
    let receive = "/v1/pools/p/members/b/inbox/receive";
    let claimed = server.post(&b, receive, Value::Null).await.is(200);
    let until = claimed["items"][0]["claim_expires_at"].as_str().unwrap();
    assert_eq!(until, "2026-11-20T08:00:01.000Z");
    for (path, list) in [
        ("members", "members"),
        ("members/b/inbox", "items"),
        ("wakes", "wakes"),
        ("effects", "effects"),
        ("dead-letters", "dead_letters"),
        ("events", "events"),
    ] {
        let page = server.get(&b, &format!("/v1/pools/p/{path}")).await.is(200);
        assert!(page[list].as_array().unwrap().len() <= 2, "{path}: {page}");
    }
    for (asked, limit, max) in [
        (json!({"claim_ms": 1_001}), "claim_ms_max", 1_000),
        (json!({"max": 3}), "page_items_max", 2),
        (json!({"wait_ms": 1}), "long_poll_ms_max", 0),
    ] {
        let refused = server.post(&b, receive, asked).await;
        let refused = refused.refused(400, "limit-exceeded");
        assert_eq!(
            (&refused["limit"], &refused["max"]),
            (&json!(limit), &json!(max))
        );
    }
}
