//! Samples of records about wakes.

use heronry_types::{
    Condition, Count, DistinctBy, EventKind, IdempotencyKey, Millis, Position, ResumeWith, RunId,
    SuspendFor, Timestamp, WakeFailure, WakeId, WakeReason,
};
use proptest::{option, prelude::*};

use super::{
    ConditionRegistered, CountedEvent, DeadlockSuspected, DistinctHash, WakeCancelled, WakeFailed,
    WakeOrphaned, WakeRegistered, WakeScanned, WakeTimedOut, WakeTriggered, WakeTriggeredBy,
};
use crate::{
    RequestHash, WakeName,
    samples::{
        self, Sample,
        arbitrary::{few, id, millis, policies, position, request_hash, time, word},
    },
};

fn wake_id() -> WakeId {
    WakeId::parse("wake-4").unwrap()
}

fn registered() -> WakeRegistered {
    WakeRegistered {
        wake_id: wake_id(),
        filter: "kind == \"message_delivered\" && topic == \"findings\"".to_owned(),
        language: 1,
        fingerprint: *b"the filter's fingerprint, sha256",
        since: Position(298),
        timeout_ms: Some(Millis(30_000)),
        deadline: Some(Timestamp::from_millis(1_795_162_560_125)),
        resume_with: ResumeWith::Summary,
        include_wakes: true,
        idempotency_key: IdempotencyKey::parse("wait-0042").unwrap(),
        request_hash: RequestHash(*b"request's 16 hex"),
        scan_to: None,
        suspends: None,
        policies: None,
    }
}

/// A registration whose earlier events are still to be looked through.
fn held() -> WakeRegistered {
    WakeRegistered {
        scan_to: Some(Position(303)),
        ..registered()
    }
}

/// A registration that suspends its run.
fn suspending() -> WakeRegistered {
    WakeRegistered {
        suspends: Some(SuspendFor::Timeout),
        ..held()
    }
}

/// A registration that carries policies.
fn carrying() -> WakeRegistered {
    WakeRegistered {
        policies: Some(Box::new(samples::policies())),
        ..suspending()
    }
}

impl Sample for WakeRegistered {
    fn samples() -> Vec<Self> {
        vec![registered(), held(), suspending(), carrying()]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        any_registration().boxed()
    }
}

fn any_registration() -> impl Strategy<Value = WakeRegistered> {
    let filter = (".{0,60}", any::<u16>(), any::<[u8; 32]>());
    let waits = (
        position(),
        option::of(millis()),
        option::of(time()),
        word(),
        any::<bool>(),
    );
    let later = (
        option::of(position()),
        option::of(word()),
        option::of(policies()),
    );
    (id(), filter, waits, (id(), request_hash()), later).prop_map(
        |(wake_id, filter, waits, (idempotency_key, request_hash), later)| {
            let (scan_to, suspends, policies) = later;
            let (filter, language, fingerprint) = filter;
            let (since, timeout_ms, deadline, resume_with, include_wakes) = waits;
            WakeRegistered {
                wake_id,
                filter,
                language,
                fingerprint,
                since,
                timeout_ms,
                deadline,
                resume_with,
                include_wakes,
                idempotency_key,
                request_hash,
                scan_to,
                suspends,
                policies: policies.map(Box::new),
            }
        },
    )
}

impl Sample for ConditionRegistered {
    fn samples() -> Vec<Self> {
        let completed = EventKind::RunCompleted;
        vec![
            condition_registered(registered(), completed),
            condition_registered(held(), completed),
            condition_registered(registered(), EventKind::WakeConditionOrphaned),
            condition_registered(registered(), EventKind::ContentErased),
            condition_registered(carrying(), EventKind::ContentErased),
            condition_registered(carrying(), EventKind::ContentStored),
        ]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any_registration(), any_condition(), few(any_counted()))
            .prop_map(|(wake, condition, counted)| Self {
                wake,
                condition,
                counted,
            })
            .boxed()
    }
}

fn condition_registered(wake: WakeRegistered, kind: EventKind) -> ConditionRegistered {
    let filter = |text: &str| Condition::Filter(text.to_owned());
    let count = Condition::Count(Count {
        n: 3,
        filter: "kind == \"run_completed\"".to_owned(),
        distinct_by: DistinctBy::Run,
    });
    let any = Condition::AnyOf(vec![filter("terminal"), filter("topic == \"findings\"")]);
    ConditionRegistered {
        wake: WakeRegistered {
            filter: "all_of(any_of(…), count(3, run, …))".to_owned(),
            fingerprint: *b"the whole condition's, in sha256",
            ..wake
        },
        condition: Condition::AllOf(vec![any, count]),
        counted: vec![counted(kind)],
    }
}

