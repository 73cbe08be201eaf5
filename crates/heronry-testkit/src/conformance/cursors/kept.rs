//! The promises of cursors over syncs, seals, reopening and damage.

use heronry_store::{ConsumerError, StoreErrorKind};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits,
    cursors::{at, check, commit, consumer},
    otherwise, refused, same, syncs,
};

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("cursors", sealed),
    case!("cursors", gated, Syncs),
    case!("cursors", fail_stop, Syncs),
    case!(
        "cursors",
        a_failed_commit_leaves_one_or_the_other,
        Syncs,
        Kept
    ),
    case!("cursors", kept, Kept),
    case!("cursors", a_delete_is_kept, Kept),
    case!(
        "cursors",
        what_was_compared_before_reopening_is_compared_after,
        Kept
    ),
    case!("cursors", checked, Damage),
];

/// A pool with four records, and two consumers of it, at its first and its last.
async fn two_consumers(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3, 1]).await?;
    commit(&writer, "a", None, at(1, 0xa1)).await?;
    commit(&writer, "b", None, at(4, 0xb1)).await?;
    Ok(writer)
}

fn check_store_error(
    what: &str,
    error: &ConsumerError,
    kind: StoreErrorKind,
) -> Result<(), Failure> {
    let ConsumerError::Store(error) = error else {
        return Err(otherwise(what, error));
    };
    same(what, &error.kind(), &kind)
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    let store = &writer.store;
    store.custody.seal("another place").await?;
    let (cursors, name) = (&store.cursors, consumer("a")?);
    let what = "a commit to a sealed store";
    let moved = cursors.commit(&writer.pool, &name, Some(at(1, 0xa1)), at(2, 0xa1));
    check_store_error(what, &refused(what, moved.await)?, StoreErrorKind::Sealed)?;
    let delete = cursors.delete(&writer.pool, &name).await;
    check_kind("a delete in one", delete, StoreErrorKind::Sealed)?;
    check(&writer, "a", Some(at(1, 0xa1))).await?;
    same("the list", &cursors.list(&writer.pool).await?.len(), &2)
}

async fn gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    let (cursors, name, new) = (writer.store.cursors.clone(), consumer("a")?, consumer("c")?);
    let hold = syncs(place)?.hold();
    let mut moved = cursors.commit(&writer.pool, &name, Some(at(1, 0xa1)), at(2, 0xa1));
    check_waits("the commit", &mut moved)?;
    hold.wait_reached()?;
    check(&writer, "a", Some(at(1, 0xa1))).await?;
    // Queued behind it, and not yet in any transaction.
    let mut made = cursors.commit(&writer.pool, &new, None, at(0, 0xc1));
    check_waits("another commit", &mut made)?;
    check(&writer, "c", None).await?;
    let listed = cursors.list(&writer.pool).await?;
    let listed: Vec<_> = listed.into_iter().map(|it| it.cursor).collect();
    same("the list", &listed, &vec![at(1, 0xa1), at(4, 0xb1)])?;
    hold.release();
    moved.await?;
    made.await?;
    check(&writer, "a", Some(at(2, 0xa1))).await?;
    check(&writer, "c", Some(at(0, 0xc1))).await?;
    let hold = syncs(place)?.hold();
    let mut delete = cursors.delete(&writer.pool, &name);
    check_waits("the delete", &mut delete)?;
    hold.wait_reached()?;
    check(&writer, "a", Some(at(2, 0xa1))).await?;
    same("the list", &cursors.list(&writer.pool).await?.len(), &3)?;
    hold.release();
    delete.await?;
    check(&writer, "a", None).await
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    let (cursors, name) = (&writer.store.cursors, consumer("a")?);
    syncs(place)?.fail_next();
    let failed = cursors.commit(&writer.pool, &name, Some(at(1, 0xa1)), at(2, 0xa1));
    let what = "a commit whose sync failed";
    let ConsumerError::Store(_) = refused(what, failed.await)? else {
        return Err(otherwise(what, &"a refusal"));
    };
    let closed = StoreErrorKind::Closed;
    let what = "a later commit";
    let later = cursors.commit(&writer.pool, &name, Some(at(1, 0xa1)), at(2, 0xa1));
    check_store_error(what, &refused(what, later.await)?, closed)?;
    let later = cursors.delete(&writer.pool, &name).await;
    check_kind("a later delete", later, closed)?;
    let later = cursors.get(&writer.pool, &name).await;
    check_kind("a later read", later, closed)?;
    let later = cursors.list(&writer.pool).await;
    check_kind("a later list", later, closed)
}

