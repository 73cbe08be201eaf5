//! The promises of many keys: they are found, however a store arranges them.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::executor::block_on;
use heronry_store::{Checkpoint, KeyEntry, KeyHash, KeyName, KeyedEntry};

use crate::sample;

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace,
    keys::{checkpoint, entry, id},
    on_threads, refused, same, syncs,
};

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("keys", many_runs_are_as_one),
    case!("keys", the_last_entry_counts_however_many_runs_there_are),
    case!("keys", keys_are_found_while_runs_are_put),
    case!("keys", what_was_cleared_stays_forgotten),
    case!("keys", every_key_is_listed_once_with_its_last_entry),
    case!("keys", an_unknown_pool_lists_none),
    case!(
        "keys",
        many_runs_after_reopening_are_all_there_or_none,
        Kept
    ),
    case!(
        "keys",
        a_put_that_failed_is_there_whole_or_not_at_all,
        Syncs,
        Kept
    ),
];

/// The number of keys in each run.
const RUN: usize = 700;

fn key(number: usize) -> Result<KeyHash, Failure> {
    let name = KeyName::Key(id(&format!("key-{number}"))?);
    Ok(KeyHash::new(&id("a")?, &name))
}

/// Puts the run with a number, whose keys have entries of their own.
async fn put(writer: &CaseWriter, number: usize, at: Checkpoint) -> Result<(), Failure> {
    let numbers = number * RUN..(number + 1) * RUN;
    let run = numbers.map(|number| Ok(KeyedEntry::new(key(number)?, entry(number))));
    let run = run.collect::<Result<Vec<_>, Failure>>()?;
    let put = writer
        .store
        .keys
        .put_run(&writer.pool, run, at, writer.token);
    put.await.map_err(Failure::from)
}

/// Checks that the keys of so many runs are there, and no others.
async fn check(writer: &CaseWriter, runs: usize) -> Result<(), Failure> {
    let keys = (0..(runs + 1) * RUN)
        .map(key)
        .collect::<Result<Vec<_>, _>>()?;
    let found = writer.store.keys.find(&writer.pool, &keys).await?;
    let expected: Vec<Option<KeyEntry>> = (0..keys.len())
        .map(|number| (number < runs * RUN).then(|| entry(number)))
        .collect();
    let wrong = found
        .iter()
        .zip(&expected)
        .position(|(found, expected)| found != expected);
    same("the first key that is not as it was put", &wrong, &None)
}

async fn many_runs_are_as_one(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    for number in 0..24 {
        put(&writer, number, checkpoint(number as u64 + 1)).await?;
        if number % 5 == 0 {
            check(&writer, number + 1).await?;
        }
    }
    check(&writer, 24).await
}

async fn the_last_entry_counts_however_many_runs_there_are(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let port = &writer.store.keys;
    let keys = (0..RUN).map(key).collect::<Result<Vec<_>, _>>()?;
    for round in 0..20 {
        // Each round puts another half of the keys again.
        let again = keys.iter().enumerate().filter(|(n, _)| n % 2 == round % 2);
        let run = again
            .map(|(_, key)| KeyedEntry::new(*key, entry(round)))
            .collect();
        let at = checkpoint(round as u64 + 1);
        port.put_run(&writer.pool, run, at, writer.token).await?;
        if round == 0 {
            continue;
        }
        let found = port.find(&writer.pool, &keys).await?;
        let last = |n: usize| if n % 2 == round % 2 { round } else { round - 1 };
        let expected: Vec<_> = (0..RUN).map(|n| Some(entry(last(n)))).collect();
        let wrong = found.iter().zip(&expected).position(|(a, b)| a != b);
        same("the first key without its last entry", &wrong, &None)?;
    }
    Ok(())
}

/// Puts all runs but the first.
async fn put_others(writer: &CaseWriter) -> Result<(), Failure> {
    for number in 1..24 {
        put(writer, number, checkpoint(number as u64 + 1)).await?;
    }
    Ok(())
}

async fn keys_are_found_while_runs_are_put(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    put(&writer, 0, checkpoint(1)).await?;
    let is_done = AtomicBool::new(false);
    on_threads(2, |thread| {
        if thread == 0 {
            let end = block_on(put_others(&writer));
            is_done.store(true, Ordering::SeqCst);
            return end;
        }
        loop {
            let was_done = is_done.load(Ordering::SeqCst);
            let keys = (0..RUN)
                .step_by(50)
                .map(key)
                .collect::<Result<Vec<_>, _>>()?;
            let found = block_on(writer.store.keys.find(&writer.pool, &keys))?;
            let expected: Vec<_> = (0..RUN).step_by(50).map(|n| Some(entry(n))).collect();
            same("keys of the first run", &found, &expected)?;
            if was_done {
                return Ok(());
            }
        }
    })?;
    check(&writer, 24).await
}

