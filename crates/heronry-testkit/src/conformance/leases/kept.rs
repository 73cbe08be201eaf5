//! Further promises of leases: the owners that a seizure fences, and the events that a token outlives.

use heronry_store::{AppendError, ContentPlace, FencingToken, Guard, LeaseError, StoreErrorKind};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits, otherwise, refused, same, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("leases", a_pool_need_not_be_there),
    case!("leases", pools_are_owned_apart),
    case!("leases", a_seizure_fences_the_owner),
    case!("leases", a_seizure_makes_an_owner),
    case!("leases", a_release_frees_the_pool_for_anybody),
    case!("leases", an_owner_has_any_name),
    case!("leases", a_refused_owner_changes_nothing),
    case!("leases", a_token_is_given_after_its_sync, Syncs),
    case!("leases", a_failed_sync_gives_no_token, Syncs),
    case!("leases", a_token_of_before_reopening_is_stale, Kept),
    case!("leases", a_pool_without_a_journal_keeps_its_token, Kept),
];

async fn a_pool_need_not_be_there(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let journal = &writer.store.journal;
    same("the pools", &journal.pools().await?, &Vec::new())?;
    same("the head", &journal.head(&writer.pool).await?, &None)?;
    same("a token", &(writer.token > FencingToken(0)), &true)
}

async fn pools_are_owned_apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 0..10 {
        writers.push(CaseWriter::of(&store, number).await?);
    }
    for writer in writers.iter_mut().step_by(2) {
        writer.lose().await?;
    }
    // Whoever was not seized from still writes.
    for writer in &mut writers {
        writer.write(&[1]).await?;
    }
    same("the pools", &store.journal.pools().await?.len(), &10)
}

async fn a_seizure_fences_the_owner(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let point = writer.point()?;
    let stale = writer.lose().await?;
    let (store, pool) = (&writer.store, &writer.pool);
    let guard = Guard {
        token: stale,
        ..writer.guard()
    };
    let append = writer.attempt(sample::commit(writer.head, 1), guard).await;
    let AppendError::Fenced { held, current } = refused("an append", append)? else {
        return Err(otherwise("an append", &"no fence"));
    };
    same("the tokens", &(held, current), &(stale.0, writer.token.0))?;
    let closed = StoreErrorKind::Closed;
    let (name, body) = (sample::content_ref(1), sample::body(1));
    let put = store.contents.put(pool, name, body, stale).await;
    check_kind("a body", put, closed)?;
    let put = store.keys.put_run(pool, Vec::new(), point, stale).await;
    check_kind("a run of keys", put, closed)?;
    let snapshot = crate::conformance::snapshots::snapshot(1, point);
    let put = store.snapshots.put(pool, snapshot, stale).await;
    check_kind("a snapshot", put, closed)?;
    writer.unchanged().await?;
    let body = store.contents.get(pool, name, ContentPlace::Alone).await?;
    same("the body is there", &body.is_some(), &false)
}

