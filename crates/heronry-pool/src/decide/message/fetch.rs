//! Receiving: claiming copies, and looking at them without a claim.

use std::collections::BTreeSet;

use heronry_journal::{
    Body, Claim, CopyName, Entry, FetchedCopy, MessageFetched, UndeliverableCopy,
};
use heronry_types::{
    ChosenBy, CopyStanding, CopyState, Cursor, LimitName, Millis, Position, ReceiveId, RunId,
    Timestamp, Undeliverable,
};

use crate::{
    Caller, Item, Received, Rejection, State, answer,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, How, Profile, Speaker},
    decide::{
        ReleaseUnanswered, guard,
        message::{delivery::OrderedSenders, settle},
    },
    state::{ClaimTurn, CopySlot, Member, MessageAt},
};

/// The highest number of copies that one call ends because they cannot be handed over.
const UNDELIVERABLE_MAX: usize = 1_000;

/// The copies of an inbox that a receive is about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Select {
    /// All of them.
    #[default]
    Any,
    /// Those of the messages with these acceptances; the others keep their turns.
    These(Vec<Cursor>),
}

impl Select {
    /// Returns where the messages were accepted whose copies it takes; nothing when it takes any.
    fn located(&self, state: &State) -> Result<Option<BTreeSet<Position>>, Rejection> {
        let Self::These(these) = self else {
            return Ok(None);
        };
        guard::limit(state, LimitName::PageItemsMax, these.len() as u64)?;
        let located = these.iter().map(|cursor| state.locate(*cursor));
        located.collect::<Result<_, _>>().map(Some)
    }
}

/// Claims the first copies of a member's inbox.
#[derive(Clone, Debug)]
pub struct FetchMessages {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The call; a repeat gets the same live claims.
    pub receive_id: ReceiveId,
    /// The highest number of copies in the answer.
    pub max: u64,
    /// The time that the claims hold.
    pub claim_ms: Millis,
    /// The copies that may be claimed.
    pub select: Select,
}

impl FetchMessages {
    fn check_limits(&self, state: &State) -> Result<(), Rejection> {
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        guard::limit(state, LimitName::ClaimMsMax, self.claim_ms.0)
    }

    fn fetched(
        &self,
        state: &State,
        cx: &Cx<'_>,
        member: &Member,
        these: Option<&BTreeSet<Position>>,
    ) -> Option<MessageFetched> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut fetched = MessageFetched {
            receive_id: self.receive_id.clone(),
            claimed_until: cx.now.after(self.claim_ms),
            claim_ms: self.claim_ms,
            copies: Vec::new(),
            undeliverable: Vec::new(),
            chosen_by: these.map(|_| ChosenBy::Name),
        };
        let mut lines = OrderedSenders::of(member);
        let is_selected = |accepted: &Position| these.is_none_or(|these| these.contains(accepted));
        for accepted in claimable(state, member, cx.now) {
            if fetched.copies.len() >= max || fetched.undeliverable.len() >= UNDELIVERABLE_MAX {
                break;
            }
            let message = state.messages.get(accepted);
            let message = message.filter(|message| !message.is_past_expiry(cx.now));
            // An ordered copy that is not asked for still comes before the later ones of its sender.
            let admitted = message.filter(|message| lines.admit(MessageAt { accepted, message }));
            if let Some(message) = admitted.filter(|_| is_selected(&accepted)) {
                self.take(&mut fetched, member, MessageAt { accepted, message });
            }
        }
        let is_empty = fetched.copies.is_empty() && fetched.undeliverable.is_empty();
        (!is_empty).then_some(fetched)
    }

    /// Claims one copy, or says why it cannot be handed over.
    fn take(
        &self,
        fetched: &mut MessageFetched,
        member: &Member,
        MessageAt { accepted, message }: MessageAt<'_>,
    ) {
        let message_id = message.accepted.message_id.clone();
        let copy = CopyName {
            accepted,
            message_id,
        };
        if member.policies.covers(&message.accepted.policies) {
            let counted = message.copy_of(&self.run).map_or(0, |copy| copy.attempts);
            let attempt = counted + 1;
            fetched.copies.push(FetchedCopy { copy, attempt });
        } else {
            let why = Undeliverable::Policy;
            fetched.undeliverable.push(UndeliverableCopy { copy, why });
        }
    }

    /// The messages that are over because their last copy cannot be handed over.
    fn settled(&self, state: &State, fetched: &MessageFetched) -> Vec<Entry> {
        let settled = |gone: &UndeliverableCopy| {
            let accepted = gone.copy.accepted;
            let attempt = state.messages.get(accepted)?.copy_of(&self.run)?.attempts;
            let end = CopyStanding {
                state: CopyState::Undeliverable,
                attempt,
                why: Some(gone.why),
                outcome: None,
            };
            settle::settled_by(state, accepted, &self.run, end)
        };
        fetched.undeliverable.iter().filter_map(settled).collect()
    }
}

