//! The promises of cursors that come with a pool from elsewhere.

use heronry_store::{
    AppendError, Arrival, CONSUMERS_PER_POOL_MAX, Commit, ConsumerCursor, ConsumerStanding, Guard,
};
use heronry_types::Position;

use crate::conformance::{
    Case, CaseWriter, Failure, StorePlace, check_waits,
    cursors::{at, check, commit, consumer},
    otherwise, refused, same, syncs,
};
use crate::sample;

pub(in crate::conformance) const CASES: &[Case] = &[
    case!("cursors", arriving),
    case!("cursors", an_arrival_that_is_started_over_has_its_own),
    case!("cursors", nothing_else_brings_consumers),
    case!("cursors", no_more_arrive_than_a_pool_has),
    case!("cursors", arriving_is_gated, Syncs),
    case!("cursors", what_arrived_is_kept, Kept),
];

/// Two records that bring consumers.
fn with(writer: &CaseWriter, arrival: Arrival, consumers: &[ConsumerStanding]) -> Commit {
    Commit {
        arrival,
        consumers: consumers.to_vec(),
        ..sample::commit(writer.head, 2)
    }
}

/// Consumers at no position, at the second and at the fourth.
fn three() -> Result<Vec<ConsumerStanding>, Failure> {
    Ok(vec![
        standing("a", at(0, 1))?,
        standing("b", at(2, 2))?,
        standing("c", at(4, 3))?,
    ])
}

fn standing(name: &str, cursor: ConsumerCursor) -> Result<ConsumerStanding, Failure> {
    let consumer = consumer(name)?;
    Ok(ConsumerStanding { consumer, cursor })
}

/// A pool of which two records have arrived.
async fn arriving_pool(place: &dyn StorePlace) -> Result<CaseWriter, Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let part = with(&writer, Arrival::Part, &[]);
    writer.append(part).await?;
    Ok(writer)
}

async fn check_list(writer: &CaseWriter, expected: &[ConsumerStanding]) -> Result<(), Failure> {
    let listed = writer.store.cursors.list(&writer.pool).await?;
    same("the consumers", &listed, &expected.to_vec())
}

async fn arriving(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = arriving_pool(place).await?;
    check_list(&writer, &[]).await?;
    let last = with(&writer, Arrival::Whole, &three()?);
    writer.append(last).await?;
    check_list(&writer, &three()?).await?;
    check(&writer, "b", Some(at(2, 2))).await?;
    // They go on from where they are.
    commit(&writer, "b", Some(at(2, 2)), at(3, 2)).await?;
    writer.write(&[1]).await?;
    commit(&writer, "c", Some(at(4, 3)), at(5, 3)).await?;
    check(&writer, "a", Some(at(0, 1))).await
}

async fn an_arrival_that_is_started_over_has_its_own(
    place: &dyn StorePlace,
) -> Result<(), Failure> {
    let mut writer = arriving_pool(place).await?;
    writer.head = None;
    let only = [standing("b", at(2, 9))?];
    let whole = with(&writer, Arrival::Whole, &only);
    writer.append(whole).await?;
    check_list(&writer, &only).await
}

async fn check_refused(writer: &CaseWriter, what: &str, commit: Commit) -> Result<(), Failure> {
    let guard = Guard {
        expected_head: writer.head.map_or(Position::ZERO, |head| head.head),
        token: writer.token,
    };
    let error = refused(what, writer.attempt(commit, guard).await)?;
    let AppendError::Discontinuous { .. } = error else {
        return Err(otherwise(what, &error));
    };
    check_list(writer, &[]).await
}

async fn nothing_else_brings_consumers(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = CaseWriter::of(&place.open()?, 1).await?;
    let one = [standing("a", at(0, 1))?];
    let above = [standing("a", at(0, 1))?, standing("b", at(3, 1))?];
    let part = with(&writer, Arrival::Part, &one);
    check_refused(&writer, "a part with a consumer", part).await?;
    let whole = with(&writer, Arrival::Whole, &above);
    check_refused(&writer, "a consumer above the head", whole).await?;
    let seen = writer.store.journal.head(&writer.pool).await?;
    same("the head", &seen, &None)?;
    writer.write(&[2]).await?;
    let later = with(&writer, Arrival::Whole, &one);
    check_refused(&writer, "a later append with a consumer", later).await?;
    let seen = writer.store.journal.head(&writer.pool).await?;
    same("the head", &seen, &writer.head)
}

async fn no_more_arrive_than_a_pool_has(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = arriving_pool(place).await?;
    let one = |number: usize| standing(&format!("consumer-{number:04}"), at(1, 1));
    let every = (0..=CONSUMERS_PER_POOL_MAX).map(one);
    let mut consumers = every.collect::<Result<Vec<_>, Failure>>()?;
    let over = with(&writer, Arrival::Whole, &consumers);
    check_refused(&writer, "one consumer too many", over).await?;
    consumers.pop();
    let most = with(&writer, Arrival::Whole, &consumers);
    writer.append(most).await?;
    check_list(&writer, &consumers).await
}

async fn arriving_is_gated(place: &dyn StorePlace) -> Result<(), Failure> {
    let writer = arriving_pool(place).await?;
    let hold = syncs(place)?.hold();
    let last = with(&writer, Arrival::Whole, &three()?);
    {
        let mut append = writer
            .store
            .journal
            .append(&writer.pool, last, writer.guard());
        check_waits("the last part", &mut append)?;
        hold.wait_reached()?;
        check_list(&writer, &[]).await?;
        check(&writer, "b", None).await?;
        hold.release();
        append.await?;
    }
    check_list(&writer, &three()?).await
}

async fn what_arrived_is_kept(place: &dyn StorePlace) -> Result<(), Failure> {
    let mut writer = arriving_pool(place).await?;
    let last = with(&writer, Arrival::Whole, &three()?);
    writer.append(last).await?;
    drop(writer);
    let writer = CaseWriter::of(&place.open()?, 1).await?;
    check_list(&writer, &three()?).await
}
