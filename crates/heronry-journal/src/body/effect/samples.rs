//! Samples of records about effects.

use heronry_types::{EffectFault, EffectResult, Generation, Position};
use proptest::{option, prelude::*};

use super::{EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused};
use crate::{
    RequestHash,
    samples::{
        Sample,
        arbitrary::{generation, id as any_id, note, position, request_hash, word},
        id,
    },
};

impl Sample for EffectIntended {
    fn samples() -> Vec<Self> {
        vec![Self {
            what: "publish the report".to_owned(),
            generation: Generation(Position(3)),
            key: Some(EffectKey {
                idempotency_key: id("publish-0042"),
                request_hash: RequestHash(*b"request's 16 hex"),
            }),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let key =
            (any_id(), request_hash()).prop_map(|(idempotency_key, request_hash)| EffectKey {
                idempotency_key,
                request_hash,
            });
        (".{0,40}", generation(), option::of(key))
            .prop_map(|(what, generation, key)| Self {
                what,
                generation,
                key,
            })
            .boxed()
    }
}

impl Sample for EffectAttempted {
    fn samples() -> Vec<Self> {
        vec![Self {
            intended: Position(302),
            attempt: 2,
            generation: Generation(Position(3)),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (position(), any::<u32>(), generation())
            .prop_map(|(intended, attempt, generation)| Self {
                intended,
                attempt,
                generation,
            })
            .boxed()
    }
}

impl Sample for EffectCompleted {
    fn samples() -> Vec<Self> {
        vec![Self {
            intended: Position(302),
            attempt: Some(2),
            result: failed(),
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (position(), option::of(any::<u32>()), result())
            .prop_map(|(intended, attempt, result)| Self {
                intended,
                attempt,
                result,
            })
            .boxed()
    }
}

impl Sample for EffectResultRefused {
    fn samples() -> Vec<Self> {
        vec![Self {
            intended: Position(302),
            attempt: Some(1),
            result: failed(),
            fault: EffectFault::Stale,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (position(), option::of(any::<u32>()), result(), word())
            .prop_map(|(intended, attempt, result, fault)| Self {
                intended,
                attempt,
                result,
                fault,
            })
            .boxed()
    }
}

fn failed() -> EffectResult {
    EffectResult::failed().with_note("no route to host")
}

fn result() -> impl Strategy<Value = EffectResult> {
    (word(), note()).prop_map(|(outcome, note)| EffectResult { outcome, note })
}
