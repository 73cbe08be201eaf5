//! The state of a pool: a fold of its journal, and nothing else.

mod beside;
mod content;
mod deadline;
mod decoding;
mod effect;
mod encoding;
mod member;
mod message;
mod recent;
mod roster;
mod source;
mod trims;
mod wake;
mod wiring;

use heronry_journal::ChunkHash;
use heronry_types::{
    Cursor, Epoch, ForeignCursor, Lineage, PoolConfig, PoolId, Position, RunId, Settings,
    Timelines, Timestamp,
};

pub(crate) use content::{UnnamedContent, UnnamedContents};
pub(crate) use deadline::{Deadlines, Due};
pub use decoding::UnreadableState;
pub(crate) use effect::{Effect, EffectAt, EffectEnd, Effects};
pub(crate) use member::{Aim, Among, Reach};
pub(crate) use member::{Member, Members, Suspension};
pub use message::ArchivedMessage;
pub(crate) use message::{ClaimOf, CopyOf};
pub(crate) use message::{
    ClaimTurn, CopySlot, CountedReply, DeadCopy, DeadLetter, DeadLetters, Inbox, Message,
    MessageAt, MessageCopy, Messages, Receive, TimelineStep,
};
pub(crate) use recent::RecentItems;
pub(crate) use roster::{
    LastReconcile, MODULES_MAX, ModuleRow, NamedRow, Roster, SaidStanding, Steward,
};
pub(crate) use source::{ForeignSource, SourceBatch, Sources};
pub(crate) use trims::Trims;
pub use trims::{KEYS_KEPT_AFTER_TRIM, TrimNote};
pub(crate) use wake::{Earlier, Wake, WakeAt, WakeEnd, Wakes};
pub(crate) use wiring::{FoundAlias, KnownAlias, KnownEdge, Wiring};

use crate::Rejection;

/// Checks that a cursor is of the journal with these timelines and not ahead of its head, and returns
/// its position, whether or not what follows is still kept.
///
/// # Errors
/// [`Rejection::CursorForeign`] or [`Rejection::CursorAhead`].
pub fn locate(
    timelines: &Timelines,
    head: Position,
    requested: Cursor,
) -> Result<Position, Rejection> {
    let foreign = |error: ForeignCursor| Rejection::CursorForeign {
        requested,
        diverged_at: error.diverged_at,
    };
    timelines.check(requested).map_err(foreign)?;
    if requested.position > head {
        return Err(Rejection::CursorAhead {
            requested,
            head: timelines.cursor(head),
        });
    }
    Ok(requested.position)
}

/// The version of the encoding of a state, as snapshots and baselines name it.
pub const ENCODING_VERSION: u32 = encoding::VERSION as u32;

/// The state of a pool at `head`.
#[derive(Clone, Debug)]
pub struct State {
    pub(crate) pool: PoolId,
    pub(crate) timelines: Timelines,
    pub(crate) head: Position,
    pub(crate) floor: Position,
    pub(crate) trims: Trims,
    pub(crate) time: Timestamp,
    pub(crate) config: PoolConfig,
    pub(crate) settings: Settings,
    pub(crate) settings_version: u64,
    pub(crate) members: Members,
    pub(crate) messages: Messages,
    pub(crate) dead: DeadLetters,
    pub(crate) wakes: Wakes,
    pub(crate) effects: Effects,
    pub(crate) unnamed: UnnamedContents,
    pub(crate) sources: Sources,
    pub(crate) roster: Roster,
    pub(crate) wiring: Wiring,
    pub(crate) deadlines: Deadlines,
}

impl State {
    /// Returns the state of a pool that has no record yet, and whose journal begins with this epoch.
    pub fn new(pool: PoolId, epoch: Epoch) -> Self {
        Self {
            pool,
            timelines: Timelines::of(epoch),
            head: Position::ZERO,
            floor: Position::ZERO.next(),
            trims: Trims::default(),
            time: Timestamp::default(),
            config: PoolConfig::default(),
            settings: Settings::default(),
            settings_version: 0,
            members: Members::default(),
            messages: Messages::default(),
            dead: DeadLetters::default(),
            wakes: Wakes::default(),
            effects: Effects::default(),
            unnamed: UnnamedContents::default(),
            sources: Sources::default(),
            roster: Roster::default(),
            wiring: Wiring::default(),
            deadlines: Deadlines::default(),
        }
    }

    /// Returns the pool.
    pub fn pool(&self) -> &PoolId {
        &self.pool
    }

