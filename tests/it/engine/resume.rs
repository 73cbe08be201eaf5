//! Pauses: what could not be renewed does not lapse.

use heronry_journal::{Body, PoolResumed, Record};
use heronry_pool::{Caller, decide::ClaimSet};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened};
use heronry_types::{EventKind, Millis, Position, ResumeCause, Timestamp};

use super::inbox::with_messages;

on_every_store! {
    p5_an_engine_that_is_more_than_two_seconds_late_has_paused
}

on_every_store_that_is_reopened! {
    a9_claims_that_lapsed_while_the_process_was_down_are_no_attempts
    a9_a_claim_with_a_short_term_gets_its_full_term_again
    a9_a_claim_that_holds_for_longer_anyway_keeps_its_time
    p5_a_pool_that_holds_nothing_is_opened_without_a_record
    p5_an_extended_claim_has_the_longer_term
}

const SECOND: Millis = Millis::from_secs(1);

fn resumed(records: &[Record]) -> Vec<PoolResumed> {
    let resumed = |record: &Record| {
        if let Body::PoolResumed(body) = &record.entry.body {
            Some(*body)
        } else {
            None
        }
    };
    records.iter().filter_map(resumed).collect()
}

/// Receives, claiming for this long, and returns until when.
async fn claim(world: &World, pool: &Pool, caller: &Caller, span: Millis) -> Timestamp {
    let mut fetch = World::fetch(caller, "r1", 1);
    fetch.claim_ms = span;
    let received = pool.call(fetch).await.unwrap();
    assert_eq!(received.items[0].attempt, 1);
    let (_, until) = received.items[0].claim.unwrap();
    assert!(world.records(pool).await.len() > 3);
    until
}

/// Returns the time until which the claim of `r1` holds, and the number of its attempt.
async fn held(world: &World, pool: &Pool, caller: &Caller) -> (Timestamp, u32) {
    let again = world.receive(pool, caller, "r1", 1).await;
    (again.items[0].claim.unwrap().1, again.items[0].attempt)
}

async fn a9_claims_that_lapsed_while_the_process_was_down_are_no_attempts(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 2).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    let (before, last) = (world.head(&pool).await, world.state(&pool).await.time());
    world.clock.advance(Millis::from_secs(3_600));
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let now = heronry_store::Clock::now(&world.clock).wall;
    let expected = PoolResumed {
        cause: ResumeCause::Opened,
        since: last,
    };
    let records = world.records_after(&pool, before).await;
    assert_eq!(resumed(&records), [expected]);
    assert_eq!(records.len(), 1, "nothing lapsed");
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolResumed]);
    let (until, attempt) = held(&world, &pool, &scout).await;
    assert_eq!((until, attempt), (now.after(Millis::from_secs(30)), 1));
    world.pass(&pool, Millis(29_999)).await;
    let other = world.receive(&pool, &scout, "r2", 2).await;
    assert_eq!(other.items.len(), 1, "the first is still claimed");
    let these = ClaimSet::These(claims);
    world.ack(&pool, &scout, these).await.unwrap();
    world.check_replay(&pool).await;
}

async fn a9_a_claim_with_a_short_term_gets_its_full_term_again(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 1).await;
    claim(&world, &pool, &scout, Millis::from_secs(5)).await;
    world.clock.advance(Millis::from_secs(3_600));
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    world.pass(&pool, Millis(4_999)).await;
    assert_eq!(held(&world, &pool, &scout).await.1, 1);
    world.pass(&pool, Millis(1)).await;
    let again = world.receive(&pool, &scout, "r2", 1).await;
    assert_eq!(again.items[0].attempt, 2, "from then on silence counts");
    world.check_replay(&pool).await;
}

async fn a9_a_claim_that_holds_for_longer_anyway_keeps_its_time(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 1).await;
    let until = claim(&world, &pool, &scout, Millis::from_secs(3_600)).await;
    let head = world.head(&pool).await;
    world.clock.advance(Millis::from_secs(10));
    drop(pool);
    let world = world.restart().await;
    let pool = world.runtime.find(&heronry_tests::pool("p")).await.unwrap();
    let records = world.records_after(&pool, head).await;
    assert_eq!(resumed(&records).len(), 1, "recorded before anybody asks");
    assert_eq!(held(&world, &pool, &scout).await, (until, 1));
    world.check_replay(&pool).await;
}

async fn p5_a_pool_that_holds_nothing_is_opened_without_a_record(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 2).await;
    let received = world.receive(&pool, &scout, "r1", 1).await;
    let these = ClaimSet::These(World::claims(&received));
    world.ack(&pool, &scout, these).await.unwrap();
    let head = world.head(&pool).await;
    world.clock.advance(Millis::from_secs(3_600));
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(world.head(&pool).await, head);
    world.check_replay(&pool).await;
}

async fn p5_an_engine_that_is_more_than_two_seconds_late_has_paused(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 1).await;
    let until = claim(&world, &pool, &scout, Millis::from_secs(5)).await;
    world.clock.advance(Millis(7_001));
    let (again, attempt) = held(&world, &pool, &scout).await;
    let now = heronry_store::Clock::now(&world.clock).wall;
    assert_eq!((again, attempt), (now.after(Millis::from_secs(5)), 1));
    let expected = PoolResumed {
        cause: ResumeCause::Paused,
        since: until,
    };
    let records = world.records_after(&pool, Position::ZERO).await;
    assert_eq!(resumed(&records), [expected]);

    world.clock.advance(Millis(7_000));
    let lapsed = world.receive(&pool, &scout, "r2", 1).await;
    assert_eq!(lapsed.items[0].attempt, 2, "two seconds are no pause");
    let records = world.records_after(&pool, Position::ZERO).await;
    assert_eq!(resumed(&records), [expected]);
    world.check_replay(&pool).await;
}

async fn p5_an_extended_claim_has_the_longer_term(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 1).await;
    let mut fetch = World::fetch(&scout, "r1", 1);
    fetch.claim_ms = SECOND;
    let received = pool.call(fetch).await.unwrap();
    let extend = heronry_pool::decide::ExtendClaims {
        caller: scout.clone(),
        run: World::run_of(&scout),
        claims: World::claims(&received),
        claim_ms: Millis::from_secs(20),
    };
    pool.call(extend).await.unwrap();
    world.clock.advance(Millis::from_secs(3_600));
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let now = heronry_store::Clock::now(&world.clock).wall;
    let expected = (now.after(Millis::from_secs(20)), 1);
    assert_eq!(held(&world, &pool, &scout).await, expected);
    world.check_replay(&pool).await;
}
