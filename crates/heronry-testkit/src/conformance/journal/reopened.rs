//! Further promises over reopening, openers and failed syncs.

use futures::FutureExt;
use heronry_store::{AppendError, Arrival, Commit, CommitOutcome, Guard, StoreErrorKind};
use heronry_types::Position;

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits, otherwise, refused, same, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", an_empty_store_is_kept, Kept),
    case!("journal", what_was_refused_is_not_kept, Kept),
    case!("journal", appends_go_on_over_many_reopenings, Kept),
    case!("journal", pools_are_apart_over_reopening, Kept),
    case!("journal", an_arrival_goes_on_over_a_reopening, Kept),
    case!("journal", a_refused_opener_changes_nothing, Exclusive),
    case!(
        "journal",
        a_place_is_held_until_its_last_clone_is_gone,
        Exclusive
    ),
    case!("journal", a_first_append_is_not_seen_before_its_sync, Syncs),
    case!("journal", a_failed_sync_closes_every_pool, Syncs),
    case!("journal", a_failed_trim_closes_the_store, Syncs),
    case!(
        "journal",
        a_place_opens_again_after_a_failed_sync,
        Syncs,
        Kept
    ),
    case!(
        "journal",
        what_nobody_waits_for_is_kept_all_the_same,
        Syncs,
        Kept
    ),
];

async fn an_empty_store_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    for _ in 0..3 {
        let store = place.open()?;
        same("the pools", &store.journal.pools().await?, &Vec::new())?;
        same("no seal", &store.custody.sealed().await?, &None)?;
    }
    Ok(())
}

async fn what_was_refused_is_not_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let head = writer.write(&[2]).await?;
    let guard = Guard {
        expected_head: Position(9),
        ..writer.guard()
    };
    refused(
        "a conflict",
        writer.attempt(sample::commit(writer.head, 1), guard).await,
    )?;
    refused(
        "no chunk",
        writer.attempt(Commit::default(), writer.guard()).await,
    )?;
    let other = CaseWriter::of(&writer.store, 2).await?;
    let late = sample::commit(Some(head), 1);
    refused(
        "a late first chunk",
        other.attempt(late, other.guard()).await,
    )?;
    drop((writer, other));
    let store = place.open()?;
    same(
        "the pools",
        &store.journal.pools().await?,
        &vec![sample::pool(1)],
    )?;
    let writer = CaseWriter::of(&store, 1).await?;
    same("the head", &writer.head, &Some(head))?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2)])
}

async fn appends_go_on_over_many_reopenings(place: &dyn StorePlace) -> Result<(), Failure> {
    const ROUNDS: u64 = 6;
    for round in 1..=ROUNDS {
        let mut writer = CaseWriter::of(&place.open()?, 1).await?;
        let head = writer.head.map_or(0, |head| head.head.0);
        same("the head that is found", &head, &((round - 1) * 3))?;
        writer.write(&[2, 1]).await?;
    }
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    let expected = (0..ROUNDS).flat_map(|n| [(n * 3 + 1, n * 3 + 2), (n * 3 + 3, n * 3 + 3)]);
    same("the chunks", &spans, &expected.collect())
}

async fn pools_are_apart_over_reopening(place: &dyn StorePlace) -> Result<(), Failure> {
    for round in 1..=3 {
        let store = place.open()?;
        // Each round has one pool more, so that numbers are given anew after each opening.
        for number in 0..round {
            let mut writer = CaseWriter::of(&store, number).await?;
            writer.write(&[number + 1]).await?;
        }
    }
    let store = place.open()?;
    for number in 0..3 {
        let head = store.journal.head(&sample::pool(number)).await?;
        let expected = (3 - number) * (number + 1);
        same(
            "the head of a pool",
            &head.map(|head| head.head.0),
            &Some(expected),
        )?;
    }
    Ok(())
}

async fn an_arrival_goes_on_over_a_reopening(place: &dyn StorePlace) -> Result<(), Failure> {
    let part = |head| Commit {
        arrival: Arrival::Part,
        ..sample::commit(head, 2)
    };
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let arrived = writer.append(part(None)).await?;
    drop(writer);
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    // Whoever knows how far it came goes on; everybody else sees nothing.
    same("the head that is seen", &writer.head, &None)?;
    writer.head = Some(arrived);
    writer.append(part(writer.head)).await?;
    same("the pools", &store.journal.pools().await?, &Vec::new())?;
    writer.write(&[1]).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 4), (5, 5)])
}