fn counted(kind: EventKind) -> CountedEvent {
    CountedEvent {
        clause: 2,
        by: WakeTriggeredBy {
            position: Position(299),
            kind,
        },
        distinct: DistinctHash(*b"half of a blake3"),
    }
}

fn any_condition() -> BoxedStrategy<Condition> {
    let count = (any::<u32>(), ".{0,20}", word()).prop_map(|(n, filter, distinct_by)| {
        Condition::Count(Count {
            n,
            filter,
            distinct_by,
        })
    });
    let leaf = prop_oneof![".{0,20}".prop_map(Condition::Filter), count];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            few(inner.clone()).prop_map(Condition::AnyOf),
            few(inner).prop_map(Condition::AllOf),
        ]
    })
    .boxed()
}

fn any_counted() -> impl Strategy<Value = CountedEvent> {
    let counted = (any::<u32>(), any_match(), any::<[u8; 16]>());
    counted.prop_map(|(clause, by, distinct)| CountedEvent {
        clause,
        by,
        distinct: DistinctHash(distinct),
    })
}

fn any_match() -> impl Strategy<Value = WakeTriggeredBy> {
    (position(), word()).prop_map(|(position, kind)| WakeTriggeredBy { position, kind })
}

impl Sample for WakeScanned {
    fn samples() -> Vec<Self> {
        let of_kind = |kind| Self {
            registered: Position(304),
            wake_id: wake_id(),
            counted: vec![counted(kind)],
        };
        vec![
            of_kind(EventKind::RunCompleted),
            of_kind(EventKind::AgentPoolDeadlockSuspected),
            of_kind(EventKind::ContentErased),
            of_kind(EventKind::ContentStored),
        ]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (position(), id(), few(any_counted()))
            .prop_map(|(registered, wake_id, counted)| Self {
                registered,
                wake_id,
                counted,
            })
            .boxed()
    }
}

impl Sample for WakeTriggered {
    fn samples() -> Vec<Self> {
        let of_kind = |kind| Self {
            registered: Position(304),
            wake_id: wake_id(),
            matches: vec![WakeTriggeredBy {
                position: Position(305),
                kind,
            }],
            more_follow: true,
        };
        vec![
            of_kind(EventKind::RunMessageDelivered),
            of_kind(EventKind::EffectResultRefused),
            of_kind(EventKind::ContentErased),
            of_kind(EventKind::ContentStored),
        ]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (position(), id(), few(any_match()), any::<bool>())
            .prop_map(|(registered, wake_id, matches, more_follow)| Self {
                registered,
                wake_id,
                matches,
                more_follow,
            })
            .boxed()
    }
}

/// Samples of records that name a wake, and at most one thing more.
macro_rules! of_wake {
    ($($kind:ident { $($field:ident: $sample:expr)? },)*) => {
        $(
            impl Sample for $kind {
                fn samples() -> Vec<Self> {
                    vec![Self {
                        registered: Position(304),
                        wake_id: wake_id(),
                        $($field: $sample,)?
                    }]
                }

                fn arbitrary() -> BoxedStrategy<Self> {
                    (WakeName::arbitrary(), $(of_wake!(word $field))?)
                        .prop_map(|(name, $($field)?)| Self {
                            registered: name.registered,
                            wake_id: name.wake_id,
                            $($field,)?
                        })
                        .boxed()
                }
            }
        )*
    };
    (word $field:ident) => { word() };
}

of_wake! {
    WakeTimedOut {},
    WakeCancelled { reason: WakeReason::Left },
    WakeOrphaned {},
    WakeFailed { why: WakeFailure::Trimmed },
}

impl Sample for DeadlockSuspected {
    fn samples() -> Vec<Self> {
        vec![Self {
            runs: vec![
                RunId::parse("lead").unwrap(),
                RunId::parse("scout").unwrap(),
            ],
            wakes: vec![WakeName {
                registered: Position(304),
                wake_id: wake_id(),
            }],
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (few(id()), few(WakeName::arbitrary()))
            .prop_map(|(runs, wakes)| Self { runs, wakes })
            .boxed()
    }
}
