//! Messages and their copies.

mod archive;
mod dead;
mod inbox;
mod messages;
mod positions;
mod quick;
mod reply;
mod senders;
mod turn;

use std::{cmp::Reverse, collections::BTreeMap};

use heronry_journal::{Claim, MessageAccepted, Recipients};
use heronry_types::{
    AckOutcome, ContentRef, CopyStanding, CopyState, DeadReason, Importance, Lineage,
    MessageFailure, MessageId, MessageStatus, Position, RunId, TimelineState, Timestamp,
    Undeliverable,
};

pub use archive::ArchivedMessage;
pub(crate) use dead::{DeadCopy, DeadLetter, DeadLetters};
pub(crate) use inbox::{Inbox, Receive};
pub(crate) use messages::Messages;
pub(crate) use turn::ClaimTurn;

/// A message, with the position of its acceptance.
#[derive(Clone, Copy, Debug)]
pub struct MessageAt<'a> {
    /// The position of its acceptance.
    pub accepted: Position,
    /// The message.
    pub message: &'a Message,
}

/// The name of a copy: the acceptance of its message, and its recipient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CopyOf<'a> {
    pub(crate) accepted: Position,
    pub(crate) run: &'a RunId,
}

/// A claim, and the run that holds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClaimOf<'a> {
    pub(crate) run: &'a RunId,
    pub(crate) claim: Claim,
}

/// The standing of one copy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CopySlot {
    /// It waits to be claimed.
    Queued {
        /// The time since when it can be claimed. `None` when that was not delayed.
        visible_at: Option<Timestamp>,
    },
    /// A reader holds it.
    Claimed {
        /// The record that claimed it.
        fetched: Position,
        /// The time when the claim lapses.
        until: Timestamp,
    },
    /// Its reader acknowledged it.
    Acked {
        /// The outcome that the reader reported.
        outcome: AckOutcome,
        /// The claim's record.
        fetched: Position,
    },
    /// It expired.
    Expired,
    /// Its message was cancelled.
    Cancelled,
    /// It could not be handed over.
    Undeliverable {
        /// The reason.
        why: Undeliverable,
    },
    /// It is dead: it was claimed too often, or it expired after a replay.
    Dead {
        /// The reason.
        reason: DeadReason,
    },
}

impl CopySlot {
    /// Returns true when nothing can happen to the copy any more.
    pub fn is_ended(self) -> bool {
        match self {
            Self::Queued { .. } | Self::Claimed { .. } => false,
            Self::Acked { .. }
            | Self::Expired
            | Self::Cancelled
            | Self::Undeliverable { .. }
            | Self::Dead { .. } => true,
        }
    }
}

/// One recipient's copy.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct MessageCopy {
    /// The standing of the copy.
    pub slot: CopySlot,
    /// The number of its claims that were counted.
    pub attempts: u32,
    /// True when its recipient has sent a reply that counts.
    pub has_replied: bool,
}

impl MessageCopy {
    /// Returns how the copy stands, as receipts and records say it.
    pub fn standing(self) -> CopyStanding {
        let (state, why, outcome) = match self.slot {
            CopySlot::Queued { .. } => (CopyState::Queued, None, None),
            CopySlot::Claimed { .. } => (CopyState::Claimed, None, None),
            CopySlot::Acked { outcome, .. } => (CopyState::Acked, None, Some(outcome)),
            CopySlot::Expired => (CopyState::Expired, None, None),
            CopySlot::Cancelled => (CopyState::Cancelled, None, None),
            CopySlot::Undeliverable { why } => (CopyState::Undeliverable, Some(why), None),
            CopySlot::Dead { .. } => (CopyState::Dead, None, None),
        };
        CopyStanding {
            state,
            attempt: self.attempts,
            why,
            outcome,
        }
    }
}

/// A step in a message's life.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TimelineStep {
    /// The time when the step was recorded.
    pub at: Timestamp,
    /// The record.
    pub position: Position,
    /// The kind of the step.
    pub state: TimelineState,
    /// The index of the recipient that it happened to; absent for the whole message.
    pub recipient: Option<u32>,
}

/// A reply that counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CountedReply {
    /// Its id.
    pub message_id: MessageId,
    /// Its body.
    pub content_ref: ContentRef,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The lineage of the message: its sender and its correlations.
    pub lineage: Lineage,
    /// The message as it was accepted.
    pub accepted: MessageAccepted,
    /// The runs that get a copy, sorted.
    pub recipients: Recipients,
    /// The runs that were addressed and have no edge with the sender: they got no copy.
    pub not_peered: Option<Recipients>,
    /// The copies, in the order of the recipients.
    pub copies: Box<[MessageCopy]>,
    /// The status of the message. `None` only between acceptance and delivery in one append.
    pub status: Option<MessageStatus>,
    /// The reason why it failed. `None` unless it failed.
    pub reason: Option<MessageFailure>,
    /// The steps of its life, oldest first.
    pub timeline: Vec<TimelineStep>,
    /// The latest replay of each copy that was replayed, by the index of its recipient.
    #[expect(
        clippy::box_collection,
        reason = "few messages have any, and all keep the room for it in memory"
    )]
    pub replays: Option<Box<BTreeMap<usize, TimelineStep>>>,
    /// The replies that count, by their acceptance.
    #[expect(
        clippy::box_collection,
        reason = "few messages have any, and all keep the room for it in memory"
    )]
    pub replies: Option<Box<BTreeMap<Position, CountedReply>>>,
    /// True when nothing can happen to the message any more: it is over, its copies have ended and none
    /// is dead.
    pub(crate) is_finished: bool,
}

