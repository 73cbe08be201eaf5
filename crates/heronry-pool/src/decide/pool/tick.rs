//! Deadlines that are due: they are decided before anything else of their time.

use std::collections::BTreeMap;

use heronry_journal::{
    Body, Claim, CopyName, Entry, MessageExpired, MessageReleased, WakeTimedOut,
};
use heronry_types::{
    CopyStanding, CopyState, MessageId, Position, ReleaseReason, RunId, Timestamp,
};

use crate::{
    State,
    command::Author,
    decide::{
        content::store,
        message::{
            dead::{self, Dying},
            reply,
        },
    },
    state::{Due, Message, MessageAt},
};

/// The highest number of deadlines that one append decides.
const DUE_MAX: usize = 1_024;

/// Returns the records of what is due at `now`; at most about a thousand, so call it until it has none.
pub(crate) fn due_entries(state: &State, now: Timestamp) -> Vec<Entry> {
    entries_of(state, state.deadlines.due(now), now)
}

/// Returns the records of what is due at `now` of messages and bodies, as [`due_entries`].
pub(crate) fn due_entries_of_contents(state: &State, now: Timestamp) -> Vec<Entry> {
    entries_of(state, state.deadlines.due_of_contents(now), now)
}

fn entries_of<'a>(
    state: &'a State,
    due: impl Iterator<Item = &'a Due>,
    now: Timestamp,
) -> Vec<Entry> {
    let mut lapsed: BTreeMap<&RunId, Vec<(Claim, MessageId)>> = BTreeMap::new();
    let mut entries = Vec::new();
    let mut dying = Dying::default();
    for due in due.take(DUE_MAX) {
        match due {
            Due::Expiry(accepted) => match state.messages.get(*accepted) {
                Some(message) if reply::waits_shorter(message, now) => {}
                Some(message) if message.is_open() => entries.push(expired(*accepted, message)),
                Some(message) => {
                    let accepted = *accepted;
                    dying.add_expired(MessageAt { accepted, message });
                }
                None => {}
            },
            Due::ReplyTimeout(accepted) => entries.extend(reply::timed_out(state, *accepted, now)),
            Due::WakeTimeout(registered) => entries.extend(timed_out(state, *registered)),
            Due::UnnamedContent(content) => entries.extend(store::expired(state, *content)),
            // They are decided after the others, one at a time: what they do depends on them.
            Due::LostKeep(_) | Due::Suspended(_) => {}
            Due::Lapse(run, claim) => {
                let Some(message) = state.messages.get(claim.accepted) else {
                    continue;
                };
                let why = ReleaseReason::Lapsed;
                if let Some(reason) = dead::dies(state, message, run, now, why) {
                    let accepted = claim.accepted;
                    dying.add(MessageAt { accepted, message }, run, reason);
                } else {
                    let named = (*claim, message.accepted.message_id.clone());
                    lapsed.entry(run).or_default().push(named);
                }
            }
        }
    }
    // What ends whole messages comes before what ends their last copies, which stays due until then.
    if entries.is_empty() && lapsed.is_empty() {
        return dying.entries(state);
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

fn expired(accepted: Position, message: &Message) -> Entry {
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
    author.last_entry(Body::MessageExpired(body))
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
