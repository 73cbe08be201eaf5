//! The phase of a job, as every member's supervisor sees it.

use tokio::sync::watch;

/// The phase of a job.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Members run.
    Running,
    /// The job is done: members that still run are stopped, and are then complete.
    Finishing,
    /// `up` is ending before the job is done: members are stopped, and nothing is recorded.
    Interrupted,
}

/// Waits until members are to stop, and returns why.
pub(crate) async fn stop_asked(phase: &mut watch::Receiver<Phase>) -> Phase {
    match phase.wait_for(|phase| *phase != Phase::Running).await {
        Ok(phase) => *phase,
        // Nobody can say any more that the job is done.
        Err(_) => Phase::Interrupted,
    }
}
