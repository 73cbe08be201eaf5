//! The promises of projections of consumers.

pub(super) mod kept;

use futures::future::join_all;
use heronry_store::{
    CONSUMERS_PER_POOL_MAX, ConsumerCursor, ConsumerError, ConsumerStep, PROJECTION_BYTES_MAX,
    PROJECTION_CHANGES_MAX, PROJECTION_COMMIT_BYTES_MAX, PROJECTION_KEY_BYTES_MAX,
    PROJECTION_VALUE_BYTES_MAX, ProjectionChange, RowRange,
};
use heronry_types::Position;

use super::{
    Case, CaseWriter, Failure, StorePlace,
    cursors::{self, at, consumer},
    otherwise, refused, same,
};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("projections", together),
    case!("projections", compared),
    case!("projections", ordered),
    case!("projections", apart),
    case!("projections", bounded),
    case!("projections", a_projection_is_bounded_as_a_whole),
    case!("projections", one_winner),
    case!("projections", deleted),
    case!("projections", a_commit_without_rows_moves_the_cursor),
];

pub(super) fn put(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> ProjectionChange {
    ProjectionChange::Put {
        key: key.as_ref().to_vec(),
        value: value.as_ref().to_vec(),
    }
}

pub(super) fn gone(key: impl AsRef<[u8]>) -> ProjectionChange {
    let key = key.as_ref().to_vec();
    ProjectionChange::Delete { key }
}

pub(super) fn step(expected: Option<ConsumerCursor>, next: ConsumerCursor) -> ConsumerStep {
    ConsumerStep { expected, next }
}

/// Asks for a step of a consumer, and for changes of rows.
async fn attempt(
    writer: &CaseWriter,
    name: &str,
    step: ConsumerStep,
    changes: Vec<ProjectionChange>,
) -> Result<Result<(), ConsumerError>, Failure> {
    let (projections, name) = (&writer.store.projections, consumer(name)?);
    Ok(projections.commit(&writer.pool, &name, step, changes).await)
}

/// Moves a consumer, and changes rows.
pub(super) async fn commit(
    writer: &CaseWriter,
    name: &str,
    step: ConsumerStep,
    changes: Vec<ProjectionChange>,
) -> Result<(), Failure> {
    Ok(attempt(writer, name, step, changes).await??)
}

/// Returns the value of a row.
async fn value(writer: &CaseWriter, name: &str, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let (projections, name) = (&writer.store.projections, consumer(name)?);
    Ok(projections.get(&writer.pool, &name, key).await?)
}

/// Returns every row of a projection, as text.
pub(super) async fn rows(writer: &CaseWriter, name: &str) -> Result<Vec<String>, Failure> {
    let range = RowRange {
        after: None,
        rows_max: usize::MAX,
        bytes_max: usize::MAX,
    };
    let projections = &writer.store.projections;
    let found = projections
        .scan(&writer.pool, &consumer(name)?, range)
        .await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = found
        .iter()
        .map(|row| format!("{}={}", text(&row.key), text(&row.value)));
    Ok(shown.collect())
}

/// Checks where a consumer stands, and its rows.
pub(super) async fn check(
    writer: &CaseWriter,
    name: &str,
    stands: Option<ConsumerCursor>,
    expected: &[&str],
) -> Result<(), Failure> {
    cursors::check(writer, name, stands).await?;
    let expected: Vec<_> = expected.iter().map(|row| (*row).to_owned()).collect();
    same(
        &format!("the rows of {name:?}"),
        &rows(writer, name).await?,
        &expected,
    )?;
    for row in &expected {
        let (key, value) = row.split_once('=').unwrap_or_default();
        let found = self::value(writer, name, key.as_bytes()).await?;
        same("a row", &found, &Some(value.as_bytes().to_vec()))?;
    }
    Ok(())
}

/// A pool with four records.
async fn four_records(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[3, 1]).await?;
    Ok(writer)
}

