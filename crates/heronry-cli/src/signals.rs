//! The signals that ask the process to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The number of `SIGINT`.
const INTERRUPT: u8 = 2;
/// The number of `SIGTERM`.
const TERMINATE: u8 = 15;

/// Listens for `SIGINT` and `SIGTERM`.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Starts to listen: from here on the signals do not end the process by themselves.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let open = |kind| {
            signal(kind)
                .map_err(|e| Failure::failed(format_args!("cannot listen for signals: {e}")))
        };
        Ok(Self {
            interrupt: open(SignalKind::interrupt())?,
            terminate: open(SignalKind::terminate())?,
        })
    }

    /// Waits for a signal and returns its number.
    pub(crate) async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        }
    }
}
