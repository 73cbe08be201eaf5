//! Replaying: an engine takes in its journal before it decides anything.

use heronry_event::filter::CompileErrors;
use heronry_journal::Record;
use heronry_store::KeyedEntry;
use heronry_types::{Durability, Epoch, PoolId, Position};

use super::{Engine, RecentKeys};
use crate::{Minter, State, TrimNote, apply};

/// A stored wake whose filter this build cannot read.
#[derive(Debug, thiserror::Error)]
#[error(
    "wake registered at {position} has a filter that this build cannot read; use a newer build"
)]
#[non_exhaustive]
pub struct UnreadableFilter {
    /// The registration.
    pub position: Position,
    /// The faults of the filter.
    #[source]
    pub errors: CompileErrors,
}

/// An engine that takes in the journal of its pool, in order and from the first record that is kept.
///
/// It decides nothing: [`finish`](Self::finish) makes it an [`Engine`], which takes in no record any more.
#[derive(Debug)]
pub struct Replay {
    pub(super) engine: Engine,
    /// True when events are counted for waiting wakes as records are taken in.
    pub(super) is_counting: bool,
}

impl Replay {
    /// Returns the replay of a pool whose journal begins with this epoch, before its first record.
    pub fn new(pool: PoolId, epoch: Epoch, minter: Minter, durability: Durability) -> Self {
        let engine = Engine::new(pool, epoch, minter, durability);
        Self {
            engine,
            is_counting: false,
        }
    }

    /// Returns the replay with how many finished messages stay in memory.
    #[must_use]
    pub fn keeping_finished(mut self, most: usize) -> Self {
        self.engine.finished_kept = most;
        self
    }

    /// Returns the replay with how many alternatives, filters and wakes are come upon in one slice of matching.
    #[must_use]
    pub fn matching_in_slices_of(mut self, came_upon: usize) -> Self {
        self.engine.match_in_slices_of(came_upon);
        self
    }

    /// Returns the state at the last record that was taken in.
    pub fn state(&self) -> &State {
        &self.engine.state
    }

    /// Says which records are gone.
    pub fn set_floor(&mut self, floor: Position) {
        self.engine.set_floor(floor);
    }

    /// Says that the records before a floor go, as [`Engine::trimmed`].
    pub fn trimmed(&mut self, trim: TrimNote) {
        self.engine.trimmed(trim);
    }

    /// Goes by the trims that another replay of the same journal knows: a state that was kept before a trim does
    /// not know of it.
    pub fn take_over_trims(&mut self, of: &Self) {
        let trims = of.engine.state.trims.clone();
        self.engine.state.take_over_trims(trims);
    }

    /// Takes in the keys of a record that is part of the state already.
    pub fn note_keys(&mut self, record: &Record) {
        self.engine.recent.note(record, None);
    }

    /// Says that the store has the keys of records up to this one, before they are taken in.
    pub fn set_keys_kept(&mut self, until: Position) {
        self.engine.recent.set_kept(until);
    }

    /// Takes in the next record.
    ///
    /// # Errors
    /// [`UnreadableFilter`] when a wake that waits cannot be matched any more.
    pub fn record(&mut self, record: &Record) -> Result<(), UnreadableFilter> {
        let engine = &mut self.engine;
        apply(&mut engine.state, record);
        engine.recent.note(record, None);
        engine.triggers.arm(&engine.state, record)?;
        engine.settle(record);
        if self.is_counting {
            self.count(record);
        }
        Ok(())
    }

    /// Lets messages leave memory, as [`Engine::forget_finished`].
    pub fn forget_finished(&mut self, until: Position) {
        self.engine.forget_finished(until);
    }

    /// Returns the keys that the store may not have yet.
    pub fn recent(&self) -> &RecentKeys {
        self.engine.recent()
    }

    /// Hands keys over, as [`Engine::hand_over_keys`].
    pub fn hand_over_keys(&mut self, until: Position) -> Vec<KeyedEntry> {
        self.engine.hand_over_keys(until)
    }

    /// Says that the store has the keys that were handed over.
    pub fn keys_kept(&mut self) {
        self.engine.keys_kept();
    }

    /// Returns the engine, which goes on from the last record.
    ///
    /// Earlier records are matched again, a slice at a time, while the pool goes on. That finds
    /// earlier decisions that are not recorded, and counts the events that count for waiting wakes.
    /// The records are read from the journal ([`Engine::reads_after`]).
    pub fn finish(self) -> Engine {
        let mut engine = self.engine;
        engine.triggers.forget_ended();
        engine.match_again();
        engine.open();
        engine
    }
}
