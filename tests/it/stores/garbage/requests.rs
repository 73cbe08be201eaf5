//! Garbage sent to a server: it is refused with a problem, and never breaks anything.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderName, HeaderValue, Request, header},
};
use heronry_runtime::{Runtime, RuntimeOptions};
use heronry_server::{Auth, OperatorToken, Routes, router};
use heronry_testkit::{ManualClock, SeededIds};
use heronry_tests::StoreKind;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tokio::runtime::Builder;
use tower::ServiceExt;

use heronry_tests::garbage::garbage;
use heronry_tests::{store_folder::StoreFolder, tries::cases};

const OPERATOR: &str = "operator-secret";
const BOUND: &str = "127.0.0.1:7171";

/// A server with the pool `p` and the members `a` and `b`.
struct Server {
    router: Router,
    tokio: tokio::runtime::Runtime,
    _runtime: Runtime,
}

impl Server {
    fn new() -> Self {
        let tokio = Builder::new_current_thread().enable_all().build().unwrap();
        let store = StoreFolder::new(StoreKind::Memory).open().unwrap();
        let clock = Arc::new(ManualClock::default());
        let key = [5; 32];
        let options = RuntimeOptions::new(key, "test").with_clock(clock);
        let runtime = Runtime::new(store, options.with_ids(Arc::new(SeededIds::new(7))));
        let auth = Auth::new(OperatorToken::new(OPERATOR));
        let Routes { router, .. } =
            tokio.block_on(async { router(runtime.clone(), auth, BOUND.parse().unwrap()) });
        let server = Self {
            router,
            tokio,
            _runtime: runtime,
        };
        assert_eq!(server.call("PUT /v1/pools/p", "{}").0, 201);
        for run in ["a", "b"] {
            let (status, _) = server.join(run);
            assert_eq!(status, 201);
        }
        server
    }

    fn join(&self, run: &str) -> (u16, Vec<u8>) {
        let body = format!(r#"{{"run_id":"{run}","agent_id":"{run}"}}"#);
        self.call("POST /v1/pools/p/members", &body)
    }

    fn call(&self, line: &str, body: &str) -> (u16, Vec<u8>) {
        self.send(request(line, body, OPERATOR).unwrap())
    }

    /// Sends a request; what is refused is refused with a problem. Streams are not read.
    fn send(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.tokio.block_on(async {
            let shown = format!("{} {}", request.method(), request.uri());
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let media = parts.headers.get(header::CONTENT_TYPE).cloned();
            let status = parts.status.as_u16();
            if media.as_ref().is_some_and(|it| it == "text/event-stream") {
                return (status, Vec::new());
            }
            let bytes = axum::body::to_bytes(body, usize::MAX)
                .await
                .unwrap()
                .to_vec();
            assert!(
                status < 500,
                "{shown}: {status} {}",
                String::from_utf8_lossy(&bytes)
            );
            if status >= 400 {
                assert_eq!(media.unwrap(), "application/problem+json", "{shown}");
                let problem: Value = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(problem["status"], status, "{shown}");
                assert!(!problem["title"].as_str().unwrap().is_empty(), "{shown}");
            }
            (status, bytes)
        })
    }
}

/// Returns a request; nothing when HTTP itself has no such request.
fn request(line: &str, body: &str, token: &str) -> Option<Request<Body>> {
    let (method, path) = line.split_once(' ')?;
    let token = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, BOUND)
        .header(header::AUTHORIZATION, token)
        .header(header::CONTENT_TYPE, "application/json");
    request.body(Body::from(body.to_owned())).ok()
}

