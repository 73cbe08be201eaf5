//! Further promises of leases: renewals, and the terms of a store that several processes share.

use heronry_store::{AppendError, Guard, LEASE_TERM, LeaseError, RenewError, Sharing, Store};
use heronry_types::Millis;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("leases", a_renewal_keeps_the_owner),
    case!("leases", a_stale_renewal_is_refused),
    case!("journal", open_to_several, Shared),
    case!("leases", an_owner_whose_term_is_over_gives_way, Shared),
    case!("leases", a_renewed_lease_does_not_end, Shared),
    case!("leases", an_owner_of_before_is_fenced, Shared),
    case!("leases", an_owner_that_nobody_followed_renews_late, Shared),
    case!("leases", a_seized_pool_has_a_term, Shared),
];

/// Has another process acquire the pool of a writer.
async fn follow(store: &Store, writer: &CaseWriter) -> Result<CaseWriter, LeaseError> {
    let (pool, now) = (writer.pool.clone(), sample::time(1));
    let acquire = store.leases.acquire(&pool, "another", now, LEASE_TERM);
    let token = acquire.await?;
    Ok(CaseWriter {
        store: store.clone(),
        pool,
        token,
        head: writer.head,
    })
}

async fn renew(writer: &CaseWriter) -> Result<(), RenewError> {
    let (leases, pool) = (&writer.store.leases, &writer.pool);
    leases.renew(pool, writer.token, LEASE_TERM).await
}

/// Checks that a renewal is refused, because this token is the pool's.
async fn check_lost(writer: &CaseWriter, current: u64) -> Result<(), Failure> {
    let RenewError::Lost { held, current: is } = refused("a renewal", renew(writer).await)? else {
        return Err(otherwise("a renewal", &"a failure"));
    };
    same("the tokens", &(held, is), &(writer.token.0, current))
}

async fn a_renewal_keeps_the_owner(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..3 {
        renew(&writer).await?;
        refused("another", follow(&writer.store, &writer).await)?;
        writer.write(&[1]).await?;
    }
    Ok(())
}

async fn a_stale_renewal_is_refused(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let stale = writer.lose().await?;
    let present = std::mem::replace(&mut writer.token, stale);
    check_lost(&writer, present.0).await?;
    writer.token = present;
    renew(&writer).await?;
    let leases = &writer.store.leases;
    leases.release(&writer.pool, present).await?;
    check_lost(&writer, present.0).await?;
    // A pool that nobody ever owned has no owner to renew.
    writer.pool = sample::pool(9);
    check_lost(&writer, 0).await
}

async fn open_to_several(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    for store in [&one, &other] {
        let sharing = store.journal.capabilities().sharing;
        same("the store", &sharing.name(), &Sharing::Shared.name())?;
    }
    let mut writer = CaseWriter::of(&one, 1).await?;
    let error = refused("another", follow(&other, &writer).await)?;
    let LeaseError::Owned { owner, .. } = &error else {
        return Err(otherwise("another", &error));
    };
    same("the owner", &owner.as_str(), &"a test")?;
    let head = writer.write(&[2]).await?;
    let seen = other.journal.head(&writer.pool).await?;
    same("the head that another sees", &seen, &Some(head))
}

async fn an_owner_whose_term_is_over_gives_way(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    let mut writer = CaseWriter::of(&one, 1).await?;
    writer.write(&[1]).await?;
    place.let_pass(Millis(LEASE_TERM.0 - 1))?;
    refused("another before the end", follow(&other, &writer).await)?;
    place.let_pass(Millis(1))?;
    let mut next = follow(&other, &writer).await?;
    same("the token has risen", &(next.token > writer.token), &true)?;
    next.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_renewed_lease_does_not_end(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    let mut writer = CaseWriter::of(&one, 1).await?;
    for _ in 0..4 {
        place.let_pass(Millis(LEASE_TERM.0 / 2))?;
        renew(&writer).await?;
        refused("another", follow(&other, &writer).await)?;
        writer.write(&[1]).await?;
    }
    place.let_pass(LEASE_TERM)?;
    follow(&other, &writer)
        .await
        .map(drop)
        .map_err(Failure::from)
}

async fn an_owner_of_before_is_fenced(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    let mut writer = CaseWriter::of(&one, 1).await?;
    writer.write(&[1]).await?;
    place.let_pass(LEASE_TERM)?;
    let mut next = follow(&other, &writer).await?;
    let guard = writer.guard();
    let append = writer.attempt(sample::commit(writer.head, 1), guard).await;
    let AppendError::Fenced { held, current } = refused("an append", append)? else {
        return Err(otherwise("an append", &"no fence"));
    };
    same(
        "the tokens",
        &(held, current),
        &(writer.token.0, next.token.0),
    )?;
    check_lost(&writer, next.token.0).await?;
    // It has nothing to give up, and whoever followed goes on.
    one.leases.release(&writer.pool, writer.token).await?;
    refused("a third", follow(&one, &next).await)?;
    let head = next.write(&[1]).await?;
    // It opens again only when the pool is free, and has what was written meanwhile.
    other.leases.release(&next.pool, next.token).await?;
    let again = follow(&one, &next).await?;
    let guard = Guard {
        expected_head: head.head,
        token: again.token,
    };
    let commit = sample::commit(Some(head), 1);
    let append = again.attempt(commit, guard).await;
    append.map(drop).map_err(Failure::from)
}

async fn an_owner_that_nobody_followed_renews_late(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    let mut writer = CaseWriter::of(&one, 1).await?;
    place.let_pass(Millis(LEASE_TERM.0 * 2))?;
    // Nobody followed, so nobody else writes.
    writer.write(&[1]).await?;
    renew(&writer).await?;
    refused("another", follow(&other, &writer).await)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_seized_pool_has_a_term(place: &dyn StorePlace) -> Result<(), Failure> {
    let (one, other) = (place.open()?, place.open()?);
    let mut writer = CaseWriter::of(&one, 1).await?;
    writer.lose().await?;
    refused("another", follow(&other, &writer).await)?;
    place.let_pass(LEASE_TERM)?;
    follow(&other, &writer)
        .await
        .map(drop)
        .map_err(Failure::from)
}
