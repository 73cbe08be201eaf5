//! Records about effects.

use heronry_types::{EffectFault, EffectResult, Generation, Position};

use super::id;
use crate::{
    Body, EffectAttempted, EffectCompleted, EffectIntended, EffectKey, EffectResultRefused,
    RequestHash,
};

pub(super) fn effects() -> Vec<(&'static str, Body)> {
    let generation = Generation(Position(3));
    let intended = EffectIntended {
        what: "publish the report".to_owned(),
        generation,
        key: Some(EffectKey {
            idempotency_key: id("publish-0042"),
            request_hash: RequestHash(*b"request's 16 hex"),
        }),
    };
    let attempted = EffectAttempted {
        intended: Position(302),
        attempt: 2,
        generation,
    };
    let result = EffectResult::failed().with_note("no route to host");
    let completed = EffectCompleted {
        intended: Position(302),
        attempt: Some(2),
        result: result.clone(),
    };
    let refused = EffectResultRefused {
        intended: Position(302),
        attempt: Some(1),
        result,
        fault: EffectFault::Stale,
    };
    vec![
        ("51.1-effect-intended", Body::EffectIntended(intended)),
        ("52.1-effect-attempted", Body::EffectAttempted(attempted)),
        ("53.1-effect-completed", Body::EffectCompleted(completed)),
        (
            "54.1-effect-result-refused",
            Body::EffectResultRefused(refused),
        ),
    ]
}
