//! A request within a pool: the pool that its path names, and the identity that it works as.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use heronry_event::filter::{CompileErrors, Filter};
use heronry_pool::{Caller, decide::Command};
use heronry_runtime::Pool;
use heronry_types::{LimitExceeded, LimitName, Millis, PoolId, RunId};
use heronry_wire::ProblemKind;

use crate::{
    app::SharedApp,
    extract::{HeldRoom, Params},
    identity::Identity,
    problems::Refusal,
    shares::{Holder, Share},
    side,
};

/// The number of items of a page without a limit in the request.
const PAGE_DEFAULT: u64 = 100;

/// A request within a pool: the pool that the path names, and who asks.
#[derive(Debug)]
pub(crate) struct PoolRequest {
    pub(crate) app: SharedApp,
    pub(crate) id: PoolId,
    pub(crate) pool: Pool,
    pub(crate) identity: Identity,
    pub(crate) params: Params,
    /// The room for bodies that the request holds.
    held: Option<Arc<HeldRoom>>,
}

/// A call that may wait; it counts as one that does as long as this lives.
#[derive(Debug)]
pub(crate) struct LongPoll {
    /// The longest wait.
    pub(crate) span: Millis,
    _share: Option<Share>,
}

impl FromRequestParts<SharedApp> for PoolRequest {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, Refusal> {
        let identity = Identity::from_request_parts(parts, app).await?;
        let params = Params::from_request_parts(parts, app).await?;
        let id = params.id("pool")?;
        let pool = match &identity {
            Identity::Operator => app.pool(&id).await?,
            // The path names the member's own pool: every other was refused before.
            Identity::Member { pool, .. } => pool.clone(),
        };
        Ok(Self {
            app: SharedApp::clone(app),
            id,
            pool,
            identity,
            params,
            held: parts.extensions.get().cloned(),
        })
    }
}

impl PoolRequest {
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

    /// Returns how long to wait, not at all when nothing is said; a wait over its limit is refused, and
    /// one too many.
    pub(crate) fn within(&self, wait: Option<Millis>) -> Result<LongPoll, Refusal> {
        let Some(wait) = wait.filter(|wait| wait.0 > 0) else {
            return Ok(LongPoll {
                span: Millis(0),
                _share: None,
            });
        };
        let span = self.check(LimitName::LongPollMsMax, wait.0).map(Millis)?;
        let shares = &self.app.long_polls;
        let share = shares.take(&self.holder(), &self.pool.limits(), 1);
        let share = share
            .map_err(|exceeded| Refusal::of_share(exceeded, "wait with fewer calls at once"))?;
        Ok(LongPoll {
            span,
            _share: Some(share),
        })
    }

    /// Returns who holds what this request takes of the pool's shares.
    pub(crate) fn holder(&self) -> Holder {
        Holder {
            pool: self.id.clone(),
            run: self.identity.own_run().cloned(),
        }
    }

    /// Returns how many items to show: as many as asked for, which may not be over the limit, else
    /// a usual number.
    pub(crate) fn page_size(&self, asked: Option<u64>) -> Result<u64, Refusal> {
        match asked {
            Some(asked) => self.check(LimitName::PageItemsMax, asked),
            None => Ok(PAGE_DEFAULT.min(self.limit(LimitName::PageItemsMax))),
        }
    }

    /// Returns a number that is within a limit of the pool.
    fn check(&self, limit: LimitName, actual: u64) -> Result<u64, Refusal> {
        let max = self.limit(limit);
        if actual > max {
            return Err(LimitExceeded::new(limit, max, actual).into());
        }
        Ok(actual)
    }

    /// Returns the value of a limit of the pool. The pool's task is not asked for it: limits are no
    /// secret, and published.
    pub(crate) fn limit(&self, limit: LimitName) -> u64 {
        self.pool.limits().get(limit)
    }

    /// Compiles a filter, beside the pool when that may take long.
    pub(crate) async fn compile(&self, text: &str) -> Result<Filter, CompileErrors> {
        side::compile(&self.app, &self.identity, text).await
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