async fn a_failed_commit_leaves_one_or_the_other(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    let name = consumer("a")?;
    syncs(place)?.fail_next();
    let (before, after) = (at(1, 0xa1), at(2, 0xa1));
    let cursors = writer.store.cursors.clone();
    let moved = cursors
        .commit(&writer.pool, &name, Some(before), after)
        .await;
    refused("a commit whose sync failed", moved)?;
    drop((writer, cursors));
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let found = writer.store.cursors.get(&writer.pool, &name).await?;
    let is_either = found == Some(before) || found == Some(after);
    same(&format!("{found:?} is one or the other"), &is_either, &true)?;
    check(&writer, "b", Some(at(4, 0xb1))).await?;
    commit(&writer, "a", found, at(3, 0xa1)).await
}

async fn kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    commit(&writer, "a", Some(at(1, 0xa1)), at(3, 0xa2)).await?;
    drop(writer);
    for _ in 0..2 {
        let writer = CaseWriter::of(&place.open()?, 1).await?;
        check(&writer, "a", Some(at(3, 0xa2))).await?;
        check(&writer, "b", Some(at(4, 0xb1))).await?;
        let listed = writer.store.cursors.list(&writer.pool).await?;
        same("the list", &listed.len(), &2)?;
    }
    Ok(())
}

async fn a_delete_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_consumers(place).await?;
    let cursors = writer.store.cursors.clone();
    cursors.delete(&writer.pool, &consumer("a")?).await?;
    drop((writer, cursors));
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    check(&writer, "a", None).await?;
    check(&writer, "b", Some(at(4, 0xb1))).await
}

async fn what_was_compared_before_reopening_is_compared_after(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    drop(two_consumers(place).await?);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let (cursors, name) = (&writer.store.cursors, consumer("a")?);
    let what = "a commit from where nobody stands";
    let moved = cursors.commit(&writer.pool, &name, None, at(2, 0xa1));
    let error = refused(what, moved.await)?;
    let ConsumerError::Conflict { found } = error else {
        return Err(otherwise(what, &error));
    };
    same("what is there", &found, &Some(at(1, 0xa1)))?;
    commit(&writer, "a", found, at(2, 0xa1)).await
}

async fn checked(place: &dyn StorePlace) -> Result<(), Failure> {
    drop(two_consumers(place).await?);
    // The fingerprint of the first one's filter: no other row has it.
    let copies = place.damage(&[0xa1; 32])?;
    same("whether it was stored", &(copies > 0), &true)?;
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let writer = CaseWriter::of(&store, 1).await?;
    let (cursors, name) = (&store.cursors, consumer("a")?);
    let corrupt = StoreErrorKind::Corrupt;
    check_kind(
        "a damaged cursor",
        cursors.get(&writer.pool, &name).await,
        corrupt,
    )?;
    check_kind("a list with it", cursors.list(&writer.pool).await, corrupt)?;
    let what = "a commit over it";
    let moved = cursors.commit(&writer.pool, &name, Some(at(1, 0xa1)), at(2, 0xa1));
    check_store_error(what, &refused(what, moved.await)?, corrupt)?;
    check(&writer, "b", Some(at(4, 0xb1))).await?;
    cursors.delete(&writer.pool, &name).await?;
    check(&writer, "a", None).await?;
    commit(&writer, "a", None, at(0, 0xa1)).await
}
