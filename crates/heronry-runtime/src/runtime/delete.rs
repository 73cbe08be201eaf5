//! Deleting a pool: it stops first, and takes no more commands.

use heronry_pool::decide::RetirePool;
use heronry_store::{AppendError, CommitOutcome};
use heronry_types::{Cursor, PoolId};

use super::{Runtime, Wanted, stopped};
use crate::{CallError, DeleteError, OpenError, StopReason};

impl Runtime {
    /// Deletes a pool that has no members, with everything that the store keeps of it, and returns
    /// the head that it had.
    ///
    /// The owner of the pool stops first: callers then get [`CallError::Stopped`] with
    /// [`StopReason::Deleting`], and the streams of the pool close. Its exports deliver what was recorded, for as long as
    /// they do at a shutdown. A pool that is made under the
    /// name later is another one, on another timeline. Dropping the future does not stop a deletion
    /// that has begun. After a crash the pool is as it was, or gone.
    ///
    /// # Errors
    /// [`DeleteError`]; inside it the rejections
    /// [`OperatorOnly`](heronry_pool::Rejection::OperatorOnly),
    /// [`HasMembers`](heronry_pool::Rejection::HasMembers) and
    /// [`HeadMoved`](heronry_pool::Rejection::HeadMoved), after which the pool is as it was.
    pub async fn delete(&self, pool: &PoolId, retire: RetirePool) -> Result<Cursor, DeleteError> {
        let (runtime, pool) = (self.clone(), pool.clone());
        let task = tokio::spawn(async move { runtime.delete_now(&pool, &retire).await });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a deletion did not end");
            let (outcome, why) = (CommitOutcome::Unknown, StopReason::Internal);
            Err(OpenError::from(CallError::Stopped { outcome, why }).into())
        })
    }

    async fn delete_now(&self, pool: &PoolId, retire: &RetirePool) -> Result<Cursor, DeleteError> {
        if self
            .environment
            .store
            .journal
            .head(pool)
            .await
            .map_err(OpenError::from)?
            .is_none()
        {
            return Err(OpenError::NotFound.into());
        }
        // Held to the end: nobody opens the pool meanwhile.
        let slot = self.slot(pool).await;
        let mut slot = slot.lock().await;
        let handle = self.running_in(&mut slot, pool, Wanted::There).await?;
        // Asked first, so that a pool which stays does not stop.
        let asked = handle.call(retire.clone()).await;
        asked.map_err(OpenError::from)?;
        handle.shared().exports.stop().await;
        handle.close(StopReason::Deleting);
        let Some(running) = slot.take() else {
            return Err(unfinished(StopReason::Internal));
        };
        let ended = stopped(running).await;
        let ended = ended.ok_or_else(|| unfinished(StopReason::Internal))?;
        if ended.why != StopReason::Deleting {
            return Err(unfinished(ended.why));
        }
        // Somebody may have joined before it stopped: then it is opened again by who asks next.
        let head = retire.check(ended.engine.state());
        let head = head.map_err(|refusal| OpenError::from(CallError::from(refusal)))?;
        self.remove(pool).await?;
        tracing::info!(%pool, %head, "pool deleted");
        Ok(head)
    }

    /// Has the store delete a pool that nobody owns.
    async fn remove(&self, pool: &PoolId) -> Result<(), DeleteError> {
        let environment = &self.environment;
        let (store, now) = (&environment.store, environment.clock.now().wall);
        let acquired = store
            .leases
            .acquire(pool, &environment.owner, now, heronry_store::LEASE_TERM)
            .await;
        let token = acquired.map_err(OpenError::from)?;
        let deleted = store.journal.delete(pool, token).await;
        if let Err(error) = deleted {
            if !is_unknown(&error)
                && let Err(error) = store.leases.release(pool, token).await
            {
                tracing::warn!(%pool, %error, "lease cannot be released");
            }
            return Err(DeleteError::Store { error });
        }
        Ok(())
    }
}

fn is_unknown(error: &AppendError) -> bool {
    matches!(
        error,
        AppendError::Store {
            outcome: CommitOutcome::Unknown,
            ..
        }
    )
}

/// Returns the error of a deletion that deleted nothing, because the pool stopped otherwise.
fn unfinished(why: StopReason) -> DeleteError {
    let outcome = CommitOutcome::None;
    OpenError::from(CallError::Stopped { outcome, why }).into()
}
