//! The reference send, and the pool that it is sent in.

use heronry_pool::{
    Caller,
    decide::{Content, JoinPool, SendMessage, SendRequest},
};
use heronry_types::{
    Address, AgentId, Body, Correlation, CorrelationKey, CorrelationValue, IdempotencyKey,
    InstanceId, LimitName, Limits, PoolSpec, RunId,
};

/// The body of every message.
pub(crate) const BODY: &[u8] = &[b'x'; 200];

/// Returns a pool whose inboxes take every message of a benchmark.
pub(crate) fn spec() -> PoolSpec {
    let mut limits = Limits::default();
    limits.set(LimitName::InboxDepthMax, 10_000_000);
    PoolSpec {
        limits: Some(limits),
        ..PoolSpec::default()
    }
}

pub(crate) fn join(name: &str) -> JoinPool {
    JoinPool {
        caller: Caller::Operator,
        run: RunId::parse(name).unwrap(),
        agent: AgentId::parse(name).unwrap(),
        session: None,
        topics: Vec::new(),
        policies: None,
        instance: InstanceId::parse("bench").unwrap(),
        lease: None,
    }
}

pub(crate) fn run_of(caller: &Caller) -> RunId {
    match caller {
        Caller::Member { run, .. } => run.clone(),
        Caller::Operator => RunId::parse("sender-9a07d3").unwrap(),
    }
}

pub(crate) fn message(sender: &Caller, key: &str) -> SendMessage {
    let to = Address::Run {
        run_id: RunId::parse("reader-4f1c2b").unwrap(),
    };
    let body = Content::Inline(Body::new(Body::TEXT, BODY));
    let mut request = SendRequest::new(to, body, IdempotencyKey::parse(key).unwrap());
    let ticket = CorrelationKey::parse("ticket").unwrap();
    let value = CorrelationValue::parse("T-2041").unwrap();
    request.correlation = Correlation::from_iter([(ticket, value)]);
    SendMessage::new(sender.clone(), run_of(sender), request)
}
