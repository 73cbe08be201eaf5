//! Bad input: what is wrong, where, and nothing changed.

use axum::{body::Body, http::header};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, request, to_run};

on_every_store! {
    a_time_is_taken_up_to_the_end_of_the_calendar_and_a_span_is_not_cut
    unknown_fields_are_refused_by_name
    retention_is_a_setting_and_an_empty_one_takes_it_away
    a_retention_that_would_trim_nothing_is_refused
    a_body_of_another_media_type_is_refused
    a_body_that_is_compressed_or_in_another_charset_is_refused
    a_body_that_is_not_json_is_refused
    ids_are_checked_wherever_they_stand
    paths_and_methods_that_are_not_there_are_refused
}

/// Every route that reads JSON, with a body that it accepts.
fn bodies() -> Vec<(&'static str, Value)> {
    vec![
        ("PUT /v1/pools/p", json!({})),
        ("PATCH /v1/pools/p/settings", json!({"expected_version": 1})),
        (
            "POST /v1/pools/p/members",
            json!({"run_id": "c", "agent_id": "c"}),
        ),
        ("PATCH /v1/pools/p/members/a", json!({"topics": ["t"]})),
        (
            "POST /v1/pools/p/members/a/state",
            json!({"state": "completed"}),
        ),
        (
            "POST /v1/pools/p/messages",
            json!({"from": "a", "to": to_run("b"), "idempotency_key": "k"}),
        ),
        ("POST /v1/pools/p/messages/m/cancel", json!({"from": "a"})),
        ("POST /v1/pools/p/members/a/inbox/receive", json!({})),
        (
            "POST /v1/pools/p/members/a/inbox/ack",
            json!({"claims": ["1@2"]}),
        ),
        (
            "POST /v1/pools/p/members/a/inbox/release",
            json!({"claims": ["1@2"]}),
        ),
        (
            "POST /v1/pools/p/members/a/inbox/extend",
            json!({"claims": ["1@2"], "claim_ms": 1}),
        ),
        (
            "POST /v1/pools/p/wakes",
            json!({"run_id": "a", "filter": "terminal", "idempotency_key": "w"}),
        ),
        ("POST /v1/filters/compile", json!({"filter": "terminal"})),
    ]
}

async fn unknown_fields_are_refused_by_name(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    for (line, mut body) in bodies() {
        body["memebers"] = json!(1);
        let refused = server
            .call(OPERATOR, line, body)
            .await
            .refused(400, "invalid-request");
        assert_eq!(refused["field"], "memebers", "{line}");
    }
    let nested = json!({"message_policy": {"memebers": 1}});
    let refused = server.call(OPERATOR, "PUT /v1/pools/p", nested).await;
    assert_eq!(
        refused.refused(400, "invalid-request")["field"],
        "message_policy.memebers"
    );
    let limit = json!({"limits": {"memebers_max": 1}});
    let refused = server.call(OPERATOR, "PUT /v1/pools/p", limit).await;
    let refused = refused.refused(400, "invalid-request");
    assert!(
        refused["detail"].as_str().unwrap().contains("members_max"),
        "{refused}"
    );
    for path in ["events", "members/a/inbox", "messages/m", "wakes/w"] {
        let reply = server
            .get(OPERATOR, &format!("/v1/pools/p/{path}?memebers=1"))
            .await;
        assert_eq!(reply.refused(400, "invalid-request")["field"], "memebers");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn retention_is_a_setting_and_an_empty_one_takes_it_away(server: Server) {
    server.with_pair().await;
    let retention = json!({"age_ms": 86_400_000, "keep_min": 100});
    let line = "PATCH /v1/pools/p/settings";
    let body = json!({"expected_version": 1, "retention": retention});
    let changed = server.call(OPERATOR, line, body).await.is(200);
    assert_eq!(changed["settings"]["retention"], retention);
    let again = server
        .call(OPERATOR, "PUT /v1/pools/p", json!({"retention": retention}))
        .await;
    again.is(200);
    let other = json!({"retention": {"age_ms": 1}});
    let refused = server.call(OPERATOR, "PUT /v1/pools/p", other).await;
    let refused = refused.refused(409, "config-conflict");
    assert_eq!(refused["fields"], json!(["retention"]));
    let body = json!({"expected_version": 2, "retention": {}});
    let changed = server.call(OPERATOR, line, body).await.is(200);
    assert_eq!(changed["settings"].get("retention"), None);
    let broken = json!({"expected_version": 3, "retention": {"age": "7d"}});
    let refused = server.call(OPERATOR, line, broken).await;
    assert_eq!(
        refused.refused(400, "invalid-request")["field"],
        "retention.age"
    );
}

async fn a_retention_that_would_trim_nothing_is_refused(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let retention = json!({"keep_min": 100});
    let patch = json!({"expected_version": 1, "retention": retention});
    let create = json!({"retention": retention});
    for (line, body) in [
        ("PATCH /v1/pools/p/settings", patch),
        ("PUT /v1/pools/other", create),
    ] {
        let refused = server.call(OPERATOR, line, body).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], "retention.keep_min", "{line}");
    }
    assert_eq!(server.head().await, head);
    server.get(OPERATOR, "/v1/pools/other").await.is(404);
}

