//! Acknowledging claimed copies.

use heronry_journal::{Body, Claim, Entry, MessageAcked};
use heronry_types::{AckOutcome, CopyStanding, CopyState, LimitName, MessageId, Position, RunId};

use crate::{
    Caller, Done, Rejection, State,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{guard, message::settle},
    state::{CopySlot, Member},
};

/// The claims that a command is about.
#[derive(Clone, Debug)]
pub enum ClaimSet {
    /// These.
    These(Vec<Claim>),
    /// This one, and the earlier ones of the same receive that are still held.
    UpTo(Claim),
}

/// The standing of a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ClaimHold {
    /// The claim is held.
    Held,
    /// The claim has ended: its copy was acknowledged under it.
    Acked,
    /// The claim is not held any more.
    Lapsed,
}

/// The standing of a claim, and the message that it is about.
#[derive(Clone, Debug)]
pub(super) struct ClaimStanding {
    pub(super) hold: ClaimHold,
    pub(super) message_id: MessageId,
}

/// The claims of a set that are held, in order, each with the id of its message.
pub(super) struct HeldClaims(pub(super) Vec<(Claim, MessageId)>);

/// Returns where a claim stands and which message it is about.
pub(super) fn hold(state: &State, run: &RunId, claim: Claim) -> Result<ClaimStanding, Rejection> {
    let unknown = Rejection::UnknownClaim { claim };
    let Some(message) = state.messages.get(claim.accepted) else {
        return Err(unknown);
    };
    let Some(copy) = message.copy_of(run) else {
        return Err(unknown);
    };
    let hold = match copy.slot {
        CopySlot::Claimed { fetched, .. } if fetched == claim.fetched => ClaimHold::Held,
        CopySlot::Acked { fetched, .. } if fetched == claim.fetched => ClaimHold::Acked,
        CopySlot::Queued { .. }
        | CopySlot::Claimed { .. }
        | CopySlot::Acked { .. }
        | CopySlot::Expired
        | CopySlot::Cancelled
        | CopySlot::Undeliverable { .. }
        | CopySlot::Dead { .. } => {
            // The message remembers each of its claims: one that it never had was made up.
            if !message.was_claimed_at(run, claim.fetched) {
                return Err(unknown);
            }
            ClaimHold::Lapsed
        }
    };
    Ok(ClaimStanding {
        hold,
        message_id: message.accepted.message_id.clone(),
    })
}

/// Returns the claims of a set that are held; those that were acknowledged before need nothing.
pub(super) fn held_claims(
    state: &State,
    member: &Member,
    set: &ClaimSet,
) -> Result<HeldClaims, Rejection> {
    let claims = match set {
        ClaimSet::These(claims) => claims.clone(),
        ClaimSet::UpTo(last) => {
            let live = member.inbox.claims_of(last.fetched).into_iter();
            let turn = |accepted: Position| {
                let message = state.messages.get(accepted);
                message.map(|message| message.turn(accepted, &member.run))
            };
            let until = turn(last.accepted);
            let mut claims: Vec<Claim> =
                live.filter(|claim| turn(claim.accepted) < until).collect();
            claims.push(*last);
            claims
        }
    };
    guard::limit(state, LimitName::PageItemsMax, claims.len() as u64)?;
    let (mut held, mut lapsed) = (Vec::new(), Vec::new());
    for claim in claims {
        let ClaimStanding { hold, message_id } = hold(state, &member.run, claim)?;
        match hold {
            ClaimHold::Held => held.push((claim, message_id)),
            ClaimHold::Acked => {}
            ClaimHold::Lapsed => lapsed.push(claim),
        }
    }
    held.sort_unstable_by_key(|(claim, _)| *claim);
    held.dedup_by_key(|(claim, _)| *claim);
    if lapsed.is_empty() {
        Ok(HeldClaims(held))
    } else {
        Err(Rejection::ClaimLapsed { claims: lapsed })
    }
}

/// Acknowledges claimed copies: each ends with it.
#[derive(Clone, Debug)]
pub struct AckCopies {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The claims.
    pub claims: ClaimSet,
    /// The outcome that the member reports.
    pub outcome: AckOutcome,
    /// A short text.
    pub note: Option<String>,
}

impl AckCopies {
    fn settled(&self, state: &State, HeldClaims(claims): &HeldClaims) -> Vec<Entry> {
        let settled = |(claim, _): &(Claim, MessageId)| {
            let attempt = state
                .messages
                .get(claim.accepted)?
                .copy_of(&self.run)?
                .attempts;
            let end = CopyStanding {
                state: CopyState::Acked,
                attempt,
                why: None,
                outcome: Some(self.outcome),
            };
            settle::settled_by(state, claim.accepted, &self.run, end)
        };
        claims.iter().filter_map(settled).collect()
    }

    /// Returns the decision about a repeat: the latest record that acknowledged one of these claims
    /// before.
    fn repeated(&self, state: &State) -> Decision {
        let named = match &self.claims {
            ClaimSet::These(claims) => claims.as_slice(),
            ClaimSet::UpTo(last) => std::slice::from_ref(last),
        };
        let acked = |claim: &Claim| state.messages.get(claim.accepted)?.acked_at(&self.run);
        let latest = named.iter().filter_map(acked).max();
        latest.map_or(Decision::Nothing, Decision::Repeat)
    }
}

impl Command for AckCopies {
    type Answer = Done;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing)
            .reserved_for(&self.run)
            .spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        guard::note(state, self.note.as_ref())?;
        let claims = held_claims(state, member, &self.claims)?;
        if claims.0.is_empty() {
            return Ok(self.repeated(state));
        }
        let settled = self.settled(state, &claims);
        let body = MessageAcked {
            claims: claims.0,
            outcome: self.outcome,
            note: self.note.clone(),
        };
        let author = Author::member(state, &self.caller, member);
        let mut entries = vec![author.entry(Body::MessageAcked(body))];
        entries.extend(settled);
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Done, Rejection> {
        Ok(Done::at(state, applied))
    }
}
