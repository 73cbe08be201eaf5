//! Bodies by themselves: media types, bytes, limits, and erasing them.

use axum::{
    body::Body,
    http::{Request, header},
};
use heronry_pool::Minter;
use heronry_store::FencingToken;
use heronry_tests::canary::said;
use heronry_types::{Body as StoredBody, IdempotencyKey};
use serde_json::{Value, json};

use heronry_tests::server::{HttpReply, OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    a_media_type_and_every_byte_are_given_back_as_they_were
    a_body_may_be_as_large_as_its_limit
    a_body_is_erased_and_what_is_left_is_said_again_and_again
    an_erased_body_is_gone_for_who_could_read_it_and_was_never_there_for_others
    a_body_is_erased_by_its_sender_who_stored_it_and_an_operator
    a_repeat_after_an_erasure_is_answered_and_brings_nothing_back
    a_body_that_an_earlier_build_stored_under_a_key_is_found_by_a_repeat
    an_inbox_shows_the_copy_of_a_message_whose_body_was_erased
    what_a_member_has_stored_and_no_message_names_is_bounded_and_expires
    m2_an_equal_repeat_is_answered_to_a_run_that_may_store_nothing_any_more
}

const MESSAGES: &str = "/v1/pools/p/messages";

fn put_request(token: &str, (media_type, key): (&str, &str), bytes: Vec<u8>) -> Request<Body> {
    Request::builder()
        .method("PUT")
        .uri("/v1/pools/p/contents")
        .header(header::HOST, "127.0.0.1:7171")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, media_type)
        .header("idempotency-key", key)
        .body(Body::from(bytes))
        .unwrap()
}

async fn put(server: &Server, token: &str, named: (&str, &str), bytes: &[u8]) -> HttpReply {
    server.send(put_request(token, named, bytes.to_vec())).await
}

fn path_of(named: &Value) -> String {
    let content_ref = named["content_ref"].as_str().unwrap();
    format!("/v1/pools/p/contents/{content_ref}")
}

async fn erase(server: &Server, token: &str, path: &str) -> HttpReply {
    let line = format!("DELETE {path}");
    server.call(token, &line, Value::Null).await
}

/// Sends `b` a stored body by its reference.
async fn send(server: &Server, token: &str, content_ref: &Value, key: &str) -> HttpReply {
    let message = json!({
        "to": to_run("b"), "content_ref": content_ref, "idempotency_key": key
    });
    server.post(token, MESSAGES, message).await
}

async fn a_media_type_and_every_byte_are_given_back_as_they_were(server: Server) {
    let (a, b) = server.with_pair().await;
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let longest = format!("x/{}", "y".repeat(253));
    for (number, media_type) in [
        "image/png",
        "Application/JSON; Charset=\"UTF-8\"",
        "application/vnd.heronry+json;v=1;  q=\"a, b\"",
        &longest,
    ]
    .iter()
    .enumerate()
    {
        let key = format!("k{number}");
        let stored = put(&server, &a, (media_type, &key), &every_byte)
            .await
            .is(201);
        assert_eq!(stored["media_type"], *media_type);
        assert_eq!(stored["size_bytes"], 256);
        send(&server, &a, &stored["content_ref"], &key)
            .await
            .is(201);
        let fetched = server.get(&b, &path_of(&stored)).await;
        assert_eq!(fetched.status.as_u16(), 200);
        assert_eq!(fetched.headers[header::CONTENT_TYPE], *media_type);
        assert_eq!(fetched.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(fetched.headers[header::CONTENT_DISPOSITION], "attachment");
        assert_eq!(fetched.bytes, every_byte);
    }
    let too_long = format!("{longest}y");
    for media_type in ["text", "text/", "/plain", "a b/c", "; q=1", &too_long] {
        let refused = put(&server, &a, (media_type, "k"), b"x").await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], "content-type", "{media_type}");
    }
}