async fn what_was_cleared_stays_forgotten(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    for number in 0..6 {
        put(&writer, number, checkpoint(number as u64 + 1)).await?;
    }
    writer.store.keys.clear(&writer.pool).await?;
    check(&writer, 0).await?;
    for number in 0..6 {
        put(&writer, number, checkpoint(number as u64 + 1)).await?;
        check(&writer, number + 1).await?;
    }
    Ok(())
}

/// Checks that the listed keys are those of so many runs, of which the first may have been put again.
async fn check_listed(
    writer: &CaseWriter,
    runs: usize,
    first: impl Fn(usize) -> KeyEntry,
) -> Result<(), Failure> {
    let expected = (0..runs * RUN).map(|number| {
        let entry = if number < RUN {
            first(number)
        } else {
            entry(number)
        };
        Ok(KeyedEntry::new(key(number)?, entry))
    });
    let mut expected = expected.collect::<Result<Vec<_>, Failure>>()?;
    expected.sort_by_key(|keyed| keyed.key);
    for limit in [1_000, usize::MAX] {
        let mut listed: Vec<KeyedEntry> = Vec::new();
        loop {
            let after = listed.last().map(|last| last.key);
            let page = writer.store.keys.list(&writer.pool, after, limit).await?;
            let is_last = page.len() < limit;
            listed.extend(page);
            if is_last {
                break;
            }
        }
        let wrong = listed.iter().zip(&expected).position(|(a, b)| a != b);
        same("the first key that is listed otherwise", &wrong, &None)?;
        same("how many are listed", &listed.len(), &expected.len())?;
    }
    Ok(())
}

async fn every_key_is_listed_once_with_its_last_entry(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    for number in 0..13 {
        put(&writer, number, checkpoint(number as u64 + 1)).await?;
        if number % 4 == 0 {
            check_listed(&writer, number + 1, entry).await?;
        }
    }
    let again = (0..RUN).map(|number| Ok(KeyedEntry::new(key(number)?, entry(number + 1))));
    let again = again.collect::<Result<Vec<_>, Failure>>()?;
    let port = &writer.store.keys;
    let at = checkpoint(14);
    port.put_run(&writer.pool, again, at, writer.token).await?;
    check_listed(&writer, 13, |number| entry(number + 1)).await
}

async fn an_unknown_pool_lists_none(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let writer = CaseWriter::of(&store, 1).await?;
    put(&writer, 0, checkpoint(1)).await?;
    let other = store.keys.list(&sample::pool(2), None, usize::MAX).await?;
    same("the keys of another pool", &other, &Vec::new())?;
    store.keys.clear(&writer.pool).await?;
    check_listed(&writer, 0, entry).await
}

async fn many_runs_after_reopening_are_all_there_or_none(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    const RUNS: usize = 18;
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let point = writer.point()?;
    for number in 0..RUNS {
        put(&writer, number, point).await?;
    }
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let kept = writer.store.keys.checkpoint(&writer.pool).await?.is_some();
    let there = if kept { RUNS } else { 0 };
    check(&writer, there).await?;
    if kept {
        put(&writer, RUNS, point).await?;
        check(&writer, RUNS + 1).await?;
    }
    Ok(())
}

async fn a_put_that_failed_is_there_whole_or_not_at_all(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    const RUNS: usize = 6;
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let before = writer.point()?;
    for number in 0..RUNS {
        put(&writer, number, before).await?;
    }
    writer.write(&[1]).await?;
    let after = writer.point()?;
    syncs(place)?.fail_next();
    match put(&writer, RUNS, after).await {
        // A store that keeps no keys on its disk syncs nothing for them.
        Ok(()) => return Ok(()),
        end @ Err(_) => drop(refused("a put whose sync failed", end)?),
    }
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    match writer.store.keys.checkpoint(&writer.pool).await? {
        None => check(&writer, 0).await,
        Some(at) if at == before => check(&writer, RUNS).await,
        at => {
            same("the checkpoint", &at, &Some(after))?;
            check(&writer, RUNS + 1).await
        }
    }
}
