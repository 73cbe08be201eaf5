//! Projecting where an event comes from, when that is a foreign source.

use heronry_journal::{SourceGap, SourceStep};
use heronry_types::{SourceId, SourceKind, SourceRef};

use super::put;

/// Returns a foreign source.
pub(super) fn named(source: &SourceId) -> SourceRef {
    SourceRef::new(SourceKind::ExternalRuntime, source.clone())
}

/// Returns a foreign source, with the place of an event there.
pub(super) fn of_step(step: &SourceStep) -> SourceRef {
    let mut source = named(&step.source);
    put(&mut source.correlation, "position", &step.position);
    source
}

/// Returns a foreign source, with what is missing of it.
pub(super) fn of_gap(gap: &SourceGap) -> SourceRef {
    let mut source = named(&gap.source);
    let said = &mut source.correlation;
    put(said, "reason", &gap.reason);
    for (name, place) in [("after", &gap.after), ("through", &gap.through)] {
        if let Some(place) = place {
            put(said, name, place);
        }
    }
    if let Some(missed) = &gap.missed {
        put(said, "missed", missed);
    }
    source
}
