//! Looking for the earlier events that a command asks for while it waits, when those are few.

use heronry_journal::Chunk;
use heronry_pool::{
    Rejection,
    engine::{Append, FoundEvents, Scan, ScanStep, Staged},
};
use heronry_store::{KeyedEntry, Page, ReadError};
use heronry_types::Position;

use super::super::PoolActor;
use crate::StopReason;

/// The most bytes of one page of a scan.
const SCAN_PAGE_BYTES: usize = 1024 * 1024;

/// The reach of a scan.
#[derive(Clone, Copy, Debug)]
enum Scanned {
    /// The scan looked through everything, or until the condition held.
    Through,
    /// There is too much to look through at once.
    TooMuch,
    /// The records of the scan before this position are gone.
    Trimmed(Position),
}

impl PoolActor {
    /// Looks for the earlier events that the first command which waits asks for.
    pub(in super::super) async fn scan_for_first(
        &mut self,
        append: &Append,
        found: &[KeyedEntry],
    ) -> Result<Result<FoundEvents, Rejection>, StopReason> {
        while let Some(job) = self.pending.front() {
            let request = match job.scan(&self.engine, found) {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let mut scan = Scan::new(request);
            if !scan.is_cheap() {
                return Ok(Ok(FoundEvents::later()));
            }
            match self.scan(&mut scan, append.staged()).await? {
                Scanned::Through => return Ok(Ok(scan.finish())),
                Scanned::TooMuch => return Ok(Ok(FoundEvents::later())),
                // The command is asked again: its start may have moved, or its cursor is gone.
                Scanned::Trimmed(floor) => self.engine.set_floor(floor),
            }
        }
        Ok(Ok(FoundEvents::default()))
    }

    /// Looks for earlier events: first in one page of the store, then in what it syncs, then in what is staged.
    async fn scan(&mut self, scan: &mut Scan, staged: &Staged) -> Result<Scanned, StopReason> {
        let after = scan.request().after;
        if after < self.durable {
            let page = match self
                .store
                .journal
                .read(&self.pool, after, SCAN_PAGE_BYTES)
                .await
            {
                Ok(page) => page,
                Err(ReadError::Trimmed { floor, .. }) => return Ok(Scanned::Trimmed(floor)),
                Err(error) => return Err(self.unreadable(&error)),
            };
            if self.scan_page(scan, &page, after)? == ScanStep::Done {
                return Ok(Scanned::Through);
            }
            if page.chunks.last().map(Chunk::last) < Some(self.durable) {
                return Ok(Scanned::TooMuch);
            }
        }
        let syncing = self.flight.as_ref().map(|flight| &flight.staged.records);
        for records in syncing.into_iter().chain([&staged.records]) {
            if self.engine.scan(scan, records) == ScanStep::Done {
                break;
            }
        }
        Ok(Scanned::Through)
    }

    fn scan_page(
        &self,
        scan: &mut Scan,
        page: &Page,
        after: Position,
    ) -> Result<ScanStep, StopReason> {
        for chunk in &page.chunks {
            let records: Result<Vec<_>, _> = chunk.records_after(after).collect();
            let records = records.map_err(|error| self.unreadable(&error))?;
            if self.engine.scan(scan, &records) == ScanStep::Done {
                return Ok(ScanStep::Done);
            }
        }
        Ok(ScanStep::More)
    }
}
