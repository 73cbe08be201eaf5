//! Applying records about effects.

use heronry_journal::{EffectAttempted, EffectCompleted, EffectIntended, Record};

use crate::{
    State,
    state::{Effect, EffectEnd},
};

pub(super) fn intended(state: &mut State, record: &Record, body: &EffectIntended) {
    let Some(run) = &record.entry.lineage.run else {
        return;
    };
    let effect = Effect {
        run: run.clone(),
        intended: body.clone(),
        generation: body.generation,
        attempts: 0,
        end: None,
    };
    state.effects.intend(record.position, effect);
}

pub(super) fn attempted(state: &mut State, body: &EffectAttempted) {
    let by = body.generation;
    state.effects.attempt(body.intended, body.attempt, by);
}

pub(super) fn completed(state: &mut State, record: &Record, body: &EffectCompleted) {
    let end = EffectEnd {
        at: record.position,
        attempt: body.attempt,
        result: body.result.clone(),
    };
    state.effects.end(body.intended, end);
}
