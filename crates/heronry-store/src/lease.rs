//! The leases port: who owns a pool.

use async_trait::async_trait;
use heronry_types::{PoolId, Timestamp};

use crate::{LeaseError, StoreError};

/// A rising number that makes a stale owner harmless.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FencingToken(pub u64);

/// Pool ownership with persisted, rising tokens.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *one owner at a time*: a second one is refused, and told who owns the pool since when.
/// 2. *tokens rise*: each is greater than every one before, and *tokens rise over reopening*.
/// 3. *a seizure fences the owner*: whatever it writes from there on is refused.
/// 4. *a stale release changes nothing*.
/// 5. *a release frees the pool for anybody*, and so does the end of the process.
/// 6. *a refused owner changes nothing*.
/// 7. *pools are owned apart*, and *a pool need not be there*.
/// 8. *a token is given after its sync*, and *a failed sync gives no token*.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Makes `owner` the owner of a pool and returns its token, greater than every token before.
    ///
    /// The pool need not exist yet. Ownership ends with [`release`](Self::release) or with the process.
    ///
    /// # Errors
    /// [`LeaseError::Owned`] while another owner lives.
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError>;

    /// Takes a pool from whoever owns it: the present owner's appends are refused from here on.
    ///
    /// # Errors
    /// The store's failure.
    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
    ) -> Result<FencingToken, LeaseError>;

    /// Ends ownership. Releasing a token that is not the present one changes nothing.
    ///
    /// # Errors
    /// The store's failure.
    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError>;
}
