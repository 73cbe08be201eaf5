//! Deciding the commands that wait: one batch, which becomes one append.

use std::{borrow::Cow, collections::HashSet};

use heronry_journal::{Chunk, ChunkWriter};
use heronry_pool::{
    Engine,
    decide::{Names, ReleaseUnanswered},
    engine::{Append, LookedUp, Staged},
};
use heronry_store::{CommitOutcome, KeyHash, KeyedEntry};
use heronry_types::{Millis, Timestamp};

use super::{BATCH_MAX, Flow, PoolActor, turns::WaitReason};
use crate::{
    CallError, StopReason,
    bulk::{Askers, BulkPiece},
    job::GatedAnswer,
    time::Deadlines,
    waiters::WaitKey,
};

/// About how many bytes one append has before it takes no further command.
const APPEND_BYTES: usize = 4 * 1024 * 1024;
/// The greatest age of a batch's time at which a further command joins the batch.
const AGE_MAX: Millis = Millis(2);

/// The door of a batch: further commands can join, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Door {
    Open,
    Closed,
}

/// The decisions made on top of the records that the store has or syncs.
pub(super) struct Batch {
    now: Timestamp,
    deadlines: Deadlines,
    door: Door,
    append: Append,
    pub(super) answers: Vec<HeldAnswer>,
    writer: ChunkWriter,
    /// The number of staged records that are encoded.
    encoded: usize,
    /// The parties that asked for little.
    pub(super) askers: Askers,
    /// The shares of the commands in it that are bulk: they end with the append.
    pub(super) pieces: Vec<BulkPiece>,
}

/// An answer that is held back.
pub(super) struct HeldAnswer {
    answer: Box<dyn GatedAnswer>,
    has_records: bool,
}

impl HeldAnswer {
    pub(super) fn into_answer(self) -> Box<dyn GatedAnswer> {
        self.answer
    }

    /// Returns what it hands over when somebody takes it.
    pub(super) fn hands_over(&self) -> Option<ReleaseUnanswered> {
        self.answer.hands_over()
    }

    /// Says that the append before the answer's own one failed. What the answer itself would have
    /// recorded never reached the store; what it was decided on is as uncertain as that append.
    pub(super) fn fail_before(self, failed: FailedAppend) {
        let outcome = if self.has_records {
            CommitOutcome::None
        } else {
            failed.outcome
        };
        let why = failed.why;
        self.answer.fail(CallError::Stopped { outcome, why });
    }
}

/// An append that failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FailedAppend {
    /// The knowledge about its records.
    pub(super) outcome: CommitOutcome,
    /// The reason why the pool stops after it.
    pub(super) why: StopReason,
}

/// A batch that takes no further command: what it recorded, the same as chunks, and the answers that wait
/// for them.
pub(super) struct Finished {
    pub(super) staged: Staged,
    pub(super) chunks: Vec<Chunk>,
    pub(super) answers: Vec<HeldAnswer>,
    pub(super) askers: Askers,
    pub(super) pieces: Vec<BulkPiece>,
}

impl Batch {
    /// Returns true when a command that comes now can join.
    pub(super) fn takes_more(&self, now: Timestamp) -> bool {
        self.door == Door::Open && now.since(self.now) <= AGE_MAX && self.answers.len() < BATCH_MAX
    }

    /// Ends the batch.
    pub(super) fn finish(self, engine: &mut Engine) -> Finished {
        Finished {
            staged: self.append.finish(engine),
            chunks: self.writer.finish(),
            answers: self.answers,
            askers: self.askers,
            pieces: self.pieces,
        }
    }
}

/// The number of records staged by commands after which other work goes on.
const SLICE: usize = 64;

impl PoolActor {
    /// Decides what waits, in the batch that is open or in a new one. What is due, and triggers of
    /// earlier events, go first.
    pub(super) async fn decide(&mut self) -> Flow {
        let mut batch = match self.batch.take() {
            Some(batch) => batch,
            None => match self.read_history().await {
                Ok(()) => self.open_batch(),
                Err(why) => return Flow::Stop(why),
            },
        };
        // It may have grown old while the actor waited for commands: then they wait for the next.
        let decided = if batch.takes_more(self.time.now().0) {
            self.decide_commands(&mut batch).await
        } else {
            Ok(())
        };
        let decided = decided.and_then(|()| self.encode(&mut batch));
        if !batch.takes_more(self.time.now().0) {
            self.place.let_pass();
        }
        self.bulk.asked(&batch.askers);
        self.batch = Some(batch);
        match decided {
            Ok(()) => Flow::Go,
            Err(why) => Flow::Stop(why),
        }
    }

    fn open_batch(&mut self) -> Batch {
        let (now, deadlines) = self.time.now();
        let mut append = self.engine.begin(now);
        let door = if self.comes_to_commands(&mut append, now, deadlines) {
            Door::Open
        } else {
            Door::Closed
        };
        self.wake_visible(now);
        let (epoch, recorded_at) = (self.engine.state().epoch(), append.now());
        Batch {
            now,
            deadlines,
            door,
            append,
            answers: Vec::new(),
            writer: ChunkWriter::new(epoch, self.handed, self.last_hash, recorded_at),
            encoded: 0,
            askers: Askers::Nobody,
            pieces: Vec::new(),
        }
    }

