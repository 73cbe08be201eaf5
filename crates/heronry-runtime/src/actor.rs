//! The actor of one pool: it decides, appends, and only then answers.
//!
//! At most two batches are under way: while the store syncs one, the next one is decided on top of
//! it. A batch is answered when it is durable, and with it every batch that it was decided on.

mod archive;
mod asides;
mod batch;
mod commit;
mod fold;
mod history;
mod keeping;
mod keys;
mod open;
mod scan;
mod turns;

use std::{collections::VecDeque, future, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use heronry_journal::{Chunk, ChunkHash};
use heronry_pool::Engine;
use heronry_store::{CommitOutcome, FencingToken, Head, Store};
use heronry_types::{PoolId, Position, Timestamp};
use tokio::{sync::watch, task::JoinError};

pub(crate) use open::Opening;

use asides::{Asides, Consequence};
use batch::Batch;
use commit::{Flight, Landing};
use keeping::Keeping;
use scan::ScansBegun;

use crate::{
    CallError, StopReason,
    bulk::{Appends, Bulk, BulkPlace},
    giving_way::give_way,
    job::Job,
    keeping::KeepRequest,
    published::Published,
    queue::{NextWork, Queue},
    renewal::Renewal,
    time::{Deadlines, PoolTime},
    waiters::Waiters,
};

/// The most commands of one append.
const BATCH_MAX: usize = 1_024;
/// About how many records the commands make that are taken from the queue at once: who comes meanwhile
/// takes its turn among those that are left.
const TAKEN_AT_ONCE: usize = BATCH_MAX;

/// The consequence of a step: the actor goes on, or stops for this reason.
enum Flow {
    Go,
    Stop(StopReason),
}

/// The end of an actor.
pub(crate) struct StoppedActor {
    /// The reason.
    pub(crate) why: StopReason,
    /// The engine with all that was decided. All of that is durable when the actor ended because it was
    /// told to.
    pub(crate) engine: Engine,
}

/// The next thing that the actor has to do.
enum ActorEvent {
    /// Commands came, or something is due.
    Work(NextWork),
    /// The append that was under way ended.
    Landed(Landing),
    /// A work beside the pool ended.
    AsideEnded(Result<Consequence, JoinError>),
    /// Somebody wants the journal trimmed, or a snapshot.
    Keep(KeepRequest),
    /// A command that is bulk may have its share now.
    Share,
    /// Nothing else is to be done while records wait to be matched.
    Behind,
}

/// The actor of one pool.
pub(crate) struct PoolActor {
    pool: PoolId,
    engine: Engine,
    store: Store,
    token: FencingToken,
    /// Keeps the pool owned, where ownership has a term.
    renewal: Renewal,
    time: PoolTime,
    queue: Arc<Queue>,
    waiters: Arc<Waiters>,
    published: Arc<Published>,
    head: watch::Sender<Position>,
    durable: Position,
    /// The durable head: of position zero while there is no record.
    shown: Head,
    /// The last record that was handed to the store.
    handed: Position,
    /// The hash of the last chunk that was handed to the store.
    last_hash: ChunkHash,
    pending: VecDeque<Box<dyn Job>>,
    last_now: Timestamp,
    /// The version of the settings that the queue has its size from, and that is published.
    settings_version: u64,
    /// The append that the store is syncing.
    flight: Option<Flight>,
    /// The decisions that are not handed to the store yet.
    batch: Option<Batch>,
    asides: Asides,
    keeping: Keeping,
    scans: ScansBegun,
    /// True while the store takes in a run of keys.
    hands_keys_over: bool,
    /// The store has the keys of records up to here, as far as this process knows.
    keys_upto: Position,
    bulk: Arc<Bulk>,
    /// The place in line of the commands that are bulk.
    place: BulkPlace,
    /// The appends since the last piece of bulk.
    appends: Appends,
    /// The chunks that were last read of the journal for records that are matched again.
    history: Vec<Chunk>,
    /// The chunks that were last read of the journal for messages that are not in memory. Other
    /// messages may lie in them, too.
    read: Vec<Chunk>,
}

impl PoolActor {
    /// Runs until the queue is closed or the store fails; then gives the pool up, also when a rule
    /// panics: what the store was given before that is still answered.
    ///
    /// Returns why it stopped, and the state that it stopped with.
    pub(crate) async fn run(mut self) -> StoppedActor {
        // After a panic nothing is decided any more, so a state that is half changed is not seen.
        let served = AssertUnwindSafe(self.serve()).catch_unwind().await;
        let why = served.unwrap_or_else(|_| {
            tracing::error!(pool = %self.pool, "a rule panicked");
            StopReason::Internal
        });
        self.stop(why).await
    }

    /// Records that the pool was opened, when it holds what would lapse, before anybody can ask it.
    async fn resume(&mut self) -> Flow {
        if !self.engine.is_to_resume() {
            return Flow::Go;
        }
        if let Flow::Stop(why) = self.decide().await {
            return Flow::Stop(why);
        }
        let answers = self.launch();
        self.release(answers);
        match &mut self.flight {
            Some(flight) => {
                let landing = flight.land().await;
                self.land(landing)
            }
            None => Flow::Go,
        }
    }

    async fn serve(&mut self) -> StopReason {
        loop {
            self.start_scans();
            let flow = match self.next().await {
                ActorEvent::Work(NextWork::Jobs(jobs)) => {
                    self.pending.extend(jobs);
                    self.decide().await
                }
                // It waits for its share no longer.
                ActorEvent::Work(NextWork::Closed)
                    if self.place.waits() && self.wants_commands() =>
                {
                    self.decide().await
                }
                // What is under way may still leave something to decide.
                ActorEvent::Work(NextWork::Closed) => match &mut self.flight {
                    None => return self.queue.closed_by().unwrap_or(StopReason::Shutdown),
                    Some(flight) => {
                        let landing = flight.land().await;
                        self.land(landing)
                    }
                },
                ActorEvent::Share => self.decide().await,
                ActorEvent::AsideEnded(ended) => self.aside_ended(ended),
                ActorEvent::Keep(request) => self.keep(request),
                ActorEvent::Landed(landing) => self.land(landing),
                ActorEvent::Behind => self.match_more().await,
            };
            if let Flow::Stop(why) = flow {
                return why;
            }
            if self.flight.is_none() {
                let answers = self.launch();
                self.release(answers);
            }
            if self.engine.is_behind() {
                give_way().await;
            } else if self.engine.has_backlog() || self.others_ask() {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Returns true when others are likely to ask in a moment: those who were just answered ask again
    /// at once, and those who are not alone come one after another. Let them come: then one append
    /// takes more, and what they ask is decided together.
    fn others_ask(&self) -> bool {
        let under_way = self.flight.as_ref();
        under_way.is_none_or(|flight| flight.answers() > 1)
    }

    /// Waits for commands, for a deadline (then without any), or for the end of an append.
    async fn next(&mut self) -> ActorEvent {
        let at = self.due_at();
        let wants = self.wants_commands();
        let (queue, time) = (&self.queue, &self.time);
        let is_behind = self.engine.is_behind();
        // A batch that is open has as many triggers as it takes.
        let has_triggers = self.engine.has_backlog() && self.batch.is_none();
        let has_work = wants && (self.has_taken() || has_triggers);
        let (room, held_back) = (self.room(), self.who_waits());
        // What is not matched by then is matched when the pool is opened again.
        if is_behind && queue.is_done(&held_back) {
            return ActorEvent::Work(NextWork::Closed);
        }
        let landed = async {
            match &mut self.flight {
                Some(flight) => flight.land().await,
                None => future::pending().await,
            }
        };
        let due = async {
            match at {
                Some(at) => time.reach(at).await,
                None => future::pending().await,
            }
        };
        tokio::select! {
            biased;
            landing = landed => ActorEvent::Landed(landing),
            ended = self.asides.next() => ActorEvent::AsideEnded(ended),
            request = self.keeping.next() => ActorEvent::Keep(request),
            () = future::ready(()), if has_work => ActorEvent::Work(NextWork::Jobs(queue.take_now(room, &held_back))),
            next = queue.next(TAKEN_AT_ONCE, &held_back), if wants => ActorEvent::Work(next),
            () = self.place.may_begin(), if wants => ActorEvent::Share,
            () = future::ready(()), if is_behind => ActorEvent::Behind,
            () = due, if wants => ActorEvent::Work(NextWork::Jobs(Vec::new())),
        }
    }

    /// Returns true when commands can be decided now, in a new batch or in the one that is open.
    fn wants_commands(&mut self) -> bool {
        let now = self.time.now().0;
        self.batch
            .as_ref()
            .is_none_or(|batch| batch.takes_more(now))
    }

    /// Returns the time at which something is due without a command. `None` while a batch is open:
    /// only a new batch decides what is due.
    fn due_at(&mut self) -> Option<Timestamp> {
        if self.batch.is_some() {
            return None;
        }
        let (now, deadlines) = self.time.now();
        // What became visible since the last batch, perhaps during a sync, nobody was woken for yet.
        let next = self.engine.next_due(self.last_now);
        match (next, deadlines) {
            (Some(at), _) => Some(at),
            (None, Deadlines::Hold(_)) => Some(now),
            (None, Deadlines::Fire) => None,
        }
    }

    /// Refuses everything that waits and gives the pool up.
    async fn stop(mut self, why: StopReason) -> StoppedActor {
        self.place.leave();
        self.wind_down(why).await;
        self.snapshot_at_stop(why).await;
        let outcome = CommitOutcome::None;
        for job in self
            .queue
            .shut(why)
            .into_iter()
            .chain(self.pending.drain(..))
        {
            job.refuse(CallError::Stopped { outcome, why });
        }
        drop(self.renewal);
        if let Err(error) = self.store.leases.release(&self.pool, self.token).await {
            tracing::warn!(pool = %self.pool, %error, "lease cannot be released");
        }
        drop(self.head);
        self.waiters.wake_all();
        tracing::info!(pool = %self.pool, outcome = %why, "pool stopped");
        let engine = self.engine;
        StoppedActor { why, engine }
    }
}
