//! Events of a server, read as a named consumer that the server keeps.

use async_trait::async_trait;
use heronry_client::{ClientError, PoolClient};
use heronry_runtime::{ConsumerBatch, EventFeed};
use heronry_types::{Cursor, Millis};
use heronry_wire::{ClaimConsumer, CommitConsumer, EventsQuery};

/// Events of a server, read as a named consumer.
#[derive(Debug)]
pub(super) struct ServerFeed {
    pool: PoolClient,
    name: String,
    generation: u64,
    query: EventsQuery,
    after: Cursor,
}

impl ServerFeed {
    /// Claims the consumer.
    pub(super) async fn open(
        pool: PoolClient,
        name: String,
        claim: &ClaimConsumer,
    ) -> Result<Self, ClientError> {
        let claimed = pool.claim_consumer(&name, claim).await?;
        Ok(Self {
            pool,
            name,
            generation: claimed.generation,
            query: EventsQuery {
                filter: claim.filter.clone(),
                ..EventsQuery::default()
            },
            after: claimed.cursor,
        })
    }
}

#[async_trait]
impl EventFeed for ServerFeed {
    type Error = ClientError;

    async fn next_batch(&mut self, max: usize, wait: Millis) -> Result<ConsumerBatch, ClientError> {
        let query = EventsQuery {
            after: Some(self.after),
            limit: Some(max as u64),
            wait_ms: (wait.0 > 0).then_some(wait),
            ..self.query.clone()
        };
        let page = self.pool.events(&query).await?;
        let after = std::mem::replace(&mut self.after, page.scanned_to);
        Ok(ConsumerBatch {
            events: page.events,
            after,
            head: page.head,
            scanned_to: page.scanned_to,
        })
    }

    async fn commit(&mut self, to: Cursor) -> Result<(), ClientError> {
        let commit = CommitConsumer {
            generation: self.generation,
            cursor: to,
        };
        self.pool
            .commit_consumer(&self.name, &commit)
            .await
            .map(drop)
    }
}
