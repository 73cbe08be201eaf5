//! The promises of contents.

pub(super) mod erased;
pub(super) mod kept;

use heronry_store::{
    AppendError, CommitOutcome, ContentPlace, FencingToken, NewContent, StoreErrorKind, Stored,
    StoredContent,
};
use heronry_types::{Body, Position};

use super::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("contents", a_body_is_found_where_it_was_put),
    case!("contents", bodies_ride_with_their_append),
    case!("contents", a_stale_token_puts_nothing),
    case!("contents", bounded),
    case!("contents", listed_by_their_append),
    case!("contents", listed_by_their_reference),
];

pub(super) async fn check(
    writer: &CaseWriter,
    (number, place): (u64, ContentPlace),
    expected: Option<Body>,
) -> Result<(), Failure> {
    let contents = &writer.store.contents;
    let found = contents
        .get(&writer.pool, sample::content_ref(number), place)
        .await?;
    let what = format!("content {number} at {place:?}");
    if let Some(found) = &found {
        let body = found.clone().body();
        let digest = body.map(|body| StoredContent::of(body).digest);
        same(&what, &Some(found.digest()), &digest)?;
    }
    same(&what, &found.and_then(Stored::body), &expected)
}

async fn a_body_is_found_where_it_was_put(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = CaseWriter::of(&store, 1).await?;
    let other = CaseWriter::of(&store, 2).await?;
    let empty = Body::new(Body::BINARY, Vec::new());
    check(&writer, (1, ContentPlace::Alone), None).await?;
    for (number, body) in [
        (1, sample::body(1)),
        (2, empty.clone()),
        (1, sample::body(1)),
    ] {
        let name = sample::content_ref(number);
        store
            .contents
            .put(&writer.pool, name, body, writer.token)
            .await?;
    }
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    check(&writer, (2, ContentPlace::Alone), Some(empty)).await?;
    check(&writer, (3, ContentPlace::Alone), None).await?;
    check(&writer, (1, ContentPlace::With(Position(1))), None).await?;
    check(&other, (1, ContentPlace::Alone), None).await
}

async fn bodies_ride_with_their_append(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.write(&[1]).await?;
    for numbers in [[1, 2], [3, 4]] {
        let mut commit = sample::chunks(writer.head, &[2, 1]);
        commit.contents = numbers.map(sample::content).to_vec();
        writer.append(commit).await?;
        writer.write(&[1]).await?;
    }
    let other = CaseWriter::of(&store, 2).await?;
    // Positions 2 to 4 are the first of the two commits, 6 to 8 the second.
    for position in 0..=10 {
        for number in 1..=4 {
            let holds = if number <= 2 { 2..=4 } else { 6..=8 };
            let expected = holds.contains(&position).then(|| sample::body(number));
            let at = ContentPlace::With(Position(position));
            check(&writer, (number, at), expected).await?;
            check(&other, (number, at), None).await?;
        }
    }
    check(&writer, (1, ContentPlace::Alone), None).await
}

async fn a_stale_token_puts_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = CaseWriter::of(&store, 1).await?;
    store
        .leases
        .seize(
            &writer.pool,
            "another",
            sample::time(1),
            heronry_store::LEASE_TERM,
        )
        .await?;
    let name = sample::content_ref(1);
    for (pool, token) in [
        (1, writer.token),
        (1, FencingToken(0)),
        (9, FencingToken(0)),
    ] {
        let pool = sample::pool(pool);
        let put = store.contents.put(&pool, name, sample::body(1), token);
        let error = refused("a stale token", put.await)?;
        same("its refusal", &error.kind(), &StoreErrorKind::Closed)?;
    }
    check(&writer, (1, ContentPlace::Alone), None).await
}

async fn bounded(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let store = writer.store.clone();
    let max = store.journal.capabilities().content_bytes_max;
    let max = usize::try_from(max).map_err(|error| Failure(error.to_string()))?;
    let body = |bytes| Body::new(Body::BINARY, vec![7; bytes]);
    let (pool, name) = (writer.pool.clone(), sample::content_ref(1));
    let put = store.contents.put(&pool, name, body(max + 1), writer.token);
    let error = refused("a body over the limit", put.await)?;
    same("its refusal", &error.kind(), &StoreErrorKind::TooLarge)?;
    check(&writer, (1, ContentPlace::Alone), None).await?;

    let mut commit = sample::commit(None, 1);
    commit.contents = vec![NewContent::new(name, body(max + 1))];
    let error = refused("a body over the limit", writer.append(commit).await)?;
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise("a body over the limit", &error));
    };
    let expected = (CommitOutcome::None, StoreErrorKind::TooLarge);
    same("its refusal", &(outcome, error.kind()), &expected)?;
    writer.unchanged().await?;
    store
        .contents
        .put(&pool, name, body(max), writer.token)
        .await?;
    check(&writer, (1, ContentPlace::Alone), Some(body(max))).await
}

