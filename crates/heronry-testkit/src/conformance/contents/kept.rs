//! Further promises of contents: the body that a reference names, and its fate.

use heronry_store::{ContentPlace, NewContent, StoreErrorKind, Stored};
use heronry_types::{Body, Position};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind, check_waits, contents::check, refused, same,
    syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("contents", the_first_body_of_a_reference_stays),
    case!("contents", a_media_type_is_kept),
    case!("contents", apart),
    case!("contents", a_body_alone_and_one_that_rides_are_two),
    case!("contents", a_body_may_be_empty),
    case!("contents", a_body_at_the_limit_rides),
    case!("contents", an_append_may_be_larger_than_one_body),
    case!("contents", a_body_needs_no_journal),
    case!("contents", sealed),
    case!("contents", gated, Syncs),
    case!("contents", fail_stop, Syncs),
    case!("contents", kept, Kept),
    case!("contents", checked, Damage),
];

async fn put(writer: &CaseWriter, number: u64, body: Body) -> Result<(), Failure> {
    let (contents, name) = (&writer.store.contents, sample::content_ref(number));
    let put = contents.put(&writer.pool, name, body, writer.token);
    put.await.map_err(Failure::from)
}

async fn the_first_body_of_a_reference_stays(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    for body in [1, 1, 2] {
        put(&writer, 1, sample::body(body)).await?;
        check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    }
    let listed = writer
        .store
        .contents
        .list_alone(&writer.pool, None, usize::MAX);
    same("the list", &listed.await?, &vec![sample::content(1)])
}

async fn a_media_type_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let types = [
        Body::TEXT,
        Body::BINARY,
        "application/json; charset=utf-8",
        "x/y",
    ];
    let body = |media_type| Body::new(media_type, b"the same bytes".to_vec());
    let mut commit = sample::commit(None, 1);
    for (number, media_type) in (0..).zip(types) {
        put(&writer, number, body(media_type)).await?;
        commit.contents.push(NewContent::new(
            sample::content_ref(number),
            body(media_type),
        ));
    }
    writer.append(commit).await?;
    for (number, media_type) in (0..).zip(types) {
        for at in [ContentPlace::Alone, ContentPlace::With(Position(1))] {
            check(&writer, (number, at), Some(body(media_type))).await?;
        }
    }
    Ok(())
}

async fn apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 1..=3 {
        let mut writer = CaseWriter::of(&store, number).await?;
        put(&writer, 7, sample::body(number)).await?;
        let mut commit = sample::commit(None, 1);
        commit.contents = vec![NewContent::new(
            sample::content_ref(7),
            sample::body(number + 10),
        )];
        writer.append(commit).await?;
        writers.push(writer);
    }
    for (number, writer) in (1..).zip(&writers) {
        let riding = ContentPlace::With(Position(1));
        check(writer, (7, ContentPlace::Alone), Some(sample::body(number))).await?;
        check(writer, (7, riding), Some(sample::body(number + 10))).await?;
    }
    Ok(())
}

async fn a_body_alone_and_one_that_rides_are_two(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    put(&writer, 1, sample::body(1)).await?;
    let mut commit = sample::commit(None, 1);
    commit.contents = vec![sample::content(2)];
    writer.append(commit).await?;
    let riding = ContentPlace::With(Position(1));
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    check(&writer, (1, riding), None).await?;
    check(&writer, (2, ContentPlace::Alone), None).await?;
    check(&writer, (2, riding), Some(sample::body(2))).await
}

async fn a_body_may_be_empty(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let empty = Body::new(Body::TEXT, Vec::new());
    put(&writer, 1, empty.clone()).await?;
    let mut commit = sample::commit(None, 1);
    commit.contents = (1..=3)
        .map(|number| NewContent::new(sample::content_ref(number), empty.clone()))
        .collect();
    writer.append(commit).await?;
    check(&writer, (1, ContentPlace::Alone), Some(empty.clone())).await?;
    for number in 1..=3 {
        let at = ContentPlace::With(Position(1));
        check(&writer, (number, at), Some(empty.clone())).await?;
    }
    let contents = &writer.store.contents;
    let listed = contents.list_with(&writer.pool, Position::ZERO, 0).await?;
    let listed: Vec<_> = listed.iter().map(|pack| pack.contents.len()).collect();
    same("the list", &listed, &vec![3])
}

fn bytes_max(writer: &CaseWriter) -> Result<usize, Failure> {
    let max = writer.store.journal.capabilities().content_bytes_max;
    usize::try_from(max).map_err(|error| Failure::new(error.to_string()))
}

async fn a_body_at_the_limit_rides(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let body = Body::new(Body::BINARY, vec![7; bytes_max(&writer)?]);
    let mut commit = sample::commit(None, 1);
    commit.contents = vec![NewContent::new(sample::content_ref(1), body.clone())];
    writer.append(commit).await?;
    let at = ContentPlace::With(Position(1));
    let found = writer
        .store
        .contents
        .get(&writer.pool, sample::content_ref(1), at)
        .await?;
    let is_same = found.and_then(Stored::body) == Some(body);
    same("the body at the limit", &is_same, &true)
}

