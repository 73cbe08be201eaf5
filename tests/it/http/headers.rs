//! Decisions that a header or the route makes, and never the text of a path.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, request};

/// A request with a body of this type.
fn typed(line: &str, media_type: &str, body: &'static str) -> Request<Body> {
    let mut asked = request(OPERATOR, line, &Value::Null);
    let media_type = media_type.parse().unwrap();
    asked.headers_mut().insert(header::CONTENT_TYPE, media_type);
    *asked.body_mut() = Body::from(body);
    asked
}

#[tokio::test]
async fn a_pool_of_any_name_is_opened_with_json_alone() {
    let server = Server::on_memory();
    for name in ["contents", "p", "v1", "healthz"] {
        let line = format!("PUT /v1/pools/{name}");
        for media_type in ["text/plain", "application/octet-stream"] {
            let refused = server.send(typed(&line, media_type, "{}")).await;
            let refused = refused.refused(415, "unsupported-media-type");
            assert_eq!(refused["field"], "content-type", "{line}");
        }
        let opened = server.send(typed(&line, "application/json", "{}")).await;
        opened.is(201);
    }
    // Where bytes of any type are stored is said by the route, in a pool of any name.
    let line = "PUT /v1/pools/contents/contents";
    let stored = server.send(typed(line, "text/plain", "{}")).await;
    assert_eq!(stored.is(201)["media_type"], "text/plain");
}

/// The request with these values of one header, and no other.
fn saying(mut asked: Request<Body>, name: &'static str, values: [&str; 2]) -> Request<Body> {
    asked.headers_mut().remove(name);
    for value in values {
        asked.headers_mut().append(name, value.parse().unwrap());
    }
    asked
}

#[tokio::test]
async fn a_header_that_counts_once_and_is_there_twice_is_refused() {
    let server = Server::on_memory();
    server.with_pair().await;
    let head = server.head().await;
    for (name, values) in [
        ("content-type", ["application/json", "text/plain"]),
        ("content-type", ["application/json", "application/json"]),
        ("idempotency-key", ["k", "k"]),
        ("authorization", ["Bearer x", "Bearer operator-secret"]),
        ("host", ["127.0.0.1:7171", "127.0.0.1:7171"]),
        ("content-length", ["2", "2"]),
        ("last-event-id", ["", ""]),
        ("heronry-unread", ["1", "1"]),
    ] {
        for line in [
            "PUT /v1/pools/p/contents",
            "POST /v1/pools/p/messages",
            "POST /v1/pools/p/events",
            "GET /v1/pools/p/events",
            "GET /healthz",
        ] {
            let asked = saying(typed(line, "application/json", "{}"), name, values);
            let refused = server.send(asked).await.refused(400, "invalid-request");
            assert_eq!(refused["field"], name, "{line}");
        }
    }
    assert_eq!(server.head().await, head, "nothing is journaled");
}

#[tokio::test]
async fn an_older_generation_reads_and_renews_nothing_of_its_successors() {
    let server = Server::on_memory();
    server.open(json!({})).await;
    let sender = server.join("b").await;
    let join = |instance: &str| {
        let body = json!({
            "run_id": "a", "agent_id": "a", "instance": instance, "lease_ms": 10_000
        });
        let joined = server.post(OPERATOR, "/v1/pools/p/members", body);
        async {
            joined.await.is(201)["member_token"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let old = join("one").await;
    let new = join("two").await;
    for key in ["k1", "k2"] {
        server.tell(&sender, "a", key).await.is(201);
    }
    let unread = |reply: &heronry_tests::server::HttpReply| {
        let unread = reply.headers["heronry-unread"].to_str().unwrap();
        unread.to_owned()
    };
    let refused = server.get(&old, "/v1/pools/p").await;
    assert_eq!(unread(&refused), "0");
    refused.refused(409, "fenced");
    let shown = server.get(&new, "/v1/pools/p").await;
    assert_eq!(unread(&shown), "2");
    shown.is(200);
    // What the older one asks keeps the newer one from nothing: it is lost when it is silent.
    for _ in 0..3 {
        server.clock.advance(heronry_types::Millis(4_000));
        server.quiet().await;
        server.get(&old, "/v1/pools/p").await.refused(409, "fenced");
    }
    let members = server.get(&sender, "/v1/pools/p/members").await.is(200);
    assert!(members["members"][0]["lost_until"].is_string(), "{members}");
}
