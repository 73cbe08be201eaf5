//! Rights of identities: every line of the contract's paragraph on identity.

use axum::{
    body::Body,
    http::{Method, Request, header},
};
use serde_json::{Value, json};

use heronry_tests::server::{HttpReply, OPERATOR, Server, on_every_store, request, to_run};

on_every_store! {
    a52_no_token_a_wrong_one_and_anothers_have_one_answer
    a52_only_an_operator_opens_configures_joins_replays_and_resolves
    a52_a_member_acts_as_its_own_run_alone
    a52_another_pool_is_absent
    a52_another_runs_message_and_wake_are_absent
    a52_an_older_generation_is_fenced_on_every_route
    a52_an_equal_repeat_is_answered_to_any_generation
    a52_who_left_is_not_a_member
    a52_an_ended_run_cannot_act_or_join_again
    a_run_that_ended_is_sent_to_without_silence
    every_answer_to_a_member_says_how_much_is_unread
    an_operator_acts_for_the_run_that_it_names
    joining_again_is_the_same_or_a_takeover
    a_host_or_origin_that_is_foreign_is_refused_everywhere
    a_path_that_is_not_utf_8_is_a_problem_to_those_with_a_token
    open_routes_need_no_token
}

/// Every route, with a body that it reads.
fn routes() -> Vec<(&'static str, Value)> {
    let state = json!({"state": "completed"});
    let send = json!({"to": to_run("b"), "body": "x", "idempotency_key": "route"});
    let wake = json!({"filter": "terminal", "idempotency_key": "route-wake"});
    let claims = json!({"claims": ["1@2"]});
    let extend = json!({"claims": ["1@2"], "claim_ms": 5});
    vec![
        ("GET /v1/pools", Value::Null),
        ("GET /v1/pools/p", Value::Null),
        ("GET /v1/pools/p/members", Value::Null),
        ("PATCH /v1/pools/p/members/a", json!({"topics": ["t"]})),
        ("DELETE /v1/pools/p/members/a", Value::Null),
        ("POST /v1/pools/p/members/a/heartbeat", Value::Null),
        ("POST /v1/pools/p/members/a/state", state),
        ("POST /v1/pools/p/messages", send),
        ("GET /v1/pools/p/messages/m", Value::Null),
        ("POST /v1/pools/p/messages/m/cancel", Value::Null),
        ("POST /v1/pools/p/members/a/inbox/receive", json!({})),
        ("GET /v1/pools/p/members/a/inbox", Value::Null),
        ("POST /v1/pools/p/members/a/inbox/ack", claims.clone()),
        ("POST /v1/pools/p/members/a/inbox/release", claims),
        ("POST /v1/pools/p/members/a/inbox/extend", extend),
        ("GET /v1/pools/p/dead-letters", Value::Null),
        ("POST /v1/pools/p/wakes", wake),
        ("GET /v1/pools/p/wakes", Value::Null),
        ("GET /v1/pools/p/wakes/w", Value::Null),
        ("DELETE /v1/pools/p/wakes/w", Value::Null),
        ("GET /v1/pools/p/wakes/w/explain", Value::Null),
        ("GET /v1/pools/p/events", Value::Null),
        ("PUT /v1/pools/p/contents", Value::Null),
        (
            "GET /v1/pools/p/contents/content:00000000000000000000000000000000",
            Value::Null,
        ),
        ("GET /v1/pools/p/effects", Value::Null),
        ("POST /v1/filters/compile", json!({"filter": "terminal"})),
    ]
}

fn operator_routes() -> Vec<(&'static str, Value)> {
    vec![
        ("PUT /v1/pools/p", json!({})),
        ("PATCH /v1/pools/p/settings", json!({"expected_version": 1})),
        (
            "POST /v1/pools/p/members",
            json!({"run_id": "c", "agent_id": "c"}),
        ),
        ("POST /v1/pools/p/dead-letters/x/a/replay", json!({})),
        ("POST /v1/pools/p/effects/e/resolve", json!({})),
        ("GET /metrics", Value::Null),
    ]
}

