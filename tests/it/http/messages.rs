//! Sending, receipts, contents.

use axum::{
    body::Body,
    http::{Request, header},
};
use heronry_tests::canary::said;
use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{HttpReply, OPERATOR, Server, on_every_store, request, to_run};

on_every_store! {
    a_message_is_sent_and_its_receipt_shows_where_it_stands
    a_repeat_gets_the_first_receipt_and_another_request_a_conflict
    the_key_may_stand_in_the_header_or_the_field
    a_message_may_carry_text_bytes_or_a_stored_body
    a_message_without_a_body_is_refused_before_anything_is_sent
    a_message_carries_one_body_and_one_expiry
    a_media_type_that_no_header_can_carry_is_refused
    a_stored_body_is_for_its_sender_and_recipients
    a_body_over_its_limit_is_too_large
    m6_what_cannot_be_addressed_fails_in_its_receipt
    policies_that_are_missing_are_named
    a_full_inbox_says_when_to_try_again
    a_traceparent_is_taken_into_the_lineage
    a_body_that_is_stored_under_a_key_has_one_reference
    a28_a_message_is_cancelled_by_its_sender_or_an_operator_and_by_nobody_else
    m9_a_message_says_how_it_is_handed_over
    a24_a_broadcast_passes_over_a_full_inbox_and_says_so
}

const MESSAGES: &str = "/v1/pools/p/messages";

async fn a_message_is_sent_and_its_receipt_shows_where_it_stands(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    assert_eq!(
        (&sent["from"], &sent["status"]),
        (&json!("a"), &json!("delivered"))
    );
    assert_eq!(
        sent["recipients"],
        json!([{"run_id": "b", "state": "queued", "attempt": 0}])
    );
    assert!(sent["durability"].is_string() && sent["as_of"].is_string());
    let taken = server
        .post(&b, "/v1/pools/p/members/b/inbox/receive", json!({}))
        .await
        .is(200);
    let ack = json!({"claims": [taken["items"][0]["claim"]], "outcome": "rejected", "note": "no"});
    server
        .post(&b, "/v1/pools/p/members/b/inbox/ack", ack)
        .await
        .is(200);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    let receipt = server.get(&a, &path).await.is(200);
    assert_eq!(
        receipt["cursor"], sent["cursor"],
        "the cursor is the acceptance for good"
    );
    assert_eq!(receipt["status"], "settled");
    let copy = json!({"run_id": "b", "state": "acked", "attempt": 1, "outcome": "rejected"});
    assert_eq!(receipt["recipients"], json!([copy]));
    let timeline = receipt["timeline"].as_array().unwrap();
    let states: Vec<&Value> = timeline.iter().map(|entry| &entry["state"]).collect();
    assert_eq!(
        states,
        ["accepted", "delivered", "claimed", "acked", "settled"]
    );
}

