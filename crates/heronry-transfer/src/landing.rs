//! A pool that arrives at a store, part by part; nobody sees it before it is finished.

use std::collections::HashSet;

use heronry_journal::{Baseline, Chunk};
use heronry_store::{
    AppendError, Arrival, Checkpoint, Commit, CommitOutcome, ConsumerStanding, ContentPack,
    ContentPlace, Erasure, FencingToken, Guard, Head, KeyedEntry, NewContent, Store, Stored,
    StoredContent, Timeline,
};
use heronry_types::{ContentRef, Cursor, Epoch, EpochReason, PoolId, Position, Timestamp};

use super::{
    Carried, Carrier, TransferError,
    keys::LostKeys,
    source::PoolPiece,
    timeline::{TimelineStart, start_after},
};

/// The bytes of chunks from which on an append goes out.
const APPEND_BYTES: usize = 4 * 1024 * 1024;
/// The bytes of bodies from which on an append goes out. Appends of the source are put together up
/// to here and not further: whoever reads one body reads the row of its append.
const APPEND_BODY_BYTES: usize = 256 * 1024;

/// The timeline on which a pool goes on at its new place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum GoesOn {
    /// On the one that it had.
    AsBefore,
    /// On a new one.
    On(EpochReason),
}

impl GoesOn {
    /// Returns the handling of a trimmed pool without its keys: a copy is the way to go on with it.
    pub(super) fn lost_keys(self) -> LostKeys {
        match self {
            Self::On(EpochReason::Copy) => LostKeys::Free,
            Self::AsBefore
            | Self::On(
                EpochReason::Fork
                | EpochReason::Import
                | EpochReason::Restore
                | EpochReason::TailLost,
            ) => LostKeys::Refused,
        }
    }
}

/// The way in which the ownership of a pool is taken that arrives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ArrivalOwnership {
    /// The pool is nobody's.
    Free,
    /// The pool is reserved for the move that brings it.
    Reserved,
}

/// A pool that arrives.
pub(super) struct Landing<'a> {
    store: &'a Store,
    pool: PoolId,
    token: FencingToken,
    /// The head of the pool in the store.
    head: Option<Head>,
    /// The content of the next append: at least the last chunk, as the last append shows the pool.
    held: PendingAppend,
    /// The cursors of the pool's consumers. The append that shows the pool takes them along.
    consumers: Vec<ConsumerStanding>,
    /// The last trimmed record, up to which keys come along.
    trimmed: Option<Checkpoint>,
    chunks: u64,
    contents: u64,
}

#[derive(Default)]
struct PendingAppend {
    /// The state before the first chunk, for the first append.
    baseline: Option<Box<Baseline>>,
    chunks: Vec<Chunk>,
    chunk_bytes: usize,
    contents: Vec<NewContent>,
    /// Tombstones of bodies that were stored by themselves.
    erasures: Vec<Erasure>,
    content_bytes: usize,
    refs: HashSet<ContentRef>,
    /// The last position of the contents: an append must not end before.
    needed: Position,
}

