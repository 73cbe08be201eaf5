//! Processes that meet garbage and damage. They have a test program of their own: a process that is
//! being started holds for a moment what this one has open, locks of stores included.

#![expect(
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod garbage;
mod verify;
