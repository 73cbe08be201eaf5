//! The replies that a message asks its recipients for, and the recipients that may still answer.

use heronry_journal::Contract;
use heronry_types::{CopyStanding, CopyState, ReplyStanding, RunId};

use crate::state::Message;

impl Message {
    /// Returns the replies that it asks for.
    pub fn contract(&self) -> Option<&Contract> {
        self.accepted.contract()
    }

    /// Returns what this message is to the one that it replies to.
    pub fn reply_standing(&self) -> Option<ReplyStanding> {
        Some(self.accepted.answering()?.standing)
    }

    /// Returns how many replies count so far.
    pub fn responses(&self) -> usize {
        self.copies.iter().filter(|copy| copy.has_replied).count()
    }

    /// Returns what a reply of this recipient would be, if it came now.
    pub fn standing_of_reply(&self, run: &RunId) -> ReplyStanding {
        let Some(contract) = self.contract() else {
            return ReplyStanding::Uncounted;
        };
        if !self.is_open() {
            return ReplyStanding::Late;
        }
        let counts = self.sender() != Some(run)
            && contract.asked.asks(run)
            && self.copy_of(run).is_some_and(|copy| !copy.has_replied);
        if counts {
            ReplyStanding::Counted
        } else {
            ReplyStanding::Uncounted
        }
    }

    /// Returns how many replies can have come in the end, when the copies stand like this: those that
    /// have come, and those of recipients whose copies have not ended.
    pub(crate) fn responses_possible(
        &self,
        contract: &Contract,
        standings: &[CopyStanding],
    ) -> usize {
        let is_live = |standing: &CopyStanding| {
            matches!(standing.state, CopyState::Queued | CopyState::Claimed)
        };
        let may_come = |run: &RunId| contract.asked.asks(run) && self.sender() != Some(run);
        let of_runs = self.recipients.0.iter().zip(&self.copies).zip(standings);
        of_runs
            .filter(|((run, copy), standing)| {
                copy.has_replied || (is_live(standing) && may_come(run))
            })
            .count()
    }
}
