//! A server on a store, and requests to it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a helper of a test fails by panicking"
)]

use std::sync::Arc;

use crate::canary::{self, said};
use crate::contract::{Answered, CONTRACT};
use axum::{
    Router,
    body::{Body, BodyDataStream},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use futures::StreamExt;
use heronry_runtime::{Runtime, RuntimeOptions};
use heronry_server::{Auth, OperatorToken, Routes, Stop, router};
use heronry_store::{Clock, FencingToken, IdSource, Store};
use heronry_testkit::{ManualClock, SeededIds};
use heronry_types::{Millis, Position};
use serde_json::{Value, json};
use tower::ServiceExt;

pub use crate::on_every_served_store as on_every_store;

/// The operator's token of every test server.
pub const OPERATOR: &str = "operator-secret";

/// The address that the test servers believe they are bound to.
const BOUND: &str = "127.0.0.1:7171";

/// A server on a store of its own, with a clock that the test moves.
#[derive(Debug)]
pub struct Server {
    /// The routes.
    pub router: Router,
    /// The clock.
    pub clock: ManualClock,
    /// The handle that stops the server.
    pub stop: Stop,
    /// The runtime behind the routes.
    pub runtime: Runtime,
    /// The store of the runtime.
    pub store: Store,
    _folder: Option<tempfile::TempDir>,
}

/// Checks that an answer has no word of a body, unless that is what was asked for.
fn check_shows_no_body(path: &str, headers: &HeaderMap, bytes: &[u8]) {
    canary::check_log();
    canary::check("the headers of an answer", headers);
    let is_fetched = path.contains("/contents/") || path.ends_with("/export");
    let mut answer = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let items = answer.get_mut("items").and_then(Value::as_array_mut);
    if let Some(items) = items {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            item.remove("body");
        }
        canary::check_bytes(path, answer.to_string().as_bytes());
    } else if !is_fetched {
        canary::check_bytes(path, bytes);
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct HttpReply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text; what is no UTF-8 is replaced.
    pub text: String,
    /// The body.
    pub bytes: Vec<u8>,
}

impl HttpReply {
    /// The answer as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The JSON of a problem that must have this status and slug.
    #[track_caller]
    pub fn refused(&self, status: u16, slug: &str) -> Value {
        let problem = self.is(status);
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!problem["title"].as_str().unwrap().is_empty());
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        problem
    }
}

impl Server {
    /// A server in memory.
    pub fn on_memory() -> Self {
        let store = Store::of(Arc::new(heronry_store_memory::MemoryStore::new()));
        Self::on(store, None, 7)
    }

    /// A server on this store.
    pub fn over(store: Store) -> Self {
        Self::on(store, None, 9)
    }

    /// A server of the same key on a store of its own, whose pools have other epochs.
    pub fn on_another() -> Self {
        let store = Store::of(Arc::new(heronry_store_memory::MemoryStore::new()));
        Self::on(store, None, 8)
    }

