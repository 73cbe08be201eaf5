//! The promises of an append: dense, whole, guarded, fenced, epoch-stable.

pub(super) mod appends;
pub(super) mod arrivals;
pub(super) mod arrivals_kept;
pub(super) mod baselines;
pub(super) mod deletions;
pub(super) mod durable;
pub(super) mod pages;
pub(super) mod reads;
pub(super) mod reopened;
pub(super) mod threads;

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use heronry_store::{AppendError, Commit, ContentPlace, Guard, Head, Timeline};
use heronry_types::{Epoch, Position, Timelines};

use super::{Case, CaseWriter, Failure, StorePlace, otherwise, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("journal", dense),
    case!("journal", whole),
    case!("journal", guarded),
    case!("journal", fenced),
    case!("journal", epoch_stable),
    case!("journal", a_timeline_starts_where_an_append_says_so),
    case!("journal", pools_are_apart_and_sorted),
    case!("journal", a_refusal_disturbs_no_other_pool),
    case!("journal", watchers_are_rung),
];

/// Appends what must not be taken, and checks that nothing of it was.
async fn check_discontinuous(
    writer: &CaseWriter,
    what: &str,
    commit: Commit,
) -> Result<(), Failure> {
    let error = refused(what, writer.attempt(commit, writer.guard()).await)?;
    let AppendError::Discontinuous { .. } = error else {
        return Err(otherwise(what, &error));
    };
    writer.unchanged().await
}

async fn dense(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    check_discontinuous(&writer, "an empty first commit", Commit::default()).await?;
    let late = sample::commit(Some(first_head()), 1);
    check_discontinuous(&writer, "a first chunk that is not at 1", late).await?;
    same(
        "the first head",
        &writer.write(&[3]).await?.head,
        &Position(3),
    )?;
    same(
        "the next head",
        &writer.write(&[1, 2]).await?.head,
        &Position(6),
    )?;
    check_discontinuous(&writer, "an empty commit", Commit::default()).await?;
    let mut gap = sample::chunks(writer.head, &[1, 1, 1]);
    gap.chunks.remove(1);
    check_discontinuous(&writer, "a commit with a gap", gap).await?;
    let mut twice = sample::chunks(writer.head, &[1, 1]);
    twice.chunks.swap(0, 1);
    check_discontinuous(&writer, "chunks in another order", twice).await?;
    let unchained = writer.head.map(|head| Head {
        last_hash: heronry_journal::ChunkHash::START,
        ..head
    });
    let unchained = sample::commit(unchained, 1);
    check_discontinuous(&writer, "a chunk of another chain", unchained).await?;
    let spans = writer.chunks(0, usize::MAX).await?;
    same("the chunks", &spans, &vec![(1, 3), (4, 4), (5, 6)])
}

/// A head that no journal of a test has.
fn first_head() -> Head {
    Head {
        epoch: sample::EPOCH,
        head: Position(4),
        floor: Position(1),
        last_hash: heronry_journal::ChunkHash([7; 32]),
    }
}

async fn whole(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let mut commit = sample::chunks(None, &[2, 3]);
    commit.contents = vec![sample::content(1), sample::content(2)];
    let sent = commit.chunks.clone();
    let head = writer.append(commit).await?;
    let page = writer
        .store
        .journal
        .read(&writer.pool, Position::ZERO, usize::MAX)
        .await?;
    let bytes = |chunks: &[heronry_journal::Chunk]| -> Vec<Vec<u8>> {
        chunks.iter().map(|chunk| chunk.bytes().to_vec()).collect()
    };
    same(
        "the bytes that were read",
        &bytes(&page.chunks),
        &bytes(&sent),
    )?;
    same("the head of the page", &page.head, &head)?;
    let hash = sent.last().map(heronry_journal::Chunk::hash);
    same("the last hash", &Some(head.last_hash), &hash)?;

    let mut broken = sample::chunks(writer.head, &[1, 1, 1]);
    broken.contents = vec![sample::content(3)];
    broken.chunks.pop();
    broken
        .chunks
        .extend(sample::commit(Some(first_head()), 1).chunks);
    check_discontinuous(&writer, "a commit whose last chunk does not follow", broken).await?;
    for position in 1..=7 {
        let place = ContentPlace::With(Position(position));
        let contents = &writer.store.contents;
        let found = contents
            .get(&writer.pool, sample::content_ref(3), place)
            .await?;
        same("a content of a refused commit", &found.is_some(), &false)?;
    }
    Ok(())
}

