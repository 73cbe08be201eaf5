//! The promises of claims.

use heronry_journal::RequestHash;
use heronry_store::{Checkpoint, ClaimEntry, ClaimKey, ClaimName, NamedClaim, StoreErrorKind};
use heronry_types::{Id, IdKind, Position};

use super::{Case, CaseWriter, Failure, StorePlace, refused, same};
use crate::sample;

pub(super) const CASES: &[Case] = &[
    case!("claims", a_run_is_found_with_its_checkpoint),
    case!("claims", clearing_forgets_one_pool),
    case!("claims", a_stale_token_puts_nothing),
];

pub(super) fn id<K: IdKind>(text: &str) -> Result<Id<K>, Failure> {
    Id::parse(text).map_err(|error| Failure(error.to_string()))
}

/// The same text as a key, a message and a wake of two runs: six different claims.
pub(super) fn keys() -> Result<Vec<ClaimKey>, Failure> {
    let mut keys = Vec::new();
    for run in ["a", "b"] {
        let names = [
            ClaimName::Key(id("x")?),
            ClaimName::Message(id("x")?),
            ClaimName::Wake(id("x")?),
        ];
        for name in names {
            keys.push(ClaimKey::new(&id(run)?, &name));
        }
    }
    keys.sort();
    Ok(keys)
}

pub(super) fn entry(number: usize) -> ClaimEntry {
    ClaimEntry {
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

pub(super) async fn put_keys(writer: &CaseWriter, position: u64) -> Result<Vec<ClaimKey>, Failure> {
    let keys = keys()?;
    let run = keys
        .iter()
        .enumerate()
        .map(|(n, key)| NamedClaim::new(*key, entry(n)));
    let claims = &writer.store.claims;
    claims
        .put_run(
            &writer.pool,
            run.collect(),
            checkpoint(position),
            writer.token,
        )
        .await?;
    Ok(keys)
}

/// The key with a number.
fn nth_key(number: u64) -> Result<ClaimKey, Failure> {
    let name = ClaimName::Key(id(&format!("key-{number}"))?);
    Ok(ClaimKey::new(&id("a")?, &name))
}

/// Puts a run of the one key with a number, at the checkpoint with that number.
pub(super) async fn put_one(writer: &CaseWriter, number: u64) -> Result<(), Failure> {
    let (at, claims) = (checkpoint(number), &writer.store.claims);
    let position = usize::try_from(number).unwrap_or(usize::MAX);
    let run = vec![NamedClaim::new(nth_key(number)?, entry(position))];
    let put = claims.put_run(&writer.pool, run, at, writer.token);
    put.await.map_err(Failure::from)
}

/// Checks that so many keys are there, from the first on, and no more.
pub(super) async fn check_first(writer: &CaseWriter, count: u64) -> Result<(), Failure> {
    let keys = (0..=count).map(nth_key).collect::<Result<Vec<_>, _>>()?;
    let found = writer.store.claims.find(&writer.pool, &keys).await?;
    let mut expected: Vec<_> = (0..keys.len()).map(|n| Some(entry(n))).collect();
    if let Some(last) = expected.last_mut() {
        *last = None;
    }
    same("the claims", &found, &expected)
}

async fn a_run_is_found_with_its_checkpoint(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let claims = &writer.store.claims;
    same(
        "no checkpoint",
        &claims.checkpoint(&writer.pool).await?,
        &None,
    )?;
    let mut keys = put_keys(&writer, 7).await?;
    keys.push(ClaimKey::new(&id("c")?, &ClaimName::Key(id("x")?)));
    keys.reverse();
    let found = claims.find(&writer.pool, &keys).await?;
    let mut expected = vec![None];
    expected.extend((0..6).rev().map(|n| Some(entry(n))));
    same("the answers", &found, &expected)?;
    let at = claims.checkpoint(&writer.pool).await?;
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
    store.claims.clear(&cleared.pool).await?;
    let found = store.claims.find(&cleared.pool, &keys).await?;
    same("the answers", &found, &vec![None; keys.len()])?;
    let at = store.claims.checkpoint(&cleared.pool).await?;
    same("the checkpoint", &at, &None)?;
    let at = store.claims.checkpoint(&other.pool).await?;
    same("the checkpoint of the other", &at, &Some(checkpoint(8)))
}

async fn a_stale_token_puts_nothing(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    let leases = &writer.store.leases;
    leases
        .seize(&writer.pool, "another", sample::time(1))
        .await?;
    let claims = &writer.store.claims;
    let run = vec![NamedClaim::new(keys()?.remove(0), entry(0))];
    let put = claims.put_run(&writer.pool, run, checkpoint(1), writer.token);
    let error = refused("a stale token", put.await)?;
    same("its refusal", &error.kind(), &StoreErrorKind::Closed)?;
    same(
        "the checkpoint",
        &claims.checkpoint(&writer.pool).await?,
        &None,
    )
}
