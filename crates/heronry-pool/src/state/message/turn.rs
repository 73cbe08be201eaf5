//! The turn of a copy to be claimed.

use std::cmp::Reverse;

use heronry_types::{Importance, Position, Timestamp};

/// A place in the order in which the copies of an inbox are claimed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ClaimTurn {
    /// The urgency of the message: more urgent copies come first.
    pub importance: Reverse<Importance>,
    /// The time since when the copy could be claimed, not counting what claims of it delayed.
    pub since: Timestamp,
    /// The record that put it there.
    pub position: Position,
    /// The acceptance of its message.
    pub accepted: Position,
}

impl ClaimTurn {
    /// Returns the places of this importance whose turn has come at `now`, from the first to the last.
    pub fn come(importance: Importance, now: Timestamp) -> std::ops::RangeInclusive<Self> {
        let place = |since, end| Self {
            importance: Reverse(importance),
            since,
            position: end,
            accepted: end,
        };
        let last = place(now, Position(u64::MAX));
        place(Timestamp::FIRST, Position::ZERO)..=last
    }

    /// Returns the place of a copy that could be claimed when its message was accepted.
    pub fn of_acceptance(at: Timestamp, accepted: Position) -> Self {
        Self {
            importance: Reverse(Importance::Queue),
            since: at,
            position: accepted,
            accepted,
        }
    }
}
