//! One call of the resume hook, again until the host has taken it.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use heronry_pool::{Caller, decide::FindWake};
use heronry_types::{Millis, Position};
use tokio::sync::Semaphore;

use super::{EndedWake, NotResumed, ResumeHook, ResumeToken, Resumed};
use crate::{CallError, Pool};

/// The most calls of the hook at the same time.
const CALLS_MAX: usize = 16;
/// The length of the first pause after a failure; each further pause is twice as long.
const PAUSE_FIRST: Millis = Millis(100);
/// The longest pause.
const PAUSE_MAX: Millis = Millis::from_secs(60);

/// The parts that calls of the hook share.
pub(super) struct Calls {
    pool: Pool,
    hook: Arc<dyn ResumeHook>,
    slots: Semaphore,
}

impl Calls {
    pub(super) fn new(pool: Pool, hook: Arc<dyn ResumeHook>) -> Self {
        Self {
            pool,
            hook,
            slots: Semaphore::new(CALLS_MAX),
        }
    }

    /// Tells the host of the end of a wake, until it has taken it. A call that pauses holds no slot.
    pub(super) async fn call(self: Arc<Self>, ended: EndedWake) -> Position {
        let mut pause = PAUSE_FIRST;
        let mut known = None;
        loop {
            match self.attempt(&ended, &mut known).await {
                Ok(()) => return ended.at,
                Err(error) => {
                    tracing::warn!(
                        pool = %self.pool.id(), wake = %ended.wake, %error, "a host is told again"
                    );
                }
            }
            let clock = &self.pool.shared().environment.clock;
            let until = clock.now().monotonic.0.saturating_add(pause.0);
            clock.alarm(Millis(until)).await;
            pause = Millis(pause.0.saturating_mul(2)).min(PAUSE_MAX);
        }
    }

    async fn attempt(
        &self,
        ended: &EndedWake,
        known: &mut Option<Resumed>,
    ) -> Result<(), NotResumed> {
        let failed = |error: &dyn std::fmt::Display| NotResumed(error.to_string());
        let _slot = self.slots.acquire().await.map_err(|error| failed(&error))?;
        let resumed = match known {
            Some(resumed) => resumed,
            None => known.insert(self.look(ended).await.map_err(|error| failed(&error))?),
        };
        // Whatever a hook leaves half done is its own: it is told again.
        let told = AssertUnwindSafe(self.hook.resume(resumed)).catch_unwind();
        told.await.unwrap_or_else(|_| Err(failed(&"it panicked")))
    }

    async fn look(&self, ended: &EndedWake) -> Result<Resumed, CallError> {
        let caller = Caller::Operator;
        let find = FindWake {
            caller: caller.clone(),
            run: Some(ended.run.clone()),
            wake_id: ended.wake.clone(),
        };
        let wake = self.pool.call(find).await?;
        Ok(Resumed {
            pool: self.pool.id().clone(),
            token: ResumeToken {
                registered: self.pool.cursor(ended.registered),
                ended: self.pool.cursor(ended.at),
            },
            wake: self.pool.summed_up(caller, wake).await,
        })
    }
}
