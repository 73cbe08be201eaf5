//! The actor of one pool: it decides, appends, and only then answers.

mod commit;
mod open;

use std::{collections::VecDeque, sync::Arc};

use heronry_journal::{Chunk, ChunkHash, WakeTriggeredBy};
use heronry_pool::{
    Engine, Rejection,
    decide::{Names, ScanRequest},
};
use heronry_store::{ClaimEntry, ClaimKey, FencingToken, Outcome, Page, ReadError, Store};
use heronry_types::{PoolId, Position, Timestamp};
use tokio::sync::watch;

pub(crate) use open::Opening;

use crate::{
    CallError, StopReason,
    job::{Gated, Job},
    queue::{Next, Queue},
    time::{Deadlines, PoolTime},
    waiters::{WaitKey, Waiters},
};

/// How many commands one append takes at the most.
const BATCH_MAX: usize = 1_024;
/// About how many bytes one append has before it takes no further command.
const APPEND_BYTES: usize = 4 * 1024 * 1024;
/// How many bytes one page of a scan has at the most.
const SCAN_PAGE_BYTES: usize = 1024 * 1024;

/// Whether the actor goes on.
enum Flow {
    Go,
    Stop(StopReason),
}

/// What a scan found.
enum Scanned {
    /// It looked through everything, up to the first match if there is one.
    Through(Option<WakeTriggeredBy>),
    /// What it was to look through is gone before this position.
    Trimmed(Position),
}

/// The actor of one pool.
pub(crate) struct Actor {
    pool: PoolId,
    engine: Engine,
    store: Store,
    token: FencingToken,
    time: PoolTime,
    queue: Arc<Queue>,
    waiters: Arc<Waiters>,
    head: watch::Sender<Position>,
    durable: Position,
    last_hash: ChunkHash,
    pending: VecDeque<Box<dyn Job>>,
    last_now: Timestamp,
    /// The version of the settings that the queue has its size from.
    settings_version: u64,
}

impl Actor {
    /// Runs until the queue is closed or the store fails; then gives the pool up.
    pub(crate) async fn run(mut self) {
        let why = loop {
            let jobs = match self.wait().await {
                Next::Jobs(jobs) => jobs,
                Next::Closed => break StopReason::Shutdown,
            };
            self.pending.extend(jobs);
            if let Flow::Stop(why) = self.turn().await {
                break why;
            }
            // Those who were just answered ask again at once: let them, and one append takes more.
            tokio::task::yield_now().await;
        };
        self.stop(why).await;
    }

    /// Waits for commands, or for a deadline (then without any).
    async fn wait(&mut self) -> Next {
        if !self.pending.is_empty() || self.engine.has_backlog() {
            return Next::Jobs(Vec::new());
        }
        let (now, deadlines) = self.time.now();
        let next = self.engine.state().deadlines().next(now.max(self.last_now));
        let at = match (next, deadlines) {
            (Some(at), _) => at,
            (None, Deadlines::Hold(_)) => now,
            (None, Deadlines::Fire) => return self.queue.next(BATCH_MAX).await,
        };
        tokio::select! {
            biased;
            next = self.queue.next(BATCH_MAX) => next,
            () = self.time.reach(at) => Next::Jobs(Vec::new()),
        }
    }

    /// Decides what waits and appends it. What is due, and triggers of earlier events, go first.
    async fn turn(&mut self) -> Flow {
        let (now, deadlines) = self.time.now();
        self.engine.begin(now);
        let mut held = Vec::new();
        if self.comes_to_commands(now, deadlines)
            && let Err(why) = self.decide((now, deadlines), &mut held).await
        {
            self.fail(held, (Outcome::None, why));
            return Flow::Stop(why);
        }
        let flow = self.commit(held).await;
        self.wake_visible(now);
        flow
    }

    /// Decides what is due; returns true when commands may follow in the same append. Triggers that
    /// are not recorded yet, and what is still due, go before every command.
    fn comes_to_commands(&mut self, now: Timestamp, deadlines: Deadlines) -> bool {
        if self.engine.has_backlog() {
            return false;
        }
        let more_due = deadlines == Deadlines::Fire && self.engine.tick();
        let something_first = more_due && self.is_due(now, deadlines);
        !self.engine.has_backlog() && !something_first
    }

    fn is_due(&self, now: Timestamp, deadlines: Deadlines) -> bool {
        deadlines == Deadlines::Fire && self.engine.state().deadlines().due(now).next().is_some()
    }

    /// Decides the commands that wait, until something has to go first, the append is large enough,
    /// or there are none.
    async fn decide(
        &mut self,
        (now, deadlines): (Timestamp, Deadlines),
        held: &mut Vec<Box<dyn Gated>>,
    ) -> Result<(), StopReason> {
        let found = self.look_up().await?;
        held.reserve(self.pending.len());
        while !self.pending.is_empty() {
            let scanned = self.scan_for_first(&found).await?;
            let Some(job) = self.pending.pop_front() else {
                break;
            };
            held.push(match scanned {
                Ok(scan) => job.run(&mut self.engine, &found, scan),
                Err(rejection) => job.reject(rejection),
            });
            let is_large = self.engine.staged().weight >= APPEND_BYTES;
            if is_large || self.engine.has_backlog() || self.is_due(now, deadlines) {
                break;
            }
        }
        Ok(())
    }

    /// Asks the claims store for every key of the commands that wait, in one call.
    async fn look_up(&self) -> Result<Vec<(ClaimKey, ClaimEntry)>, StopReason> {
        let recent = self.engine.recent();
        let keys: Vec<ClaimKey> = self
            .pending
            .iter()
            .filter_map(|job| job.names())
            .flat_map(Names::keys)
            .filter(|key| recent.get(key).is_none())
            .collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .store
            .claims
            .find(&self.pool, &keys)
            .await
            .map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "claims cannot be read");
                StopReason::StoreFenced
            })?;
        Ok(keys
            .into_iter()
            .zip(found)
            .filter_map(|(key, entry)| Some((key, entry?)))
            .collect())
    }

    /// Looks for the earlier event that the first command which waits asks for.
    async fn scan_for_first(
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

    /// Looks for an earlier event: first in the store, then among what is staged.
    async fn scan(&self, request: &ScanRequest) -> Result<Scanned, StopReason> {
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
        let staged = &self.engine.staged().records;
        Ok(Scanned::Through(self.engine.scan(request, staged)))
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

    /// Wakes readers whose released copies can be claimed by now.
    fn wake_visible(&mut self, now: Timestamp) {
        for run in self
            .engine
            .state()
            .deadlines()
            .became_visible(self.last_now, now)
        {
            self.waiters.wake(&WaitKey::Inbox(run.clone()));
        }
        self.last_now = self.last_now.max(now);
    }

    /// Refuses everything that waits and gives the pool up.
    async fn stop(mut self, why: StopReason) {
        let outcome = Outcome::None;
        for job in self
            .queue
            .shut(why)
            .into_iter()
            .chain(self.pending.drain(..))
        {
            job.refuse(CallError::Stopped { outcome, why });
        }
        if let Err(error) = self.store.leases.release(&self.pool, self.token).await {
            tracing::warn!(pool = %self.pool, %error, "lease cannot be released");
        }
        drop(self.head);
        self.waiters.wake_all();
        tracing::info!(pool = %self.pool, outcome = %why, "pool stopped");
    }
}
