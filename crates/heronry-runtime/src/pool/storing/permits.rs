//! The permits for storing bodies by themselves.

use heronry_pool::decide::SMALL_BYTES;

use crate::SideWork;

/// Bodies of at most so many bytes are stored as they come, and read where they are asked for.
pub(crate) const BYTES_SMALL: u64 = SMALL_BYTES as u64;
/// Bodies of at most so many bytes are stored several at a time, so that the store writes those together that
/// wait together.
const BYTES_MEDIUM: u64 = 64 * 1024;
/// The number of medium bodies that are stored at a time: together they have 1 MiB at the most.
const MEDIUM_AT_ONCE: usize = 16;

/// The permits for storing bodies by themselves. They go round among the parties that ask.
#[derive(Clone, Debug)]
pub(crate) struct BodyPermits {
    medium: SideWork,
    /// One: large bodies of many calls never ride in one transaction, which the appends beside them would wait
    /// for.
    large: SideWork,
}

impl Default for BodyPermits {
    fn default() -> Self {
        Self {
            medium: SideWork::with_permits(MEDIUM_AT_ONCE),
            large: SideWork::with_permits(1),
        }
    }
}

impl BodyPermits {
    /// Returns the permits of which a body of so many bytes needs one; absent: it needs none.
    pub(super) fn of(&self, bytes: u64) -> Option<&SideWork> {
        if bytes <= BYTES_SMALL {
            None
        } else if bytes <= BYTES_MEDIUM {
            Some(&self.medium)
        } else {
            Some(&self.large)
        }
    }
}
