//! The promises of cursors of consumers.

pub(super) mod arriving;
pub(super) mod kept;

use futures::{executor::block_on, future::join_all};
use heronry_store::{
    Arrival, CONSUMERS_PER_POOL_MAX, Commit, ConsumerCursor, ConsumerError, ConsumerId,
    FilterFingerprint, Tenure,
};
use heronry_types::{Cursor, Epoch, Millis, Position, Timestamp};

use super::{Case, CaseWriter, Failure, StorePlace, on_threads, otherwise, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("cursors", committed),
    case!("cursors", compared),
    case!("cursors", one_winner),
    case!("cursors", behind_the_head),
    case!("cursors", apart),
    case!("cursors", listed),
    case!("cursors", bounded),
    case!("cursors", deleted),
    case!("cursors", a_changed_filter_is_a_conflict),
    case!("cursors", a_consumer_goes_back_when_it_says_so),
    case!("cursors", a_consumer_of_no_pool_is_said),
    case!("cursors", a_name_has_any_length_that_an_id_has),
    case!("cursors", a_trim_leaves_cursors),
    case!("cursors", a_stale_owner_disturbs_no_consumer),
    case!("cursors", no_step_is_lost_among_threads),
];

pub(super) fn consumer(name: &str) -> Result<ConsumerId, Failure> {
    ConsumerId::parse(name).map_err(|error| Failure::new(error.to_string()))
}

/// Returns the cursor at a position, of a consumer that looks for the filter with a number.
pub(super) fn at(position: u64, filter: u8) -> ConsumerCursor {
    ConsumerCursor::new(
        Cursor::new(sample::EPOCH, Position(position)),
        FilterFingerprint([filter; 32]),
    )
}

/// Moves a consumer.
pub(super) async fn commit(
    writer: &CaseWriter,
    name: &str,
    expected: Option<ConsumerCursor>,
    next: ConsumerCursor,
) -> Result<(), Failure> {
    let (cursors, consumer) = (&writer.store.cursors, consumer(name)?);
    let commit = cursors.commit(&writer.pool, &consumer, expected, next);
    commit.await.map_err(Failure::from)
}

/// Checks the cursor of a consumer.
pub(super) async fn check(
    writer: &CaseWriter,
    name: &str,
    expected: Option<ConsumerCursor>,
) -> Result<(), Failure> {
    let (cursors, consumer) = (&writer.store.cursors, consumer(name)?);
    let found = cursors.get(&writer.pool, &consumer).await?;
    same(&format!("where {name:?} stands"), &found, &expected)
}

async fn check_conflict(
    writer: &CaseWriter,
    expected: Option<ConsumerCursor>,
    there: Option<ConsumerCursor>,
) -> Result<(), Failure> {
    let (cursors, consumer) = (&writer.store.cursors, consumer("a")?);
    let what = "a commit with another expectation";
    let commit = cursors.commit(&writer.pool, &consumer, expected, at(3, 1));
    let error = refused(what, commit.await)?;
    let ConsumerError::Conflict { found } = error else {
        return Err(otherwise(what, &error));
    };
    same("what it says is there", &found, &there)?;
    check(writer, "a", there).await
}

/// A pool with four records.
async fn four_records(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3, 1]).await?;
    Ok(writer)
}

async fn committed(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    check(&writer, "a", None).await?;
    let mut stands = None;
    for (position, filter) in [(0, 1), (1, 1), (4, 1), (4, 2)] {
        let next = at(position, filter);
        commit(&writer, "a", stands, next).await?;
        check(&writer, "a", Some(next)).await?;
        stands = Some(next);
    }
    // The timeline of a cursor is the consumer's business, and is kept as it is.
    let other = ConsumerCursor {
        cursor: Cursor::new(Epoch([9; 16]), Position(2)),
        ..at(2, 2)
    };
    commit(&writer, "a", stands, other).await?;
    check(&writer, "a", Some(other)).await?;
    // So is the tenure of its holder.
    let tenure = Tenure {
        generation: u64::MAX,
        committed_at: Some(Timestamp::FIRST),
        hold_for: Millis(u64::MAX),
    };
    let held = ConsumerCursor { tenure, ..other };
    commit(&writer, "a", Some(other), held).await?;
    check(&writer, "a", Some(held)).await
}

async fn compared(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    check_conflict(&writer, Some(at(1, 1)), None).await?;
    commit(&writer, "a", None, at(1, 1)).await?;
    for expected in [None, Some(at(0, 1)), Some(at(2, 1))] {
        check_conflict(&writer, expected, Some(at(1, 1))).await?;
    }
    let other = ConsumerCursor {
        cursor: Cursor::new(Epoch([9; 16]), Position(1)),
        ..at(1, 1)
    };
    check_conflict(&writer, Some(other), Some(at(1, 1))).await?;
    let mut of_another_holder = at(1, 1);
    of_another_holder.tenure.generation += 1;
    check_conflict(&writer, Some(of_another_holder), Some(at(1, 1))).await?;
    commit(&writer, "a", Some(at(1, 1)), at(3, 1)).await
}

