//! Deciding what waits: one batch, which becomes one append.

use std::collections::HashSet;

use heronry_journal::{Chunk, ChunkWriter};
use heronry_pool::decide::{Names, ReleaseUnanswered};
use heronry_store::{ClaimEntry, ClaimKey, Outcome};
use heronry_types::{Millis, Timestamp};

use super::{Actor, BATCH_MAX, Flow, turns::Wait};
use crate::{
    CallError, StopReason,
    bulk::{Askers, Piece},
    job::Gated,
    time::Deadlines,
    waiters::WaitKey,
};

/// About how many bytes one append has before it takes no further command.
const APPEND_BYTES: usize = 4 * 1024 * 1024;
/// How old the time of a batch may be when a further command joins it.
const AGE_MAX: Millis = Millis(2);

/// Whether further commands can join a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Door {
    Open,
    Closed,
}

/// What is decided on top of what the store has or syncs.
pub(super) struct Batch {
    now: Timestamp,
    deadlines: Deadlines,
    door: Door,
    pub(super) answers: Vec<Held>,
    writer: ChunkWriter,
    /// How many of the staged records are encoded.
    encoded: usize,
    /// Who asked for little.
    pub(super) askers: Askers,
    /// The share that was had for a command that is bulk, and that is not decided yet.
    pub(super) share: Option<Piece>,
    /// The shares of the commands in it that are bulk: they end with the append.
    pub(super) pieces: Vec<Piece>,
}

/// What a batch comes to.
pub(super) struct Decided {
    pub(super) chunks: Vec<Chunk>,
    /// The answers that wait for the chunks.
    pub(super) answers: Vec<Held>,
    pub(super) askers: Askers,
    pub(super) pieces: Vec<Piece>,
}

/// An answer that is held back.
pub(super) struct Held {
    answer: Box<dyn Gated>,
    has_records: bool,
}

impl Held {
    pub(super) fn into_answer(self) -> Box<dyn Gated> {
        self.answer
    }

    /// Returns what it hands over when somebody takes it.
    pub(super) fn hands_over(&self) -> Option<ReleaseUnanswered> {
        self.answer.hands_over()
    }

    /// Says that the append before the answer's own one failed. What the answer itself would have
    /// recorded never reached the store; what it was decided on is as uncertain as that append.
    pub(super) fn fail_before(self, (outcome, why): (Outcome, StopReason)) {
        let outcome = if self.has_records {
            Outcome::None
        } else {
            outcome
        };
        self.answer.fail(CallError::Stopped { outcome, why });
    }
}

impl Batch {
    /// Returns true when a command that comes now can join.
    pub(super) fn takes_more(&self, now: Timestamp) -> bool {
        self.door == Door::Open && now.since(self.now) <= AGE_MAX && self.answers.len() < BATCH_MAX
    }

    /// Ends the batch.
    pub(super) fn finish(self) -> Decided {
        Decided {
            chunks: self.writer.finish(),
            answers: self.answers,
            askers: self.askers,
            pieces: self.pieces,
        }
    }
}

/// After how many records that commands stage others go on.
const SLICE: usize = 64;

