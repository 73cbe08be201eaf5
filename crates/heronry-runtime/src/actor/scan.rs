//! Looking for earlier events that a command asks for.

use heronry_journal::{Chunk, WakeTriggeredBy};
use heronry_pool::{Rejection, decide::ScanRequest};
use heronry_store::{ClaimEntry, ClaimKey, Page, ReadError};
use heronry_types::Position;

use super::Actor;
use crate::StopReason;

/// How many bytes one page of a scan has at the most.
const SCAN_PAGE_BYTES: usize = 1024 * 1024;

/// What a scan found.
enum Scanned {
    /// It looked through everything, up to the first match if there is one.
    Through(Option<WakeTriggeredBy>),
    /// What it was to look through is gone before this position.
    Trimmed(Position),
}

impl Actor {
    /// Looks for the earlier event that the first command which waits asks for.
    pub(super) async fn scan_for_first(
        &mut self,
        found: &[(ClaimKey, ClaimEntry)],
    ) -> Result<Result<Option<WakeTriggeredBy>, Rejection>, StopReason> {
        while let Some(job) = self.pending.front() {
            let request = match job.scan(&self.engine, found) {
                Ok(Some(request)) => request,
                Ok(None) => break,
                Err(rejection) => return Ok(Err(rejection)),
            };
            match self.scan(&request).await? {
                Scanned::Through(by) => return Ok(Ok(by)),
                // The command is asked again: its start may have moved, or its cursor is gone.
                Scanned::Trimmed(floor) => self.engine.set_floor(floor),
            }
        }
        Ok(Ok(None))
    }

    /// Looks for an earlier event: first in the store, then in what it syncs, then in what is staged.
    async fn scan(&mut self, request: &ScanRequest) -> Result<Scanned, StopReason> {
        let mut after = request.after;
        while after < self.durable {
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
            if let Some(by) = self.scan_page(request, &page, after)? {
                return Ok(Scanned::Through(Some(by)));
            }
            after = page.chunks.last().map_or(self.durable, Chunk::last);
            tokio::task::yield_now().await;
        }
        let syncing = self.flight.as_ref().map(|flight| &flight.staged.records);
        let staged = &self.engine.staged().records;
        let found = syncing
            .into_iter()
            .chain([staged])
            .find_map(|records| self.engine.scan(request, records));
        Ok(Scanned::Through(found))
    }

    fn scan_page(
        &self,
        request: &ScanRequest,
        page: &Page,
        after: Position,
    ) -> Result<Option<WakeTriggeredBy>, StopReason> {
        for chunk in &page.chunks {
            let records: Result<Vec<_>, _> = chunk.records_after(after).collect();
            let records = records.map_err(|error| self.unreadable(&error))?;
            if let Some(by) = self.engine.scan(request, &records) {
                return Ok(Some(by));
            }
        }
        Ok(None)
    }

    fn unreadable(&self, error: &dyn std::error::Error) -> StopReason {
        tracing::error!(pool = %self.pool, %error, "journal cannot be read");
        StopReason::StoreFenced
    }
}
