//! Applying records: total, and the only way that a state changes.

mod content;
mod effect;
mod member;
mod message;
mod pool;
mod roster;
mod source;
mod wake;
mod wiring;

use heronry_journal::{Noun, Record};

pub(crate) use message::refold;

use crate::State;

/// Applies one record. Total: whatever the journal holds, this evaluates no rule and cannot fail.
pub fn apply(state: &mut State, record: &Record) {
    debug_assert_eq!(
        record.position,
        state.head.next(),
        "records are applied in order"
    );
    state.head = record.position;
    state.time = state.time.max(record.recorded_at);
    change(state, record);
}

fn change(state: &mut State, record: &Record) {
    match record.entry.body.noun() {
        Noun::Pool(body) => pool::apply(state, record, body),
        Noun::Member(body) => member::apply(state, record, body),
        Noun::Message(body) => message::apply(state, record, body),
        Noun::Wake(body) => wake::apply(state, record, body),
        Noun::Effect(body) => effect::apply(state, record, body),
        Noun::Content(body) => content::apply(state, record, body),
        Noun::Source(body) => source::apply(state, record, body),
        Noun::Roster(body) => roster::apply(state, record, body),
        Noun::Wiring(body) => wiring::apply(state, record, body),
        Noun::Nothing(_) => {}
    }
}
