//! The pool `p` with the members `a` and `b`, and the doors to it.

use std::sync::Arc;

use heronry_api::{
    Access, Api, Auth, Key, OperatorToken, Recorded, Refusal, inbox, member, message, pool,
};
use heronry_runtime::{Runtime, RuntimeOptions};
use heronry_store::{Clock, Store};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{ManualClock, SeededIds};
use heronry_tests::canary::said;
use heronry_types::{IdempotencyKey, Millis, PoolId, Receipt};
use heronry_wire::{InboxPage, MemberToken};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The operator's token.
const OPERATOR: &str = "operator-secret";

/// A request of this content.
pub(crate) fn request<T: DeserializeOwned>(content: Value) -> T {
    serde_json::from_value(content).unwrap()
}

/// The idempotency key of this text.
pub(crate) fn key(text: &str) -> Key {
    Key::new(IdempotencyKey::parse(text).unwrap())
}

/// A message to `b`.
pub(crate) fn to_b(more: Value) -> Value {
    let to = json!({"type": "run", "run_id": "b"});
    let mut message = json!({"to": to, "body": said("a text")});
    if let (Value::Object(message), Value::Object(more)) = (&mut message, more) {
        message.extend(more);
    }
    message
}

/// The pool `p` with the members `a` and `b`.
pub(crate) struct Scene {
    pub(crate) api: Api,
    pub(crate) clock: ManualClock,
    a: MemberToken,
    b: MemberToken,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::new("2026-11-20T08:00:00Z".parse().unwrap());
        let store = Store::of(Arc::new(MemoryStore::new()));
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let ids = Arc::new(SeededIds::new(7));
        let options = RuntimeOptions::new([5; 32], "test")
            .with_clock(shared)
            .with_ids(ids);
        let runtime = Runtime::new(store, options);
        let auth = Auth::new(OperatorToken::new(OPERATOR));
        let api = Api::new(runtime, auth);
        let operator = api.identify(Some(OPERATOR)).await.unwrap();
        let id: PoolId = "p".parse().unwrap();
        let opened = pool::open(&api, &operator, id.clone(), request(json!({}))).await;
        opened.unwrap();
        let access = Access::open(&api, &operator, &id).await.unwrap();
        let join = async |run: &str| {
            let join = request(json!({"run_id": run, "agent_id": run}));
            let joined = member::join(&access, join).await.unwrap();
            joined.answer.member_token
        };
        let (a, b) = (join("a").await, join("b").await);
        Self { api, clock, a, b }
    }

    /// The door of one request with this token.
    pub(crate) async fn door(&self, token: &str) -> Access {
        let identity = self.api.identify(Some(token)).await.unwrap();
        let pool = "p".parse().unwrap();
        Access::open(&self.api, &identity, &pool).await.unwrap()
    }

    pub(crate) async fn operator(&self) -> Access {
        self.door(OPERATOR).await
    }

    pub(crate) async fn a(&self) -> Access {
        self.door(self.token_of_a()).await
    }

    pub(crate) async fn b(&self) -> Access {
        self.door(self.b.reveal()).await
    }

    pub(crate) fn token_of_a(&self) -> &str {
        self.a.reveal()
    }

    /// Sends a message of `a` to `b` under a key.
    pub(crate) async fn send(
        &self,
        under: &str,
        more: Value,
    ) -> Result<Recorded<Receipt>, Refusal> {
        let message = request(to_b(more));
        message::send(&self.a().await, message, key(under)).await
    }

    /// Claims copies of `b`.
    pub(crate) async fn receive(&self, content: Value) -> Result<InboxPage, Refusal> {
        let (door, run) = (self.b().await, "b".parse().unwrap());
        let found = inbox::receive(&door, run, request(content)).await?;
        Ok(found.into_page())
    }

    /// Completes when somebody waits for an alarm that is this far away, or nearer.
    pub(crate) async fn waits_for(&self, span: Millis) {
        let now = self.clock.now().monotonic;
        let alarm = || self.clock.next_alarm();
        while alarm().is_none_or(|at| at.0 > now.0 + span.0) {
            tokio::task::yield_now().await;
        }
    }
}
