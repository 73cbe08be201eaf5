//! Members that are not heard of: lost, back, and gone for good.

use heronry_journal::{Body, Entry, MemberLeft, RunLost, RunResumed};
use heronry_types::{LimitName, Millis, RunId, Timestamp, Undeliverable, WakeReason};

use crate::{
    Caller, State,
    command::{Author, Speaker},
    decide::member::leave,
    state::Member,
};

/// Returns the record of the loss of a member: its claims lapse with it, and all else stays.
pub(crate) fn lost_entry(state: &State, run: &RunId, now: Timestamp) -> Option<Entry> {
    let member = state.members.get(run)?;
    let keep = Millis(state.settings.limits.get(LimitName::LostKeepMsMax));
    let lost = RunLost {
        generation: member.generation,
        kept_until: now.after(keep),
    };
    Some(Author::engine(state.lineage_of(run)).last_entry(Body::RunLost(lost)))
}

/// Returns the record that a lost member is back.
pub(crate) fn back_entry(state: &State, speaker: Speaker<'_>, member: &Member) -> Entry {
    let caller = match speaker {
        Speaker::Acting(caller, _) | Speaker::Present(caller, _) | Speaker::Asking(caller) => {
            caller
        }
        Speaker::Joining(..) => &Caller::Operator,
    };
    let generation = member.generation;
    Author::member(state, caller, member).entry(Body::RunResumed(RunResumed {
        generation,
        by: None,
    }))
}

/// Returns the records of the departure of a member that was lost for too long.
pub(crate) fn left_entries(state: &State, run: &RunId) -> Vec<Entry> {
    let Some(member) = state.members.get(run) else {
        return Vec::new();
    };
    let body = Body::MemberLeft(MemberLeft {
        generation: member.generation,
        reason: Undeliverable::Lost,
        members: state.members.len() as u64 - 1,
    });
    let entry = Author::engine(state.lineage_of(run)).entry(body);
    leave::departure(
        state,
        member,
        entry,
        leave::Whys {
            copies: Undeliverable::Lost,
            wakes: WakeReason::Left,
        },
    )
}
