//! Export of events: a named consumer whose events go to a sink outside, in batches.

mod exporter;
mod task;

use async_trait::async_trait;
use heronry_event::Event;
use heronry_types::{Cursor, Millis, PrivacyClass};

use crate::{ConsumeError, ConsumerBatch, NamedConsumer};

pub use exporter::{ExportEnd, ExportUntil, Exporter};
pub(crate) use task::Exports;
pub use task::{ExportHandle, StoppedExport};

/// The most events of a batch, unless it is set otherwise.
pub const EXPORT_BATCH: usize = 64;
/// The time that an event waits for others, unless it is set otherwise.
pub const EXPORT_INTERVAL: Millis = Millis::from_secs(1);
/// The highest privacy class that leaves, unless it is set otherwise. It is the class that events have by default:
/// an event carries no body, only references to contents.
pub const EXPORT_PRIVACY_MAX: PrivacyClass = PrivacyClass::ContentRefsOnly;

/// The reason why a sink did not take a batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SinkFault {
    /// The sink may take the batch later.
    Transient {
        /// The time after which it asked to be tried again; `None` when it said none.
        retry_after: Option<Millis>,
    },
    /// The sink takes the batch at no time.
    Permanent,
}

/// The error of a sink that did not take a batch, or of which nobody knows whether it did.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct SinkError {
    /// The reason.
    pub fault: SinkFault,
    /// The reason as text, without the events.
    pub detail: String,
}

impl SinkError {
    /// Returns the error of a sink that may take the batch later.
    pub fn transient(detail: impl Into<String>) -> Self {
        Self {
            fault: SinkFault::Transient { retry_after: None },
            detail: detail.into(),
        }
    }

    /// Returns the error of a sink that asked to be tried again after a time.
    pub fn after(retry_after: Millis, detail: impl Into<String>) -> Self {
        Self {
            fault: SinkFault::Transient {
                retry_after: Some(retry_after),
            },
            detail: detail.into(),
        }
    }

    /// Returns the error of a sink that takes the batch at no time.
    pub fn permanent(detail: impl Into<String>) -> Self {
        Self {
            fault: SinkFault::Permanent,
            detail: detail.into(),
        }
    }
}

/// A place outside that takes events.
///
/// An event may come again, after a crash or an answer that was lost: it has the same
/// [id](heronry_event::Envelope::id). A sink keeps one of them, or hands on to somebody who does.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Takes a batch of events, in the order of the journal. When it returns, all of them are kept.
    ///
    /// # Errors
    /// [`SinkError`]. Any part of the batch may have been taken then, and the whole batch comes again.
    async fn append_batch(&self, events: &[Event]) -> Result<(), SinkError>;
}

/// The source of events of an export, with a cursor that is committed once they are kept outside.
#[async_trait]
pub trait EventFeed: Send {
    /// The error of reading or committing.
    type Error: std::fmt::Display + Send;

    /// Returns at most `max` events, waiting up to `wait` when there are none. Safe to cancel: what was
    /// not returned comes again.
    ///
    /// # Errors
    /// The error of the feed.
    async fn next_batch(&mut self, max: usize, wait: Millis) -> Result<ConsumerBatch, Self::Error>;

    /// Commits that everything up to a cursor is kept outside.
    ///
    /// # Errors
    /// The error of the feed.
    async fn commit(&mut self, to: Cursor) -> Result<(), Self::Error>;
}

#[async_trait]
impl EventFeed for NamedConsumer {
    type Error = ConsumeError;

    async fn next_batch(
        &mut self,
        max: usize,
        wait: Millis,
    ) -> Result<ConsumerBatch, ConsumeError> {
        Self::next_batch(self, max, wait).await
    }

    async fn commit(&mut self, to: Cursor) -> Result<(), ConsumeError> {
        Self::commit(self, to).await
    }
}

/// The settings of an export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// The most events of a batch; 0 counts as 1. An export holds no more events than this: what the
    /// sink does not take waits in the journal, and is told as the consumer's lag.
    pub batch: usize,
    /// The time that an event waits for others; 0 waits for none.
    pub interval: Millis,
    /// The highest privacy class that leaves. Events of a higher one are left out, and counted; the cursor passes
    /// them.
    pub privacy_max: PrivacyClass,
    /// The longest time of one attempt. An attempt that takes longer is given up, and made again.
    pub attempt_for: Millis,
    /// The first pause after a failure; each further one is twice as long, up to a minute.
    pub pause: Millis,
    /// The longest time in which an export that is stopped delivers what was recorded before.
    pub flush_for: Millis,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            batch: EXPORT_BATCH,
            interval: EXPORT_INTERVAL,
            privacy_max: EXPORT_PRIVACY_MAX,
            attempt_for: Millis::from_secs(30),
            pause: Millis(200),
            flush_for: Millis::from_secs(5),
        }
    }
}

/// The figures of an export since it began.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExportFigures {
    /// The number of events that the sink has taken.
    pub exported: u64,
    /// The number of events of a higher privacy class than may leave.
    pub left_out: u64,
    /// The number of attempts that failed.
    pub failed: u64,
    /// The number of events that were read and that the sink has not taken.
    pub waiting: u64,
}
