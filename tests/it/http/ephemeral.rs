//! Events without a record over HTTP.

use axum::http::header;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, request};

on_every_store! {
    o11_a_stream_shows_events_without_a_record_and_says_what_it_dropped
    a_stream_that_is_too_slow_is_ended_when_it_asked_for_that
    what_ends_something_is_refused_and_nothing_is_shown
    a_page_has_no_events_without_a_record_and_a_buffer_has_bounds
}

const EPHEMERAL: &str = "/v1/pools/p/events/ephemeral";

fn deltas(count: usize) -> Value {
    let delta = json!({
        "kind": "model_stream_delta",
        "payload": {"type": "summary", "summary": "a word"},
    });
    json!({"events": vec![delta; count]})
}

async fn o11_a_stream_shows_events_without_a_record_and_says_what_it_dropped(server: Server) {
    let (a, _) = server.with_pair().await;
    let query = "?from=head&ephemeral=summarize&ephemeral_buffer=2";
    let mut stream = server.stream(OPERATOR, query).await;
    let caught_up = stream.next().await.unwrap();
    assert_eq!(caught_up.event.as_deref(), Some("caught_up"));
    // They follow the head, and come as one batch: three where two may wait.
    let published = server.post(&a, EPHEMERAL, deltas(3)).await.is(200);
    let head = server.head().await;
    assert_eq!(
        published,
        json!({"first": 1, "last": 3, "count": 3, "after": head})
    );
    let dropped = stream.next().await.unwrap();
    assert_eq!(
        (dropped.event.as_deref(), &dropped.id),
        (Some("dropped"), &None)
    );
    let expected = json!({
        "dropped": 2, "first": 1, "last": 2, "policy": "summarize",
        "kinds": {"model_stream_delta": 2},
    });
    assert_eq!(dropped.data.unwrap(), expected);
    let shown = stream.next().await.unwrap();
    assert_eq!(
        (shown.event.as_deref(), &shown.id),
        (Some("ephemeral"), &None)
    );
    let data = shown.data.unwrap();
    assert_eq!((&data["ephemeral"], &data["after"]), (&json!(3), &head));
    let event = &data["event"];
    assert_eq!(event["payload"]["summary"], "a word");
    assert_eq!(
        (&event["run"], &event["semantics"]),
        (&json!("a"), &json!("best_effort_live"))
    );
    for place in ["id", "cursor", "position", "recorded_at"] {
        assert_eq!(event.get(place), None, "{place}");
    }
    assert_eq!(server.head().await, head, "nothing was recorded");
}

async fn a_stream_that_is_too_slow_is_ended_when_it_asked_for_that(server: Server) {
    let (a, _) = server.with_pair().await;
    let query = "?from=head&ephemeral=fail_subscriber&ephemeral_buffer=2";
    let mut stream = server.stream(OPERATOR, query).await;
    stream.next().await.unwrap();
    server.post(&a, EPHEMERAL, deltas(3)).await.is(200);
    let dropped = stream.next().await.unwrap();
    assert_eq!(dropped.data.unwrap()["dropped"], 3);
    let closed = stream.next().await.unwrap();
    assert_eq!(closed.data.unwrap(), json!({"reason": "overflow"}));
    assert!(stream.next().await.is_none());
}

async fn what_ends_something_is_refused_and_nothing_is_shown(server: Server) {
    let (a, _) = server.with_pair().await;
    let mut stream = server
        .stream(OPERATOR, "?from=head&ephemeral=latest_only")
        .await;
    stream.next().await.unwrap();
    let ends = json!({"events": [{"kind": "model_stream_delta"}, {"kind": "tool_completed"}]});
    let refused = server.post(&a, EPHEMERAL, ends).await.is(400);
    assert_eq!(refused["field"], "events[1].kind");
    let unknown = json!({"events": [{"kind": "model_stream_delta"}], "idempotency_key": "k"});
    let refused = server.post(&a, EPHEMERAL, unknown).await.is(400);
    assert_eq!(refused["field"], "idempotency_key");
    server.post(&a, EPHEMERAL, deltas(1)).await.is(200);
    assert_eq!(stream.next().await.unwrap().data.unwrap()["ephemeral"], 1);
}

async fn a_page_has_no_events_without_a_record_and_a_buffer_has_bounds(server: Server) {
    server.with_pair().await;
    for (query, field) in [
        ("ephemeral=summarize", "ephemeral"),
        ("ephemeral_buffer=2", "ephemeral_buffer"),
    ] {
        let path = format!("/v1/pools/p/events?{query}");
        let refused = server.get(OPERATOR, &path).await.is(400);
        assert_eq!(refused["field"], field);
    }
    for (query, status) in [
        ("ephemeral=summarize&ephemeral_buffer=0", 400),
        ("ephemeral=summarize&ephemeral_buffer=1", 200),
        ("ephemeral=summarize&ephemeral_buffer=1024", 200),
        ("ephemeral=summarize&ephemeral_buffer=1025", 400),
        ("ephemeral=everything", 400),
        ("ephemeral_buffer=2", 400),
    ] {
        let path = format!("/v1/pools/p/events?{query}");
        let mut asked = request(OPERATOR, &format!("GET {path}"), &Value::Null);
        let accept = "text/event-stream".parse().unwrap();
        asked.headers_mut().insert(header::ACCEPT, accept);
        let answer = tower::ServiceExt::oneshot(server.router.clone(), asked)
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{query}");
    }
}
