//! Profiles of commands: what is known of them before they are decided.

use heronry_types::RunId;

use super::{Demand, RECORD_BYTES, Speaker};

/// The lane of the queue that a command takes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Lane {
    /// The common lane.
    Common,
    /// The lane that is kept free for commands which relieve the pool.
    Reserved,
    /// No lane: the command always gets in, before all others. It finishes what was admitted before, so
    /// that its number is bounded by that.
    Owed,
}

/// The relation of a command to wakes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AboutWakes {
    /// It may read or end wakes, or change what their waiters see: triggers of earlier events are
    /// recorded before it is decided.
    Perhaps,
    /// It does not: it is decided while triggers of earlier events are still being recorded.
    Nothing,
}

/// The properties of a command that the queue and the engine go by before it is decided. They follow from the
/// command alone.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[must_use]
pub struct Profile<'a> {
    /// The relation of the command to wakes.
    pub about_wakes: AboutWakes,
    /// The lane of the queue that it takes.
    pub lane: Lane,
    /// The run whose fair share of the reserved lane it takes; absent in the other lanes.
    pub reserved_for: Option<&'a RunId>,
    /// About how many records it stages, 1 unless something else is said: the measure of how long others
    /// wait for it.
    pub burden: usize,
    /// About how many bytes it stores that grow with what is asked, 0 unless something else is said: those of
    /// a body, or of long events.
    pub bytes: usize,
    /// The demand on the store; absent: it follows from the burden and the bytes.
    pub said_demand: Option<Demand>,
    /// The member that is heard of by it, so that its lease is renewed; absent: none is.
    pub speaker: Option<Speaker<'a>>,
}

impl<'a> Profile<'a> {
    /// Returns the profile of a command that takes the common lane, stages about one record and is no sign
    /// of life of any member.
    pub fn new(about_wakes: AboutWakes) -> Self {
        Self {
            about_wakes,
            lane: Lane::Common,
            reserved_for: None,
            burden: 1,
            bytes: 0,
            said_demand: None,
            speaker: None,
        }
    }

    /// Returns the profile in the reserved lane, in nobody's share.
    pub fn reserved(mut self) -> Self {
        self.lane = Lane::Reserved;
        self
    }

    /// Returns the profile in the reserved lane, in the share of a run.
    pub fn reserved_for(mut self, run: impl Into<Option<&'a RunId>>) -> Self {
        self.reserved_for = run.into();
        self.reserved()
    }

    /// Returns the profile of a command that always gets in.
    pub fn owed(mut self) -> Self {
        self.lane = Lane::Owed;
        self
    }

    /// Returns the profile with about this many records.
    pub fn with_burden(mut self, burden: usize) -> Self {
        self.burden = burden;
        self
    }

    /// Returns the profile with about this many bytes.
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Returns the profile of a command that is a step of something which is bulk as a whole.
    pub fn step_of_bulk(mut self) -> Self {
        self.said_demand = Some(Demand::StepOfBulk);
        self
    }

    /// Returns the demand on the store.
    #[must_use]
    pub fn demand(&self) -> Demand {
        let said = self.said_demand;
        said.unwrap_or_else(|| Demand::of(self.burden, self.bytes))
    }

    /// Returns about how many bytes the store writes for it: those of its records, and those that grow with what
    /// is asked.
    #[must_use]
    pub fn weight(&self) -> usize {
        let records = self.burden.saturating_mul(RECORD_BYTES);
        records.saturating_add(self.bytes)
    }

    /// Returns the profile with who is heard of.
    pub fn spoken_by(mut self, speaker: Speaker<'a>) -> Self {
        self.speaker = Some(speaker);
        self
    }
}
