//! The request of a holder of a named consumer.

use heronry_event::filter::Filter;
use heronry_store::{ConsumerId, FilterFingerprint};
use heronry_types::{ConsumerRecovery, Cursor, Millis};

/// The time after its last commit in which a consumer keeps records from being trimmed, unless its
/// holder says otherwise: seven days.
pub const CONSUMER_HOLD: Millis = Millis::from_secs(7 * 24 * 60 * 60);

/// The point at which a consumer begins that has no cursor yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConsumerStart {
    /// The consumer begins before the oldest record that is kept.
    Floor,
    /// The consumer begins after the present head.
    Head,
    /// The consumer begins after this cursor.
    Cursor(Cursor),
}

/// The answer to a holder of a consumer that another one in this process holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnHeld {
    /// The second holder is refused.
    Refuse,
    /// The second holder takes the consumer over: the first one commits no more.
    TakeOver,
}

/// The answer to a holder whose filter is not the one that the consumer's cursor is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnFilterChanged {
    /// The holder is refused.
    Refuse,
    /// The cursor is taken for the new filter: what the new filter would have found before it is not
    /// seen.
    Accept,
}

/// The claim of a named consumer, by the fingerprint of its filter.
#[derive(Clone, Debug)]
pub struct ConsumerClaim {
    /// The name; unique in the pool.
    pub name: ConsumerId,
    /// The fingerprint of the filter.
    pub filter: FilterFingerprint,
    /// The point at which it begins when it has no cursor yet.
    pub start: ConsumerStart,
    /// The recovery when its cursor is stale.
    pub on_stale: ConsumerRecovery,
    /// The answer when somebody in this process holds it.
    pub on_held: OnHeld,
    /// The answer when its cursor is of another filter.
    pub on_filter_changed: OnFilterChanged,
    /// The time after its last commit in which it keeps records after its cursor from being trimmed.
    /// Zero holds nothing.
    pub hold_for: Millis,
}

impl ConsumerClaim {
    /// Returns the claim of a consumer that begins at the floor, holds records for
    /// [`CONSUMER_HOLD`], and is refused when it is held, has another filter or a stale cursor.
    pub fn new(name: ConsumerId, filter: FilterFingerprint) -> Self {
        Self {
            name,
            filter,
            start: ConsumerStart::Floor,
            on_stale: ConsumerRecovery::Fail,
            on_held: OnHeld::Refuse,
            on_filter_changed: OnFilterChanged::Refuse,
            hold_for: CONSUMER_HOLD,
        }
    }
}

/// The request of a holder that reads events as a named consumer.
#[derive(Clone, Debug)]
pub struct ConsumerSpec {
    /// The claim. Its fingerprint is that of `filter`.
    pub claim: ConsumerClaim,
    /// The filter that the events must match.
    pub filter: Filter,
}

impl ConsumerSpec {
    /// Returns the request of a consumer with this filter, and the defaults of [`ConsumerClaim::new`].
    pub fn new(name: ConsumerId, filter: Filter) -> Self {
        let claim = ConsumerClaim::new(name, fingerprint(&filter));
        Self { claim, filter }
    }
}

/// Returns the fingerprint of a filter as a store keeps it.
pub fn fingerprint(filter: &Filter) -> FilterFingerprint {
    FilterFingerprint(*filter.fingerprint().as_bytes())
}