async fn a_changed_filter_is_a_conflict(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", None, at(1, 1)).await?;
    check_conflict(&writer, Some(at(1, 2)), Some(at(1, 1))).await?;
    commit(&writer, "a", Some(at(1, 1)), at(1, 2)).await?;
    check_conflict(&writer, Some(at(1, 1)), Some(at(1, 2))).await
}

async fn one_winner(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let consumer = consumer("a")?;
    let cursors = &writer.store.cursors;
    for round in 0..4 {
        let expected = cursors.get(&writer.pool, &consumer).await?;
        let nexts: Vec<_> = (0..8).map(|racer| at(round, racer)).collect();
        let commits = nexts
            .iter()
            .map(|next| cursors.commit(&writer.pool, &consumer, expected, *next));
        let ends = join_all(commits).await;
        let taken: Vec<_> = nexts
            .iter()
            .zip(&ends)
            .filter(|(_, end)| end.is_ok())
            .collect();
        same("how many were taken", &taken.len(), &1)?;
        let winner = taken.first().map(|(next, _)| **next);
        check(&writer, "a", winner).await?;
    }
    Ok(())
}

async fn no_step_is_lost_among_threads(place: &dyn StorePlace) -> Result<(), Failure> {
    const THREADS: u64 = 4;
    const STEPS: u64 = 10;
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[THREADS * STEPS]).await?;
    commit(&writer, "a", None, at(0, 1)).await?;
    let consumer = consumer("a")?;
    let (cursors, pool) = (&writer.store.cursors, &writer.pool);
    let step = || -> Result<bool, Failure> {
        let stands = block_on(cursors.get(pool, &consumer))?;
        let position = stands.map_or(0, |stands| stands.cursor.position.0);
        let next = at(position + 1, 1);
        match block_on(cursors.commit(pool, &consumer, stands, next)) {
            Ok(()) => Ok(true),
            Err(ConsumerError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    };
    on_threads(THREADS, |_| {
        let mut steps = 0;
        while steps < STEPS {
            steps += u64::from(step()?);
        }
        Ok(())
    })?;
    check(&writer, "a", Some(at(THREADS * STEPS, 1))).await
}

async fn behind_the_head(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = four_records(place).await?;
    commit(&writer, "a", None, at(4, 1)).await?;
    let cursors = writer.store.cursors.clone();
    for position in [5, u64::MAX] {
        let what = "a cursor above the head";
        let (name, next) = (consumer("a")?, at(position, 1));
        let commit = cursors.commit(&writer.pool, &name, Some(at(4, 1)), next);
        let error = refused(what, commit.await)?;
        let ConsumerError::Ahead { requested, head } = error else {
            return Err(otherwise(what, &error));
        };
        let expected = (Position(position), Position(4));
        same("what it says", &(requested, head), &expected)?;
    }
    check(&writer, "a", Some(at(4, 1))).await?;
    writer.write(&[1]).await?;
    commit(&writer, "a", Some(at(4, 1)), at(5, 1)).await
}

async fn apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let names = ["a", "a ", "aa", "a/b", "b", "é", "A", "~", "\u{1F426}"];
    let mut writers = Vec::new();
    for number in 1..=2 {
        let mut writer = CaseWriter::of(&store, number).await?;
        writer.write(&[20]).await?;
        writers.push(writer);
    }
    let marks = || (0..).zip(names);
    for (pool, writer) in (1..).zip(&writers) {
        for (position, name) in marks() {
            commit(writer, name, None, at(position, pool)).await?;
        }
    }
    for (pool, writer) in (1..).zip(&writers) {
        for (position, name) in marks() {
            check(writer, name, Some(at(position, pool))).await?;
        }
    }
    Ok(())
}

async fn listed(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writers = Vec::new();
    for number in [1, 2, 3] {
        let mut writer = CaseWriter::of(&store, number).await?;
        writer.write(&[4]).await?;
        writers.push(writer);
    }
    // Each name of the second pool stands beside names of its neighbours.
    for (position, name) in [(3, "b"), (1, "a"), (4, "é"), (2, "a b"), (0, "Z")] {
        for writer in &writers {
            commit(writer, name, None, at(position, 1)).await?;
        }
    }
    let expected = [("Z", 0), ("a", 1), ("a b", 2), ("b", 3), ("é", 4)];
    for writer in &writers {
        let found = store.cursors.list(&writer.pool).await?;
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.consumer.as_str(), it.cursor))
            .collect();
        let expected = expected.map(|(name, position)| (name, at(position, 1)));
        same("the consumers", &found, &expected.to_vec())?;
    }
    let unknown = store.cursors.list(&sample::pool(9)).await?;
    same("consumers of an unknown pool", &unknown.len(), &0)
}

