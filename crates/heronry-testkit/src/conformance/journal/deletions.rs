//! The promise of a deletion: a pool is all there or gone, through every port.

use std::collections::HashMap;

use futures::FutureExt;
use heronry_store::{
    AppendError, CommitOutcome, ContentPlace, Guard, ReadError, Store, StoreErrorKind,
};
use heronry_types::{PoolId, Position};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_waits, cursors, keys, otherwise, refused, same,
    snapshots, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", deleted),
    case!("journal", begun_anew),
    case!("journal", a_deletion_needs_the_last_token),
    case!("journal", a_deletion_of_nothing_is_said),
    case!("journal", a_deletion_leaves_other_pools),
    case!("journal", a_deletion_is_kept, Kept),
    case!("journal", a_pool_that_is_deleted_can_begin_at_once, Kept),
    case!("journal", tokens_rise_over_deletions, Kept),
    case!("journal", a_deletion_is_seen_after_its_sync, Syncs),
    case!(
        "journal",
        a_failed_deletion_leaves_all_or_nothing,
        Syncs,
        Kept
    ),
    case!("journal", a_sealed_store_deletes_nothing),
];

/// The number of chunks of a full pool: more than are removed at once.
const CHUNKS: usize = 1_500;

/// A pool that has something behind every port.
async fn full(store: &Store, number: u64) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(store, number).await?;
    let mut commit = sample::chunks(None, &[2, 1]);
    commit.contents = vec![sample::content(1)];
    writer.append(commit).await?;
    writer.write(&[1; CHUNKS]).await?;
    let contents = &store.contents;
    let (name, body) = (sample::content_ref(2), sample::body(2));
    contents.put(&writer.pool, name, body, writer.token).await?;
    keys::put_keys(&writer, 3).await?;
    snapshots::put(&writer, 1).await?;
    cursors::commit(&writer, "a", None, cursors::at(1, 0xa1)).await?;
    Ok(writer)
}

async fn delete(writer: &CaseWriter) -> Result<(), AppendError> {
    let journal = &writer.store.journal;
    journal.delete(&writer.pool, writer.token).await
}

/// Checks that nothing of a pool is seen through any port.
async fn check_gone(store: &Store, pool: &PoolId) -> Result<(), Failure> {
    same("the head", &store.journal.head(pool).await?, &None)?;
    let listed = store.journal.pools().await?.contains(pool);
    same("whether it is listed", &listed, &false)?;
    let read = store.journal.read(pool, Position::ZERO, usize::MAX).await;
    let error = refused("reading it", read)?;
    let ReadError::NoPool = error else {
        return Err(otherwise("reading it", &error));
    };
    let contents = &store.contents;
    for (number, place) in [
        (1, ContentPlace::With(Position(1))),
        (2, ContentPlace::Alone),
    ] {
        let found = contents
            .get(pool, sample::content_ref(number), place)
            .await?;
        same("a body", &found.is_some(), &false)?;
    }
    let with = contents.list_with(pool, Position::ZERO, usize::MAX).await?;
    let alone = contents.list_alone(pool, None, usize::MAX).await?;
    same("listed bodies", &(with.len(), alone.len()), &(0, 0))?;
    let keys = keys::keys()?;
    let found = store.keys.find(pool, &keys).await?;
    same("keys", &found.iter().flatten().count(), &0)?;
    same(
        "their checkpoint",
        &store.keys.checkpoint(pool).await?,
        &None,
    )?;
    let snapshot = store.snapshots.latest(pool).await?;
    same("a snapshot", &snapshot.is_some(), &false)?;
    same("consumers", &store.cursors.list(pool).await?.len(), &0)?;
    let consumer = cursors::consumer("a")?;
    same(
        "a consumer",
        &store.cursors.get(pool, &consumer).await?,
        &None,
    )
}

