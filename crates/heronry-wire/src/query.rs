//! What stands behind the question mark.

use std::fmt;

use heronry_types::{Cursor, IdempotencyKey, Millis, ReceiptUntil, RunId};
use serde::{Deserialize, Serialize};

/// The media type that asks `GET …/events` for a stream.
pub const EVENT_STREAM: &str = "text/event-stream";

/// Where reading events starts when no cursor is given.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventsFrom {
    /// At the oldest record that is kept.
    #[default]
    Start,
    /// After the newest record.
    Head,
}

impl fmt::Display for EventsFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Head => "head",
        })
    }
}

/// What a stream does when its cursor was trimmed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum OnTrimmed {
    /// It sends a `gap` and goes on at the floor.
    #[default]
    Gap,
    /// It is refused with `cursor-trimmed`.
    Error,
}

/// The query of `DELETE …` of a pool.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeletePoolQuery {
    /// The head that the caller saw: with another one it is refused. Absent: whatever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub expected_head: Option<Cursor>,
}

/// The query of `GET …/events`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventsQuery {
    /// The text of a filter. Absent: every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The cursor after which to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub after: Option<Cursor>,
    /// Where to start without a cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EventsFrom>,
    /// How many events at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How long a page waits for a first event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub wait_ms: Option<Millis>,
    /// As which member an operator looks. It ends when the run leaves or ends, and not when it is taken
    /// over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub view_run: Option<RunId>,
    /// What a stream does when its cursor was trimmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_trimmed: Option<OnTrimmed>,
}

/// The query of `GET …/members`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembersQuery {
    /// How many members at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only members whose run id comes after this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub after: Option<RunId>,
}

/// The query of `PUT …/contents`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ContentQuery {
    /// The key under which a repeat gets the same reference; it may stand in a header too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whose idempotency key it is; absent: the token's run, or nobody's for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
}

/// The query of `GET …/members/{run}/inbox`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxQuery {
    /// How many copies at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Whether items carry their bodies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<bool>,
}

/// The query of `GET …/messages/{id}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptQuery {
    /// Who sent the message; absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub from: Option<RunId>,
    /// How long to wait for a change. Absent: not at all. A message that is over is not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub wait_ms: Option<Millis>,
    /// Wait for any change after this cursor, as the `as_of` of an earlier receipt. Absent: after now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub since: Option<Cursor>,
    /// Wait until the message has come to this point, whatever happens before: `ended` (it is over),
    /// `acked` (no copy is queued or claimed any more) or `responded` (the replies have come). A
    /// message that is over has come to all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub until: Option<ReceiptUntil>,
}

/// The query of `GET …/wakes`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WakesQuery {
    /// Whose wakes; absent: the token's run, or every run for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
    /// How many at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Only wakes that were registered after this cursor: the `next` of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub after: Option<Cursor>,
}

/// The query of `GET …/wakes/{id}/explain`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExplainQuery {
    /// Whose wake it is; absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
}

/// The query of `GET …/wakes/{id}` and `DELETE …/wakes/{id}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WakeQuery {
    /// How long to wait for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<u64>))]
    pub wait_ms: Option<Millis>,
    /// Whose wake it is; absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub run: Option<RunId>,
}
