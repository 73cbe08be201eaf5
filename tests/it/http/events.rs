//! Pages and streams of events.

use std::collections::BTreeSet;

use axum::http::header;
use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, request};

on_every_store! {
    o1_a_stream_has_every_cursor_once_and_catches_up_once
    o5_a_filter_that_matches_nothing_moves_with_the_head
    a_page_is_read_on_from_where_the_last_one_looked_to
    a_page_waits_for_a_first_event
    a_stream_resumes_after_its_last_event_id
    a_stream_says_every_15_s_how_far_it_has_looked
    o7_a_viewer_that_leaves_is_told_and_sees_nothing_later
    o7_an_author_that_left_still_shows
    an_operator_may_look_as_a_member
    a56_an_operators_view_of_a_run_lives_through_its_takeover
    a_stream_ends_when_the_server_stops
    streams_are_counted_and_limited
}

const EVENTS: &str = "/v1/pools/p/events";
const NOTHING: &str = "filter=kind%20%3D%3D%20%22tool_denied%22";

fn position(cursor: &str) -> u64 {
    cursor.split_once('-').unwrap().1.parse().unwrap()
}

async fn o1_a_stream_has_every_cursor_once_and_catches_up_once(server: Server) {
    let (a, _) = server.with_pair().await;
    for number in 0..40 {
        server
            .tell(&a, "b", &format!("before {number}"))
            .await
            .is(201);
    }
    let mut stream = server.stream(OPERATOR, "").await;
    let mut frames = Vec::new();
    for number in 0..40 {
        server
            .tell(&a, "b", &format!("while {number}"))
            .await
            .is(201);
        frames.push(stream.next().await.unwrap());
    }
    let head = server.head().await;
    while frames.last().unwrap().event.as_deref() != Some("caught_up") {
        frames.push(stream.next().await.unwrap());
    }
    assert_eq!(frames.last().unwrap().id.as_deref(), head.as_str());
    server.tell(&a, "b", "after").await.is(201);
    let head = server.head().await;
    while frames.last().unwrap().id.as_deref() != head.as_str() {
        frames.push(stream.next().await.unwrap());
    }
    let (caught_up, events): (Vec<_>, Vec<_>) = frames
        .iter()
        .partition(|frame| frame.event.as_deref() == Some("caught_up"));
    assert_eq!(caught_up.len(), 1);
    let positions: Vec<u64> = events
        .iter()
        .map(|frame| position(frame.id.as_deref().unwrap()))
        .collect();
    let every: Vec<u64> = (1..=position(head.as_str().unwrap())).collect();
    assert_eq!(positions, every);
    for frame in events {
        let data = frame.data.as_ref().unwrap();
        assert_eq!(data["cursor"], frame.id.as_deref().unwrap());
        assert_eq!(data["kind"], frame.event.as_deref().unwrap());
    }
}

async fn o5_a_filter_that_matches_nothing_moves_with_the_head(server: Server) {
    let (a, _) = server.with_pair().await;
    let page = server
        .get(OPERATOR, &format!("{EVENTS}?{NOTHING}"))
        .await
        .is(200);
    assert_eq!(page["events"], json!([]));
    assert_eq!(page["scanned_to"], page["head"]);
    server.tell(&a, "b", "k").await.is(201);
    let after = page["scanned_to"].as_str().unwrap();
    let next = server
        .get(OPERATOR, &format!("{EVENTS}?{NOTHING}&after={after}"))
        .await
        .is(200);
    assert_eq!(
        (&next["scanned_to"], &next["head"]),
        (&next["head"], &server.head().await)
    );
    let seen = server
        .get(OPERATOR, &format!("{EVENTS}?after={after}"))
        .await
        .is(200);
    let first = seen["events"][0]["position"].as_u64().unwrap();
    assert_eq!(
        first,
        position(after) + 1,
        "nothing is looked through twice"
    );
}