/// Checks that a pool has all that a full one has.
async fn check_whole(store: &Store, pool: &PoolId) -> Result<(), Failure> {
    let head = store.journal.head(pool).await?.map(|head| head.head.0);
    same("the head", &head, &Some(3 + CHUNKS as u64))?;
    let page = store.journal.read(pool, Position::ZERO, usize::MAX).await?;
    same("its chunks", &page.chunks.len(), &(2 + CHUNKS))?;
    let contents = &store.contents;
    let with = contents.list_with(pool, Position::ZERO, usize::MAX).await?;
    let alone = contents.list_alone(pool, None, usize::MAX).await?;
    same("its bodies", &(with.len(), alone.len()), &(1, 1))?;
    let found = store.keys.find(pool, &keys::keys()?).await?;
    same("its keys", &found.iter().flatten().count(), &6)?;
    let snapshot = store.snapshots.latest(pool).await?;
    same("its snapshot", &snapshot.is_some(), &true)?;
    same("its consumers", &store.cursors.list(pool).await?.len(), &1)
}

async fn deleted(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = full(&store, 1).await?;
    check_whole(&store, &writer.pool).await?;
    let journal = store.journal.clone();
    let watched = writer.pool.clone();
    let mut watch = journal.watch(&watched, Position(u64::MAX - 1)).boxed();
    check_waits("a watch of it", &mut watch)?;
    delete(&writer).await?;
    watch.await?;
    check_gone(&store, &writer.pool).await?;
    // Who owned it owns it no more, and writes nothing.
    let what = "an append of its last owner";
    let guard = Guard {
        expected_head: Position::ZERO,
        ..writer.guard()
    };
    let append = writer.attempt(sample::commit(None, 1), guard).await;
    let error = refused(what, append)?;
    let AppendError::Fenced { .. } = error else {
        return Err(otherwise(what, &error));
    };
    let (name, body) = (sample::content_ref(3), sample::body(3));
    let put = store.contents.put(&writer.pool, name, body, writer.token);
    refused("a body of its last owner", put.await)?;
    let again = refused("a repeat", delete(&writer).await)?;
    let is_refused = matches!(
        again,
        AppendError::Fenced { .. }
            | AppendError::Store {
                outcome: CommitOutcome::None,
                ..
            }
    );
    same("how a repeat is refused", &is_refused, &true)?;
    check_gone(&store, &writer.pool).await
}

async fn begun_anew(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = full(&store, 1).await?;
    delete(&writer).await?;
    let mut next = CaseWriter::of(&store, 1).await?;
    let rises = next.token > writer.token;
    same("the token has risen", &rises, &true)?;
    check_gone(&store, &next.pool).await?;
    next.write(&[1, 1]).await?;
    same(
        "its chunks",
        &next.chunks(0, usize::MAX).await?,
        &vec![(1, 1), (2, 2)],
    )?;
    let consumers = store.cursors.list(&next.pool).await?;
    same("its consumers", &consumers.len(), &0)?;
    let alone = store.contents.list_alone(&next.pool, None, usize::MAX);
    same("its bodies", &alone.await?.len(), &0)?;
    let name = sample::content_ref(1);
    let with = ContentPlace::With(Position(1));
    let body = store.contents.get(&next.pool, name, with).await?;
    same("a body of before", &body.is_some(), &false)?;
    let found = store.keys.find(&next.pool, &keys::keys()?).await?;
    same("its keys", &found.iter().flatten().count(), &0)?;
    snapshots::check_latest("its snapshot", &next, None).await?;
    // What is put there from now on is its own.
    cursors::commit(&next, "a", None, cursors::at(1, 0xa1)).await?;
    keys::put_keys(&next, 2).await.map(drop)
}

async fn a_deletion_needs_the_last_token(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = full(&store, 1).await?;
    let stale = writer.lose().await?;
    let what = "a deletion with a stale token";
    let error = refused(what, store.journal.delete(&writer.pool, stale).await)?;
    let AppendError::Fenced { held, .. } = error else {
        return Err(otherwise(what, &error));
    };
    same("the stale token", &held, &stale.0)?;
    check_whole(&store, &writer.pool).await
}

