//! The items of a subscription, and pages of events.

use std::fmt;

use heronry_types::{Cursor, UnknownName, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::{DroppedEphemeral, Event, SharedEphemeral, SharedEvent};

/// One item of a subscription, in order.
///
/// JSON is the item's data alone, as SSE sends it under the name [`StreamItem::name`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum StreamItem {
    /// An event, exactly once per stream.
    Event(SharedEvent),
    /// Everything up to `head` was sent; what follows is new. Once per stream.
    #[cfg_attr(feature = "schema", schemars(title = "StreamCaughtUp"))]
    CaughtUp {
        /// The head when the stream caught up.
        head: Cursor,
    },
    /// Events that cannot be sent: those after `from`, up to and including `to`.
    #[cfg_attr(feature = "schema", schemars(title = "StreamGap"))]
    Gap {
        /// The last position before the gap.
        from: Cursor,
        /// The last position in the gap.
        to: Cursor,
        /// The reason why the events cannot be sent.
        reason: GapReason,
    },
    /// An event without a record, which follows everything that was sent.
    Ephemeral(SharedEphemeral),
    /// Events without a record that were dropped here.
    #[cfg_attr(feature = "schema", schemars(title = "StreamDropped"))]
    Dropped(DroppedEphemeral),
    /// The stream ends here.
    #[cfg_attr(feature = "schema", schemars(title = "StreamClosed"))]
    Closed {
        /// The reason why the stream ends.
        reason: CloseReason,
    },
}

impl StreamItem {
    /// Returns the item's name on the wire: the event's kind, `caught_up`, `gap`, `ephemeral`,
    /// `dropped` or `closed`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Event(event) => event.envelope.kind.wire_name(),
            Self::CaughtUp { .. } => "caught_up",
            Self::Gap { .. } => "gap",
            Self::Ephemeral(_) => "ephemeral",
            Self::Dropped(_) => "dropped",
            Self::Closed { .. } => "closed",
        }
    }

    /// Returns the cursor of a reader after this item; nothing when the item does not move it.
    pub fn cursor(&self) -> Option<Cursor> {
        match self {
            Self::Event(event) => Some(event.envelope.id()),
            Self::CaughtUp { head } => Some(*head),
            Self::Gap { to, .. } => Some(*to),
            Self::Ephemeral(_) | Self::Dropped(_) | Self::Closed { .. } => None,
        }
    }
}

impl From<SharedEvent> for StreamItem {
    fn from(event: SharedEvent) -> Self {
        Self::Event(event)
    }
}

impl From<Event> for StreamItem {
    fn from(event: Event) -> Self {
        Self::Event(event.into())
    }
}

/// The reason why events cannot be sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum GapReason {
    /// The events are older than the oldest record that is kept.
    Trimmed,
}

impl Vocabulary for GapReason {
    const NAME: &'static str = "GapReason";
    const ALL: &'static [Self] = &[Self::Trimmed];
    fn wire_name(self) -> &'static str {
        match self {
            Self::Trimmed => "trimmed",
        }
    }
}

/// The reason why a stream ends.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transform = heronry_types::schema::names))]
pub enum CloseReason {
    /// The viewer left the pool.
    Left,
    /// The viewer may no longer look.
    Revoked,
    /// The viewer's run ended.
    RunEnded,
    /// The pool was deleted.
    PoolDeleted,
    /// The engine is shutting down; resume later from the last cursor.
    Shutdown,
    /// The store failed; resume later from the last cursor.
    StoreFailed,
    /// The subscription did not ask to follow, and everything was sent.
    Finished,
    /// The reader was too slow for events without a record, and asked to be ended then; resume later from
    /// the last cursor.
    Overflow,
}

impl Vocabulary for CloseReason {
    const NAME: &'static str = "CloseReason";
    const ALL: &'static [Self] = &[
        Self::Left,
        Self::Revoked,
        Self::RunEnded,
        Self::PoolDeleted,
        Self::Shutdown,
        Self::StoreFailed,
        Self::Finished,
        Self::Overflow,
    ];
    fn wire_name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Revoked => "revoked",
            Self::RunEnded => "run_ended",
            Self::PoolDeleted => "pool_deleted",
            Self::Shutdown => "shutdown",
            Self::StoreFailed => "store_failed",
            Self::Finished => "finished",
            Self::Overflow => "overflow",
        }
    }
}

/// Writes the wire name, and reads it back.
macro_rules! as_wire_text {
    ($($name:ident)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.wire_name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownName;
            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::from_wire(text)
            }
        }
    )*};
}
as_wire_text!(GapReason CloseReason);

/// A page of events that a filter kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The cursor up to which the journal was read. The next page starts after it, even when nothing matched.
    pub scanned_to: Cursor,
    /// The cursor of the last record that can be read.
    pub head: Cursor,
    /// The lowest cursor that can still be read from.
    pub floor: Cursor,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use heronry_types::{Epoch, EventKind, OverflowPolicy, Position};

    use super::*;

    fn at(position: u64) -> Cursor {
        Cursor::new(Epoch([7; 16]), Position(position))
    }

    fn check(item: &StreamItem, name: &str, json: &str) {
        assert_eq!(item.name(), name);
        assert_eq!(serde_json::to_string(item).unwrap(), json);
        assert_eq!(&serde_json::from_str::<StreamItem>(json).unwrap(), item);
    }

    #[test]
    fn items_without_an_event_are_plain_objects() {
        let epoch = "07".repeat(16);
        let caught_up = StreamItem::CaughtUp { head: at(4) };
        check(
            &caught_up,
            "caught_up",
            &format!(r#"{{"head":"{epoch}-4"}}"#),
        );
        let gap = StreamItem::Gap {
            from: at(0),
            to: at(9),
            reason: GapReason::Trimmed,
        };
        check(
            &gap,
            "gap",
            &format!(r#"{{"from":"{epoch}-0","to":"{epoch}-9","reason":"trimmed"}}"#),
        );
        let closed = StreamItem::Closed {
            reason: CloseReason::RunEnded,
        };
        check(&closed, "closed", r#"{"reason":"run_ended"}"#);
        let mut dropped = DroppedEphemeral {
            dropped: 2,
            first: 7,
            last: 9,
            policy: OverflowPolicy::DropProgress,
            kinds: BTreeMap::new(),
        };
        let json = r#"{"dropped":2,"first":7,"last":9,"policy":"drop_progress"}"#;
        check(&StreamItem::Dropped(dropped.clone()), "dropped", json);
        dropped.policy = OverflowPolicy::Summarize;
        dropped.kinds.insert(EventKind::ModelStreamDelta, 2);
        let json = r#"{"dropped":2,"first":7,"last":9,"policy":"summarize","kinds":{"model_stream_delta":2}}"#;
        check(&StreamItem::Dropped(dropped), "dropped", json);
    }

    #[test]
    fn a_reader_stands_after_a_gap_at_its_end() {
        let gap = StreamItem::Gap {
            from: at(0),
            to: at(9),
            reason: GapReason::Trimmed,
        };
        assert_eq!(gap.cursor(), Some(at(9)));
    }

    #[test]
    fn reasons_have_one_wire_name_in_text_and_json() {
        for reason in CloseReason::ALL {
            assert_eq!(reason.to_string().parse::<CloseReason>().unwrap(), *reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
        }
        for reason in GapReason::ALL {
            assert_eq!(reason.to_string().parse::<GapReason>().unwrap(), *reason);
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.to_string());
        }
    }
}