async fn guarded(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let first = sample::commit(None, 2);
    writer.append(first.clone()).await?;
    writer.write(&[1]).await?;
    let next = sample::commit(writer.head, 1);
    for (expected, commit) in [(0, first), (2, next.clone()), (4, next.clone())] {
        let expected_head = Position(expected);
        let guard = Guard {
            expected_head,
            ..writer.guard()
        };
        let what = "another expected head";
        let error = refused(what, writer.attempt(commit, guard).await)?;
        let AppendError::Conflict { expected, found } = error else {
            return Err(otherwise(what, &error));
        };
        same(what, &(expected, found), &(expected_head, Position(3)))?;
        writer.unchanged().await?;
    }
    writer.append(next).await.map(drop).map_err(Failure::from)
}

async fn fenced(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let never = Guard {
        expected_head: Position::ZERO,
        token: heronry_store::FencingToken(0),
    };
    let first = sample::commit(None, 1);
    let unowned = sample::pool(9);
    let append = store.journal.append(&unowned, first.clone(), never);
    check_fenced(&refused("a pool that nobody acquired", append.await)?)?;

    let mut writer = CaseWriter::of(&store, 1).await?;
    writer.append(first).await?;
    let seized = store.leases.seize(
        &writer.pool,
        "another",
        sample::time(1),
        heronry_store::LEASE_TERM,
    );
    let stale = std::mem::replace(&mut writer.token, seized.await?);
    let next = sample::commit(writer.head, 1);
    let guard = Guard {
        token: stale,
        ..writer.guard()
    };
    let append = writer.attempt(next.clone(), guard).await;
    check_fenced(&refused("a stale token", append)?)?;
    writer.unchanged().await?;
    let trim = sample::trim(&*store.journal, &writer.pool, Position(1), stale).await;
    check_fenced(&refused("a stale token", trim)?)?;
    writer.append(next).await.map(drop).map_err(Failure::from)
}

fn check_fenced(error: &AppendError) -> Result<(), Failure> {
    let AppendError::Fenced { .. } = error else {
        return Err(otherwise("a stale token", error));
    };
    Ok(())
}

async fn epoch_stable(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let first = writer.write(&[1]).await?;
    same("the epoch", &first.epoch, &sample::EPOCH)?;
    let foreign = writer.head.map(|head| Head {
        epoch: Epoch([1; 16]),
        ..head
    });
    let foreign = sample::commit(foreign, 1);
    check_discontinuous(&writer, "a chunk of another epoch", foreign).await?;
    same(
        "the epoch later",
        &writer.write(&[1]).await?.epoch,
        &first.epoch,
    )
}

async fn a_timeline_starts_where_an_append_says_so(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2, 1]).await?;
    let second = Epoch([2; 16]);
    let start = sample::start(writer.head, second);
    let unsaid = Commit {
        timeline: Timeline::Continues,
        ..start.clone()
    };
    check_discontinuous(&writer, "a start that the commit does not name", unsaid).await?;
    let untrue = Commit {
        timeline: Timeline::Starts,
        ..sample::commit(writer.head, 1)
    };
    check_discontinuous(&writer, "a commit that starts no timeline", untrue).await?;
    let other = writer.head.map(|head| Head {
        epoch: Epoch([3; 16]),
        ..head
    });
    let other = sample::start(other, second);
    check_discontinuous(&writer, "a start from another timeline", other).await?;
    let head = writer.append(start).await?;
    same("the epoch", &head.epoch, &second)?;
    same("the head", &head.head, &Position(4))?;
    same("the floor", &head.floor, &Position(1))?;
    writer.write(&[1, 1]).await?;
    writer.unchanged().await?;
    check_timelines(&writer, second).await?;
    let old = writer.head.map(|head| Head {
        epoch: sample::EPOCH,
        ..head
    });
    let old = sample::commit(old, 1);
    check_discontinuous(&writer, "a chunk of the timeline that was left", old).await?;
    for bytes_max in [1, usize::MAX] {
        check_epochs(&writer, bytes_max, second).await?;
    }
    let trimmed = sample::trim(
        &*writer.store.journal,
        &writer.pool,
        Position(4),
        writer.token,
    );
    same(
        "the floor after a trim",
        &trimmed.await?.floor,
        &Position(4),
    )?;
    check_timelines(&writer, second).await?;
    writer.write(&[1]).await.map(drop).map_err(Failure::from)
}

