//! Projecting the name of an alias.

use heronry_types::{AliasName, Correlation};

use super::put;

/// Adds the recipient and the channel that an alias stands for; any where it says none.
pub(super) fn fill(said: &mut Correlation, alias: &AliasName) {
    if let Some(recipient) = &alias.recipient {
        put(said, "recipient", recipient);
    }
    if let Some(channel) = &alias.channel {
        put(said, "channel", channel);
    }
}
