//! Further promises of an arriving or sealed pool.

use heronry_store::{AppendError, Arrival, Commit, ContentPlace, Guard, StoreErrorKind, Stored};
use heronry_types::Position;

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", an_arrival_is_guarded),
    case!("journal", an_arrival_is_fenced),
    case!("journal", an_arrival_hides_no_other_pool),
    case!("journal", an_arriving_pool_is_not_trimmed),
    case!("journal", a_sealed_store_is_read_as_before),
];

fn part(head: Option<heronry_store::Head>) -> Commit {
    Commit {
        arrival: Arrival::Part,
        ..sample::commit(head, 2)
    }
}

async fn an_arrival_is_guarded(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.append(part(None)).await?;
    for expected in [1, 3] {
        let guard = Guard {
            expected_head: Position(expected),
            ..writer.guard()
        };
        let what = "a part after another head";
        let error = refused(what, writer.attempt(part(writer.head), guard).await)?;
        let AppendError::Conflict { found, .. } = error else {
            return Err(otherwise(what, &error));
        };
        same("the head it names", &found, &Position(2))?;
    }
    writer.write(&[1]).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 3)])
}

async fn an_arrival_is_fenced(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.append(part(None)).await?;
    let token = writer.lose().await?;
    for commit in [
        part(writer.head),
        sample::commit(writer.head, 1),
        part(None),
    ] {
        let first = commit.chunks.first().map_or(1, |chunk| chunk.first().0);
        let guard = Guard {
            expected_head: Position(first - 1),
            token,
        };
        let what = "a part with a stale token";
        let error = refused(what, writer.attempt(commit, guard).await)?;
        let AppendError::Fenced { .. } = error else {
            return Err(otherwise(what, &error));
        };
    }
    writer.write(&[1]).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 3)])
}

async fn an_arrival_hides_no_other_pool(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 0..3 {
        let mut writer = CaseWriter::of(&store, number).await?;
        let commit = match number {
            1 => part(None),
            _ => sample::commit(None, 2),
        };
        writer.append(commit).await?;
        writers.push(writer);
    }
    let seen = [0, 2].map(sample::pool).to_vec();
    same("the pools", &store.journal.pools().await?, &seen)?;
    for writer in &mut writers {
        writer.write(&[1]).await?;
        writer.unchanged().await?;
    }
    same("the pools", &store.journal.pools().await?.len(), &3)
}

async fn an_arriving_pool_is_not_trimmed(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.append(part(None)).await?;
    writer.append(part(writer.head)).await?;
    let journal = writer.store.journal.clone();
    let trim = sample::trim(&*journal, &writer.pool, Position(3), writer.token).await;
    let error = refused("a trim of what nobody sees", trim)?;
    let AppendError::Store { error, .. } = error else {
        return Err(otherwise("a trim of what nobody sees", &error));
    };
    same("its refusal", &error.kind(), &StoreErrorKind::NotFound)?;
    writer.write(&[1]).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 4), (5, 5)])
}

async fn a_sealed_store_is_read_as_before(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::chunks(None, &[2, 1]);
    commit.contents = vec![sample::content(1)];
    writer.append(commit).await?;
    let journal = writer.store.journal.clone();
    writer.store.custody.seal("another place").await?;
    same("the head", &journal.head(&writer.pool).await?, &writer.head)?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 2), (3, 3)])?;
    journal.watch(&writer.pool, Position(2)).await?;
    let (contents, at) = (&writer.store.contents, ContentPlace::With(Position(3)));
    let body = contents
        .get(&writer.pool, sample::content_ref(1), at)
        .await?;
    let body = body.and_then(Stored::body);
    same("a content", &body, &Some(sample::body(1)))?;
    let listed = contents.list_with(&writer.pool, Position::ZERO, usize::MAX);
    same("the list", &listed.await?.len(), &1)
}