/// One append in a list of contents: its span, and the numbers of its contents.
type Listed = (u64, u64, Vec<NewContent>);

async fn check_packs(
    writer: &CaseWriter,
    (after, bytes_max): (u64, usize),
    expected: &[(u64, u64, &[u64])],
) -> Result<(), Failure> {
    let contents = &writer.store.contents;
    let found = contents
        .list_with(&writer.pool, Position(after), bytes_max)
        .await?;
    let spans = found.into_iter();
    let found: Vec<Listed> = spans
        .map(|pack| (pack.first.0, pack.last.0, pack.contents))
        .collect();
    let expected: Vec<Listed> = expected
        .iter()
        .map(|(first, last, numbers)| (*first, *last, samples(numbers)))
        .collect();
    let what = format!("the appends after {after} within {bytes_max} bytes");
    same(&what, &found, &expected)
}

fn samples(numbers: &[u64]) -> Vec<NewContent> {
    numbers.iter().copied().map(sample::content).collect()
}

async fn listed_by_their_append(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    check_packs(&writer, (0, usize::MAX), &[]).await?;
    writer.write(&[1]).await?;
    for numbers in [&[2, 1][..], &[3], &[4, 5, 6]] {
        let mut commit = sample::chunks(writer.head, &[2, 1]);
        commit.contents = samples(numbers);
        writer.append(commit).await?;
    }
    let (name, body) = (sample::content_ref(7), sample::body(7));
    store
        .contents
        .put(&writer.pool, name, body, writer.token)
        .await?;
    let all: [(u64, u64, &[u64]); 3] = [(2, 4, &[2, 1]), (5, 7, &[3]), (8, 10, &[4, 5, 6])];
    check_packs(&writer, (0, usize::MAX), &all).await?;
    check_packs(&writer, (1, usize::MAX), &all).await?;
    check_packs(&writer, (2, usize::MAX), &all[1..]).await?;
    check_packs(&writer, (7, usize::MAX), &all[2..]).await?;
    check_packs(&writer, (8, usize::MAX), &[]).await?;
    check_packs(&writer, (0, 0), &all[..1]).await?;
    let one = sample::body(1).bytes.len();
    check_packs(&writer, (0, one * 3), &all[..2]).await?;
    check_packs(&writer, (5, one), &all[2..]).await?;
    check_packs(&CaseWriter::of(&store, 2).await?, (0, usize::MAX), &[]).await
}

async fn check_alone(
    writer: &CaseWriter,
    (after, bytes_max): (Option<u64>, usize),
    expected: &[u64],
) -> Result<(), Failure> {
    let contents = &writer.store.contents;
    let after = after.map(sample::content_ref);
    let found = contents.list_alone(&writer.pool, after, bytes_max).await?;
    let what = format!("the contents after {after:?} within {bytes_max} bytes");
    same(&what, &found, &samples(expected))
}

async fn listed_by_their_reference(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = CaseWriter::of(&store, 1).await?;
    let others = [
        CaseWriter::of(&store, 0).await?,
        CaseWriter::of(&store, 2).await?,
    ];
    check_alone(&writer, (None, usize::MAX), &[]).await?;
    for writer in others.iter().chain([&writer]) {
        for number in [9, 2, 300] {
            let (name, body) = (sample::content_ref(number), sample::body(number));
            store
                .contents
                .put(&writer.pool, name, body, writer.token)
                .await?;
        }
    }
    check_alone(&writer, (None, usize::MAX), &[2, 9, 300]).await?;
    check_alone(&writer, (Some(1), usize::MAX), &[2, 9, 300]).await?;
    check_alone(&writer, (Some(2), usize::MAX), &[9, 300]).await?;
    check_alone(&writer, (Some(300), usize::MAX), &[]).await?;
    check_alone(&writer, (None, 0), &[2]).await?;
    check_alone(&writer, (None, sample::body(2).bytes.len() * 2), &[2, 9]).await
}
