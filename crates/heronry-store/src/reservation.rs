//! Pools that a move brings: nobody owns them before the move is complete.

use std::{collections::BTreeSet, fmt};

use heronry_types::PoolId;

/// The two ends of a move.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MoveRoute {
    /// The store that the pools leave.
    pub from: String,
    /// The store that they go to.
    pub to: String,
}

/// The commands that end a move which is not complete.
impl fmt::Display for MoveRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(
            f,
            "`heronry store move {from} {to} --resume` finishes it, and --abandon takes it back, each with \
             --lost when {from} is lost for good"
        )
    }
}

/// Pools that a move brings to a store, and that nobody may own there before the move is complete.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// The ends of the move.
    pub route: MoveRoute,
    /// The pools.
    pub pools: BTreeSet<PoolId>,
}