/// Every route that reads JSON, with a body that it accepts, and that waits for nothing.
const BODIES: [(&str, &str); 12] = [
    ("PUT /v1/pools/p", r#"{"limits":{"members_max":100000}}"#),
    ("PATCH /v1/pools/p/settings", r#"{"expected_version":1}"#),
    (
        "POST /v1/pools/p/members",
        r#"{"run_id":"c","agent_id":"c","topics":["t"]}"#,
    ),
    ("PATCH /v1/pools/p/members/a", r#"{"topics":["t"]}"#),
    (
        "POST /v1/pools/p/members/a/state",
        r#"{"state":"completed"}"#,
    ),
    (
        "POST /v1/pools/p/messages",
        r#"{"from":"a","to":{"type":"run","run_id":"b"},"body":"x","idempotency_key":"k"}"#,
    ),
    (
        "POST /v1/pools/p/members/a/inbox/receive",
        r#"{"receive_id":"r","max":3}"#,
    ),
    (
        "POST /v1/pools/p/members/a/inbox/ack",
        r#"{"claims":["1@2"]}"#,
    ),
    (
        "POST /v1/pools/p/members/a/inbox/release",
        r#"{"claims":["1@2"],"delay_ms":1}"#,
    ),
    (
        "POST /v1/pools/p/members/a/inbox/extend",
        r#"{"claims":["1@2"],"claim_ms":1}"#,
    ),
    (
        "POST /v1/pools/p/wakes",
        r#"{"run_id":"a","filter":"terminal","idempotency_key":"w"}"#,
    ),
    (
        "POST /v1/filters/compile",
        r#"{"filter":"terminal && run == 'a'"}"#,
    ),
];

#[test]
fn spoilt_bodies_are_refused_with_a_problem() {
    let server = Server::new();
    for (line, body) in BODIES {
        let sent = TestRunner::new(cases(60)).run(&garbage(&[body]), |body| {
            // A wait would last until the clock of the test is moved.
            if !body.contains("wait") {
                server.send(request(line, &body, OPERATOR).unwrap());
            }
            Ok(())
        });
        sent.unwrap();
    }
    assert_eq!(
        server.call("GET /v1/pools/p", "").0,
        200,
        "it still answers"
    );
}

const PATHS: [&str; 8] = [
    "/v1/pools",
    "/v1/pools/p",
    "/v1/pools/p/members/a",
    "/v1/pools/p/messages/m?run=a",
    "/v1/pools/p/wakes/w",
    "/v1/pools/p/members/a/inbox?max=3",
    "/v1/pools/p/events?filter=terminal&limit=3&after=5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-1",
    "/v1/pools/p/contents/content:5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f",
];

#[test]
fn spoilt_paths_and_queries_are_refused_with_a_problem() {
    let server = Server::new();
    let sent = TestRunner::new(cases(300)).run(&garbage(&PATHS), |path| {
        let path = if path.starts_with('/') {
            path
        } else {
            format!("/{path}")
        };
        if let Some(request) = request(&format!("GET {path}"), "", OPERATOR) {
            server.send(request);
        }
        Ok(())
    });
    sent.unwrap();
}

#[test]
fn spoilt_headers_are_refused_with_a_problem() {
    let server = Server::new();
    let cursor = "5f0c6d1e9a7b4c3d8e2f1a0b9c8d7e6f-1";
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let line = "POST /v1/pools/p/messages";
    let body = r#"{"from":"a","to":{"type":"run","run_id":"b"},"body":"x"}"#;
    for (name, line, body, valid) in [
        ("last-event-id", "GET /v1/pools/p/events", "", cursor),
        (
            "accept",
            "GET /v1/pools/p/events",
            "",
            "text/event-stream;q=0.5, */*",
        ),
        ("idempotency-key", line, body, "key-1"),
        ("traceparent", line, body, trace),
        (
            "content-type",
            line,
            body,
            "application/json; charset=utf-8",
        ),
        ("host", line, body, BOUND),
    ] {
        let sent = TestRunner::new(cases(40)).run(&garbage(&[valid]), |value| {
            let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
                return Ok(());
            };
            let mut request = request(line, body, OPERATOR).unwrap();
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
            server.send(request);
            Ok(())
        });
        sent.unwrap();
    }
}

#[test]
fn a_spoilt_token_is_nobody() {
    let server = Server::new();
    let joined: Value = serde_json::from_slice(&server.join("c").1).unwrap();
    let token = joined["member_token"].as_str().unwrap().to_owned();
    let mine = "GET /v1/pools/p/members/c/inbox";
    assert_eq!(server.send(request(mine, "", &token).unwrap()).0, 200);
    for valid in [token.as_str(), OPERATOR] {
        let sent = TestRunner::new(cases(200)).run(&garbage(&[valid]), |shown| {
            let Some(request) = request(mine, "", &shown) else {
                return Ok(());
            };
            let (status, _) = server.send(request);
            // White space around a token is not part of it.
            let is_known = shown.trim() == valid;
            assert_eq!(status == 200, is_known, "{shown:?}: {status}");
            assert!(is_known || status == 401, "{shown:?}: {status}");
            Ok(())
        });
        sent.unwrap();
    }
}
