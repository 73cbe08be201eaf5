//! Looking through many earlier events beside the actor, for wakes that are registered meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use heronry_journal::{Chunk, ChunkError, Record};
use heronry_pool::{
    decide::{FinishScan, Scanned},
    engine::{Scan, ScanStep},
};
use heronry_store::{Journal, Page, ReadError};
use heronry_types::{PoolId, Position, Timelines};
use tokio::task::AbortHandle;

use super::super::{
    Flow, PoolActor,
    asides::{AtStop, Consequence},
};
use crate::{
    giving_way::give_way,
    job::{Call, Job},
};

/// The most scans of one pool at the same time.
const SCANS_MAX: usize = 4;
/// The most bytes of one page of a scan, beside its first chunk.
const PAGE_BYTES: usize = 256 * 1024;

/// The scans that were begun, by the registration of their wakes.
#[derive(Debug, Default)]
pub(in super::super) struct ScansBegun {
    /// Those that are under way.
    running: BTreeMap<Position, AbortHandle>,
    /// Those whose result is not decided yet.
    told: BTreeSet<Position>,
}

impl ScansBegun {
    /// Ends the scans of wakes that do not wait for them any more.
    fn end_others(&mut self, waits: impl Fn(Position) -> bool) {
        for (registered, scan) in &self.running {
            if !waits(*registered) {
                scan.abort();
            }
        }
        self.running.retain(|_, scan| !scan.is_finished());
        self.told.retain(|registered| waits(*registered));
    }

    /// Returns true when the scan of a wake was begun.
    fn has(&self, registered: Position) -> bool {
        self.running.contains_key(&registered) || self.told.contains(&registered)
    }

    /// Returns how many more may be under way.
    fn room(&self) -> usize {
        SCANS_MAX.saturating_sub(self.running.len())
    }
}

/// A fault of records that a scan had to look through and could not read.
#[derive(Debug, thiserror::Error)]
enum ScanFault {
    #[error(transparent)]
    Store(ReadError),
    #[error(transparent)]
    Chunk(#[from] ChunkError),
    #[error("the store shows nothing after {0}, which is not its head")]
    Missing(Position),
}

/// The journal that a scan looks through.
struct ScannedJournal {
    journal: Arc<dyn Journal>,
    pool: PoolId,
    timelines: Timelines,
}

impl PoolActor {
    /// Begins to look through the earlier events of wakes that are registered for certain.
    pub(in super::super) fn start_scans(&mut self) {
        let wakes = self.engine.state().wakes();
        let scans = &mut self.scans;
        scans.end_others(|registered| wakes.is_pending(registered));
        let waiting = wakes.pending().filter(|it| !scans.has(*it));
        let ready = waiting.take_while(|registered| *registered <= self.durable);
        let ready: Vec<Position> = ready.take(scans.room()).collect();
        for registered in ready {
            let Some(scan) = self.engine.pending_scan(registered) else {
                continue;
            };
            let journal = ScannedJournal {
                journal: Arc::clone(&self.store.journal),
                pool: self.pool.clone(),
                timelines: self.engine.state().timelines().clone(),
            };
            let running = self.asides.begin(AtStop::Abort, async move {
                let result = journal.look_through(scan).await;
                let take_in = move |actor: &mut Self| actor.scanned(registered, result);
                Box::new(take_in) as Consequence
            });
            self.scans.running.insert(registered, running);
        }
    }

    /// Turns what a scan found into a command, which waits for its turn as every other.
    fn scanned(&mut self, registered: Position, result: Result<Scanned, ScanFault>) -> Flow {
        self.scans.running.remove(&registered);
        self.scans.told.insert(registered);
        match result {
            Ok(scanned) => {
                let finish = FinishScan {
                    registered,
                    scanned,
                };
                let (call, _nobody) = Call::new(finish, None);
                let call: Box<dyn Job> = Box::new(call);
                self.pending.push_back(call);
                Flow::Go
            }
            Err(error) => Flow::Stop(self.unreadable(&error)),
        }
    }
}

impl ScannedJournal {
    async fn look_through(&self, mut scan: Scan) -> Result<Scanned, ScanFault> {
        let (mut after, until) = (scan.request().after, scan.request().until);
        while after < until {
            let page = match self.journal.read(&self.pool, after, PAGE_BYTES).await {
                Ok(page) => page,
                Err(ReadError::Trimmed { .. }) => return Ok(Scanned::Trimmed),
                Err(error) => return Err(ScanFault::Store(error)),
            };
            if self.look_at_all(&mut scan, &page, after).await? == ScanStep::Done {
                break;
            }
            let last = page.chunks.last().map(Chunk::last);
            after = last.ok_or(ScanFault::Missing(after))?;
        }
        Ok(Scanned::Found(scan.counted()))
    }

    async fn look_at_all(
        &self,
        scan: &mut Scan,
        page: &Page,
        after: Position,
    ) -> Result<ScanStep, ChunkError> {
        for chunk in &page.chunks {
            if self.look_at(scan, chunk, after).await? == ScanStep::Done {
                return Ok(ScanStep::Done);
            }
        }
        Ok(ScanStep::More)
    }

    async fn look_at(
        &self,
        scan: &mut Scan,
        chunk: &Chunk,
        after: Position,
    ) -> Result<ScanStep, ChunkError> {
        let mut after = after;
        while after < chunk.last() {
            let some = chunk.records_after(after).take(scan.records_at_once());
            let records: Vec<Record> = some.collect::<Result<_, _>>()?;
            if scan.look(&self.timelines, &records) == ScanStep::Done {
                return Ok(ScanStep::Done);
            }
            after = records.last().map_or(chunk.last(), |it| it.position);
            give_way().await;
        }
        Ok(ScanStep::More)
    }
}