async fn together(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    check(&writer, "a", None, &[]).await?;
    let first = step(None, at(1, 1));
    commit(&writer, "a", first, vec![put("k", "1"), put("l", "")]).await?;
    check(&writer, "a", Some(at(1, 1)), &["k=1", "l="]).await?;
    // The last change of a key counts, and a row that is not there may be deleted.
    let changes = vec![
        put("k", "2"),
        put("k", "3"),
        gone("l"),
        gone("none"),
        put("m", "4"),
    ];
    commit(&writer, "a", step(Some(at(1, 1)), at(3, 1)), changes).await?;
    check(&writer, "a", Some(at(3, 1)), &["k=3", "m=4"]).await?;
    let changes = vec![gone("m"), put("m", "5"), put("k", "6"), gone("k")];
    commit(&writer, "a", step(Some(at(3, 1)), at(4, 1)), changes).await?;
    check(&writer, "a", Some(at(4, 1)), &["m=5"]).await?;
    let none = value(&writer, "a", b"k").await?;
    same("a row that is gone", &none, &None)
}

async fn a_commit_without_rows_moves_the_cursor(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", step(None, at(1, 1)), vec![put("k", "1")]).await?;
    commit(&writer, "a", step(Some(at(1, 1)), at(2, 1)), Vec::new()).await?;
    check(&writer, "a", Some(at(2, 1)), &["k=1"]).await?;
    // The port of cursors moves the same consumer, and leaves its rows.
    cursors::commit(&writer, "a", Some(at(2, 1)), at(3, 1)).await?;
    check(&writer, "a", Some(at(3, 1)), &["k=1"]).await
}

/// Returns the refusal of a commit with a row.
async fn refusal(
    writer: &CaseWriter,
    name: &str,
    step: ConsumerStep,
) -> Result<ConsumerError, Failure> {
    let changes = vec![put("refused", "1")];
    refused("a commit", attempt(writer, name, step, changes).await?)
}

async fn compared(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", step(None, at(1, 1)), vec![put("k", "1")]).await?;
    let stands = Some(at(1, 1));
    for expected in [None, Some(at(0, 1)), Some(at(1, 2))] {
        let error = refusal(&writer, "a", step(expected, at(2, 1))).await?;
        let ConsumerError::Conflict { found } = error else {
            return Err(otherwise("another expectation", &error));
        };
        same("what is there", &found, &stands)?;
        check(&writer, "a", stands, &["k=1"]).await?;
    }
    let error = refusal(&writer, "a", step(stands, at(5, 1))).await?;
    let ConsumerError::Ahead { requested, head } = error else {
        return Err(otherwise("above the head", &error));
    };
    same(
        "what it says",
        &(requested, head),
        &(Position(5), Position(4)),
    )?;
    check(&writer, "a", stands, &["k=1"]).await?;
    let (pool, name) = (sample::pool(9), consumer("a")?);
    let (new, changes) = (step(None, at(0, 1)), vec![put("k", "1")]);
    let projections = &writer.store.projections;
    let commit = projections.commit(&pool, &name, new, changes);
    let error = refused("a consumer of no pool", commit.await)?;
    let ConsumerError::NoPool = error else {
        return Err(otherwise("a consumer of no pool", &error));
    };
    let names = (1..CONSUMERS_PER_POOL_MAX).map(|number| format!("consumer-{number}"));
    let names: Vec<_> = names.collect();
    let made = names
        .iter()
        .map(|name| commit_of(&writer, name, step(None, at(0, 1))));
    join_all(made)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let error = refusal(&writer, "over", step(None, at(0, 1))).await?;
    let ConsumerError::TooMany { .. } = error else {
        return Err(otherwise("one consumer too many", &error));
    };
    check(&writer, "over", None, &[]).await
}

async fn commit_of(writer: &CaseWriter, name: &str, step: ConsumerStep) -> Result<(), Failure> {
    commit(writer, name, step, Vec::new()).await
}

