//! The progress of telling a host, as the store keeps it.

use std::sync::Arc;

use futures::future::BoxFuture;
use heronry_store::{
    Clock, ConsumerCursor, ConsumerError, ConsumerId, FilterFingerprint, StoreError, StoreErrorKind,
};
use heronry_types::{Cursor, Millis, Position};

use crate::Pool;

/// The consumer under whose name the store keeps how far a host was told.
const CONSUMER: &str = "heronry/resume-hook";
/// Stands for what this consumer looks for.
const FILTER: FilterFingerprint = FilterFingerprint(*b"the ends of wakes, version 1    ");
/// The time that the progress waits for more before it is saved.
const SAVE_AFTER: Millis = Millis::from_secs(1);
/// The most records without the end of a wake that are read again after a crash.
const BEHIND_MAX: u64 = 65_536;

/// The progress of telling a host.
pub(super) struct ResumeProgress {
    consumer: ConsumerId,
    clock: Arc<dyn Clock>,
    /// The cursor that the store has.
    saved: Option<ConsumerCursor>,
    position: Position,
    /// The time of the next save, on the monotonic clock.
    due: Option<Millis>,
}

impl ResumeProgress {
    /// Reads the progress of a pool's host; it is the beginning when nothing is known.
    pub(super) async fn open(pool: &Pool) -> Result<Self, StoreError> {
        let environment = &pool.shared().environment;
        #[expect(clippy::expect_used, reason = "the name is a constant")]
        let consumer = ConsumerId::parse(CONSUMER).expect("the name of the consumer is an id");
        let cursors = &environment.store.cursors;
        let saved = match cursors.get(pool.id(), &consumer).await {
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                tracing::error!(pool = %pool.id(), %error, "a host is told of every wake again");
                cursors.delete(pool.id(), &consumer).await?;
                None
            }
            saved => saved?,
        };
        let is_of_this_journal = |cursor: Cursor| {
            cursor.position <= pool.head().position && pool.timelines().check(cursor).is_ok()
        };
        let known = saved.map(|saved| saved.cursor);
        let known = known.filter(|cursor| is_of_this_journal(*cursor));
        Ok(Self {
            consumer,
            clock: Arc::clone(&environment.clock),
            saved,
            position: known.map_or(Position::ZERO, |cursor| cursor.position),
            due: None,
        })
    }

    /// The position that is saved.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Notes that a host has taken one more.
    pub(super) fn told_one(&mut self) {
        let now = self.clock.now().monotonic;
        self.due
            .get_or_insert(Millis(now.0.saturating_add(SAVE_AFTER.0)));
    }

    /// Returns true when much more was told than is saved.
    pub(super) fn is_far_behind(&self, told: Position) -> bool {
        told.0.saturating_sub(self.position.0) >= BEHIND_MAX
    }

    /// Completes when it is time to save.
    pub(super) fn due(&self) -> BoxFuture<'static, ()> {
        match self.due {
            Some(at) => self.clock.alarm(at),
            None => Box::pin(std::future::pending()),
        }
    }

    /// Saves that the host has taken everything up to a cursor. What cannot be saved is told again
    /// some day.
    pub(super) async fn save(&mut self, pool: &Pool, told: Cursor) {
        self.due = None;
        if told.position <= self.position {
            return;
        }
        let next = ConsumerCursor::new(told, FILTER);
        let cursors = &pool.shared().environment.store.cursors;
        let saved = cursors.commit(pool.id(), &self.consumer, self.saved, next);
        match saved.await {
            Ok(()) => (self.saved, self.position) = (Some(next), told.position),
            Err(error) => {
                if let ConsumerError::Conflict { found } = &error {
                    self.saved = *found;
                }
                tracing::warn!(pool = %pool.id(), %error, "what a host was told is not saved");
            }
        }
    }
}
