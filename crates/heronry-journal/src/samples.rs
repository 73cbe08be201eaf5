//! Samples of records: what tests, golden files and properties know of every kind. Each stands beside its
//! struct; here is what they share.

pub(crate) mod arbitrary;

use std::fmt::Debug;

use heronry_types::{
    AckOutcome, Actor, Address, AgentId, ContentRef, CopyStanding, CopyState, Epoch, Generation,
    Id, IdKind, InstanceId, Lineage, MessageId, Policies, PolicyId, PolicyKind, PolicyRef,
    PoolConfig, PoolId, Position, RunId, SessionId, Settings, Timestamp, TopicId, TurnId,
    Undeliverable, Visibility,
};
use proptest::strategy::BoxedStrategy;

use crate::{
    Body, Claim, CopyName, Entry, MemberJoined, MessageAccepted, MessageAcked, MessageDelivered,
    PoolCreated, RecordBody,
};

/// Samples of a kind of record, for tests.
pub(crate) trait Sample: RecordBody + Debug + Sized {
    /// Returns one record of each version, the oldest first, with every field set that the version has.
    /// Golden files keep their bytes.
    fn samples() -> Vec<Self>;

    /// Returns any record of the kind.
    fn arbitrary() -> BoxedStrategy<Self>;
}

pub(crate) const EPOCH: Epoch = Epoch(*b"heronry's golden");

/// 2026-11-20T08:15:30.125Z.
pub(crate) fn recorded_at() -> Timestamp {
    Timestamp::from_millis(1_795_162_530_125)
}

pub(crate) fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text).unwrap()
}

/// A record whose lineage has every field, decided for a member.
pub(crate) fn full(body: Body) -> Entry {
    let run: RunId = id("run-lead");
    let lineage = Lineage {
        pool: id::<heronry_types::kind::Pool>("review"),
        run: Some(run.clone()),
        agent: Some(AgentId::parse("lead").unwrap()),
        session: Some(SessionId::parse("session-1").unwrap()),
        turn: Some(TurnId::parse("turn-7").unwrap()),
        correlation: [(id("job"), id("review-0042")), (id("ticket"), id("HER-7"))]
            .into_iter()
            .collect(),
        caused_by: Some(Position(300)),
        trace: Some(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                .parse()
                .unwrap(),
        ),
        labels: None,
    };
    Entry {
        lineage,
        actor: Actor::Member {
            run,
            generation: Generation(Position(3)),
        },
        visibility: Visibility::InScope,
        body,
    }
}

/// A record with nothing in its lineage but the pool, decided by this actor.
fn bare(actor: Actor, body: Body) -> Entry {
    Entry {
        lineage: Lineage::of_pool(PoolId::parse("review").unwrap()),
        actor,
        visibility: Visibility::OutOfScope,
        body,
    }
}

pub(crate) fn policies() -> Policies {
    let versioned = PolicyRef {
        version: Some(id("2")),
        ..PolicyRef::new(PolicyKind::Privacy, PolicyId::parse("no-secrets").unwrap())
    };
    let sandbox = PolicyRef::new(PolicyKind::Sandbox, PolicyId::parse("read-only").unwrap());
    [versioned, sandbox].into_iter().collect()
}

pub(crate) fn topics() -> Vec<TopicId> {
    vec![id("findings"), id("scan")]
}

pub(crate) fn content_ref() -> ContentRef {
    ContentRef::from_bits(*b"a body elsewhere")
}

pub(crate) fn message(accepted: u64) -> CopyName {
    CopyName {
        accepted: Position(accepted),
        message_id: MessageId::parse(format!("msg-{accepted}")).unwrap(),
    }
}

pub(crate) fn claim(accepted: u64) -> (Claim, MessageId) {
    let claim = Claim {
        accepted: Position(accepted),
        fetched: Position(301),
    };
    (claim, message(accepted).message_id)
}

pub(crate) fn standings() -> Vec<CopyStanding> {
    let acked = CopyStanding {
        state: CopyState::Acked,
        attempt: 1,
        why: None,
        outcome: Some(AckOutcome::Done),
    };
    let undeliverable = CopyStanding {
        state: CopyState::Undeliverable,
        attempt: 0,
        why: Some(Undeliverable::Left),
        outcome: None,
    };
    vec![acked, undeliverable]
}

/// Every version of every kind: the name of its golden file, and the record.
pub(crate) fn every_version() -> Vec<(String, Entry)> {
    let samples = Body::samples().into_iter();
    let samples = samples.map(|(kind, body)| {
        let (number, version) = (body.number(), body.version());
        (format!("{number}.{version}-{}", kebab(kind)), full(body))
    });
    samples.collect()
}

/// Every kind in its newest version: the name of its golden file, and the record.
pub(crate) fn every_kind() -> Vec<(String, Entry)> {
    let mut samples = every_version();
    let newest = |body: &Body| Body::KINDS.contains(&(body.number(), body.version()));
    samples.retain(|(_, entry)| newest(&entry.body));
    samples
}

/// `PoolCreated` as `pool-created`.
fn kebab(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

/// A short journal of two commits: records with as little as they may have, by every actor.
pub(crate) fn journal() -> Vec<Vec<Entry>> {
    let created = Body::PoolCreated(PoolCreated {
        config: PoolConfig::default(),
        settings: Settings::default(),
    });
    let joined = Body::MemberJoined(MemberJoined {
        instance: InstanceId::parse("host-1:4711").unwrap(),
        policies: Policies::default(),
        topics: Vec::new(),
        members: 1,
        lease_ms: None,
    });
    let [accepted, ..] = &MessageAccepted::samples()[..] else {
        panic!("no sample")
    };
    let accepted = Body::MessageAccepted(Box::new(MessageAccepted {
        to: Address::Run {
            run_id: RunId::parse("run-lead").unwrap(),
        },
        reply_to: None,
        expires_at: None,
        policies: Policies::default(),
        ..accepted.clone()
    }));
    let [delivered, ..] = &MessageDelivered::samples()[..] else {
        panic!("no sample")
    };
    let delivered = Body::MessageDelivered(MessageDelivered {
        accepted: Position(3),
        reply_to: None,
        topic: None,
        ..delivered.clone()
    });
    let acked = Body::MessageAcked(MessageAcked {
        claims: vec![claim(3)],
        outcome: AckOutcome::Done,
        note: None,
    });
    vec![
        vec![bare(Actor::Operator, created)],
        vec![
            bare(Actor::Operator, joined),
            full(accepted),
            bare(Actor::Engine, delivered),
            full(acked),
        ],
    ]
}