    /// A server on redb.
    pub fn on_redb() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        let adapter = heronry_store_redb::RedbStore::open_or_create(file).unwrap();
        Self::on(Store::of(Arc::new(adapter)), Some(folder), 7)
    }

    /// A server on sled.
    pub fn on_sled() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("store.sled");
        let adapter = heronry_store_sled::SledStore::open_or_create(directory).unwrap();
        Self::on(Store::of(Arc::new(adapter)), Some(folder), 7)
    }

    fn on(store: Store, folder: Option<tempfile::TempDir>, seed: u64) -> Self {
        canary::watch();
        let clock = ManualClock::new("2026-11-20T08:00:00Z".parse().unwrap());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let ids: Arc<dyn IdSource> = Arc::new(SeededIds::new(seed));
        let key = [5; 32];
        let options = RuntimeOptions::new(key, "test")
            .with_clock(shared)
            .with_ids(ids);
        let runtime = Runtime::new(store.clone(), options);
        let auth = Auth::new(OperatorToken::new(OPERATOR));
        let Routes { router, stop } = router(runtime.clone(), auth, BOUND.parse().unwrap());
        Self {
            router,
            clock,
            stop,
            runtime,
            store,
            _folder: folder,
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> HttpReply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        check_shows_no_body(&path, &parts.headers, &bytes);
        let media_type = parts.headers.get(header::CONTENT_TYPE);
        CONTRACT.check_answer(Answered {
            method: &method,
            path: &path,
            status: parts.status.as_u16(),
            media_type: media_type.map_or("", |it| it.to_str().unwrap()),
            body: &bytes,
        });
        HttpReply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        }
    }

    /// Sends a request with a token and, when it is not null, a JSON body.
    pub async fn call(&self, token: &str, line: &str, body: Value) -> HttpReply {
        self.send(request(token, line, &body)).await
    }

    /// Asks for a path.
    pub async fn get(&self, token: &str, path: &str) -> HttpReply {
        self.call(token, &format!("GET {path}"), Value::Null).await
    }

    /// Posts a JSON body.
    pub async fn post(&self, token: &str, path: &str, body: Value) -> HttpReply {
        self.call(token, &format!("POST {path}"), body).await
    }

    /// Opens the pool `p` with this configuration.
    pub async fn open(&self, config: Value) {
        self.call(OPERATOR, "PUT /v1/pools/p", config).await.is(201);
    }

    /// Joins a run, of an agent of the same name, and returns its token.
    pub async fn join(&self, run: &str) -> String {
        let body = json!({"run_id": run, "agent_id": run});
        let joined = self
            .post(OPERATOR, "/v1/pools/p/members", body)
            .await
            .is(201);
        joined["member_token"].as_str().unwrap().to_owned()
    }

    /// A server with the pool `p` and the members `a` and `b`.
    pub async fn with_pair(&self) -> (String, String) {
        self.open(json!({})).await;
        (self.join("a").await, self.join("b").await)
    }

    /// Sends a text to a run under a key.
    pub async fn tell(&self, token: &str, to: &str, key: &str) -> HttpReply {
        let body = json!({"to": to_run(to), "body": said(key), "idempotency_key": key});
        self.post(token, "/v1/pools/p/messages", body).await
    }

    /// The head of the pool `p`, to show that nothing was journaled.
    pub async fn head(&self) -> Value {
        self.get(OPERATOR, "/v1/pools/p").await.is(200)["head"].clone()
    }

    /// Completes when somebody waits for an alarm that is this far away, or nearer.
    pub async fn waits_for(&self, span: Millis) {
        let now = heronry_store::Clock::now(&self.clock).monotonic;
        while self
            .clock
            .next_alarm()
            .is_none_or(|at| at.0 > now.0 + span.0)
        {
            tokio::task::yield_now().await;
        }
    }

    /// Lets everything that can run do so.
    pub async fn quiet(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    /// Trims the journal of the pool `p` through the port.
    pub async fn trim(&self, before: Position) {
        let pool = "p".parse().unwrap();
        // The runtime of the test is the first owner of the pool.
        let token = FencingToken(1);
        heronry_testkit::sample::trim(&*self.store.journal, &pool, before, token)
            .await
            .unwrap();
    }

    /// Opens an event stream.
    pub async fn stream(&self, token: &str, query: &str) -> Frames {
        let mut request = request(
            token,
            &format!("GET /v1/pools/p/events{query}"),
            &Value::Null,
        );
        let accept = "text/event-stream".parse().unwrap();
        request.headers_mut().insert(header::ACCEPT, accept);
        self.stream_of(request).await
    }

    /// Opens the event stream that a request asks for.
    pub async fn stream_of(&self, request: Request<Body>) -> Frames {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "text/event-stream"
        );
        Frames {
            body: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }
}

/// An address of a run.
pub fn to_run(run: &str) -> Value {
    json!({"type": "run", "run_id": run})
}

/// A request: `line` is method, blank and path.
pub fn request(token: &str, line: &str, body: &Value) -> Request<Body> {
    let (method, path) = line.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(method.parse::<Method>().unwrap())
        .uri(path)
        .header(header::HOST, BOUND);
    if !token.is_empty() {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    if body.is_null() {
        return request.body(Body::empty()).unwrap();
    }
    request
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// The events of a stream as they come.
#[derive(Debug)]
pub struct Frames {
    body: BodyDataStream,
    text: String,
}

/// One event of a stream.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Frame {
    /// The id, a cursor.
    pub id: Option<String>,
    /// The name.
    pub event: Option<String>,
    /// The data.
    pub data: Option<Value>,
}

impl Frames {
    /// The next event; nothing when the stream has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let rest = self.text.split_off(end + 2);
                let frame = Frame::parse(&std::mem::replace(&mut self.text, rest));
                return Some(frame);
            }
            let chunk = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads up to and including an event of this name.
    pub async fn until(&mut self, name: &str) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await.expect("the stream ended early");
            let found = frame.event.as_deref() == Some(name);
            frames.push(frame);
            if found {
                return frames;
            }
        }
    }
}

/// Reads the data of an event of a stream, which is what the contract says.
fn stream_item(text: &str) -> Value {
    let item = serde_json::from_str(text).unwrap();
    CONTRACT.check("StreamItem", &item).unwrap();
    item
}

impl Frame {
    fn parse(text: &str) -> Self {
        canary::check_bytes("a stream", text.as_bytes());
        let mut frame = Self::default();
        for line in text.lines() {
            let Some((field, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "id" => frame.id = Some(value.to_owned()),
                "event" => frame.event = Some(value.to_owned()),
                "data" => frame.data = Some(stream_item(value)),
                other => panic!("a field {other} in {text:?}"),
            }
        }
        frame
    }
}
