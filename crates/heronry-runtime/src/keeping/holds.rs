//! The needs of records, which keep them from being trimmed.

use std::{collections::HashMap, fmt};

use heronry_pool::{Rejection, locate};
use heronry_store::{ConsumerCursor, ConsumerId, ConsumerStanding, ReadError};
use heronry_types::{Cursor, Millis, Position, Timelines, Timestamp};

use super::{Folds, TrimError};

/// The time for which a consumer holds a trim of which it is not known when it committed last.
const HOLD_FOR: Millis = Millis::from_secs(7 * 24 * 60 * 60);

/// A need of records, which keeps them from being trimmed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TrimHold {
    /// Keys of later records are not handed to the store yet.
    Keys {
        /// The cursor up to which the store has them.
        until: Cursor,
    },
    /// A wake still looks through them.
    LookBack {
        /// The cursor after which it looks.
        after: Cursor,
    },
    /// They are still matched against wakes that wait.
    Matching {
        /// The cursor up to which that is done.
        until: Cursor,
    },
    /// A consumer has not handled them.
    Consumer {
        /// Its name.
        name: ConsumerId,
        /// The cursor up to which it has.
        until: Cursor,
    },
}

impl fmt::Display for TrimHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keys { until } => write!(f, "keys that the store has only up to {until}"),
            Self::LookBack { after } => write!(f, "a wake that looks back to {after}"),
            Self::Matching { until } => write!(f, "wakes that are matched only up to {until}"),
            Self::Consumer { name, until } => write!(f, "consumer {name} at {until}"),
        }
    }
}

impl TrimHold {
    /// Returns the cursor up to which it needs nothing.
    pub fn cursor(&self) -> Cursor {
        match self {
            Self::Keys { until } | Self::Matching { until } | Self::Consumer { until, .. } => {
                *until
            }
            Self::LookBack { after } => *after,
        }
    }

    /// Returns what else can be done than trimming less.
    pub(super) fn advice(&self) -> &'static str {
        if self.may_be_overridden() {
            "override it"
        } else {
            "try again when that has gone on"
        }
    }

    /// Returns true when who needs the records can do without, and is told so.
    pub(crate) fn may_be_overridden(&self) -> bool {
        match self {
            Self::Keys { .. } | Self::Matching { .. } => false,
            Self::LookBack { .. } | Self::Consumer { .. } => true,
        }
    }
}

/// A trim that something keeps from going as far as it was asked to.
#[derive(Clone, Debug)]
pub(crate) struct HeldTrim {
    pub(crate) by: TrimHold,
}

impl HeldTrim {
    /// Returns what holds the records up to a position most, of what is to be heeded.
    pub(crate) fn of(holds: impl IntoIterator<Item = TrimHold>, upto: Position) -> Option<Self> {
        let holds = holds.into_iter();
        let holds = holds.filter(|hold| hold.cursor().position < upto);
        let most = holds.min_by_key(|hold| hold.cursor().position);
        most.map(|by| Self { by })
    }
}

/// The time for which consumers have stood where they stand, as far as this process has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct HoldsAt(HashMap<ConsumerId, ConsumerSeen>);

#[derive(Clone, Copy, Debug)]
struct ConsumerSeen {
    cursor: Cursor,
    since: Timestamp,
}

/// The journal that consumers stand in, at a time.
struct JournalAt<'a> {
    timelines: &'a Timelines,
    head: Position,
    now: Timestamp,
}

impl HoldsAt {
    /// Returns the consumers that hold a trim: those whose last commit is as fresh as they say. Where it is not
    /// known, a consumer holds from when this process first saw it at its cursor. One whose cursor is not of this
    /// journal, or ahead of it, holds nothing.
    fn held(&mut self, consumers: Vec<ConsumerStanding>, at: &JournalAt<'_>) -> Vec<TrimHold> {
        let before = std::mem::take(&mut self.0);
        let mut holds = Vec::new();
        for ConsumerStanding { consumer, cursor } in consumers {
            let ConsumerCursor { cursor, tenure, .. } = cursor;
            let seen = before.get(&consumer).filter(|seen| seen.cursor == cursor);
            let since = seen.map_or(at.now, |seen| seen.since);
            let until = match tenure.committed_at {
                Some(_) => tenure.holds_until(),
                // It is not known when it came there.
                None => Some(since.after(HOLD_FOR)),
            };
            let stands: Result<_, Rejection> = locate(at.timelines, at.head, cursor);
            if stands.is_ok() && until.is_some_and(|until| at.now < until) {
                holds.push(TrimHold::Consumer {
                    name: consumer.clone(),
                    until: cursor,
                });
            }
            self.0.insert(consumer, ConsumerSeen { cursor, since });
        }
        holds
    }
}

impl Folds {
    /// Returns the consumers that hold a trim at a time.
    pub(crate) async fn held_by_consumers(
        &self,
        now: Timestamp,
        seen: &mut HoldsAt,
    ) -> Result<Vec<TrimHold>, TrimError> {
        let store = &self.store;
        let timelines = store.journal.timelines(&self.pool).await?;
        let timelines = timelines.ok_or(ReadError::NoPool)?;
        let consumers = store.cursors.list(&self.pool).await?;
        // Read last: a cursor that was committed is not ahead of it.
        let head = self.head().await?.head;
        let at = JournalAt {
            timelines: &timelines,
            head,
            now,
        };
        Ok(seen.held(consumers, &at))
    }
}