/// Reads the two timelines of a journal, and none of a pool that has no journal.
async fn check_timelines(writer: &CaseWriter, second: Epoch) -> Result<(), Failure> {
    let journal = &writer.store.journal;
    let mut expected = Timelines::of(sample::EPOCH);
    expected.start(Position(4), second);
    let found = journal.timelines(&writer.pool).await?;
    same("the timelines", &found.as_deref(), &Some(&expected))?;
    let nobody = journal.timelines(&sample::pool(99)).await?;
    same("the timelines of no journal", &nobody.as_deref(), &None)
}

/// Reads three positions of the first timeline, and three of the second.
async fn check_epochs(writer: &CaseWriter, bytes_max: usize, second: Epoch) -> Result<(), Failure> {
    for after in 0..6 {
        let journal = &writer.store.journal;
        let page = journal
            .read(&writer.pool, Position(after), bytes_max)
            .await?;
        for chunk in &page.chunks {
            let first = chunk.first().0 <= 3;
            let expected = if first { sample::EPOCH } else { second };
            let what = format!("the epoch of the chunk at {}", chunk.first());
            same(&what, &chunk.header().epoch, &expected)?;
        }
        same("whether something follows", &page.chunks.is_empty(), &false)?;
    }
    Ok(())
}

async fn pools_are_apart_and_sorted(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    for number in [10, 3, 2, 7] {
        let mut writer = CaseWriter::of(&store, number).await?;
        if number != 7 {
            writer.write(&[number]).await?;
        }
    }
    let pools = store.journal.pools().await?;
    same("the pools", &pools, &[10, 2, 3].map(sample::pool).to_vec())?;
    for number in [2, 3, 10] {
        let head = store.journal.head(&sample::pool(number)).await?;
        let last = head.map(|head| head.head);
        same("the head of a pool", &last, &Some(Position(number)))?;
    }
    let none = store.journal.head(&sample::pool(7)).await?;
    same("the head of a pool without a journal", &none, &None)
}

async fn a_refusal_disturbs_no_other_pool(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in 0..16 {
        writers.push(CaseWriter::of(&store, number).await?);
    }
    let appends = writers.iter().enumerate().map(|(number, writer)| {
        let mut guard = writer.guard();
        guard.token.0 += u64::from(number % 2 == 1);
        writer.attempt(sample::commit(None, 2), guard)
    });
    let ends = join_all(appends).await;
    for (number, (writer, end)) in writers.iter().zip(ends).enumerate() {
        let head = store.journal.head(&writer.pool).await?;
        match end {
            Ok(end) if number % 2 == 0 => same("a head", &head, &Some(end))?,
            Err(AppendError::Fenced { .. }) if number % 2 == 1 => same("a head", &head, &None)?,
            end => return Err(Failure(format!("append {number} ended as {end:?}"))),
        }
    }
    Ok(())
}

fn watchers_are_rung(place: &dyn StorePlace) -> BoxFuture<'_, Result<(), Failure>> {
    async {
        let mut writer = CaseWriter::of(&place.open()?, 1).await?;
        let store = writer.store.clone();
        let pool = writer.pool.clone();
        let mut early = store.journal.watch(&pool, Position::ZERO);
        let waiting = (&mut early).now_or_never().is_none();
        same("a watch of an empty pool waits", &waiting, &true)?;
        writer.write(&[2]).await?;
        early.await?;
        store.journal.watch(&pool, Position(1)).await?;
        let mut later = store.journal.watch(&pool, Position(2));
        let waiting = (&mut later).now_or_never().is_none();
        same("a watch at the head waits", &waiting, &true)?;
        writer.write(&[1]).await?;
        later.await.map_err(Failure::from)
    }
    .boxed()
}