async fn an_append_may_be_larger_than_one_body(place: &dyn StorePlace) -> Result<(), Failure> {
    const BODIES: u8 = 5;
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let bytes = bytes_max(&writer)?.min(4 << 20);
    let body = |number: u8| Body::new(Body::BINARY, vec![number; bytes - 1]);
    let mut commit = sample::commit(None, 1);
    commit.contents = (0..BODIES)
        .map(|number| NewContent::new(sample::content_ref(number.into()), body(number)))
        .collect();
    writer.append(commit).await?;
    let at = ContentPlace::With(Position(1));
    for number in 0..BODIES {
        let name = sample::content_ref(number.into());
        let found = writer.store.contents.get(&writer.pool, name, at).await?;
        let is_same = found.and_then(Stored::body) == Some(body(number));
        same(&format!("body {number}"), &is_same, &true)?;
    }
    Ok(())
}

async fn a_body_needs_no_journal(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    put(&writer, 1, sample::body(1)).await?;
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    let pools = writer.store.journal.pools().await?;
    same("the pools", &pools, &Vec::new())?;
    writer.write(&[1]).await?;
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::commit(None, 1);
    commit.contents = vec![sample::content(2)];
    writer.append(commit).await?;
    put(&writer, 1, sample::body(1)).await?;
    let store = writer.store.clone();
    store.custody.seal("another place").await?;
    let (name, body) = (sample::content_ref(3), sample::body(3));
    let late = store.contents.put(&writer.pool, name, body, writer.token);
    check_kind(
        "a body for a sealed store",
        late.await,
        StoreErrorKind::Sealed,
    )?;
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    check(
        &writer,
        (2, ContentPlace::With(Position(1))),
        Some(sample::body(2)),
    )
    .await?;
    check(&writer, (3, ContentPlace::Alone), None).await?;
    let listed = store
        .contents
        .list_alone(&writer.pool, None, usize::MAX)
        .await?;
    same("the list", &listed, &vec![sample::content(1)])
}

async fn gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    put(&writer, 1, sample::body(1)).await?;
    let (contents, pool) = (writer.store.contents.clone(), writer.pool.clone());
    let hold = syncs(place)?.hold();
    let mut late = contents.put(&pool, sample::content_ref(2), sample::body(2), writer.token);
    check_waits("the put", &mut late)?;
    hold.wait_reached()?;
    check(&writer, (2, ContentPlace::Alone), None).await?;
    check(&writer, (1, ContentPlace::Alone), Some(sample::body(1))).await?;
    let listed = contents.list_alone(&pool, None, usize::MAX).await?;
    same("the list before", &listed, &vec![sample::content(1)])?;
    hold.release();
    late.await?;
    check(&writer, (2, ContentPlace::Alone), Some(sample::body(2))).await?;
    let listed = contents.list_alone(&pool, None, usize::MAX).await?;
    let expected = [1, 2].map(sample::content).to_vec();
    same("the list after", &listed, &expected)
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    put(&writer, 1, sample::body(1)).await?;
    let (contents, pool) = (&writer.store.contents, &writer.pool);
    let (name, body) = (sample::content_ref(2), sample::body(2));
    syncs(place)?.fail_next();
    let failed = contents.put(pool, name, body.clone(), writer.token).await;
    refused("a put whose sync failed", failed)?;
    let closed = StoreErrorKind::Closed;
    let later = contents.put(pool, name, body, writer.token).await;
    check_kind("a later put", later, closed)?;
    let later = contents.get(pool, name, ContentPlace::Alone).await;
    check_kind("a later get", later.map(drop), closed)?;
    let later = contents.list_alone(pool, None, 1).await;
    check_kind("a later list", later, closed)?;
    let later = contents.list_with(pool, Position::ZERO, 1).await;
    check_kind("a later list of appends", later, closed)
}

async fn kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let large = Body::new(
        Body::BINARY,
        (0..300_000_u32)
            .map(|n| (n % 241) as u8)
            .collect::<Vec<_>>(),
    );
    let mut commit = sample::commit(None, 2);
    commit.contents = vec![
        sample::content(1),
        NewContent::new(sample::content_ref(2), large.clone()),
    ];
    writer.append(commit).await?;
    put(&writer, 3, sample::body(3)).await?;
    put(&writer, 4, large.clone()).await?;
    drop(writer);
    for _ in 0..2 {
        let writer = CaseWriter::of(&place.open()?, 1).await?;
        let riding = ContentPlace::With(Position(2));
        check(&writer, (1, riding), Some(sample::body(1))).await?;
        check(&writer, (2, riding), Some(large.clone())).await?;
        check(&writer, (3, ContentPlace::Alone), Some(sample::body(3))).await?;
        check(&writer, (4, ContentPlace::Alone), Some(large.clone())).await?;
    }
    Ok(())
}

async fn checked(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::commit(None, 2);
    commit.contents = vec![sample::content(1), sample::content(2)];
    writer.append(commit).await?;
    writer.write(&[1]).await?;
    drop(writer);
    let copies = place.damage(&sample::body(1).bytes)?;
    same("whether it was stored", &(copies > 0), &true)?;
    let store = match place.open() {
        Ok(store) => store,
        Err(error) => return same("the store", &error.kind(), &StoreErrorKind::Corrupt),
    };
    let (pool, at) = (sample::pool(1), ContentPlace::With(Position(1)));
    let damaged = store.contents.get(&pool, sample::content_ref(1), at).await;
    check_kind("a damaged body", damaged.map(drop), StoreErrorKind::Corrupt)?;
    let listed = store
        .contents
        .list_with(&pool, Position::ZERO, usize::MAX)
        .await;
    check_kind("a list with it", listed, StoreErrorKind::Corrupt)
}
