//! Dead letters: copies that were claimed too often, or expired after a replay, and giving them another chance.

use std::collections::BTreeMap;

use heronry_journal::{Body, CopyName, Entry, FetchedCopy, MessageDeadLettered, MessageReplayed};
use heronry_types::{
    CopyStanding, CopyState, Cursor, DeadReason, LimitName, Position, ReleaseReason, RunId,
    Timestamp,
};

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{
        guard,
        message::settle::{self, CopyEnd},
    },
    state::{CopySlot, Message, MessageAt},
};

/// Returns why a claimed copy that is given back now is dead, when it is.
///
/// A message that is over for everybody ends its copies by itself, and so does an expiry while the
/// message is open; a copy that was replayed after that has nobody else to end it.
pub(in crate::decide) fn dies(
    state: &State,
    message: &Message,
    run: &RunId,
    now: Timestamp,
    why: ReleaseReason,
) -> Option<DeadReason> {
    if message.is_withdrawn() {
        return None;
    }
    if message.is_past_expiry(now) {
        return (!message.is_open()).then_some(DeadReason::Expired);
    }
    let attempts = u64::from(message.copy_of(run)?.attempts);
    let is_last = attempts >= state.settings.limits.get(LimitName::AttemptsMax);
    match why {
        ReleaseReason::Lapsed => is_last.then_some(DeadReason::Lapsed),
        ReleaseReason::Released | ReleaseReason::Dormant => is_last.then_some(DeadReason::Released),
        ReleaseReason::TakenOver | ReleaseReason::Unanswered => None,
    }
}

/// Copies that die together.
#[derive(Debug, Default)]
pub(in crate::decide) struct Dying {
    by_run: BTreeMap<(RunId, DeadReason), Vec<FetchedCopy>>,
    by_message: BTreeMap<Position, Vec<CopyEnd>>,
}

impl Dying {
    /// Adds a recipient's copy.
    pub(in crate::decide) fn add(
        &mut self,
        MessageAt { accepted, message }: MessageAt<'_>,
        run: &RunId,
        reason: DeadReason,
    ) {
        let Some(index) = message.index_of(run) else {
            return;
        };
        let attempt = message.copies.get(index).map_or(0, |copy| copy.attempts);
        let message_id = message.accepted.message_id.clone();
        let copy = CopyName {
            accepted,
            message_id,
        };
        let dead = FetchedCopy { copy, attempt };
        let of_run = self.by_run.entry((run.clone(), reason)).or_default();
        of_run.push(dead);
        let standing = CopyStanding {
            state: CopyState::Dead,
            attempt,
            why: None,
            outcome: None,
        };
        self.by_message
            .entry(accepted)
            .or_default()
            .push(CopyEnd { index, standing });
    }

    /// Adds every copy of a message that waits to be claimed after the message has expired.
    pub(in crate::decide) fn add_expired(&mut self, dead: MessageAt<'_>) {
        let message = dead.message;
        for (run, copy) in message.recipients.0.iter().zip(&message.copies) {
            if matches!(copy.slot, CopySlot::Queued { .. }) {
                self.add(dead, run, DeadReason::Expired);
            }
        }
    }

    /// Returns the records: who loses which copies, and the messages that are over with that.
    pub(in crate::decide) fn entries(self, state: &State) -> Vec<Entry> {
        let lettered = self.by_run.into_iter().map(|((run, reason), copies)| {
            let body = MessageDeadLettered { copies, reason };
            Author::engine(state.lineage_of(&run)).last_entry(Body::MessageDeadLettered(body))
        });
        let mut entries: Vec<Entry> = lettered.collect();
        let ends = self.by_message.iter();
        entries.extend(ends.filter_map(|(at, ends)| settle::settled_with(state, *at, ends)));
        entries
    }
}

/// Gives a recipient a new copy of a message whose copy is dead; its attempts start anew.
#[derive(Clone, Debug)]
pub struct ReplayCopy {
    /// The authenticated caller.
    pub caller: Caller,
    /// The recipient.
    pub run: RunId,
    /// The acceptance of the message.
    pub accepted: Cursor,
}

impl Command for ReplayCopy {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        let accepted = state.locate(self.accepted)?;
        let message = state.messages.get(accepted);
        let message = message.ok_or(Rejection::DeadLetterNotFound)?;
        let copy = message.copy_of(&self.run);
        let standing = copy.ok_or(Rejection::DeadLetterNotFound)?.standing();
        if standing.state != CopyState::Dead {
            let state = standing.state;
            return Err(Rejection::NotDead { state });
        }
        if message.is_withdrawn() || message.is_past_expiry(cx.now) {
            return Err(Rejection::MessageOver);
        }
        let depth = state.settings.limits.get(LimitName::InboxDepthMax);
        if member.inbox.depth() >= depth {
            return Err(Rejection::InboxFull { depth });
        }
        let message_id = message.accepted.message_id.clone();
        let body = MessageReplayed {
            copy: CopyName {
                accepted,
                message_id,
            },
        };
        let author = Author::member(state, &self.caller, member).caused_by(accepted);
        let entry = author.last_entry(Body::MessageReplayed(body));
        Ok(Decision::Write(Draft::of(vec![entry])))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
