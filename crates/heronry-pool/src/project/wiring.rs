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

/// Adds the alias that a message was sent to, unless the message has correlations of these names.
pub(super) fn fill_sent(said: &mut Correlation, alias: &AliasName) {
    let mut of_alias = Correlation::new();
    if let Some(recipient) = &alias.recipient {
        put(&mut of_alias, "alias_recipient", recipient);
    }
    if let Some(channel) = &alias.channel {
        put(&mut of_alias, "alias_channel", channel);
    }
    for (name, value) in &of_alias {
        if said.get(name.as_str()).is_none() {
            said.insert(name.clone(), value.clone());
        }
    }
}
