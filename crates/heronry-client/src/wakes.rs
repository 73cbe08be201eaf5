//! Waiting for events.

use heronry_event::WakeExplanation;
use heronry_types::{Millis, WakeId, WakeView};
use heronry_wire::{ExplainQuery, RegisterWake, WakeChanged, WakeList, WakeQuery, WakesQuery};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Registers a wake, and waits for its end as long as the request says.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `filter-invalid` lists every fault of the filter.
    pub async fn register_wake(&self, wake: &RegisterWake) -> Result<WakeChanged, ClientError> {
        let mut request = self.request(Method::POST, &["wakes"])?;
        if wake.idempotency_key.is_some() {
            request = request.repeatable();
        }
        let wait = wake.wait_ms.map(Millis::into);
        let request = request.json(wake)?.held_for(wait);
        self.server.json(request).await
    }

    /// Returns a wake, after waiting for its end as long as the query says.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wake(&self, wake: &WakeId, query: &WakeQuery) -> Result<WakeView, ClientError> {
        let request = self.request(Method::GET, &["wakes", wake.as_str()])?;
        let wait = query.wait_ms.map(Millis::into);
        self.server.json(request.query(query)?.held_for(wait)).await
    }

    /// Cancels a wake; one that has ended stays as it ended.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn cancel_wake(
        &self,
        wake: &WakeId,
        query: &WakeQuery,
    ) -> Result<WakeChanged, ClientError> {
        let request = self.request(Method::DELETE, &["wakes", wake.as_str()])?;
        self.server.json(request.query(query)?.repeatable()).await
    }

    /// Lists a page of the wakes that wait, oldest first; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wakes(&self, query: &WakesQuery) -> Result<WakeList, ClientError> {
        let request = self.request(Method::GET, &["wakes"])?.query(query)?;
        self.server.json(request).await
    }

    /// Explains why a wake has not been triggered.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn explain_wake(
        &self,
        wake: &WakeId,
        query: &ExplainQuery,
    ) -> Result<WakeExplanation, ClientError> {
        let request = self.request(Method::GET, &["wakes", wake.as_str(), "explain"])?;
        self.server.json(request.query(query)?).await
    }
}