    /// Decides what is due; returns true when commands may follow in the same append. What is still
    /// due goes before every command; while events are matched, what is due of wakes and members waits.
    fn comes_to_commands(
        &mut self,
        append: &mut Append,
        now: Timestamp,
        deadlines: Deadlines,
    ) -> bool {
        if self.engine.has_backlog() {
            return deadlines != Deadlines::Fire || !append.tick_meanwhile(&mut self.engine);
        }
        // Who asked for something is there, whether it is decided by now or not.
        let pending = self.pending.iter();
        let asking: HashSet<_> = pending.filter_map(|job| job.asker()).collect();
        let waiters = &self.waiters;
        append.hear_waiting(&mut self.engine, |run, generation| {
            waiters.is_waiting(run, generation) || asking.contains(&(run, generation))
        });
        let more_due = deadlines == Deadlines::Fire && append.tick(&mut self.engine);
        let something_first = more_due && self.is_due(now, deadlines);
        !something_first
    }

    /// Returns true when no command is decided before more is matched: a great deal is to be, or as many
    /// commands went before that as may.
    pub(super) fn takes_none(&self) -> bool {
        self.engine.is_far_behind()
    }

    fn is_due(&self, now: Timestamp, deadlines: Deadlines) -> bool {
        deadlines == Deadlines::Fire && self.engine.is_due(now)
    }

    /// Decides the commands that wait, until something has to go first, the append is large enough,
    /// or there are none.
    async fn decide_commands(&mut self, batch: &mut Batch) -> Result<(), StopReason> {
        if self.takes_none() {
            self.place.step_aside();
        } else {
            self.put_off();
        }
        if self.first_waits_for() == Some(WaitReason::Triggers) {
            batch.door = Door::Closed;
            return Ok(());
        }
        let found = self.look_up().await?;
        batch.answers.reserve(self.pending.len());
        let mut since_others = 0;
        while !self.pending.is_empty() {
            match self.begin_first(batch) {
                None => {}
                Some(WaitReason::Triggers) => {
                    batch.door = Door::Closed;
                    break;
                }
                Some(WaitReason::Share) => break,
            }
            let scanned = self.scan_for_first(&batch.append, &found).await?;
            let asked = self.asked_by_first(&found).await?;
            let Some(job) = self.pending.pop_front() else {
                break;
            };
            since_others += job.burden();
            self.note(job.as_ref(), &mut batch.askers);
            let before = batch.append.staged().records.len();
            let answer = match scanned {
                Ok(scan) => {
                    let looked_up = LookedUp {
                        keys: &with(&found, &asked),
                        scan: &scan,
                    };
                    self.answer(job, &mut batch.append, looked_up).await?
                }
                Err(rejection) => job.reject(rejection),
            };
            batch.answers.push(HeldAnswer {
                answer,
                has_records: batch.append.staged().records.len() > before,
            });
            let is_large = batch.append.staged().weight >= APPEND_BYTES;
            if is_large || self.is_due(batch.now, batch.deadlines) {
                batch.door = Door::Closed;
                break;
            }
            if self.engine.ends_slice() || since_others >= SLICE {
                since_others = 0;
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Encodes what was staged since the last time, while the store may be syncing.
    fn encode(&self, batch: &mut Batch) -> Result<(), StopReason> {
        let staged = &batch.append.staged().records;
        for record in staged.iter().skip(batch.encoded) {
            batch.writer.push(&record.entry).map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "a staged record does not fit");
                StopReason::Internal
            })?;
        }
        batch.encoded = staged.len();
        Ok(())
    }

    /// Asks the store for every key of the commands that are decided now, in one call.
    async fn look_up(&mut self) -> Result<Vec<KeyedEntry>, StopReason> {
        let recent = self.engine.recent();
        let keys: Vec<KeyHash> = self
            .pending
            .iter()
            .filter(|job| self.waits_for(job.as_ref()).is_none())
            .filter_map(|job| job.names())
            .flat_map(Names::keys)
            .filter(|key| recent.get(key).is_none())
            .copied()
            .collect();
        self.find(keys).await
    }

    /// Asks the store for the names that the first command which waits wants to know of.
    async fn asked_by_first(
        &mut self,
        found: &[KeyedEntry],
    ) -> Result<Vec<KeyedEntry>, StopReason> {
        let first = self.pending.front();
        let asked = first.map_or_else(Vec::new, |job| job.asks(&self.engine, found));
        self.find(asked).await
    }

    async fn find(&mut self, keys: Vec<KeyHash>) -> Result<Vec<KeyedEntry>, StopReason> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .store
            .keys
            .find(&self.pool, &keys)
            .await
            .map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "keys cannot be read");
                StopReason::StoreFenced(error.cause())
            })?;
        Ok(keys
            .into_iter()
            .zip(found)
            .filter_map(|(key, entry)| Some(KeyedEntry::new(key, entry?)))
            .collect())
    }

    /// Wakes readers whose released copies can be claimed by now.
    fn wake_visible(&mut self, now: Timestamp) {
        for run in self.engine.state().became_visible(self.last_now, now) {
            self.waiters.wake(&WaitKey::Inbox(run.clone()));
        }
        self.last_now = self.last_now.max(now);
    }
}

/// Returns these entries with more of them, which there hardly ever are.
fn with<'a>(found: &'a [KeyedEntry], more: &[KeyedEntry]) -> Cow<'a, [KeyedEntry]> {
    if more.is_empty() {
        Cow::Borrowed(found)
    } else {
        Cow::Owned([found, more].concat())
    }
}