async fn a_repeat_gets_the_first_receipt_and_another_request_a_conflict(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let head = server.head().await;
    assert_eq!(server.tell(&a, "b", "k").await.is(200), sent);
    let other = json!({"to": to_run("b"), "body": "other", "idempotency_key": "k"});
    let conflict = server
        .post(&a, MESSAGES, other)
        .await
        .refused(409, "idempotency-conflict");
    assert_eq!(conflict["first_cursor"], sent["cursor"]);
    let reused = json!({
        "to": to_run("b"), "body": "k", "idempotency_key": "k2", "message_id": sent["message_id"]
    });
    let conflict = server
        .post(&a, MESSAGES, reused)
        .await
        .refused(409, "idempotency-conflict");
    assert_eq!(conflict["field"], "message_id");
    assert_eq!(conflict["first_cursor"], sent["cursor"]);
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn the_key_may_stand_in_the_header_or_the_field(server: Server) {
    let (a, _) = server.with_pair().await;
    let keyed = |header: &str, body: &Value| {
        let mut request = request(&a, &format!("POST {MESSAGES}"), body);
        request
            .headers_mut()
            .insert("idempotency-key", header.parse().unwrap());
        request
    };
    let bare = json!({"to": to_run("b"), "body": "x"});
    let missing = server.post(&a, MESSAGES, bare.clone()).await;
    assert_eq!(
        missing.refused(400, "invalid-request")["field"],
        "idempotency_key"
    );
    let sent = server.send(keyed("k", &bare)).await.is(201);
    let mut field = bare.clone();
    field["idempotency_key"] = json!("k");
    assert_eq!(server.post(&a, MESSAGES, field.clone()).await.is(200), sent);
    assert_eq!(server.send(keyed("k", &field)).await.is(200), sent);
    let both = server.send(keyed("other", &field)).await;
    assert_eq!(
        both.refused(400, "invalid-request")["field"],
        "idempotency_key"
    );
}

/// Claims the next copy with its body.
async fn take(server: &Server, token: &str, run: &str) -> Value {
    let body = json!({"bodies": true});
    let path = format!("/v1/pools/p/members/{run}/inbox/receive");
    server.post(token, &path, body).await.is(200)["items"][0].clone()
}

/// A message from `a` to `b` with these fields, under a key made of them.
fn message(fields: &Value) -> Value {
    let mut message = json!({"to": to_run("b"), "idempotency_key": fields.to_string()});
    message
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    message
}

async fn put(server: &Server, token: &str, media_type: &str, bytes: &'static [u8]) -> HttpReply {
    put_under(server, (token, "", None), media_type, bytes).await
}

/// Stores a body: with a token, a query and an idempotency key in the header.
async fn put_under(
    server: &Server,
    (token, query, key): (&str, &str, Option<&str>),
    media_type: &str,
    bytes: &'static [u8],
) -> HttpReply {
    let mut request = Request::builder()
        .method("PUT")
        .uri(format!("/v1/pools/p/contents{query}"))
        .header(header::HOST, "127.0.0.1:7171")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, media_type);
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    server.send(request.body(Body::from(bytes)).unwrap()).await
}

async fn a_body_that_is_stored_under_a_key_has_one_reference(server: Server) {
    let (a, b) = server.with_pair().await;
    let stored = put_under(&server, (&a, "", Some("k")), "x/y", b"1")
        .await
        .is(201);
    let name = &stored["content_ref"];
    // Header or query, by the run or by an operator for it, before and after a message refers to it.
    let other = "?idempotency_key=k&run=a";
    for at in [
        (a.as_str(), "", Some("k")),
        (&a, "?idempotency_key=k", None),
        (&a, other, Some("k")),
        (OPERATOR, other, None),
    ] {
        let again = put_under(&server, at, "x/y", b"1").await.is(200);
        assert_eq!(&again["content_ref"], name, "{at:?}");
    }
    let sent = message(&json!({"content_ref": name, "idempotency_key": "k"}));
    let sent = server.post(&a, MESSAGES, sent).await.is(201);
    assert_eq!(&sent["content_ref"], name);
    let again = put_under(&server, (&a, "", Some("k")), "x/y", b"1").await;
    assert_eq!(&again.is(200)["content_ref"], name);
    // Another body or media type under the key, or two keys, is refused, and changes nothing.
    for (media_type, bytes) in [("x/y", b"2".as_slice()), ("x/z", b"1")] {
        let refused = put_under(&server, (&a, "", Some("k")), media_type, bytes).await;
        let refused = refused.refused(409, "idempotency-conflict");
        assert_eq!(refused["field"], "idempotency_key");
    }
    let path = format!("/v1/pools/p/contents/{}", name.as_str().unwrap());
    assert_eq!(server.get(&a, &path).await.text, "1");
    let two = put_under(&server, (&a, "?idempotency_key=l", Some("k")), "x/y", b"1").await;
    assert_eq!(
        two.refused(400, "invalid-request")["field"],
        "idempotency_key"
    );
    put_under(&server, (&b, other, None), "x/y", b"1")
        .await
        .refused(403, "sender-mismatch");
    // Keys of others, and no key at all, mint others.
    let mut names = vec![name.clone()];
    for at in [
        (b.as_str(), "", Some("k")),
        (&a, "", Some("l")),
        (OPERATOR, "", Some("k")),
        (&a, "", None),
        (&a, "", None),
    ] {
        let other = put_under(&server, at, "x/y", b"1").await.is(201);
        assert!(!names.contains(&other["content_ref"]), "{at:?}");
        names.push(other["content_ref"].clone());
    }
    // The body of a message under the same key is not this one.
    let inline = json!({"to": to_run("b"), "idempotency_key": "l", "body": "1"});
    let inline = server.post(&a, MESSAGES, inline).await.is(201);
    assert!(!names.contains(&inline["content_ref"]));
}

