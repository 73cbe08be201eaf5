//! What contents promise.

use futures::FutureExt;
use heronry_store::{
    AppendError, ContentPlace, FencingToken, NewContent, Outcome, StoreErrorKind, StoredContent,
};
use heronry_types::{Body, Position};

use super::{Case, Failure, Place, Writer, otherwise, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    Case::new("contents::a_body_is_found_where_it_was_put", &[], |place| {
        a_body_is_found_where_it_was_put(place).boxed()
    }),
    Case::new("contents::bodies_ride_with_their_append", &[], |place| {
        bodies_ride_with_their_append(place).boxed()
    }),
    Case::new("contents::a_stale_token_puts_nothing", &[], |place| {
        a_stale_token_puts_nothing(place).boxed()
    }),
    Case::new("contents::bounded", &[], |place| bounded(place).boxed()),
];

async fn check(
    writer: &Writer,
    (number, place): (u64, ContentPlace),
    expected: Option<Body>,
) -> Result<(), Failure> {
    let contents = &writer.store.contents;
    let found = contents
        .get(&writer.pool, sample::content_ref(number), place)
        .await?;
    let what = format!("content {number} at {place:?}");
    if let Some(found) = &found {
        let digest = StoredContent::of(found.body.clone()).digest;
        same(&what, &found.digest, &digest)?;
    }
    same(&what, &found.map(|found| found.body), &expected)
}

async fn a_body_is_found_where_it_was_put(place: &dyn Place) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = Writer::of(&store, 1).await?;
    let other = Writer::of(&store, 2).await?;
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

async fn bodies_ride_with_their_append(place: &dyn Place) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = Writer::of(&store, 1).await?;
    writer.write(&[1]).await?;
    for numbers in [[1, 2], [3, 4]] {
        let mut commit = sample::chunks(writer.head, &[2, 1]);
        commit.contents = numbers.map(sample::content).to_vec();
        writer.append(commit).await?;
        writer.write(&[1]).await?;
    }
    let other = Writer::of(&store, 2).await?;
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

async fn a_stale_token_puts_nothing(place: &dyn Place) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = Writer::of(&store, 1).await?;
    store
        .leases
        .seize(&writer.pool, "another", sample::time(1))
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

async fn bounded(place: &dyn Place) -> Result<(), Failure> {
    let mut writer = Writer::of(&place.open()?, 1).await?;
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
    commit.contents = vec![NewContent {
        content_ref: name,
        body: body(max + 1),
    }];
    let error = refused("a body over the limit", writer.append(commit).await)?;
    let AppendError::Store { outcome, error } = error else {
        return Err(otherwise("a body over the limit", &error));
    };
    let expected = (Outcome::None, StoreErrorKind::TooLarge);
    same("its refusal", &(outcome, error.kind()), &expected)?;
    writer.unchanged().await?;
    store
        .contents
        .put(&pool, name, body(max), writer.token)
        .await?;
    check(&writer, (1, ContentPlace::Alone), Some(body(max))).await
}
