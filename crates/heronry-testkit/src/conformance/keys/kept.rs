//! Further promises of keys: runs that add up, seals, failures, reopening.

use heronry_store::{Checkpoint, FencingToken, KeyHash, KeyName, KeyedEntry, StoreErrorKind};

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_kind,
    keys::{check_first, checkpoint, entry, id, keys, put_keys, put_one},
    refused, same, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("keys", runs_add_up),
    case!("keys", a_key_that_comes_again_has_its_last_entry),
    case!("keys", an_empty_run_moves_the_checkpoint),
    case!("keys", answers_come_in_the_order_of_the_questions),
    case!("keys", apart),
    case!("keys", a_large_run_is_found),
    case!("keys", a_pool_that_nobody_acquired_has_none),
    case!("keys", sealed),
    case!("keys", fail_stop, Syncs),
    case!(
        "keys",
        a_checkpoint_after_reopening_is_one_that_was_put,
        Kept
    ),
];

async fn runs_add_up(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    for number in 0..50 {
        put_one(&writer, number).await?;
        check_first(&writer, number + 1).await?;
        let at = writer.store.keys.checkpoint(&writer.pool).await?;
        same("the checkpoint", &at, &Some(checkpoint(number)))?;
    }
    Ok(())
}

async fn a_key_that_comes_again_has_its_last_entry(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let keys = put_keys(&writer, 1).await?;
    let port = &writer.store.keys;
    let again: Vec<_> = keys
        .iter()
        .take(1)
        .map(|key| KeyedEntry::new(*key, entry(99)))
        .collect();
    port.put_run(&writer.pool, again, checkpoint(2), writer.token)
        .await?;
    let found = port.find(&writer.pool, &keys).await?;
    let expected: Vec<_> = (0..6)
        .map(|n| Some(entry(if n == 0 { 99 } else { n })))
        .collect();
    same("the entries", &found, &expected)
}

async fn an_empty_run_moves_the_checkpoint(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let keys = put_keys(&writer, 1).await?;
    let port = &writer.store.keys;
    for position in [5, 900] {
        let at = checkpoint(position);
        port.put_run(&writer.pool, Vec::new(), at, writer.token)
            .await?;
        same(
            "the checkpoint",
            &port.checkpoint(&writer.pool).await?,
            &Some(at),
        )?;
    }
    let found = port.find(&writer.pool, &keys).await?;
    same(
        "the entries",
        &found,
        &(0..6).map(|n| Some(entry(n))).collect(),
    )
}

async fn answers_come_in_the_order_of_the_questions(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let keys = put_keys(&writer, 1).await?;
    let unknown = KeyHash::new(&id("nobody")?, &KeyName::Message(id("x")?));
    let order = [3, 0, 3, 9, 5, 9];
    let asked: Vec<_> = order
        .iter()
        .map(|n| *keys.get(*n).unwrap_or(&unknown))
        .collect();
    let found = writer.store.keys.find(&writer.pool, &asked).await?;
    let expected: Vec<_> = order.iter().map(|n| (*n < 6).then(|| entry(*n))).collect();
    same("the answers", &found, &expected)?;
    let none = writer.store.keys.find(&writer.pool, &[]).await?;
    same("no question", &none.len(), &0)
}

async fn apart(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (one, two) = (
        CaseWriter::of(&store, 1).await?,
        CaseWriter::of(&store, 2).await?,
    );
    let keys = put_keys(&one, 1).await?;
    let found = store.keys.find(&two.pool, &keys).await?;
    same("keys of another pool", &found, &vec![None; 6])?;
    same(
        "its checkpoint",
        &store.keys.checkpoint(&two.pool).await?,
        &None,
    )?;
    let run = keys
        .iter()
        .map(|key| KeyedEntry::new(*key, entry(50)))
        .collect();
    store
        .keys
        .put_run(&two.pool, run, checkpoint(2), two.token)
        .await?;
    let found = store.keys.find(&one.pool, &keys).await?;
    same(
        "the first pool's",
        &found,
        &(0..6).map(|n| Some(entry(n))).collect(),
    )?;
    let at = store.keys.checkpoint(&one.pool).await?;
    same("its checkpoint", &at, &Some(checkpoint(1)))
}

