//! Where a fold of a journal begins: at the latest snapshot, at the baseline, or at the first record.

use heronry_journal::{Chain, Chunk, ChunkError};
use heronry_pool::{
    ENCODING_VERSION, Minter,
    engine::{Replay, UnreadableImage},
};
use heronry_store::{Head, Snapshot, Store};
use heronry_types::{Epoch, PoolId, Position};

use crate::OpenError;

/// The most bytes of the journal in one read, beside a first chunk.
pub(crate) const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A journal that is folded up to a point, with the chain of its chunks there.
pub(crate) struct FoldedTo {
    pub(crate) replay: Replay,
    pub(crate) chain: Chain,
}

/// A journal to fold.
pub(crate) struct Folding<'a> {
    pub(crate) store: &'a Store,
    pub(crate) pool: &'a PoolId,
    pub(crate) minter: &'a Minter,
    pub(crate) head: Head,
}

impl Folding<'_> {
    /// Returns the latest state that is kept of a point at or before `until`.
    pub(crate) async fn begin(&self, until: Position) -> Result<FoldedTo, OpenError> {
        let mut begun = match self.on_snapshot(until).await {
            Some(mut begun) => {
                if begun.replay.state().floor() < self.head.floor {
                    let baseline = self.on_baseline().await?;
                    begun.replay.take_over_trims(&baseline.replay);
                }
                begun
            }
            None if self.head.floor > Position::ZERO.next() => self.on_baseline().await?,
            None => self.on_nothing().await?,
        };
        begun.replay.set_floor(self.head.floor);
        Ok(begun)
    }

    /// A snapshot that cannot be used is as one that is not there: the journal has everything.
    async fn on_snapshot(&self, until: Position) -> Option<FoldedTo> {
        let pool = self.pool;
        let snapshot = match self.store.snapshots.latest(pool).await {
            Ok(snapshot) => snapshot?,
            Err(error) => {
                tracing::warn!(%pool, %error, "snapshot cannot be read, the journal is folded instead");
                return None;
            }
        };
        let Snapshot { version, at, bytes } = snapshot;
        if at.position > until || at.position < self.head.floor.previous() {
            return None;
        }
        if version != ENCODING_VERSION {
            let known = ENCODING_VERSION;
            tracing::warn!(%pool, version, known, "snapshot is of another version, the journal is folded instead");
            return None;
        }
        let replay = self.replay_of(&bytes).map_err(Some);
        let replay = replay.and_then(|replay| {
            let state = replay.state();
            let is_it = state.pool() == pool && state.head() == at.position;
            // One that was taken when a trim was not made goes by a floor that is none.
            let is_it = is_it && state.floor() <= self.head.floor;
            if is_it && state.epoch() == at.epoch {
                Ok(replay)
            } else {
                Err(None)
            }
        });
        match replay {
            Ok(replay) => Some(FoldedTo {
                replay,
                chain: Chain::after(at.epoch, at.position, at.hash),
            }),
            Err(error) => {
                let error = error.map(|error| error.to_string());
                let error = error.unwrap_or_else(|| "it is of another point".to_owned());
                tracing::warn!(%pool, error, "snapshot is damaged, the journal is folded instead");
                None
            }
        }
    }

    async fn on_baseline(&self) -> Result<FoldedTo, OpenError> {
        let floor = self.head.floor;
        let baseline = self.store.journal.baseline(self.pool).await?;
        let baseline = baseline.ok_or(OpenError::Trimmed { floor })?;
        let at = floor.previous();
        if baseline.version() > ENCODING_VERSION {
            let what = format!("the baseline has version {}", baseline.version());
            let source = what.into();
            return Err(OpenError::Newer { at, source });
        }
        let chain = Chain::after(baseline.epoch(), at, baseline.point().hash);
        let replay = self.replay_of(baseline.state()).map_err(|error| {
            let is_newer = error.is_newer();
            let source = Box::new(error);
            if is_newer {
                OpenError::Newer { at, source }
            } else {
                OpenError::Damaged { at, source }
            }
        })?;
        let state = replay.state();
        if baseline.floor() != floor || state.pool() != self.pool || state.head() != at {
            let source = "the baseline is of another point".into();
            return Err(OpenError::Damaged { at, source });
        }
        Ok(FoldedTo { replay, chain })
    }

    async fn on_nothing(&self) -> Result<FoldedTo, OpenError> {
        let first = self
            .store
            .journal
            .read(self.pool, Position::ZERO, 1)
            .await?;
        let first = first.chunks.first().map(|chunk| chunk.header().epoch);
        let first = first.unwrap_or(self.head.epoch);
        Ok(FoldedTo {
            replay: self.replay_from(first),
            chain: Chain::start(),
        })
    }

    fn replay_from(&self, first: Epoch) -> Replay {
        let durability = self.store.journal.capabilities().durability;
        Replay::new(self.pool.clone(), first, self.minter.clone(), durability)
    }

    fn replay_of(&self, image: &[u8]) -> Result<Replay, UnreadableImage> {
        let durability = self.store.journal.capabilities().durability;
        Replay::from_image(image, self.minter.clone(), durability)
    }
}

impl FoldedTo {
    /// Takes in the next chunk.
    pub(crate) fn push(&mut self, chunk: &Chunk) -> Result<(), OpenError> {
        self.chain.push(chunk).map_err(|error| OpenError::Damaged {
            at: chunk.first(),
            source: Box::new(error),
        })?;
        for record in chunk.records() {
            let record = record.map_err(|error| damaged(chunk, error))?;
            self.replay.record(&record).map_err(Box::new)?;
        }
        self.replay.forget_finished(chunk.last());
        Ok(())
    }
}

pub(crate) fn damaged(chunk: &Chunk, error: ChunkError) -> OpenError {
    let at = error.position().unwrap_or_else(|| chunk.first());
    let newer = error.is_newer();
    let source = Box::new(error);
    if newer {
        OpenError::Newer { at, source }
    } else {
        OpenError::Damaged { at, source }
    }
}
