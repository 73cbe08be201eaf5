//! Exports that run beside their pool, until it is shut down.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use heronry_store::ConsumerId;
use tokio::{sync::watch, task::JoinHandle};

use super::{EventSink, ExportEnd, ExportFigures, ExportOptions, ExportUntil, Exporter};
use crate::{ConsumeError, ConsumerSpec, NamedConsumer, Pool};

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

/// The exports of a pool.
#[derive(Default)]
pub(crate) struct Exports {
    running: Mutex<Vec<RunningExport>>,
}

struct RunningExport {
    handle: ExportHandle,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exports {
    /// Stops every export: each delivers what was recorded before, as long as its options say. Returns
    /// their figures.
    pub(crate) async fn stop(&self) -> Vec<StoppedExport> {
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
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
    /// Exports the events of a named consumer to a sink, beside everything else, until the pool is shut
    /// down.
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
        let exports = &self.shared().exports.running;
        let mut running = exports.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|export| !export.task.is_finished());
        running.push(RunningExport {
            handle: handle.clone(),
            stop,
            task,
        });
        Ok(handle)
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
