//! Reporting events.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    j7_a_member_reports_a_batch_and_a_repeat_has_the_same_answer
    j7_an_operator_reports_for_the_run_that_it_names
    j7_what_cannot_be_reported_is_refused_with_its_place
}

const EVENTS: &str = "/v1/pools/p/events";

fn batch(key: &str, events: &Value) -> Value {
    json!({"idempotency_key": key, "events": events})
}

async fn j7_a_member_reports_a_batch_and_a_repeat_has_the_same_answer(server: Server) {
    server
        .open(json!({"wake_policy": {"payload": "summary"}}))
        .await;
    let (a, b) = (server.join("a").await, server.join("b").await);
    let events = json!([
        {"kind": "tool_started", "subject": {"kind": "tool_call", "id": "c"}, "tags": ["t"]},
        {
            "kind": "tool_completed",
            "occurred_at": "2026-11-20T07:00:00.000Z",
            "correlation": {"job": "7"},
            "privacy": "internal",
            "payload": {"type": "summary", "summary": "12 findings"}
        }
    ]);
    let made = server.post(&a, EVENTS, batch("k", &events)).await.is(201);
    assert_eq!(
        (&made["count"], &made["last"]),
        (&json!(2), &server.head().await)
    );
    assert!(made["durability"].is_string());
    assert_eq!(
        server.post(&a, EVENTS, batch("k", &events)).await.is(200),
        made
    );
    let filter = "filter=family%20%3D%3D%20%22tool%22";
    let page = server.get(&b, &format!("{EVENTS}?{filter}")).await.is(200);
    let seen = page["events"].as_array().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (&seen[0]["id"], &seen[1]["id"]),
        (&made["first"], &made["last"])
    );
    assert_eq!(
        (&seen[0]["run"], &seen[0]["tags"]),
        (&json!("a"), &json!(["t"]))
    );
    assert_eq!(seen[0]["subject"]["id"], "c");
    assert_eq!(
        seen[1]["subject"],
        json!({"kind": "run", "id": "a", "privacy": "content_refs_only"})
    );
    assert_eq!(seen[1]["occurred_at"], "2026-11-20T07:00:00.000Z");
    assert_eq!(seen[1]["payload"]["summary"], "12 findings");
    assert_eq!(
        (&seen[1]["source"]["kind"], &seen[1]["privacy"]),
        (&json!("external_runtime"), &json!("internal"))
    );
    let other = server
        .post(&a, EVENTS, batch("k", &json!([{"kind": "tool_failed"}])))
        .await;
    let other = other.refused(409, "idempotency-conflict");
    assert_eq!(
        (&other["first_cursor"], &other["field"]),
        (&made["first"], &json!("idempotency_key"))
    );
}

async fn j7_an_operator_reports_for_the_run_that_it_names(server: Server) {
    let (a, _) = server.with_pair().await;
    let mut asked = batch("k", &json!([{"kind": "usage_recorded"}]));
    server
        .post(OPERATOR, EVENTS, asked.clone())
        .await
        .refused(400, "invalid-request");
    asked["run_id"] = json!("b");
    server
        .post(&a, EVENTS, asked.clone())
        .await
        .refused(403, "sender-mismatch");
    let made = server.post(OPERATOR, EVENTS, asked).await.is(201);
    let page = server
        .get(OPERATOR, &format!("{EVENTS}?from=start"))
        .await
        .is(200);
    let last = page["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["id"], &last["run"]), (&made["first"], &json!("b")));
    assert_eq!(last["source"]["kind"], "host");
}

async fn j7_what_cannot_be_reported_is_refused_with_its_place(server: Server) {
    server.open(json!({"limits": {"tags_max": 1}})).await;
    let a = server.join("a").await;
    let head = server.head().await;
    let run = json!({"kind": "run", "id": "b"});
    for (events, field) in [
        (json!([]), "events"),
        (json!([{"kind": "run_message_accepted"}]), "events[0].kind"),
        (
            json!([{"kind": "tool_started"}, {"kind": "run_lost"}]),
            "events[1].kind",
        ),
        (
            json!([{"kind": "run_checkpointed", "subject": run}]),
            "events[0].subject",
        ),
    ] {
        let refused = server.post(&a, EVENTS, batch("k", &events)).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], field);
    }
    for event in [
        json!({"kind": "nothing_known"}),
        json!({"kind": "tool_started", "run": "b"}),
        json!({"kind": "tool_started", "source": {"kind": "user", "id": "u"}}),
        json!({}),
    ] {
        let refused = server.post(&a, EVENTS, batch("k", &json!([event]))).await;
        refused.refused(400, "invalid-request");
    }
    let tagged = json!([{"kind": "tool_started", "tags": ["s", "t"]}]);
    let refused = server.post(&a, EVENTS, batch("k", &tagged)).await;
    let refused = refused.refused(400, "limit-exceeded");
    assert_eq!(
        (&refused["limit"], &refused["max"]),
        (&json!("tags_max"), &json!(1))
    );
    assert_eq!(server.head().await, head, "nothing is journaled");
    server
        .post(&a, EVENTS, batch("k", &json!([{"kind": "tool_started"}])))
        .await
        .is(201);
}
