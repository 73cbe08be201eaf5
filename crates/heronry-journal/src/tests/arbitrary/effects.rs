//! Arbitrary records about effects.

use heronry_types::EffectResult;
use proptest::{option, prelude::*};

use super::{generation, id, note, position, request_hash, word};
use crate::{
    Body, EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused,
};

fn result() -> impl Strategy<Value = EffectResult> {
    (word(), note()).prop_map(|(outcome, note)| EffectResult { outcome, note })
}

fn key() -> impl Strategy<Value = EffectKey> {
    (id(), request_hash()).prop_map(|(idempotency_key, request_hash)| EffectKey {
        idempotency_key,
        request_hash,
    })
}

pub(super) fn effects() -> impl Strategy<Value = Body> {
    let ended = || (position(), option::of(any::<u32>()), result());
    let intended = (".{0,40}", generation(), option::of(key()));
    let intended = intended.prop_map(|(what, generation, key)| {
        Body::EffectIntended(EffectIntended {
            what,
            generation,
            key,
        })
    });
    let attempted = (position(), any::<u32>(), generation());
    let attempted = attempted.prop_map(|(intended, attempt, generation)| {
        Body::EffectAttempted(EffectAttempted {
            intended,
            attempt,
            generation,
        })
    });
    let refused = (ended(), word()).prop_map(|((intended, attempt, result), fault)| {
        Body::EffectResultRefused(EffectResultRefused {
            intended,
            attempt,
            result,
            fault,
        })
    });
    let completed = ended().prop_map(|(intended, attempt, result)| {
        Body::EffectCompleted(EffectCompleted {
            intended,
            attempt,
            result,
        })
    });
    prop_oneof![intended, attempted, completed, refused]
}
