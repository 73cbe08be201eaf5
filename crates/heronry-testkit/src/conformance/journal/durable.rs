//! The promises of a store over syncs and reopening: kept, gated, exclusive, fail-stop.

use futures::FutureExt;
use heronry_store::{
    AppendError, CommitOutcome, ContentPlace, Guard, LeaseError, ReadError, Sharing, Store,
    StoreError, StoreErrorKind, Stored,
};
use heronry_types::{Epoch, Position};

use crate::conformance::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same, syncs};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("journal", kept, Kept),
    case!("journal", a_trim_is_kept, Kept),
    case!("journal", a_timeline_is_kept, Kept),
    case!("journal", exclusive, Exclusive),
    case!("journal", gated, Syncs),
    case!("journal", fail_stop, Syncs),
    case!(
        "journal",
        what_waits_behind_a_failed_sync_was_not_written,
        Syncs,
        Kept
    ),
    case!(
        "journal",
        a_failed_commit_is_there_whole_or_not_at_all,
        Syncs,
        Kept
    ),
];

async fn kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::chunks(None, &[2, 1]);
    commit.contents = vec![sample::content(1)];
    writer.append(commit).await?;
    let head = writer.write(&[4]).await?;
    let (pool, token) = (writer.pool.clone(), writer.token);
    let contents = &writer.store.contents;
    contents
        .put(&pool, sample::content_ref(2), sample::body(2), token)
        .await?;
    let before = writer
        .store
        .journal
        .read(&pool, Position::ZERO, usize::MAX)
        .await?;
    drop(writer);

    let store = place.open()?;
    same(
        "the pools",
        &store.journal.pools().await?,
        &vec![pool.clone()],
    )?;
    same("the head", &store.journal.head(&pool).await?, &Some(head))?;
    let after = store
        .journal
        .read(&pool, Position::ZERO, usize::MAX)
        .await?;
    let bytes = |page: &heronry_store::Page| -> Vec<Vec<u8>> {
        page.chunks
            .iter()
            .map(|chunk| chunk.bytes().to_vec())
            .collect()
    };
    same("the bytes", &bytes(&after), &bytes(&before))?;
    for (number, place) in [
        (1, ContentPlace::With(Position(3))),
        (2, ContentPlace::Alone),
    ] {
        let found = store
            .contents
            .get(&pool, sample::content_ref(number), place)
            .await?;
        let body = found.and_then(Stored::body);
        same("a body", &body, &Some(sample::body(number)))?;
    }
    let mut writer = CaseWriter::of(&store, 1).await?;
    same("the token has risen", &(writer.token > token), &true)?;
    let stale = Guard {
        token,
        ..writer.guard()
    };
    let next = sample::commit(writer.head, 1);
    refused("the token of before", writer.attempt(next, stale).await)?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_timeline_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2, 1]).await?;
    for number in [2, 3] {
        let start = sample::start(writer.head, Epoch([number; 16]));
        writer.append(start).await?;
        writer.write(&[1]).await?;
    }
    let (pool, head) = (writer.pool.clone(), writer.head);
    drop(writer);
    let store = place.open()?;
    same("the head", &store.journal.head(&pool).await?, &head)?;
    let page = store.journal.read(&pool, Position::ZERO, usize::MAX);
    let page = page.await?.chunks;
    let epochs: Vec<_> = page.iter().map(|chunk| chunk.header().epoch).collect();
    let [first, second, third] = [sample::EPOCH, Epoch([2; 16]), Epoch([3; 16])];
    let expected = vec![first, first, second, second, third, third];
    same("the epochs", &epochs, &expected)?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

async fn a_trim_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    for _ in 0..5 {
        writer.write(&[2]).await?;
    }
    let journal = &writer.store.journal;
    let head = sample::trim(&**journal, &writer.pool, Position(6), writer.token).await?;
    let pool = writer.pool.clone();
    drop(writer);
    let store = place.open()?;
    same("the head", &store.journal.head(&pool).await?, &Some(head))?;
    let writer = CaseWriter::of(&store, 1).await?;
    let first = writer.chunks(4, 0).await?;
    same("the first chunk", &first, &vec![(5, 6)])
}

async fn exclusive(place: &dyn StorePlace) -> Result<(), Failure> {
    let first = place.open()?;
    let sharing = first.journal.capabilities().sharing;
    same("the store", &sharing, &Sharing::OneProcess)?;
    let error = refused("a second opener", place.open())?;
    same("its refusal", &error.kind(), &StoreErrorKind::Locked)?;
    same("trying again may help", &error.is_transient(), &true)?;
    // The first opener was not disturbed, and frees the place when it goes.
    CaseWriter::of(&first, 1).await?.write(&[1]).await?;
    drop(first);
    let again = place.open()?;
    same("the pools", &again.journal.pools().await?.len(), &1)
}

async fn gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let before = writer.write(&[2]).await?;
    let (store, pool) = (writer.store.clone(), writer.pool.clone());
    let mut watch = store.journal.watch(&pool, before.head);
    let mut commit = sample::commit(writer.head, 1);
    commit.contents = vec![sample::content(1)];
    let hold = syncs(place)?.hold();
    let mut append = writer.append(commit).boxed();
    same(
        "the append waits",
        &(&mut append).now_or_never().is_none(),
        &true,
    )?;
    hold.wait_reached()?;
    same("the head", &store.journal.head(&pool).await?, &Some(before))?;
    let page = store.journal.read(&pool, before.head, usize::MAX).await?;
    same("the page", &(page.chunks.len(), page.head), &(0, before))?;
    let content = ContentPlace::With(before.head.next());
    let found = store
        .contents
        .get(&pool, sample::content_ref(1), content)
        .await?;
    same("the content is there", &found.is_some(), &false)?;
    same(
        "the watch waits",
        &(&mut watch).now_or_never().is_none(),
        &true,
    )?;
    same(
        "the append waits",
        &(&mut append).now_or_never().is_none(),
        &true,
    )?;
    hold.release();
    let after = append.await?;
    watch.await?;
    same("the head", &store.journal.head(&pool).await?, &Some(after))?;
    let page = store.journal.read(&pool, before.head, usize::MAX).await?;
    same("the chunks of the page", &page.chunks.len(), &1)
}

