//! Records about dead letters: copies that died, and their replay.
//!
//! The recipient stands in the lineage.

use heronry_types::DeadReason;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::message::{CopyName, FetchedCopy};

/// Copies of one recipient are dead: they end, and can be replayed.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageDeadLettered {
    /// The copies, each with the number of attempts that were counted.
    #[n(0)]
    pub copies: Vec<FetchedCopy>,
    /// The reason why the copies are dead.
    #[n(1)]
    pub reason: DeadReason,
}

/// A dead copy was replayed: its recipient has a new copy, behind every other, whose attempts start anew.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MessageReplayed {
    /// The message.
    #[n(0)]
    pub copy: CopyName,
}
