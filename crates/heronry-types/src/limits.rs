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
        AttemptsMax = "attempts_max",
        LeaseMsMax = "lease_ms_max",
        LostKeepMsMax = "lost_keep_ms_max",
        PendingEffectsPerRunMax = "pending_effects_per_run_max",
        SubscriptionsPerRunMax = "subscriptions_per_run_max",
        LongPollsMax = "long_polls_max",
        LongPollsPerRunMax = "long_polls_per_run_max",
        BytesUnderWayMax = "bytes_under_way_max",
        BytesUnderWayPerRunMax = "bytes_under_way_per_run_max",
        WakeCostPerRunMax = "wake_cost_per_run_max",
        WakeCostPerPoolMax = "wake_cost_per_pool_max",
        UnnamedContentBytesPerRunMax = "unnamed_content_bytes_per_run_max",
        UnnamedContentBytesMax = "unnamed_content_bytes_max",
        UnnamedContentKeepMsMax = "unnamed_content_keep_ms_max",
    }
}

impl LimitName {
    /// Returns the value that holds while nothing else is configured.
    pub fn default_value(self) -> u64 {
        match self {
            Self::MembersMax => 100_000,
            Self::TopicsPerMemberMax
            | Self::PoliciesMax
            | Self::SubscriptionsPerRunMax
            | Self::LongPollsPerRunMax => 64,
            Self::RecipientsPerMessageMax
            | Self::InboxDepthMax
            | Self::SubscriptionsMax
            | Self::LongPollsMax => 10_000,
            Self::BytesUnderWayMax | Self::UnnamedContentBytesPerRunMax => 256 * 1024 * 1024,
            Self::UnnamedContentBytesMax => 4 * 1024 * 1024 * 1024,
            Self::BytesUnderWayPerRunMax => 64 * 1024 * 1024,
            Self::RecipientIdsBytesMax => 512 * 1024,
            Self::LiveWakesPerRunMax | Self::PageItemsMax | Self::PendingEffectsPerRunMax => 1_000,
            Self::LiveWakesPerPoolMax => 2_000_000,
            Self::WakeCostPerRunMax => 8 * 1_024,
            Self::WakeCostPerPoolMax => 16 * 1_024 * 1_024,
            Self::FilterTextBytesMax => 16 * 1024,
            Self::BodyInlineBytesMax => 256 * 1024,
            Self::ContentBytesMax => 32 * 1024 * 1024,
            Self::CorrelationEntriesMax | Self::TagsMax => 32,
            Self::LongPollMsMax => 50_000,
            Self::ClaimMsMax | Self::LeaseMsMax => 12 * 3_600_000,
            Self::LostKeepMsMax | Self::UnnamedContentKeepMsMax => 24 * 3_600_000,
            Self::CommandQueueMax => 4_096,
            Self::NoteBytesMax => 1_024,
            Self::AttemptsMax => 5,
        }
    }

    /// Returns what of wakes it limits, and whose; nothing when it limits something else.
    fn of_wakes(self) -> Option<OfWakes> {
        let limits = [
            (Self::LiveWakesPerRunMax, OfWakes::Count("run")),
            (Self::LiveWakesPerPoolMax, OfWakes::Count("pool")),
            (Self::WakeCostPerRunMax, OfWakes::Cost("run")),
            (Self::WakeCostPerPoolMax, OfWakes::Cost("pool")),
        ];
        let found = limits.into_iter().find(|(limit, _)| *limit == self);
        found.map(|(_, of_wakes)| of_wakes)
    }

