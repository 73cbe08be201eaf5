//! The promise of a reservation: a pool that a move brings is nobody's before the move is complete.

use std::collections::BTreeSet;

use heronry_store::{Arrival, Commit, LeaseError, MoveRoute, Reservation, Store, StoreErrorKind};
use heronry_types::PoolId;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", reserved),
    case!("journal", a_reservation_is_replaced_and_comes_off),
    case!("journal", a_reservation_is_kept, Kept),
    case!("journal", a_sealed_store_takes_no_reservation),
    case!("journal", what_arrived_of_a_pool_is_deleted),
];

fn route(from: &str) -> MoveRoute {
    MoveRoute {
        from: from.to_owned(),
        to: "this place".to_owned(),
    }
}

fn reservation(from: &str, pools: &[u64]) -> Reservation {
    Reservation {
        route: route(from),
        pools: pools.iter().copied().map(sample::pool).collect(),
    }
}

/// Checks that nobody acquires a pool, and that the move is named.
async fn check_reserved(store: &Store, pool: &PoolId) -> Result<(), Failure> {
    let what = "a lease of a pool that is reserved";
    let acquire = store
        .leases
        .acquire(pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await;
    let LeaseError::Reserved { route: found } = refused(what, acquire)? else {
        return Err(otherwise(what, &"another refusal"));
    };
    same(what, &found, &route("one place"))
}

async fn reserved(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.write(&[2]).await?;
    store.leases.release(&writer.pool, writer.token).await?;
    let custody = &store.custody;
    same("a fresh store", &custody.reserved().await?, &None)?;
    let one = reservation("one place", &[1, 2]);
    custody.reserve(&one).await?;
    same("the reservation", &custody.reserved().await?, &Some(one))?;
    for number in [1, 2] {
        check_reserved(&store, &sample::pool(number)).await?;
    }
    // Others are as they were, and the move itself seizes.
    CaseWriter::of(&store, 3).await?.write(&[1]).await?;
    let (pool, time) = (sample::pool(2), sample::time(0));
    let token = store
        .leases
        .seize(&pool, "the move", time, heronry_store::LEASE_TERM)
        .await?;
    store.leases.release(&pool, token).await?;
    check_reserved(&store, &pool).await?;
    custody.unreserve().await?;
    same("no reservation", &custody.reserved().await?, &None)?;
    for number in [1, 2] {
        CaseWriter::of(&store, number).await?.write(&[1]).await?;
    }
    Ok(())
}

async fn a_reservation_is_replaced_and_comes_off(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let custody = &store.custody;
    custody.unreserve().await?;
    for pools in [&[1, 2][..], &[2, 3]] {
        let next = reservation("one place", pools);
        custody.reserve(&next).await?;
        same("the reservation", &custody.reserved().await?, &Some(next))?;
    }
    check_reserved(&store, &sample::pool(3)).await?;
    CaseWriter::of(&store, 1).await?.write(&[1]).await?;
    custody.unreserve().await?;
    custody.unreserve().await?;
    same("no reservation", &custody.reserved().await?, &None)
}

async fn a_reservation_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let one = reservation("one place", &[1, 2]);
    store.custody.reserve(&one).await?;
    drop(store);
    let store = place.open()?;
    same("it", &store.custody.reserved().await?, &Some(one))?;
    check_reserved(&store, &sample::pool(2)).await?;
    let pools: BTreeSet<PoolId> = store.journal.pools().await?.into_iter().collect();
    same("the pools", &pools, &BTreeSet::new())?;
    store.custody.unreserve().await?;
    drop(store);
    let store = place.open()?;
    same("it came off", &store.custody.reserved().await?, &None)
}

async fn a_sealed_store_takes_no_reservation(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    store.custody.seal("another place").await?;
    let what = "a reservation in a sealed store";
    let one = reservation("one place", &[1]);
    let error = refused(what, store.custody.reserve(&one).await)?;
    same(what, &error.kind(), &StoreErrorKind::Sealed)?;
    store.custody.unseal().await?;
    same("none", &store.custody.reserved().await?, &None)
}

async fn what_arrived_of_a_pool_is_deleted(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let part = Commit {
        arrival: Arrival::Part,
        ..sample::commit(None, 3)
    };
    writer.append(part).await?;
    let (pool, token) = (writer.pool.clone(), writer.token);
    store.journal.delete(&pool, token).await?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.head = None;
    writer.write(&[1]).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 1)])
}
