//! Records about wakes.

use heronry_types::{
    Condition, Count, DistinctBy, EventKind, IdempotencyKey, Millis, Position, ResumeWith, RunId,
    SuspendFor, Timestamp, WakeFailure, WakeId, WakeReason,
};

use crate::{
    Body, ConditionRegistered, CountedEvent, DeadlockSuspected, DistinctHash, RequestHash,
    WakeCancelled, WakeFailed, WakeName, WakeOrphaned, WakeRegistered, WakeScanned, WakeTimedOut,
    WakeTriggered, WakeTriggeredBy,
};

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
        policies: Some(Box::new(super::policies())),
        ..suspending()
    }
}

fn condition_registered(wake: WakeRegistered, counted: CountedEvent) -> ConditionRegistered {
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
        counted: vec![counted],
    }
}

fn wake_id() -> WakeId {
    WakeId::parse("wake-4").unwrap()
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

fn scanned(kind: EventKind) -> Body {
    Body::WakeScanned(WakeScanned {
        registered: Position(304),
        wake_id: wake_id(),
        counted: vec![counted(kind)],
    })
}

fn triggered(kind: EventKind) -> Body {
    Body::WakeTriggered(WakeTriggered {
        registered: Position(304),
        wake_id: wake_id(),
        matches: vec![WakeTriggeredBy {
            position: Position(305),
            kind,
        }],
        more_follow: true,
    })
}

fn condition(wake: WakeRegistered, kind: EventKind) -> Body {
    let registered = condition_registered(wake, counted(kind));
    Body::ConditionRegistered(Box::new(registered))
}

/// Those that are still written in an earlier version.
pub(super) fn earlier() -> Vec<(&'static str, Body)> {
    let completed = EventKind::RunCompleted;
    let erased = EventKind::ContentErased;
    vec![
        (
            "40.1-wake-registered",
            Body::WakeRegistered(Box::new(registered())),
        ),
        (
            "40.2-wake-registered",
            Body::WakeRegistered(Box::new(held())),
        ),
        (
            "40.3-wake-registered",
            Body::WakeRegistered(Box::new(suspending())),
        ),
        (
            "41.1-wake-triggered",
            triggered(EventKind::RunMessageDelivered),
        ),
        (
            "44.1-condition-registered",
            condition(registered(), completed),
        ),
        ("44.2-condition-registered", condition(held(), completed)),
        ("45.1-wake-scanned", scanned(completed)),
        (
            "41.2-wake-triggered",
            triggered(EventKind::EffectResultRefused),
        ),
        (
            "44.3-condition-registered",
            condition(registered(), EventKind::WakeConditionOrphaned),
        ),
        (
            "44.4-condition-registered",
            condition(registered(), EventKind::ContentErased),
        ),
        (
            "45.2-wake-scanned",
            scanned(EventKind::AgentPoolDeadlockSuspected),
        ),
        ("41.3-wake-triggered", triggered(erased)),
        ("44.5-condition-registered", condition(carrying(), erased)),
        ("45.3-wake-scanned", scanned(erased)),
    ]
}

pub(super) fn wakes() -> Vec<(&'static str, Body)> {
    let failed = WakeFailed {
        registered: Position(304),
        wake_id: wake_id(),
        why: WakeFailure::Trimmed,
    };
    let timed_out = WakeTimedOut {
        registered: Position(304),
        wake_id: wake_id(),
    };
    let cancelled = WakeCancelled {
        registered: Position(304),
        wake_id: wake_id(),
        reason: WakeReason::Left,
    };
    let stored = EventKind::ContentStored;
    let suspected = DeadlockSuspected {
        runs: vec![
            RunId::parse("lead").unwrap(),
            RunId::parse("scout").unwrap(),
        ],
        wakes: vec![WakeName {
            registered: Position(304),
            wake_id: wake_id(),
        }],
    };
    let orphaned = WakeOrphaned {
        registered: Position(304),
        wake_id: wake_id(),
    };
    vec![
        (
            "40.4-wake-registered",
            Body::WakeRegistered(Box::new(carrying())),
        ),
        ("41.4-wake-triggered", triggered(stored)),
        ("42.1-wake-timed-out", Body::WakeTimedOut(timed_out)),
        ("43.1-wake-cancelled", Body::WakeCancelled(cancelled)),
        ("44.6-condition-registered", condition(carrying(), stored)),
        ("45.4-wake-scanned", scanned(stored)),
        (
            "46.1-deadlock-suspected",
            Body::DeadlockSuspected(suspected),
        ),
        ("47.1-wake-orphaned", Body::WakeOrphaned(orphaned)),
        ("49.1-wake-failed", Body::WakeFailed(failed)),
    ]
}
