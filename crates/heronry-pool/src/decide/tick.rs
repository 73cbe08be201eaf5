//! What is due: deadlines are decided before anything else of their time.

use std::collections::BTreeMap;

use heronry_journal::{
    Body, Claim, CopyName, Entry, MessageExpired, MessageReleased, WakeTimedOut,
};
use heronry_types::{
    CopyStanding, CopyState, MessageId, Position, ReleaseReason, RunId, Timestamp,
};

use super::draft::Author;
use crate::{State, state::Due};

/// How many deadlines one append decides at the most.
const DUE_MAX: usize = 1_024;

/// Returns the records of what is due at `now`; at most about a thousand, so call it until it has none.
pub(crate) fn due_entries(state: &State, now: Timestamp) -> Vec<Entry> {
    let mut lapsed: BTreeMap<&RunId, Vec<(Claim, MessageId)>> = BTreeMap::new();
    let mut entries = Vec::new();
    for due in state.deadlines.due(now).take(DUE_MAX) {
        match due {
            Due::Expiry(accepted) => entries.extend(expired(state, *accepted)),
            Due::WakeTimeout(registered) => entries.extend(timed_out(state, *registered)),
            Due::Lapse(run, claim) => {
                let message = state.messages.get(claim.accepted);
                let named = message.map(|m| (*claim, m.accepted.message_id.clone()));
                lapsed.entry(run).or_default().extend(named);
            }
        }
    }
    entries.extend(lapsed.into_iter().map(|(run, claims)| {
        let reason = ReleaseReason::Lapsed;
        let body = MessageReleased {
            claims,
            reason,
            visible_at: None,
        };
        Author::engine(state.lineage_of(run)).entry(Body::MessageReleased(body))
    }));
    entries
}

fn expired(state: &State, accepted: Position) -> Option<Entry> {
    let message = state.messages.get(accepted)?;
    let end = |mut standing: CopyStanding| {
        if standing.state == CopyState::Queued {
            standing.state = CopyState::Expired;
        }
        standing
    };
    let body = MessageExpired {
        message: CopyName {
            accepted,
            message_id: message.accepted.message_id.clone(),
        },
        copies: message
            .copies
            .iter()
            .map(|copy| end(copy.standing()))
            .collect(),
    };
    let author = Author::engine(message.lineage.clone()).caused_by(accepted);
    Some(author.entry(Body::MessageExpired(body)))
}

fn timed_out(state: &State, registered: Position) -> Option<Entry> {
    let wake = state.wakes.get(registered)?;
    let wake_id = wake.registered.wake_id.clone();
    let author = Author::engine(state.lineage_of(&wake.run)).caused_by(registered);
    Some(author.entry(Body::WakeTimedOut(WakeTimedOut {
        registered,
        wake_id,
    })))
}
