//! Reading finished messages back that left memory, for the commands that ask for them.

use heronry_journal::{Chunk, Record};
use heronry_pool::engine::{Append, ArchivedMessage, LookedUp};
use heronry_store::{ReadError, StoreErrorKind};
use heronry_types::Position;

use super::PoolActor;
use crate::{
    StopReason,
    job::{GatedAnswer, Job, Ran},
};

/// The bytes of the journal in one read for each record that is wanted, and the most for all of
/// them.
const BYTES_EACH: usize = 512;
const PAGE_BYTES: usize = 256 * 1024;

impl PoolActor {
    /// Decides a command, with the messages in memory that it asks for.
    pub(super) async fn answer(
        &mut self,
        mut job: Box<dyn Job>,
        append: &mut Append,
        looked_up: LookedUp<'_>,
    ) -> Result<Box<dyn GatedAnswer>, StopReason> {
        self.engine.make_room();
        loop {
            match job.run(&mut self.engine, append, looked_up) {
                Ran::Answered(answer) => return Ok(answer),
                Ran::Again(again, pasts) => {
                    self.recall(&pasts).await?;
                    job = again;
                }
            }
        }
    }

    async fn recall(&mut self, pasts: &[ArchivedMessage]) -> Result<(), StopReason> {
        for past in pasts {
            let Some(records) = self.read_back(&past.records).await? else {
                self.engine.give_up(past);
                continue;
            };
            self.engine.recall(past, &records).map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "a finished message cannot be read back");
                StopReason::StoreFenced(StoreErrorKind::Corrupt)
            })?;
        }
        Ok(())
    }

    /// Reads these records, which rise; nothing when they are trimmed.
    async fn read_back(&mut self, wanted: &[Position]) -> Result<Option<Vec<Record>>, StopReason> {
        let mut records = Vec::with_capacity(wanted.len());
        while let Some(next) = wanted.get(records.len()) {
            if !self.read.iter().any(|chunk| holds(chunk, *next)) {
                let left = wanted.len() - records.len();
                let bytes = left.saturating_mul(BYTES_EACH).min(PAGE_BYTES);
                let journal = &self.store.journal;
                self.read = match journal.read(&self.pool, next.previous(), bytes).await {
                    Ok(page) => page.chunks,
                    Err(ReadError::Trimmed { .. }) => return Ok(None),
                    Err(error) => return Err(self.unreadable(&error)),
                };
            }
            let before = records.len();
            for chunk in &self.read {
                let rest = wanted.get(records.len()..).unwrap_or_default();
                let held = rest.iter().take_while(|position| holds(chunk, **position));
                let held: Result<Vec<_>, _> = held.map(|it| chunk.record(*it)).collect();
                records.extend(held.map_err(|error| self.unreadable(&error))?);
            }
            if records.len() == before {
                tracing::error!(pool = %self.pool, position = %next, "a record is not there");
                return Err(StopReason::StoreFenced(StoreErrorKind::Corrupt));
            }
        }
        Ok(Some(records))
    }
}

fn holds(chunk: &Chunk, position: Position) -> bool {
    (chunk.first()..=chunk.last()).contains(&position)
}
