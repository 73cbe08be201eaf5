//! One append: the records that a batch staged, and then the answers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, future::BoxFuture};
use heronry_journal::{Noun, PoolRecord};
use heronry_pool::engine::Staged;
use heronry_store::{AppendError, Commit, CommitOutcome, Guard, Head, StoreError, StoreErrorKind};

use super::{
    Flow, PoolActor,
    batch::{FailedAppend, Finished, HeldAnswer},
};
use crate::{
    CallError, StopReason,
    bulk::{Askers, BulkPiece},
    job::{Call, Handover, Job},
};

/// The result of an append.
pub(super) type Landing = Result<Head, AppendError>;

/// An append that is under way, and the answers that wait for it.
pub(super) struct Flight {
    append: BoxFuture<'static, Landing>,
    /// The result of the append, when it ended at once.
    landed: Option<Landing>,
    pub(super) staged: Staged,
    answers: Vec<HeldAnswer>,
    /// The parties that asked for little.
    askers: Askers,
    /// The shares of the commands in it that are bulk, which end with it.
    pieces: Vec<BulkPiece>,
}

impl Flight {
    /// Returns how many answers wait for it.
    pub(super) fn answers(&self) -> usize {
        self.answers.len()
    }

    /// Waits for the end. May be dropped and asked again until it has ended.
    pub(super) async fn land(&mut self) -> Landing {
        match self.landed.take() {
            Some(landing) => landing,
            None => (&mut self.append).await,
        }
    }
}

impl PoolActor {
    /// Hands the batch that is open to the store. Only when nothing is under way.
    ///
    /// Returns the answers of a batch that records nothing, to be let out at once: what it was
    /// decided on is durable.
    #[must_use]
    pub(super) fn launch(&mut self) -> Vec<HeldAnswer> {
        debug_assert!(self.flight.is_none(), "one append at a time");
        let Some(batch) = self.batch.take() else {
            return Vec::new();
        };
        let Finished {
            mut staged,
            chunks,
            answers,
            askers,
            pieces,
        } = batch.finish(&mut self.engine);
        let Some(last) = chunks.last() else {
            return answers;
        };
        let guard = Guard {
            expected_head: self.handed,
            token: self.token,
        };
        (self.handed, self.last_hash) = (last.last(), last.hash());
        let commit = Commit {
            chunks,
            contents: std::mem::take(&mut staged.contents),
            erasures: std::mem::take(&mut staged.erasures),
            ..Commit::default()
        };
        let (journal, pool) = (Arc::clone(&self.store.journal), self.pool.clone());
        let append = async move { journal.append(&pool, commit, guard).await };
        // A panic ends it as any other failure does: nobody may ask it again, and how much of it
        // was written nobody knows.
        let append = AssertUnwindSafe(append).catch_unwind();
        let append = append.map(|end| end.unwrap_or_else(|_| Err(panicked())));
        let mut append = append.boxed();
        // An append begins when it is first asked whether it has ended.
        let landed = (&mut append).now_or_never();
        self.flight = Some(Flight {
            append,
            landed,
            staged,
            answers,
            askers,
            pieces,
        });
        Vec::new()
    }

    /// Takes in how the append that was under way ended.
    ///
    /// The next one is on its way before anybody is answered: the store need not wait for that.
    pub(super) fn land(&mut self, landing: Landing) -> Flow {
        let Some(flight) = self.flight.take() else {
            return Flow::Go;
        };
        match landing {
            Ok(head) => {
                drop(flight.pieces);
                self.bulk.appended(&flight.askers, &mut self.appends);
                self.externalise(head, &flight.staged);
                let mut answers = flight.answers;
                answers.extend(self.launch());
                self.release(answers);
                self.hand_over_keys(head);
                self.snapshot_in_time();
                Flow::Go
            }
            Err(error) => {
                let failed = self.logged(&error);
                self.fail(flight.answers, failed);
                Flow::Stop(failed.why)
            }
        }
    }

    /// Advances the readable head, then rings whoever waits for these records.
    fn externalise(&mut self, head: Head, staged: &Staged) {
        self.durable = head.head;
        // A trim may have come to its end after this was appended.
        let floor = head.floor.max(self.shown.floor);
        self.shown = Head { floor, ..head };
        if self.settings_version != self.engine.state().settings_version() {
            self.take_over_settings(staged);
        }
        self.published.note_append(&staged.records);
        self.head.send_replace(head.head);
        self.waiters.wake_by(&staged.records, self.engine.state());
        self.engine.forget_finished(head.head);
    }

