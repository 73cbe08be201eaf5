//! Exports that run beside their pool, until it stops.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_store::{CommitOutcome, ConsumerId};
use tokio::{sync::watch, task::JoinHandle};

use super::{EventSink, ExportEnd, ExportFigures, ExportOptions, ExportUntil, Exporter};
use crate::{CallError, ConsumeError, ConsumerSpec, NamedConsumer, Pool, StopReason};

/// An export that runs beside its pool. Dropping the handle leaves it running: it ends with the pool.
#[derive(Clone)]
pub struct ExportHandle {
    consumer: ConsumerId,
    figures: watch::Receiver<ExportFigures>,
}

impl fmt::Debug for ExportHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExportHandle({})", self.consumer)
    }
}

impl ExportHandle {
    /// Returns the consumer whose events are exported.
    pub fn consumer(&self) -> &ConsumerId {
        &self.consumer
    }

    /// Returns the figures.
    pub fn figures(&self) -> ExportFigures {
        *self.figures.borrow()
    }
}

/// The exports of a pool. Each has a handle of its pool, so they end with the pool's actor at the latest.
#[derive(Default)]
pub(crate) struct Exports {
    state: Mutex<ExportsState>,
}

#[derive(Default)]
struct ExportsState {
    running: Vec<RunningExport>,
    /// True when nothing is to be exported any more.
    is_over: bool,
}

struct RunningExport {
    handle: ExportHandle,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exports {
    /// Each change is one step, so a panic elsewhere leaves no half of one.
    fn lock(&self) -> MutexGuard<'_, ExportsState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an export that has begun. One that comes too late is ended at once, and false is returned.
    fn begun(&self, export: RunningExport) -> bool {
        let mut state = self.lock();
        if state.is_over {
            export.task.abort();
        }
        state.running.retain(|export| !export.task.is_finished());
        state.running.push(export);
        !state.is_over
    }

    /// Ends every export where it is: the pool takes no part any more. What a sink was not told to have
    /// taken is exported again when an export begins anew.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.is_over = true;
        for export in &state.running {
            export.task.abort();
        }
    }

    /// Waits until exports that were [ended](Self::end) have let go of their pool.
    pub(crate) async fn ended(&self) {
        let running = std::mem::take(&mut self.lock().running);
        for export in running {
            let consumer = export.handle.consumer;
            match export.task.await {
                Ok(()) => {}
                Err(error) if error.is_cancelled() => {
                    tracing::warn!(%consumer, "an export has ended with its pool");
                }
                Err(error) => {
                    tracing::error!(%consumer, %error, "an export did not end cleanly");
                }
            }
        }
    }

    /// Stops every export: each delivers what was recorded before, as long as its options say. Returns
    /// their figures. No further one begins.
    pub(crate) async fn stop(&self) -> Vec<StoppedExport> {
        let running = {
            let mut state = self.lock();
            state.is_over = true;
            std::mem::take(&mut state.running)
        };
        for export in &running {
            export.stop.send_replace(true);
        }
        let mut stopped = Vec::with_capacity(running.len());
        for export in running {
            if let Err(error) = export.task.await {
                tracing::error!(consumer = %export.handle.consumer, %error, "an export did not end cleanly");
            }
            stopped.push(StoppedExport {
                figures: export.handle.figures(),
                consumer: export.handle.consumer,
            });
        }
        stopped
    }
}

/// An export that was stopped with its pool.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoppedExport {
    /// The consumer whose events it exported.
    pub consumer: ConsumerId,
    /// The figures at its end. Events that wait are exported when it begins again.
    pub figures: ExportFigures,
}

impl Pool {
    /// Exports the events of a named consumer to a sink, beside everything else, until the pool stops.
    ///
    /// When the pool is shut down or deleted, what was recorded before is delivered first. When it stops
    /// otherwise, as because its store failed, what is not committed is exported when an export begins anew.
    ///
    /// A batch that the sink refuses for good parks the export: its consumer is listed as parked, and
    /// goes on when it is [resumed](Pool::resume_consumer) or begins again. Nothing else waits for it.
    ///
    /// # Errors
    /// As [`Pool::consumer`]; then nothing is exported.
    pub async fn export_to(
        &self,
        spec: ConsumerSpec,
        sink: Arc<dyn EventSink>,
        options: ExportOptions,
    ) -> Result<ExportHandle, ConsumeError> {
        let consumer = self.consumer(spec).await?;
        let name = consumer.name().clone();
        let clock = Arc::clone(&self.shared().environment.clock);
        let exporter = Exporter::new(consumer, sink, clock, options);
        let handle = ExportHandle {
            consumer: name,
            figures: exporter.watch(),
        };
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(export(exporter, stopped));
        let goes_on = self.shared().exports.begun(RunningExport {
            handle: handle.clone(),
            stop,
            task,
        });
        if goes_on {
            return Ok(handle);
        }
        let why = self.closed_by().unwrap_or(StopReason::Shutdown);
        let outcome = CommitOutcome::None;
        Err(CallError::Stopped { outcome, why }.into())
    }
}

/// Exports until it is stopped, or its consumer is lost.
async fn export(mut exporter: Exporter<NamedConsumer>, mut stop: watch::Receiver<bool>) {
    let consumer = exporter.feed().name().clone();
    loop {
        match exporter.run(ExportUntil::Stopped, &mut stop).await {
            Ok(ExportEnd::Stopped | ExportEnd::Head) => return,
            Ok(ExportEnd::Refused { why }) => {
                tracing::error!(%consumer, %why, "an export is parked; resume its consumer");
                if *stop.borrow() {
                    return;
                }
                let parked = exporter.feed().park(why);
                tokio::select! {
                    () = parked => {}
                    stopping = stop.wait_for(|stop| *stop) => match stopping {
                        Ok(_) | Err(_) => return,
                    },
                }
            }
            Err(error) => {
                tracing::error!(%consumer, %error, "an export has ended");
                return;
            }
        }
    }
}
