//! Projecting the reset of a named consumer.

use heronry_journal::ConsumerReset;
use heronry_types::Correlation;

use super::put;

/// Adds what is said of a consumer that was reset.
pub(super) fn fill(said: &mut Correlation, reset: &ConsumerReset) {
    put(said, "consumer", &reset.consumer);
    put(said, "from", &reset.from);
    if let Some(to) = &reset.to {
        put(said, "to", to);
    }
    put(said, "reason", &reset.reason);
    put(said, "recovery", &reset.recovery);
}