async fn a_refused_opener_changes_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..3 {
        let opened = place.open().map(drop);
        check_kind("a second opener", opened, StoreErrorKind::Locked)?;
        writer.write(&[1]).await?;
        writer.unchanged().await?;
    }
    Ok(())
}

async fn a_place_is_held_until_its_last_clone_is_gone(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let store = place.open()?;
    let (clone, journal) = (store.clone(), store.journal.clone());
    drop(store);
    let locked = StoreErrorKind::Locked;
    check_kind("beside a clone", place.open().map(drop), locked)?;
    drop(clone);
    check_kind("beside one port", place.open().map(drop), locked)?;
    drop(journal);
    place.open().map(drop).map_err(Failure::from)
}

async fn a_first_append_is_not_seen_before_its_sync(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let (store, pool) = (writer.store.clone(), writer.pool.clone());
    let hold = syncs(place)?.hold();
    let mut append = writer.write(&[2]).boxed();
    check_waits("the append", &mut append)?;
    hold.wait_reached()?;
    same("the pools", &store.journal.pools().await?, &Vec::new())?;
    same("the head", &store.journal.head(&pool).await?, &None)?;
    let read = store.journal.read(&pool, Position::ZERO, 1).await;
    refused("a read", read.map(|page| page.head))?;
    hold.release();
    append.await?;
    same("the pools", &store.journal.pools().await?, &vec![pool])
}

async fn a_failed_sync_closes_every_pool(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (mut one, mut two) = (
        CaseWriter::of(&store, 1).await?,
        CaseWriter::of(&store, 2).await?,
    );
    two.write(&[1]).await?;
    syncs(place)?.fail_next();
    refused("a failed sync", one.write(&[1]).await)?;
    let late = refused("another pool's append", two.write(&[1]).await)?;
    let AppendError::Store { outcome, error } = late else {
        return Err(otherwise("another pool's append", &late));
    };
    let closed = StoreErrorKind::Closed;
    same(
        "its end",
        &(outcome, error.kind()),
        &(CommitOutcome::None, closed),
    )?;
    check_kind("its head", store.journal.head(&two.pool).await, closed)?;
    check_kind("a seal", store.custody.seal("another place").await, closed)?;
    check_kind("no seal", store.custody.unseal().await, closed)?;
    check_kind("the seal", store.custody.sealed().await, closed)
}

async fn a_failed_trim_closes_the_store(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1, 1, 1]).await?;
    let journal = writer.store.journal.clone();
    syncs(place)?.fail_next();
    let trim = sample::trim(&*journal, &writer.pool, Position(3), writer.token).await;
    let error = refused("a trim whose sync failed", trim)?;
    let AppendError::Store { outcome, .. } = error else {
        return Err(otherwise("a trim whose sync failed", &error));
    };
    same("its outcome", &outcome, &CommitOutcome::Unknown)?;
    let head = journal.head(&writer.pool).await;
    check_kind("a later head", head, StoreErrorKind::Closed)
}

async fn a_place_opens_again_after_a_failed_sync(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let before = writer.write(&[2]).await?;
    for _ in 0..3 {
        syncs(place)?.fail_next();
        refused("a failed sync", writer.write(&[1]).await)?;
        drop(writer);
        writer = CaseWriter::of(&place.open()?, 1).await?;
        let head = writer.head.map_or(0, |head| head.head.0);
        same("nothing is lost", &(head >= before.head.0), &true)?;
        writer.unchanged().await?;
    }
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn what_nobody_waits_for_is_kept_all_the_same(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let hold = syncs(place)?.hold();
    let mut append = writer
        .attempt(sample::commit(None, 3), writer.guard())
        .boxed();
    check_waits("the append", &mut append)?;
    hold.wait_reached()?;
    // The caller gives up while its append is being synced.
    drop(append);
    hold.release();
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 3)])
}
