//! Cursors: ahead, trimmed, foreign and malformed ones are refused by name, never guessed.

use axum::http::header;
use heronry_types::Position;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, request};

on_every_store! {
    o6_a_cursor_ahead_names_the_head
    o6_a_trimmed_cursor_names_the_floor_or_becomes_a_gap
    o6_a_cursor_of_another_journal_is_foreign
    o6_a_malformed_cursor_is_refused_by_name
    after_and_from_exclude_each_other
}

const EVENTS: &str = "/v1/pools/p/events";

/// Every way to hand a cursor in: the answers to it as page, stream, resumed stream and wake.
async fn hand_in(server: &Server, cursor: &str) -> [heronry_tests::server::HttpReply; 4] {
    let ask = |query: String, last: Option<&str>| {
        let mut request = request(OPERATOR, &format!("GET {EVENTS}{query}"), &Value::Null);
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, "text/event-stream".parse().unwrap());
        if let Some(last) = last {
            headers.insert("last-event-id", last.parse().unwrap());
        }
        server.send(request)
    };
    let wake = json!({
        "run_id": "a", "filter": "terminal", "since": cursor, "idempotency_key": cursor
    });
    [
        server
            .get(OPERATOR, &format!("{EVENTS}?after={cursor}"))
            .await,
        ask(format!("?after={cursor}&on_trimmed=error"), None).await,
        ask("?on_trimmed=error".to_owned(), Some(cursor)).await,
        server.post(OPERATOR, "/v1/pools/p/wakes", wake).await,
    ]
}

async fn o6_a_cursor_ahead_names_the_head(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let ahead = head.as_str().unwrap().replace("-3", "-4");
    for reply in hand_in(&server, &ahead).await {
        let problem = reply.refused(409, "cursor-ahead");
        assert_eq!(
            (&problem["head"], &problem["requested"]),
            (&head, &json!(ahead))
        );
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
    let page = server
        .get(
            OPERATOR,
            &format!("{EVENTS}?after={}", head.as_str().unwrap()),
        )
        .await;
    assert_eq!(
        page.is(200)["events"],
        json!([]),
        "the head itself is not ahead"
    );
}

async fn o6_a_trimmed_cursor_names_the_floor_or_becomes_a_gap(server: Server) {
    let (a, _) = server.with_pair().await;
    for number in 0..5 {
        server.tell(&a, "b", &format!("{number}")).await.is(201);
    }
    let head = server.head().await;
    let at = |position: u64| {
        let (epoch, _) = head.as_str().unwrap().split_once('-').unwrap();
        format!("{epoch}-{position}")
    };
    server.trim(Position(4)).await;
    let page = server.get(OPERATOR, EVENTS).await.is(200);
    let floor = page["floor"].as_str().unwrap().to_owned();
    assert_ne!(floor, at(0), "something was trimmed");
    for reply in hand_in(&server, &at(0)).await {
        let problem = reply.refused(410, "cursor-trimmed");
        assert_eq!(
            (&problem["floor"], &problem["requested"]),
            (&json!(floor), &json!(at(0)))
        );
    }
    let mut stream = server.stream(OPERATOR, &format!("?after={}", at(0))).await;
    let gap = stream.next().await.unwrap();
    assert_eq!(gap.event.as_deref(), Some("gap"));
    let expected = json!({"from": at(0), "to": floor, "reason": "trimmed"});
    assert_eq!(
        (gap.id.as_deref(), gap.data),
        (Some(floor.as_str()), Some(expected))
    );
    let first = stream.next().await.unwrap();
    assert_eq!(first.data.unwrap()["cursor"], page["events"][0]["cursor"]);
    let from_start = server
        .stream(OPERATOR, "?from=start")
        .await
        .next()
        .await
        .unwrap();
    assert_eq!(
        from_start.data.unwrap()["cursor"],
        page["events"][0]["cursor"],
        "start is the floor"
    );
    server
        .get(OPERATOR, &format!("{EVENTS}?after={floor}"))
        .await
        .is(200);
}

async fn o6_a_cursor_of_another_journal_is_foreign(server: Server) {
    server.with_pair().await;
    let created = server
        .call(OPERATOR, "PUT /v1/pools/q", json!({}))
        .await
        .is(201);
    let foreign = created["head"].as_str().unwrap();
    for reply in hand_in(&server, foreign).await {
        assert_eq!(reply.refused(409, "cursor-foreign")["requested"], foreign);
    }
}

async fn o6_a_malformed_cursor_is_refused_by_name(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let head = head.as_str().unwrap();
    for cursor in [
        "3",
        "yesterday",
        &head.to_uppercase(),
        &format!("{head}x"),
        &head.replace("-3", "-03"),
    ] {
        let replies = hand_in(&server, cursor).await;
        for (reply, field) in replies
            .iter()
            .zip(["after", "after", "Last-Event-ID", "since"])
        {
            assert_eq!(reply.refused(400, "cursor-invalid")["field"], field);
        }
    }
}

async fn after_and_from_exclude_each_other(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    for from in ["start", "head"] {
        let path = format!("{EVENTS}?after={}&from={from}", head.as_str().unwrap());
        let refused = server
            .get(OPERATOR, &path)
            .await
            .refused(400, "invalid-request");
        assert_eq!(refused["field"], "from");
    }
}