async fn a_message_may_carry_text_bytes_or_a_stored_body(server: Server) {
    let (a, b) = server.with_pair().await;
    let send = |body: Value| server.post(&a, MESSAGES, message(&body));
    send(json!({"body": "grüß"})).await.is(201);
    let item = take(&server, &b, "b").await;
    assert_eq!(
        (&item["body"], &item["body_base64"]),
        (&json!("grüß"), &Value::Null)
    );
    assert_eq!(item["media_type"], "text/plain; charset=utf-8");

    send(json!({"body_base64": "AP8=", "media_type": "image/x"}))
        .await
        .is(201);
    let item = take(&server, &b, "b").await;
    assert_eq!(
        (&item["body_base64"], &item["media_type"]),
        (&json!("AP8="), &json!("image/x"))
    );

    let stored = put(&server, &a, "application/json", b"{}").await.is(201);
    assert_eq!(
        (&stored["size_bytes"], &stored["media_type"]),
        (&json!(2), &json!("application/json"))
    );
    assert!(stored["cursor"].is_string() && stored["durability"].is_string());
    send(json!({"content_ref": stored["content_ref"]}))
        .await
        .is(201);
    let item = take(&server, &b, "b").await;
    assert_eq!(
        (&item["content_ref"], &item["body"]),
        (&stored["content_ref"], &json!("{}"))
    );

    let named = json!({"content_ref": stored["content_ref"], "media_type": "text/x-other"});
    send(named).await.is(201);
    let item = take(&server, &b, "b").await;
    assert_eq!(
        (&item["media_type"], &item["body"]),
        (&json!("text/x-other"), &json!("{}"))
    );

    send(json!({"body": ""})).await.is(201);
    assert_eq!(take(&server, &b, "b").await["body"], "");
}

async fn a_message_without_a_body_is_refused_before_anything_is_sent(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    for fields in [json!({}), json!({"media_type": "text/plain"})] {
        let refused = server.post(&a, MESSAGES, message(&fields)).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], "body");
        let fields = json!(["body", "body_base64", "content_ref"]);
        assert_eq!(refused["fields"], fields);
        let detail = refused["detail"].as_str().unwrap();
        for field in fields.as_array().unwrap() {
            assert!(detail.contains(field.as_str().unwrap()), "{detail}");
        }
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_message_carries_one_body_and_one_expiry(server: Server) {
    let (a, _) = server.with_pair().await;
    let send = |body: Value| server.post(&a, MESSAGES, message(&body));
    let stored = put(&server, &a, "x/y", b"{}").await.is(201);
    let nothing = format!("content:{}", "0".repeat(32));
    let missing = send(json!({"content_ref": nothing})).await;
    assert_eq!(
        missing.refused(409, "content-missing")["field"],
        "content_ref"
    );
    for (body, field) in [
        (json!({"body": "x", "body_base64": "AA=="}), "body_base64"),
        (
            json!({"body": "x", "content_ref": stored["content_ref"]}),
            "content_ref",
        ),
        (json!({"content_ref": "content:1"}), "content_ref"),
        (
            json!({"expires_at": "2027-01-01T00:00:00Z", "expires_in_ms": 5}),
            "expires_in_ms",
        ),
    ] {
        let refused = send(body).await.refused(400, "invalid-request");
        assert_eq!(refused["field"], field);
    }
}

