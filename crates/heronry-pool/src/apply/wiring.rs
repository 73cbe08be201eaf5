//! Applying records of edges, aliases and labels.

use heronry_journal::{Record, WiringRecord};

use crate::State;

/// Applies a record that changes edges, aliases or labels.
pub(super) fn apply(state: &mut State, record: &Record, body: WiringRecord<'_>) {
    let (at, wiring) = (record.position, &mut state.wiring);
    match body {
        WiringRecord::EdgeWired(body) => {
            wiring.wire(at, body);
            state.members.forget_reach();
        }
        WiringRecord::EdgeUnwired(body) => {
            wiring.unwire(at, body);
            state.members.forget_reach();
        }
        WiringRecord::LabelsChanged(body) => {
            wiring.set_labels(record.entry.lineage.run.as_ref(), &body.labels);
        }
        WiringRecord::AliasSet(body) => wiring.set_alias(at, body),
        WiringRecord::AliasRemoved(body) => wiring.remove_alias(body),
    }
}
