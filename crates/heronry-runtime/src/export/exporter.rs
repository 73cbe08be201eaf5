//! One export: it reads, gathers, delivers and commits, one after the other.

use std::{fmt, sync::Arc};

use heronry_event::Event;
use heronry_store::Clock;
use heronry_types::{Cursor, Millis};
use tokio::sync::watch;

use super::{EventFeed, EventSink, ExportFigures, ExportOptions, SinkError, SinkFault};

/// The longest pause after a failure, also when the sink asks for a longer one.
const PAUSE_MAX: Millis = Millis::from_secs(60);
/// The longest wait for events before the feed is asked anew.
const WAIT_MAX: Millis = Millis::from_secs(20);

/// The point at which an export ends by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExportUntil {
    /// The export ends at the head.
    Head,
    /// The export goes on until it is stopped.
    Stopped,
}

/// The end of a run of an export.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExportEnd {
    /// The export came to the head, and delivered everything.
    Head,
    /// The export was stopped. What it had not delivered stands in the figures.
    Stopped,
    /// The sink refused a batch for good. Running on tries the same batch again.
    Refused {
        /// The refusal.
        why: String,
    },
}

/// The stage of an export that was asked to stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stopping {
    No,
    /// The export delivers what there is, up to this point of monotonic time.
    Until(Millis),
}

/// An export from a feed to a sink. Its cursor is committed when the sink has taken what is before it.
pub struct Exporter<F> {
    feed: F,
    sink: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
    options: ExportOptions,
    /// The events that the sink has not taken; at most a batch.
    pending: Vec<Event>,
    /// The cursor to commit when `pending` is delivered; `None` when it is committed.
    upto: Option<Cursor>,
    /// The monotonic time since which something waits: an event, or a cursor to commit.
    since: Option<Millis>,
    figures: watch::Sender<ExportFigures>,
}

impl<F> fmt::Debug for Exporter<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exporter({:?})", self.figures.borrow())
    }
}

impl<F: EventFeed> Exporter<F> {
    /// Returns an export that has not begun.
    pub fn new(
        feed: F,
        sink: Arc<dyn EventSink>,
        clock: Arc<dyn Clock>,
        options: ExportOptions,
    ) -> Self {
        Self {
            feed,
            sink,
            clock,
            options,
            pending: Vec::new(),
            upto: None,
            since: None,
            figures: watch::Sender::new(ExportFigures::default()),
        }
    }

    /// Returns the figures.
    pub fn figures(&self) -> ExportFigures {
        *self.figures.borrow()
    }

    /// Returns a view of the figures as they change.
    pub(super) fn watch(&self) -> watch::Receiver<ExportFigures> {
        self.figures.subscribe()
    }

    /// Returns the feed.
    pub(super) fn feed(&self) -> &F {
        &self.feed
    }

