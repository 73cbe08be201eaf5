//! Samples of records about foreign sources of events.

use heronry_types::{Generation, Position, SourceGapReason, SourcePosition};
use proptest::{option, prelude::*};

use super::{SourceAttached, SourceDetached, SourceGap, SourceStep};
use crate::{
    RequestHash,
    samples::{
        self, Sample,
        arbitrary::{generation, id, note, request_hash, word},
    },
};

impl Sample for SourceGap {
    fn samples() -> Vec<Self> {
        vec![Self {
            source: samples::id("runtime-7"),
            after: Some(SourcePosition::Number(41)),
            through: Some(SourcePosition::Number(48)),
            missed: Some(7),
            reason: SourceGapReason::Lagged,
            note: Some("the stream was 7 events behind".to_owned()),
            idempotency_key: samples::id("gap-1"),
            request_hash: RequestHash(*b"the request hash"),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let places = (option::of(place()), option::of(place()));
        let why = (option::of(any::<u64>()), word(), note());
        let asked = (id(), request_hash());
        (id(), places, why, asked)
            .prop_map(|(source, (after, through), why, asked)| Self {
                source,
                after,
                through,
                missed: why.0,
                reason: why.1,
                note: why.2,
                idempotency_key: asked.0,
                request_hash: asked.1,
            })
            .boxed()
    }
}

impl Sample for SourceAttached {
    fn samples() -> Vec<Self> {
        vec![Self {
            source: samples::id("runtime-7"),
            instance: samples::id("host-1:4711"),
            replaced: Some(Generation(Position(290))),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), id(), option::of(generation()))
            .prop_map(|(source, instance, replaced)| Self {
                source,
                instance,
                replaced,
            })
            .boxed()
    }
}

impl Sample for SourceDetached {
    fn samples() -> Vec<Self> {
        vec![Self {
            source: samples::id("runtime-7"),
            generation: Generation(Position(290)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (id(), generation())
            .prop_map(|(source, generation)| Self { source, generation })
            .boxed()
    }
}

/// Any place in a source.
fn place() -> BoxedStrategy<SourcePosition> {
    prop_oneof![
        any::<u64>().prop_map(SourcePosition::Number),
        id().prop_map(SourcePosition::Id),
    ]
    .boxed()
}

/// Any step of a source.
pub(crate) fn step() -> BoxedStrategy<SourceStep> {
    (id(), place())
        .prop_map(|(source, position)| SourceStep { source, position })
        .boxed()
}
