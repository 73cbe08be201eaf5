//! Opening a pool: ownership first, then the fold of its journal.

use std::{collections::VecDeque, sync::Arc};

use heronry_store::{CommitOutcome, FencingToken, Head, LEASE_TERM};
use heronry_types::{PoolId, Position, Settings, Timelines, Timestamp};
use tokio::sync::{mpsc, watch};

use super::{
    Flow, PoolActor,
    asides::Asides,
    fold::{Folded, fold_aside},
    keeping::Keeping,
    scan::ScansBegun,
};
use crate::{
    CallError, OpenError,
    bulk::Appends,
    consumer::Standstill,
    keeping::{Folds, KeepLine, KeepRequest, KeepRequests},
    published::Published,
    queue::Queue,
    renewal::Renewal,
    runtime::Environment,
    time::PoolTime,
    waiters::Waiters,
};

/// A pool that is owned and folded, and not running yet.
pub(crate) struct Opening {
    pub(crate) actor: PoolActor,
    pub(crate) head: watch::Receiver<Position>,
    pub(crate) timelines: Timelines,
    pub(crate) token: FencingToken,
    pub(crate) published: Arc<Published>,
    pub(crate) keep: KeepRequests,
    pub(crate) standstill: Standstill,
}

impl Opening {
    /// Takes ownership of a pool and folds its journal; a pool without one is ready to be created.
    pub(crate) async fn open(
        environment: &Arc<Environment>,
        pool: &PoolId,
        queue: Arc<Queue>,
        waiters: Arc<Waiters>,
    ) -> Result<Self, OpenError> {
        let OwnedFold {
            token,
            renewal,
            folded,
        } = own(environment, pool, &queue).await?;
        let state = folded.engine.state();
        let settings_version = state.settings_version();
        let published = publish(state.settings(), &queue);
        let timelines = folded.engine.state().timelines().clone();
        let last: Timestamp = folded.engine.state().time();
        let (sender, head) = watch::channel(folded.head);
        let KeepLine {
            requests: keep,
            taken,
        } = KeepLine::new();
        let keeping = keeping_of(environment, pool, taken, folded.begun);
        let standstill = keeping.standstill.clone();
        let shown = shown_of(&folded);
        let actor = PoolActor {
            pool: pool.clone(),
            engine: folded.engine,
            store: environment.store.clone(),
            token,
            renewal,
            time: PoolTime::start(Arc::clone(&environment.clock), last),
            queue,
            waiters,
            published: Arc::clone(&published),
            head: sender,
            durable: folded.head,
            shown,
            keeping,
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
            keys_upto: Position::ZERO,
            bulk: Arc::clone(&environment.bulk),
            place: environment.bulk.place(),
            appends: Appends::default(),
            history: Vec::new(),
            read: Vec::new(),
        };
        Ok(Self {
            actor: resumed(actor).await?,
            head,
            timelines,
            token,
            published,
            keep,
            standstill,
        })
    }
}

/// Shows the settings of a pool to who asks without the actor.
fn publish(settings: &Settings, queue: &Queue) -> Arc<Published> {
    queue.resize(&settings.limits);
    let published = Arc::new(Published::default());
    published.set(settings);
    published
}

/// Returns the head of a journal as it was folded.
fn shown_of(folded: &Folded) -> Head {
    let state = folded.engine.state();
    Head {
        epoch: state.timelines().newest(),
        head: folded.head,
        floor: state.floor(),
        last_hash: folded.last_hash,
    }
}

/// Returns an actor that has recorded what opening its pool asks for.
async fn resumed(mut actor: PoolActor) -> Result<PoolActor, OpenError> {
    match Box::pin(actor.resume()).await {
        Flow::Go => Ok(actor),
        Flow::Stop(why) => {
            // Nobody has asked it anything.
            drop(Box::pin(actor.stop(why)).await);
            let outcome = CommitOutcome::Unknown;
            Err(CallError::Stopped { outcome, why }.into())
        }
    }
}

fn keeping_of(
    environment: &Environment,
    pool: &PoolId,
    taken: mpsc::Receiver<KeepRequest>,
    begun: Position,
) -> Keeping {
    let (store, minter) = (environment.store.clone(), environment.minter.clone());
    let folds = Folds::new(store, pool.clone(), minter);
    let folds = folds.with(&environment.background, environment.finished_kept);
    let mut keeping = Keeping::new(folds, taken, environment.snapshot_every);
    keeping.snapshot_at = begun;
    keeping
}

/// A pool that is owned, and folded.
struct OwnedFold {
    token: FencingToken,
    renewal: Renewal,
    folded: Folded,
}

/// Takes ownership of a pool, and keeps it while its journal is folded.
async fn own(
    environment: &Arc<Environment>,
    pool: &PoolId,
    queue: &Arc<Queue>,
) -> Result<OwnedFold, OpenError> {
    let leases = &environment.store.leases;
    let (owner, now) = (&environment.owner, environment.clock.now().wall);
    let token = leases.acquire(pool, owner, now, LEASE_TERM).await?;
    let renewal = Renewal::begin(environment, pool, token, queue);
    match fold_aside(environment, pool, token).await {
        Ok(folded) => Ok(OwnedFold {
            token,
            renewal,
            folded,
        }),
        Err(error) => {
            leases.release(pool, token).await?;
            Err(error)
        }
    }
}
