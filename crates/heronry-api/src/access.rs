//! The door of one request: who asks, of which pool, what it may take, and what ends its waiting.

use std::{fmt, sync::Arc};

use heronry_event::filter::{CompileErrors, Filter};
use heronry_pool::{Caller, decide::Command};
use heronry_runtime::Pool;
use heronry_store::Clock;
use heronry_types::{LimitExceeded, LimitName, Millis, PoolId, RunId};
use heronry_wire::ProblemKind;

use crate::{
    Api, Identity, Refusal,
    shares::{Holder, Share},
};

/// The number of items of a page without a limit in the request.
const PAGE_DEFAULT: u64 = 100;

/// The part of a surface that wants to know when a request begins to wait: it may hold something that
/// others need meanwhile.
pub trait BeforeWaiting: fmt::Debug + Send + Sync {
    /// Gives back what a request holds that is about to wait. It may be told so again.
    fn release(&self);
}

/// The door of one request: who asks, of which pool, the shares that it may take there, and the switch
/// that ends its waiting. Every use case in a pool is called with one.
#[derive(Clone, Debug)]
pub struct Access {
    api: Api,
    pool: Pool,
    identity: Identity,
    before_waiting: Option<Arc<dyn BeforeWaiting>>,
}

/// A call that may wait; it counts as one that does as long as this lives.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The longest wait.
    pub(crate) span: Millis,
    _share: Option<Share>,
}

impl Access {
    /// Opens the door of a pool to a caller.
    ///
    /// # Errors
    /// [`Refusal`] `pool-not-found` when there is no such pool, or a member names another than its own;
    /// or the failure of the store.
    pub async fn open(api: &Api, identity: &Identity, pool: &PoolId) -> Result<Self, Refusal> {
        let pool = match identity {
            Identity::Operator => api.runtime().find(pool).await?,
            Identity::Member { pool: own, .. } if own.id() == pool => own.clone(),
            Identity::Member { .. } => return Err(Refusal::pool_not_found()),
        };
        Ok(Self {
            api: api.clone(),
            pool,
            identity: identity.clone(),
            before_waiting: None,
        })
    }

    /// Sets what is told before the request waits.
    #[must_use]
    pub fn with_before_waiting(mut self, told: Arc<dyn BeforeWaiting>) -> Self {
        self.before_waiting = Some(told);
        self
    }

    /// Does the last part of an answer of so many items: at once when they are few, else beside the pools
    /// with a permit of who asks.
    pub async fn write<T: Send + 'static>(
        &self,
        items: usize,
        write: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        self.api.write(&self.identity.party(), items, write).await
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        self.api.runtime().clock()
    }

    pub(crate) fn api(&self) -> &Api {
        &self.api
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Returns who asks.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Returns who asks, as the engine calls it.
    pub(crate) fn caller(&self) -> Caller {
        self.identity.caller()
    }

    /// Returns the run that a request names, when the caller may act as it.
    pub(crate) fn acting_as(&self, run: RunId) -> Result<RunId, Refusal> {
        self.identity.acting(Some(run), "run")
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
    pub(crate) fn within(&self, wait: Option<Millis>) -> Result<Waiting, Refusal> {
        let Some(wait) = wait.filter(|wait| wait.0 > 0) else {
            return Ok(Waiting {
                span: Millis(0),
                _share: None,
            });
        };
        let span = self.check(LimitName::LongPollMsMax, wait.0).map(Millis)?;
        let shares = self.api.long_polls();
        let share = shares.take(&self.holder(), &self.pool.limits(), 1);
        let share = share
            .map_err(|exceeded| Refusal::of_share(exceeded, "wait with fewer calls at once"))?;
        Ok(Waiting {
            span,
            _share: Some(share),
        })
    }

    /// Returns who holds what this request takes of the pool's shares.
    pub(crate) fn holder(&self) -> Holder {
        Holder {
            pool: self.pool.id().clone(),
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

    /// Returns the value of a limit of the pool. The pool's actor is not asked for it: limits are no
    /// secret, and published.
    pub(crate) fn limit(&self, limit: LimitName) -> u64 {
        self.pool.limits().get(limit)
    }

    /// Passes on what was made of a request before the engine is asked. The engine refuses those who may
    /// not act any more, with what they asked for; where they are refused before that, they are told first
    /// that they may not act.
    pub(crate) async fn made<T>(&self, made: Result<T, Refusal>) -> Result<T, Refusal> {
        if made.is_err() {
            self.identity.check_standing().await?;
        }
        made
    }

    /// Compiles a filter, beside the pool when that may take long.
    pub(crate) async fn compile(&self, text: &str) -> Result<Filter, CompileErrors> {
        self.api.compile(&self.identity.party(), text).await
    }

    /// Gives back what the surface holds for the request: whoever waits for long holds nothing that others need
    /// meanwhile.
    pub(crate) fn is_to_wait(&self) {
        if let Some(told) = &self.before_waiting {
            told.release();
        }
    }

    /// Waits for an answer, but not longer than the process serves.
    pub(crate) async fn unless_stopped<T, E: Into<Refusal>>(
        &self,
        answer: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Refusal> {
        self.is_to_wait();
        tokio::select! {
            biased;
            answer = answer => answer.map_err(Into::into),
            () = self.api.stop().stopped() => Err(Refusal::of(
                ProblemKind::ShuttingDown,
                "the server is shutting down; wait again when it is back",
            )),
        }
    }
}
