//! Named consumers: durable cursors with one holder at a time, committed after what they cover was
//! handled.

mod claim;
mod error;
mod registry;
mod spec;
mod standing;
mod standstill;
mod turn;

use std::fmt;

use heronry_event::Event;
use heronry_pool::decide::Viewer;
use heronry_store::{ConsumerCursor, ConsumerId, ProjectionChange};
use heronry_types::{Cursor, Millis};

use crate::{EventQuery, OnTrimmed, Pool, ReadFrom};

pub use claim::ClaimedConsumer;
pub use error::ConsumeError;
pub use registry::ConsumerActivity;
use registry::ConsumerHold;
pub(crate) use registry::Holders;
pub use spec::{
    CONSUMER_HOLD, ConsumerClaim, ConsumerSpec, ConsumerStart, OnFilterChanged, OnHeld, fingerprint,
};
pub use standing::ConsumerView;
pub(crate) use standstill::{Standstill, StoodStill};
use turn::ClaimTurn;

/// Events for a consumer to handle.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerBatch {
    /// The events, in order; none when nothing matched.
    pub events: Vec<Event>,
    /// The cursor after which they were looked for.
    pub after: Cursor,
    /// The head when they were read.
    pub head: Cursor,
    /// The cursor to commit when all of them are handled. It moves also when nothing matched.
    pub scanned_to: Cursor,
}

/// The durable part of a consumer that this process holds: its name, its cursor and its generation.
/// Dropping it gives the consumer up.
#[derive(Debug)]
pub(crate) struct HeldConsumer {
    pool: Pool,
    name: ConsumerId,
    stood: ConsumerCursor,
    hold: ConsumerHold,
}

impl HeldConsumer {
    /// Claims a consumer, and holds it.
    pub(crate) async fn open(pool: &Pool, claim: &ConsumerClaim) -> Result<Self, ConsumeError> {
        let turn = ClaimTurn::take(&pool.shared().holders, &claim.name).await;
        let stood = pool.claim(claim, &turn).await?;
        Ok(Self {
            pool: pool.clone(),
            name: claim.name.clone(),
            stood,
            hold: turn.hold(stood.tenure.generation),
        })
    }

    /// Returns the committed cursor.
    pub(crate) fn cursor(&self) -> Cursor {
        self.stood.cursor
    }

    /// Commits that everything up to a cursor is handled, with rows of the projection.
    pub(crate) async fn commit(
        &mut self,
        to: Cursor,
        rows: Vec<ProjectionChange>,
    ) -> Result<(), ConsumeError> {
        self.stood = self.pool.advance(&self.name, self.stood, to, rows).await?;
        Ok(())
    }

    /// Checks that no other holder in this process has taken it over.
    fn check_held(&self) -> Result<(), ConsumeError> {
        if self.hold.is_held() {
            return Ok(());
        }
        let holder = self.pool.shared().holders.holder(&self.name);
        let held = self.stood.tenure.generation;
        Err(ConsumeError::Fenced {
            name: self.name.clone(),
            held,
            current: holder.unwrap_or(held.saturating_add(1)),
        })
    }
}

/// A named consumer that this process holds: a durable place in the events of a pool.
///
/// A batch is committed after it was handled. So after a crash in between it is read again, by
/// whoever holds the consumer then: each event is handled at least once. What is
/// [projected](Self::project) into rows of the pool's store is handled exactly once, because the rows
/// and the cursor are one transaction.
///
/// One holder has a consumer at a time. Its generation rises with each claim, and the holder that was
/// taken over gets [`ConsumeError::Fenced`] at its next call. Dropping a consumer gives it up; its
/// cursor stays.
pub struct NamedConsumer {
    held: HeldConsumer,
    query: EventQuery,
    read_to: Cursor,
}

impl fmt::Debug for NamedConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "NamedConsumer({} after {})",
            self.held.name, self.read_to
        )
    }
}