/// Walks the copies that a member can claim, in order.
fn claimable<'a>(
    state: &'a State,
    member: &'a Member,
    now: Timestamp,
) -> impl Iterator<Item = Position> + 'a {
    let turn_of = |accepted| {
        let message = state.messages.get(accepted);
        message.map_or_else(
            || ClaimTurn::of_acceptance(Timestamp::default(), accepted),
            |message| message.common_turn(accepted),
        )
    };
    member.inbox.claimable(now, turn_of)
}

/// Returns the claims of one receive that are still held, in the order in which they were handed over.
fn in_turn(state: &State, member: &Member, fetched: Position) -> Vec<Claim> {
    let mut claims = member.inbox.claims_of(fetched);
    if claims.len() > 1 {
        claims.sort_by_cached_key(|claim| {
            let message = state.messages.get(claim.accepted);
            message.map(|message| message.turn(claim.accepted, &member.run))
        });
    }
    claims
}

impl Command for FetchMessages {
    type Answer = Received;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Acting(&self.caller, &self.run))
    }

    fn unanswered(&self, answer: &Received) -> Option<ReleaseUnanswered> {
        let (claim, _) = answer.items.first()?.claim?;
        Some(ReleaseUnanswered {
            run: self.run.clone(),
            fetched: claim.fetched,
        })
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        let member = guard::standing(state, &self.caller, &self.run)?;
        self.check_limits(state)?;
        if let Some(fetched) = member.inbox.receive_of(&self.receive_id) {
            return Ok(Decision::Repeat(fetched));
        }
        let these = self.select.located(state)?;
        let Some(fetched) = self.fetched(state, cx, member, these.as_ref()) else {
            return Ok(Decision::Nothing);
        };
        let settled = self.settled(state, &fetched);
        let author = Author::member(state, &self.caller, member);
        let mut entries = vec![author.entry(Body::MessageFetched(fetched))];
        entries.extend(settled);
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Received, Rejection> {
        let member = state.members.get(&self.run).ok_or(Rejection::NotAMember)?;
        let claims = match applied.how {
            How::Written | How::Repeated => in_turn(state, member, applied.first),
            How::Unchanged => Vec::new(),
        };
        Ok(Received {
            items: claims
                .into_iter()
                .filter_map(|claim| held(state, &self.run, claim))
                .collect(),
            unread: member.inbox.unread(),
            cursor: state.cursor(applied.first),
            durability: applied.durability,
        })
    }
}

fn held(state: &State, run: &RunId, claim: Claim) -> Option<Item> {
    match state.messages.get(claim.accepted)?.copy_of(run)?.slot {
        CopySlot::Claimed { until, .. } => {
            let item = answer::item(state, run, claim.accepted)?;
            Some(Item {
                claim: Some((claim, until)),
                ..item
            })
        }
        CopySlot::Queued { .. }
        | CopySlot::Acked { .. }
        | CopySlot::Expired
        | CopySlot::Cancelled
        | CopySlot::Undeliverable { .. }
        | CopySlot::Dead { .. } => None,
    }
}

/// Looks at the copies of a member's inbox without claiming them.
#[derive(Clone, Debug)]
pub struct PeekInbox {
    /// The authenticated caller.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The highest number of copies in the answer.
    pub max: u64,
}

impl Command for PeekInbox {
    type Answer = Received;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Present(&self.caller, &self.run))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::standing(state, &self.caller, &self.run)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Received, Rejection> {
        let member = state.members.get(&self.run).ok_or(Rejection::NotAMember)?;
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let look = |accepted: Position| {
            let message = state.messages.get(accepted)?;
            let readable = member.policies.covers(&message.accepted.policies)
                && !message.is_past_expiry(applied.now);
            answer::item(state, &self.run, accepted).filter(|_| readable)
        };
        let found = claimable(state, member, applied.now);
        Ok(Received {
            items: found.filter_map(look).take(max).collect(),
            unread: member.inbox.unread(),
            cursor: state.cursor(applied.first),
            durability: applied.durability,
        })
    }
}
