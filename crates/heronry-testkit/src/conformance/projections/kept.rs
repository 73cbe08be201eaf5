//! The promises of projections over syncs, seals, reopening and damage.

use heronry_store::{ConsumerError, RowRange, StoreErrorKind};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits,
    cursors::{at, consumer},
    otherwise,
    projections::{check, commit, gone, put, step},
    refused, same, syncs,
};

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("projections", sealed),
    case!("projections", gated, Syncs),
    case!("projections", a_delete_is_gated, Syncs),
    case!("projections", fail_stop, Syncs),
    case!("projections", kept, Kept),
    case!(
        "projections",
        a_failed_commit_leaves_rows_and_cursor_together,
        Syncs,
        Kept
    ),
    case!("projections", checked, Damage),
];

/// Bytes that no other row has.
const MARK: [u8; 32] = [0xd7; 32];

/// A pool with four records, and a consumer with two rows.
async fn two_rows(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3, 1]).await?;
    let changes = vec![put("k", "1"), put("l", "2")];
    commit(&writer, "a", step(None, at(1, 1)), changes).await?;
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

fn everything() -> RowRange<'static> {
    RowRange {
        after: None,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    }
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    writer.store.custody.seal("another place").await?;
    let what = "a commit to a sealed store";
    let (projections, name) = (&writer.store.projections, consumer("a")?);
    let step = step(Some(at(1, 1)), at(2, 1));
    let moved = projections.commit(&writer.pool, &name, step, vec![put("k", "3")]);
    check_store_error(what, &refused(what, moved.await)?, StoreErrorKind::Sealed)?;
    check(&writer, "a", Some(at(1, 1)), &["k=1", "l=2"]).await
}

async fn gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    let (projections, name) = (writer.store.projections.clone(), consumer("a")?);
    let hold = syncs(place)?.hold();
    let changes = vec![put("k", "3"), gone("l"), put("m", "4")];
    let mut moved =
        projections.commit(&writer.pool, &name, step(Some(at(1, 1)), at(2, 1)), changes);
    check_waits("the commit", &mut moved)?;
    hold.wait_reached()?;
    check(&writer, "a", Some(at(1, 1)), &["k=1", "l=2"]).await?;
    let m = projections.get(&writer.pool, &name, b"m").await?;
    same("a new row", &m, &None)?;
    hold.release();
    moved.await?;
    check(&writer, "a", Some(at(2, 1)), &["k=3", "m=4"]).await
}

async fn a_delete_is_gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    let (cursors, name) = (writer.store.cursors.clone(), consumer("a")?);
    let hold = syncs(place)?.hold();
    let mut delete = cursors.delete(&writer.pool, &name);
    check_waits("the delete", &mut delete)?;
    hold.wait_reached()?;
    check(&writer, "a", Some(at(1, 1)), &["k=1", "l=2"]).await?;
    hold.release();
    delete.await?;
    check(&writer, "a", None, &[]).await
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    let (projections, name) = (&writer.store.projections, consumer("a")?);
    syncs(place)?.fail_next();
    let next = step(Some(at(1, 1)), at(2, 1));
    let failed = projections.commit(&writer.pool, &name, next, vec![put("k", "3")]);
    let what = "a commit whose sync failed";
    let ConsumerError::Store(_) = refused(what, failed.await)? else {
        return Err(otherwise(what, &"a refusal"));
    };
    let closed = StoreErrorKind::Closed;
    let later = projections.commit(&writer.pool, &name, next, vec![put("k", "3")]);
    check_store_error("a later commit", &refused(what, later.await)?, closed)?;
    let later = projections.get(&writer.pool, &name, b"k").await;
    check_kind("a later read", later, closed)?;
    let later = projections.scan(&writer.pool, &name, everything()).await;
    check_kind("a later scan", later, closed)
}

async fn a_failed_commit_leaves_rows_and_cursor_together(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    syncs(place)?.fail_next();
    let (projections, name) = (&writer.store.projections, consumer("a")?);
    let next = step(Some(at(1, 1)), at(2, 1));
    let changes = vec![put("k", "3"), gone("l")];
    let failed = projections.commit(&writer.pool, &name, next, changes).await;
    refused("a commit whose sync failed", failed)?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let stands = writer.store.cursors.get(&writer.pool, &name).await?;
    match stands {
        Some(stands) if stands == at(2, 1) => check(&writer, "a", Some(stands), &["k=3"]).await,
        stands => check(&writer, "a", stands, &["k=1", "l=2"]).await,
    }
}

async fn kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    let next = step(Some(at(1, 1)), at(3, 1));
    commit(&writer, "a", next, vec![put("l", "3"), put("m", "4")]).await?;
    commit(&writer, "b", step(None, at(1, 1)), vec![put("k", "b")]).await?;
    let b = consumer("b")?;
    writer.store.cursors.delete(&writer.pool, &b).await?;
    drop(writer);
    for _ in 0..2 {
        let writer = CaseWriter::of(&place.open()?, 1).await?;
        check(&writer, "a", Some(at(3, 1)), &["k=1", "l=3", "m=4"]).await?;
        check(&writer, "b", None, &[]).await?;
    }
    Ok(())
}

async fn checked(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = two_rows(place).await?;
    let next = step(Some(at(1, 1)), at(2, 1));
    commit(&writer, "a", next, vec![put("m", MARK)]).await?;
    drop(writer);
    let copies = place.damage(&MARK)?;
    same("whether it was stored", &(copies > 0), &true)?;
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let writer = CaseWriter::of(&store, 1).await?;
    let (projections, name) = (&store.projections, consumer("a")?);
    let corrupt = StoreErrorKind::Corrupt;
    let read = projections.get(&writer.pool, &name, b"m").await;
    check_kind("a damaged row", read, corrupt)?;
    let scan = projections.scan(&writer.pool, &name, everything()).await;
    check_kind("a scan with it", scan, corrupt)?;
    let found = projections.get(&writer.pool, &name, b"k").await?;
    same("another row", &found, &Some(b"1".to_vec()))?;
    store.cursors.delete(&writer.pool, &name).await?;
    check(&writer, "a", None, &[]).await?;
    commit(&writer, "a", step(None, at(0, 1)), vec![put("m", "5")]).await?;
    check(&writer, "a", Some(at(0, 1)), &["m=5"]).await
}