impl Pool {
    /// Claims a named consumer, and holds it until the answer is dropped. It sees what an operator
    /// sees.
    ///
    /// # Errors
    /// [`ConsumeError`]; nothing is changed then, but for the generation when the consumer is of
    /// another holder by then.
    pub async fn consumer(&self, spec: ConsumerSpec) -> Result<NamedConsumer, ConsumeError> {
        let held = HeldConsumer::open(self, &spec.claim).await?;
        let cursor = held.cursor();
        Ok(NamedConsumer {
            held,
            query: EventQuery {
                viewer: Viewer::Operator,
                filter: spec.filter,
                from: ReadFrom::Cursor(cursor),
                on_trimmed: OnTrimmed::Error,
            },
            read_to: cursor,
        })
    }
}

impl NamedConsumer {
    /// Returns the name.
    pub fn name(&self) -> &ConsumerId {
        &self.held.name
    }

    /// Returns the generation of this holder.
    pub fn generation(&self) -> u64 {
        self.held.stood.tenure.generation
    }

    /// Returns the committed cursor.
    pub fn committed(&self) -> Cursor {
        self.held.cursor()
    }

    /// Returns the pool.
    pub fn pool(&self) -> &Pool {
        &self.held.pool
    }

    /// Returns at most `max` events after the last batch, waiting up to `wait` when there are none.
    /// A batch may be empty and still have moved: commit its `scanned_to` all the same.
    ///
    /// # Errors
    /// [`ConsumeError::Fenced`] when another holder in this process took the consumer over, and
    /// [`ConsumeError::Events`], also when records after the last batch were trimmed meanwhile.
    pub async fn next_batch(
        &mut self,
        max: usize,
        wait: Millis,
    ) -> Result<ConsumerBatch, ConsumeError> {
        self.held.check_held()?;
        let after = self.read_to;
        self.query.from = ReadFrom::Cursor(after);
        let page = self.held.pool.events(&self.query, max, wait).await?;
        self.read_to = page.scanned_to;
        Ok(ConsumerBatch {
            after,
            head: page.head,
            events: page.events,
            scanned_to: page.scanned_to,
        })
    }

    /// Commits that everything up to a cursor is handled: it is not read again.
    ///
    /// # Errors
    /// [`ConsumeError::Fenced`], [`ConsumeError::NotThere`], [`ConsumeError::Behind`],
    /// [`ConsumeError::NotCommitted`], and the store's failure: the commit may be repeated then.
    pub async fn commit(&mut self, to: Cursor) -> Result<(), ConsumeError> {
        self.held.check_held()?;
        self.held.commit(to, Vec::new()).await
    }

    /// Commits a batch together with rows that follow from its events: both are kept, or neither.
    /// A batch without rows is committed alike. `rows` may look at the projection as it is, because
    /// nothing else changes it.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); [`ConsumeError::Elsewhere`] when the batch does not begin where the
    /// consumer stands, as one that was projected before; [`ConsumeError::TooMuch`] when the rows are more or larger than a
    /// store takes, and nothing was written then.
    pub async fn project(
        &mut self,
        batch: &ConsumerBatch,
        rows: impl FnMut(&Event) -> Vec<ProjectionChange>,
    ) -> Result<(), ConsumeError> {
        self.held.check_held()?;
        if batch.after != self.committed() {
            return Err(ConsumeError::Elsewhere {
                name: self.held.name.clone(),
                stands: self.committed(),
            });
        }
        let rows = batch.events.iter().flat_map(rows).collect();
        self.held.commit(batch.scanned_to, rows).await
    }

    /// Shows the consumer as parked, and returns a future that completes when it is resumed.
    pub(crate) fn park(&self, why: String) -> impl Future<Output = ()> + use<> {
        self.held.hold.park(why)
    }

    /// Goes back to the committed cursor: what was read since is read again.
    pub fn rewind(&mut self) {
        self.read_to = self.held.cursor();
    }
}
