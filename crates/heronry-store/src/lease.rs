//! The leases port: who owns a pool.

use async_trait::async_trait;
use heronry_types::{Millis, PoolId, Timestamp};

use crate::{LeaseError, RenewError, StoreError};

/// A rising number that makes a stale owner harmless.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FencingToken(pub u64);

/// The term that an owner asks for when it has no reason for another: 15 s. An owner renews its lease
/// every third of it, so two renewals in a row may fail.
pub const LEASE_TERM: Millis = Millis(15_000);

/// The number of processes that a store serves, and with it what ends the ownership of a pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sharing {
    /// One process has the store open at a time, and a second opener is refused. Ownership ends with a
    /// release, with a seizure, and with the process; terms are not looked at.
    OneProcess,
    /// Several processes have the store open. The store cannot see that one of them died, so ownership
    /// also ends with its term, by the store's clock, unless it is renewed.
    Shared,
}

impl Sharing {
    /// Returns the name, as `one_process`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneProcess => "one_process",
            Self::Shared => "shared",
        }
    }
}

/// Pool ownership with persisted, rising tokens.
///
/// A token is what makes a stale owner harmless: no clock has to be right for that. A term only says
/// how long others wait for an owner that is silent, measured by the store's clock alone. An owner
/// whose own clock runs too slowly to renew in time loses its pool, and is fenced; nothing worse.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *one owner at a time*: a second one is refused, and told who owns the pool since when.
/// 2. *tokens rise*: each is greater than every one before, and *tokens rise over reopening*.
/// 3. *a seizure fences the owner*: whatever it writes from there on is refused.
/// 4. *a stale release changes nothing*.
/// 5. *a release frees the pool for anybody*; of a store of [one process](Sharing::OneProcess) so does
///    the end of the process.
/// 6. *a refused owner changes nothing*.
/// 7. *pools are owned apart*, and *a pool need not be there*.
/// 8. *a token is given after its sync*, and *a failed sync gives no token*.
/// 9. *a renewal keeps the owner*, and *a stale renewal is refused*.
/// 10. Of a [shared](Sharing::Shared) store: *an owner whose term is over gives way*, by the store's
///     clock; *a renewed lease does not end*; *an owner of before is fenced*, whatever it believes;
///     and *an owner that nobody followed renews late*.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Makes `owner` the owner of a pool and returns its token, greater than every token before.
    ///
    /// The pool need not exist yet. `now` is the wall time that a second owner is told. Ownership ends
    /// as [`Capabilities::sharing`](crate::Capabilities::sharing) says; of a shared store that is at the
    /// latest `term` milliseconds after the store has taken the call in, unless it is renewed.
    ///
    /// # Errors
    /// [`LeaseError::Owned`] while another owner lives.
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
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
        term: Millis,
    ) -> Result<FencingToken, LeaseError>;

    /// Begins the term of an owner again, with this length. An owner that comes late, and that nobody
    /// followed, goes on.
    ///
    /// # Errors
    /// [`RenewError::Lost`] when another owner followed, or the pool was released.
    async fn renew(
        &self,
        pool: &PoolId,
        token: FencingToken,
        term: Millis,
    ) -> Result<(), RenewError>;

    /// Ends ownership. Releasing a token that is not the present one changes nothing.
    ///
    /// # Errors
    /// The store's failure.
    async fn release(&self, pool: &PoolId, token: FencingToken) -> Result<(), StoreError>;
}
