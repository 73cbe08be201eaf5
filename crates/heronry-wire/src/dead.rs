//! Dead letters: copies that died, and can be replayed.

use heronry_types::{ContentRef, Cursor, DeadReason, MessageId, RunId, Timestamp};
use serde::{Deserialize, Serialize};

/// The query of `GET …/dead-letters`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::dead_letters_query())
)]
pub struct DeadLettersQuery {
    /// The recipient whose copies are listed. Absent: the token's run, or every run for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The largest number of dead letters in the page. Absent: 100, or the pool's limit where that is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The `cursor` of a page's `next`; goes with `after_run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
    /// The `run_id` of a page's `next`; goes with `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_run: Option<RunId>,
}

/// Names a dead letter.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetterName {
    /// The cursor of the message's acceptance.
    pub cursor: Cursor,
    /// The recipient of the copy.
    pub run_id: RunId,
}

/// A copy that is dead until it is replayed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetter {
    /// The recipient of the copy.
    pub run_id: RunId,
    /// The cursor of the message's acceptance; it names the letter together with the run.
    pub cursor: Cursor,
    /// The id of the message.
    pub message_id: MessageId,
    /// The run that sent the message.
    pub from: RunId,
    /// The number of attempts that were counted.
    pub attempt: u32,
    /// The reason why the copy is dead: its last claim lapsed or was released, or it expired after a replay.
    pub reason: DeadReason,
    /// The time at which the copy died.
    pub dead_at: Timestamp,
    /// The cursor of the record that says so.
    pub dead_cursor: Cursor,
    /// The reference of the message's body.
    pub content_ref: ContentRef,
}

/// A page of dead letters, by recipient and then by the acceptance of their message.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeadLetterList {
    /// The dead letters.
    pub dead_letters: Vec<DeadLetter>,
    /// The name of the last dead letter here, after which the next page goes on; absent when there
    /// are no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<DeadLetterName>,
    /// The head at which they were read.
    pub as_of: Cursor,
}
