//! A pool with one limit that is set, and requests to it.

use std::task::Poll;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use futures::future::LocalBoxFuture;
use heronry_journal::ChunkHash;
use heronry_pool::decide::StateDigest;
use heronry_runtime::Pool;
use heronry_types::{Cursor, LimitName, Millis, PoolSpec};
use serde_json::{Value, json};
use tower::ServiceExt;

use heronry_tests::server::{HttpReply, OPERATOR, Server, request, to_run};

/// A pool with one limit that is set, and its member `a`.
pub(super) struct LimitScene<'s> {
    pub(super) server: &'s Server,
    pub(super) pool: Pool,
    pub(super) a: String,
    /// The state just before the last request.
    pub(super) before: (Cursor, ChunkHash),
    /// Streams that are open.
    streams: Vec<Body>,
    /// Calls that wait.
    waiting: Vec<LocalBoxFuture<'s, HttpReply>>,
}

impl<'s> LimitScene<'s> {
    pub(super) async fn open(
        server: &'s Server,
        name: &str,
        (limit, max): (LimitName, u64),
    ) -> Self {
        let config = json!({"limits": {limit.to_string(): max}});
        let line = format!("PUT /v1/pools/{name}");
        server.call(OPERATOR, &line, config).await.is(201);
        let id = name.parse().unwrap();
        let opened = server.runtime.open(&id, PoolSpec::default()).await;
        let pool = opened.unwrap().pool;
        let before = pool.call(StateDigest).await.unwrap();
        let mut scene = Self {
            server,
            pool,
            a: String::new(),
            before,
            streams: Vec::new(),
            waiting: Vec::new(),
        };
        scene.a = scene.join("a", json!({})).await;
        scene
    }

    pub(super) async fn state(&self) -> (Cursor, ChunkHash) {
        self.pool.call(StateDigest).await.unwrap()
    }

    pub(super) fn line(&self, line: &str) -> String {
        let (method, path) = line.split_once(' ').unwrap();
        format!("{method} /v1/pools/{}{path}", self.pool.id().as_str())
    }

    /// Sends a request; `line` is its method and the path below the pool.
    pub(super) async fn call(&mut self, token: &str, line: &str, body: Value) -> HttpReply {
        self.before = self.state().await;
        self.server.call(token, &self.line(line), body).await
    }

    /// As the member `a`.
    pub(super) async fn say(&mut self, line: &str, body: Value) -> HttpReply {
        let token = self.a.clone();
        self.call(&token, line, body).await
    }

    /// As the operator.
    pub(super) async fn order(&mut self, line: &str, body: Value) -> HttpReply {
        self.call(OPERATOR, line, body).await
    }

    /// Asks for a membership with further fields.
    pub(super) async fn ask_to_join(&mut self, run: &str, more: Value) -> HttpReply {
        let mut body = json!({"run_id": run, "agent_id": run});
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        self.order("POST /members", body).await
    }

    /// Joins with further fields, and returns the token.
    pub(super) async fn join(&mut self, run: &str, more: Value) -> String {
        let joined = self.ask_to_join(run, more).await.is(201);
        joined["member_token"].as_str().unwrap().to_owned()
    }

    /// Sends a message of `a` to itself, and claims it: returns the claim.
    pub(super) async fn claim(&mut self, key: &str) -> Value {
        let message = json!({"to": to_run("a"), "body": "-", "idempotency_key": key});
        self.say("POST /messages", message).await.is(201);
        let taken = self
            .say("POST /members/a/inbox/receive", json!({"max": 1}))
            .await;
        taken.is(200)["items"][0]["claim"].clone()
    }

    /// Stores a body of this many bytes.
    pub(super) async fn put(&mut self, bytes: usize) -> HttpReply {
        self.before = self.state().await;
        let path = self.line("PUT /contents");
        let path = path.split_once(' ').unwrap().1.to_owned();
        let request = Request::builder()
            .method(Method::PUT)
            .uri(path)
            .header(header::HOST, "127.0.0.1:7171")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.a))
            .header(header::CONTENT_TYPE, "x/y")
            .body(Body::from("x".repeat(bytes)));
        self.server.send(request.unwrap()).await
    }

    /// Stores a body of this many bytes, and erases it.
    pub(super) async fn put_briefly(&mut self, bytes: usize) -> HttpReply {
        let stored = self.put(bytes).await;
        if stored.status.is_success() {
            let content_ref = stored.json()["content_ref"].as_str().unwrap().to_owned();
            let line = self.line(&format!("DELETE /contents/{content_ref}"));
            self.server.call(&self.a, &line, Value::Null).await.is(200);
        }
        stored
    }

    /// Makes one more call that waits, and goes on waiting; says when it is answered at once instead.
    pub(super) async fn wait(&mut self, token: &str, line: &str, body: Value) -> HttpReply {
        let request = request(token, &self.line(line), &body);
        let mut call = Box::pin(self.server.send(request));
        for _ in 0..200 {
            if let Poll::Ready(reply) = futures::poll!(call.as_mut()) {
                self.before = self.state().await;
                return reply;
            }
            tokio::task::yield_now().await;
        }
        self.waiting.push(call);
        HttpReply {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            text: String::new(),
            bytes: Vec::new(),
        }
    }

    /// Opens one more stream of events, which stays open.
    pub(super) async fn stream(&mut self, token: &str) -> HttpReply {
        self.before = self.state().await;
        let line = self.line("GET /events");
        let mut request = request(token, &line, &Value::Null);
        let accept = "text/event-stream".parse().unwrap();
        request.headers_mut().insert(header::ACCEPT, accept);
        let router = self.server.router.clone();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let mut text = String::new();
        if parts.status == StatusCode::OK {
            self.streams.push(body);
        } else {
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            text = String::from_utf8(bytes.to_vec()).unwrap();
        }
        HttpReply {
            status: parts.status,
            headers: parts.headers,
            bytes: text.clone().into_bytes(),
            text,
        }
    }

    /// Looks at the pool so many times at once; returns the first refusal, or the last answer.
    pub(super) async fn look_at_once(&mut self, times: u64) -> HttpReply {
        self.before = self.state().await;
        let line = self.line("GET ");
        let looks = (0..times).map(|_| self.server.call(OPERATOR, &line, Value::Null));
        let mut replies = futures::future::join_all(looks).await;
        let refused = replies.iter().position(|reply| !reply.status.is_success());
        let shown = refused.unwrap_or(replies.len() - 1);
        replies.swap_remove(shown)
    }

    /// Lets time pass, and has what is due decided.
    pub(super) async fn pass(&self, span: u64) {
        self.server.clock.advance(Millis(span));
        self.state().await;
    }
}
