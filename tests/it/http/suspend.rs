//! Suspending runs, and wakes that do.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    p6_a_run_is_suspended_and_goes_on_over_http
    p6_a_suspension_needs_one_end_and_only_its_own_fields
    w1_a_suspending_wake_suspends_its_run_over_http
}

const STATE: &str = "/v1/pools/p/members/lead/state";
const WAKES: &str = "/v1/pools/p/wakes";
const NEWS: &str = r#"kind == "run_message_delivered""#;

async fn lead(server: &Server) -> Value {
    let page = server.get(OPERATOR, "/v1/pools/p/members").await.is(200);
    let members = page["members"].as_array().unwrap();
    let lead = members.iter().find(|it| it["run_id"] == "lead");
    lead.unwrap().clone()
}

async fn pair(server: &Server) -> (String, String) {
    server.open(json!({})).await;
    (server.join("lead").await, server.join("scout").await)
}

async fn p6_a_run_is_suspended_and_goes_on_over_http(server: Server) {
    let (token, scout) = pair(&server).await;
    assert_eq!(lead(&server).await["state"], "active");
    let wake = json!({"filter": NEWS, "idempotency_key": "w", "wake_id": "w-1"});
    server.post(&token, WAKES, wake).await.is(201);
    let body = json!({"state": "suspended", "wakes": ["w-1"], "timeout_ms": 60_000});
    let stood = server.post(&token, STATE, body).await.is(200);
    assert_eq!(stood["state"], "suspended");
    let shown = lead(&server).await;
    assert_eq!(shown["state"], "suspended");
    assert_eq!(shown["suspended"]["wakes"], json!(["w-1"]));
    assert_eq!(shown["suspended"]["cursor"], stood["cursor"]);
    assert!(shown["suspended"]["until"].is_string());
    let pool = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    assert_eq!(pool["suspended_members"], 1);
    server.get(&token, &format!("{WAKES}/w-1")).await.is(200);
    server
        .post(&token, "/v1/pools/p/members/lead/heartbeat", json!({}))
        .await
        .is(200);
    assert_eq!(lead(&server).await["state"], "suspended");
    server.tell(&scout, "lead", "k1").await.is(201);
    let shown = lead(&server).await;
    assert_eq!(
        (&shown["state"], shown.get("suspended")),
        (&json!("active"), None)
    );

    let body = json!({"state": "suspended", "forever": true});
    server.post(&token, STATE, body.clone()).await.is(200);
    let active = json!({"state": "active"});
    let stood = server.post(&token, STATE, active).await.is(200);
    assert_eq!(stood["state"], "active");
    server.post(&token, STATE, body).await.is(200);
    let foreign = json!({"state": "active"});
    let refused = server.post(&scout, STATE, foreign).await;
    refused.refused(403, "sender-mismatch");
    let ended = json!({"state": "completed", "note": "done"});
    let stood = server.post(&token, STATE, ended).await.is(200);
    assert_eq!(stood["state"], "completed");
    let again = json!({"state": "active"});
    server
        .post(&token, STATE, again)
        .await
        .refused(409, "run-ended");
}

async fn p6_a_suspension_needs_one_end_and_only_its_own_fields(server: Server) {
    let (token, _) = pair(&server).await;
    let head = server.head().await;
    for (body, field) in [
        (json!({"state": "suspended"}), "timeout_ms"),
        (
            json!({"state": "suspended", "forever": false}),
            "timeout_ms",
        ),
        (
            json!({"state": "suspended", "forever": true, "timeout_ms": 1}),
            "timeout_ms",
        ),
        (
            json!({"state": "suspended", "forever": true, "note": "x"}),
            "note",
        ),
        (json!({"state": "completed", "wakes": []}), "wakes"),
        (json!({"state": "active", "forever": true}), "forever"),
        (json!({"state": "failed", "release": []}), "release"),
        (
            json!({"state": "suspended", "forever": true, "release": ["x"]}),
            "release",
        ),
    ] {
        let refused = server.post(&token, STATE, body.clone()).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], field, "{body}");
    }
    for (more, field) in [
        (json!({"suspends_run": true}), "timeout_ms"),
        (
            json!({"suspends_run": true, "forever": true, "timeout_ms": 1}),
            "timeout_ms",
        ),
        (json!({"forever": true}), "forever"),
        (json!({"release": []}), "release"),
        (
            json!({"suspends_run": true, "forever": true, "release": ["x"]}),
            "release",
        ),
    ] {
        let mut body = json!({"filter": NEWS, "idempotency_key": "w"});
        let fields = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let refused = server.post(&token, WAKES, body.clone()).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], field, "{body}");
    }
    let unknown = json!({"state": "suspended", "forever": true, "wakes": ["none"]});
    let refused = server.post(&token, STATE, unknown).await;
    refused.refused(404, "wake-not-found");
    let unknown = json!({"state": "suspended", "forever": true, "release": ["1@2"]});
    let refused = server.post(&token, STATE, unknown).await;
    refused.refused(404, "claim-not-found");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn w1_a_suspending_wake_suspends_its_run_over_http(server: Server) {
    let (token, scout) = pair(&server).await;
    server.tell(&scout, "lead", "k1").await.is(201);
    let receive = json!({"receive_id": "r1"});
    let inbox = server
        .post(&token, "/v1/pools/p/members/lead/inbox/receive", receive)
        .await
        .is(200);
    let claim = inbox["items"][0]["claim"].clone();
    let body = json!({
        "filter": NEWS, "idempotency_key": "w", "suspends_run": true, "forever": true,
        "release": [claim]
    });
    let wake = server.post(&token, WAKES, body).await.is(201);
    assert_eq!(wake["run_state"], "suspended");
    let shown = lead(&server).await;
    assert_eq!(
        (&shown["state"], &shown["unread"]),
        (&json!("suspended"), &json!(1))
    );
    let urgent = json!({
        "to": to_run("lead"), "body": "now", "importance": "interrupt", "idempotency_key": "k2"
    });
    server
        .post(&scout, "/v1/pools/p/messages", urgent)
        .await
        .is(201);
    let id = wake["wake_id"].as_str().unwrap();
    let ended = server.get(&token, &format!("{WAKES}/{id}")).await.is(200);
    assert_eq!(ended["status"], "triggered");
    assert_eq!(ended["run_state"], "active");
    let events = server.get(OPERATOR, "/v1/pools/p/events?limit=100").await;
    let events = events.is(200)["events"].clone();
    let kinds = events.as_array().unwrap().iter();
    let kinds: Vec<&str> = kinds.map(|it| it["kind"].as_str().unwrap()).collect();
    let suspended = kinds.iter().position(|kind| *kind == "run_suspended");
    let event = &events[suspended.unwrap()];
    assert_eq!(event["related"][0]["id"], wake["wake_id"]);
    assert!(kinds.contains(&"run_resumed"), "{kinds:?}");
}