async fn bounded(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let cursors = &writer.store.cursors;
    let name = |number: usize| consumer(&format!("consumer-{number}"));
    let make = async |from: usize, to: usize| -> Result<(), Failure> {
        let names = (from..to).map(name).collect::<Result<Vec<_>, _>>()?;
        let commits = names
            .iter()
            .map(|name| cursors.commit(&writer.pool, name, None, at(0, 1)));
        let ends = join_all(commits).await;
        ends.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(())
    };
    make(1, CONSUMERS_PER_POOL_MAX).await?;
    make(CONSUMERS_PER_POOL_MAX, CONSUMERS_PER_POOL_MAX + 1).await?;
    let over = name(CONSUMERS_PER_POOL_MAX + 1)?;
    let what = "one consumer too many";
    let error = refused(
        what,
        cursors.commit(&writer.pool, &over, None, at(0, 1)).await,
    )?;
    let ConsumerError::TooMany { max } = error else {
        return Err(otherwise(what, &error));
    };
    same("the most", &max, &CONSUMERS_PER_POOL_MAX)?;
    let listed = cursors.list(&writer.pool).await?.len();
    same("the consumers", &listed, &CONSUMERS_PER_POOL_MAX)?;
    // Those that are there go on, and the place of one that went is free.
    commit(&writer, "consumer-1", Some(at(0, 1)), at(1, 1)).await?;
    cursors.delete(&writer.pool, &name(2)?).await?;
    cursors.commit(&writer.pool, &over, None, at(0, 1)).await?;
    Ok(())
}

async fn deleted(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let cursors = &writer.store.cursors;
    for name in ["a", "b"] {
        commit(&writer, name, None, at(1, 1)).await?;
    }
    for _ in 0..2 {
        cursors.delete(&writer.pool, &consumer("a")?).await?;
        check(&writer, "a", None).await?;
    }
    cursors.delete(&sample::pool(9), &consumer("a")?).await?;
    check(&writer, "b", Some(at(1, 1))).await?;
    check_conflict(&writer, Some(at(1, 1)), None).await?;
    commit(&writer, "a", None, at(0, 2)).await?;
    check(&writer, "a", Some(at(0, 2))).await
}

async fn a_consumer_goes_back_when_it_says_so(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", None, at(4, 1)).await?;
    commit(&writer, "a", Some(at(4, 1)), at(0, 1)).await?;
    check(&writer, "a", Some(at(0, 1))).await
}

async fn a_consumer_of_no_pool_is_said(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let mut writer = CaseWriter::of(&store, 1).await?;
    let part = Commit {
        arrival: Arrival::Part,
        ..sample::commit(None, 2)
    };
    writer.append(part).await?;
    let unwritten = CaseWriter::of(&store, 2).await?;
    // A pool that arrives, one without a journal, and one that nobody ever named.
    for pool in [&writer.pool, &unwritten.pool, &sample::pool(9)] {
        let name = consumer("a")?;
        let commit = store.cursors.commit(pool, &name, None, at(0, 1));
        let error = refused("a consumer of no pool", commit.await)?;
        let ConsumerError::NoPool = error else {
            return Err(otherwise("a consumer of no pool", &error));
        };
        let found = store.cursors.get(pool, &name).await?;
        same("where it stands", &found, &None)?;
    }
    Ok(())
}

async fn a_name_has_any_length_that_an_id_has(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let names = [1, 2, 511, 512].map(|bytes| "n".repeat(bytes));
    for (position, name) in (1..).zip(&names) {
        commit(&writer, name, None, at(position, 1)).await?;
    }
    for (position, name) in (1..).zip(&names) {
        check(&writer, name, Some(at(position, 1))).await?;
    }
    let listed = writer.store.cursors.list(&writer.pool).await?;
    let listed: Vec<_> = listed.iter().map(|it| it.consumer.as_str().len()).collect();
    same("the names", &listed, &vec![1, 2, 511, 512])
}

async fn a_trim_leaves_cursors(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", None, at(1, 1)).await?;
    let journal = &writer.store.journal;
    let trim = sample::trim(&**journal, &writer.pool, Position(4), writer.token);
    same("the floor", &trim.await?.floor, &Position(4))?;
    check(&writer, "a", Some(at(1, 1))).await?;
    commit(&writer, "a", Some(at(1, 1)), at(3, 1)).await
}

async fn a_stale_owner_disturbs_no_consumer(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = four_records(place).await?;
    writer.lose().await?;
    commit(&writer, "a", None, at(1, 1)).await?;
    writer
        .store
        .leases
        .release(&writer.pool, writer.token)
        .await?;
    commit(&writer, "a", Some(at(1, 1)), at(2, 1)).await?;
    check(&writer, "a", Some(at(2, 1))).await
}
