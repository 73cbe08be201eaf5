//! The promises of a seal: a store whose pools went elsewhere is read, and not written.

use heronry_store::{AppendError, CommitOutcome, LeaseError, StoreErrorKind};
use heronry_types::Position;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", sealed),
    case!("journal", a_seal_is_replaced_and_comes_off),
    case!("journal", a_seal_is_kept, Kept),
];

fn check_unwritten(what: &str, error: &AppendError) -> Result<(), Failure> {
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise(what, error));
    };
    let expected = (CommitOutcome::None, StoreErrorKind::Sealed);
    same(what, &(*outcome, error.kind()), &expected)
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let head = writer.write(&[2]).await?;
    let (journal, custody) = (&store.journal, &store.custody);
    custody.seal("another place").await?;

    let what = "an append to a sealed store";
    let next = sample::commit(writer.head, 1);
    let append = writer.attempt(next, writer.guard()).await;
    check_unwritten(what, &refused(what, append)?)?;
    let what = "a trim of a sealed store";
    let trim = sample::trim(&**journal, &writer.pool, Position(1), writer.token).await;
    check_unwritten(what, &refused(what, trim)?)?;
    let what = "a body for a sealed store";
    let (name, body) = (sample::content_ref(1), sample::body(1));
    let contents = &store.contents;
    let put = contents.put(&writer.pool, name, body, writer.token).await;
    same(what, &refused(what, put)?.kind(), &StoreErrorKind::Sealed)?;
    let what = "a lease of a sealed store";
    let (pool, time) = (sample::pool(2), sample::time(0));
    let acquire = store
        .leases
        .acquire(&pool, "a test", time, heronry_store::LEASE_TERM)
        .await;
    let LeaseError::Store(error) = refused(what, acquire)? else {
        return Err(otherwise(what, &"ownership"));
    };
    same(what, &error.kind(), &StoreErrorKind::Sealed)?;

    writer.unchanged().await?;
    store.leases.release(&writer.pool, writer.token).await?;
    same("the head", &journal.head(&writer.pool).await?, &Some(head))?;
    let pools = journal.pools().await?;
    same("the pools", &pools, &vec![writer.pool.clone()])?;
    // What was given up while the store was sealed is free afterwards.
    custody.unseal().await?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_seal_is_replaced_and_comes_off(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let custody = &store.custody;
    same("a fresh store", &custody.sealed().await?, &None)?;
    custody.unseal().await?;
    for moved_to in ["another place", "a third place"] {
        custody.seal(moved_to).await?;
        let seal = Some(moved_to.to_owned());
        same("the seal", &custody.sealed().await?, &seal)?;
    }
    custody.unseal().await?;
    same("no seal", &custody.sealed().await?, &None)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_seal_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    writer.store.custody.seal("another place").await?;
    writer.store.custody.unseal().await?;
    drop(writer);
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    writer.store.custody.seal("another place").await?;
    drop(writer);
    for _ in 0..2 {
        let error = refused("opening a sealed store", place.open())?;
        same("its refusal", &error.kind(), &StoreErrorKind::Sealed)?;
        let names_it = error.to_string().contains("another place");
        same("whether it says where the pools are", &names_it, &true)?;
    }
    Ok(())
}