async fn ordered(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let keys: [&[u8]; 10] = [
        &[0],
        &[0, 0],
        &[0, 1],
        &[1],
        &[1, 1],
        &[1, 2],
        b"a",
        b"a\0",
        b"ab",
        &[255, 255],
    ];
    // Written from the last one on, in two commits.
    let changes = |of: &[&[u8]]| of.iter().rev().map(|key| put(key, key)).collect::<Vec<_>>();
    commit(&writer, "a", step(None, at(1, 1)), changes(&keys[4..])).await?;
    commit(
        &writer,
        "a",
        step(Some(at(1, 1)), at(2, 1)),
        changes(&keys[..4]),
    )
    .await?;
    let all: Vec<_> = keys.iter().map(|key| key.to_vec()).collect();
    let scan = async |after: Option<&[u8]>, rows_max, bytes_max| -> Result<_, Failure> {
        let range = RowRange {
            after,
            rows_max,
            bytes_max,
        };
        let name = consumer("a")?;
        let found = writer
            .store
            .projections
            .scan(&writer.pool, &name, range)
            .await?;
        for row in &found {
            same("a value", &row.value, &row.key)?;
        }
        Ok(found.into_iter().map(|row| row.key).collect::<Vec<_>>())
    };
    same("all", &scan(None, 100, usize::MAX).await?, &all)?;
    for rows_max in 0..4 {
        let (mut read, mut after) = (Vec::new(), None);
        loop {
            let page = scan(after.as_deref(), rows_max, usize::MAX).await?;
            same(
                "a page is as long as asked",
                &(page.len() <= rows_max.max(1)),
                &true,
            )?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            read.extend(page);
        }
        same("pages", &read, &all)?;
    }
    // A key between two rows, and one after all.
    same(
        "after a key",
        &scan(Some(b"aa"), 1, usize::MAX).await?,
        &vec![b"ab".to_vec()],
    )?;
    same(
        "after all",
        &scan(Some(&[255, 255]), 1, usize::MAX).await?.len(),
        &0,
    )?;
    // One and one byte, then two and two.
    same("by bytes", &scan(None, 100, 5).await?.len(), &1)?;
    same("by bytes", &scan(None, 100, 6).await?.len(), &2)?;
    same("one at least", &scan(None, 100, 0).await?.len(), &1)
}

async fn apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let names = ["a", "ab", "a/b", "é", "\u{1F426}"];
    let mut writers = Vec::new();
    for number in 1..=2 {
        let mut writer = CaseWriter::of(&store, number).await?;
        writer.write(&[4]).await?;
        writers.push(writer);
    }
    for (pool, writer) in (1..).zip(&writers) {
        for name in names {
            let changes = vec![put("b", format!("{pool}{name}")), put("/b", name)];
            commit(writer, name, step(None, at(1, pool)), changes).await?;
        }
    }
    for (pool, writer) in (1..).zip(&writers) {
        for name in names {
            let rows = [format!("/b={name}"), format!("b={pool}{name}")];
            let rows = [rows[0].as_str(), rows[1].as_str()];
            check(writer, name, Some(at(1, pool)), &rows).await?;
        }
    }
    Ok(())
}

/// Checks that changes are refused, and that nothing is written.
async fn check_bound(writer: &CaseWriter, changes: Vec<ProjectionChange>) -> Result<(), Failure> {
    let end = attempt(writer, "a", step(Some(at(1, 1)), at(2, 1)), changes).await?;
    let error = refused("changes that are too large", end)?;
    let (ConsumerError::TooLarge { .. } | ConsumerError::EmptyKey) = error else {
        return Err(otherwise("changes that are too large", &error));
    };
    check(writer, "a", Some(at(1, 1)), &["k=1"]).await
}

async fn bounded(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    commit(&writer, "a", step(None, at(1, 1)), vec![put("k", "1")]).await?;
    check_bound(&writer, vec![put("", "1")]).await?;
    check_bound(&writer, vec![gone("")]).await?;
    check_bound(
        &writer,
        vec![put(vec![1; PROJECTION_KEY_BYTES_MAX + 1], "")],
    )
    .await?;
    check_bound(
        &writer,
        vec![put("l", vec![1; PROJECTION_VALUE_BYTES_MAX + 1])],
    )
    .await?;
    check_bound(&writer, vec![gone("l"); PROJECTION_CHANGES_MAX + 1]).await?;
    let large = put("l", vec![1; PROJECTION_VALUE_BYTES_MAX]);
    let over = PROJECTION_COMMIT_BYTES_MAX / PROJECTION_VALUE_BYTES_MAX;
    check_bound(&writer, vec![large; over]).await?;
    // At the limits.
    let mut changes = vec![gone("l"); PROJECTION_CHANGES_MAX - 3];
    changes.push(gone("k"));
    changes.push(put(vec![0; PROJECTION_KEY_BYTES_MAX], "0"));
    let value = vec![7; PROJECTION_VALUE_BYTES_MAX];
    changes.push(put("m", &value));
    commit(&writer, "a", step(Some(at(1, 1)), at(2, 1)), changes).await?;
    let projections = &writer.store.projections;
    let name = consumer("a")?;
    let found = projections.get(&writer.pool, &name, b"m").await?;
    same("the largest value", &(found == Some(value)), &true)?;
    let key = vec![0; PROJECTION_KEY_BYTES_MAX];
    let found = projections.get(&writer.pool, &name, &key).await?;
    same("the row with the longest key", &found, &Some(b"0".to_vec()))?;
    same("the rows", &rows(&writer, "a").await?.len(), &2)
}

