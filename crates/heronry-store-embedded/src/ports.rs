//! The ports of a store over an embedded database.

mod cursors;
mod custody;
mod keys;
mod projections;
mod snapshots;

use std::{
    fmt, io,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use futures::channel::oneshot;
use heronry_journal::{Baseline, Chunk};
use heronry_types::{Body, ContentRef, LimitName, Millis, PoolId, Position, Timelines, Timestamp};

use crate::{
    Database, WriterPools,
    baseline::{self, PoolRows, Trim},
    before::Before,
    chunks, contents, corrupt,
    job::{Acquire, Append, Force, Job, Put, Reply, Work},
    pack,
    readable::{Readable, ReadablePool},
    readers::Readers,
    writer::Writer,
};
use keys::GivenUpKeys;

use heronry_store::{
    AppendError, Capabilities, Commit, CommitOutcome, ContentPack, ContentPlace, Contents,
    FencingToken, Guard, Head, Journal, LeaseError, Leases, NewContent, Page, ReadError,
    RenewError, Sharing, StoreError, Stored, judge_content, judge_contents,
};

/// A store over an embedded database: its writer thread, and its gate.
///
/// Dropping it waits for the commit that is under way and closes the database.
pub struct Embedded<D> {
    /// Does long reads. It goes first, so that the writer is the last to hold the database.
    readers: Readers,
    /// Owns the database, and closes it when it ends.
    writer: Writer,
    database: Weak<D>,
    readable: Arc<Readable>,
    /// The pools whose keys were found damaged and dropped: nothing is put on top of them.
    given_up: GivenUpKeys,
    content_bytes_max: u64,
}

impl<D> fmt::Debug for Embedded<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("readable", &self.readable)
            .finish_non_exhaustive()
    }
}

impl<D: Database> Embedded<D> {
    /// Starts the writer of a database that was opened, and that holds these pools.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(database: D, pools: WriterPools) -> io::Result<Self> {
        let readable = Arc::new(Readable::new(pools.view()));
        let database = Arc::new(database);
        let weak = Arc::downgrade(&database);
        let writer = Writer::start(database, pools, Arc::clone(&readable))?;
        Ok(Self {
            readers: Readers::default(),
            writer,
            database: weak,
            readable,
            given_up: GivenUpKeys::default(),
            content_bytes_max: LimitName::ContentBytesMax.default_value(),
        })
    }

    /// Has the writer do something, and returns its answer; nothing when it stopped before one.
    async fn ask<T>(
        &self,
        pool: &PoolId,
        work: impl FnOnce(Reply<T>) -> Work,
    ) -> Result<T, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.queue(Job::Of(pool.clone(), work(reply))).await?;
        answer.await.map_err(|_| Unanswered::Stopped)
    }

    async fn queue(&self, job: Job) -> Result<(), Unanswered> {
        if self.writer.queue(job).await {
            Ok(())
        } else {
            Err(Unanswered::NotQueued)
        }
    }

    /// Does a read that takes long on a thread of the store.
    async fn read_long<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        op: &'static str,
        read: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let read = self.readers.run(read).await;
        read.unwrap_or_else(|| Err(corrupt(op, "the thread that read it panicked").into()))
    }

    /// Returns the database, as long as the writer has not closed it.
    fn database(&self, op: &'static str) -> Result<Arc<D>, StoreError> {
        self.database
            .upgrade()
            .ok_or_else(|| self.readable.closed(op))
    }

    /// Returns the database, and which of its rows are not shown.
    fn source(&self, op: &'static str) -> Result<(Arc<D>, &Before), StoreError> {
        Ok((self.database(op)?, &self.readable.before))
    }

    async fn own(&self, pool: &PoolId, wanted: Acquire) -> Result<FencingToken, LeaseError> {
        self.ask(pool, |reply| Work::Acquire(wanted, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("own a pool").into()))
    }

    fn unanswered(&self, op: &'static str, why: &Unanswered) -> AppendError {
        AppendError::Store {
            outcome: match why {
                Unanswered::NotQueued => CommitOutcome::None,
                Unanswered::Stopped => CommitOutcome::Unknown,
            },
            error: self.readable.closed(op),
        }
    }
}

/// The bytes up to which a page of a journal is read where it is asked for.
const SHORT_BYTES: usize = 64 * 1024;
/// The number of records behind the head up to which a page is read where it is asked for, whatever
/// its bytes may be.
const SHORT_RECORDS: u64 = 64;

/// Returns true when a page of a journal may be so large that reading it takes long.
fn is_long(view: &ReadablePool, after: Position, bytes_max: usize) -> bool {
    let head = view.head().map_or(Position::ZERO, |head| head.head);
    bytes_max > SHORT_BYTES && head.0.saturating_sub(after.0) > SHORT_RECORDS
}

/// The reason why the writer gave no answer.
enum Unanswered {
    NotQueued,
    Stopped,
}

