//! Applying records about effects.

use heronry_journal::{EffectAttempted, EffectCompleted, EffectIntended, EffectRecord, Record};

use crate::{
    State,
    state::{Effect, EffectEnd},
};

/// Applies a record that changes effects.
pub(super) fn apply(state: &mut State, record: &Record, body: EffectRecord<'_>) {
    match body {
        EffectRecord::EffectIntended(body) => intended(state, record, body),
        EffectRecord::EffectAttempted(body) => attempted(state, body),
        EffectRecord::EffectCompleted(body) => completed(state, record, body),
    }
}

fn intended(state: &mut State, record: &Record, body: &EffectIntended) {
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

fn attempted(state: &mut State, body: &EffectAttempted) {
    let by = body.generation;
    state.effects.attempt(body.intended, body.attempt, by);
}

fn completed(state: &mut State, record: &Record, body: &EffectCompleted) {
    let end = EffectEnd {
        at: record.position,
        attempt: body.attempt,
        result: body.result.clone(),
    };
    state.effects.end(body.intended, end);
}
