//! The fold of a journal, on a thread of its own.

use std::{panic::resume_unwind, sync::Arc};

use heronry_journal::{Chain, Chunk, ChunkError, ChunkHash, Record};
use heronry_pool::{Engine, engine::Replay};
use heronry_store::{Checkpoint, FencingToken, Head, Store, stands_on};
use heronry_types::{Epoch, PoolId, Position};
use tokio::{runtime::Handle, sync::oneshot, task::spawn_blocking};

use crate::{OpenError, openings::OpeningProgress, runtime::Environment};

/// The most bytes of the journal in one read, beside a first chunk.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The number of keys in memory from which on they go to the store.
const KEYS_RUN: usize = 8_192;

/// A journal as it was folded.
pub(super) struct Folded {
    pub(super) engine: Engine,
    pub(super) head: Position,
    pub(super) last_hash: ChunkHash,
}

/// Folds a journal on a thread of its own, so that no async worker is held up by reads and rules. A
/// fold that nobody waits for any more ends with its page.
///
/// # Panics
/// The call panics when a rule panics.
pub(super) async fn fold_aside(
    environment: &Arc<Environment>,
    pool: &PoolId,
    token: FencingToken,
) -> Result<Folded, OpenError> {
    let _permit = environment.openings.permit().await;
    let (environment, pool) = (Arc::clone(environment), pool.clone());
    let (mut reply, folded) = oneshot::channel();
    let handle = Handle::current();
    let folding = spawn_blocking(move || {
        let folded = handle.block_on(async {
            tokio::select! {
                biased;
                () = reply.closed() => None,
                folded = fold(&environment, &pool, token) => Some(folded),
            }
        });
        if let Some(folded) = folded {
            // Nobody may wait for it any more.
            let _ = reply.send(folded);
        }
    });
    match folded.await {
        Ok(folded) => folded,
        Err(gone) => match folding.await {
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Ok(()) | Err(_) => resume_unwind(Box::new(gone)),
        },
    }
}

async fn fold(
    environment: &Environment,
    pool: &PoolId,
    token: FencingToken,
) -> Result<Folded, OpenError> {
    let store = &environment.store;
    let durability = store.journal.capabilities().durability;
    let minter = environment.minter.clone();
    let Some(head) = store.journal.head(pool).await? else {
        let epoch = Epoch(environment.ids.draw());
        let replay = Replay::new(pool.clone(), epoch, minter, durability)
            .keeping_finished(environment.finished_kept)
            .matching_in_slices_of(environment.matching_slice);
        return Ok(Folded {
            engine: replay.finish(),
            head: Position::ZERO,
            last_hash: ChunkHash::START,
        });
    };
    if head.floor > Position::ZERO.next() {
        return Err(OpenError::Trimmed { floor: head.floor });
    }
    let first = store.journal.read(pool, Position::ZERO, 1).await?;
    let first = first.chunks.first().map(|chunk| chunk.header().epoch);
    let first = first.unwrap_or(head.epoch);
    let replay = Replay::new(pool.clone(), first, minter, durability)
        .keeping_finished(environment.finished_kept)
        .matching_in_slices_of(environment.matching_slice);
    let mut fold = Fold {
        progress: environment.openings.begin(pool, &environment.clock),
        store,
        pool,
        token,
        replay,
        chain: Chain::start(),
    };
    fold.start_from_kept_keys().await?;
    fold.replay(head).await?;
    let last_hash = fold.chain.hash();
    Ok(Folded {
        engine: fold.replay.finish(),
        head: head.head,
        last_hash,
    })
}

struct Fold<'a> {
    progress: OpeningProgress,
    store: &'a Store,
    pool: &'a PoolId,
    token: FencingToken,
    replay: Replay,
    chain: Chain,
}

impl Fold<'_> {
    /// Leaves out keys that the store has of this journal; what it has of another goes.
    async fn start_from_kept_keys(&mut self) -> Result<(), OpenError> {
        let (keys, journal) = (&self.store.keys, &*self.store.journal);
        if let Some(at) = keys.checkpoint(self.pool).await?
            && stands_on(journal, self.pool, at).await?
        {
            self.replay.set_keys_kept(at.position);
            return Ok(());
        }
        keys.clear(self.pool).await?;
        Ok(())
    }

    async fn replay(&mut self, head: Head) -> Result<(), OpenError> {
        let mut after = Position::ZERO;
        while after < head.head {
            let page = self
                .store
                .journal
                .read(self.pool, after, PAGE_BYTES)
                .await?;
            for chunk in &page.chunks {
                self.replay_chunk(chunk)?;
                after = chunk.last();
            }
            self.flush_keys().await?;
            self.progress.reach(after, head.head);
            // Whoever opens the pool may have given up.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn replay_chunk(&mut self, chunk: &Chunk) -> Result<(), OpenError> {
        self.chain.push(chunk).map_err(|error| OpenError::Damaged {
            at: chunk.first(),
            source: Box::new(error),
        })?;
        for record in chunk.records() {
            let record: Record = record.map_err(|error| damaged(chunk, error))?;
            self.replay.record(&record).map_err(Box::new)?;
        }
        self.replay.forget_finished(chunk.last());
        Ok(())
    }

    async fn flush_keys(&mut self) -> Result<(), OpenError> {
        if self.replay.recent().len() < KEYS_RUN {
            return Ok(());
        }
        let checkpoint = Checkpoint {
            epoch: self.replay.state().epoch(),
            position: self.chain.position(),
            hash: self.chain.hash(),
        };
        let run = self.replay.hand_over_keys(checkpoint.position);
        self.store
            .keys
            .put_run(self.pool, run, checkpoint, self.token)
            .await?;
        self.replay.keys_kept();
        Ok(())
    }
}

fn damaged(chunk: &Chunk, error: ChunkError) -> OpenError {
    let at = error.position().unwrap_or_else(|| chunk.first());
    let newer = error.is_newer();
    let source = Box::new(error);
    if newer {
        OpenError::Newer { at, source }
    } else {
        OpenError::Damaged { at, source }
    }
}
