//! Projecting the reset of a named consumer.

use heronry_journal::ConsumerReset;
use heronry_types::{Correlation, CorrelationKey, CorrelationValue};

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

fn put(said: &mut Correlation, name: &str, value: &impl ToString) {
    let value = CorrelationValue::parse(value.to_string());
    // An id, a cursor and a word are correlations all.
    if let (Ok(name), Ok(value)) = (CorrelationKey::parse(name), value) {
        said.insert(name, value);
    }
}