async fn a_seizure_makes_an_owner(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let pool = sample::pool(1);
    let token = store
        .leases
        .seize(
            &pool,
            "the first",
            sample::time(3),
            heronry_store::LEASE_TERM,
        )
        .await?;
    let acquire = store
        .leases
        .acquire(&pool, "another", sample::time(4), heronry_store::LEASE_TERM)
        .await;
    let LeaseError::Owned { owner, since } = refused("a second owner", acquire)? else {
        return Err(otherwise("a second owner", &"no owner"));
    };
    same(
        "the owner",
        &(owner.as_str(), since),
        &("the first", sample::time(3)),
    )?;
    let mut writer = CaseWriter {
        store: store.clone(),
        pool,
        token,
        head: None,
    };
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_release_frees_the_pool_for_anybody(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let pool = sample::pool(1);
    let mut last = FencingToken(0);
    for owner in ["one", "two", "one"] {
        let token = store
            .leases
            .acquire(&pool, owner, sample::time(1), heronry_store::LEASE_TERM)
            .await?;
        same("the token has risen", &(token > last), &true)?;
        store.leases.release(&pool, token).await?;
        // A repeat, when somebody else may own it already, changes nothing.
        store.leases.release(&pool, last).await?;
        last = token;
    }
    Ok(())
}

async fn an_owner_has_any_name(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let long = "x".repeat(10_000);
    for (number, name) in (0..).zip(["", " ", "\u{1F426}\n\0", &long]) {
        let pool = sample::pool(number);
        store
            .leases
            .acquire(&pool, name, sample::time(1), heronry_store::LEASE_TERM)
            .await?;
        let second = store
            .leases
            .acquire(&pool, "second", sample::time(2), heronry_store::LEASE_TERM)
            .await;
        let LeaseError::Owned { owner, .. } = refused("a second owner", second)? else {
            return Err(otherwise("a second owner", &"no owner"));
        };
        same("the name is as it was given", &(owner == name), &true)?;
    }
    Ok(())
}

async fn a_refused_owner_changes_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for round in 0..3 {
        let leases = &writer.store.leases;
        let second = leases
            .acquire(
                &writer.pool,
                "second",
                sample::time(round),
                heronry_store::LEASE_TERM,
            )
            .await;
        refused("a second owner", second)?;
        writer.write(&[1]).await?;
    }
    let (leases, token) = (&writer.store.leases, writer.token);
    leases.release(&writer.pool, token).await?;
    let next = leases
        .acquire(
            &writer.pool,
            "next",
            sample::time(9),
            heronry_store::LEASE_TERM,
        )
        .await?;
    same("the next token", &next, &FencingToken(token.0 + 1))
}

async fn a_token_is_given_after_its_sync(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let pool = sample::pool(1);
    let hold = syncs(place)?.hold();
    let mut acquire =
        store
            .leases
            .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
    check_waits("the owner", &mut acquire)?;
    hold.wait_reached()?;
    check_waits("the owner", &mut acquire)?;
    hold.release();
    acquire.await.map(drop).map_err(Failure::from)
}

async fn a_failed_sync_gives_no_token(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let pool = sample::pool(1);
    syncs(place)?.fail_next();
    let acquire = store
        .leases
        .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await;
    let LeaseError::Store(_) = refused("an owner", acquire)? else {
        return Err(otherwise("an owner", &"another owner"));
    };
    let again = store
        .leases
        .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await;
    let LeaseError::Store(error) = refused("a later owner", again)? else {
        return Err(otherwise("a later owner", &"another owner"));
    };
    same("a later owner", &error.kind(), &StoreErrorKind::Closed)?;
    let release = store.leases.release(&pool, FencingToken(1)).await;
    check_kind("a later release", release, StoreErrorKind::Closed)
}

async fn a_token_of_before_reopening_is_stale(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let stale = writer.token;
    drop(writer);
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let guard = Guard {
        token: stale,
        ..writer.guard()
    };
    let append = writer.attempt(sample::commit(writer.head, 1), guard).await;
    let AppendError::Fenced { .. } = refused("a token of before", append)? else {
        return Err(otherwise("a token of before", &"no fence"));
    };
    writer.unchanged().await?;
    // Giving up what another process owned frees nothing.
    store.leases.release(&writer.pool, stale).await?;
    let second = store
        .leases
        .acquire(
            &writer.pool,
            "second",
            sample::time(1),
            heronry_store::LEASE_TERM,
        )
        .await;
    refused("a second owner", second)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_pool_without_a_journal_keeps_its_token(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..3 {
        writer.lose().await?;
    }
    let before = writer.token;
    drop(writer);
    let store = place.open()?;
    same("the pools", &store.journal.pools().await?, &Vec::new())?;
    let writer = CaseWriter::of(&store, 1).await?;
    same("the token has risen", &(writer.token > before), &true)
}