async fn a52_no_token_a_wrong_one_and_anothers_have_one_answer(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let foreign = Server::on_another();
    foreign.open(json!({})).await;
    let foreign = foreign.join("a").await;
    let changed = a.replace("hm1.", "hm2.");
    let other_pool = a.replacen('.', ".e30", 1);
    let all = routes().into_iter().chain(operator_routes());
    let mut bodies = Vec::new();
    for (line, body) in all {
        for token in [
            "",
            "wrong",
            &a[..a.len() - 1],
            &foreign,
            &changed,
            &other_pool,
        ] {
            let reply = server.call(token, line, body.clone()).await;
            let problem = reply.refused(401, "unauthorized");
            assert_eq!(reply.headers[header::WWW_AUTHENTICATE], "Bearer");
            assert!(!reply.text.contains(&a), "a token never comes back");
            bodies.push(problem);
        }
    }
    assert!(
        bodies.windows(2).all(|pair| pair[0] == pair[1]),
        "one body for all causes"
    );
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a52_only_an_operator_opens_configures_joins_replays_and_resolves(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    for (line, body) in operator_routes() {
        server
            .call(&a, line, body)
            .await
            .refused(403, "operator-only");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a52_a_member_acts_as_its_own_run_alone(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "k").await.is(201);
    let taken = server
        .post(&b, "/v1/pools/p/members/b/inbox/receive", json!({}))
        .await
        .is(200);
    let claims = json!({"claims": [taken["items"][0]["claim"]]});
    let head = server.head().await;
    let extend = json!({"claims": claims["claims"], "claim_ms": 5});
    for (line, body) in [
        ("PATCH /v1/pools/p/members/b", json!({"topics": []})),
        ("DELETE /v1/pools/p/members/b", Value::Null),
        (
            "POST /v1/pools/p/members/b/state",
            json!({"state": "failed"}),
        ),
        ("POST /v1/pools/p/members/b/inbox/receive", json!({})),
        ("GET /v1/pools/p/members/b/inbox", Value::Null),
        ("POST /v1/pools/p/members/b/inbox/ack", claims.clone()),
        ("POST /v1/pools/p/members/b/inbox/release", claims),
        ("POST /v1/pools/p/members/b/inbox/extend", extend),
        (
            "POST /v1/pools/p/messages",
            json!({"from": "b", "to": to_run("a"), "idempotency_key": "x"}),
        ),
        (
            "POST /v1/pools/p/wakes",
            json!({"run_id": "b", "filter": "terminal", "idempotency_key": "x"}),
        ),
        ("GET /v1/pools/p/messages/m?from=b", Value::Null),
        ("GET /v1/pools/p/wakes/w?run=b", Value::Null),
        ("DELETE /v1/pools/p/wakes/w?run=b", Value::Null),
        ("GET /v1/pools/p/events?view_run=b", Value::Null),
        ("DELETE /v1/pools/p/members/nobody", Value::Null),
    ] {
        let reply = server.call(&a, line, body).await;
        assert_eq!(reply.status, 403, "{line}: {}", reply.text);
        reply.refused(403, "sender-mismatch");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a52_another_pool_is_absent(server: Server) {
    let (a, _) = server.with_pair().await;
    server
        .call(OPERATOR, "PUT /v1/pools/q", json!({}))
        .await
        .is(201);
    for (line, body) in routes() {
        if !line.contains("/v1/pools/p") {
            continue;
        }
        let there = server
            .call(&a, &line.replace("/pools/p", "/pools/q"), body.clone())
            .await;
        let absent = server
            .call(&a, &line.replace("/pools/p", "/pools/none"), body)
            .await;
        let there = there.refused(404, "pool-not-found");
        assert_eq!(
            there,
            absent.refused(404, "pool-not-found"),
            "forbidden and absent look alike"
        );
    }
    let list = server.get(&a, "/v1/pools").await.is(200);
    assert_eq!(
        list,
        json!({"pools": [{"pool": "p"}]}),
        "a member sees its own pool"
    );
}

async fn a52_another_runs_message_and_wake_are_absent(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let message = format!(
        "/v1/pools/p/messages/{}",
        sent["message_id"].as_str().unwrap()
    );
    server.get(&a, &message).await.is(200);
    let hidden = server
        .get(&b, &message)
        .await
        .refused(404, "message-not-found");
    let absent = server.get(&b, "/v1/pools/p/messages/none").await;
    assert_eq!(hidden, absent.refused(404, "message-not-found"));

    let wake = json!({"wake_id": "w", "filter": "kind == \"run_failed\"", "idempotency_key": "w"});
    server.post(&a, "/v1/pools/p/wakes", wake).await.is(201);
    let head = server.head().await;
    server.get(&a, "/v1/pools/p/wakes/w").await.is(200);
    let hidden = server
        .get(&b, "/v1/pools/p/wakes/w")
        .await
        .refused(404, "wake-not-found");
    let absent = server.get(&b, "/v1/pools/p/wakes/none").await;
    assert_eq!(hidden, absent.refused(404, "wake-not-found"));
    let cancel = server
        .call(&b, "DELETE /v1/pools/p/wakes/w", Value::Null)
        .await;
    cancel.refused(404, "wake-not-found");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a52_an_older_generation_is_fenced_on_every_route(server: Server) {
    let (old, _) = server.with_pair().await;
    let new = server.join("a").await;
    assert_ne!(old, new);
    let head = server.head().await;
    for (line, body) in routes() {
        let reply = server.call(&old, line, body).await;
        assert_eq!(reply.status, 409, "{line}: {}", reply.text);
        reply.refused(409, "fenced");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
    server.get(&new, "/v1/pools/p").await.is(200);
}

async fn a52_an_equal_repeat_is_answered_to_any_generation(server: Server) {
    let (old, _) = server.with_pair().await;
    let sent = server.tell(&old, "b", "k").await.is(201);
    let mut wake = json!({"filter": "kind == \"run_failed\"", "idempotency_key": "w"});
    let registered = server
        .post(&old, "/v1/pools/p/wakes", wake.clone())
        .await
        .is(201);
    wake["wait_ms"] = json!(10_000);
    let new = server.join("a").await;
    for token in [&old, &new] {
        let again = server.tell(token, "b", "k").await.is(200);
        assert_eq!(again["cursor"], sent["cursor"]);
    }
    let again = server.post(&old, "/v1/pools/p/wakes", wake).await.is(200);
    assert_eq!(again["wake_id"], registered["wake_id"]);
    server
        .call(&new, "DELETE /v1/pools/p/members/a", Value::Null)
        .await
        .is(200);
    assert_eq!(
        server.tell(&old, "b", "k").await.is(200)["cursor"],
        sent["cursor"]
    );
    server
        .tell(&new, "b", "other")
        .await
        .refused(403, "not-a-member");
}

async fn a52_who_left_is_not_a_member(server: Server) {
    let (a, _) = server.with_pair().await;
    let left = server
        .call(&a, "DELETE /v1/pools/p/members/a", Value::Null)
        .await;
    let left = left.is(200);
    assert!(left["cursor"].is_string() && left["durability"].is_string());
    let head = server.head().await;
    for (line, body) in routes() {
        let reply = server.call(&a, line, body).await;
        assert_eq!(reply.status, 403, "{line}: {}", reply.text);
        reply.refused(403, "not-a-member");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a52_an_ended_run_cannot_act_or_join_again(server: Server) {
    let (a, _) = server.with_pair().await;
    let state = json!({"state": "completed", "note": "all done"});
    server
        .post(&a, "/v1/pools/p/members/a/state", state)
        .await
        .is(200);
    let head = server.head().await;
    for (line, body) in routes() {
        let reply = server.call(&a, line, body).await;
        assert_eq!(reply.status, 409, "{line}: {}", reply.text);
        assert_eq!(reply.refused(409, "run-ended")["state"], "completed");
    }
    let join = json!({"run_id": "a", "agent_id": "a"});
    let again = server.post(OPERATOR, "/v1/pools/p/members", join).await;
    assert_eq!(again.refused(409, "run-ended")["state"], "completed");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_run_that_ended_is_sent_to_without_silence(server: Server) {
    let (a, b) = server.with_pair().await;
    let state = json!({"state": "failed"});
    server
        .post(&b, "/v1/pools/p/members/b/state", state)
        .await
        .is(200);
    let receipt = server.tell(&a, "b", "k").await.is(201);
    assert_eq!(
        (&receipt["status"], &receipt["reason"]),
        (&json!("failed"), &json!("run_ended"))
    );
}

async fn every_answer_to_a_member_says_how_much_is_unread(server: Server) {
    let (a, b) = server.with_pair().await;
    let unread = |reply: &HttpReply| reply.headers["heronry-unread"].to_str().unwrap().to_owned();
    server.tell(&a, "b", "k1").await.is(201);
    server.tell(&a, "b", "k2").await.is(201);
    for (line, body) in [
        ("GET /v1/pools/p", Value::Null),
        ("GET /v1/pools/none", Value::Null),
        ("GET /v1/pools/p/messages/none", Value::Null),
        ("PUT /v1/pools/p", json!({})),
        ("POST /v1/pools/p/messages", json!({})),
    ] {
        assert_eq!(unread(&server.call(&b, line, body).await), "2", "{line}");
    }
    let taken = server
        .post(&b, "/v1/pools/p/members/b/inbox/receive", json!({}))
        .await;
    assert_eq!(
        (unread(&taken), &taken.is(200)["unread"]),
        ("1".to_owned(), &json!(1))
    );
    let operator = server.get(OPERATOR, "/v1/pools/p").await;
    assert!(!operator.headers.contains_key("heronry-unread"));
}

async fn an_operator_acts_for_the_run_that_it_names(server: Server) {
    server.with_pair().await;
    let mut send = json!({"to": to_run("b"), "body": "x", "idempotency_key": "k"});
    let nameless = server
        .post(OPERATOR, "/v1/pools/p/messages", send.clone())
        .await;
    assert_eq!(nameless.refused(400, "invalid-request")["field"], "from");
    send["from"] = json!("a");
    let receipt = server
        .post(OPERATOR, "/v1/pools/p/messages", send)
        .await
        .is(201);
    assert_eq!(receipt["from"], "a");
    let message = format!(
        "/v1/pools/p/messages/{}",
        receipt["message_id"].as_str().unwrap()
    );
    server
        .get(OPERATOR, &format!("{message}?from=a"))
        .await
        .is(200);
    server
        .get(OPERATOR, &format!("{message}?from=b"))
        .await
        .refused(404, "message-not-found");
    let taken = server
        .post(OPERATOR, "/v1/pools/p/members/b/inbox/receive", json!({}))
        .await;
    assert_eq!(taken.is(200)["items"][0]["from"], "a");
    for run in ["a", "b"] {
        let wake = json!({
            "wake_id": "w", "run_id": run, "filter": "kind == \"run_failed\"", "idempotency_key": "w"
        });
        server
            .post(OPERATOR, "/v1/pools/p/wakes", wake)
            .await
            .is(201);
    }
    server
        .get(OPERATOR, "/v1/pools/p/wakes/w")
        .await
        .refused(409, "ambiguous");
    let cancel = server
        .call(OPERATOR, "DELETE /v1/pools/p/wakes/w", Value::Null)
        .await;
    cancel.refused(409, "ambiguous");
    let named = server
        .get(OPERATOR, "/v1/pools/p/wakes/w?run=b")
        .await
        .is(200);
    assert_eq!(named["run_id"], "b");
}

async fn joining_again_is_the_same_or_a_takeover(server: Server) {
    server.open(json!({})).await;
    let join = |instance: &str| json!({"run_id": "a", "agent_id": "x", "topics": ["t"], "instance": instance});
    let path = "/v1/pools/p/members";
    let first = server.post(OPERATOR, path, join("one")).await.is(201);
    let again = server.post(OPERATOR, path, join("one")).await.is(200);
    assert_eq!(first, again, "the same instance gets the same answer");
    let other = server.post(OPERATOR, path, join("two")).await.is(201);
    assert!(other["generation"].as_u64() > first["generation"].as_u64());
    assert_ne!(other["member_token"], first["member_token"]);
    let members = server.get(OPERATOR, path).await.is(200);
    assert_eq!(members["members"][0]["generation"], other["generation"]);
    assert_eq!(members["members"][0]["topics"], json!(["t"]));
    let body = json!({"run_id": "a", "agent_id": "y"});
    let conflict = server
        .post(OPERATOR, path, body)
        .await
        .refused(409, "member-conflict");
    assert_eq!(conflict["field"], "agent_id");
}

async fn a_host_or_origin_that_is_foreign_is_refused_everywhere(server: Server) {
    let all = routes().into_iter().chain(operator_routes());
    let open = [
        "GET /healthz",
        "GET /openapi.json",
        "GET /v1/version",
        "GET /no/such/path",
    ];
    let all = all.chain(open.into_iter().map(|line| (line, Value::Null)));
    for (line, body) in all {
        let mut foreign = request(OPERATOR, line, &body);
        let host = "evil.example:7171".parse().unwrap();
        foreign.headers_mut().insert(header::HOST, host);
        server.send(foreign).await.refused(421, "host-not-allowed");
        let mut foreign = request(OPERATOR, line, &body);
        let origin = "http://evil.example".parse().unwrap();
        foreign.headers_mut().insert(header::ORIGIN, origin);
        let reply = server.send(foreign).await;
        reply.refused(403, "origin-not-allowed");
        assert!(
            !reply
                .headers
                .contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
            "CORS is off"
        );
    }
}

async fn a_path_that_is_not_utf_8_is_a_problem_to_those_with_a_token(server: Server) {
    let (a, _) = server.with_pair().await;
    for (line, field) in [
        ("GET /v1/pools/a%ff", "path"),
        ("GET /v1/pools/p/messages/a%ff", "path"),
        ("GET /v1/pools/p/messages/a%zz", "path"),
        ("GET /v1/pools/p/messages/a%2", "path"),
        ("PUT /v1/pools/a%zz", "path"),
        ("GET /v1/pools/p/events?filter=%zz", "query"),
        ("GET /v1/pools/p/events?filter=%ff", "query"),
        ("GET /v1/pools/p?a=%", "query"),
    ] {
        let nobody = server.call("", line, Value::Null).await;
        nobody.refused(401, "unauthorized");
        for token in [OPERATOR, &a] {
            let reply = server.call(token, line, Value::Null).await;
            assert_eq!(
                reply.refused(400, "invalid-request")["field"],
                field,
                "{line}"
            );
        }
    }
}

async fn open_routes_need_no_token(server: Server) {
    for path in ["/healthz", "/readyz", "/openapi.json", "/v1/version"] {
        assert_eq!(server.get("", path).await.status, 200, "{path}");
    }
    let version = server.get("", "/v1/version").await.is(200);
    assert_eq!(
        (&version["name"], &version["api"]),
        (&json!("heronry"), &json!("v1"))
    );
    server
        .get("", "/metrics")
        .await
        .refused(401, "unauthorized");
    server.open(json!({})).await;
    let metrics = server.get(OPERATOR, "/metrics").await;
    assert!(
        metrics.text.contains("heronry_pool_head{pool=\"p\"} 1"),
        "{}",
        metrics.text
    );
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/v1/pools")
        .header(header::HOST, "127.0.0.1:7171")
        .body(Body::empty())
        .unwrap();
    server
        .send(preflight)
        .await
        .refused(405, "method-not-allowed");
}