    /// Returns the newest timeline, which the next record will be of.
    pub fn epoch(&self) -> Epoch {
        self.timelines.newest()
    }

    /// Returns every timeline.
    pub fn timelines(&self) -> &Timelines {
        &self.timelines
    }

    /// Returns the position of the last record that was applied.
    pub fn head(&self) -> Position {
        self.head
    }

    /// Returns the oldest position that is kept.
    pub fn floor(&self) -> Position {
        self.floor
    }

    /// Says that the store trimmed records before this position.
    pub fn set_floor(&mut self, floor: Position) {
        self.floor = floor;
    }

    /// Notes a trim, and forgets the finished messages that it takes.
    pub(crate) fn trim(&mut self, trim: TrimNote) {
        let mut trims = std::mem::take(&mut self.trims);
        trims.note(trim);
        self.take_over_trims(trims);
    }

    /// Goes by other trims from here on, which may be newer.
    pub(crate) fn take_over_trims(&mut self, trims: Trims) {
        if let Some(floor) = trims.floor() {
            self.floor = floor;
            self.messages.trim(floor, trims.decided());
        }
        self.trims = trims;
    }

    /// Returns the pool time of the last record.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the version of the settings, from 1; zero before the pool was created.
    pub fn settings_version(&self) -> u64 {
        self.settings_version
    }

    /// Returns the members.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// Returns the messages.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Returns the copies that are dead.
    pub(crate) fn dead_letters(&self) -> &DeadLetters {
        &self.dead
    }

    /// Returns the wakes.
    pub fn wakes(&self) -> &Wakes {
        &self.wakes
    }

    /// Walks the runs that have released copies which can be claimed since after `from` and until `to`.
    pub fn became_visible(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = &RunId> + '_ {
        self.deadlines.became_visible(from, to)
    }

    /// Returns the cursor at a position, with the epoch of the record that stands there.
    pub fn cursor(&self, position: Position) -> Cursor {
        self.timelines.cursor(position)
    }

    /// Returns the head as a cursor.
    pub fn head_cursor(&self) -> Cursor {
        self.cursor(self.head)
    }

    /// Checks that a cursor is of this journal and not ahead of it, and returns its position, whether
    /// or not what follows is still kept.
    ///
    /// # Errors
    /// [`Rejection::CursorForeign`] or [`Rejection::CursorAhead`].
    pub fn locate(&self, requested: Cursor) -> Result<Position, Rejection> {
        locate(&self.timelines, self.head, requested)
    }

    /// Checks that a cursor is of this journal and that what follows is kept, and returns its position.
    ///
    /// # Errors
    /// As [`locate`](Self::locate), and [`Rejection::CursorTrimmed`].
    pub(crate) fn check_cursor(&self, requested: Cursor) -> Result<Position, Rejection> {
        let position = self.locate(requested)?;
        if position < self.floor.previous() {
            let floor = self.cursor(self.floor.previous());
            return Err(Rejection::CursorTrimmed { requested, floor });
        }
        Ok(position)
    }

    /// Returns why there is no message that was accepted at a position: its records were trimmed after it had
    /// finished, or there never was one.
    pub(crate) fn no_message(&self, accepted: Position) -> Rejection {
        if accepted < self.floor {
            let requested = self.cursor(accepted.previous());
            let floor = self.cursor(self.floor.previous());
            Rejection::CursorTrimmed { requested, floor }
        } else {
            Rejection::MessageNotFound
        }
    }

    /// Returns the lineage of a record about a run, as a member if it is one.
    pub(crate) fn lineage_of(&self, run: &RunId) -> Lineage {
        let mut lineage = Lineage::of_pool(self.pool.clone());
        lineage.run = Some(run.clone());
        if let Some(member) = self.members.get(run) {
            lineage.agent = Some(member.agent.clone());
            lineage.session.clone_from(&member.session);
        }
        lineage
    }

    /// Returns the encoding of the state: everything that a fold of its journal gives, in
    /// [`ENCODING_VERSION`].
    pub fn to_bytes(&self) -> Vec<u8> {
        encoding::to_bytes(self)
    }

    /// Takes the encoding of a state. Equal states have equal digests, and the same answers.
    ///
    /// # Errors
    /// [`UnreadableState`] when these bytes are no whole encoding, or one of a newer build.
    pub fn decode(bytes: &[u8]) -> Result<Self, UnreadableState> {
        decoding::decode(bytes)
    }

    /// Returns the hash of the encoding of everything that the fold holds: equal states have equal digests.
    pub fn digest(&self) -> ChunkHash {
        encoding::digest(self)
    }
}
