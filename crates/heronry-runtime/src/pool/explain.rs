//! Saying why a wake still waits: read beside the actor, on demand.

use heronry_event::WakeExplanation;
use heronry_journal::{Chunk, Record};
use heronry_pool::{
    Caller,
    decide::{ExplainWake, ListAuthors},
    explain::Explain,
};
use heronry_store::ReadError;
use heronry_types::{Position, RunId, WakeId};

use super::Pool;
use crate::EventsError;

/// How many bytes of the journal are read at once, beside a first chunk.
const PAGE_BYTES: usize = 256 * 1024;

impl Pool {
    /// Says why a wake has not been triggered: how near the newest events came for each of its filters,
    /// what failed in them, and which members could still do what it waits for. It looks at 10 000
    /// events, at fewer for a wake that costs much, and says at which.
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
        let mut explain = self.call(ask).await?;
        self.look_at_newest(&mut explain).await?;
        let mut after = None;
        loop {
            let caller = caller.clone();
            let authors = self.call(ListAuthors { caller, after }).await?;
            let Some(last) = authors.last() else {
                break;
            };
            after = Some(last.run.clone());
            explain.could(authors);
        }
        Ok(explain.finish(self.timelines()))
    }

    async fn look_at_newest(&self, explain: &mut Explain) -> Result<(), EventsError> {
        let (mut after, until) = explain.range();
        let journal = &self.shared().environment.store.journal;
        while after < until {
            let page = match journal.read(self.id(), after, PAGE_BYTES).await {
                Ok(page) => page,
                // What went meanwhile is not looked at.
                Err(ReadError::Trimmed { floor, .. }) => {
                    after = floor.previous();
                    continue;
                }
                Err(ReadError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(EventsError::NoPool(self.id().clone())),
            };
            for chunk in &page.chunks {
                self.look_at(explain, chunk, after).await?;
            }
            let Some(last) = page.chunks.last().map(Chunk::last) else {
                break;
            };
            after = last;
        }
        Ok(())
    }

    async fn look_at(
        &self,
        explain: &mut Explain,
        chunk: &Chunk,
        after: Position,
    ) -> Result<(), EventsError> {
        let mut after = after;
        while after < chunk.last() {
            let some = chunk.records_after(after).take(explain.records_at_once());
            let records: Result<Vec<Record>, _> = some.collect();
            let records = records.map_err(|error| EventsError::Damaged {
                at: error.position().unwrap_or_else(|| chunk.first()),
            })?;
            explain.look(self.timelines(), &records);
            after = records.last().map_or(chunk.last(), |it| it.position);
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
