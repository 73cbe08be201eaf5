//! Applying records about bodies that were stored by themselves.

use heronry_journal::{ContentErased, ContentRecord, ContentStored, Record};
use heronry_types::ContentRef;

use crate::{
    State,
    state::{Due, UnnamedContent},
};

/// Applies a record that changes bodies.
pub(super) fn apply(state: &mut State, record: &Record, body: ContentRecord<'_>) {
    match body {
        ContentRecord::ContentErased(body) => erased(state, record, body),
        ContentRecord::ContentStored(body) => stored(state, record, body),
    }
}

fn stored(state: &mut State, record: &Record, body: &ContentStored) {
    leaves(state, body.content_ref);
    let due = Due::UnnamedContent(body.content_ref);
    state.deadlines.insert(body.expires_at, due);
    let unnamed = UnnamedContent::of(record, body);
    state.unnamed.insert(body.content_ref, unnamed);
}

/// A message names the body: it is kept as long as the journal.
pub(super) fn named(state: &mut State, content_ref: ContentRef) {
    leaves(state, content_ref);
}

fn erased(state: &mut State, record: &Record, body: &ContentErased) {
    if body.stored_with.is_none() {
        leaves(state, body.content_ref);
        state.unnamed.note_erasure(record.position);
    }
}

fn leaves(state: &mut State, content_ref: ContentRef) {
    if let Some(unnamed) = state.unnamed.remove(content_ref) {
        let due = Due::UnnamedContent(content_ref);
        state.deadlines.remove(unnamed.expires_at, due);
    }
}