async fn a_body_of_another_media_type_is_refused(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    for (line, body) in bodies() {
        for media_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "",
            "multipart/form-data",
        ] {
            let mut request = request(OPERATOR, line, &body);
            let headers = request.headers_mut();
            if media_type.is_empty() {
                headers.remove(header::CONTENT_TYPE);
                headers.insert(header::CONTENT_LENGTH, "9".parse().unwrap());
            } else {
                headers.insert(header::CONTENT_TYPE, media_type.parse().unwrap());
            }
            server
                .send(request)
                .await
                .refused(415, "unsupported-media-type");
        }
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_body_that_is_compressed_or_in_another_charset_is_refused(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let put = "PUT /v1/pools/p/contents";
    for (line, body) in bodies().into_iter().chain([(put, json!({}))]) {
        for (name, value) in [
            (header::CONTENT_ENCODING, "gzip"),
            (header::CONTENT_ENCODING, "identity, br"),
            (header::CONTENT_TYPE, "application/json; charset=utf-16"),
            (header::CONTENT_TYPE, "application/json; charset=latin1"),
        ] {
            let mut request = request(OPERATOR, line, &body);
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_LENGTH, "9".parse().unwrap());
            headers.insert(&name, value.parse().unwrap());
            if line == put && name == header::CONTENT_TYPE {
                continue;
            }
            let reply = server.send(request).await;
            let refused = reply.refused(415, "unsupported-media-type");
            assert_eq!(refused["field"], name.as_str(), "{line} {value}");
        }
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_body_that_is_not_json_is_refused(server: Server) {
    server.with_pair().await;
    for (line, body) in bodies() {
        for text in ["{", "[]", "null", "{\"a\":}", "\u{0}"] {
            let mut request = request(OPERATOR, line, &body);
            *request.body_mut() = Body::from(text);
            server.send(request).await.refused(400, "invalid-request");
        }
    }
}

async fn ids_are_checked_wherever_they_stand(server: Server) {
    server.open(json!({})).await;
    let (longest, long) = ("x".repeat(512), "x".repeat(513));
    for (run, agent, field) in [
        ("", "a", "run_id"),
        ("a", &*long, "agent_id"),
        ("a\nb", "a", "run_id"),
    ] {
        let body = json!({"run_id": run, "agent_id": agent});
        let refused = server.post(OPERATOR, "/v1/pools/p/members", body).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], field);
    }
    let body = json!({"run_id": longest, "agent_id": "a"});
    server
        .post(OPERATOR, "/v1/pools/p/members", body)
        .await
        .is(201);
    let inbox = format!("/v1/pools/p/members/{long}/inbox");
    let refused = server
        .get(OPERATOR, &inbox)
        .await
        .refused(400, "invalid-request");
    assert_eq!(refused["field"], "run");
    let inbox = format!("/v1/pools/p/members/{longest}/inbox");
    server.get(OPERATOR, &inbox).await.is(200);
}

async fn paths_and_methods_that_are_not_there_are_refused(server: Server) {
    server.open(json!({})).await;
    server
        .get(OPERATOR, "/v2/pools")
        .await
        .refused(404, "not-found");
    server
        .get(OPERATOR, "/v1/pools/p/none")
        .await
        .refused(404, "not-found");
    let posted = server.post(OPERATOR, "/v1/pools/p", json!({})).await;
    posted.refused(405, "method-not-allowed");
}

async fn a_time_is_taken_up_to_the_end_of_the_calendar_and_a_span_is_not_cut(server: Server) {
    let (a, _) = server.with_pair().await;
    let send = |key: &str, field: &str, value: Value| {
        let body = json!({"to": to_run("b"), "body": "x", "idempotency_key": key, field: value});
        server.post(&a, "/v1/pools/p/messages", body)
    };
    let last = "9999-12-31T23:59:59.999Z";
    send("1", "expires_at", json!(last)).await.is(201);
    for text in ["9999-12-31T23:59:59.999-00:01", "+010000-01-01T00:00:00Z"] {
        let refused = send("2", "expires_at", json!(text)).await;
        assert_eq!(
            refused.refused(400, "invalid-request")["field"],
            "expires_at"
        );
    }
    let head = server.head().await;
    let span = 1_u64 << 63;
    let told = send("3", "expires_in_ms", json!(span)).await;
    let wake = json!({"filter": "terminal", "idempotency_key": "4", "timeout_ms": span});
    let waited = server.post(&a, "/v1/pools/p/wakes", wake).await;
    for (reply, field) in [(told, "expires_in_ms"), (waited, "timeout_ms")] {
        let problem = reply.refused(400, "limit-exceeded");
        assert_eq!(problem["field"], field);
        assert!(problem["max"].as_u64().unwrap() < span, "{problem}");
    }
    assert_eq!(server.head().await, head);
}