async fn a_large_run_is_found(place: &dyn StorePlace) -> Result<(), Failure> {
    const KEYS: usize = 10_000;
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let key = |number: usize| -> Result<KeyHash, Failure> {
        let name = KeyName::Key(id(&format!("key-{number}"))?);
        Ok(KeyHash::new(&id("a")?, &name))
    };
    // In no order that a store could rely on.
    let numbers = (0..KEYS).map(|number| number * 7_919 % KEYS);
    let run = numbers.map(|number| Ok(KeyedEntry::new(key(number)?, entry(number))));
    let run = run.collect::<Result<Vec<_>, Failure>>()?;
    let port = &writer.store.keys;
    port.put_run(&writer.pool, run, checkpoint(1), writer.token)
        .await?;
    for number in [0, 1, KEYS / 2, KEYS - 1] {
        let found = port.find(&writer.pool, &[key(number)?]).await?;
        same("a key", &found, &vec![Some(entry(number))])?;
    }
    let over = port.find(&writer.pool, &[key(KEYS)?]).await?;
    same("a key that nobody made", &over, &vec![None])
}

async fn a_pool_that_nobody_acquired_has_none(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (pool, keys) = (sample::pool(9), keys()?);
    same(
        "its checkpoint",
        &store.keys.checkpoint(&pool).await?,
        &None,
    )?;
    let found = store.keys.find(&pool, &keys).await?;
    same("its keys", &found, &vec![None; keys.len()])?;
    store.keys.clear(&pool).await?;
    for token in [0, 1] {
        let put = store
            .keys
            .put_run(&pool, Vec::new(), checkpoint(1), FencingToken(token));
        check_kind("a run", put.await, StoreErrorKind::Closed)?;
    }
    same(
        "its checkpoint",
        &store.keys.checkpoint(&pool).await?,
        &None,
    )
}

async fn sealed(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let keys = put_keys(&writer, 1).await?;
    let store = &writer.store;
    store.custody.seal("another place").await?;
    let put = store
        .keys
        .put_run(&writer.pool, Vec::new(), checkpoint(2), writer.token);
    check_kind(
        "a run for a sealed store",
        put.await,
        StoreErrorKind::Sealed,
    )?;
    let found = store.keys.find(&writer.pool, &keys).await?;
    same("keys of before", &found.iter().flatten().count(), &6)?;
    let at = store.keys.checkpoint(&writer.pool).await?;
    same("the checkpoint", &at, &Some(checkpoint(1)))
}

async fn fail_stop(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let keys = put_keys(&writer, 1).await?;
    syncs(place)?.fail_next();
    refused("a failed sync", writer.write(&[1]).await)?;
    let (port, closed) = (&writer.store.keys, StoreErrorKind::Closed);
    let put = port.put_run(&writer.pool, Vec::new(), checkpoint(2), writer.token);
    check_kind("a later run", put.await, closed)?;
    check_kind("a later find", port.find(&writer.pool, &keys).await, closed)?;
    check_kind(
        "a later checkpoint",
        port.checkpoint(&writer.pool).await,
        closed,
    )?;
    check_kind("a later clear", port.clear(&writer.pool).await, closed)
}

async fn a_checkpoint_after_reopening_is_one_that_was_put(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    writer.write(&[2]).await?;
    let point: Checkpoint = writer.point()?;
    let keys = keys()?;
    let run = keys
        .iter()
        .map(|key| KeyedEntry::new(*key, entry(1)))
        .collect();
    writer
        .store
        .keys
        .put_run(&writer.pool, run, point, writer.token)
        .await?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let port = &writer.store.keys;
    // A store that keeps no keys has forgotten them with their checkpoint; one that does has both.
    let found = port.find(&writer.pool, &keys).await?;
    match port.checkpoint(&writer.pool).await? {
        None => same("keys without a checkpoint", &found, &vec![None; keys.len()]),
        Some(at) => {
            same("the checkpoint", &at, &point)?;
            same("its keys", &found, &vec![Some(entry(1)); keys.len()])
        }
    }
}