async fn m2_an_equal_repeat_is_answered_to_a_run_that_may_store_nothing_any_more(server: Server) {
    let (old, ended) = server.with_pair().await;
    let left = server.join("c").await;
    let text = ("text/plain", "k");
    let mut stored = Vec::new();
    for token in [&old, &ended, &left] {
        stored.push(put(&server, token, text, b"mine").await.is(201));
    }
    server.join("a").await;
    let state = json!({"state": "completed"});
    let path = "/v1/pools/p/members/b/state";
    server.post(&ended, path, state).await.is(200);
    let leave = "DELETE /v1/pools/p/members/c";
    server.call(&left, leave, Value::Null).await.is(200);
    let head = server.head().await;
    let refusals = [(409, "fenced"), (409, "run-ended"), (403, "not-a-member")];
    for ((token, stored), (status, slug)) in
        [&old, &ended, &left].into_iter().zip(&stored).zip(refusals)
    {
        let again = put(&server, token, text, b"mine").await.is(200);
        assert_eq!(again["content_ref"], stored["content_ref"], "{slug}");
        let other = put(&server, token, text, b"other").await;
        other.refused(409, "idempotency-conflict");
        let fresh = put(&server, token, ("text/plain", "fresh"), b"mine").await;
        fresh.refused(status, slug);
        let mut keyless = put_request(token, text, b"mine".to_vec());
        keyless.headers_mut().remove("idempotency-key");
        server.send(keyless).await.refused(status, slug);
        // Nobody repeats what another run stored.
        let mut foreign = put_request(token, text, b"mine".to_vec());
        *foreign.uri_mut() = "/v1/pools/p/contents?run=nobody".parse().unwrap();
        let foreign = server.send(foreign).await;
        foreign.refused(403, "sender-mismatch");
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_body_may_be_as_large_as_its_limit(server: Server) {
    let max = 300_000_u64;
    server
        .open(json!({"limits": {"content_bytes_max": max}}))
        .await;
    let a = server.join("a").await;
    let b = server.join("b").await;
    // Larger than a fragment, an inline body and a page of a database.
    for bytes in [max - 1, max, max + 1] {
        let body: Vec<u8> = (0..bytes).map(|n| (n % 251) as u8).collect();
        let key = format!("k{bytes}");
        let stored = put(&server, &a, ("x/y", &key), &body).await;
        if bytes > max {
            let refused = stored.refused(413, "too-large");
            assert_eq!(refused["limit"], "content_bytes_max");
            assert_eq!(refused["max"], max);
            continue;
        }
        let stored = stored.is(201);
        send(&server, &a, &stored["content_ref"], &key)
            .await
            .is(201);
        let fetched = server.get(&b, &path_of(&stored)).await;
        assert!(fetched.bytes == body, "{bytes} bytes");
    }
    // A body in the message itself has a limit of its own: 256 KiB when nothing else is said.
    for bytes in [(256 << 10) - 1, 256 << 10, (256 << 10) + 1] {
        let body = "x".repeat(bytes);
        let message = json!({
            "to": to_run("b"), "body": body, "idempotency_key": format!("inline-{bytes}")
        });
        let sent = server.post(&a, MESSAGES, message).await;
        if bytes > 256 << 10 {
            let refused = sent.refused(413, "too-large");
            assert_eq!(refused["limit"], "body_inline_bytes_max");
            assert_eq!(refused["actual"], bytes);
            continue;
        }
        let fetched = server.get(&b, &path_of(&sent.is(201))).await;
        assert!(fetched.text == body, "{bytes} bytes");
    }
}

async fn a_body_is_erased_and_what_is_left_is_said_again_and_again(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    let path = path_of(&sent);
    let left = erase(&server, &a, &path).await.is(200);
    assert_eq!(left["content_ref"], sent["content_ref"]);
    assert_eq!(left["size_bytes"], said("secret").len());
    assert_eq!(left["media_type"], "text/plain; charset=utf-8");
    let body = heronry_types::Body::text(said("secret"));
    let digest = heronry_store::StoredContent::of(body).digest;
    assert_eq!(left["digest"], digest.to_string());
    let head = server.head().await;
    for token in [&a, OPERATOR] {
        assert_eq!(erase(&server, token, &path).await.is(200), left);
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
    let events = "/v1/pools/p/events?filter=kind%20%3D%3D%20%22content_erased%22";
    let page = server.get(&a, events).await.is(200);
    let event = &page["events"][0];
    assert_eq!(event["subject"]["kind"], "content");
    assert_eq!(event["subject"]["id"], sent["content_ref"]);
    assert_eq!(event["message"], sent["message_id"]);
    assert_eq!(event["run"], "a");
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
}

async fn an_erased_body_is_gone_for_who_could_read_it_and_was_never_there_for_others(
    server: Server,
) {
    let (a, b) = server.with_pair().await;
    let c = server.join("c").await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    let path = path_of(&sent);
    let before = server.get(&c, &path).await.refused(404, "content-missing");
    let left = erase(&server, &a, &path).await.is(200);
    for token in [&a, &b, OPERATOR] {
        let gone = server
            .get(token, &path)
            .await
            .refused(410, "content-erased");
        assert_eq!(gone["erased_at"], left["erased_at"]);
    }
    let after = server.get(&c, &path).await.refused(404, "content-missing");
    assert_eq!(before, after);
}

async fn a_body_is_erased_by_its_sender_who_stored_it_and_an_operator(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    let stored = put(&server, &a, ("x/y", "k"), b"1").await.is(201);
    let nothing = format!("/v1/pools/p/contents/content:{}", "0".repeat(32));
    let missing = erase(&server, &b, &nothing).await;
    let missing = missing.refused(404, "content-missing");
    let head = server.head().await;
    for path in [path_of(&sent), path_of(&stored)] {
        let refused = erase(&server, &b, &path).await;
        assert_eq!(refused.refused(404, "content-missing"), missing);
    }
    let malformed = erase(&server, &a, "/v1/pools/p/contents/secret").await;
    assert_eq!(malformed.refused(400, "invalid-request")["field"], "ref");
    assert_eq!(server.head().await, head, "nothing is journaled");
    erase(&server, &a, &path_of(&stored)).await.is(200);
    erase(&server, OPERATOR, &path_of(&sent)).await.is(200);
}

async fn a_repeat_after_an_erasure_is_answered_and_brings_nothing_back(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    erase(&server, &a, &path_of(&sent)).await.is(200);
    let again = server.tell(&a, "b", "secret").await.is(200);
    assert_eq!(again["content_ref"], sent["content_ref"]);
    let gone = server.get(&a, &path_of(&sent)).await;
    gone.refused(410, "content-erased");

    let stored = put(&server, &a, ("x/y", "k"), b"1").await.is(201);
    assert_eq!(stored.get("erased_at"), None);
    let sent = send(&server, &a, &stored["content_ref"], "by-reference").await;
    let sent = sent.is(201);
    let left = erase(&server, &a, &path_of(&stored)).await.is(200);
    let repeated = put(&server, &a, ("x/y", "k"), b"1").await.is(200);
    assert_eq!(repeated["content_ref"], stored["content_ref"]);
    assert_eq!(repeated["erased_at"], left["erased_at"]);
    let other = put(&server, &a, ("x/y", "k"), b"2").await;
    other.refused(409, "idempotency-conflict");
    let gone = server.get(&a, &path_of(&stored)).await;
    gone.refused(410, "content-erased");

    let head = server.head().await;
    let again = send(&server, &a, &stored["content_ref"], "by-reference").await;
    assert_eq!(again.is(200)["cursor"], sent["cursor"]);
    let refused = send(&server, &a, &stored["content_ref"], "another").await;
    refused.refused(410, "content-erased");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_body_that_an_earlier_build_stored_under_a_key_is_found_by_a_repeat(server: Server) {
    let (a, b) = server.with_pair().await;
    let (id, run) = ("p".parse().unwrap(), "a".parse().unwrap());
    let epoch = server.runtime.find(&id).await.unwrap().epoch();
    let key = IdempotencyKey::parse("k").unwrap();
    let earlier = Minter::new([5; 32]).earlier_content_ref(epoch, Some(&run), &key);
    let body = StoredBody::new("x/y", b"1".to_vec());
    let contents = &server.store.contents;
    let put_before = contents.put(&id, earlier, body, FencingToken(1)).await;
    put_before.unwrap();

    let repeated = put(&server, &a, ("x/y", "k"), b"1").await.is(200);
    assert_eq!(repeated["content_ref"], earlier.to_string());
    let other = put(&server, &a, ("x/y", "k"), b"2").await;
    other.refused(409, "idempotency-conflict");
    let new = put(&server, &a, ("x/y", "k2"), b"1").await.is(201);
    assert_ne!(new["content_ref"], repeated["content_ref"]);
    let path = path_of(&repeated);
    let refused = erase(&server, &b, &path).await;
    refused.refused(404, "content-missing");
    erase(&server, &a, &path).await.is(200);
}

async fn an_inbox_shows_the_copy_of_a_message_whose_body_was_erased(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "secret").await.is(201);
    server.tell(&a, "b", "public").await.is(201);
    erase(&server, &a, &path_of(&sent)).await.is(200);
    let receive = json!({"max": 5, "bodies": true});
    let inbox = "/v1/pools/p/members/b/inbox/receive";
    let items = server.post(&b, inbox, receive).await.is(200);
    assert_eq!(items["items"][0]["content_ref"], sent["content_ref"]);
    assert_eq!(items["items"][0].get("body"), None);
    assert_eq!(items["items"][1]["body"], said("public"));
}

async fn what_a_member_has_stored_and_no_message_names_is_bounded_and_expires(server: Server) {
    let limits = json!({
        "unnamed_content_bytes_per_run_max": 8_192, "unnamed_content_keep_ms_max": 60_000
    });
    server.open(json!({"limits": limits})).await;
    let a = server.join("a").await;
    let b = server.join("b").await;
    let before = server.head().await;
    let first = put(&server, &a, ("x/y", "k1"), b"one").await.is(201);
    assert_eq!(first["cursor"], server.head().await, "the record of it");
    assert_ne!(first["cursor"], before);
    put(&server, &a, ("x/y", "k2"), b"two").await.is(201);
    let head = server.head().await;
    let refused = put(&server, &a, ("x/y", "k3"), b"three").await;
    let refused = refused.refused(400, "limit-exceeded");
    assert_eq!(refused["limit"], "unnamed_content_bytes_per_run_max");
    assert_eq!(
        (&refused["max"], &refused["actual"]),
        (&json!(8_192), &json!(12_288))
    );
    put(&server, &a, ("x/y", "k2"), b"two").await.is(200);
    assert_eq!(server.head().await, head, "neither records anything");
    put(&server, &b, ("x/y", "k1"), b"another member's")
        .await
        .is(201);

    // What a message names stays, and takes no room.
    send(&server, &a, &first["content_ref"], "m1").await.is(201);
    let third = put(&server, &a, ("x/y", "k3"), b"three").await.is(201);
    server.clock.advance(heronry_types::Millis(60_000));
    server.head().await;
    let kept = server.get(&b, &path_of(&first)).await;
    assert_eq!(kept.text, "one");
    let gone = server.get(OPERATOR, &path_of(&third)).await;
    gone.refused(410, "content-erased");
    let named = send(&server, &a, &third["content_ref"], "m2").await;
    named.refused(410, "content-erased");
    let again = put(&server, &a, ("x/y", "k3"), b"three").await.is(200);
    assert!(again["erased_at"].is_string(), "{again}");
    for key in ["k4", "k5"] {
        put(&server, &a, ("x/y", key), b"four").await.is(201);
    }
}
