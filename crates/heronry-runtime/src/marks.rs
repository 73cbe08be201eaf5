//! Marks: where each journal of a store stood, kept beside the store, so that a lost tail is seen.
//!
//! The chain of a journal shows what was changed in it and not what is missing at its end: an older copy
//! of a store is a good store. A *mark* says of each pool which head was acknowledged: its epoch, its
//! position and the hash of its last chunk. It is written after the sync of a commit and before the append
//! is answered, and no device is waited for: after a kill it is exact, and after a power cut it is behind
//! at most. It never says more than what the store has synced. So a store whose journal does not hold
//! what its mark says was rolled back; a mark that is behind, torn or missing says nothing.
//!
//! - [`MarkKeeper::over`] wraps a store, and the mark follows its commits; [`MarkKeeper::settle`] makes it
//!   last.
//! - [`rolled_back`] compares a store with its mark; [`begin_again`] starts a timeline in the pools that
//!   lost their end, so that no cursor of the lost one means another record.

mod again;
mod check;
mod format;
mod journal;
mod keeper;

pub use again::{BegunAgain, Restored, begin_again};
pub use check::{RolledBack, rolled_back};
pub use format::Marks;
pub use keeper::{MarkKeeper, MarkPlace, MarkSync};
