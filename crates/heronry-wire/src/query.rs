//! The queries of requests: the part of a URL behind the question mark.

use std::fmt;

use heronry_event::Room;
use heronry_types::{Cursor, IdempotencyKey, Millis, OverflowPolicy, ReceiptUntil, RunId};
use serde::{Deserialize, Serialize};

/// The media type that asks `GET …/events` for a stream.
pub const EVENT_STREAM: &str = "text/event-stream";

/// The place where reading events starts when no cursor is given.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum EventsFrom {
    /// The reading starts at the oldest record that is kept.
    #[default]
    Start,
    /// The reading starts after the newest record.
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

/// The behaviour of a stream whose cursor was trimmed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum OnTrimmed {
    /// The stream sends a `gap` and goes on at the floor.
    #[default]
    Gap,
    /// The stream is refused with `cursor-trimmed`.
    Error,
}

/// The query of `DELETE …` of a pool.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::delete_pool_query())
)]
pub struct DeletePoolQuery {
    /// The head that the caller saw; when the pool has another one, the request is refused. Absent: any head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_head: Option<Cursor>,
}

/// The query of `GET …/export`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::export_query())
)]
pub struct ExportQuery {
    /// True for the lines of a backup: where named consumers stand goes along. Absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<bool>,
}

/// The query of `GET …/events`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::events_query())
)]
pub struct EventsQuery {
    /// The text of a filter. Absent: every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The cursor after which to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
    /// The place where reading starts without a cursor. Absent: `start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EventsFrom>,
    /// The largest number of events in a page. Absent: 100, or the pool's limit where that is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The time that a page waits for a first event, in milliseconds. Absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
    /// The member in whose view an operator looks. The view ends when the run leaves or ends, and
    /// not when it is taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_run: Option<RunId>,
    /// The behaviour of a stream whose cursor was trimmed. Absent: `gap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_trimmed: Option<OnTrimmed>,
    /// The room whose events are read, as `run:R`, `session:S`, `agent:A`, `topic:T` or `pool`; the filter
    /// narrows it. Absent: `pool`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// True when the stream of a run's room closes behind the end of the run. Absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_on_terminal: Option<bool>,
    /// The events without a record that a stream shows, and the treatment of those that it is too slow for.
    /// Absent: it shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<OverflowPolicy>,
    /// The number of events without a record that may wait for a stream, from 1 to 1024. Absent: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral_buffer: Option<u64>,
}

/// The query of `GET …/members`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::members_query())
)]
pub struct MembersQuery {
    /// The largest number of members in the page, at least 1. Absent: the pool's limit `page_items_max`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The run after which the page begins, in the order of run ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RunId>,
}

/// The query of `PUT …/contents`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::content_query())
)]
pub struct ContentQuery {
    /// The key under which a repeat gets the same reference; it may stand in a header too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// The run that the idempotency key belongs to. Absent: the token's run, or nobody for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

/// The query of `GET …/members/{run}/inbox`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::inbox_query())
)]
pub struct InboxQuery {
    /// The largest number of copies in the page. Absent: 100, or the pool's limit where that is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// True when items are to carry their bodies. Absent: they do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bodies: Option<bool>,
}

/// The query of `GET …/messages/{id}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::receipt_query())
)]
pub struct ReceiptQuery {
    /// The run that sent the message. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<RunId>,
    /// The time in milliseconds that the call waits for a change. Absent: it does not wait. A
    /// message that is over is not waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
    /// The cursor after which any change ends the waiting, as the `as_of` of an earlier receipt. Absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Cursor>,
    /// The point that the message has to come to, whatever happens before: `ended` (it is over),
    /// `acked` (no copy is queued or claimed any more) or `responded` (the replies have come). A
    /// message that is over has come to all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<ReceiptUntil>,
}

/// The query of `GET …/wakes`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::wakes_query())
)]
pub struct WakesQuery {
    /// The run whose wakes are listed. Absent: the token's run, or every run for an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The largest number of wakes in the page. Absent: 100, or the pool's limit where that is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The cursor after which the listed wakes were registered: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Cursor>,
}

/// The query of `GET …/wakes/{id}/explain`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::explain_query())
)]
pub struct ExplainQuery {
    /// The run that the wake belongs to. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

/// The query of `GET …/wakes/{id}` and `DELETE …/wakes/{id}`.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::wake_query())
)]
pub struct WakeQuery {
    /// The time in milliseconds that the call waits for the end of the wake. Absent: it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<Millis>,
    /// The run that the wake belongs to. Absent: the token's run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}
