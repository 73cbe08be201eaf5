//! Runs that are suspended.

use heronry_journal::WakeName;
use heronry_types::{Position, Timestamp};

/// The suspension of a run: the wakes and the time that it waits for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Suspension {
    /// The record that suspended it.
    pub position: Position,
    /// The wakes whose ends resume it, oldest first.
    pub wakes: Vec<WakeName>,
    /// The time when it goes on in any case. `None`: it does not go on by time alone.
    pub until: Option<Timestamp>,
    /// The record that suspects it to wait only on runs that wait on it.
    pub suspected: Option<Position>,
    /// Those of its wakes that were found to wait for something that no live member can do.
    pub orphaned: Vec<Position>,
}

impl Suspension {
    /// Returns true when the end of this wake resumes the run.
    pub fn waits_for(&self, registered: Position) -> bool {
        self.wakes.iter().any(|wake| wake.registered == registered)
    }
}