async fn a_page_is_read_on_from_where_the_last_one_looked_to(server: Server) {
    let (a, _) = server.with_pair().await;
    for number in 0..10 {
        server.tell(&a, "b", &format!("{number}")).await.is(201);
    }
    let head = server.head().await;
    let mut seen = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = server
            .get(OPERATOR, &format!("{EVENTS}?limit=3{after}"))
            .await
            .is(200);
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 3);
        for event in events {
            assert!(
                seen.insert(event["position"].as_u64().unwrap()),
                "each event once"
            );
        }
        if page["scanned_to"] == head {
            break;
        }
        after = format!("&after={}", page["scanned_to"].as_str().unwrap());
    }
    assert_eq!(seen.len() as u64, position(head.as_str().unwrap()));
    let page = server
        .get(OPERATOR, &format!("{EVENTS}?from=head"))
        .await
        .is(200);
    assert_eq!((&page["events"], &page["scanned_to"]), (&json!([]), &head));
    let large = server.get(OPERATOR, &format!("{EVENTS}?limit=1001")).await;
    assert_eq!(
        large.refused(400, "limit-exceeded")["limit"],
        "page_items_max"
    );
}

async fn a_page_waits_for_a_first_event(server: Server) {
    let (a, _) = server.with_pair().await;
    let path = format!("{EVENTS}?from=head&wait_ms=20000");
    let waiting = server.get(OPERATOR, &path);
    let sending = async {
        server.waits_for(Millis(20_000)).await;
        server.tell(&a, "b", "k").await.is(201)
    };
    let (reply, sent) = tokio::join!(waiting, sending);
    assert_eq!(reply.is(200)["events"][0]["cursor"], sent["cursor"]);
    let waiting = server.get(OPERATOR, &path);
    let moving = async {
        server.waits_for(Millis(20_000)).await;
        server.clock.advance(Millis(20_000));
    };
    let (reply, ()) = tokio::join!(waiting, moving);
    assert_eq!(reply.is(200)["events"], json!([]));
}

async fn a_stream_resumes_after_its_last_event_id(server: Server) {
    let (a, _) = server.with_pair().await;
    server.tell(&a, "b", "k").await.is(201);
    let whole = server.stream(OPERATOR, "").await.until("caught_up").await;
    for split in 1..whole.len() - 1 {
        let last = whole[split - 1].id.clone().unwrap();
        // The header beats `after` and `from`.
        for query in [
            "",
            "?from=head",
            &format!("?after={}", whole[0].id.as_deref().unwrap()),
        ] {
            let mut request = request(OPERATOR, &format!("GET {EVENTS}{query}"), &Value::Null);
            let headers = request.headers_mut();
            headers.insert(header::ACCEPT, "text/event-stream".parse().unwrap());
            headers.insert("last-event-id", last.parse().unwrap());
            let rest = server.stream_of(request).await.until("caught_up").await;
            assert_eq!(rest, whole[split..]);
        }
    }
}

async fn a_stream_says_every_15_s_how_far_it_has_looked(server: Server) {
    let (a, _) = server.with_pair().await;
    let mut stream = server.stream(OPERATOR, &format!("?{NOTHING}")).await;
    let caught_up = stream.next().await.unwrap();
    assert_eq!(caught_up.event.as_deref(), Some("caught_up"));
    for key in ["1", "2"] {
        server.tell(&a, "b", key).await.is(201);
        let head = server.head().await;
        let next = async {
            server.waits_for(Millis(15_000)).await;
            server.clock.advance(Millis(14_999));
            server.quiet().await;
            server.clock.advance(Millis(1));
        };
        let (frame, ()) = tokio::join!(stream.next(), next);
        let frame = frame.unwrap();
        assert_eq!((frame.event, frame.data), (None, None), "an id alone");
        assert_eq!(frame.id.as_deref(), head.as_str());
    }
}

async fn o7_a_viewer_that_leaves_is_told_and_sees_nothing_later(server: Server) {
    let (a, b) = server.with_pair().await;
    let mut stream = server.stream(&b, "").await;
    stream.until("caught_up").await;
    server
        .call(&b, "DELETE /v1/pools/p/members/b", Value::Null)
        .await
        .is(200);
    server.tell(&a, "a", "later").await.is(201);
    let frames = stream.until("closed").await;
    let names: Vec<_> = frames
        .iter()
        .map(|frame| frame.event.as_deref().unwrap())
        .collect();
    assert_eq!(names, ["agent_pool_run_left", "closed"]);
    assert_eq!(frames[1].data, Some(json!({"reason": "left"})));
    assert_eq!(stream.next().await, None, "the stream is over");
    server.get(&b, EVENTS).await.refused(403, "not-a-member");
}