    /// Returns what whoever asked can do about a value over it.
    fn what_helps(self) -> &'static str {
        match self.of_wakes() {
            Some(OfWakes::Cost(_)) => {
                "end wakes that are not needed, ask for values that an event must have, which costs less"
            }
            Some(OfWakes::Count(_)) => "end wakes that are not needed",
            None => "send less",
        }
    }

    /// Returns the limit whose value its own default rises with, and how much of this one belongs to
    /// one of that: what live wakes may cost is 8 for each, at least.
    fn rises_with(self) -> Option<(Self, u64)> {
        match self {
            Self::WakeCostPerRunMax => Some((Self::LiveWakesPerRunMax, 8)),
            Self::WakeCostPerPoolMax => Some((Self::LiveWakesPerPoolMax, 8)),
            Self::MembersMax
            | Self::TopicsPerMemberMax
            | Self::RecipientsPerMessageMax
            | Self::RecipientIdsBytesMax
            | Self::InboxDepthMax
            | Self::LiveWakesPerRunMax
            | Self::LiveWakesPerPoolMax
            | Self::FilterTextBytesMax
            | Self::BodyInlineBytesMax
            | Self::ContentBytesMax
            | Self::CorrelationEntriesMax
            | Self::TagsMax
            | Self::PoliciesMax
            | Self::PageItemsMax
            | Self::LongPollMsMax
            | Self::ClaimMsMax
            | Self::CommandQueueMax
            | Self::SubscriptionsMax
            | Self::NoteBytesMax
            | Self::AttemptsMax
            | Self::LeaseMsMax
            | Self::LostKeepMsMax
            | Self::SubscriptionsPerRunMax
            | Self::LongPollsMax
            | Self::LongPollsPerRunMax
            | Self::BytesUnderWayMax
            | Self::BytesUnderWayPerRunMax
            | Self::UnnamedContentBytesPerRunMax
            | Self::UnnamedContentBytesMax
            | Self::UnnamedContentKeepMsMax
            | Self::PendingEffectsPerRunMax => None,
        }
    }

    /// Returns the smallest value that it can be set to: with less, nothing could raise it again.
    pub fn floor(self) -> u64 {
        match self {
            Self::CommandQueueMax => 16,
            Self::AttemptsMax
            | Self::MembersMax
            | Self::RecipientsPerMessageMax
            | Self::RecipientIdsBytesMax
            | Self::InboxDepthMax
            | Self::PageItemsMax
            | Self::ClaimMsMax => 1,
            Self::TopicsPerMemberMax
            | Self::LiveWakesPerRunMax
            | Self::LiveWakesPerPoolMax
            | Self::WakeCostPerRunMax
            | Self::WakeCostPerPoolMax
            | Self::FilterTextBytesMax
            | Self::BodyInlineBytesMax
            | Self::ContentBytesMax
            | Self::CorrelationEntriesMax
            | Self::TagsMax
            | Self::PoliciesMax
            | Self::LongPollMsMax
            | Self::SubscriptionsMax
            | Self::LeaseMsMax
            | Self::LostKeepMsMax
            | Self::PendingEffectsPerRunMax
            | Self::SubscriptionsPerRunMax
            | Self::LongPollsMax
            | Self::LongPollsPerRunMax
            | Self::BytesUnderWayMax
            | Self::BytesUnderWayPerRunMax
            | Self::UnnamedContentBytesPerRunMax
            | Self::UnnamedContentBytesMax
            | Self::UnnamedContentKeepMsMax
            | Self::NoteBytesMax => 0,
        }
    }

    /// Returns the largest value that the limit can be set to.
    ///
    /// The size of a record is bounded by the 768 KiB of a chunk. That holds also for the records
    /// that the engine itself writes about a message and that nobody could refuse any more. A
    /// body is bounded by the 64 MiB of a line of an export, a filter by its language, and the
    /// rest by the memory of one process.
    pub fn ceiling(self) -> u64 {
        match self {
            Self::MembersMax
            | Self::LiveWakesPerRunMax
            | Self::SubscriptionsMax
            | Self::SubscriptionsPerRunMax
            | Self::LongPollsMax
            | Self::LongPollsPerRunMax
            | Self::PendingEffectsPerRunMax => 1_000_000,
            Self::BytesUnderWayMax | Self::BytesUnderWayPerRunMax => 64 * 1024 * 1024 * 1024,
            Self::UnnamedContentBytesPerRunMax | Self::UnnamedContentBytesMax => {
                1024 * 1024 * 1024 * 1024
            }
            Self::InboxDepthMax | Self::LiveWakesPerPoolMax => 10_000_000,
            Self::WakeCostPerRunMax => 8_000_000,
            Self::WakeCostPerPoolMax => 80_000_000,
            Self::RecipientsPerMessageMax => 50_000,
            Self::RecipientIdsBytesMax => 512 * 1024,
            Self::FilterTextBytesMax => 16 * 1024,
            Self::BodyInlineBytesMax => 1024 * 1024,
            Self::ContentBytesMax => 40 * 1024 * 1024,
            Self::TopicsPerMemberMax => 512,
            Self::CorrelationEntriesMax | Self::TagsMax | Self::PoliciesMax => 256,
            Self::PageItemsMax => 10_000,
            Self::LongPollMsMax => 600_000,
            Self::AttemptsMax => 1_000,
            Self::ClaimMsMax => 12 * 3_600_000,
            Self::LeaseMsMax | Self::LostKeepMsMax | Self::UnnamedContentKeepMsMax => {
                30 * 24 * 3_600_000
            }
            Self::CommandQueueMax | Self::NoteBytesMax => 64 * 1024,
        }
    }

    /// Checks that it can be set to a value.
    ///
    /// # Errors
    /// [`LimitNotSettable`] says what it can be set to.
    pub fn check_settable(self, asked: u64) -> Result<(), LimitNotSettable> {
        let (limit, floor, ceiling) = (self, self.floor(), self.ceiling());
        if asked > ceiling {
            Err(LimitNotSettable::AboveCeiling {
                limit,
                ceiling,
                asked,
            })
        } else if asked < floor {
            Err(LimitNotSettable::BelowFloor {
                limit,
                floor,
                asked,
            })
        } else {
            Ok(())
        }
    }
}

