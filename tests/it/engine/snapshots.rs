//! Snapshots: a pool opens from one as from its journal, and from its journal when there is none to use.

use heronry_pool::{
    Caller, ENCODING_VERSION,
    decide::{ConfigurePool, StateDigest},
};
use heronry_runtime::Holding;
use heronry_store::{FencingToken, Snapshot};
use heronry_tests::{World, let_others_run, on_every_store, on_every_store_that_is_reopened};
use heronry_types::{Millis, Position, Retention};

use crate::keeping::{check_key, floor, handle, upto};

on_every_store! {
    o18_snapshots_come_by_themselves
    o18_a_snapshot_is_taken_right_after_a_trim
    o18_a_snapshot_is_taken_right_after_a_pass_of_the_retention
}

on_every_store_that_is_reopened! {
    o17_keys_answer_for_their_time_beside_a_snapshot_of_before_the_trim
    o18_a_snapshot_that_is_missing_damaged_or_newer_changes_nothing
    o18_a_pool_opens_from_its_snapshot
}

async fn o17_keys_answer_for_their_time_beside_a_snapshot_of_before_the_trim(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let first = World::to_run("scout", "k-first", "first");
    let sent = world.send(&pool, &lead, first).await.unwrap();
    handle(&pool, &scout, "r-first").await;
    for number in 0..4 {
        let id = format!("m-{number}");
        world.say(&pool, &lead, ("scout", &id)).await;
    }
    let last_trim = Position(pool.head().position.0 - 2);
    let taken = pool.snapshot().await.unwrap();
    // Of two trims since the snapshot, the last one is what the baseline is of.
    let mut trimmed = None;
    for at in [sent.receipt.cursor.position.next(), last_trim] {
        let trim = pool.trim(upto(&pool, at), Holding::Heeded).await.unwrap();
        assert!(taken.at.position > trim.floor.position, "{trim:?}");
        trimmed = Some(trim);
    }
    let latest = world.store().snapshots.latest(pool.id()).await.unwrap();
    assert_eq!(latest.unwrap().at.position, taken.at.position);
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let (first, floor) = (sent.receipt.cursor, trimmed.unwrap().floor);
    check_key(&world, &pool, &lead, first, floor).await;
}

async fn o18_snapshots_come_by_themselves(world: World) {
    let world = world.with_options(|options| options.with_snapshots_every(16));
    let pool = world.pool().await;
    let snapshots = &world.store().snapshots;
    assert_eq!(snapshots.latest(pool.id()).await.unwrap(), None);
    for number in 0..40 {
        world.join(&pool, &format!("run-{number}")).await;
    }
    while snapshots.latest(pool.id()).await.unwrap().is_none() {
        let_others_run().await;
    }
    let taken = pool.snapshot().await.unwrap();
    assert_eq!(taken.at, pool.head());
    let latest = snapshots.latest(pool.id()).await.unwrap().unwrap();
    assert_eq!(latest.at.position, taken.at.position);
    assert_eq!(latest.bytes.len() as u64, taken.bytes);
}

async fn o18_a_snapshot_is_taken_right_after_a_trim(world: World) {
    let pool = world.pool().await;
    for number in 0..8 {
        world.join(&pool, &format!("run-{number}")).await;
    }
    for round in 3..7 {
        let to = upto(&pool, Position(round));
        let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
        assert_eq!(trimmed.floor, pool.cursor(Position(round)));
        let taken = pool.snapshot().await.unwrap();
        assert_eq!(taken.at, pool.head());
    }
}

async fn o18_a_snapshot_is_taken_right_after_a_pass_of_the_retention(world: World) {
    let pool = world.pool().await;
    for number in 0..8 {
        world.join(&pool, &format!("run-{number}")).await;
        world.clock.advance(Millis::from_secs(60));
    }
    let settings = ConfigurePool {
        peering: None,
        caller: Caller::Operator,
        expected_version: 1,
        limits: heronry_types::Limits::default(),
        retention: Some(Retention {
            age_ms: Some(Millis::from_secs(5 * 60)),
            ..Retention::default()
        }),
    };
    pool.call(settings).await.unwrap();
    let mut before = Position(1);
    for _ in 0..3 {
        while floor(&world, &pool).await == before {
            let_others_run().await;
        }
        before = floor(&world, &pool).await;
        let taken = pool.snapshot().await.unwrap();
        assert_eq!(taken.at, pool.head());
        world.pass(&pool, Millis::from_secs(65)).await;
    }
}

async fn o18_a_snapshot_that_is_missing_damaged_or_newer_changes_nothing(mut world: World) {
    let mut pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    for number in 0..20 {
        world
            .say(&pool, &lead, ("scout", &format!("m-{number}")))
            .await;
    }
    pool.snapshot().await.unwrap();
    world.say(&pool, &lead, ("scout", "later")).await;
    let expected = world.check_replay(&pool).await;
    let good = world.store().snapshots.latest(pool.id()).await.unwrap();
    let good = good.unwrap();
    let newer = Snapshot {
        version: ENCODING_VERSION + 1,
        ..good.clone()
    };
    let mut variants = vec![good.clone(), newer];
    for at in [0, good.bytes.len() / 3, good.bytes.len() - 1] {
        let mut flipped = good.clone();
        flipped.bytes[at] ^= 1;
        variants.push(flipped);
    }
    let mut cut = good.clone();
    cut.bytes.truncate(good.bytes.len() / 2);
    variants.push(cut);
    for (token, variant) in (1..).zip(variants) {
        let put = world
            .store()
            .snapshots
            .put(pool.id(), variant, FencingToken(token));
        put.await.unwrap();
        drop(pool);
        world = world.restart().await;
        pool = world.pool().await;
        assert_eq!(world.check_replay(&pool).await, expected);
    }
}

async fn o18_a_pool_opens_from_its_snapshot(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    world.say(&pool, &lead, ("scout", "m-1")).await;
    // A snapshot of this point that has the state of another history: whoever opens from it has that one.
    let records = world.records(&pool).await;
    let (last, before) = records.split_last().unwrap();
    let minter = heronry_pool::Minter::new([1; 32]);
    let first = pool.timelines().at(Position(1));
    let durability = heronry_types::Durability::Memory;
    let mut replay =
        heronry_pool::engine::Replay::new(pool.id().clone(), first, minter, durability);
    let mut other = before[0].clone();
    for record in before {
        replay.record(record).unwrap();
    }
    other.position = last.position;
    other.recorded_at = last.recorded_at;
    replay.record(&other).unwrap();
    let expected = replay.state().digest();
    let image = replay.counting().image();
    pool.snapshot().await.unwrap();
    let good = world.store().snapshots.latest(pool.id()).await.unwrap();
    let forged = Snapshot {
        bytes: image,
        ..good.unwrap()
    };
    let put = world
        .store()
        .snapshots
        .put(pool.id(), forged, FencingToken(1));
    put.await.unwrap();
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let (_, live) = pool.call(StateDigest).await.unwrap();
    assert_eq!(live, expected, "the pool was not opened from its snapshot");
}
