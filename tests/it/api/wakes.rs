//! Wakes and events.

use heronry_api::{Recording, event, wake};
use heronry_types::{Millis, WakeStatus};
use heronry_wire::ProblemKind;
use serde_json::json;

use crate::scene::{Scene, key, request};

const WAIT: Millis = Millis(1_000);

#[tokio::test]
async fn a_wake_ends_the_wait_of_who_registered_it() {
    let scene = Scene::new().await;
    let a = scene.a().await;
    let filter = "kind == \"run_message_accepted\"";
    let body = || request(json!({"filter": filter, "wait_ms": WAIT.0}));
    let sent = async {
        scene.waits_for(WAIT).await;
        scene.send("1", json!({})).await.unwrap();
    };
    let registered = wake::register(&a, body(), key("w"));
    let (registered, ()) = tokio::join!(registered, sent);
    let registered = registered.unwrap();
    assert_eq!(registered.recording, Recording::Now);
    let woken = registered.answer.wake;
    assert_ne!(woken.status, WakeStatus::Registered);
    let again = wake::register(&a, body(), key("w")).await.unwrap();
    assert_eq!(again.recording, Recording::Before);
    assert_eq!(again.answer.wake.wake_id, woken.wake_id);
    let list = wake::list(&a, request(json!({}))).await.unwrap();
    assert!(list.wakes.is_empty(), "none waits any more");
    let shown = wake::show(&a, woken.wake_id, request(json!({}))).await;
    assert_eq!(shown.unwrap().status, woken.status);
}

#[tokio::test]
async fn a_page_shows_a_member_the_events_of_its_filter() {
    let scene = Scene::new().await;
    scene.send("1", json!({})).await.unwrap();
    let b = scene.b().await;
    let filter = "kind == \"run_message_accepted\"";
    let query = request(json!({"filter": filter}));
    assert_eq!(event::page(&b, &query).await.unwrap().events.len(), 1);
    let query = request(json!({"filter": "kind =="}));
    let refusal = event::page(&b, &query).await.unwrap_err();
    assert_eq!(refusal.kind(), ProblemKind::FilterInvalid);
    assert!(refusal.problem().members["errors"].is_array());
}

#[tokio::test]
async fn who_was_taken_over_is_told_that_before_anything_is_said_of_its_request() {
    let scene = Scene::new().await;
    let b = scene.b().await;
    let operator = scene.operator().await;
    let join = json!({"run_id": "b", "agent_id": "b", "instance": "another"});
    let joined = heronry_api::member::join(&operator, request(join)).await;
    joined.unwrap();
    let long = format!("kind == \"{}\"", "x".repeat(300));
    for query in [
        json!({}),
        json!({"filter": "kind =="}),
        json!({"filter": long}),
        json!({"limit": 1_000_000}),
    ] {
        let refusal = event::page(&b, &request(query.clone())).await.unwrap_err();
        assert_eq!(refusal.kind(), ProblemKind::Fenced, "{query}");
    }
    let list = wake::list(&b, request(json!({"limit": 0}))).await;
    assert_eq!(list.unwrap_err().kind(), ProblemKind::Fenced);
}
