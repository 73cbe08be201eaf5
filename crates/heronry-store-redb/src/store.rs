//! The store, and its ports.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use futures::channel::oneshot;
use heronry_journal::Chunk;
use heronry_store::{
    AppendError, Capabilities, Checkpoint, ClaimEntry, ClaimKey, Claims, Commit, ContentPlace,
    Contents, FencingToken, Guard, Head, Journal, LeaseError, Leases, MemoryClaims, NewContent,
    Outcome, Page, ReadError, StoreError, StoreErrorKind, StoredContent, judge_content,
    judge_contents,
};
use heronry_types::{Body, ContentRef, Durability, LimitName, PoolId, Position, Timestamp};
use redb::Database;

use crate::{
    DiskHook,
    failure::failed_io,
    job::{Append, Claim, Force, Job, Put, Reply, Trim, Work},
    open::{self, Hook},
    pack,
    place::Place,
    readable::Readable,
    reader,
    writer::Writer,
};

/// A store in one file.
///
/// Dropping it waits for the commit that is under way and frees the file.
#[derive(Debug)]
pub struct RedbStore {
    /// Owns the file, and closes it when it ends.
    writer: Writer,
    database: Weak<Database>,
    readable: Arc<Readable>,
    claims: MemoryClaims,
    content_bytes_max: u64,
}

impl RedbStore {
    /// Creates an empty store in a new file, and opens it. Directories above it are made.
    ///
    /// A crash leaves no store or an empty one; a file that is there already is left as it is.
    ///
    /// # Errors
    /// [`StoreErrorKind::Locked`] while another process creates it, [`StoreErrorKind::Io`] when
    /// something is there already, and the file system's other failures.
    pub fn create(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let place = Place::new(file);
        open::create(&place, &None)?;
        Self::open_place(&place, &None)
    }

    /// Opens a store that is there.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`], [`Locked`](StoreErrorKind::Locked),
    /// [`NotAStore`](StoreErrorKind::NotAStore), [`NewerSchema`](StoreErrorKind::NewerSchema) with
    /// not a byte written, [`Corrupt`](StoreErrorKind::Corrupt),
    /// [`ReadOnly`](StoreErrorKind::ReadOnly).
    pub fn open(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_place(&Place::new(file), &None)
    }

    /// Opens the store, or creates it when nothing is there.
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`create`](Self::create).
    pub fn open_or_create(file: impl Into<PathBuf>) -> Result<Self, StoreError> {
        Self::open_or_create_place(&Place::new(file), &None)
    }

    /// Opens or creates a store whose file a [`DiskHook`] watches, for fault tests.
    ///
    /// # Errors
    /// As [`open_or_create`](Self::open_or_create).
    pub fn open_or_create_watched(
        file: impl Into<PathBuf>,
        hook: Arc<dyn DiskHook>,
    ) -> Result<Self, StoreError> {
        Self::open_or_create_place(&Place::new(file), &Some(hook))
    }

    fn open_or_create_place(place: &Place, hook: &Hook) -> Result<Self, StoreError> {
        match std::fs::exists(place.path()) {
            Ok(false) => open::create(place, hook)?,
            Ok(true) => {}
            Err(error) => return Err(place.failed("open the store", error)),
        }
        Self::open_place(place, hook)
    }

    fn open_place(place: &Place, hook: &Hook) -> Result<Self, StoreError> {
        let (database, pools) = open::open(place, hook)?;
        let views = pools.iter().map(|(name, pool)| (name.clone(), pool.view()));
        let readable = Arc::new(Readable::new(views.collect()));
        let database = Arc::new(database);
        let weak = Arc::downgrade(&database);
        let writer = Writer::start(database, pools, Arc::clone(&readable))
            .map_err(|error| failed_io("open the store", "the writer thread", error))?;
        Ok(Self {
            writer,
            database: weak,
            readable,
            claims: MemoryClaims::new(),
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
        let pool = pool.clone();
        let work = work(reply);
        if !self.writer.queue(Job { pool, work }).await {
            return Err(Unanswered::NotQueued);
        }
        answer.await.map_err(|_| Unanswered::Stopped)
    }

    /// Returns the file, as long as the writer has not closed it.
    fn file(&self, op: &'static str) -> Result<Arc<Database>, StoreError> {
        self.database
            .upgrade()
            .ok_or_else(|| self.readable.closed(op))
    }

    async fn claim(&self, pool: &PoolId, claim: Claim) -> Result<FencingToken, LeaseError> {
        self.ask(pool, |reply| Work::Claim(claim, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("own a pool").into()))
    }

    fn unanswered(&self, op: &'static str, why: &Unanswered) -> AppendError {
        AppendError::Store {
            outcome: match why {
                Unanswered::NotQueued => Outcome::None,
                Unanswered::Stopped => Outcome::Unknown,
            },
            error: self.readable.closed(op),
        }
    }
}

/// Why the writer gave no answer.
enum Unanswered {
    NotQueued,
    Stopped,
}

#[async_trait]
impl Journal for RedbStore {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "redb",
            durability: Durability::Fsync,
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
        };
        self.ask(pool, |reply| Work::Append(append, reply))
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
        reader::page(self.file(op)?, pool, view, after, bytes_max)
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let view = self.readable.pool("read the head", pool)?;
        Ok(view.and_then(|view| view.head))
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        self.readable.look("list pools", |pools| {
            let written = pools.iter().filter(|(_, view)| view.head.is_some());
            let mut names: Vec<_> = written.map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        })
    }

    async fn trim(
        &self,
        pool: &PoolId,
        before: Position,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        self.ask(pool, |reply| Work::Trim(Trim { before, token }, reply))
            .await
            .unwrap_or_else(|why| Err(self.unanswered("trim", &why)))
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        self.readable.watch(pool, after).await
    }
}

#[async_trait]
impl Contents for RedbStore {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        judge_content(body.bytes.len(), self.content_bytes_max)?;
        let row = pack::encode(Position::ZERO, vec![NewContent { content_ref, body }]);
        let put = Put {
            content_ref,
            row,
            token,
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
    ) -> Result<Option<StoredContent>, StoreError> {
        let op = "get content";
        match self.readable.pool(op, pool)? {
            Some(view) => reader::content(self.file(op)?, view.no, content_ref, place),
            None => Ok(None),
        }
    }
}

#[async_trait]
impl Leases for RedbStore {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let owner = owner.to_owned();
        let force = Force::IfFree;
        self.claim(pool, Claim { owner, now, force }).await
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError> {
        let owner = owner.to_owned();
        let force = Force::Seize;
        self.claim(pool, Claim { owner, now, force }).await
    }

    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError> {
        self.ask(pool, |reply| Work::Release(token, reply))
            .await
            .unwrap_or_else(|_| Err(self.readable.closed("release a pool")))
    }
}

#[async_trait]
impl Claims for RedbStore {
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<(ClaimKey, ClaimEntry)>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        let op = "put claims";
        let view = self.readable.pool(op, pool)?;
        if view.is_none_or(|view| view.token != token) {
            let detail = "ownership of the pool was lost";
            return Err(StoreError::new(StoreErrorKind::Closed, op, detail));
        }
        self.claims.put_run(pool, run, checkpoint)
    }

    async fn find(
        &self,
        pool: &PoolId,
        keys: &[ClaimKey],
    ) -> Result<Vec<Option<ClaimEntry>>, StoreError> {
        self.claims.find(pool, keys)
    }

    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError> {
        self.claims.checkpoint(pool)
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        self.claims.clear(pool)
    }
}
