//! Every limit by name: one table of names, units and defaults.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::vocab::{Vocabulary, vocabulary};

vocabulary! {
    /// The name of a limit; its unit is the last word before `_max`, or a count.
    LimitName {
        MembersMax = "members_max",
        TopicsPerMemberMax = "topics_per_member_max",
        RecipientsPerMessageMax = "recipients_per_message_max",
        RecipientIdsBytesMax = "recipient_ids_bytes_max",
        InboxDepthMax = "inbox_depth_max",
        LiveWakesPerRunMax = "live_wakes_per_run_max",
        LiveWakesPerPoolMax = "live_wakes_per_pool_max",
        FilterTextBytesMax = "filter_text_bytes_max",
        BodyInlineBytesMax = "body_inline_bytes_max",
        ContentBytesMax = "content_bytes_max",
        CorrelationEntriesMax = "correlation_entries_max",
        TagsMax = "tags_max",
        PoliciesMax = "policies_max",
        PageItemsMax = "page_items_max",
        LongPollMsMax = "long_poll_ms_max",
        ClaimMsMax = "claim_ms_max",
        CommandQueueMax = "command_queue_max",
        SubscriptionsMax = "subscriptions_max",
        NoteBytesMax = "note_bytes_max",
    }
}

impl LimitName {
    /// Returns the value that holds while nothing else is configured.
    pub fn default_value(self) -> u64 {
        match self {
            Self::MembersMax => 100_000,
            Self::TopicsPerMemberMax | Self::PoliciesMax => 64,
            Self::RecipientsPerMessageMax | Self::InboxDepthMax | Self::SubscriptionsMax => 10_000,
            Self::RecipientIdsBytesMax => 512 * 1024,
            Self::LiveWakesPerRunMax | Self::PageItemsMax => 1_000,
            Self::LiveWakesPerPoolMax => 2_000_000,
            Self::FilterTextBytesMax => 16 * 1024,
            Self::BodyInlineBytesMax => 256 * 1024,
            Self::ContentBytesMax => 32 * 1024 * 1024,
            Self::CorrelationEntriesMax | Self::TagsMax => 32,
            Self::LongPollMsMax => 50_000,
            Self::ClaimMsMax => 12 * 3_600_000,
            Self::CommandQueueMax => 4_096,
            Self::NoteBytesMax => 1_024,
        }
    }
}

/// Limits that differ from their defaults.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Limits(#[n(0)] BTreeMap<LimitName, u64>);

/// A value over its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{limit} is {max}, and the request has {actual}; send less, or raise the limit in the settings"
)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The limit.
    pub limit: LimitName,
    /// Its value.
    pub max: u64,
    /// What was asked for.
    pub actual: u64,
}

impl LimitExceeded {
    /// Returns the refusal of a value.
    pub fn new(limit: LimitName, max: u64, actual: u64) -> Self {
        Self { limit, max, actual }
    }
}

impl Limits {
    /// Returns the value of a limit.
    pub fn get(&self, name: LimitName) -> u64 {
        self.0
            .get(&name)
            .copied()
            .unwrap_or_else(|| name.default_value())
    }

    /// Sets a limit.
    pub fn set(&mut self, name: LimitName, value: u64) {
        self.0.insert(name, value);
    }

    /// Takes over every limit that `other` names.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Walks the limits that are set, in order.
    pub fn iter(&self) -> impl Iterator<Item = (LimitName, u64)> + '_ {
        self.0.iter().map(|(name, value)| (*name, *value))
    }

    /// Returns true when every limit has its default.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns every limit with the value that holds.
    pub fn effective(&self) -> impl Iterator<Item = (LimitName, u64)> + '_ {
        LimitName::ALL.iter().map(|name| (*name, self.get(*name)))
    }

    /// Checks that a value is within its limit.
    ///
    /// # Errors
    /// [`LimitExceeded`] with the limit's name and value.
    pub fn check(&self, limit: LimitName, actual: usize) -> Result<(), LimitExceeded> {
        let (max, actual) = (self.get(limit), actual as u64);
        if actual > max {
            Err(LimitExceeded { limit, max, actual })
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_passes_up_to_its_limit_and_not_beyond() {
        let mut limits = Limits::default();
        limits.set(LimitName::TagsMax, 3);
        assert!(limits.check(LimitName::TagsMax, 2).is_ok());
        assert!(limits.check(LimitName::TagsMax, 3).is_ok());
        let error = limits.check(LimitName::TagsMax, 4).unwrap_err();
        assert_eq!(
            (error.limit, error.max, error.actual),
            (LimitName::TagsMax, 3, 4)
        );
        assert_eq!(limits.get(LimitName::PoliciesMax), 64);
    }
}
