//! Where in the engine a request works, and as whom.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use heronry_pool::{
    Caller,
    decide::{Command, DescribePool},
};
use heronry_runtime::Pool;
use heronry_types::{LimitExceeded, LimitName, Millis, PoolId, RunId};
use heronry_wire::ProblemKind;

use crate::{
    app::Shared,
    extract::{Held, Params},
    identity::Identity,
    problems::Refusal,
};

/// How many items a page has when nothing is said.
const PAGE_DEFAULT: u64 = 100;

/// The pool that the path names, and who asks.
#[derive(Debug)]
pub(crate) struct At {
    pub(crate) app: Shared,
    pub(crate) id: PoolId,
    pub(crate) pool: Pool,
    pub(crate) identity: Identity,
    pub(crate) params: Params,
    /// What the request holds of the room for bodies.
    held: Option<Arc<Held>>,
}

impl FromRequestParts<Shared> for At {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Refusal> {
        let identity = Identity::from_request_parts(parts, app).await?;
        let params = Params::from_request_parts(parts, app).await?;
        let id = params.id("pool")?;
        let pool = match &identity {
            Identity::Operator => app.pool(&id).await?,
            // The path names the member's own pool: every other was refused before.
            Identity::Member { pool, .. } => pool.clone(),
        };
        Ok(Self {
            app: Shared::clone(app),
            id,
            pool,
            identity,
            params,
            held: parts.extensions.get().cloned(),
        })
    }
}

impl At {
    /// Returns who asks, as the engine calls it.
    pub(crate) fn caller(&self) -> Caller {
        self.identity.caller()
    }

    /// Returns the run that the path names, when the caller may act as it.
    pub(crate) fn path_run(&self) -> Result<RunId, Refusal> {
        let named = self.params.id("run")?;
        self.identity.acting(Some(named), "run")
    }

    /// Asks the engine.
    pub(crate) async fn call<C: Command + Sync>(&self, command: C) -> Result<C::Answer, Refusal>
    where
        C::Answer: Sync,
    {
        Ok(self.pool.call(command).await?)
    }

    /// Returns how long to wait, not at all when nothing is said; a wait over its limit is refused.
    pub(crate) async fn within(&self, wait: Option<Millis>) -> Result<Millis, Refusal> {
        let Some(wait) = wait.filter(|wait| wait.0 > 0) else {
            return Ok(Millis(0));
        };
        self.check(LimitName::LongPollMsMax, wait.0)
            .await
            .map(Millis)
    }

    /// Returns how many items to show: as many as asked for, which may not be over the limit, else
    /// a usual number.
    pub(crate) async fn page_size(&self, asked: Option<u64>) -> Result<u64, Refusal> {
        match asked {
            Some(asked) => self.check(LimitName::PageItemsMax, asked).await,
            None => Ok(PAGE_DEFAULT.min(self.limit(LimitName::PageItemsMax).await?)),
        }
    }

    /// Returns a number that is within a limit of the pool.
    async fn check(&self, limit: LimitName, actual: u64) -> Result<u64, Refusal> {
        let max = self.limit(limit).await?;
        if actual > max {
            return Err(LimitExceeded::new(limit, max, actual).into());
        }
        Ok(actual)
    }

    /// Returns the value of a limit of the pool.
    pub(crate) async fn limit(&self, limit: LimitName) -> Result<u64, Refusal> {
        // Limits are no secret, and a repeat of an older joining has to get past them.
        let caller = Caller::Operator;
        Ok(self.call(DescribePool { caller }).await?.limits.get(limit))
    }

    /// Waits for an answer, but not longer than the server serves.
    pub(crate) async fn unless_stopped<T, E: Into<Refusal>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Refusal> {
        // Whoever waits for long holds no room that others need meanwhile.
        if let Some(held) = &self.held {
            held.release();
        }
        tokio::select! {
            biased;
            answer = answer => answer.map_err(Into::into),
            () = self.app.stop.stopped() => Err(Refusal::of(
                ProblemKind::ShuttingDown,
                "the server is shutting down; wait again when it is back",
            )),
        }
    }
}
