//! The promises of keys.

pub(super) mod kept;
pub(super) mod runs;

use heronry_journal::RequestHash;
use heronry_store::{Checkpoint, KeyEntry, KeyHash, KeyName, KeyedEntry, StoreErrorKind};
use heronry_types::{Id, IdKind, Position};

use super::{Case, CaseWriter, Failure, StorePlace, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("keys", a_run_is_found_with_its_checkpoint),
    case!("keys", clearing_forgets_one_pool),
    case!("keys", a_stale_token_puts_nothing),
];

pub(super) fn id<K: IdKind>(text: &str) -> Result<Id<K>, Failure> {
    Id::parse(text).map_err(|error| Failure(error.to_string()))
}

/// The same text as a key, a message and a wake of two runs: six different keys.
pub(super) fn keys() -> Result<Vec<KeyHash>, Failure> {
    let mut keys = Vec::new();
    for run in ["a", "b"] {
        let names = [
            KeyName::Key(id("x")?),
            KeyName::Message(id("x")?),
            KeyName::Wake(id("x")?),
        ];
        for name in names {
            keys.push(KeyHash::new(&id(run)?, &name));
        }
    }
    keys.sort();
    Ok(keys)
}

pub(super) fn entry(number: usize) -> KeyEntry {
    KeyEntry {
        first: Position(number as u64 + 1),
        request_hash: RequestHash(sample::content_ref(number as u64).bits()),
    }
}

pub(super) fn checkpoint(position: u64) -> Checkpoint {
    Checkpoint {
        epoch: sample::EPOCH,
        position: Position(position),
        hash: heronry_journal::ChunkHash([3; 32]),
    }
}

pub(super) async fn put_keys(writer: &CaseWriter, position: u64) -> Result<Vec<KeyHash>, Failure> {
    let keys = keys()?;
    let run = keys
        .iter()
        .enumerate()
        .map(|(n, key)| KeyedEntry::new(*key, entry(n)));
    let port = &writer.store.keys;
    port.put_run(
        &writer.pool,
        run.collect(),
        checkpoint(position),
        writer.token,
    )
    .await?;
    Ok(keys)
}

/// The key with a number.
fn nth_key(number: u64) -> Result<KeyHash, Failure> {
    let name = KeyName::Key(id(&format!("key-{number}"))?);
    Ok(KeyHash::new(&id("a")?, &name))
}

/// Puts a run of the one key with a number, at the checkpoint with that number.
pub(super) async fn put_one(writer: &CaseWriter, number: u64) -> Result<(), Failure> {
    let (at, port) = (checkpoint(number), &writer.store.keys);
    let position = usize::try_from(number).unwrap_or(usize::MAX);
    let run = vec![KeyedEntry::new(nth_key(number)?, entry(position))];
    let put = port.put_run(&writer.pool, run, at, writer.token);
    put.await.map_err(Failure::from)
}

/// Checks that so many keys are there, from the first on, and no more.
pub(super) async fn check_first(writer: &CaseWriter, count: u64) -> Result<(), Failure> {
    let keys = (0..=count).map(nth_key).collect::<Result<Vec<_>, _>>()?;
    let found = writer.store.keys.find(&writer.pool, &keys).await?;
    let mut expected: Vec<_> = (0..keys.len()).map(|n| Some(entry(n))).collect();
    if let Some(last) = expected.last_mut() {
        *last = None;
    }
    same("the keys", &found, &expected)
}

async fn a_run_is_found_with_its_checkpoint(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let port = &writer.store.keys;
    same(
        "no checkpoint",
        &port.checkpoint(&writer.pool).await?,
        &None,
    )?;
    let mut keys = put_keys(&writer, 7).await?;
    keys.push(KeyHash::new(&id("c")?, &KeyName::Key(id("x")?)));
    keys.reverse();
    let found = port.find(&writer.pool, &keys).await?;
    let mut expected = vec![None];
    expected.extend((0..6).rev().map(|n| Some(entry(n))));
    same("the answers", &found, &expected)?;
    let at = port.checkpoint(&writer.pool).await?;
    same("the checkpoint", &at, &Some(checkpoint(7)))
}

async fn clearing_forgets_one_pool(place: &dyn StorePlace) -> Result<(), Failure> {
    let store = place.open()?;
    let (cleared, other) = (
        CaseWriter::of(&store, 1).await?,
        CaseWriter::of(&store, 2).await?,
    );
    let keys = put_keys(&cleared, 7).await?;
    put_keys(&other, 8).await?;
    store.keys.clear(&cleared.pool).await?;
    let found = store.keys.find(&cleared.pool, &keys).await?;
    same("the answers", &found, &vec![None; keys.len()])?;
    let at = store.keys.checkpoint(&cleared.pool).await?;
    same("the checkpoint", &at, &None)?;
    let at = store.keys.checkpoint(&other.pool).await?;
    same("the checkpoint of the other", &at, &Some(checkpoint(8)))
}

async fn a_stale_token_puts_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let leases = &writer.store.leases;
    leases
        .seize(
            &writer.pool,
            "another",
            sample::time(1),
            heronry_store::LEASE_TERM,
        )
        .await?;
    let port = &writer.store.keys;
    let run = vec![KeyedEntry::new(keys()?.remove(0), entry(0))];
    let put = port.put_run(&writer.pool, run, checkpoint(1), writer.token);
    let error = refused("a stale token", put.await)?;
    same("its refusal", &error.kind(), &StoreErrorKind::Closed)?;
    same(
        "the checkpoint",
        &port.checkpoint(&writer.pool).await?,
        &None,
    )
}