async fn a_deletion_of_nothing_is_said(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = CaseWriter::of(&store, 1).await?;
    let what = "a deletion of a pool without a journal";
    let error = refused(what, delete(&writer).await)?;
    let AppendError::Store {
        outcome: CommitOutcome::None,
        error,
    } = error
    else {
        return Err(otherwise(what, &error));
    };
    same(what, &error.kind(), &StoreErrorKind::NotFound)
}

async fn a_deletion_leaves_other_pools(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 1..=3 {
        writers.push(full(&store, number).await?);
    }
    let [before, writer, after] = &mut writers[..] else {
        return Err(Failure::new("there are three pools"));
    };
    delete(writer).await?;
    check_gone(&store, &writer.pool).await?;
    for other in [before, after] {
        check_whole(&store, &other.pool).await?;
        other.write(&[1]).await?;
    }
    Ok(())
}

async fn a_deletion_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (writer, other) = (full(&store, 1).await?, full(&store, 2).await?);
    delete(&writer).await?;
    let (gone, there, token) = (writer.pool.clone(), other.pool.clone(), writer.token);
    // What is left of it is removed after the next opening, or after the one that follows.
    drop((store, writer, other));
    for _ in 0..2 {
        let store = place.open()?;
        check_gone(&store, &gone).await?;
        check_whole(&store, &there).await?;
    }
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    same("the token has risen", &(writer.token > token), &true)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_pool_that_is_deleted_can_begin_at_once(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    for _ in 0..3 {
        delete(&full(&store, 1).await?).await?;
    }
    let writer = full(&store, 1).await?;
    let pool = writer.pool.clone();
    drop((store, writer));
    check_whole(&place.open()?, &pool).await
}

async fn tokens_rise_over_deletions(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut last = HashMap::new();
    for number in [1, 2, 1, 3, 2, 1] {
        let store = place.open()?;
        let mut writer = CaseWriter::of(&store, number).await?;
        writer.write(&[2]).await?;
        delete(&writer).await?;
        let before = last.insert(number, writer.token);
        let rises = before.is_none_or(|before| writer.token > before);
        same("the token has risen", &rises, &true)?;
    }
    let pools = place.open()?.journal.pools().await?;
    same("the pools", &pools, &Vec::new())
}

async fn a_deletion_is_seen_after_its_sync(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = full(&store, 1).await?;
    let hold = syncs(place)?.hold();
    let mut deletion = delete(&writer).boxed();
    check_waits("the deletion", &mut deletion)?;
    hold.wait_reached()?;
    check_whole(&store, &writer.pool).await?;
    hold.release();
    deletion.await?;
    check_gone(&store, &writer.pool).await
}

async fn a_failed_deletion_leaves_all_or_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = full(&store, 1).await?;
    syncs(place)?.fail_next();
    let what = "a deletion whose sync fails";
    let error = refused(what, delete(&writer).await)?;
    let AppendError::Store {
        outcome: CommitOutcome::Unknown,
        ..
    } = error
    else {
        return Err(otherwise(what, &error));
    };
    let pool = writer.pool.clone();
    drop((store, writer));
    let store = place.open()?;
    if store.journal.head(&pool).await?.is_some() {
        check_whole(&store, &pool).await?;
        delete(&CaseWriter::of(&store, 1).await?).await?;
    }
    check_gone(&store, &pool).await
}

async fn a_sealed_store_deletes_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = full(&store, 1).await?;
    store.custody.seal("another place").await?;
    let what = "a deletion in a sealed store";
    let error = refused(what, delete(&writer).await)?;
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise(what, &error));
    };
    let expected = (CommitOutcome::None, StoreErrorKind::Sealed);
    same(what, &(outcome, error.kind()), &expected)?;
    check_whole(&store, &writer.pool).await?;
    store.custody.unseal().await?;
    delete(&writer).await?;
    check_gone(&store, &writer.pool).await
}
