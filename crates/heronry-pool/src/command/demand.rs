//! The demand of a command on the store, as those feel it who ask meanwhile.

/// The most records of a small command: others hardly wait for it, and it may go before those that wait
/// until everything is matched.
pub const SMALL_BURDEN: usize = 16;
/// The most bytes of a small command, beside those of its records: others hardly wait for it.
pub const SMALL_BYTES: usize = 16 * 1024;

/// About how many bytes a record has, beside recipients and what members report: ids, a correlation, a filter.
pub(crate) const RECORD_BYTES: usize = 512;

/// The demand of a command on the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Demand {
    /// Little demand: who asks for it is not to wait for what asks for much.
    Little,
    /// Much demand: others wait for its append, so it takes its share of the store's time.
    Bulk,
    /// Little demand, as a step of something that takes its share as a whole, such as storing a large body: who
    /// takes this step is nobody who waits for little.
    StepOfBulk,
}

impl Demand {
    /// Returns the demand of a command that stages about so many records, and stores so many bytes beside
    /// them.
    pub fn of(burden: usize, bytes: usize) -> Self {
        if burden > SMALL_BURDEN || bytes > SMALL_BYTES {
            Self::Bulk
        } else {
            Self::Little
        }
    }
}
