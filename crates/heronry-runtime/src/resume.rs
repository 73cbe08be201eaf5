//! The resume hook: a host is told of every wake that ended, after the commit, at least once.

mod call;
mod progress;

use std::{collections::BTreeSet, fmt, future, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use heronry_journal::{Chunk, Record, Subject};
use heronry_store::ReadError;
use heronry_types::{Cursor, PoolId, Position, RunId, WakeId, WakeView};

use crate::Pool;
use call::Calls;
use progress::ResumeProgress;

/// The most bytes of the journal in one read, beside a first chunk.
const PAGE_BYTES: usize = 256 * 1024;
/// The number of calls that the host has not taken from which on nothing more is read.
const OPEN_MAX: usize = 1_024;

/// Stands for the end of one wake: the same in every call about it, and in no other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ResumeToken {
    /// The record that registered the wake.
    pub registered: Cursor,
    /// The record that ended it.
    pub ended: Cursor,
}

impl fmt::Display for ResumeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.registered, self.ended)
    }
}

/// A wake that ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resumed {
    /// The pool of the wake.
    pub pool: PoolId,
    /// The token by which a repeated call is known.
    pub token: ResumeToken,
    /// The end of the wake, with the choice of its `resume_with`.
    pub wake: WakeView,
}

/// The reason why a host did not take the end of a wake. The host is told again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotResumed(pub String);

/// The hook of a host that resumes waiting runs. It is called for every wake that ends, in whatever
/// way, once the end is durable.
///
/// Each end is told at least once, in no promised order, and a few ends are told at a time.
/// Commands never wait for the hook. A call that fails, or panics, is repeated after a pause that
/// grows to a minute. The progress is kept in the pool's store under one cursor, which moves at
/// most once a second. So after a crash a host is told again of ends that it may have taken: the
/// token shows which. A host that is new to a pool is told of every wake that ended there.
#[async_trait]
pub trait ResumeHook: Send + Sync {
    /// Takes in that a wake ended.
    ///
    /// # Errors
    /// [`NotResumed`] to be told again later.
    async fn resume(&self, resumed: &Resumed) -> Result<(), NotResumed>;
}

/// The end of a wake, as its record says it.
struct EndedWake {
    at: Position,
    registered: Position,
    run: RunId,
    wake: WakeId,
}

/// Tells a host of the ends of a pool's wakes, until the pool stops.
pub(crate) async fn tell(pool: Pool, hook: Arc<dyn ResumeHook>) {
    // A pool that is being created has no journal that a consumer could stand in.
    let mut head = pool.shared().head.clone();
    if head.wait_for(|head| *head > Position::ZERO).await.is_err() {
        return;
    }
    let progress = match ResumeProgress::open(&pool).await {
        Ok(progress) => progress,
        Err(error) => {
            tracing::error!(pool = %pool.id(), %error, "nobody is told of the ends of wakes");
            return;
        }
    };
    let mut teller = Teller {
        read: progress.position(),
        calls: Arc::new(Calls::new(pool.clone(), hook)),
        pool,
        progress,
        open: BTreeSet::new(),
        under_way: FuturesUnordered::new(),
    };
    teller.serve().await;
    teller.save().await;
}

struct Teller {
    pool: Pool,
    calls: Arc<Calls>,
    progress: ResumeProgress,
    /// Everything up to here was read.
    read: Position,
    /// The ends that are read, and that the host has not taken.
    open: BTreeSet<Position>,
    under_way: FuturesUnordered<BoxFuture<'static, Position>>,
}

impl Teller {
    async fn serve(&mut self) {
        let mut head = self.pool.shared().head.clone();
        loop {
            let durable = *head.borrow_and_update();
            if !self.read_on(durable).await {
                return;
            }
            let has_more = self.has_room() && self.read < *head.borrow();
            let due = self.progress.due();
            tokio::select! {
                biased;
                Some(at) = self.under_way.next() => {
                    self.open.remove(&at);
                    self.progress.told_one();
                }
                () = due => self.save().await,
                () = future::ready(()), if has_more => {}
                changed = head.changed() => if changed.is_err() { return },
            }
        }
    }

    fn has_room(&self) -> bool {
        self.open.len() < OPEN_MAX
    }

    /// Reads a page when there is one, and room for what it holds. Returns false when it cannot be
    /// read.
    async fn read_on(&mut self, head: Position) -> bool {
        if self.read >= head || !self.has_room() {
            return true;
        }
        if let Err(error) = self.read_page().await {
            tracing::error!(pool = %self.pool.id(), %error, "nobody is told of the ends of wakes");
            return false;
        }
        if self.progress.is_far_behind(self.told()) {
            self.save().await;
        }
        // A long journal is read beside everything else.
        tokio::task::yield_now().await;
        true
    }

    /// The position up to which the host has taken everything.
    fn told(&self) -> Position {
        let oldest = self.open.first();
        oldest.map_or(self.read, |oldest| oldest.previous())
    }

    async fn save(&mut self) {
        let told = self.pool.cursor(self.told());
        self.progress.save(&self.pool, told).await;
    }

    /// Reads a page of the journal, and begins to tell of the ends of wakes in it.
    async fn read_page(&mut self) -> Result<(), ReadError> {
        let journal = &self.pool.shared().environment.store.journal;
        let page = match journal.read(self.pool.id(), self.read, PAGE_BYTES).await {
            Ok(page) => page,
            Err(ReadError::Trimmed { floor, .. }) => {
                self.read = floor.previous();
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for chunk in &page.chunks {
            self.read_chunk(chunk);
        }
        Ok(())
    }

    fn read_chunk(&mut self, chunk: &Chunk) {
        for record in chunk.records_after(self.read) {
            match record {
                Ok(record) => self.begin(&record),
                // Whoever opens the pool again is told of the damage.
                Err(error) => tracing::error!(pool = %self.pool.id(), %error, "record is damaged"),
            }
        }
        self.read = self.read.max(chunk.last());
    }

    fn begin(&mut self, record: &Record) {
        if let Some(ended) = ended(record) {
            self.open.insert(ended.at);
            let calls = Arc::clone(&self.calls);
            self.under_way.push(Box::pin(calls.call(ended)));
        }
    }
}

/// The wake that a record ends.
fn ended(record: &Record) -> Option<EndedWake> {
    let body = &record.entry.body;
    let Subject::Wake(wake) = body.subject() else {
        return None;
    };
    let registered = body.ended_wake()?;
    Some(EndedWake {
        at: record.position,
        registered,
        run: record.entry.lineage.run.clone()?,
        wake: wake.clone(),
    })
}
