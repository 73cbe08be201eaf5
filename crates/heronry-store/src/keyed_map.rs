//! Maps keyed by ids that callers choose.

use std::collections::HashMap;

/// A map keyed by ids that callers choose.
///
/// Its hash has a seed of its own that nobody outside sees, and costs a fraction of the standard
/// one: an engine looks up some ten ids for each message.
pub type KeyedMap<K, V> = HashMap<K, V, foldhash::quality::RandomState>;
