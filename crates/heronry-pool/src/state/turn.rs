//! When it is a copy's turn to be claimed.

use heronry_types::{Position, Timestamp};

/// A place in the order in which the copies of an inbox are claimed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Turn {
    /// Since when the copy could be claimed, not counting what claims of it delayed.
    pub since: Timestamp,
    /// The record that put it there.
    pub position: Position,
    /// The acceptance of its message.
    pub accepted: Position,
}

impl Turn {
    /// Returns the place of a copy that could be claimed when its message was accepted.
    pub fn of_acceptance(at: Timestamp, accepted: Position) -> Self {
        Self {
            since: at,
            position: accepted,
            accepted,
        }
    }
}
