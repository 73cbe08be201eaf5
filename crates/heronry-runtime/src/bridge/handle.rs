//! The handle of a bridge.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinHandle};

use super::{
    IntakeError,
    tally::{BridgeCounts, BridgeTally},
    task::Wish,
};

/// The end of a bridge that did not take in everything.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BridgeEnd {
    /// The bridge was aborted.
    #[error("the bridge was aborted, and left {left} items that it had taken from its source")]
    Cancelled {
        /// The number of accepted items whose outcome is not known; the source has them still.
        left: u64,
    },
    /// The bridge or the stream of its source panicked.
    #[error("the bridge panicked: {text}")]
    Panicked {
        /// The text of the panic.
        text: String,
    },
    /// Another bridge took the source over, or the bridge may not report any more.
    #[error("the bridge lost its source: {text}")]
    Fenced {
        /// The refusal.
        text: String,
        /// The number of accepted items that were not appended.
        left: u64,
    },
    /// An append failed as often as the bridge tries.
    #[error("the bridge gave up: {error}")]
    GaveUp {
        /// The last error.
        error: IntakeError,
        /// The number of accepted items whose outcome is not known.
        left: u64,
    },
}

/// The handle of a bridge. Dropping it aborts the bridge.
#[derive(Debug)]
pub struct BridgeHandle {
    task: JoinHandle<Result<BridgeCounts, BridgeEnd>>,
    control: BridgeControl,
}

/// Stops a bridge and counts for it, beside who waits for its end.
#[derive(Clone, Debug)]
pub struct BridgeControl {
    wish: Arc<watch::Sender<Wish>>,
    tally: Arc<BridgeTally>,
}

impl BridgeControl {
    /// Asks the bridge to append everything that it has accepted, and to end.
    pub fn stop(&self) {
        self.wish.send_replace(Wish::Stop);
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> BridgeCounts {
        self.tally.counts()
    }
}

impl BridgeHandle {
    pub(super) fn new(
        task: JoinHandle<Result<BridgeCounts, BridgeEnd>>,
        wish: watch::Sender<Wish>,
        tally: Arc<BridgeTally>,
    ) -> Self {
        let wish = Arc::new(wish);
        let control = BridgeControl { wish, tally };
        Self { task, control }
    }

    /// Returns the counts so far.
    pub fn counts(&self) -> BridgeCounts {
        self.control.counts()
    }

    /// Returns the control of the bridge, for somebody else than who waits for its end.
    pub fn control(&self) -> BridgeControl {
        self.control.clone()
    }

    /// Returns true when the bridge has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Takes what the source has ready, as much as the buffer holds, appends everything that was accepted, and leaves
    /// the source.
    ///
    /// # Errors
    /// [`BridgeEnd`] when the bridge has ended in another way, or ends so meanwhile.
    pub async fn stop(self) -> Result<BridgeCounts, BridgeEnd> {
        self.control.stop();
        self.join().await
    }

    /// Ends the bridge at once, and returns how many items it leaves that it had taken from its source: for some of
    /// them it may not be known whether they were appended. Doing it again changes nothing, and returns the same.
    pub fn abort(&self) -> u64 {
        let left = self.control.tally.abort();
        self.task.abort();
        left
    }

    /// Waits until the bridge has ended, which it does when its source ends.
    ///
    /// # Errors
    /// [`BridgeEnd`] when it did not take in everything.
    pub async fn join(mut self) -> Result<BridgeCounts, BridgeEnd> {
        match (&mut self.task).await {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => Err(BridgeEnd::Panicked {
                text: panic_text(error.into_panic().as_ref()),
            }),
            Err(_) => Err(BridgeEnd::Cancelled {
                left: self.control.tally.left(),
            }),
        }
    }
}

impl Drop for BridgeHandle {
    fn drop(&mut self) {
        self.control.tally.abort();
        self.task.abort();
    }
}

/// Returns the text of a panic.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a value that is no text".to_owned())
}