impl<'a> Landing<'a> {
    /// Takes the ownership of a pool that is not at a store.
    pub(super) async fn begin(
        (store, ownership): (&'a Store, ArrivalOwnership),
        pool: &PoolId,
        carrier: &Carrier,
    ) -> Result<Self, TransferError> {
        let pool = pool.clone();
        let now = carrier.clock.now().wall;
        let leases = &store.leases;
        let owned = match ownership {
            ArrivalOwnership::Free => {
                leases
                    .acquire(&pool, &carrier.owner, now, heronry_store::LEASE_TERM)
                    .await
            }
            ArrivalOwnership::Reserved => {
                leases
                    .seize(&pool, &carrier.owner, now, heronry_store::LEASE_TERM)
                    .await
            }
        };
        let token = owned.map_err(|error| TransferError::Lease {
            pool: pool.clone(),
            error,
        })?;
        Ok(Self {
            store,
            pool,
            token,
            head: None,
            held: PendingAppend::default(),
            consumers: Vec::new(),
            trimmed: None,
            chunks: 0,
            contents: 0,
        })
    }

    /// Takes a piece.
    pub(super) async fn take(&mut self, piece: PoolPiece) -> Result<(), TransferError> {
        match piece {
            PoolPiece::Baseline(baseline) => self.take_baseline(baseline).await,
            PoolPiece::Keys(keys) => self.put_keys(keys).await,
            PoolPiece::Chunk(chunk) => self.take_chunk(chunk).await,
            PoolPiece::With(pack) => self.take_pack(pack).await,
            PoolPiece::Alone(content) => self.take_alone(content).await,
        }
    }

    /// Takes what stands for trimmed records. Keys that an earlier attempt left go.
    async fn take_baseline(&mut self, baseline: Box<Baseline>) -> Result<(), TransferError> {
        self.trimmed = Some(Checkpoint {
            epoch: baseline.epoch(),
            position: baseline.floor().previous(),
            hash: baseline.point().hash,
        });
        self.held.baseline = Some(baseline);
        self.store.keys.clear(&self.pool).await?;
        self.put_keys(Vec::new()).await
    }

    /// Puts keys of trimmed records, which are there before anybody sees the pool.
    async fn put_keys(&mut self, keys: Vec<KeyedEntry>) -> Result<(), TransferError> {
        let Some(trimmed) = self.trimmed else {
            return Ok(());
        };
        let port = &self.store.keys;
        let put = port.put_run(&self.pool, keys, trimmed, self.token);
        Ok(put.await?)
    }

    async fn take_chunk(&mut self, chunk: Chunk) -> Result<(), TransferError> {
        let bytes = self.held.chunk_bytes + chunk.bytes().len();
        if bytes > APPEND_BYTES && self.held.is_closed() {
            self.append(Arrival::Part).await?;
        }
        self.held.chunk_bytes += chunk.bytes().len();
        self.held.chunks.push(chunk);
        self.chunks += 1;
        Ok(())
    }

    async fn take_pack(&mut self, pack: ContentPack) -> Result<(), TransferError> {
        let sizes = pack
            .contents
            .iter()
            .map(|content| content.stored.stored_bytes());
        let bytes: usize = sizes.sum();
        let repeats = pack
            .contents
            .iter()
            .any(|content| self.held.refs.contains(&content.content_ref));
        let is_full = self.held.content_bytes + bytes > APPEND_BODY_BYTES;
        if (repeats || is_full) && self.held.is_closed() {
            self.append(Arrival::Part).await?;
        }
        self.contents += pack.contents.len() as u64;
        self.held.content_bytes += bytes;
        self.held.needed = self.held.needed.max(pack.last);
        let refs = pack.contents.iter().map(|content| content.content_ref);
        self.held.refs.extend(refs);
        self.held.contents.extend(pack.contents);
        Ok(())
    }

    async fn take_alone(&mut self, content: NewContent) -> Result<(), TransferError> {
        let content_ref = content.content_ref;
        match content.stored {
            Stored::Kept(StoredContent { body, .. }) => {
                let contents = &self.store.contents;
                let put = contents.put(&self.pool, content_ref, body, self.token);
                put.await?;
            }
            Stored::Erased(tombstone) => self.held.erasures.push(Erasure {
                content_ref,
                place: ContentPlace::Alone,
                tombstone,
            }),
        }
        self.contents += 1;
        Ok(())
    }

    /// Takes where the consumers of the pool stand.
    pub(super) fn take_consumers(&mut self, consumers: impl IntoIterator<Item = ConsumerStanding>) {
        self.consumers.extend(consumers);
    }

    /// Appends what is held but for the last chunks, so that several pools can wait for their end.
    pub(super) async fn settle(&mut self) -> Result<(), TransferError> {
        if self.held.contents.is_empty()
            && self.held.chunks.len() > 1
            && let Some(last) = self.held.chunks.pop()
        {
            self.append(Arrival::Part).await?;
            self.held.chunk_bytes = last.bytes().len();
            self.held.chunks.push(last);
        }
        Ok(())
    }

    /// Appends the rest, and with that shows the pool.
    pub(super) async fn finish(
        &mut self,
        goes_on: GoesOn,
        carrier: &Carrier,
    ) -> Result<Carried, TransferError> {
        if let GoesOn::On(reason) = goes_on {
            let epoch = Epoch(carrier.ids.draw());
            let start = self.start(reason, epoch, carrier.clock.now().wall)?;
            self.held.chunks.push(start);
        }
        self.append(Arrival::Whole).await?;
        let head = self.head.map(|head| Cursor::new(head.epoch, head.head));
        Ok(Carried {
            pool: self.pool.clone(),
            head: head.unwrap_or_else(|| Cursor::new(Epoch::default(), Position::ZERO)),
            chunks: self.chunks,
            contents: self.contents,
        })
    }

    /// Makes the chunk whose one record starts a timeline after what is held.
    fn start(
        &self,
        reason: EpochReason,
        epoch: Epoch,
        now: Timestamp,
    ) -> Result<Chunk, TransferError> {
        let Some(last) = self.held.chunks.last() else {
            let pool = self.pool.clone();
            return Err(TransferError::NoPool { pool });
        };
        let start = TimelineStart {
            reason,
            epoch,
            lost: None,
        };
        Ok(start_after(last, &self.pool, start, now)?)
    }

    async fn append(&mut self, arrival: Arrival) -> Result<(), TransferError> {
        let held = std::mem::take(&mut self.held);
        let consumers = match arrival {
            Arrival::Part => Vec::new(),
            Arrival::Whole => std::mem::take(&mut self.consumers),
        };
        let epoch = self.head.map(|head| head.epoch);
        let commit = Commit {
            timeline: held.timeline(epoch),
            chunks: held.chunks,
            contents: held.contents,
            erasures: held.erasures,
            consumers,
            arrival,
            baseline: held.baseline,
        };
        let guard = Guard {
            expected_head: self.head.map_or(Position::ZERO, |head| head.head),
            token: self.token,
        };
        let appended = self.store.journal.append(&self.pool, commit, guard).await;
        self.head = Some(appended.map_err(|error| TransferError::Append {
            pool: self.pool.clone(),
            error,
        })?);
        Ok(())
    }

    /// Gives the pool up.
    pub(super) async fn release(self) -> Result<(), TransferError> {
        let leases = &self.store.leases;
        Ok(leases.release(&self.pool, self.token).await?)
    }
}

impl PendingAppend {
    /// Returns true when an append may end after the last chunk.
    fn is_closed(&self) -> bool {
        self.chunks
            .last()
            .is_some_and(|last| last.last() >= self.needed)
    }

    /// Says whether a timeline starts, when the chunks follow one of this epoch.
    fn timeline(&self, before: Option<Epoch>) -> Timeline {
        let mut epochs = self.chunks.iter().map(|chunk| chunk.header().epoch);
        let trimmed = self.baseline.as_ref().map(|baseline| baseline.epoch());
        let before = before.or(trimmed).or_else(|| epochs.next());
        if epochs.any(|epoch| Some(epoch) != before) {
            Timeline::Starts
        } else {
            Timeline::Continues
        }
    }
}

/// Returns whether it is known that a part was not taken.
pub(super) fn was_not_taken(error: &TransferError) -> bool {
    let TransferError::Append { error, .. } = error else {
        return true;
    };
    let is_unknown = matches!(
        error,
        AppendError::Store {
            outcome: CommitOutcome::Unknown,
            ..
        }
    );
    !is_unknown
}