    /// Exports until it ends by itself, is stopped, or is refused. `stop` turns true to stop it: then it
    /// delivers what was recorded before, for [`ExportOptions::flush_for`] at the longest.
    ///
    /// # Errors
    /// The error of the feed.
    pub async fn run(
        &mut self,
        until: ExportUntil,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<ExportEnd, F::Error> {
        let mut stopping = Stopping::No;
        let mut target = None;
        loop {
            if stopping == Stopping::No && *stop.borrow() {
                let flush_for = self.options.flush_for;
                stopping = Stopping::Until(self.after(flush_for));
            }
            let wait = self.wait(until, stopping);
            let head = self.gather(wait, stop).await?;
            let is_at_head = head.is_some_and(|head| self.has_read(*target.get_or_insert(head)));
            if stopping == Stopping::No && until == ExportUntil::Stopped {
                target = None;
            }
            let is_over = is_at_head && (stopping != Stopping::No || until == ExportUntil::Head);
            if (is_over || self.is_due(stopping))
                && let Some(end) = self.deliver(&mut stopping, stop).await?
            {
                return Ok(end);
            }
            match stopping {
                Stopping::Until(at) if is_over || self.now() >= at => {
                    return Ok(ExportEnd::Stopped);
                }
                Stopping::Until(_) | Stopping::No => {}
            }
            if is_over {
                return Ok(ExportEnd::Head);
            }
        }
    }

    fn now(&self) -> Millis {
        self.clock.now().monotonic
    }

    fn after(&self, span: Millis) -> Millis {
        Millis(self.now().0.saturating_add(span.0))
    }

    fn batch_max(&self) -> usize {
        self.options.batch.max(1)
    }

    /// Returns true when everything up to a cursor was read.
    fn has_read(&self, target: Cursor) -> bool {
        self.upto
            .is_none_or(|upto| upto.position >= target.position)
    }

    /// Returns true when what is pending is to be delivered.
    fn is_due(&self, stopping: Stopping) -> bool {
        let waited = self
            .since
            .is_some_and(|since| self.now().0.saturating_sub(since.0) >= self.options.interval.0);
        let is_full = self.pending.len() >= self.batch_max();
        waited || is_full || (stopping != Stopping::No && self.since.is_some())
    }

    /// Returns the longest wait for a next event.
    fn wait(&self, until: ExportUntil, stopping: Stopping) -> Millis {
        match (until, stopping, self.since) {
            (ExportUntil::Head, _, _) | (_, Stopping::Until(_), _) => Millis(0),
            (ExportUntil::Stopped, Stopping::No, None) => WAIT_MAX,
            (ExportUntil::Stopped, Stopping::No, Some(since)) => {
                let waited = self.now().0.saturating_sub(since.0);
                Millis(self.options.interval.0.saturating_sub(waited))
            }
        }
    }

    /// Reads on, when there is room. Returns the head when it read.
    async fn gather(
        &mut self,
        wait: Millis,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<Cursor>, F::Error> {
        let room = self.batch_max().saturating_sub(self.pending.len());
        if room == 0 {
            return Ok(None);
        }
        let reading = self.feed.next_batch(room, wait);
        let batch = if wait.0 == 0 {
            reading.await?
        } else {
            tokio::select! {
                batch = reading => batch?,
                () = stopped(stop) => return Ok(None),
            }
        };
        self.take(batch.events);
        if batch.after != batch.scanned_to {
            self.upto = Some(batch.scanned_to);
            let now = self.now();
            self.since.get_or_insert(now);
        }
        Ok(Some(batch.head))
    }

    /// Takes events that may leave.
    fn take(&mut self, events: Vec<Event>) {
        let read = events.len();
        let privacy_max = self.options.privacy_max;
        let before = self.pending.len();
        let may_leave = |event: &Event| event.envelope.governance.privacy <= privacy_max;
        self.pending.extend(events.into_iter().filter(may_leave));
        let kept = self.pending.len().saturating_sub(before);
        let waiting = self.pending.len();
        self.figures.send_modify(|figures| {
            figures.left_out += read.saturating_sub(kept) as u64;
            figures.waiting = waiting as u64;
        });
    }

    /// Delivers what is pending, again until the sink has taken it, and commits. Returns how the run
    /// ends, when it does.
    async fn deliver(
        &mut self,
        stopping: &mut Stopping,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Option<ExportEnd>, F::Error> {
        let mut pause = self.options.pause;
        while let Err(error) = self.attempt(stopping, stop).await {
            self.figures.send_modify(|figures| figures.failed += 1);
            let retry_after = match error.fault {
                SinkFault::Permanent => {
                    return Ok(Some(ExportEnd::Refused { why: error.detail }));
                }
                SinkFault::Transient { retry_after } => retry_after,
            };
            tracing::warn!(%error, "a sink did not take a batch, and gets it again");
            if *stopping == Stopping::No && *stop.borrow() {
                *stopping = Stopping::Until(self.after(self.options.flush_for));
            }
            let until = self.after(retry_after.unwrap_or(pause).min(PAUSE_MAX));
            match *stopping {
                Stopping::Until(at) if until >= at => return Ok(Some(ExportEnd::Stopped)),
                Stopping::Until(_) => self.clock.alarm(until).await,
                Stopping::No => tokio::select! {
                    () = self.clock.alarm(until) => {}
                    () = stopped(stop) => {}
                },
            }
            pause = Millis(pause.0.saturating_mul(2)).min(PAUSE_MAX);
        }
        let taken = self.pending.len() as u64;
        self.pending.clear();
        self.since = None;
        self.figures.send_modify(|figures| {
            figures.exported += taken;
            figures.waiting = 0;
        });
        if let Some(upto) = self.upto {
            self.feed.commit(upto).await?;
            self.upto = None;
        }
        Ok(None)
    }

    /// Makes one attempt, for as long as the options say. One that is stopped meanwhile has the time of a
    /// flush, and no more.
    async fn attempt(
        &self,
        stopping: &mut Stopping,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), SinkError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let attempt_for = self.options.attempt_for;
        let late = self.after(attempt_for);
        let mut taken = self.sink.append_batch(&self.pending);
        loop {
            let end = match *stopping {
                Stopping::No => late,
                Stopping::Until(at) => late.min(at),
            };
            tokio::select! {
                biased;
                taken = &mut taken => return taken,
                () = self.clock.alarm(end) => {
                    let why = format!("the sink did not answer within {attempt_for}, or before the end");
                    return Err(SinkError::transient(why));
                }
                () = stopped(stop), if *stopping == Stopping::No => {
                    *stopping = Stopping::Until(self.after(self.options.flush_for));
                }
            }
        }
    }
}

/// Completes when an export is to stop. One that nobody can stop is never stopped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}