/// A limit cannot be set like this.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LimitNotSettable {
    /// The value is over what can be kept or held.
    #[error("limits.{limit} can be {ceiling} at the most, not {asked}; ask for less")]
    AboveCeiling {
        /// The limit.
        limit: LimitName,
        /// The largest value of the limit.
        ceiling: u64,
        /// The value that was asked for.
        asked: u64,
    },
    /// With the value the pool could not be used any more.
    #[error("limits.{limit} has to be {floor} at least, not {asked}; ask for more")]
    BelowFloor {
        /// The limit.
        limit: LimitName,
        /// The smallest value of the limit.
        floor: u64,
        /// The value that was asked for.
        asked: u64,
    },
}

/// Limits that differ from their defaults.
#[derive(Clone, Debug, Decode, Default, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Limits(#[n(0)] BTreeMap<LimitName, u64>);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Limits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limits".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let fields = LimitName::ALL.iter().map(|name| {
            let value = schemars::json_schema!({
                "type": "integer",
                "format": "uint64",
                "minimum": name.floor(),
                "maximum": name.ceiling(),
            });
            (name.wire_name().to_owned(), value.to_value())
        });
        let fields: serde_json::Map<_, _> = fields.collect();
        schemars::json_schema!({
            "type": "object",
            "properties": fields,
            "additionalProperties": false,
            "description": "Limits that differ from their defaults, each by its name.",
        })
    }
}

/// A sum over the wakes that wait, of a run or of a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum OfWakes {
    /// The sum of their costs.
    Cost(&'static str),
    /// The number of the wakes.
    Count(&'static str),
}

/// A value over its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{limit} is {max}, and {}; {}, or raise the limit in the settings",
    self.what(),
    self.limit.what_helps()
)]
#[non_exhaustive]
pub struct LimitExceeded {
    /// The name of the limit.
    pub limit: LimitName,
    /// The value of the limit.
    pub max: u64,
    /// The value that the request has, or that the wakes would have together with its own.
    pub actual: u64,
}

