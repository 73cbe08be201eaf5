//! The promises of leases.

pub(super) mod kept;
pub(super) mod shared;

use heronry_store::{FencingToken, LeaseError, Store};

use super::{Case, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("leases", one_owner_at_a_time),
    case!("leases", tokens_rise),
    case!("leases", a_stale_release_changes_nothing),
    case!("leases", tokens_rise_over_reopening, Kept),
];

async fn acquire(store: &Store, owner: &str, at: u64) -> Result<FencingToken, LeaseError> {
    let now = sample::time(at);
    store
        .leases
        .acquire(&sample::pool(1), owner, now, heronry_store::LEASE_TERM)
        .await
}

async fn one_owner_at_a_time(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let first = acquire(&store, "first", 5).await?;
    let error = refused("a second owner", acquire(&store, "second", 6).await)?;
    let LeaseError::Owned { owner, since } = &error else {
        return Err(otherwise("a second owner", &error));
    };
    same("the owner", &owner.as_str(), &"first")?;
    same("since when", since, &sample::time(5))?;
    let (pool, other, now) = (sample::pool(1), sample::pool(2), sample::time(6));
    store
        .leases
        .acquire(&other, "second", now, heronry_store::LEASE_TERM)
        .await?;
    store.leases.release(&pool, first).await?;
    acquire(&store, "second", 7)
        .await
        .map(drop)
        .map_err(Failure::from)
}

async fn tokens_rise(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut last = FencingToken(0);
    for round in 0..4 {
        let acquired = acquire(&store, "first", round).await?;
        let (pool, now) = (sample::pool(1), sample::time(round));
        let seized = store
            .leases
            .seize(&pool, "second", now, heronry_store::LEASE_TERM)
            .await?;
        let rising = last < acquired && acquired < seized;
        same("the tokens rise", &rising, &true)?;
        store.leases.release(&pool, seized).await?;
        last = seized;
    }
    Ok(())
}

async fn a_stale_release_changes_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let pool = sample::pool(1);
    let stale = acquire(&store, "first", 0).await?;
    store
        .leases
        .seize(&pool, "second", sample::time(1), heronry_store::LEASE_TERM)
        .await?;
    store.leases.release(&pool, stale).await?;
    store.leases.release(&sample::pool(9), stale).await?;
    let error = refused("a third owner", acquire(&store, "third", 2).await)?;
    let LeaseError::Owned { owner, .. } = &error else {
        return Err(otherwise("a third owner", &error));
    };
    same("the owner", &owner.as_str(), &"second")
}

async fn tokens_rise_over_reopening(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut last = FencingToken(0);
    for round in 0..3 {
        let store = place.open()?;
        // The owner of before died with its process, without a release.
        let token = acquire(&store, "owner", round).await?;
        same("the token has risen", &(last < token), &true)?;
        last = token;
    }
    Ok(())
}
