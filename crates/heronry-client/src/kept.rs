//! Orders to the runtime that keeps a pool as it was declared.

use std::time::Duration;

use heronry_types::RunId;
use heronry_wire::{MemberOrdered, ReconcileAnswer, ReconcileRequest};
use http::Method;

use crate::{ClientError, PoolClient};

/// The time that a reconcile may take, beside that of any answer: it waits for the members that it starts.
const RECONCILE_TIME: Duration = Duration::from_secs(5 * 60);

impl PoolClient {
    /// Brings the pool to its roster, or tells how. A repeat does nothing more, so it is tried again after a lost
    /// answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `not-kept` when no runtime of the server keeps the pool.
    pub async fn reconcile(
        &self,
        asked: &ReconcileRequest,
    ) -> Result<ReconcileAnswer, ClientError> {
        let request = self.request(Method::POST, &["reconcile"])?.json(asked)?;
        let request = request.repeatable().held_for(Some(RECONCILE_TIME));
        self.server.json(request).await
    }

    /// Starts a member of the roster. One that runs goes on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `not-kept` when no runtime of the server keeps the pool, and with
    /// `not-specified` when the run is not in its roster.
    pub async fn start_member(&self, run: &RunId) -> Result<MemberOrdered, ClientError> {
        let request = self.request(Method::POST, &["members", run.as_str(), "start"])?;
        self.server.json(request.repeatable()).await
    }

    /// Stops a member of the roster. It stays a member without a process.
    ///
    /// # Errors
    /// [`ClientError::Refused`], as for a start.
    pub async fn stop_member(&self, run: &RunId) -> Result<MemberOrdered, ClientError> {
        let request = self.request(Method::POST, &["members", run.as_str(), "stop"])?;
        self.server.json(request.repeatable()).await
    }
}
