//! Applying records of what is reported, and of the sources that it comes from.

use heronry_journal::{ApplicationEvent, Record, SourceGap, SourceRecord};

use crate::{State, state::SourceBatch};

/// Applies a record of what is reported, or of its source.
pub(super) fn apply(state: &mut State, record: &Record, body: SourceRecord<'_>) {
    let actor = &record.entry.actor;
    match body {
        SourceRecord::ApplicationEvent(body) => reported(state, record, body),
        SourceRecord::SourceGap(body) => gap(state, record, body),
        SourceRecord::SourceAttached(body) => state.sources.attach(record.position, actor, body),
        SourceRecord::SourceDetached(body) => state.sources.detach(&body.source),
    }
}

fn reported(state: &mut State, record: &Record, body: &ApplicationEvent) {
    let Some(step) = &body.from else {
        return;
    };
    let actor = &record.entry.actor;
    state.sources.take(&step.source, actor, &step.position);
    if let Some(batch) = &body.batch {
        let batch = SourceBatch {
            first: record.position,
            count: batch.count,
        };
        state.sources.note_batch(&step.source, batch);
    }
}

fn gap(state: &mut State, record: &Record, body: &SourceGap) {
    let actor = &record.entry.actor;
    state.sources.name(&body.source, actor);
    if let Some(through) = &body.through {
        state.sources.take(&body.source, actor, through);
    }
}
