//! Opening a pool: ownership first, then the fold of its journal.

use std::{collections::VecDeque, sync::Arc};

use heronry_journal::{Chain, Chunk, ChunkError, ChunkHash, Record};
use heronry_pool::{Engine, engine::Replay};
use heronry_store::{Checkpoint, CommitOutcome, FencingToken, Head, Store, stands_on};
use heronry_types::{Epoch, PoolId, Position, Timelines, Timestamp};
use tokio::sync::watch;

use super::{Flow, PoolActor, asides::Asides, scan::ScansBegun};
use crate::{
    CallError, OpenError, bulk::Appends, published::Published, queue::Queue, runtime::Environment,
    time::PoolTime, waiters::Waiters,
};

/// The most bytes of the journal in one read, beside a first chunk.
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The number of keys in memory from which on they go to the store.
const KEYS_RUN: usize = 8_192;

/// A pool that is owned and folded, and not running yet.
pub(crate) struct Opening {
    pub(crate) actor: PoolActor,
    pub(crate) head: watch::Receiver<Position>,
    pub(crate) timelines: Timelines,
    pub(crate) token: FencingToken,
    pub(crate) published: Arc<Published>,
}

struct Folded {
    engine: Engine,
    head: Position,
    last_hash: ChunkHash,
}

impl Opening {
    /// Takes ownership of a pool and folds its journal; a pool without one is ready to be created.
    pub(crate) async fn open(
        environment: &Environment,
        pool: &PoolId,
        queue: Arc<Queue>,
        waiters: Arc<Waiters>,
    ) -> Result<Self, OpenError> {
        let store = environment.store.clone();
        let now = environment.clock.now().wall;
        let token = store.leases.acquire(pool, &environment.owner, now).await?;
        let folded = match fold(environment, pool, token).await {
            Ok(folded) => folded,
            Err(error) => {
                store.leases.release(pool, token).await?;
                return Err(error);
            }
        };
        let state = folded.engine.state();
        let settings = state.settings();
        let settings_version = state.settings_version();
        queue.resize(&settings.limits);
        let published = Arc::new(Published::default());
        published.set_limits(&settings.limits);
        let timelines = folded.engine.state().timelines().clone();
        let last: Timestamp = folded.engine.state().time();
        let (sender, head) = watch::channel(folded.head);
        let mut actor = PoolActor {
            pool: pool.clone(),
            engine: folded.engine,
            store,
            token,
            time: PoolTime::start(Arc::clone(&environment.clock), last),
            queue,
            waiters,
            published: Arc::clone(&published),
            head: sender,
            durable: folded.head,
            handed: folded.head,
            last_hash: folded.last_hash,
            pending: VecDeque::new(),
            last_now: last,
            settings_version,
            flight: None,
            batch: None,
            asides: Asides::default(),
            scans: ScansBegun::default(),
            hands_keys_over: false,
            bulk: Arc::clone(&environment.bulk),
            place: environment.bulk.place(),
            appends: Appends::default(),
            history: Vec::new(),
            read: Vec::new(),
        };
        if let Flow::Stop(why) = Box::pin(actor.resume()).await {
            // Nobody has asked it anything.
            drop(Box::pin(actor.stop(why)).await);
            let outcome = CommitOutcome::Unknown;
            return Err(CallError::Stopped { outcome, why }.into());
        }
        Ok(Self {
            actor,
            head,
            timelines,
            token,
            published,
        })
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