impl LimitExceeded {
    /// Returns the refusal of a value.
    pub fn new(limit: LimitName, max: u64, actual: u64) -> Self {
        Self { limit, max, actual }
    }

    /// Returns what has the value.
    fn what(&self) -> String {
        let Self { limit, actual, .. } = self;
        match limit.of_wakes() {
            Some(OfWakes::Cost(whose)) => {
                format!("the wakes of the {whose} would cost {actual} together")
            }
            Some(OfWakes::Count(whose)) => format!("the {whose} would have {actual} live wakes"),
            None => format!("the request has {actual}"),
        }
    }
}

impl Limits {
    /// Returns the value of a limit.
    pub fn get(&self, name: LimitName) -> u64 {
        let set = self.0.get(&name).copied();
        set.unwrap_or_else(|| match name.rises_with() {
            Some((other, each)) => name.default_value().max(self.get(other) * each),
            None => name.default_value(),
        })
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

    /// Checks that every limit that is set can be set to its value.
    ///
    /// # Errors
    /// [`LimitNotSettable`] for the first that cannot.
    pub fn check_settable(&self) -> Result<(), LimitNotSettable> {
        self.iter()
            .try_for_each(|(name, value)| name.check_settable(value))
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

    #[test]
    fn what_wakes_may_cost_rises_with_how_many_there_may_be_unless_it_is_set() {
        let mut limits = Limits::default();
        let cost = LimitName::WakeCostPerRunMax;
        assert_eq!(limits.get(cost), 8_192);
        limits.set(LimitName::LiveWakesPerRunMax, 10);
        assert_eq!(limits.get(cost), 8_192);
        limits.set(LimitName::LiveWakesPerRunMax, 1_000_000);
        assert_eq!(limits.get(cost), 8_000_000);
        limits.set(cost, 5);
        assert_eq!(limits.get(cost), 5);
    }

    #[test]
    fn a_limit_is_set_between_its_floor_and_its_ceiling() {
        for limit in LimitName::ALL.iter().copied() {
            let (floor, ceiling) = (limit.floor(), limit.ceiling());
            assert!(
                (floor..=ceiling).contains(&limit.default_value()),
                "{limit}"
            );
            for value in [floor, floor + 1, ceiling - 1, ceiling] {
                limit.check_settable(value).unwrap();
            }
            let asked = ceiling + 1;
            assert_eq!(
                limit.check_settable(asked),
                Err(LimitNotSettable::AboveCeiling {
                    limit,
                    ceiling,
                    asked
                })
            );
        }
        let limit = LimitName::CommandQueueMax;
        let (floor, asked) = (16, 15);
        assert_eq!(
            limit.check_settable(asked),
            Err(LimitNotSettable::BelowFloor {
                limit,
                floor,
                asked
            })
        );
    }

    #[test]
    fn a_refusal_says_whose_sum_it_is_and_what_helps() {
        let said = |limit| LimitExceeded::new(limit, 10, 12).to_string();
        assert_eq!(
            said(LimitName::WakeCostPerRunMax),
            "wake_cost_per_run_max is 10, and the wakes of the run would cost 12 together; end wakes \
             that are not needed, ask for values that an event must have, which costs less, or raise \
             the limit in the settings"
        );
        assert!(
            said(LimitName::WakeCostPerPoolMax).contains("the wakes of the pool would cost 12")
        );
        assert_eq!(
            said(LimitName::LiveWakesPerRunMax),
            "live_wakes_per_run_max is 10, and the run would have 12 live wakes; end wakes that are \
             not needed, or raise the limit in the settings"
        );
        assert!(said(LimitName::LiveWakesPerPoolMax).contains("the pool would have 12 live wakes"));
        assert!(said(LimitName::TagsMax).contains("the request has 12; send less"));
    }
}
