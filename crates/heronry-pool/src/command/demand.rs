//! The demand of a command on the store, as others feel it who ask meanwhile.

use crate::engine::SMALL_BURDEN;

/// The number of bytes beside its records that a command may store while others hardly wait for it.
pub const SMALL_BYTES: usize = 16 * 1024;

/// The demand of a command on the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Demand {
    /// Little: who asks for it is not to wait for what asks for much.
    Little,
    /// Much: others wait for its append, so it takes its share of the store's time.
    Bulk,
    /// Little, as a step of something that takes its share as a whole, as storing a large body does: who
    /// takes this step is nobody who waits for little.
    StepOfBulk,
}

impl Demand {
    /// Returns what a command asks for that stages about so many records, and stores so many bytes beside
    /// them.
    pub fn of(burden: usize, bytes: usize) -> Self {
        if burden > SMALL_BURDEN || bytes > SMALL_BYTES {
            Self::Bulk
        } else {
            Self::Little
        }
    }
}