#[async_trait]
impl<D: Database> Journal for Embedded<D> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: D::NAME,
            durability: D::DURABILITY,
            sharing: Sharing::OneProcess,
            content_bytes_max: self.content_bytes_max,
        }
    }

    async fn append(
        &self,
        pool: &PoolId,
        mut commit: Commit,
        guard: Guard,
    ) -> Result<Head, AppendError> {
        judge_contents(&commit, self.content_bytes_max)?;
        let last = commit.chunks.last().map_or(Position::ZERO, Chunk::last);
        let contents = std::mem::take(&mut commit.contents);
        let pack = (!contents.is_empty()).then(|| pack::encode(last, contents));
        let append = Append {
            commit,
            pack,
            guard,
            readable: Arc::clone(&self.readable),
        };
        self.ask(pool, |reply| Work::Append(Box::new(append), reply))
            .await
            .unwrap_or_else(|why| Err(self.unanswered("append", &why)))
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        let op = "read the journal";
        let view = self.readable.pool(op, pool)?;
        let view = view.ok_or(ReadError::NoPool)?;
        let (no, database) = (view.no, self.database(op)?);
        let page = if is_long(&view, after, bytes_max) {
            let pool = pool.clone();
            self.read_long(op, move || {
                chunks::page(database, &pool, view, after, bytes_max)
            })
            .await
        } else {
            chunks::page(database, pool, view, after, bytes_max)
        };
        page.or_else(|error| {
            // Its rows may have gone since its view was taken: then it was deleted.
            let now = self.readable.pool(op, pool)?;
            let is_same = now.is_some_and(|now| now.no == no);
            Err(if is_same { error } else { ReadError::NoPool })
        })
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let view = self.readable.pool("read the head", pool)?;
        Ok(view.and_then(|view| view.head()))
    }

    async fn timelines(&self, pool: &PoolId) -> Result<Option<Arc<Timelines>>, StoreError> {
        let view = self.readable.pool("read the timelines", pool)?;
        Ok(view
            .and_then(|view| view.journal)
            .map(|journal| journal.timelines))
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.readable.look("list pools", |view| {
            let written = view.pools.iter().filter(|(_, pool)| pool.journal.is_some());
            let mut names: Vec<_> = written.map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        })
    }

    async fn trim(
        &self,
        pool: &PoolId,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        let trim = Trim {
            frames: baseline.frames(),
            baseline: Box::new(baseline),
            token,
            readable: Arc::clone(&self.readable),
        };
        self.ask(pool, |reply| Work::Trim(trim, reply))
            .await
            .unwrap_or_else(|why| Err(self.unanswered("trim", &why)))
    }

    async fn baseline(&self, pool: &PoolId) -> Result<Option<Baseline>, StoreError> {
        let op = "read the baseline";
        let Some(view) = self.readable.pool(op, pool)? else {
            return Ok(None);
        };
        if view
            .head()
            .is_none_or(|head| head.floor <= Position::ZERO.next())
        {
            return Ok(None);
        }
        let (database, readable) = (self.database(op)?, Arc::clone(&self.readable));
        let (name, no) = (pool.clone(), view.no);
        let read = move || baseline::read(database, &readable, PoolRows { name: &name, no });
        self.read_long(op, read).await
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        self.ask(pool, |reply| Work::Delete(token, reply))
            .await
            .unwrap_or_else(|why| Err(self.unanswered("delete a pool", &why)))
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        self.readable.watch(pool, after).await
    }

    async fn closed(&self) -> StoreError {
        self.readable.until_closed().await
    }
}

#[async_trait]
impl<D: Database> Contents for Embedded<D> {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        judge_content(body.bytes.len(), self.content_bytes_max)?;
        let row = pack::encode(Position::ZERO, vec![NewContent::new(content_ref, body)]);
        let put = Put {
            content_ref,
            row,
            token,
            readable: Arc::clone(&self.readable),
        };
        self.ask(pool, |reply| Work::Put(put, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("put content")))
    }

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        let op = "get content";
        match self.readable.pool(op, pool)? {
            Some(view) => contents::content(self.source(op)?, &view, content_ref, place),
            None => Ok(None),
        }
    }

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        let op = "list contents";
        match self.readable.pool(op, pool)? {
            Some(view) => {
                let (database, readable) = (self.database(op)?, Arc::clone(&self.readable));
                self.read_long(op, move || {
                    let source = (database, &readable.before);
                    contents::list_with(source, &view, after, bytes_max)
                })
                .await
            }
            None => Ok(Vec::new()),
        }
    }

    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError> {
        let op = "list contents";
        match self.readable.pool(op, pool)? {
            Some(view) => {
                let (database, readable) = (self.database(op)?, Arc::clone(&self.readable));
                self.read_long(op, move || {
                    let source = (database, &readable.before);
                    contents::list_alone(source, &view, after, bytes_max)
                })
                .await
            }
            None => Ok(Vec::new()),
        }
    }
}

#[async_trait]
impl<D: Database> Leases for Embedded<D> {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        _: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let owner = owner.to_owned();
        let force = Force::IfFree;
        self.own(pool, Acquire { owner, now, force }).await
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        _: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let owner = owner.to_owned();
        let force = Force::Seize;
        self.own(pool, Acquire { owner, now, force }).await
    }

    async fn renew(&self, pool: &PoolId, token: FencingToken, _: Millis) -> Result<(), RenewError> {
        self.ask(pool, |reply| Work::Renew(token, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("renew a lease").into()))
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        self.ask(pool, |reply| Work::Release(token, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("release a pool")))
    }
}