async fn a_projection_is_bounded_as_a_whole(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let large = vec![1; PROJECTION_VALUE_BYTES_MAX];
    // Each commit is nearly as large as one may be.
    let per_commit = PROJECTION_COMMIT_BYTES_MAX / PROJECTION_VALUE_BYTES_MAX - 1;
    let commits = PROJECTION_BYTES_MAX / PROJECTION_VALUE_BYTES_MAX / per_commit;
    let filled = async |number: usize, expected: ConsumerCursor| {
        let changes = (0..per_commit).map(|row| put(format!("{number}-{row}"), &large));
        let mut next = expected;
        next.tenure.generation += 1;
        let step = step(Some(expected), next);
        Ok::<_, Failure>((next, attempt(&writer, "a", step, changes.collect()).await?))
    };
    let mut stands = at(1, 1);
    commit(&writer, "a", step(None, stands), vec![put("first", &large)]).await?;
    for number in 0..commits {
        let (next, end) = filled(number, stands).await?;
        end?;
        stands = next;
    }
    let (_, end) = filled(commits, stands).await?;
    let error = refused("a projection that is too large", end)?;
    let ConsumerError::TooLarge { max, .. } = error else {
        return Err(otherwise("a projection that is too large", &error));
    };
    same("the most", &max, &PROJECTION_BYTES_MAX)?;
    cursors::check(&writer, "a", Some(stands)).await?;
    // The place of rows that go is free, and what replaces a row takes its place.
    let gone = (0..per_commit)
        .map(|row| gone(format!("0-{row}")))
        .collect();
    let mut next = stands;
    next.tenure.generation += 1;
    commit(&writer, "a", step(Some(stands), next), gone).await?;
    let (stands, end) = filled(1, next).await?;
    end?;
    filled(commits, stands).await?.1.map_err(Failure::from)
}

async fn one_winner(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    let name = consumer("a")?;
    let projections = &writer.store.projections;
    for round in 0..4 {
        let expected = writer.store.cursors.get(&writer.pool, &name).await?;
        let racers: Vec<u8> = (0..8).collect();
        let commits = racers.iter().map(|racer| {
            let changes = vec![
                put("winner", racer.to_string()),
                put(format!("{round}-{racer}"), ""),
            ];
            projections.commit(
                &writer.pool,
                &name,
                step(expected, at(round, *racer)),
                changes,
            )
        });
        let ends = join_all(commits).await;
        let taken = racers.iter().zip(&ends).filter(|(_, end)| end.is_ok());
        let taken: Vec<_> = taken.map(|(racer, _)| *racer).collect();
        let [winner] = taken[..] else {
            return Err(otherwise("one is taken", &taken));
        };
        cursors::check(&writer, "a", Some(at(round, winner))).await?;
        let found = projections.get(&writer.pool, &name, b"winner").await?;
        same("the winner", &found, &Some(winner.to_string().into_bytes()))?;
        let written = rows(&writer, "a").await?.len();
        same("the rows", &(written as u64), &(round + 2))?;
    }
    Ok(())
}

async fn deleted(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = four_records(place).await?;
    for name in ["a", "ab"] {
        let changes = vec![put("k", name), put([255; 3], "last")];
        commit(&writer, name, step(None, at(1, 1)), changes).await?;
    }
    for _ in 0..2 {
        writer
            .store
            .cursors
            .delete(&writer.pool, &consumer("a")?)
            .await?;
        check(&writer, "a", None, &[]).await?;
    }
    same("the rows of another", &rows(&writer, "ab").await?.len(), &2)?;
    // Who comes under the same name has no rows of before.
    commit(&writer, "a", step(None, at(2, 1)), vec![put("l", "2")]).await?;
    check(&writer, "a", Some(at(2, 1)), &["l=2"]).await?;
    writer
        .store
        .journal
        .delete(&writer.pool, writer.token)
        .await?;
    check(&writer, "a", None, &[]).await?;
    let mut next = CaseWriter::of(&writer.store, 1).await?;
    next.write(&[4]).await?;
    check(&next, "a", None, &[]).await?;
    commit(&next, "a", step(None, at(1, 1)), vec![put("m", "3")]).await?;
    check(&next, "a", Some(at(1, 1)), &["m=3"]).await
}