    /// Takes over the newest settings of records that became durable, if there are any.
    fn take_over_settings(&mut self, staged: &Staged) {
        let newest = staged.records.iter().rev().find_map(|record| {
            let Noun::Pool(body) = record.entry.body.noun() else {
                return None;
            };
            match body {
                PoolRecord::PoolCreated(body) => Some((&body.settings, 1)),
                PoolRecord::PoolConfigured(body) => Some((&body.settings, body.version)),
                PoolRecord::EpochStarted(_) | PoolRecord::PoolResumed(_) => None,
            }
        });
        if let Some((settings, version)) = newest {
            self.settings_version = version;
            self.queue.resize(&settings.limits);
            self.published.set(settings);
        }
    }

    /// Lets answers out; what nobody took is given back with the next append.
    ///
    /// A receive and its repeat hand the same claims over: one of them is enough, and it may still
    /// be held back. A repeat that is not decided yet comes after the release.
    pub(super) fn release(&mut self, held: Vec<HeldAnswer>) {
        let (mut taken, mut unanswered) = (Vec::new(), Vec::new());
        for answer in held {
            match answer.into_answer().release() {
                Handover::Taken(claims) => taken.extend(claims),
                Handover::Refused(claims) => unanswered.extend(claims),
            }
        }
        if unanswered.is_empty() {
            return;
        }
        taken.extend(self.held_back().filter_map(HeldAnswer::hands_over));
        unanswered.retain(|claims| !taken.contains(claims));
        for claims in unanswered {
            let (call, _nobody) = Call::new(claims, None);
            let call: Box<dyn Job> = Box::new(call);
            self.pending.push_front(call);
        }
    }

    /// Walks the answers that are held back.
    fn held_back(&self) -> impl Iterator<Item = &HeldAnswer> {
        let syncing = self.flight.iter().flat_map(|flight| &flight.answers);
        let decided = self.batch.iter().flat_map(|batch| &batch.answers);
        syncing.chain(decided)
    }

    /// Says that the append failed, and how much is known of what it held and of what was decided
    /// on top of it. The queue is closed first: who is told and opens the pool again gets a new one.
    fn fail(&mut self, answers: Vec<HeldAnswer>, failed: FailedAppend) {
        let FailedAppend { outcome, why } = failed;
        debug_assert!(
            *self.head.borrow() <= self.durable,
            "nothing is shown above the last sync"
        );
        self.queue.close(why);
        for held in answers {
            let error = CallError::Stopped { outcome, why };
            held.into_answer().fail(error);
        }
        for held in self
            .batch
            .take()
            .into_iter()
            .flat_map(|batch| batch.answers)
        {
            held.fail_before(failed);
        }
    }

    /// Ends what is under way and answers it; then what is decided on top of it, which is not
    /// dispatched: a repeat of what is under way may be a repeat of something that is there.
    pub(super) async fn wind_down(&mut self, why: StopReason) {
        self.queue.close(why);
        let decided = self.batch.take();
        let mut outcome = CommitOutcome::Unknown;
        if let Some(flight) = &mut self.flight {
            let landing = flight.land().await;
            if let Err(error) = &landing {
                outcome = failed_by(error).outcome;
            }
            // The pool stops whatever this says.
            let (Flow::Go | Flow::Stop(_)) = self.land(landing);
        }
        for held in decided.into_iter().flat_map(|batch| batch.answers) {
            held.fail_before(FailedAppend { outcome, why });
        }
        self.keeping.folds.stop();
        self.end_asides().await;
    }

    /// Logs why an append failed.
    pub(super) fn logged(&self, error: &AppendError) -> FailedAppend {
        if let AppendError::Store { outcome, error } = error {
            let cause = error.cause().name();
            tracing::error!(pool = %self.pool, cause, ?outcome, %error, "append failed");
        } else {
            tracing::error!(pool = %self.pool, %error, "append failed");
        }
        failed_by(error)
    }
}

/// Returns the knowledge about an append that failed, and the reason why its pool stops.
fn failed_by(error: &AppendError) -> FailedAppend {
    let (outcome, why) = match error {
        AppendError::Conflict { .. } | AppendError::Fenced { .. } => {
            (CommitOutcome::None, StopReason::OwnershipLost)
        }
        AppendError::Store { outcome, error } => (*outcome, StopReason::StoreFenced(error.cause())),
        AppendError::Discontinuous { .. } => (CommitOutcome::None, StopReason::Internal),
    };
    FailedAppend { outcome, why }
}

fn panicked() -> AppendError {
    AppendError::Store {
        outcome: CommitOutcome::Unknown,
        error: StoreError::new(StoreErrorKind::Io, "append", "the store panicked"),
    }
}
