//! Named consumers.

use heronry_wire::{
    ClaimConsumer, CommitConsumer, ConsumerClaimed, ConsumerCommitted, ConsumerForgotten,
    ConsumerList, ConsumerResumed,
};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Lists the named consumers of the pool. Only operators do so, and call what follows.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn consumers(&self) -> Result<ConsumerList, ClientError> {
        let request = self.request(Method::GET, &["consumers"])?;
        self.server.json(request).await
    }

    /// Claims a consumer: whoever had it commits no more. Its events are read as every other's, with
    /// [`events`](Self::events) after the cursor of the answer and by the same filter.
    ///
    /// A claim is not repeated by itself when its answer is lost: the next one takes over from it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `consumer-held`, `consumer-filter-changed`, or the problem of a
    /// cursor that is stale.
    pub async fn claim_consumer(
        &self,
        name: &str,
        claim: &ClaimConsumer,
    ) -> Result<ConsumerClaimed, ClientError> {
        let under = ["consumers", name, "claim"];
        let request = self.request(Method::POST, &under)?.json(claim)?;
        self.server.json(request).await
    }

    /// Commits that a consumer has handled everything up to a cursor. The same again changes nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `consumer-fenced` when somebody else claimed it since, and
    /// `consumer-behind` when it has committed more.
    pub async fn commit_consumer(
        &self,
        name: &str,
        commit: &CommitConsumer,
    ) -> Result<ConsumerCommitted, ClientError> {
        let under = ["consumers", name, "commit"];
        let request = self.request(Method::POST, &under)?.json(commit)?;
        self.server.json(request.repeatable()).await
    }

    /// Lets the server's parked export of a consumer go on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `consumer-not-found`.
    pub async fn resume_consumer(&self, name: &str) -> Result<ConsumerResumed, ClientError> {
        let under = ["consumers", name, "resume"];
        let request = self.request(Method::POST, &under)?;
        self.server.json(request.repeatable()).await
    }

    /// Forgets a consumer, with its cursor and its projection.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `consumer-not-found`.
    pub async fn forget_consumer(&self, name: &str) -> Result<ConsumerForgotten, ClientError> {
        let request = self.request(Method::DELETE, &["consumers", name])?;
        self.server.json(request).await
    }
}
