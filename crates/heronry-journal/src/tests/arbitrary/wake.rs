//! Arbitrary records about wakes.

use heronry_types::{Condition, Count};
use proptest::prelude::*;

use super::{few, id, millis, option, policies, position, request_hash, time, word};
use crate::{
    Body, ConditionRegistered, CountedEvent, DeadlockSuspected, DistinctHash, WakeCancelled,
    WakeFailed, WakeName, WakeOrphaned, WakeRegistered, WakeScanned, WakeTimedOut, WakeTriggered,
    WakeTriggeredBy,
};

fn registration() -> impl Strategy<Value = WakeRegistered> {
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

fn matched() -> impl Strategy<Value = WakeTriggeredBy> {
    (position(), word()).prop_map(|(position, kind)| WakeTriggeredBy { position, kind })
}

fn condition() -> BoxedStrategy<Condition> {
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

fn counted() -> impl Strategy<Value = CountedEvent> {
    let counted = (any::<u32>(), matched(), any::<[u8; 16]>());
    counted.prop_map(|(clause, by, distinct)| CountedEvent {
        clause,
        by,
        distinct: DistinctHash(distinct),
    })
}

fn scans() -> impl Strategy<Value = Body> {
    let scanned = (position(), id(), few(counted()));
    let scanned = scanned.prop_map(|(registered, wake_id, counted)| {
        Body::WakeScanned(WakeScanned {
            registered,
            wake_id,
            counted,
        })
    });
    let failed = (position(), id(), word()).prop_map(|(registered, wake_id, why)| {
        Body::WakeFailed(WakeFailed {
            registered,
            wake_id,
            why,
        })
    });
    let orphaned = (position(), id()).prop_map(|(registered, wake_id)| {
        Body::WakeOrphaned(WakeOrphaned {
            registered,
            wake_id,
        })
    });
    let name = (position(), id()).prop_map(|(registered, wake_id)| WakeName {
        registered,
        wake_id,
    });
    let suspected = (few(id()), few(name))
        .prop_map(|(runs, wakes)| Body::DeadlockSuspected(DeadlockSuspected { runs, wakes }));
    prop_oneof![scanned, failed, orphaned, suspected]
}

fn conditions() -> impl Strategy<Value = Body> {
    (registration(), condition(), few(counted())).prop_map(|(wake, condition, counted)| {
        Body::ConditionRegistered(Box::new(ConditionRegistered {
            wake,
            condition,
            counted,
        }))
    })
}

pub(super) fn wakes() -> BoxedStrategy<Body> {
    let triggered = (position(), id(), few(matched()), any::<bool>());
    let triggered = triggered.prop_map(|(registered, wake_id, matches, more_follow)| {
        Body::WakeTriggered(WakeTriggered {
            registered,
            wake_id,
            matches,
            more_follow,
        })
    });
    let timed_out = (position(), id()).prop_map(|(registered, wake_id)| {
        Body::WakeTimedOut(WakeTimedOut {
            registered,
            wake_id,
        })
    });
    let cancelled = (position(), id(), word()).prop_map(|(registered, wake_id, reason)| {
        Body::WakeCancelled(WakeCancelled {
            registered,
            wake_id,
            reason,
        })
    });
    let registered = registration().prop_map(|wake| Body::WakeRegistered(Box::new(wake)));
    prop_oneof![
        registered,
        triggered,
        timed_out,
        cancelled,
        conditions(),
        scans()
    ]
    .boxed()
}
