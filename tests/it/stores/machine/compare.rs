//! Compares what a store shows with what the model says.

use std::fmt::Debug;

use futures::FutureExt;
use heronry_journal::Chunk;
use heronry_store::{
    AppendError, CommitOutcome, ConsumerError, ConsumerStanding, ContentPlace, KeyedEntry,
    LeaseError, ReadError, Store, StoreError, StoreErrorKind,
};
use heronry_types::{PoolId, Position};

use super::{
    make,
    model::{Model, OpEnd, Pool},
    ops::Look,
};

/// Compares two values; the difference is the error.
pub(crate) fn same<T: Debug + PartialEq>(what: &str, found: &T, expected: &T) -> OpEnd<()> {
    if found == expected {
        return Ok(());
    }
    let cut = |value: &T| -> String { format!("{value:?}").chars().take(600).collect() };
    Err(format!(
        "{what}: found {}, expected {}",
        cut(found),
        cut(expected)
    ))
}

/// Names a refusal in the words of the model.
pub(crate) fn refused(error: &AppendError) -> String {
    match error {
        AppendError::Conflict { found, .. } => format!("conflict at {found}"),
        AppendError::Fenced { .. } => "fenced".to_owned(),
        AppendError::Discontinuous { .. } => "discontinuous".to_owned(),
        AppendError::Store {
            outcome: CommitOutcome::None,
            error,
        } => refused_by_store(error),
        AppendError::Store { .. } => format!("{error:?}"),
    }
}

pub(crate) fn refused_by_store(error: &StoreError) -> String {
    match error.kind() {
        StoreErrorKind::Sealed => "sealed".to_owned(),
        StoreErrorKind::Closed => "closed".to_owned(),
        StoreErrorKind::NotFound => "not found".to_owned(),
        StoreErrorKind::Foreign => "foreign".to_owned(),
        _ => error.to_string(),
    }
}

pub(crate) fn refused_lease(error: &LeaseError) -> String {
    match error {
        LeaseError::Owned { .. } => "owned".to_owned(),
        LeaseError::Store(error) => refused_by_store(error),
        LeaseError::Reserved { .. } => format!("{error:?}"),
    }
}

pub(crate) fn refused_commit(error: &ConsumerError) -> String {
    match error {
        ConsumerError::Conflict { .. } => "conflict".to_owned(),
        ConsumerError::Ahead { .. } => "ahead".to_owned(),
        ConsumerError::NoPool => "no pool".to_owned(),
        ConsumerError::Store(error) => refused_by_store(error),
        ConsumerError::TooMany { .. }
        | ConsumerError::TooLarge { .. }
        | ConsumerError::EmptyKey => format!("{error:?}"),
    }
}

/// Compares an end with the refusals that are right; there is none when it must be taken.
pub(crate) fn ends_as(what: &str, found: OpEnd<()>, right: &[String]) -> OpEnd<()> {
    match found {
        Ok(()) if right.is_empty() => Ok(()),
        Err(why) if right.contains(&why) => Ok(()),
        found => Err(format!(
            "{what}: found {found:?}, expected one of {right:?}"
        )),
    }
}

fn unread(error: &ReadError) -> String {
    match error {
        ReadError::NoPool => "no pool".to_owned(),
        ReadError::Trimmed { floor, .. } => format!("trimmed to {floor}"),
        ReadError::Store(_) => format!("{error:?}"),
    }
}

fn failed(error: impl Debug) -> String {
    format!("a call failed: {error:?}")
}