async fn a_media_type_that_no_header_can_carry_is_refused(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let long = format!("text/{}", "x".repeat(251));
    for media_type in [
        "",
        "text\nplain",
        "text",
        "text/",
        "/plain",
        " a/b",
        "a/b ",
        "é/b",
        &long,
    ] {
        let fields = json!({"body": "x", "media_type": media_type});
        let reply = server.post(&a, MESSAGES, message(&fields)).await;
        assert_eq!(reply.refused(400, "invalid-request")["field"], "media_type");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_stored_body_is_for_its_sender_and_recipients(server: Server) {
    let (a, b) = server.with_pair().await;
    let c = server.join("c").await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    let path = format!(
        "/v1/pools/p/contents/{}",
        sent["content_ref"].as_str().unwrap()
    );
    for token in [&a, &b, OPERATOR] {
        let body = server.get(token, &path).await;
        assert_eq!((body.status.as_u16(), body.text), (200, said("secret")));
        assert_eq!(
            body.headers[header::CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
        assert_eq!(body.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
    let hidden = server.get(&c, &path).await.refused(404, "content-missing");
    let nothing = format!("/v1/pools/p/contents/content:{}", "0".repeat(32));
    assert_eq!(
        hidden,
        server
            .get(&c, &nothing)
            .await
            .refused(404, "content-missing")
    );
    server
        .get(OPERATOR, &nothing)
        .await
        .refused(404, "content-missing");
    let malformed = server.get(&c, "/v1/pools/p/contents/secret").await;
    assert_eq!(malformed.refused(400, "invalid-request")["field"], "ref");
}

async fn a_body_over_its_limit_is_too_large(server: Server) {
    let limits = json!({"limits": {"body_inline_bytes_max": 4, "content_bytes_max": 6}});
    server.open(limits).await;
    let a = server.join("a").await;
    let send = |key: &str, body: &str| {
        let message = json!({"to": to_run("a"), "idempotency_key": key, "body": body});
        server.post(&a, MESSAGES, message)
    };
    send("1", "123").await.is(201);
    send("2", "1234").await.is(201);
    let refused = send("3", "12345").await.refused(413, "too-large");
    assert_eq!(
        (&refused["limit"], &refused["max"]),
        (&json!("body_inline_bytes_max"), &json!(4))
    );
    put(&server, &a, "x/y", b"12345").await.is(201);
    put(&server, &a, "x/y", b"123456").await.is(201);
    let refused = put(&server, &a, "x/y", b"1234567")
        .await
        .refused(413, "too-large");
    assert_eq!(refused["max"], 6);
    let huge = json!({"to": to_run("a"), "idempotency_key": "4", "body": "x".repeat(3 << 20)});
    server
        .post(&a, MESSAGES, huge)
        .await
        .refused(413, "too-large");
}

async fn m6_what_cannot_be_addressed_fails_in_its_receipt(server: Server) {
    let (a, _) = server.with_pair().await;
    for (key, to, reason) in [
        ("1", to_run("nobody"), "no_such_member"),
        (
            "2",
            json!({"type": "agent", "agent_id": "nobody"}),
            "no_recipient",
        ),
        (
            "3",
            json!({"type": "topic", "topic_id": "none"}),
            "no_recipient",
        ),
        (
            "4",
            json!({"type": "pool", "pool_id": "other"}),
            "foreign_pool",
        ),
    ] {
        let message = json!({"to": to, "body": "x", "idempotency_key": key});
        let receipt = server.post(&a, MESSAGES, message).await.is(201);
        assert_eq!(receipt["status"], "failed", "{receipt}");
        assert_eq!(receipt["reason"], reason, "{receipt}");
    }
    let pool = json!({"to": {"type": "pool", "pool_id": "p"}, "body": "x", "idempotency_key": "5"});
    let receipt = server.post(&a, MESSAGES, pool).await.is(201);
    assert_eq!(
        receipt["recipients"].as_array().unwrap().len(),
        1,
        "the sender is left out"
    );
    assert_eq!(receipt["recipients"][0]["run_id"], "b");
}

async fn policies_that_are_missing_are_named(server: Server) {
    let policy = json!({"kind": "privacy", "id": "pii"});
    server
        .open(json!({"message_policy": {"required_policies": [policy]}}))
        .await;
    let a = server.join("a").await;
    let head = server.head().await;
    let bare = json!({"to": to_run("a"), "body": "x", "idempotency_key": "k"});
    let refused = server.post(&a, MESSAGES, bare).await.refused(403, "policy");
    assert_eq!(refused["policy"], policy);
    let carried =
        json!({"to": to_run("a"), "body": "x", "idempotency_key": "k", "policies": [policy]});
    let refused = server
        .post(&a, MESSAGES, carried)
        .await
        .refused(403, "policy");
    assert_eq!(refused["policy"], policy, "the sender does not hold it");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_full_inbox_says_when_to_try_again(server: Server) {
    server.open(json!({"limits": {"inbox_depth_max": 2}})).await;
    let (a, b) = (server.join("a").await, server.join("b").await);
    server.tell(&a, "b", "1").await.is(201);
    server.tell(&b, "b", "2").await.is(201);
    let head = server.head().await;
    let full = server.tell(&a, "b", "3").await;
    let problem = full.refused(429, "inbox-full");
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0);
    assert_eq!(full.headers[header::RETRY_AFTER], "1");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_traceparent_is_taken_into_the_lineage(server: Server) {
    let (a, _) = server.with_pair().await;
    let body = json!({"to": to_run("b"), "body": "x", "idempotency_key": "k"});
    let mut request = request(&a, &format!("POST {MESSAGES}"), &body);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request
        .headers_mut()
        .insert("traceparent", trace.parse().unwrap());
    server.send(request).await.is(201);
    let filter = "kind%20%3D%3D%20%22run_message_accepted%22";
    let page = server
        .get(OPERATOR, &format!("/v1/pools/p/events?filter={filter}"))
        .await
        .is(200);
    assert!(
        page["events"][0]
            .to_string()
            .contains("0af7651916cd43dd8448eb211c80319c"),
        "{page}"
    );
}

async fn a28_a_message_is_cancelled_by_its_sender_or_an_operator_and_by_nobody_else(
    server: Server,
) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = |id: &Value| format!("/v1/pools/p/messages/{}/cancel", id.as_str().unwrap());
    let cancel = path(&sent["message_id"]);
    let head = server.head().await;
    let by_b = server.post(&b, &cancel, Value::Null).await;
    by_b.refused(404, "message-not-found");
    let for_a = server.post(&b, &cancel, json!({"from": "a"})).await;
    for_a.refused(403, "sender-mismatch");
    let unnamed = server.post(OPERATOR, &cancel, json!({})).await;
    assert_eq!(unnamed.refused(400, "invalid-request")["field"], "from");
    assert_eq!(server.head().await, head, "nothing is journaled");

    let cancelled = server.post(&a, &cancel, Value::Null).await.is(200);
    assert_eq!(
        (&cancelled["status"], &cancelled["recipients"][0]["state"]),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert_eq!(cancelled["cursor"], sent["cursor"]);
    assert!(cancelled["durability"].is_string());
    let head = server.head().await;
    let again = server.post(OPERATOR, &cancel, json!({"from": "a"})).await;
    assert_eq!(again.is(200), cancelled, "it stays as it ended");
    assert_eq!(server.head().await, head, "nothing is journaled");
    let inbox = "/v1/pools/p/members/b/inbox/receive";
    let received = server.post(&b, inbox, json!({})).await.is(200);
    assert_eq!(received["items"], json!([]));
}

async fn m9_a_message_says_how_it_is_handed_over(server: Server) {
    let (a, b) = server.with_pair().await;
    let send = async |key: &str, field: &str, value: Value| {
        let mut body =
            json!({"to": to_run("b"), "body": "x", "idempotency_key": key, "message_id": key});
        body[field] = value;
        server.post(&a, MESSAGES, body).await
    };
    send("usual", "importance", json!("queue")).await.is(201);
    send("late", "deliver_after_ms", json!(5_000)).await.is(201);
    send("first", "ordered", json!(true)).await.is(201);
    send("second", "ordered", json!(true)).await.is(201);
    let urgent = send("urgent", "importance", json!("interrupt")).await;
    urgent.is(201);
    let inbox = "/v1/pools/p/members/b/inbox";
    let receive = async |count: u64| {
        let body = json!({"max": count});
        let path = format!("{inbox}/receive");
        let page = server.post(&b, &path, body).await.is(200);
        page["items"].as_array().unwrap().clone()
    };
    let ids = |items: &[Value]| -> Vec<String> {
        let ids = items.iter().map(|item| item["message_id"].as_str());
        ids.map(|id| id.unwrap().to_owned()).collect()
    };
    let items = receive(10).await;
    assert_eq!(ids(&items), ["urgent", "usual", "first"]);
    assert_eq!(items[0]["importance"], "interrupt");
    let release = json!({"claims": [items[2]["claim"]], "delay_ms": 60_001});
    let release = server.post(&b, &format!("{inbox}/release"), release).await;
    let problem = release.refused(400, "limit-exceeded");
    assert_eq!(
        (&problem["field"], &problem["max"]),
        (&json!("delay_ms"), &json!(60_000))
    );
    server.clock.advance(Millis(5_000));
    let ack = json!({"claims": [items[2]["claim"]]});
    let acked = server.post(&b, &format!("{inbox}/ack"), ack).await;
    acked.is(200);
    assert_eq!(ids(&receive(10).await), ["second", "late"]);
    for (field, value) in [
        ("importance", json!("soon")),
        ("deliver_after_ms", json!(-1)),
        ("ordered", json!("yes")),
        ("on_full", json!("wait")),
    ] {
        let refused = send("k", field, value).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], field);
    }
}

async fn a24_a_broadcast_passes_over_a_full_inbox_and_says_so(server: Server) {
    server.open(json!({"limits": {"inbox_depth_max": 2}})).await;
    let (a, b) = (server.join("a").await, server.join("b").await);
    let c = server.join("c").await;
    server.tell(&a, "b", "1").await.is(201);
    server.tell(&c, "b", "2").await.is(201);
    let to = json!({"type": "pool", "pool_id": "p"});
    let mut body = json!({"to": to, "body": "x", "idempotency_key": "k", "on_full": "refuse"});
    let refused = server.post(&a, MESSAGES, body.clone()).await;
    refused.refused(429, "inbox-full");
    body["on_full"] = json!("skip");
    let sent = server.post(&a, MESSAGES, body).await.is(201);
    assert_eq!(sent["status"], "delivered");
    let of = |index: usize| sent["recipients"][index].clone();
    assert_eq!(
        of(0),
        json!({"run_id": "b", "state": "undeliverable", "why": "inbox_full", "attempt": 0})
    );
    assert_eq!(of(1)["state"], "queued");
    let inbox = "/v1/pools/p/members/b/inbox/receive";
    let received = server.post(&b, inbox, json!({"max": 9})).await.is(200);
    assert_eq!(received["items"].as_array().unwrap().len(), 2);
}
