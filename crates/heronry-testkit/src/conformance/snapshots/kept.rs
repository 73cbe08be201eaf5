//! The promises of snapshots over syncs, seals, reopening and damage.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{FutureExt, executor::block_on};
use heronry_store::{Snapshot, StoreErrorKind};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits, on_threads, refused, same,
    snapshots::{check_latest, put, snapshot},
    syncs,
};

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("snapshots", sealed),
    case!("snapshots", a_reader_beside_puts_gets_whole_ones),
    case!("snapshots", gated, Syncs),
    case!("snapshots", fail_stop, Syncs),
    case!(
        "snapshots",
        a_failed_put_leaves_one_or_the_other,
        Syncs,
        Kept
    ),
    case!("snapshots", kept, Kept),
    case!("snapshots", a_delete_is_kept, Kept),
    case!("snapshots", checked, Damage),
];

/// A pool with a chunk of two records, and a snapshot of it.
async fn with_snapshot(place: &dyn StorePlace) -> Result<(CaseWriter, Snapshot), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let snapshot = put(&writer, 1).await?;
    Ok((writer, snapshot))
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, kept) = with_snapshot(place).await?;
    let store = &writer.store;
    store.custody.seal("another place").await?;
    let other = snapshot(2, writer.point()?);
    let put = store.snapshots.put(&writer.pool, other, writer.token);
    check_kind("a put to a sealed store", put.await, StoreErrorKind::Sealed)?;
    let delete = store.snapshots.delete(&writer.pool, writer.token);
    check_kind("a delete in one", delete.await, StoreErrorKind::Sealed)?;
    check_latest("what is kept", &writer, Some(&kept)).await
}

async fn a_reader_beside_puts_gets_whole_ones(place: &dyn StorePlace) -> Result<(), Failure> {
    const PUTS: u8 = 20;
    let (writer, _) = with_snapshot(place).await?;
    let (snapshots, pool, at) = (&writer.store.snapshots, &writer.pool, writer.point()?);
    // Each has another length and other bytes, so that a mixture of two is neither.
    let nth = |number: u8| Snapshot {
        bytes: vec![number; 1 + usize::from(number % 3) * 40_000],
        ..snapshot(number, at)
    };
    snapshots.put(pool, nth(0), writer.token).await?;
    let is_done = AtomicBool::new(false);
    on_threads(3, |thread| {
        if thread == 0 {
            let puts =
                (1..=PUTS).map(|number| block_on(snapshots.put(pool, nth(number), writer.token)));
            let end: Result<Vec<_>, _> = puts.collect();
            is_done.store(true, Ordering::Release);
            return end.map(drop).map_err(Failure::from);
        }
        let mut last = 0;
        loop {
            let was_done = is_done.load(Ordering::Acquire);
            let found = block_on(snapshots.latest(pool))?;
            let number = found.as_ref().map_or(0, |found| found.version >> 20);
            same(
                "a whole one",
                &(found == u8::try_from(number).ok().map(nth)),
                &true,
            )?;
            same("none that is older", &(number >= last), &true)?;
            last = number;
            if was_done {
                return same("the last one", &number, &PUTS.into());
            }
        }
    })
}

async fn gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, first) = with_snapshot(place).await?;
    let snapshots = writer.store.snapshots.clone();
    let second = snapshot(2, writer.point()?);
    let hold = syncs(place)?.hold();
    let mut put = snapshots.put(&writer.pool, second.clone(), writer.token);
    check_waits("the put", &mut put)?;
    hold.wait_reached()?;
    check_latest("before its sync", &writer, Some(&first)).await?;
    hold.release();
    put.await?;
    check_latest("after its sync", &writer, Some(&second)).await?;
    let hold = syncs(place)?.hold();
    let mut delete = snapshots.delete(&writer.pool, writer.token);
    check_waits("the delete", &mut delete)?;
    hold.wait_reached()?;
    check_latest("before the delete's sync", &writer, Some(&second)).await?;
    hold.release();
    delete.await?;
    check_latest("after the delete's sync", &writer, None).await
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let (mut writer, _) = with_snapshot(place).await?;
    let snapshots = writer.store.snapshots.clone();
    let other = || {
        snapshot(
            2,
            writer
                .point()
                .unwrap_or(crate::conformance::keys::checkpoint(1)),
        )
    };
    syncs(place)?.fail_next();
    let failed = snapshots.put(&writer.pool, other(), writer.token).await;
    refused("a put whose sync failed", failed)?;
    let closed = StoreErrorKind::Closed;
    let later = snapshots.put(&writer.pool, other(), writer.token).await;
    check_kind("a later put", later, closed)?;
    let later = snapshots.delete(&writer.pool, writer.token).await;
    check_kind("a later delete", later, closed)?;
    let later = snapshots.latest(&writer.pool).await;
    check_kind("a later read", later.map(drop), closed)?;
    refused("a later append", writer.write(&[1]).await).map(drop)
}

async fn a_failed_put_leaves_one_or_the_other(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, first) = with_snapshot(place).await?;
    let second = snapshot(2, writer.point()?);
    syncs(place)?.fail_next();
    let snapshots = writer.store.snapshots.clone();
    let put = snapshots.put(&writer.pool, second.clone(), writer.token);
    refused("a put whose sync failed", put.await)?;
    drop((writer, snapshots));
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let found = writer.store.snapshots.latest(&writer.pool).await?;
    let is_either = found == Some(first) || found == Some(second);
    same("one or the other", &is_either, &true)?;
    let third = put_again(&writer).await?;
    check_latest("after another put", &writer, Some(&third)).await
}

async fn put_again(writer: &CaseWriter) -> Result<Snapshot, Failure> {
    put(writer, 3).boxed().await
}

async fn kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let (mut writer, _) = with_snapshot(place).await?;
    writer.write(&[3]).await?;
    let large = Snapshot {
        bytes: (0..400_000_u32).map(|byte| (byte % 251) as u8).collect(),
        ..snapshot(2, writer.point()?)
    };
    let snapshots = writer.store.snapshots.clone();
    snapshots
        .put(&writer.pool, large.clone(), writer.token)
        .await?;
    writer.write(&[1]).await?;
    drop((writer, snapshots));
    for _ in 0..2 {
        let writer = CaseWriter::of(&place.open()?, 1).await?;
        check_latest("after reopening", &writer, Some(&large)).await?;
    }
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let small = put(&writer, 3).await?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    check_latest("a smaller one in its place", &writer, Some(&small)).await
}

async fn a_delete_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, _) = with_snapshot(place).await?;
    writer
        .store
        .snapshots
        .delete(&writer.pool, writer.token)
        .await?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    check_latest("after reopening", &writer, None).await
}

async fn checked(place: &dyn StorePlace) -> Result<(), Failure> {
    let (writer, kept) = with_snapshot(place).await?;
    drop(writer);
    let part = kept.bytes.get(..28).unwrap_or_default();
    let copies = place.damage(part)?;
    same("whether it was stored", &(copies > 0), &true)?;
    // Either the store is refused, or the snapshot is, or it is missing.
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let writer = CaseWriter::of(&store, 1).await?;
    match store.snapshots.latest(&writer.pool).await {
        Ok(found) => same("a damaged snapshot", &found.is_some(), &false)?,
        Err(error) => same("its error", &error.kind(), &StoreErrorKind::Corrupt)?,
    }
    let next = put(&writer, 2).await?;
    check_latest("one in its place", &writer, Some(&next)).await?;
    store.snapshots.delete(&writer.pool, writer.token).await?;
    check_latest("after a delete", &writer, None).await
}
