//! Saying why a wake still waits: read beside the actor, on demand.

use std::sync::Arc;

use heronry_event::WakeExplanation;
use heronry_journal::{Chunk, Record};
use heronry_pool::{
    Caller,
    decide::{ExplainWake, ListAuthors},
    explain::{Explain, RecordSpan},
};
use heronry_store::ReadError;
use heronry_types::{Position, RunId, Timelines, WakeId};
use tokio::runtime::Handle;

use super::Pool;
use crate::{EventsError, Party};

/// The most bytes of the journal in one read, beside a first chunk.
const PAGE_BYTES: usize = 256 * 1024;

impl Pool {
    /// Explains why a wake has not been triggered: how near the newest events came for each of its
    /// filters, the parts of the filter that failed, and the members that could still bring such an
    /// event about. The call looks at the newest 10 000 events, or at fewer for a wake that costs
    /// much, and names the range.
    ///
    /// # Errors
    /// [`EventsError`], when there is no such wake among others.
    pub async fn explain_wake(
        &self,
        caller: Caller,
        run: Option<RunId>,
        wake_id: WakeId,
    ) -> Result<WakeExplanation, EventsError> {
        let ask = ExplainWake {
            caller: caller.clone(),
            run,
            wake_id,
        };
        let party = Party::of(self.id(), &caller);
        let explain = self.call(ask).await?;
        let mut explain = self.look_at_newest(explain, &party).await?;
        let mut after = None;
        loop {
            let caller = caller.clone();
            let authors = self.call(ListAuthors { caller, after }).await?;
            let Some(last) = authors.last() else {
                break;
            };
            after = Some(last.run.clone());
            let look = move || {
                explain.could(authors);
                explain
            };
            explain = self.side_work().run(&party, look).await;
        }
        let timelines = self.timelines().clone();
        let finish = move || explain.finish(&timelines);
        Ok(self.side_work().run(&party, finish).await)
    }

    async fn look_at_newest(
        &self,
        mut explain: Explain,
        party: &Party,
    ) -> Result<Explain, EventsError> {
        let RecordSpan { mut after, until } = explain.range();
        while after < until {
            let (pool, handle) = (self.clone(), Handle::current());
            let read = move || {
                let journal = &pool.shared().environment.store.journal;
                handle.block_on(journal.read(pool.id(), after, PAGE_BYTES))
            };
            let page = match self.side_work().run(party, read).await {
                Ok(page) => page,
                // What went meanwhile is not looked at.
                Err(ReadError::Trimmed { floor, .. }) => {
                    after = floor.previous();
                    continue;
                }
                Err(ReadError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(EventsError::NoPool(self.id().clone())),
            };
            let Some(last) = page.chunks.last().map(Chunk::last) else {
                break;
            };
            let newest = Newest {
                chunks: Arc::new(page.chunks),
                timelines: self.timelines().clone(),
            };
            while after < last {
                let newest = newest.clone();
                let look = move || newest.look_at(explain, after);
                (explain, after) = self.side_work().run(party, look).await?;
            }
        }
        Ok(explain)
    }
}

/// Chunks that were read.
#[derive(Clone)]
struct Newest {
    chunks: Arc<Vec<Chunk>>,
    timelines: Timelines,
}

impl Newest {
    /// Looks at the next records; returns the position of the last one, too.
    fn look_at(
        &self,
        mut explain: Explain,
        after: Position,
    ) -> Result<(Explain, Position), EventsError> {
        let behind = self.chunks.iter().filter(|chunk| chunk.last() > after);
        let records = behind.flat_map(|chunk| {
            let records = chunk.records_after(after);
            records.map(|record| {
                record.map_err(|error| EventsError::Damaged {
                    at: error.position().unwrap_or_else(|| chunk.first()),
                })
            })
        });
        let records = records.take(explain.records_at_once());
        let records: Vec<Record> = records.collect::<Result<_, _>>()?;
        explain.look(&self.timelines, &records);
        let after = records.last().map_or(Position(u64::MAX), |it| it.position);
        Ok((explain, after))
    }
}
