//! The progress of telling a host, as a named consumer.

use std::sync::Arc;

use futures::future::BoxFuture;
use heronry_store::{Clock, ConsumerId, FilterFingerprint, StoreErrorKind};
use heronry_types::{ConsumerRecovery, Cursor, Millis, Position};

use crate::{
    Pool,
    consumer::{ConsumeError, ConsumerClaim, HeldConsumer, OnFilterChanged, OnHeld},
};

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
    consumer: HeldConsumer,
    clock: Arc<dyn Clock>,
    /// The time of the next save, on the monotonic clock.
    due: Option<Millis>,
}

impl ResumeProgress {
    /// Claims the progress of a pool's host; it is the beginning when nothing is known, and the oldest
    /// record that is kept when what is known is stale.
    pub(super) async fn open(pool: &Pool) -> Result<Self, ConsumeError> {
        #[expect(clippy::expect_used, reason = "the name is a constant")]
        let name = ConsumerId::parse(CONSUMER).expect("the name of the consumer is an id");
        let claim = ConsumerClaim {
            on_stale: ConsumerRecovery::RestartAtFloor,
            on_held: OnHeld::TakeOver,
            on_filter_changed: OnFilterChanged::Accept,
            ..ConsumerClaim::new(name, FILTER)
        };
        let consumer = match HeldConsumer::open(pool, &claim).await {
            Err(ConsumeError::Store(error)) if error.kind() == StoreErrorKind::Corrupt => {
                tracing::error!(pool = %pool.id(), %error, "a host is told of every wake again");
                pool.forget_consumer(&claim.name).await?;
                HeldConsumer::open(pool, &claim).await?
            }
            consumer => consumer?,
        };
        Ok(Self {
            consumer,
            clock: Arc::clone(&pool.shared().environment.clock),
            due: None,
        })
    }

    /// The position that is saved.
    pub(super) fn position(&self) -> Position {
        self.consumer.cursor().position
    }

    /// Notes that a host has taken one more.
    pub(super) fn told_one(&mut self) {
        let now = self.clock.now().monotonic;
        self.due
            .get_or_insert(Millis(now.0.saturating_add(SAVE_AFTER.0)));
    }

    /// Returns true when much more was told than is saved.
    pub(super) fn is_far_behind(&self, told: Position) -> bool {
        told.0.saturating_sub(self.position().0) >= BEHIND_MAX
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
        if told.position <= self.position() {
            return;
        }
        if let Err(error) = self.consumer.commit(told, Vec::new()).await {
            tracing::warn!(pool = %pool.id(), %error, "what a host was told is not saved");
        }
    }
}