impl Actor {
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
        self.bulk.asked(&batch.askers);
        self.batch = Some(batch);
        match decided {
            Ok(()) => Flow::Go,
            Err(why) => Flow::Stop(why),
        }
    }

    fn open_batch(&mut self) -> Batch {
        let (now, deadlines) = self.time.now();
        self.engine.begin(now);
        let door = if self.comes_to_commands(now, deadlines) {
            Door::Open
        } else {
            Door::Closed
        };
        self.wake_visible(now);
        let (epoch, recorded_at) = (self.engine.state().epoch(), self.engine.now());
        Batch {
            now,
            deadlines,
            door,
            answers: Vec::new(),
            writer: ChunkWriter::new(epoch, self.handed, self.last_hash, recorded_at),
            encoded: 0,
            askers: Askers::Nobody,
            share: None,
            pieces: Vec::new(),
        }
    }

    /// Decides what is due; returns true when commands may follow in the same append. What is still
    /// due goes before every command; while events are matched, what is due of wakes and members waits.
    fn comes_to_commands(&mut self, now: Timestamp, deadlines: Deadlines) -> bool {
        if self.engine.has_backlog() {
            return deadlines != Deadlines::Fire || !self.engine.tick_meanwhile();
        }
        // Who asked for something is there, whether it is decided by now or not.
        let pending = self.pending.iter();
        let asking: HashSet<_> = pending.filter_map(|job| job.asker()).collect();
        let waiters = &self.waiters;
        self.engine.hear_waiting(|run, generation| {
            waiters.is_waiting(run, generation) || asking.contains(&(run, generation))
        });
        let more_due = deadlines == Deadlines::Fire && self.engine.tick();
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
            self.place.leave();
        } else {
            self.put_off(batch);
        }
        if self.first_waits_for() == Some(Wait::Triggers) {
            batch.door = Door::Closed;
            return Ok(());
        }
        let found = self.look_up().await?;
        batch.answers.reserve(self.pending.len());
        let mut since_others = 0;
        while !self.pending.is_empty() {
            match self.begin_first(batch) {
                None => {}
                Some(Wait::Triggers) => {
                    batch.door = Door::Closed;
                    break;
                }
                Some(Wait::Share) => break,
            }
            let scanned = self.scan_for_first(&found).await?;
            let asked = self.asked_by_first(&found).await?;
            let Some(job) = self.pending.pop_front() else {
                break;
            };
            since_others += job.burden();
            self.note(job.as_ref(), &mut batch.askers);
            let before = self.engine.staged().records.len();
            let answer = match scanned {
                Ok(scan) if asked.is_empty() => self.answer(job, &found, &scan).await?,
                Ok(scan) => {
                    let known = [found.as_slice(), &asked].concat();
                    self.answer(job, &known, &scan).await?
                }
                Err(rejection) => job.reject(rejection),
            };
            batch.answers.push(Held {
                answer,
                has_records: self.engine.staged().records.len() > before,
            });
            let is_large = self.engine.staged().weight >= APPEND_BYTES;
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
        let staged = &self.engine.staged().records;
        for record in staged.iter().skip(batch.encoded) {
            batch.writer.push(&record.entry).map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "a staged record does not fit");
                StopReason::Internal
            })?;
        }
        batch.encoded = staged.len();
        Ok(())
    }

    /// Asks the claims store for every key of the commands that are decided now, in one call.
    async fn look_up(&mut self) -> Result<Vec<(ClaimKey, ClaimEntry)>, StopReason> {
        let recent = self.engine.recent();
        let keys: Vec<ClaimKey> = self
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

    /// Asks the claims store for the names that the first command which waits wants to know of.
    async fn asked_by_first(
        &mut self,
        found: &[(ClaimKey, ClaimEntry)],
    ) -> Result<Vec<(ClaimKey, ClaimEntry)>, StopReason> {
        let first = self.pending.front();
        let asked = first.map_or_else(Vec::new, |job| job.asks(&self.engine, found));
        self.find(asked).await
    }

    async fn find(
        &mut self,
        keys: Vec<ClaimKey>,
    ) -> Result<Vec<(ClaimKey, ClaimEntry)>, StopReason> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found = self
            .store
            .claims
            .find(&self.pool, &keys)
            .await
            .map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "claims cannot be read");
                StopReason::StoreFenced(error.cause())
            })?;
        Ok(keys
            .into_iter()
            .zip(found)
            .filter_map(|(key, entry)| Some((key, entry?)))
            .collect())
    }

    /// Wakes readers whose released copies can be claimed by now.
    fn wake_visible(&mut self, now: Timestamp) {
        for run in self
            .engine
            .state()
            .deadlines()
            .became_visible(self.last_now, now)
        {
            self.waiters.wake(&WaitKey::Inbox(run.clone()));
        }
        self.last_now = self.last_now.max(now);
    }
}
