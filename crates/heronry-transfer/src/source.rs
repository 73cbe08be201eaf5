//! Reading a pool of a store from end to end, piece by piece.

use std::collections::VecDeque;

use heronry_journal::{Baseline, Chunk};
use heronry_store::{ContentPack, Head, KeyedEntry, NewContent, ReadError, Store};
use heronry_types::{ContentRef, PoolId, Position};

use super::{
    Bodies, Pools, TransferError,
    keys::{LostKeys, TrimmedKeys, check_keys},
    path::ChunkOrder,
};

/// The most bytes of a journal or of contents in one read.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A piece of a pool. The contents that ride with an append come before its first chunk, those
/// that were stored by themselves after the last. Contents that rode with appends whose chunks were trimmed
/// come by themselves: a reader that does not find a body with its message looks for it there.
#[derive(Debug)]
pub(super) enum PoolPiece {
    /// It stands for the records before the first chunk, and comes before everything else.
    Baseline(Box<Baseline>),
    /// Keys of the records that the baseline stands for. They follow it at once.
    Keys(Vec<KeyedEntry>),
    Chunk(Chunk),
    With(ContentPack),
    Alone(NewContent),
}

/// A pool of a store, up to the head that it had when reading began.
pub(super) struct Source {
    store: Store,
    pool: PoolId,
    path: ChunkOrder,
    head: Head,
    floor: Position,
    baseline: Option<Box<Baseline>>,
    keys: TrimmedKeys,
    /// Contents of an append that began before the floor.
    early: VecDeque<NewContent>,
    after: Position,
    chunks: VecDeque<Chunk>,
    packs: More<ContentPack, Position>,
    alone: More<NewContent, Option<ContentRef>>,
}

/// A list that is read page by page.
struct More<T, C> {
    page: VecDeque<T>,
    /// The key after which the next page begins; `None` after the last page.
    after: Option<C>,
}

impl<T, C> More<T, C> {
    fn of(after: C, bodies: Bodies) -> Self {
        Self {
            page: VecDeque::new(),
            after: match bodies {
                Bodies::Included => Some(after),
                Bodies::LeftOut => None,
            },
        }
    }

    fn fill(&mut self, page: Vec<T>, place: impl FnOnce(&T) -> C) {
        self.after = page.last().map(place);
        self.page = page.into();
    }
}

/// Returns the pools that were asked for, sorted.
pub(super) async fn named(store: &Store, pools: &Pools) -> Result<Vec<PoolId>, TransferError> {
    let all = store.journal.pools().await?;
    match pools {
        Pools::All => Ok(all),
        Pools::One(pool) if all.contains(pool) => Ok(vec![pool.clone()]),
        Pools::One(pool) => Err(TransferError::NoPool { pool: pool.clone() }),
    }
}

impl Source {
    /// Begins to read a pool.
    pub(super) async fn open(
        store: &Store,
        pool: &PoolId,
        bodies: Bodies,
        lost: LostKeys,
    ) -> Result<Self, TransferError> {
        let pool = pool.clone();
        let (baseline, head) = begin(store, &pool).await?;
        let floor = head.floor;
        if baseline.is_some() && lost == LostKeys::Refused {
            check_keys(store, &pool, floor).await?;
        }
        let path = match &baseline {
            None => ChunkOrder::of(pool.clone()),
            Some(baseline) => ChunkOrder::after(pool.clone(), baseline),
        };
        Ok(Self {
            store: store.clone(),
            path,
            pool,
            head,
            floor,
            after: floor.previous(),
            baseline: baseline.map(Box::new),
            keys: TrimmedKeys::before(floor),
            early: VecDeque::new(),
            chunks: VecDeque::new(),
            packs: More::of(Position::ZERO, bodies),
            alone: More::of(None, bodies),
        })
    }

    /// Returns the head up to which it reads.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Returns true when records at the start are trimmed.
    pub(super) fn is_trimmed(&self) -> bool {
        self.floor > Position::ZERO.next()
    }

