//! Marks: the last known head of each journal of a store, kept beside the store, so that a lost
//! tail is seen.
//!
//! The chain of a journal shows a change in it, and does not show that its end is missing: an older
//! copy of a store is a good store. A *mark* names the acknowledged head of each pool: its epoch,
//! its position and the hash of its last chunk. It is written after the sync of a commit and before the
//! append is answered, and no device is waited for. So a mark is exact after a kill, at most behind
//! after a power cut, and never ahead of the store's last sync. A store was rolled back when a journal
//! does not reach the head in its mark. A mark that is behind, torn or missing proves nothing.
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
pub use format::{MarkedHead, Marks};
pub use keeper::{MarkKeeper, MarkPlace, MarkSync, MarkedStore};
