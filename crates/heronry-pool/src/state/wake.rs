//! Wakes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
};

use heronry_journal::{WakeRegistered, WakeTriggeredBy};
use heronry_types::{Condition, Position, RunId, WakeFailure, WakeId, WakeReason};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The end of a wake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WakeEnd {
    /// Its condition held.
    Triggered {
        /// The events, first match first.
        matches: Vec<WakeTriggeredBy>,
    },
    /// Its time was over.
    TimedOut,
    /// It was cancelled.
    Cancelled {
        /// The reason.
        reason: WakeReason,
    },
    /// It failed.
    Failed {
        /// The reason.
        why: WakeFailure,
    },
}

/// The state of the look through the events before the registration of a wake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Earlier {
    /// The earlier events were looked through, or the wake does not ask for any.
    Seen,
    /// The earlier events up to this one are still to be looked through.
    Pending(Position),
}

/// A wake.
#[derive(Clone, Debug)]
pub struct Wake {
    /// The run that waits.
    pub run: RunId,
    /// The registration, as it was recorded.
    pub registered: WakeRegistered,
    /// The condition that it waits for. `None` when the one filter of its registration says all of it.
    pub condition: Option<Box<Condition>>,
    /// The state of the look through the events before its registration.
    pub earlier: Earlier,
    /// The record that ended it, and its end. `None` while it waits.
    pub end: Option<(Position, WakeEnd)>,
}

/// A wake, with the position of its registration.
#[derive(Clone, Copy, Debug)]
pub struct WakeAt<'a> {
    /// The position of its registration.
    pub registered: Position,
    /// The wake.
    pub wake: &'a Wake,
}

/// The wakes of a pool, by their registration.
#[derive(Clone, Debug, Default)]
pub struct Wakes {
    by_position: BTreeMap<Position, Wake>,
    by_id: HashMap<WakeId, Vec<Position>>,
    live: BTreeSet<Position>,
    /// Those of the live ones whose earlier events are still to be looked through.
    pending: BTreeSet<Position>,
    /// The oldest event whose triggers are not all recorded yet.
    pub(crate) unfinished: Option<Position>,
}

impl Wakes {
    /// Returns a wake.
    pub fn get(&self, registered: Position) -> Option<&Wake> {
        self.by_position.get(&registered)
    }

    /// Returns how many wakes wait.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Returns true when the earlier events of a wake are still to be looked through.
    pub fn is_pending(&self, registered: Position) -> bool {
        self.pending.contains(&registered)
    }

    /// Walks the wakes that wait and whose earlier events are still to be looked through.
    pub fn pending(&self) -> impl Iterator<Item = Position> + '_ {
        self.pending.iter().copied()
    }

    /// Walks the registrations after this one of the wakes that wait, oldest first.
    pub fn live_after(&self, after: Position) -> impl Iterator<Item = Position> + '_ {
        let following = (Bound::Excluded(after), Bound::Unbounded);
        self.live.range(following).copied()
    }

    /// Returns every wake, by its registration.
    pub fn all(&self) -> &BTreeMap<Position, Wake> {
        &self.by_position
    }

    /// Walks the wakes of this id, oldest first: at most one for each run.
    pub fn of_id(&self, id: &WakeId) -> impl Iterator<Item = WakeAt<'_>> + '_ {
        self.by_id
            .get(id)
            .into_iter()
            .flatten()
            .filter_map(|registered| {
                Some(WakeAt {
                    registered: *registered,
                    wake: self.by_position.get(registered)?,
                })
            })
    }

    pub(crate) fn insert(&mut self, position: Position, wake: Wake) {
        self.by_id
            .entry(wake.registered.wake_id.clone())
            .or_default()
            .push(position);
        if let Earlier::Pending(_) = wake.earlier {
            self.pending.insert(position);
        }
        self.by_position.insert(position, wake);
        self.live.insert(position);
    }

    /// Says that the earlier events of a wake were looked through.
    pub(crate) fn scanned(&mut self, registered: Position) {
        if let Some(wake) = self.by_position.get_mut(&registered) {
            wake.earlier = Earlier::Seen;
        }
        self.pending.remove(&registered);
    }

    pub(crate) fn end(
        &mut self,
        registered: Position,
        at: Position,
        end: WakeEnd,
    ) -> Option<&Wake> {
        let wake = self.by_position.get_mut(&registered)?;
        wake.end = Some((at, end));
        self.live.remove(&registered);
        self.pending.remove(&registered);
        Some(wake)
    }
}

impl Wakes {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            by_position,
            unfinished,
            // By what wakes are found follows from them.
            by_id: _,
            live: _,
            pending: _,
        } = self;
        to.list(2);
        to.each(by_position.iter(), |to, (position, wake)| {
            wake.encode(to, *position);
        });
        to.put(unfinished);
    }

    pub(super) fn decode(&mut self, from: &mut Decoding<'_>) -> Result<(), UnreadableState> {
        from.list(2)?;
        for (position, wake) in from.list_of(Wake::decode)? {
            let is_over = wake.end.is_some();
            self.insert(position, wake);
            if is_over {
                self.live.remove(&position);
                self.pending.remove(&position);
            }
        }
        self.unfinished = from.take()?;
        Ok(())
    }
}
