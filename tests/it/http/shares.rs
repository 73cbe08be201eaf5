//! Shares: what one member holds takes nothing from another, nor from the operator.

use std::task::Poll;

use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
};
use futures::{StreamExt, future::LocalBoxFuture, stream};
use serde_json::{Value, json};
use tower::ServiceExt;

use heronry_tests::server::{HttpReply, OPERATOR, Server, on_every_store, request};

on_every_store! {
    a_flood_of_streams_takes_one_members_share_alone
    a_flood_of_calls_that_wait_takes_one_members_share_alone
    answers_that_a_member_does_not_read_are_its_own_affair
    a_body_of_unknown_length_is_refused_when_it_is_over_the_share
}

const EVENTS: &str = "/v1/pools/p/events";

/// Opens the pool `p` with limits and the members `a` and `b`.
async fn limited(server: &Server, limits: Value) -> (String, String) {
    server.open(json!({ "limits": limits })).await;
    (server.join("a").await, server.join("b").await)
}

async fn open_stream(server: &Server, token: &str) -> (StatusCode, Body) {
    let mut request = request(token, &format!("GET {EVENTS}"), &Value::Null);
    let accept = "text/event-stream".parse().unwrap();
    request.headers_mut().insert(header::ACCEPT, accept);
    let answer = server.router.clone().oneshot(request).await.unwrap();
    (answer.status(), answer.into_body())
}

async fn a_flood_of_streams_takes_one_members_share_alone(server: Server) {
    let limits = json!({"subscriptions_per_run_max": 3, "subscriptions_max": 4});
    let (a, b) = limited(&server, limits).await;
    let mut flood = Vec::new();
    for _ in 0..3 {
        let (status, body) = open_stream(&server, &a).await;
        assert_eq!(status, 200);
        flood.push(body);
    }
    assert_eq!(open_stream(&server, &a).await.0, 429);
    let (another, of_b) = open_stream(&server, &b).await;
    assert_eq!(another, 200);
    // The members together have as many as they may; the operator has its own.
    assert_eq!(open_stream(&server, &b).await.0, 429);
    for _ in 0..4 {
        let (status, body) = open_stream(&server, OPERATOR).await;
        assert_eq!(status, 200);
        flood.push(body);
    }
    drop((flood, of_b));
    assert_eq!(open_stream(&server, &a).await.0, 200);
}

/// Makes a call that waits; returns it, or what it was answered at once.
async fn wait<'s>(
    server: &'s Server,
    token: &str,
) -> Result<LocalBoxFuture<'s, HttpReply>, HttpReply> {
    let line = format!("GET {EVENTS}?from=head&wait_ms=1000");
    let mut call = Box::pin(server.send(request(token, &line, &Value::Null)));
    for _ in 0..200 {
        if let Poll::Ready(reply) = futures::poll!(call.as_mut()) {
            return Err(reply);
        }
        tokio::task::yield_now().await;
    }
    Ok(call)
}

async fn a_flood_of_calls_that_wait_takes_one_members_share_alone(server: Server) {
    let limits = json!({"long_polls_per_run_max": 2, "long_polls_max": 3});
    let (a, b) = limited(&server, limits).await;
    let mut flood = Vec::new();
    for token in [&a, &a, &b, &OPERATOR.to_owned(), &OPERATOR.to_owned()] {
        flood.push(
            wait(&server, token)
                .await
                .unwrap_or_else(|reply| panic!("{reply:?}")),
        );
    }
    let refused = wait(&server, &a).await.err().unwrap().refused(429, "busy");
    assert_eq!(refused["limit"], "long_polls_per_run_max");
    assert_eq!(
        (&refused["max"], &refused["retry_after_ms"]),
        (&json!(2), &json!(1_000))
    );
    let refused = wait(&server, &b).await.err().unwrap().refused(429, "busy");
    assert_eq!(refused["limit"], "long_polls_max");
    flood.push(
        wait(&server, OPERATOR)
            .await
            .unwrap_or_else(|reply| panic!("{reply:?}")),
    );
    // Who does not wait is answered, and who gives up waiting may wait again.
    server.get(&a, &format!("{EVENTS}?from=head")).await.is(200);
    drop(flood.remove(0));
    assert!(wait(&server, &a).await.is_ok());
}

async fn answers_that_a_member_does_not_read_are_its_own_affair(server: Server) {
    let limits = json!({"bytes_under_way_per_run_max": 100_000, "bytes_under_way_max": 150_000});
    let (a, b) = limited(&server, limits).await;
    let store = |token: &str| {
        let put = Request::builder()
            .method("PUT")
            .uri("/v1/pools/p/contents")
            .header(header::HOST, "127.0.0.1:7171")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "x/y")
            .body(Body::from("x".repeat(60_000)));
        server.send(put.unwrap())
    };
    let stored = store(&a).await.is(201);
    let name = stored["content_ref"].as_str().unwrap();
    let message = json!({
        "to": {"type": "run", "run_id": "a"}, "content_ref": name, "idempotency_key": "k",
    });
    server
        .post(&a, "/v1/pools/p/messages", message)
        .await
        .is(201);
    let mut unread = Vec::new();
    for _ in 0..2 {
        let line = format!("GET /v1/pools/p/contents/{name}");
        let asked = request(&a, &line, &Value::Null);
        let answer = server.router.clone().oneshot(asked).await.unwrap();
        assert_eq!(answer.status(), 200);
        unread.push(answer.into_body());
    }
    let refused = server.get(&a, EVENTS).await.refused(429, "busy");
    assert_eq!(refused["limit"], "bytes_under_way_per_run_max");
    // A small request of another member goes on, a large one of it waits, and the operator has no share.
    server.get(&b, EVENTS).await.is(200);
    let refused = store(&b).await.refused(429, "busy");
    assert_eq!(refused["limit"], "bytes_under_way_max");
    store(OPERATOR).await.is(201);
    drop(unread);
    server.get(&a, EVENTS).await.is(200);
    store(&b).await.is(201);
}

async fn a_body_of_unknown_length_is_refused_when_it_is_over_the_share(server: Server) {
    let (a, _) = limited(&server, json!({"bytes_under_way_per_run_max": 30_000})).await;
    let put = |pieces: usize| {
        let piece = Bytes::from(vec![b'x'; 10_000]);
        let pieces = stream::iter(0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
        let put = Request::builder()
            .method("PUT")
            .uri("/v1/pools/p/contents")
            .header(header::HOST, "127.0.0.1:7171")
            .header(header::AUTHORIZATION, format!("Bearer {a}"))
            .header(header::CONTENT_TYPE, "x/y")
            .body(Body::from_stream(pieces));
        server.send(put.unwrap())
    };
    put(3).await.is(201);
    let refused = put(4).await.refused(429, "busy");
    assert_eq!(refused["limit"], "bytes_under_way_per_run_max");
    // What was taken is given back.
    put(3).await.is(201);
}
