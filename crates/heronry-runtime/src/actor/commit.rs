//! One append: everything that was staged, and then the answers.

use heronry_journal::{Chunk, ChunkWriter};
use heronry_pool::engine::Staged;
use heronry_store::{AppendError, Checkpoint, Commit, Guard, Head, Outcome};

use super::{Actor, Flow};
use crate::{
    CallError, StopReason,
    job::{Call, Gated, Handover, Job},
};

/// How many claims are kept in memory before they go to the claims store.
const CLAIMS_RECENT_MAX: usize = 8_192;

impl Actor {
    /// Appends what is staged, and lets the answers out when it is durable.
    pub(super) async fn commit(&mut self, answers: Vec<Box<dyn Gated>>) -> Flow {
        let staged = self.engine.take_staged();
        if staged.records.is_empty() {
            self.release(answers);
            return Flow::Go;
        }
        let appended = match self.encode(&staged) {
            Ok(chunks) => self.append(chunks, &staged).await,
            Err(why) => Err((Outcome::None, why)),
        };
        match appended {
            Ok(head) => {
                self.externalise(head, &staged);
                self.release(answers);
                self.flush_claims().await
            }
            Err((outcome, why)) => {
                self.head_is_final();
                self.fail(answers, (outcome, why));
                Flow::Stop(why)
            }
        }
    }

    /// Closes the queue and then says why: who is told and opens the pool again gets a new one.
    pub(super) fn fail(&self, answers: Vec<Box<dyn Gated>>, (outcome, why): (Outcome, StopReason)) {
        self.queue.close(why);
        for answer in answers {
            answer.fail(CallError::Stopped { outcome, why });
        }
    }

    fn encode(&self, staged: &Staged) -> Result<Vec<Chunk>, StopReason> {
        let state = self.engine.state();
        let recorded_at = state.time();
        let mut writer = ChunkWriter::new(state.epoch(), self.durable, self.last_hash, recorded_at);
        for record in &staged.records {
            writer.push(&record.entry).map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "a staged record does not fit");
                StopReason::Internal
            })?;
        }
        Ok(writer.finish())
    }

    async fn append(
        &self,
        chunks: Vec<Chunk>,
        staged: &Staged,
    ) -> Result<Head, (Outcome, StopReason)> {
        let commit = Commit {
            chunks,
            contents: staged.contents.clone(),
            ..Commit::default()
        };
        let guard = Guard {
            expected_head: self.durable,
            token: self.token,
        };
        self.store
            .journal
            .append(&self.pool, commit, guard)
            .await
            .map_err(|error| {
                tracing::error!(pool = %self.pool, %error, "append failed");
                match error {
                    AppendError::Conflict { .. } | AppendError::Fenced { .. } => {
                        (Outcome::None, StopReason::OwnershipLost)
                    }
                    AppendError::Store { outcome, .. } => (outcome, StopReason::StoreFenced),
                    AppendError::Discontinuous { .. } | _ => (Outcome::None, StopReason::Internal),
                }
            })
    }

    /// Advances the readable head, then rings whoever waits for these records.
    fn externalise(&mut self, head: Head, staged: &Staged) {
        self.durable = head.head;
        self.last_hash = head.last_hash;
        self.head.send_replace(head.head);
        self.waiters.wake_by(&staged.records);
        let (settings, version) = self.engine.state().settings();
        if self.settings_version != version {
            self.settings_version = version;
            self.queue.resize(&settings.limits);
        }
    }

    /// Lets answers out; what nobody took is given back with the next append.
    ///
    /// A receive and its repeat hand the same claims over: one of them is enough.
    fn release(&mut self, held: Vec<Box<dyn Gated>>) {
        let (mut taken, mut unanswered) = (Vec::new(), Vec::new());
        for answer in held {
            match answer.release() {
                Handover::Taken(claims) => taken.extend(claims),
                Handover::Refused(claims) => unanswered.extend(claims),
            }
        }
        unanswered.retain(|claims| !taken.contains(claims));
        for claims in unanswered {
            let (call, _nobody) = Call::new(claims, None);
            let call: Box<dyn Job> = Box::new(call);
            self.pending.push_back(call);
        }
    }

    fn head_is_final(&self) {
        debug_assert!(
            *self.head.borrow() <= self.durable,
            "nothing is shown above the last sync"
        );
    }

    /// Hands claims to the claims store in large sorted runs.
    async fn flush_claims(&mut self) -> Flow {
        if self.engine.recent().len() < CLAIMS_RECENT_MAX {
            return Flow::Go;
        }
        let checkpoint = Checkpoint {
            epoch: self.engine.state().epoch(),
            position: self.durable,
            hash: self.last_hash,
        };
        let run = self.engine.take_claims();
        match self
            .store
            .claims
            .put_run(&self.pool, run, checkpoint, self.token)
            .await
        {
            Ok(()) => Flow::Go,
            Err(error) => {
                tracing::error!(pool = %self.pool, %error, "claims cannot be kept");
                Flow::Stop(StopReason::StoreFenced)
            }
        }
    }
}