    /// Returns the next piece, checked; nothing after the last.
    pub(super) async fn next(&mut self) -> Result<Option<PoolPiece>, TransferError> {
        if let Some(baseline) = self.baseline.take() {
            return Ok(Some(PoolPiece::Baseline(baseline)));
        }
        if let Some(keys) = self.keys.next(&self.store, &self.pool).await? {
            return Ok(Some(PoolPiece::Keys(keys)));
        }
        if let Some(content) = self.early.pop_front() {
            return Ok(Some(PoolPiece::Alone(content)));
        }
        if self.chunks.is_empty() && self.after < self.head.head {
            self.read_chunks().await?;
        }
        let Some(first) = self.chunks.front().map(Chunk::first) else {
            return Ok(self.next_alone().await?.map(PoolPiece::Alone));
        };
        if let Some(pack) = self.next_pack(first).await? {
            if pack.first >= self.floor {
                return Ok(Some(PoolPiece::With(pack)));
            }
            self.early = pack.contents.into();
            if let Some(content) = self.early.pop_front() {
                return Ok(Some(PoolPiece::Alone(content)));
            }
        }
        let Some(chunk) = self.chunks.pop_front() else {
            return Ok(None);
        };
        self.path.push(&chunk)?;
        Ok(Some(PoolPiece::Chunk(chunk)))
    }

    async fn read_chunks(&mut self) -> Result<(), TransferError> {
        let journal = &self.store.journal;
        let page = journal.read(&self.pool, self.after, PAGE_BYTES).await;
        let page = page.map_err(|error| unread(&self.pool, error))?;
        let chunks = page.chunks.into_iter();
        self.chunks = chunks
            .filter(|chunk| chunk.first() > self.after && chunk.last() <= self.head.head)
            .collect();
        self.after = self.chunks.back().map_or(self.head.head, Chunk::last);
        Ok(())
    }

    /// Returns the contents of an append that begins at or before a position, if there are any left.
    async fn next_pack(&mut self, first: Position) -> Result<Option<ContentPack>, TransferError> {
        if self.packs.page.is_empty()
            && let Some(after) = self.packs.after
        {
            let contents = &self.store.contents;
            let page = contents.list_with(&self.pool, after, PAGE_BYTES).await;
            let page = page.map_err(|error| unread(&self.pool, error))?;
            self.packs.fill(page, |pack| pack.first);
        }
        let page = &mut self.packs.page;
        if page.front().is_some_and(|pack| pack.first <= first) {
            return Ok(page.pop_front());
        }
        Ok(None)
    }

    async fn next_alone(&mut self) -> Result<Option<NewContent>, TransferError> {
        if self.alone.page.is_empty()
            && let Some(after) = self.alone.after
        {
            let contents = &self.store.contents;
            let page = contents.list_alone(&self.pool, after, PAGE_BYTES).await;
            let page = page.map_err(|error| unread(&self.pool, error))?;
            self.alone.fill(page, |content| Some(content.content_ref));
        }
        Ok(self.alone.page.pop_front())
    }
}

/// Returns what stands for the records before the floor, and the head, as they were at one moment.
async fn begin(store: &Store, pool: &PoolId) -> Result<(Option<Baseline>, Head), TransferError> {
    loop {
        let baseline = store.journal.baseline(pool).await?;
        let Some(head) = store.journal.head(pool).await? else {
            return Err(TransferError::NoPool { pool: pool.clone() });
        };
        let floor = baseline
            .as_ref()
            .map_or(Position::ZERO.next(), Baseline::floor);
        if head.floor == floor {
            return Ok((baseline, head));
        }
        // It was trimmed in between, or by a build that kept nothing for what it dropped.
        if baseline.is_none() && store.journal.baseline(pool).await?.is_none() {
            return Err(TransferError::Trimmed {
                pool: pool.clone(),
                floor: head.floor,
            });
        }
    }
}

fn unread(pool: &PoolId, error: impl Into<ReadError>) -> TransferError {
    TransferError::Read {
        pool: pool.clone(),
        error: error.into(),
    }
}
