//! Named consumers: where they stand, and who holds them.

use heronry_event::filter::Fingerprint;
use heronry_types::{ConsumerRecovery, Cursor, Millis, Timestamp};
use serde::{Deserialize, Serialize};

/// The activity of a consumer at the server.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum ConsumerState {
    /// Nobody at the server holds the consumer. Somebody outside may.
    Idle,
    /// The server holds the consumer.
    Held,
    /// The server's export of the consumer stopped at a permanent refusal, and waits to be resumed.
    Parked,
}

/// A named consumer, as it is listed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerEntry {
    /// The name, unique in the pool.
    pub name: String,
    /// The cursor up to which everything is handled.
    pub cursor: Cursor,
    /// The number of records after the cursor. Absent when the cursor is not of this journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<u64>,
    /// The fingerprint of the filter.
    pub filter: Fingerprint,
    /// The generation of the last holder.
    pub generation: u64,
    /// The time of the last commit. Absent when no commit noted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_at: Option<Timestamp>,
    /// The time after the last commit, in milliseconds, in which records after the cursor are kept from
    /// being trimmed.
    pub hold_for_ms: Millis,
    /// The activity at the server.
    pub state: ConsumerState,
    /// The refusal at which an export is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Every consumer of a pool, in the order of their names.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerList {
    /// The consumers.
    pub consumers: Vec<ConsumerEntry>,
    /// The head of the pool.
    pub as_of: Cursor,
}

/// The point at which a consumer begins that has no cursor yet.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum ConsumeFrom {
    /// The consumer begins at the oldest record that is kept.
    #[default]
    Floor,
    /// The consumer begins after the present head.
    Head,
}

/// The answer to a claim of a consumer that the server holds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum WhenHeld {
    /// The claim is refused.
    #[default]
    Refuse,
    /// The claim takes the consumer over.
    TakeOver,
}

/// The answer to a claim with another filter than the cursor is of.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum WhenFilterChanged {
    /// The claim is refused.
    #[default]
    Refuse,
    /// The cursor is taken for the new filter.
    Accept,
}

/// Claims a consumer. The body of `POST …/consumers/{name}/claim`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::claim_consumer())
)]
pub struct ClaimConsumer {
    /// The filter of the events that the consumer reads. Absent: every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The point at which it begins when it has no cursor yet. Absent: `floor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<ConsumeFrom>,
    /// The recovery when its cursor is stale. Absent: `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_stale: Option<ConsumerRecovery>,
    /// The answer when the server holds it. Absent: `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_held: Option<WhenHeld>,
    /// The answer when its cursor is of another filter. Absent: `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_filter_changed: Option<WhenFilterChanged>,
    /// The time after its last commit, in milliseconds, in which it keeps records after its cursor from
    /// being trimmed. Absent: seven days; 0 keeps none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_for_ms: Option<Millis>,
}

/// The answer to a claim: the consumer is the caller's until the next claim.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerClaimed {
    /// The cursor after which the consumer goes on.
    pub cursor: Cursor,
    /// The generation of the claim, which commits name.
    pub generation: u64,
    /// The fingerprint of the filter.
    pub filter: Fingerprint,
}

/// Commits that a consumer has handled everything up to a cursor. The body of
/// `POST …/consumers/{name}/commit`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::commit_consumer())
)]
pub struct CommitConsumer {
    /// The generation of the claim.
    pub generation: u64,
    /// The cursor.
    pub cursor: Cursor,
}

/// The answer to a commit.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerCommitted {
    /// The committed cursor.
    pub cursor: Cursor,
}

/// The answer to a request to let a parked export go on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerResumed {
    /// True when the export was parked and goes on; false when none was.
    pub resumed: bool,
}

/// The answer to a request to forget a consumer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConsumerForgotten {
    /// The name of the consumer, which is gone with its cursor and its projection.
    pub name: String,
}
