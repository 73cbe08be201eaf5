//! Foreign sources over HTTP: attaching, reporting with positions, gaps; and rooms.

use serde_json::{Value, json};

use heronry_tests::server::{HttpReply, OPERATOR, Server, on_every_store};

on_every_store! {
    j7_events_of_a_source_are_taken_once_over_http
    j7_a_bridge_has_its_source_until_another_takes_it_over
    j7_a_gap_is_told_once_over_http
    j7_what_cannot_be_of_a_source_is_told_by_its_field
    j7_a_sources_end_of_a_run_ends_it_over_http
    o10_a_room_is_read_as_pages_and_as_a_stream
    o9_a_stream_of_a_runs_room_closes_with_the_run
    o10_what_is_no_room_is_told
}

const EVENTS: &str = "/v1/pools/p/events";
const SOURCE: &str = "/v1/pools/p/sources/feed";

fn at(positions: &[Value]) -> Vec<Value> {
    let event = |at: &Value| json!({"kind": "tool_started", "source_position": at});
    positions.iter().map(event).collect()
}

/// Reports tool events at these places of the source, under a key.
async fn report(server: &Server, token: &str, key: &str, places: &[Value]) -> HttpReply {
    let body = json!({
        "source": "feed",
        "events": at(places),
        "idempotency_key": key,
    });
    server.post(token, EVENTS, body).await
}

async fn j7_events_of_a_source_are_taken_once_over_http(server: Server) {
    let (a, b) = server.with_pair().await;
    let answer = report(&server, &a, "k1", &[json!(1), json!(2)])
        .await
        .is(201);
    assert_eq!(
        (&answer["count"], &answer["already_taken"]),
        (&json!(2), &Value::Null)
    );
    let answer = report(&server, &a, "k2", &[json!(2), json!(3)])
        .await
        .is(201);
    assert_eq!(
        (&answer["count"], &answer["already_taken"]),
        (&json!(1), &json!(1))
    );
    let answer = report(&server, &a, "k3", &[json!(1), json!(3)])
        .await
        .is(200);
    assert_eq!(
        (&answer["count"], &answer["already_taken"]),
        (&json!(0), &json!(2))
    );
    let tools = format!("{EVENTS}?filter=kind%3D%3D%22tool_started%22");
    let page = server.get(OPERATOR, &tools);
    let page = page.await.is(200);
    let events = page["events"].as_array().unwrap().iter();
    let places: Vec<_> = events.map(|event| event["source"].clone()).collect();
    let positions: Vec<_> = places
        .iter()
        .map(|it| it["correlation"]["position"].clone())
        .collect();
    assert_eq!(positions, [json!("1"), json!("2"), json!("3")]);
    assert!(
        places
            .iter()
            .all(|it| it["id"] == "feed" && it["kind"] == "external_runtime")
    );
    report(&server, &b, "k", &[json!(9)])
        .await
        .refused(403, "sender-mismatch");
}

async fn j7_a_bridge_has_its_source_until_another_takes_it_over(server: Server) {
    let (a, _) = server.with_pair().await;
    let attach = |instance: &str, how: Value| {
        let body = json!({"instance": instance, "on_attached": how});
        server.post(&a, "/v1/pools/p/sources/feed/attach", body)
    };
    let first = attach("one", Value::Null).await.is(201);
    assert_eq!(
        attach("one", json!("refuse")).await.is(200),
        first,
        "a repeat"
    );
    let refused = attach("two", json!("refuse"))
        .await
        .refused(409, "source-taken");
    assert_eq!(refused["generation"], first["generation"]);
    report(&server, &a, "k", &[json!(1)])
        .await
        .refused(409, "source-taken");
    let second = attach("two", json!("take_over")).await.is(201);
    let with = |generation: &Value, key: &str| {
        let body = json!({
            "source": "feed",
            "source_generation": generation,
            "events": at(&[json!(5)]),
            "idempotency_key": key,
        });
        server.post(&a, EVENTS, body)
    };
    with(&first["generation"], "k")
        .await
        .refused(409, "source-fenced");
    with(&second["generation"], "k").await.is(201);
    let leave = json!({"generation": second["generation"]});
    server
        .post(&a, &format!("{SOURCE}/detach"), leave.clone())
        .await
        .is(200);
    server
        .post(&a, &format!("{SOURCE}/detach"), leave)
        .await
        .is(200);
    let third = attach("three", json!("refuse")).await.is(201);
    assert_eq!(third["last_number"], 5);
}