/// Compares all that a store shows.
pub(crate) async fn see(store: &Store, model: &Model) -> OpEnd<()> {
    let pools = store.journal.pools().await.map_err(failed)?;
    same("the pools", &pools, &model.names())?;
    let sealed = store.custody.sealed().await.map_err(failed)?;
    same("the seal", &sealed, &model.moved_to)?;
    for number in 0..make::POOLS {
        let name = make::name(number);
        let known = model.pools.get(&name).cloned().unwrap_or_default();
        let of_pool = see_pool(store, &name, &known).await;
        of_pool.map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

async fn see_pool(store: &Store, name: &PoolId, known: &Pool) -> OpEnd<()> {
    let head = store.journal.head(name).await.map_err(failed)?;
    same("the head", &head, &known.head())?;
    let floor = known.head().map_or(Position(1), |head| head.floor);
    read(store, name, known, (floor.previous(), usize::MAX)).await?;
    list(store, name, known, (Position::ZERO, usize::MAX)).await?;
    let keys = make::keys();
    let found = store.keys.find(name, &keys).await.map_err(failed)?;
    let keys: Vec<_> = keys
        .iter()
        .map(|key| known.keys.get(key).copied())
        .collect();
    same("the keys", &found, &keys)?;
    let listed = store.keys.list(name, None, usize::MAX).await;
    let listed = listed.map_err(failed)?;
    let all = known.keys.iter();
    let all: Vec<_> = all
        .map(|(key, entry)| KeyedEntry::new(*key, *entry))
        .collect();
    same("the listed keys", &listed, &all)?;
    let at = store.keys.checkpoint(name).await.map_err(failed)?;
    same("the checkpoint", &at, &known.checkpoint)?;
    let latest = store.snapshots.latest(name).await.map_err(failed)?;
    same("the snapshot", &latest, &known.latest())?;
    let consumers = store.cursors.list(name).await.map_err(failed)?;
    let expected = known.consumers.clone().into_iter();
    let standing = |(consumer, cursor)| ConsumerStanding { consumer, cursor };
    let expected: Vec<_> = expected.map(standing).collect();
    same("the consumers", &consumers, &expected)?;
    for number in 0..3 {
        let consumer = make::consumer(number);
        let found = store.cursors.get(name, &consumer).await.map_err(failed)?;
        let expected = known.consumers.get(&consumer).copied();
        same("a consumer", &found, &expected)?;
    }
    Ok(())
}

/// Compares chunks by what they are, and then byte by byte.
fn same_chunks(found: &[Chunk], expected: &[Chunk]) -> OpEnd<()> {
    let spans = |chunks: &[Chunk]| -> Vec<(u64, u64)> {
        chunks
            .iter()
            .map(|it| (it.first().0, it.last().0))
            .collect()
    };
    same("the chunks", &spans(found), &spans(expected))?;
    for (found, expected) in found.iter().zip(expected) {
        if found.bytes() != expected.bytes() || found.hash() != expected.hash() {
            return Err(format!("the chunk at {} has other bytes", expected.first()));
        }
    }
    Ok(())
}

async fn read(
    store: &Store,
    name: &PoolId,
    known: &Pool,
    (after, bytes_max): (Position, usize),
) -> OpEnd<()> {
    let what = format!("reading after {after} within {bytes_max} bytes");
    let expected = known.read(after, bytes_max);
    match (store.journal.read(name, after, bytes_max).await, expected) {
        (Ok(page), Ok(chunks)) => {
            same_chunks(&page.chunks, &chunks).map_err(|why| format!("{what}: {why}"))?;
            same(&what, &Some(page.head), &known.head())
        }
        (Err(error), Err(expected)) => same(&what, &unread(&error), &expected),
        (found, expected) => Err(format!("{what}: found {found:?}, expected {expected:?}")),
    }
}

async fn list(
    store: &Store,
    name: &PoolId,
    known: &Pool,
    (after, bytes_max): (Position, usize),
) -> OpEnd<()> {
    let what = format!("the contents after {after} within {bytes_max} bytes");
    let packs = store.contents.list_with(name, after, bytes_max).await;
    same(
        &what,
        &packs.map_err(failed)?,
        &known.list_with(after, bytes_max),
    )?;
    let alone = store.contents.list_alone(name, None, bytes_max).await;
    same(
        &what,
        &alone.map_err(failed)?,
        &known.list_alone(None, bytes_max),
    )
}

/// Compares what a step looks at.
pub(crate) async fn look(store: &Store, model: &Model, look: &Look) -> OpEnd<()> {
    let name = make::name(look.pool);
    let known = model.pools.get(&name).cloned().unwrap_or_default();
    let end = known.head().map_or(0, |head| head.head.0);
    let after = Position(u64::from(look.after) % (end + 3));
    let everything = known.read(after, usize::MAX).unwrap_or_default();
    let chunks = everything.iter().map(|chunk| chunk.bytes().len());
    read(store, &name, &known, (after, limit(look, chunks))).await?;
    let packs = known.list_with(after, usize::MAX);
    let packs = packs.iter().map(|pack| {
        pack.contents
            .iter()
            .map(|it| it.stored.stored_bytes())
            .sum()
    });
    list(store, &name, &known, (after, limit(look, packs))).await?;
    look_alone(store, &name, &known, look).await?;
    for first in [after.previous(), after, after.next()] {
        for content in make::riding(first) {
            let place = ContentPlace::With(after);
            let expected = known.with(content.content_ref, after);
            let found = store.contents.get(&name, content.content_ref, place).await;
            same("a content", &found.map_err(failed)?, &expected)?;
        }
    }
    let rung = store.journal.watch(&name, after).now_or_never();
    let passed = Position(end) > after;
    same("whether a watch has ended", &rung.is_some(), &passed)
}

/// Returns a limit about as large as the items that a step wants to let in.
fn limit(look: &Look, sizes: impl Iterator<Item = usize>) -> usize {
    if look.items == 3 {
        return usize::MAX;
    }
    let sum: usize = sizes.take(look.items.into()).sum();
    sum.saturating_add_signed(look.more.into())
}

async fn look_alone(store: &Store, name: &PoolId, known: &Pool, look: &Look) -> OpEnd<()> {
    let content = make::alone(look.number);
    let after = Some(content.content_ref);
    let following = known.list_alone(after, usize::MAX);
    let bytes_max = limit(look, following.iter().map(|it| it.stored.stored_bytes()));
    let found = store.contents.list_alone(name, after, bytes_max).await;
    let expected = known.list_alone(after, bytes_max);
    same(
        "the contents by themselves",
        &found.map_err(failed)?,
        &expected,
    )?;
    let place = ContentPlace::Alone;
    let found = store.contents.get(name, content.content_ref, place).await;
    let expected = known.alone.get(&content.content_ref).cloned();
    same("a content", &found.map_err(failed)?, &expected)
}
