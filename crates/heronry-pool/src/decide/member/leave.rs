//! Leaving a pool, and ending a run.

use heronry_journal::{Body, Entry, MemberLeft, RunEnded, WakeCancelled};
use heronry_types::{CopyStanding, CopyState, RunEnd, RunId, Undeliverable, WakeReason};

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile},
    decide::{guard, message::settle},
    state::Member,
};

/// Leaves the pool: the run's copies end, its wakes are cancelled, the run itself goes on.
#[derive(Clone, Debug)]
pub struct LeavePool {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
}

impl Command for LeavePool {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).reserved_for(&self.run)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        let body = Body::MemberLeft(MemberLeft {
            generation: member.generation,
            reason: Undeliverable::Left,
            members: state.members.len() as u64 - 1,
        });
        let entry = Author::member(state, &self.caller, member).entry(body);
        let whys = Whys {
            copies: Undeliverable::Left,
            wakes: WakeReason::Left,
        };
        Ok(Decision::Write(Draft::of(departure(
            state, member, entry, whys,
        ))))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}

/// Says that a run has ended; it leaves with that, for good.
#[derive(Clone, Debug)]
pub struct EndRun {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run.
    pub run: RunId,
    /// The end of the run.
    pub end: RunEnd,
    /// A short text.
    pub note: Option<String>,
}

impl Command for EndRun {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).reserved_for(&self.run)
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::note(state, self.note.as_ref())?;
        let author = Author::member(state, &self.caller, member);
        Ok(Decision::Write(Draft::of(ended(
            state,
            member,
            &author,
            self.end,
            self.note.clone(),
        ))))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}

/// Returns the end of a run, and what ends with it.
pub(in crate::decide) fn ended(
    state: &State,
    member: &Member,
    author: &Author,
    end: RunEnd,
    note: Option<String>,
) -> Vec<Entry> {
    let body = Body::RunEnded(RunEnded {
        generation: member.generation,
        end,
        note,
        members: state.members.len() as u64 - 1,
    });
    let whys = Whys {
        copies: Undeliverable::RunEnded,
        wakes: WakeReason::RunEnded,
    };
    departure(state, member, author.entry(body), whys)
}

/// The reasons that a departure gives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Whys {
    /// The reason for which the member's copies are undeliverable.
    pub(super) copies: Undeliverable,
    /// The reason for which its wakes are cancelled.
    pub(super) wakes: WakeReason,
}

/// The departure itself, the wakes that it cancels, and the messages that are settled by it: those
/// change nothing any more of what waiters see, so they come last.
pub(super) fn departure(state: &State, member: &Member, entry: Entry, whys: Whys) -> Vec<Entry> {
    let mut entries = vec![entry];
    let departed = state.head.next();
    let author = Author::engine(state.lineage_of(&member.run)).caused_by(departed);
    entries.extend(member.wakes.iter().filter_map(|registered| {
        let wake_id = state.wakes.get(*registered)?.registered.wake_id.clone();
        let cancelled = WakeCancelled {
            registered: *registered,
            wake_id,
            reason: whys.wakes,
        };
        Some(author.entry(Body::WakeCancelled(cancelled)))
    }));
    let mut copies = member.inbox.queued();
    copies.extend(member.inbox.held().map(|claim| claim.accepted));
    entries.extend(copies.into_iter().filter_map(|accepted| {
        let copy = state.messages.get(accepted)?.copy_of(&member.run)?;
        let end = CopyStanding {
            state: CopyState::Undeliverable,
            attempt: copy.attempts,
            why: Some(whys.copies),
            outcome: None,
        };
        settle::settled_by(state, accepted, &member.run, end)
    }));
    entries
}