/// Checks that an append failed with this outcome.
fn check_outcome(error: &AppendError, expected: CommitOutcome) -> Result<(), Failure> {
    let AppendError::Store { outcome, .. } = error else {
        return Err(otherwise("a failed store", error));
    };
    same("the outcome", outcome, &expected)
}

fn check_closed<T: std::fmt::Debug>(
    what: &str,
    result: Result<T, StoreError>,
) -> Result<(), Failure> {
    let error = refused(what, result)?;
    same(what, &error.kind(), &StoreErrorKind::Closed)
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let (store, pool, token) = (writer.store.clone(), writer.pool.clone(), writer.token);
    let watch = store.journal.watch(&pool, Position(1));
    syncs(place)?.fail_next();
    let failed = refused("a failed sync", writer.write(&[1]).await)?;
    check_outcome(&failed, CommitOutcome::Unknown)?;
    let syncs_then = syncs(place)?.syncs();

    let later = refused("a later append", writer.write(&[1]).await)?;
    check_outcome(&later, CommitOutcome::None)?;
    let trim = sample::trim(&*store.journal, &pool, Position(1), token).await;
    check_outcome(&refused("a later trim", trim)?, CommitOutcome::None)?;
    check_closed("a watch from before", watch.await)?;
    check_closed(
        "a later watch",
        store.journal.watch(&pool, Position::ZERO).await,
    )?;
    let closed = store.journal.closed().now_or_never();
    let kind = closed.map(|error| error.kind());
    same("what `closed` says", &kind, &Some(StoreErrorKind::Closed))?;
    check_closed("a later head", store.journal.head(&pool).await)?;
    check_closed("a later list", store.journal.pools().await)?;
    let read = store.journal.read(&pool, Position::ZERO, 1).await;
    let error = refused("a later read", read)?;
    let ReadError::Store(error) = error else {
        return Err(otherwise("a later read", &error));
    };
    same("a later read", &error.kind(), &StoreErrorKind::Closed)?;
    check_later_calls_beside_the_journal(&store, &writer).await?;
    drop((store, writer));
    same(
        "syncs after the failed one",
        &syncs(place)?.syncs(),
        &syncs_then,
    )
}

async fn check_later_calls_beside_the_journal(
    store: &Store,
    writer: &CaseWriter,
) -> Result<(), Failure> {
    let (pool, name, body) = (&writer.pool, sample::content_ref(1), sample::body(1));
    let put = store.contents.put(pool, name, body, writer.token).await;
    check_closed("a later put", put)?;
    let get = store.contents.get(pool, name, ContentPlace::Alone).await;
    check_closed("a later get", get.map(|found| found.is_some()))?;
    let acquire = store
        .leases
        .seize(pool, "another", sample::time(1), heronry_store::LEASE_TERM)
        .await;
    let error = refused("a later seizure", acquire)?;
    let LeaseError::Store(error) = error else {
        return Err(otherwise("a later seizure", &error));
    };
    same("a later seizure", &error.kind(), &StoreErrorKind::Closed)
}

async fn what_waits_behind_a_failed_sync_was_not_written(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let store = place.open()?;
    let (first, second) = (
        CaseWriter::of(&store, 1).await?,
        CaseWriter::of(&store, 2).await?,
    );
    let hold = syncs(place)?.hold();
    syncs(place)?.fail_next();
    let mut dispatched = first
        .attempt(sample::commit(None, 1), first.guard())
        .boxed();
    same(
        "the first waits",
        &(&mut dispatched).now_or_never().is_none(),
        &true,
    )?;
    hold.wait_reached()?;
    let mut queued = second
        .attempt(sample::commit(None, 1), second.guard())
        .boxed();
    same(
        "the second waits",
        &(&mut queued).now_or_never().is_none(),
        &true,
    )?;
    hold.release();
    check_outcome(
        &refused("the first", dispatched.await)?,
        CommitOutcome::Unknown,
    )?;
    check_outcome(&refused("the second", queued.await)?, CommitOutcome::None)?;
    let pool = second.pool.clone();
    drop((store, first, second));
    let head = place.open()?.journal.head(&pool).await?;
    same("the head of the pool that waited", &head, &None)
}

async fn a_failed_commit_is_there_whole_or_not_at_all(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[1]).await?;
    let mut commit = sample::chunks(writer.head, &[2, 2]);
    commit.contents = vec![sample::content(1)];
    syncs(place)?.fail_next();
    let error = refused("a failed sync", writer.append(commit).await)?;
    check_outcome(&error, CommitOutcome::Unknown)?;
    let pool = writer.pool.clone();
    drop(writer);

    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let name = sample::content_ref(1);
    let content = ContentPlace::With(Position(4));
    let content = store.contents.get(&pool, name, content).await?.is_some();
    let spans = writer.chunks(0, usize::MAX).await?;
    let (whole, none) = (vec![(1, 1), (2, 3), (4, 5)], vec![(1, 1)]);
    if (spans != whole || !content) && (spans != none || content) {
        let found = format!("chunks {spans:?}, content there: {content}");
        return Err(Failure(format!("half of the commit is there: {found}")));
    }
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}
