//! The fold of a journal, on a thread of its own.

use std::{panic::resume_unwind, sync::Arc};

use heronry_journal::{Chunk, ChunkHash};
use heronry_pool::{Engine, engine::Replay};
use heronry_store::{Checkpoint, FencingToken, Head, Store, stands_on};
use heronry_types::{Epoch, PoolId, Position};
use tokio::{runtime::Handle, sync::oneshot, task::spawn_blocking};

use crate::{
    OpenError,
    folding::{FoldedTo, Folding, PAGE_BYTES, damaged},
    openings::OpeningProgress,
    runtime::Environment,
};

/// The number of keys in memory from which on they go to the store.
const KEYS_RUN: usize = 8_192;

/// A journal as it was folded.
pub(super) struct Folded {
    pub(super) engine: Engine,
    pub(super) head: Position,
    pub(super) last_hash: ChunkHash,
    /// The point where the fold began: of a snapshot, of the baseline, or before the first record.
    pub(super) begun: Position,
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
        // Whoever takes it may close the pool and open the store anew at once.
        drop((environment, pool));
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
        // What began to arrive under this name, and came to nothing, may have left keys.
        store.keys.clear(pool).await?;
        let epoch = Epoch(environment.ids.draw());
        let replay = Replay::new(pool.clone(), epoch, minter, durability)
            .keeping_finished(environment.finished_kept)
            .matching_in_slices_of(environment.matching_slice);
        return Ok(Folded {
            engine: replay.finish(),
            head: Position::ZERO,
            last_hash: ChunkHash::START,
            begun: Position::ZERO,
        });
    };
    let folding = Folding {
        store,
        pool,
        minter: &environment.minter,
        head,
    };
    let FoldedTo { replay, chain } = folding.begin(head.head).await?;
    let replay = replay
        .keeping_finished(environment.finished_kept)
        .matching_in_slices_of(environment.matching_slice);
    let begun = chain.position();
    let mut fold = Fold {
        progress: environment.openings.begin(pool, &environment.clock),
        store,
        pool,
        token,
        to: FoldedTo { replay, chain },
    };
    fold.start_from_kept_keys(head).await?;
    fold.replay(head).await?;
    let FoldedTo { replay, chain } = fold.to;
    Ok(Folded {
        engine: replay.finish(),
        head: head.head,
        last_hash: chain.hash(),
        begun,
    })
}

struct Fold<'a> {
    progress: OpeningProgress,
    store: &'a Store,
    pool: &'a PoolId,
    token: FencingToken,
    to: FoldedTo,
}

impl Fold<'_> {
    /// Leaves out keys that the store has of this journal; what it has of another goes, unless records whose
    /// keys are nowhere else are gone.
    ///
    /// The fold may begin at a state that has taken in records whose keys the store does not have: those
    /// records are read for their keys.
    async fn start_from_kept_keys(&mut self, head: Head) -> Result<(), OpenError> {
        let (keys, journal) = (&self.store.keys, &*self.store.journal);
        let kept = match keys.checkpoint(self.pool).await? {
            Some(at) if stands_on(journal, self.pool, at).await? => at.position,
            // A trim goes past no record whose keys the store does not have.
            Some(_) | None if head.floor > Position::ZERO.next() => {
                return Err(OpenError::KeysLost { floor: head.floor });
            }
            Some(_) | None => {
                keys.clear(self.pool).await?;
                Position::ZERO
            }
        };
        self.to.replay.set_keys_kept(kept);
        let begun = self.to.chain.position();
        let mut after = kept;
        while after < begun {
            let page = self
                .store
                .journal
                .read(self.pool, after, PAGE_BYTES)
                .await?;
            for chunk in page.chunks.iter().take_while(|it| it.first() <= begun) {
                self.note_keys(chunk, after)?;
                after = chunk.last();
                let header = chunk.header();
                let at = Checkpoint {
                    epoch: header.epoch,
                    position: chunk.last(),
                    hash: chunk.hash(),
                };
                self.flush_keys(at).await?;
            }
        }
        Ok(())
    }

    async fn replay(&mut self, head: Head) -> Result<(), OpenError> {
        let mut after = self.to.chain.position();
        while after < head.head {
            let page = self
                .store
                .journal
                .read(self.pool, after, PAGE_BYTES)
                .await?;
            for chunk in &page.chunks {
                self.to.push(chunk)?;
                after = chunk.last();
            }
            self.flush_keys(self.point()).await?;
            self.progress.reach(after, head.head);
            // Whoever opens the pool may have given up.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn note_keys(&mut self, chunk: &Chunk, after: Position) -> Result<(), OpenError> {
        for record in chunk.records_after(after) {
            let record = record.map_err(|error| damaged(chunk, error))?;
            self.to.replay.note_keys(&record);
        }
        Ok(())
    }

    fn point(&self) -> Checkpoint {
        Checkpoint {
            epoch: self.to.replay.state().epoch(),
            position: self.to.chain.position(),
            hash: self.to.chain.hash(),
        }
    }

    async fn flush_keys(&mut self, checkpoint: Checkpoint) -> Result<(), OpenError> {
        let replay = &mut self.to.replay;
        // The chunk may end within a batch, whose end has a key as well.
        if replay.recent().len() < KEYS_RUN || replay.recent().goes_past(checkpoint.position) {
            return Ok(());
        }
        let run = replay.hand_over_keys(checkpoint.position);
        self.store
            .keys
            .put_run(self.pool, run, checkpoint, self.token)
            .await?;
        replay.keys_kept();
        Ok(())
    }
}
