//! The switch that ends waiting.

use tokio_util::sync::CancellationToken;

/// A switch that ends the waiting in the use cases of one surface. Cheap to clone; all clones are the
/// same switch.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Ends event streams, and refuses calls that wait, now and from now on.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Completes when it was told to stop.
    pub async fn stopped(&self) {
        self.0.cancelled().await;
    }
}