async fn j7_a_gap_is_told_once_over_http(server: Server) {
    let (a, b) = server.with_pair().await;
    report(&server, &a, "k", &[json!(4)]).await.is(201);
    let gap = json!({
        "gap": {"reason": "lagged", "missed": 7, "note": "slow"},
        "idempotency_key": "g",
    });
    let gaps = format!("{SOURCE}/gaps");
    let told = server.post(&a, &gaps, gap.clone()).await.is(201);
    assert_eq!(server.post(&a, &gaps, gap.clone()).await.is(200), told);
    server
        .post(&b, &gaps, gap)
        .await
        .refused(403, "sender-mismatch");
    let missing = format!("{EVENTS}?filter=kind%3D%3D%22source_gap%22");
    let page = server.get(&b, &missing);
    let page = page.await.is(200);
    let events = page["events"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    let said = json!({"reason": "lagged", "missed": "7", "after": "4"});
    assert_eq!(events[0]["source"]["correlation"], said);
    assert_eq!(events[0]["run"], "a");
}

async fn j7_what_cannot_be_of_a_source_is_told_by_its_field(server: Server) {
    let (a, _) = server.with_pair().await;
    let check = async |body: Value, field: &str| {
        let refused = server
            .post(&a, EVENTS, body)
            .await
            .refused(400, "invalid-request");
        assert_eq!(refused["field"], field, "{refused}");
    };
    let batch =
        |events: Vec<Value>| json!({"source": "feed", "events": events, "idempotency_key": "k"});
    check(
        batch(vec![json!({"kind": "tool_started"})]),
        "events[0].source_position",
    )
    .await;
    check(
        batch(at(&[json!(1), json!("x")])),
        "events[1].source_position",
    )
    .await;
    let mut end = at(&[json!(1), json!(2)]);
    end[1]["kind"] = json!("run_failed");
    check(batch(end), "events[1].kind").await;
    let placed = json!({"events": at(&[json!(1)]), "idempotency_key": "k"});
    check(placed, "source").await;
    let held = json!({"events": [{"kind": "tool_started"}], "source_generation": 3, "idempotency_key": "k"});
    check(held, "source_generation").await;
    let negative = batch(at(&[json!(-1)]));
    server
        .post(&a, EVENTS, negative)
        .await
        .refused(400, "invalid-request");
    report(&server, &a, "k", &[json!(u64::MAX)]).await.is(201);
}

async fn j7_a_sources_end_of_a_run_ends_it_over_http(server: Server) {
    server.with_pair().await;
    let end = |key: &str| {
        let body = json!({
            "source": "feed",
            "run_id": "a",
            "events": [{"kind": "run_completed", "source_position": 8}],
            "idempotency_key": key,
        });
        server.post(OPERATOR, EVENTS, body)
    };
    assert_eq!(end("k1").await.is(201)["count"], 1);
    let again = end("k2").await.is(200);
    assert_eq!(
        (&again["count"], &again["already_taken"]),
        (&json!(0), &json!(1))
    );
    let members = server.get(OPERATOR, "/v1/pools/p/members").await.is(200);
    assert_eq!(members["members"].as_array().unwrap().len(), 1);
}

async fn o10_a_room_is_read_as_pages_and_as_a_stream(server: Server) {
    let (a, b) = server.with_pair().await;
    for (token, key) in [(&a, "1"), (&b, "2"), (&a, "3")] {
        let to = if token == &a { "b" } else { "a" };
        server.tell(token, to, key).await.is(201);
    }
    let everything = server.get(OPERATOR, EVENTS).await.is(200);
    let everything = everything["events"].as_array().unwrap();
    let of_a: Vec<_> = everything
        .iter()
        .filter(|event| event["run"] == "a")
        .cloned()
        .collect();
    let page = server
        .get(OPERATOR, &format!("{EVENTS}?room=run:a"))
        .await
        .is(200);
    assert_eq!(page["events"], Value::from(of_a.clone()));
    let narrowed = format!("{EVENTS}?room=run%3Aa&filter=kind%3D%3D%22run_message_accepted%22");
    let narrowed = server.get(OPERATOR, &narrowed).await.is(200);
    assert_eq!(narrowed["events"].as_array().unwrap().len(), 2);
    let other = format!("{EVENTS}?room=run:a&filter=run%3D%3D%22b%22");
    let other = server.get(OPERATOR, &other).await.is(200);
    assert_eq!(
        other["events"],
        json!([]),
        "a room is no way out of a filter"
    );
    let whole = server
        .get(OPERATOR, &format!("{EVENTS}?room=pool"))
        .await
        .is(200);
    assert_eq!(whole["events"].as_array().unwrap(), everything);
    let mut stream = server.stream(OPERATOR, "?room=run:a").await;
    let frames = stream.until("caught_up").await;
    let streamed: Vec<_> = frames.iter().filter_map(|it| it.data.clone()).collect();
    assert_eq!(streamed[..of_a.len()], of_a[..]);
}

async fn o9_a_stream_of_a_runs_room_closes_with_the_run(server: Server) {
    let (_, b) = server.with_pair().await;
    let mut live = server
        .stream(&b, "?room=run:a&close_on_terminal=true")
        .await;
    live.until("caught_up").await;
    let end = json!({"state": "completed"});
    server
        .call(OPERATOR, "PUT /v1/pools/p/members/a/state", end)
        .await
        .is(200);
    let mut replay = server
        .stream(&b, "?room=run:a&close_on_terminal=true")
        .await;
    let mut behind = server
        .stream(&b, "?room=run:a&from=head&close_on_terminal=true")
        .await;
    for (stream, before) in [
        (&mut live, Some("run_completed")),
        (&mut replay, Some("run_completed")),
        (&mut behind, Some("caught_up")),
    ] {
        let frames = stream.until("closed").await;
        let (closed, rest) = frames.split_last().unwrap();
        assert_eq!(closed.data, Some(json!({"reason": "run_ended"})));
        let last = rest.last().and_then(|frame| frame.event.as_deref());
        assert_eq!(last, before);
        assert!(stream.next().await.is_none(), "the stream is over");
    }
}

async fn o10_what_is_no_room_is_told(server: Server) {
    let (a, _) = server.with_pair().await;
    for room in ["", "team:x", "run:", "pool:p", "a"] {
        let refused = server.get(&a, &format!("{EVENTS}?room={room}")).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], "room", "{refused}");
    }
    let empty = server
        .get(&a, &format!("{EVENTS}?room=run:nobody"))
        .await
        .is(200);
    assert_eq!(empty["events"], json!([]));
    assert_eq!(empty["scanned_to"], empty["head"]);
    let page = server
        .get(&a, &format!("{EVENTS}?room=run:a&close_on_terminal=true"))
        .await;
    assert_eq!(
        page.refused(400, "invalid-request")["field"],
        "close_on_terminal"
    );
    let stream = heronry_tests::server::request(
        &a,
        &format!("GET {EVENTS}?room=session:s&close_on_terminal=true"),
        &Value::Null,
    );
    let (mut parts, body) = stream.into_parts();
    parts
        .headers
        .insert("accept", "text/event-stream".parse().unwrap());
    let stream = server
        .send(axum::http::Request::from_parts(parts, body))
        .await;
    assert_eq!(
        stream.refused(400, "invalid-request")["field"],
        "close_on_terminal"
    );
}
