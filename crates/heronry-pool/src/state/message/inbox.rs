//! One member's copies that are not ended.

use std::collections::{BTreeMap, BTreeSet};

use heronry_journal::Claim;
use heronry_types::{Importance, Millis, Position, ReceiveId, RunId, Timestamp, Vocabulary};

use crate::state::{
    ClaimTurn,
    message::{positions::Positions, senders::Senders},
};

/// One receive call whose claims are not all ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Receive {
    /// The call.
    pub id: ReceiveId,
    /// The acceptances of the messages that it claimed and that are still claimed by it.
    pub claimed: BTreeSet<Position>,
    /// The longest term that its claims were given.
    pub claim_ms: Millis,
}

/// One member's copies that are not ended. Messages are named by their acceptance.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    pub(crate) ready: Positions,
    pub(crate) delayed: BTreeMap<Position, Timestamp>,
    /// Copies whose turn is not that of their acceptance, and since when they can be claimed.
    pub(crate) special: BTreeMap<ClaimTurn, Option<Timestamp>>,
    pub(crate) receives: BTreeMap<Position, Receive>,
    pub(crate) by_sender: Senders,
    pub(crate) claimed: u64,
    /// The ordered copy of each sender that was claimed and has not ended.
    pub(crate) begun: BTreeMap<RunId, Position>,
}

impl Inbox {
    /// Returns the ordered copy of a sender that was claimed and has not ended: no other is handed over.
    pub fn begun_of(&self, sender: &RunId) -> Option<Position> {
        self.begun.get(sender).copied()
    }

    pub(crate) fn begin(&mut self, sender: RunId, accepted: Position) {
        self.begun.insert(sender, accepted);
    }

    pub(crate) fn end_begun(&mut self, sender: &RunId, accepted: Position) {
        if self.begun.get(sender) == Some(&accepted) {
            self.begun.remove(sender);
        }
    }

    /// Returns how many copies are not ended.
    pub fn depth(&self) -> u64 {
        self.unread() + self.claimed
    }

    /// Returns how many copies wait to be claimed.
    pub fn unread(&self) -> u64 {
        (self.ready.len() + self.delayed.len() + self.special.len()) as u64
    }

    /// Returns how many copies of one sender are not ended.
    pub fn depth_of(&self, sender: &RunId) -> u64 {
        self.by_sender.of(sender)
    }

    /// Walks the copies that can be claimed at `now`, in the order of their turns; `turn_of` says
    /// when it is the turn of a copy that has none of its own.
    pub fn claimable<'a>(
        &'a self,
        now: Timestamp,
        turn_of: impl Fn(Position) -> ClaimTurn + 'a,
    ) -> impl Iterator<Item = Position> + 'a {
        let come = Importance::ALL.iter().rev();
        let come = come.flat_map(move |it| self.special.range(ClaimTurn::come(*it, now)));
        let visible = come.filter(move |(_, at)| at.is_none_or(|at| at <= now));
        let mut special = visible.map(|(turn, _)| *turn).peekable();
        let mut common = self.common(now).peekable();
        std::iter::from_fn(move || match (special.peek(), common.peek()) {
            (None, _) => common.next(),
            (Some(turn), Some(accepted)) if turn_of(*accepted) < *turn => common.next(),
            (Some(_), _) => special.next().map(|turn| turn.accepted),
        })
    }

    /// Walks the copies without a turn of their own that can be claimed at `now`, in order of acceptance.
    fn common(&self, now: Timestamp) -> impl Iterator<Item = Position> + '_ {
        let visible = self.delayed.iter().filter(move |(_, at)| **at <= now);
        let mut delayed = visible.map(|(position, _)| *position).peekable();
        let mut ready = self.ready.iter().peekable();
        std::iter::from_fn(move || match (delayed.peek(), ready.peek()) {
            (Some(one), Some(other)) if one < other => delayed.next(),
            (_, Some(_)) => ready.next(),
            (_, None) => delayed.next(),
        })
    }

    /// Returns every copy that is queued, in order of acceptance.
    pub fn queued(&self) -> Vec<Position> {
        let mut queued: Vec<Position> = self
            .ready
            .iter()
            .chain(self.delayed.keys().copied())
            .chain(self.special.keys().map(|turn| turn.accepted))
            .collect();
        queued.sort_unstable();
        queued
    }

    /// Returns every claim that is held, in order.
    pub fn held(&self) -> impl Iterator<Item = Claim> + '_ {
        self.receives.iter().flat_map(|(fetched, receive)| {
            receive.claimed.iter().map(|accepted| Claim {
                accepted: *accepted,
                fetched: *fetched,
            })
        })
    }

    /// Returns the record of the latest live receive of this id.
    pub fn receive_of(&self, receive_id: &ReceiveId) -> Option<Position> {
        self.receives
            .iter()
            .rev()
            .find(|(_, receive)| receive.id == *receive_id)
            .map(|(fetched, _)| *fetched)
    }

    /// Returns the claims of one receive that are still held, in order.
    pub fn claims_of(&self, fetched: Position) -> Vec<Claim> {
        self.receives
            .get(&fetched)
            .map_or_else(Vec::new, |receive| {
                receive
                    .claimed
                    .iter()
                    .map(|accepted| Claim {
                        accepted: *accepted,
                        fetched,
                    })
                    .collect()
            })
    }

    /// Puts a copy into the queue; `own` is its turn when it has one of its own.
    pub(crate) fn put_queued(
        &mut self,
        accepted: Position,
        own: Option<ClaimTurn>,
        visible_at: Option<Timestamp>,
    ) {
        match (own, visible_at) {
            (Some(turn), visible_at) => {
                self.special.insert(turn, visible_at);
            }
            (None, Some(at)) => {
                self.delayed.insert(accepted, at);
            }
            (None, None) => {
                self.ready.insert(accepted);
            }
        }
    }

    /// Takes a copy out of the queue; `own` is its turn when it has one of its own.
    pub(crate) fn take_queued(&mut self, accepted: Position, own: Option<ClaimTurn>) {
        if let Some(turn) = own {
            self.special.remove(&turn);
        } else if !self.ready.remove(accepted) {
            self.delayed.remove(&accepted);
        }
    }

    pub(crate) fn end_claim(&mut self, claim: Claim) {
        if let Some(receive) = self.receives.get_mut(&claim.fetched) {
            if receive.claimed.remove(&claim.accepted) {
                self.claimed -= 1;
            }
            if receive.claimed.is_empty() {
                self.receives.remove(&claim.fetched);
            }
        }
    }

    /// Returns true when there is no room for one more copy of a sender: the inbox is full, or half of
    /// it is the sender's.
    pub(crate) fn is_full_for(&self, sender: &RunId, depth_max: u64) -> bool {
        let (depth, share) = (self.depth(), (depth_max / 2).max(1));
        // A sender has no more copies than all together.
        depth >= depth_max || (depth >= share && self.depth_of(sender) >= share)
    }
}
