//! Arbitrary records, for property tests: what their parts have in common.

use std::fmt::Debug;

use heronry_types::{
    Actor, CopyStanding, Epoch, Generation, Id, IdKind, Labels, Lineage, Millis, Policies,
    PolicyRef, Position, Timestamp, Trace, Visibility, Vocabulary,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{Body, Claim, CopyName, Entry, FetchedCopy, RequestHash};

/// Any record.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    (lineage(), actor(), visibility(), Body::arbitrary()).prop_map(
        |(lineage, actor, visibility, body)| Entry {
            lineage,
            actor,
            visibility,
            body,
        },
    )
}

pub(crate) fn id<K: IdKind>() -> impl Strategy<Value = Id<K>> {
    let text = prop_oneof![
        4 => "[a-z][a-z0-9-]{0,35}",
        1 => "[^\\p{Cc}]{1,40}",
        1 => Just("x".repeat(heronry_types::ID_BYTES_MAX)),
    ];
    text.prop_map(|text| Id::parse(text).unwrap())
}

pub(crate) fn word<V: Vocabulary + Debug>() -> impl Strategy<Value = V> {
    select(V::ALL)
}

pub(crate) fn epoch() -> impl Strategy<Value = Epoch> {
    any::<[u8; 16]>().prop_map(Epoch)
}

pub(crate) fn position() -> impl Strategy<Value = Position> {
    prop_oneof![0..1_000_u64, any::<u64>()].prop_map(Position)
}

pub(crate) fn generation() -> impl Strategy<Value = Generation> {
    position().prop_map(Generation)
}

pub(crate) fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

pub(crate) fn millis() -> impl Strategy<Value = Millis> {
    any::<u64>().prop_map(Millis)
}

pub(crate) fn few<T: Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    vec(item, 0..4)
}

pub(crate) fn note() -> impl Strategy<Value = Option<String>> {
    option::of(".{0,40}")
}

fn lineage() -> impl Strategy<Value = Lineage> {
    let run = (
        option::of(id()),
        option::of(id()),
        option::of(id()),
        option::of(id()),
    );
    let causes = (
        few((id(), id())),
        option::of(position()),
        option::of(trace()),
        option::weighted(0.2, labels()),
    );
    (id(), run, causes).prop_map(|(pool, (run, agent, session, turn), causes)| {
        let (correlation, caused_by, trace, labels) = causes;
        Lineage {
            pool,
            run,
            agent,
            session,
            turn,
            correlation: correlation.into_iter().collect(),
            caused_by,
            trace,
            labels: labels.map(Box::new),
        }
    })
}

/// Any labels, but no empty ones.
pub(crate) fn labels() -> impl Strategy<Value = Labels> {
    let some = vec(["[a-z]{1,8}", "[^\\p{Cc}]{0,12}"], 1..4);
    some.prop_filter_map("a name twice", |some| {
        let mut labels = Labels::new();
        for [name, value] in some {
            labels.add(name, value).ok()?;
        }
        Some(labels)
    })
}

fn trace() -> impl Strategy<Value = Trace> {
    any::<([u8; 16], [u8; 8], u8)>().prop_map(|(trace_id, span_id, flags)| Trace {
        trace_id,
        span_id,
        flags,
    })
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        Just(Actor::Engine),
        Just(Actor::Operator),
        (id(), generation()).prop_map(|(run, generation)| Actor::Member { run, generation }),
    ]
}

fn visibility() -> impl Strategy<Value = Visibility> {
    prop_oneof![Just(Visibility::InScope), Just(Visibility::OutOfScope)]
}

pub(crate) fn policies() -> impl Strategy<Value = Policies> {
    let policy = (word(), id(), option::of(id())).prop_map(|(kind, id, version)| PolicyRef {
        kind,
        id,
        version,
    });
    few(policy).prop_map(|policies| policies.into_iter().collect())
}

pub(crate) fn copy() -> impl Strategy<Value = CopyName> {
    (position(), id()).prop_map(|(accepted, message_id)| CopyName {
        accepted,
        message_id,
    })
}

pub(crate) fn claim() -> impl Strategy<Value = Claim> {
    (position(), position()).prop_map(|(accepted, fetched)| Claim { accepted, fetched })
}

pub(crate) fn request_hash() -> impl Strategy<Value = RequestHash> {
    any::<[u8; 16]>().prop_map(RequestHash)
}

pub(crate) fn standings() -> impl Strategy<Value = Vec<CopyStanding>> {
    let standing = (word(), any::<u32>(), option::of(word()), option::of(word()));
    few(
        standing.prop_map(|(state, attempt, why, outcome)| CopyStanding {
            state,
            attempt,
            why,
            outcome,
        }),
    )
}

pub(crate) fn lease() -> impl Strategy<Value = Option<Millis>> {
    option::of(millis())
}

/// A copy, and how often it was handed over.
pub(crate) fn counted_copy() -> impl Strategy<Value = FetchedCopy> {
    (copy(), any::<u32>()).prop_map(|(copy, attempt)| FetchedCopy { copy, attempt })
}
