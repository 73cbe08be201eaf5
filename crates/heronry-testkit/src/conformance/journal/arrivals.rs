//! The promises of a pool that is appended in parts: nobody sees it before it is whole.

use futures::poll;
use heronry_store::{AppendError, Arrival, Commit, ContentPlace, Head, ReadError, Store, Timeline};
use heronry_types::{Epoch, Position};

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", arriving),
    case!("journal", a_first_append_starts_an_arrival_over),
    case!("journal", a_pool_that_is_there_does_not_arrive),
    case!("journal", an_arrival_that_broke_off_is_not_seen_later, Kept),
];

/// Returns a part of a new pool: two chunks, with two contents.
fn part(head: Option<Head>) -> Commit {
    let first = head.map_or(1, |head| head.head.0 + 1);
    Commit {
        contents: vec![sample::content(first), sample::content(first + 1)],
        arrival: Arrival::Part,
        ..sample::chunks(head, &[2, 1])
    }
}

async fn check_unseen(store: &Store) -> Result<(), Failure> {
    let (pool, journal) = (sample::pool(1), &store.journal);
    same("the pools", &journal.pools().await?, &Vec::new())?;
    same("the head", &journal.head(&pool).await?, &None)?;
    let read = journal.read(&pool, Position::ZERO, usize::MAX).await;
    let error = refused("reading what has arrived", read)?;
    let ReadError::NoPool = error else {
        return Err(otherwise("reading what has arrived", &error));
    };
    let contents = &store.contents;
    let place = ContentPlace::With(Position(1));
    let content = contents.get(&pool, sample::content_ref(1), place).await?;
    same("a content that has arrived", &content.is_some(), &false)?;
    let listed = contents
        .list_with(&pool, Position::ZERO, usize::MAX)
        .await?;
    same("the contents that have arrived", &listed, &Vec::new())
}

/// Checks that the pool is there, with chunks at these positions.
async fn check_seen(writer: &CaseWriter, spans: &[(u64, u64)]) -> Result<(), Failure> {
    writer.unchanged().await?;
    let found = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &found, &spans.to_vec())
}

async fn arriving(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let pool = writer.pool.clone();
    let mut watch = store.journal.watch(&pool, Position::ZERO);
    same("a watch", &poll!(&mut watch).is_pending(), &true)?;
    writer.append(part(None)).await?;
    check_unseen(&store).await?;
    same("a watch", &poll!(&mut watch).is_pending(), &true)?;
    let (name, body) = (sample::content_ref(20), sample::body(20));
    let put = store.contents.put(&writer.pool, name, body, writer.token);
    put.await?;
    let start = Commit {
        arrival: Arrival::Part,
        ..sample::start(writer.head, Epoch([2; 16]))
    };
    writer.append(start).await?;
    writer.append(part(writer.head)).await?;
    check_unseen(&store).await?;
    let end = sample::commit(writer.head, 1);
    let head = writer.append(end).await?;
    same("the head", &head.head, &Position(8))?;
    check_seen(&writer, &[(1, 2), (3, 3), (4, 4), (5, 6), (7, 7), (8, 8)]).await?;
    watch.await?;
    let contents = &store.contents;
    for (number, at) in [(1, 1), (2, 3), (5, 5), (6, 7)] {
        let place = ContentPlace::With(Position(at));
        let name = sample::content_ref(number);
        let content = contents.get(&writer.pool, name, place).await?;
        same("a content", &content.is_some(), &true)?;
    }
    let content = contents
        .get(&writer.pool, name, ContentPlace::Alone)
        .await?;
    same("the content by itself", &content.is_some(), &true)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_first_append_starts_an_arrival_over(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.append(part(None)).await?;
    writer.append(part(writer.head)).await?;
    writer.head = None;
    writer.append(sample::commit(None, 2)).await?;
    check_seen(&writer, &[(1, 2)]).await?;
    let contents = &store.contents;
    let listed = contents.list_with(&writer.pool, Position::ZERO, usize::MAX);
    same("the contents", &listed.await?, &Vec::new())?;
    writer.write(&[1]).await?;
    check_seen(&writer, &[(1, 2), (3, 3)]).await
}

async fn a_pool_that_is_there_does_not_arrive(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let what = "a part of a pool that is there";
    let error = refused(
        what,
        writer.attempt(part(writer.head), writer.guard()).await,
    )?;
    let AppendError::Discontinuous { .. } = error else {
        return Err(otherwise(what, &error));
    };
    writer.unchanged().await
}

async fn an_arrival_that_broke_off_is_not_seen_later(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.append(part(None)).await?;
    writer.append(part(writer.head)).await?;
    drop(writer);
    let store = place.open()?;
    check_unseen(&store).await?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    same("the head that a writer finds", &writer.head, &None)?;
    let start = sample::chunks(None, &[1, 1]);
    same("its timeline", &start.timeline, &Timeline::Continues)?;
    writer.append(start).await?;
    drop((writer, store));
    let store = place.open()?;
    check_seen(&CaseWriter::of(&store, 1).await?, &[(1, 1), (2, 2)]).await
}