async fn o7_an_author_that_left_still_shows(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&b, "a", "k").await.is(201);
    let before = server.get(&a, EVENTS).await.is(200);
    server
        .call(&b, "DELETE /v1/pools/p/members/b", Value::Null)
        .await
        .is(200);
    let after = server.get(&a, EVENTS).await.is(200);
    let (before, after) = (
        before["events"].as_array().unwrap(),
        after["events"].as_array().unwrap(),
    );
    assert_eq!(
        before[..],
        after[..before.len()],
        "what it did while it was a member stays"
    );
    assert_eq!(after[before.len()]["kind"], "agent_pool_run_left");
    let operator = server.get(OPERATOR, EVENTS).await.is(200);
    let mut slow = server.stream(&a, "").await.until("caught_up").await;
    slow.pop();
    let slow: Vec<Value> = slow.into_iter().map(|frame| frame.data.unwrap()).collect();
    assert_eq!(&slow, after, "page and stream show the same");
    assert_eq!(operator["events"].as_array().unwrap().len(), after.len());
}

async fn an_operator_may_look_as_a_member(server: Server) {
    let policy = json!({"kind": "privacy", "id": "pii"});
    server.open(json!({"policies": [policy]})).await;
    let body = json!({"run_id": "in", "agent_id": "x", "policies": [policy]});
    server
        .post(OPERATOR, "/v1/pools/p/members", body)
        .await
        .is(201);
    let out = server.join("out").await;
    let count = |page: Value| page["events"].as_array().unwrap().len();
    let all = count(server.get(OPERATOR, EVENTS).await.is(200));
    let view = count(
        server
            .get(OPERATOR, &format!("{EVENTS}?view_run=in"))
            .await
            .is(200),
    );
    assert!(
        view < all,
        "what a member without the policy did is hidden: {view} of {all}"
    );
    server.get(&out, EVENTS).await.refused(403, "policy");
    server
        .get(OPERATOR, &format!("{EVENTS}?view_run=out"))
        .await
        .refused(403, "policy");
    server
        .get(OPERATOR, &format!("{EVENTS}?view_run=none"))
        .await
        .refused(403, "not-a-member");
}

async fn a56_an_operators_view_of_a_run_lives_through_its_takeover(server: Server) {
    server.open(json!({})).await;
    let old = server.join("a").await;
    let mut view = server.stream(OPERATOR, "?view_run=a").await;
    view.until("caught_up").await;
    let new = server.join("a").await;
    view.until("run_taken_over").await;
    server.tell(&old, "a", "k").await.refused(409, "fenced");
    server.tell(&new, "a", "k").await.is(201);
    view.until("run_message_accepted").await;
    let page = server.get(OPERATOR, &format!("{EVENTS}?view_run=a")).await;
    let kinds = page.is(200)["events"].as_array().unwrap().len();
    assert_eq!(kinds, 5, "created, joined, taken over, accepted, delivered");
    let leave = "DELETE /v1/pools/p/members/a";
    server.call(OPERATOR, leave, Value::Null).await.is(200);
    let closed = view.until("closed").await.pop().unwrap();
    assert_eq!(closed.data, Some(json!({"reason": "left"})));
    assert_eq!(view.next().await, None);
}

async fn a_stream_ends_when_the_server_stops(server: Server) {
    server.with_pair().await;
    let mut stream = server.stream(OPERATOR, "").await;
    stream.until("caught_up").await;
    server.stop.stop();
    let closed = stream.next().await.unwrap();
    assert_eq!(closed.event.as_deref(), Some("closed"));
    assert_eq!(closed.data, Some(json!({"reason": "shutdown"})));
    assert_eq!(closed.id, None, "it does not move the reader");
    assert_eq!(stream.next().await, None);
}

async fn streams_are_counted_and_limited(server: Server) {
    server
        .open(json!({"limits": {"subscriptions_max": 2}}))
        .await;
    let open = |server: &Server| {
        let mut request = request(OPERATOR, &format!("GET {EVENTS}"), &Value::Null);
        let accept = "application/json;q=0.1, Text/Event-Stream".parse().unwrap();
        request.headers_mut().insert(header::ACCEPT, accept);
        let (router, request) = (server.router.clone(), request);
        async move { tower::ServiceExt::oneshot(router, request).await.unwrap() }
    };
    let (one, two) = (open(&server).await, open(&server).await);
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
    assert_eq!(
        server.get(OPERATOR, "/v1/pools/p").await.is(200)["subscriptions"],
        2
    );
    assert_eq!(open(&server).await.status(), 429);
    drop(one);
    assert_eq!(
        server.get(OPERATOR, "/v1/pools/p").await.is(200)["subscriptions"],
        1
    );
    assert_eq!(open(&server).await.status(), 200);
}
