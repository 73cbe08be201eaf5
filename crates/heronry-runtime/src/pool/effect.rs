//! Effects: done only after their intent is durable, and journaled when they are.

use std::future::Future;

use heronry_pool::{
    Caller, EffectReport, Rejection,
    decide::{AttemptEffect, IntendEffect, ListEffects, ReportEffect},
};
use heronry_types::{EffectFault, EffectResult, EffectStanding, EffectView, IdempotencyKey, RunId};

use super::Pool;
use crate::CallError;

/// The most effects of one page.
const PAGE: u64 = 100;

/// The error of an effect: it was not done, or is not known to be.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EffectError {
    /// The intent or the attempt was not recorded: the effect was not begun.
    #[error("the effect was not begun: {0}")]
    NotBegun(#[source] CallError),
    /// The effect was done, and its result is not known to be recorded: the effect is pending until
    /// it is resolved.
    #[error("the effect was done, and its result may not be recorded: {0}")]
    Unrecorded(#[source] CallError),
    /// The effect was done, and its result was refused: another attempt or a newer generation has
    /// the effect.
    #[error("the effect was done, and its result was refused: it is {0}")]
    Refused(EffectFault),
    /// The effect was intended before, and nobody has told its end.
    #[error("the effect was intended before and has no result; reconcile it")]
    Pending,
}

/// An effect that a member intends.
#[derive(Clone, Debug)]
pub struct EffectIntent {
    /// The caller that acts for the member.
    pub caller: Caller,
    /// The member.
    pub run: RunId,
    /// The effect in words.
    pub what: String,
    /// The idempotency key: with a key the effect can be repeated without harm, and is done once.
    pub key: Option<IdempotencyKey>,
}

/// An effect that has a result.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EffectDone {
    /// The effect, with its standing.
    pub effect: EffectView,
    /// The result of the effect.
    pub result: EffectResult,
}

/// The treatment of effects whose generation has ended without a result.
pub trait Reconcile: Send + Sync {
    /// Repeats an effect that is safe to repeat. The attempt is recorded, and durable, before.
    fn retry(&self, effect: &EffectView) -> impl Future<Output = EffectResult> + Send;

    /// Finds out the end of an effect that is not safe to repeat; `None` when that stays unknown.
    fn resolve(&self, effect: &EffectView) -> impl Future<Output = Option<EffectResult>> + Send;
}

impl Pool {
    /// Has an effect done by a member: `work` runs once the intent is durable, and not otherwise.
    ///
    /// With a key the effect can be repeated without harm, and is done once: under a key that has a
    /// result already, the result is returned and `work` does not run.
    ///
    /// # Errors
    /// [`EffectError`] says whether `work` has run.
    pub async fn effect<W, F>(
        &self,
        intent: EffectIntent,
        work: W,
    ) -> Result<EffectDone, EffectError>
    where
        W: FnOnce(EffectView) -> F + Send,
        F: Future<Output = EffectResult> + Send,
    {
        let EffectIntent {
            caller,
            run,
            what,
            key,
        } = intent;
        let begin = IntendEffect::new(caller.clone(), run, what, key);
        let started = self.call(begin).await.map_err(EffectError::NotBegun)?;
        if started.repeated {
            let effect = started.effect;
            let result = effect.result.clone().ok_or(EffectError::Pending)?;
            return Ok(EffectDone { effect, result });
        }
        self.attempted(caller, started.effect, work).await
    }

    /// Goes through the effects without a result whose generation has ended: those of a run, or of
    /// every run that the caller sees when none is named. An effect that is safe
    /// to repeat is attempted again; each attempt is journaled before it runs. The hook may tell
    /// the end of any other effect, when the caller is an operator. Returns the effects that have a
    /// result now.
    ///
    /// # Errors
    /// [`EffectError`]; effects before the failing one are reconciled.
    pub async fn reconcile<R: Reconcile>(
        &self,
        caller: Caller,
        run: Option<RunId>,
        hook: &R,
    ) -> Result<Vec<EffectDone>, EffectError> {
        let (mut done, mut after) = (Vec::new(), None);
        loop {
            let list = ListEffects {
                caller: caller.clone(),
                run: run.clone(),
                after,
                max: PAGE,
            };
            let page = self.call(list).await.map_err(EffectError::NotBegun)?;
            for effect in page.effects {
                done.extend(self.reconcile_one(&caller, effect, hook).await?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(done);
            }
        }
    }

    async fn reconcile_one<R: Reconcile>(
        &self,
        caller: &Caller,
        effect: EffectView,
        hook: &R,
    ) -> Result<Option<EffectDone>, EffectError> {
        match effect.standing {
            EffectStanding::Pending | EffectStanding::Finished => Ok(None),
            EffectStanding::RetrySafe => {
                let again = AttemptEffect {
                    caller: caller.clone(),
                    run: effect.run_id.clone(),
                    effect: effect.effect,
                    after: effect.attempts,
                };
                let effect = match self.call(again).await {
                    Ok(effect) => effect,
                    // Somebody else was faster, and has it.
                    Err(CallError::Rejected(
                        Rejection::EffectStale | Rejection::EffectFinished,
                    )) => return Ok(None),
                    Err(error) => return Err(EffectError::NotBegun(error)),
                };
                let retry = |effect: EffectView| async move { hook.retry(&effect).await };
                let done = self.attempted(caller.clone(), effect, retry).await?;
                Ok(Some(done))
            }
            EffectStanding::UnsafePending => {
                let Some(result) = hook.resolve(&effect).await else {
                    return Ok(None);
                };
                let report = self.report(caller.clone(), &effect, (None, result));
                report.await.map(Some)
            }
        }
    }

    async fn attempted<W, F>(
        &self,
        caller: Caller,
        effect: EffectView,
        work: W,
    ) -> Result<EffectDone, EffectError>
    where
        W: FnOnce(EffectView) -> F + Send,
        F: Future<Output = EffectResult> + Send,
    {
        let result = work(effect.clone()).await;
        let attempt = Some(effect.attempts);
        self.report(caller, &effect, (attempt, result)).await
    }

    async fn report(
        &self,
        caller: Caller,
        effect: &EffectView,
        (attempt, result): (Option<u32>, EffectResult),
    ) -> Result<EffectDone, EffectError> {
        let report = ReportEffect {
            caller,
            run: Some(effect.run_id.clone()),
            effect: effect.effect,
            attempt,
            result: result.clone(),
        };
        match self.call(report).await.map_err(EffectError::Unrecorded)? {
            EffectReport::Completed(effect, _) => Ok(EffectDone { effect, result }),
            EffectReport::Refused(fault, _) => Err(EffectError::Refused(fault)),
        }
    }
}