impl Message {
    /// Returns the index of a recipient.
    pub fn index_of(&self, run: &RunId) -> Option<usize> {
        self.recipients.0.binary_search(run).ok()
    }

    /// Returns a recipient's copy.
    pub fn copy_of(&self, run: &RunId) -> Option<&MessageCopy> {
        self.copies.get(self.index_of(run)?)
    }

    /// Returns the record that acknowledged a recipient's copy.
    pub fn acked_at(&self, run: &RunId) -> Option<Position> {
        let recipient = u32::try_from(self.index_of(run)?).ok();
        let acked = |step: &&TimelineStep| {
            step.state == TimelineState::Acked && step.recipient == recipient
        };
        self.timeline
            .iter()
            .rev()
            .find(acked)
            .map(|step| step.position)
    }

    /// Returns true when this record claimed a recipient's copy, however that claim ended.
    pub fn was_claimed_at(&self, run: &RunId, fetched: Position) -> bool {
        let recipient = self
            .index_of(run)
            .and_then(|index| u32::try_from(index).ok());
        let from = self
            .timeline
            .partition_point(|step| step.position < fetched);
        let mut of_record = self
            .timeline
            .iter()
            .skip(from)
            .take_while(|step| step.position == fetched);
        recipient.is_some()
            && of_record
                .any(|step| step.state == TimelineState::Claimed && step.recipient == recipient)
    }

    /// Returns true while no terminal record exists.
    pub fn is_open(&self) -> bool {
        matches!(self.status, None | Some(MessageStatus::Delivered))
    }

    /// Returns true when nothing can happen to it any more: what is dead can still be replayed.
    pub(super) fn has_finished(&self) -> bool {
        let is_at_rest = |copy: &MessageCopy| {
            copy.slot.is_ended() && !matches!(copy.slot, CopySlot::Dead { .. })
        };
        !self.is_open() && self.copies.iter().all(is_at_rest)
    }

    /// Returns true when no copy of it is handed over any more, whatever happens.
    pub fn is_withdrawn(&self) -> bool {
        matches!(
            self.status,
            Some(MessageStatus::Expired | MessageStatus::Cancelled)
        )
    }

    /// Returns the turn of a recipient's copy, when it is another than that of the acceptance.
    pub fn own_turn(&self, accepted: Position, run: &RunId) -> Option<ClaimTurn> {
        if self.replays.is_none() && self.accepted.options.is_none() {
            return None;
        }
        let replays = self.replays.as_ref();
        let replay = replays.and_then(|replays| replays.get(&self.index_of(run)?));
        let importance = Reverse(self.importance());
        match replay {
            Some(replay) => Some(ClaimTurn {
                importance,
                since: replay.at,
                position: replay.position,
                accepted,
            }),
            None => self.visible_at().map(|since| ClaimTurn {
                importance,
                since,
                position: accepted,
                accepted,
            }),
        }
    }

    /// Returns how urgent it is.
    pub fn importance(&self) -> Importance {
        let options = self.accepted.options.as_ref();
        options.map_or_else(Importance::default, |options| options.importance)
    }

    /// Returns true when no other ordered message of its sender is handed over before its copy ended.
    pub fn is_ordered(&self) -> bool {
        let options = self.accepted.options.as_ref();
        options.is_some_and(|options| options.ordered)
    }

    /// Returns since when its copies can be claimed, when they have another turn than that of the
    /// acceptance because of its delay or importance.
    fn visible_at(&self) -> Option<Timestamp> {
        let options = self.accepted.options.as_ref()?;
        let accepted_at = self.timeline.first()?.at;
        match (options.deliver_after, options.importance) {
            (None, Importance::Queue) => None,
            (delay, _) => Some(accepted_at.after(delay.unwrap_or_default())),
        }
    }

    /// Returns the turn of a recipient's copy.
    pub fn turn(&self, accepted: Position, run: &RunId) -> ClaimTurn {
        self.own_turn(accepted, run)
            .unwrap_or_else(|| self.common_turn(accepted))
    }

    /// Returns the turn of the copies that have none of their own.
    pub fn common_turn(&self, accepted: Position) -> ClaimTurn {
        let at = self
            .timeline
            .first()
            .map_or_else(Timestamp::default, |step| step.at);
        ClaimTurn::of_acceptance(at, accepted)
    }

    /// Returns how many copies wait to be claimed.
    pub fn queued(&self) -> usize {
        self.copies
            .iter()
            .filter(|copy| matches!(copy.slot, CopySlot::Queued { .. }))
            .count()
    }

    /// Returns true when the message expires at or before `now`.
    pub fn is_past_expiry(&self, now: Timestamp) -> bool {
        self.accepted.expires_at.is_some_and(|at| at <= now)
    }

    /// Returns the sender.
    pub fn sender(&self) -> Option<&RunId> {
        self.lineage.run.as_ref()
    }
}
