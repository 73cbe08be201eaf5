//! Starting runs: a host starts the run outside, then it joins; when it cannot join, the start is
//! taken back.

use async_trait::async_trait;
use heronry_pool::{Caller, Joined, decide::JoinPool};
use heronry_store::CommitOutcome;
use heronry_types::{EffectOutcome, EffectResult, EffectView, IdempotencyKey, RunId};

use crate::{CallError, EffectError, EffectIntent, Pool};

/// A host that starts runs outside. Pools never start one by themselves: a message to a run that is
/// no member reaches nobody.
#[async_trait]
pub trait RunHost: Send + Sync {
    /// Starts a run. The pool asks before the run is a member.
    ///
    /// # Errors
    /// [`HostError`] when nothing was started.
    async fn start(&self, run: &JoinPool) -> Result<(), HostError>;

    /// Takes a start back: the run could not join.
    ///
    /// # Errors
    /// [`HostError`] when the run goes on.
    async fn stop(&self, run: &JoinPool) -> Result<(), HostError>;
}

/// The reason why a host did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// A run that is to be started.
#[derive(Clone, Debug)]
pub struct StartRun {
    /// The member for which the run is started. `None` for an operator: then nothing is recorded before
    /// the run joins.
    pub by: Option<StartedBy>,
    /// The join of the run.
    pub join: JoinPool,
}

/// The member that has a run started: the start is an effect of its own.
#[derive(Clone, Debug)]
pub struct StartedBy {
    /// The caller that acts for the member.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The idempotency key of the start: with a key the host is asked once.
    pub key: Option<IdempotencyKey>,
}

/// The result of a start.
#[derive(Clone, Debug)]
pub enum Started {
    /// The run is started, and joined.
    Now(Joined),
    /// The run was started and joined before, under this key; it may have left meanwhile.
    Before,
}

/// The error of a start: the run was not started, or is no member.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// The host did not start the run.
    #[error("the host did not start the run: {0}")]
    NotStarted(#[source] HostError),
    /// The run could not join, and the host has taken the start back.
    #[error("the run could not join, and its start was taken back: {0}")]
    RolledBack(#[source] CallError),
    /// The run could not join, and goes on outside: stop it by hand.
    #[error("the run could not join ({join}), and its start could not be taken back: {stop}")]
    NotRolledBack {
        /// The reason why the run could not join.
        join: CallError,
        /// The reason why the run goes on.
        #[source]
        stop: HostError,
    },
    /// The run is started, and nobody knows whether it joined: join it again as the same instance.
    #[error("the run is started, and whether it joined is not known: {0}")]
    Unknown(#[source] CallError),
    /// The run was asked for before under this key, and did not come to be.
    #[error("the run was asked for before under this key, and did not come to be")]
    FailedBefore,
    /// The effect of the start failed. Its error says whether the host was asked.
    #[error(transparent)]
    Effect(#[from] EffectError),
}

impl Pool {
    /// Has a host start a run, then joins the run. When the run cannot join, the start is taken
    /// back. The error says when that fails, too, and when nobody knows whether the run joined.
    ///
    /// For a member the start is an effect: the host is asked once the intent is durable, and the
    /// result of the start is recorded. Under a key the host is asked once. When nobody knows
    /// whether the run joined, the pool has stopped, and the effect is pending.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_run(
        &self,
        host: &dyn RunHost,
        start: StartRun,
    ) -> Result<Started, StartError> {
        let StartRun { by, join } = start;
        let Some(by) = by else {
            let joined = self.start_and_join(host, &join).await;
            return joined.map(Started::Now);
        };
        let intent = EffectIntent {
            caller: by.caller,
            run: by.run,
            what: format!("start and join run {}", join.run),
            key: by.key,
        };
        let mut started = None;
        let answered = &mut started;
        let work = move |_: EffectView| async move {
            let answer = self.start_and_join(host, &join).await;
            let result = result_of(&answer);
            *answered = Some(answer);
            result
        };
        let done = self.effect(intent, work).await;
        match (started, done) {
            // Whatever became of the record, this is what became of the run.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(joined)), Ok(_)) => Ok(Started::Now(joined)),
            (None, Ok(before)) => match before.result.outcome {
                EffectOutcome::Succeeded => Ok(Started::Before),
                EffectOutcome::Failed => Err(StartError::FailedBefore),
            },
        }
    }

    async fn start_and_join(
        &self,
        host: &dyn RunHost,
        join: &JoinPool,
    ) -> Result<Joined, StartError> {
        host.start(join).await.map_err(StartError::NotStarted)?;
        let error = match self.call(join.clone()).await {
            Ok(joined) => return Ok(joined),
            Err(error) => error,
        };
        let is_unknown = matches!(
            error,
            CallError::Stopped {
                outcome: CommitOutcome::Unknown,
                ..
            }
        );
        if is_unknown {
            return Err(StartError::Unknown(error));
        }
        match host.stop(join).await {
            Ok(()) => Err(StartError::RolledBack(error)),
            Err(stop) => Err(StartError::NotRolledBack { join: error, stop }),
        }
    }
}

/// Returns the result that is recorded of a start. The notes are shorter than those recorded of the
/// intent.
fn result_of(answer: &Result<Joined, StartError>) -> EffectResult {
    match answer {
        Ok(_) => EffectResult::succeeded(),
        Err(StartError::NotStarted(_)) => EffectResult::failed().with_note("not started"),
        Err(StartError::RolledBack(_)) => EffectResult::failed().with_note("rolled back"),
        Err(StartError::NotRolledBack { .. }) => {
            EffectResult::failed().with_note("not rolled back")
        }
        Err(StartError::Unknown(_) | StartError::FailedBefore | StartError::Effect(_)) => {
            EffectResult::failed().with_note("not known")
        }
    }
}
