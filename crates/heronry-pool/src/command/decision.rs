//! Decisions, and how commands came out.

use heronry_types::{Durability, Position, Timestamp};

use super::{Draft, Heard, Prior};

/// A decision of a rule.
#[derive(Debug)]
pub enum Decision {
    /// These records are to be appended.
    Write(Draft),
    /// These records are to be appended; they are about this earlier one, and so is the answer.
    Amend(Draft, Position),
    /// The command repeats the one that was recorded here: nothing is appended.
    Repeat(Position),
    /// Nothing is to be appended.
    Nothing,
}

/// The outcome of a command, for its answer.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// The first record of the decision, the one that it amends or repeats, or the head when nothing
    /// was recorded.
    pub first: Position,
    /// The way in which the command came out.
    pub how: How,
    /// The earlier decisions under its names, when it repeats one.
    pub prior: Prior,
    /// The pool's time.
    pub now: Timestamp,
    /// The degree to which the store keeps records safe.
    pub durability: Durability,
    /// The times when members were last heard of, which are nowhere recorded.
    pub heard: &'a Heard,
}

/// The way in which a command came out: whether its records were appended by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// Records were appended.
    Written,
    /// An earlier command did the same.
    Repeated,
    /// There was nothing to append.
    Unchanged,
}
