//! Wakes in numbers: more than one append takes.

use futures::future::join_all;
use heronry_journal::{Body, Chunk, Record};
use heronry_pool::engine::MATCHING_SLICE;
use heronry_pool::{
    Caller,
    decide::{CancelWake, RegisterWake, SendMessage, SendRequest, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, asked, calling, key, let_others_run, on_every_store, on_every_store_that_is_reopened,
    run,
};
use heronry_types::{Correlation, Millis, Position, WakeStatus, WakeView};

use crate::wakes::NEWS;

on_every_store! {
    w5_one_event_triggers_thousands_a_thousand_in_each_append
}

on_every_store_that_is_reopened! {
    w5_a_crash_between_the_appends_finishes_the_rest_once
    w5_what_a_full_append_still_causes_survives_a_crash
}

const WAITERS: [&str; 3] = ["ann", "bob", "cid"];

/// Registers this many wakes of each waiter in a few appends, in order.
async fn register_many(
    pool: &Pool,
    waiters: &[Caller],
    each: u64,
    like: &WakeRequest,
) -> Vec<WakeView> {
    let mut wakes = Vec::new();
    for waiter in waiters {
        let register = |number: u64| {
            let request = WakeRequest {
                key: key(&format!("{}-{number}", like.key.as_str())),
                ..like.clone()
            };
            pool.call(RegisterWake::new(
                waiter.clone(),
                World::run_of(waiter),
                request,
            ))
        };
        let registered = join_all((0..each).map(register)).await;
        wakes.extend(registered.into_iter().map(|answer| answer.unwrap().wake));
    }
    wakes
}

async fn crowd(world: &World) -> (Pool, Caller, Vec<Caller>) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let waiters = join_all(WAITERS.iter().map(|name| world.join(&pool, name))).await;
    (pool, scout, waiters)
}

fn is_trigger(record: &Record) -> bool {
    matches!(record.entry.body, Body::WakeTriggered(_))
}

/// Returns the number of triggers in each chunk after a position.
async fn triggers_by_chunk(world: &World, pool: &Pool, after: Position) -> Vec<usize> {
    let chunks = world.chunks(pool).await.into_iter();
    let counted = chunks
        .filter(|chunk| chunk.last() > after)
        .map(|chunk: Chunk| {
            let records = chunk.records_after(after).map(|record| record.unwrap());
            records.filter(is_trigger).count()
        });
    counted.collect()
}

/// Checks that each wake was triggered once, by this event.
async fn check_all_triggered(world: &World, pool: &Pool, wakes: &[WakeView], by: Position) {
    let records = world.records(pool).await;
    let mut triggered: Vec<Position> = Vec::new();
    for record in &records {
        if let Body::WakeTriggered(body) = &record.entry.body {
            assert_eq!(body.matches[0].position, by);
            triggered.push(body.registered);
        }
    }
    let mut registered: Vec<Position> = wakes.iter().map(|wake| wake.cursor.position).collect();
    registered.sort_unstable();
    assert_eq!(triggered, registered, "each once, in order of registration");
}

async fn w5_one_event_triggers_thousands_a_thousand_in_each_append(world: World) {
    let (pool, scout, waiters) = crowd(&world).await;
    let like = WakeRequest {
        timeout: Some(Millis(5_000)),
        ..World::waiting(NEWS, "w")
    };
    let wakes = register_many(&pool, &waiters, 1_000, &like).await;
    let before = world.head(&pool).await;
    let hold = world.faults.hold_appends();
    let request = World::to_run("lead", "k1", "news");
    let send = asked!(pool.call(SendMessage::new(scout, run("scout"), request)));
    // It reads one of the last wakes, and comes in the same batch as the event.
    let last = &wakes[2_999];
    let reads = asked!(world.wake_of(&pool, &waiters[2], &last.wake_id));
    hold.reached(1).await;
    // The event is decided; its last triggers are not recorded. Now their timeout is due and one
    // of them is cancelled.
    world.clock.advance(Millis(5_000));
    let cancel = CancelWake {
        caller: waiters[2].clone(),
        run: run("cid"),
        wake_id: last.wake_id.clone(),
    };
    let cancel = calling(&pool, cancel);
    let_others_run().await;
    hold.release();
    let receipt = send.await.unwrap().receipt;
    assert_eq!(reads.await.status, WakeStatus::Triggered);
    let answer = cancel.await.unwrap().unwrap();
    assert_eq!(
        answer.status,
        WakeStatus::Triggered,
        "the outcome was fixed before"
    );
    let by = receipt.timeline[1].cursor.position;
    assert_eq!(
        triggers_by_chunk(&world, &pool, before).await,
        [1_024, 1_024, 952]
    );
    check_all_triggered(&world, &pool, &wakes, by).await;
    world.check_replay(&pool).await;
}

async fn w5_a_crash_between_the_appends_finishes_the_rest_once(world: World) {
    // With smaller slices the first triggers come an append later.
    let mut world = world.matching_in_slices_of(MATCHING_SLICE);
    for (round, fault) in [
        (1, AppendFault::UnknownNotKept),
        (2, AppendFault::UnknownKept),
    ] {
        let (pool, scout, waiters) = crowd(&world).await;
        let filter = format!(r#"{NEWS} && correlation["round"] == "{round}""#);
        let like = World::waiting(&filter, &format!("w{round}"));
        let wakes = register_many(&pool, &waiters, 1_000, &like).await;
        let before = world.head(&pool).await;
        world.faults.fail_append(world.faults.appends() + 2, fault);
        let request = correlated("lead", &format!("k{round}"), ("round", &round.to_string()));
        let sent = world.send(&pool, &scout, request).await.unwrap();
        world.stopped(&pool).await;
        drop(pool);
        world = world.crash().await;
        let pool = world.pool().await;
        let by = sent.receipt.timeline[1].cursor.position;
        let last = &wakes[2_999].wake_id;
        let view = world.wake_of(&pool, &waiters[2], last).await;
        assert_eq!(view.status, WakeStatus::Triggered);
        assert_eq!(view.matches[0].cursor.position, by);
        assert_eq!(
            triggers_by_chunk(&world, &pool, before).await,
            [1_024, 1_024, 952]
        );
        world.check_replay(&pool).await;
    }
}

/// A message with one correlation.
fn correlated(to: &str, key_text: &str, (name, value): (&str, &str)) -> SendRequest {
    let mut correlation = Correlation::new();
    correlation.insert(name.parse().unwrap(), value.parse().unwrap());
    SendRequest {
        correlation,
        ..World::to_run(to, key_text, "news")
    }
}

async fn w5_what_a_full_append_still_causes_survives_a_crash(world: World) {
    let (pool, scout, waiters) = crowd(&world).await;
    let many = format!(r#"{NEWS} && correlation["to"] == "many""#);
    let many = register_many(&pool, &waiters[..2], 512, &World::waiting(&many, "many")).await;
    let one = format!(r#"{NEWS} && correlation["to"] == "one""#);
    let one = world
        .register(&pool, &waiters[2], World::waiting(&one, "one"))
        .await;
    // Both events are decided in one append; the first one's triggers fill it.
    let next = world.faults.appends() + 2;
    world.faults.fail_append(next, AppendFault::UnknownNotKept);
    let first = world.send(&pool, &scout, correlated("lead", "k1", ("to", "many")));
    let second = world.send(&pool, &scout, correlated("lead", "k2", ("to", "one")));
    let (first, second) = futures::join!(first, second);
    first.unwrap();
    let second = second.unwrap().receipt.timeline[1].cursor;
    world.stopped(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    for wake in &many {
        let run = Some(wake.run_id.clone());
        let view = pool.wait_wake(Caller::Operator, run, wake.wake_id.clone(), Millis(0));
        assert_eq!(view.await.unwrap().status, WakeStatus::Triggered);
    }
    let view = world.wake_of(&pool, &waiters[2], &one.wake_id).await;
    assert_eq!(view.status, WakeStatus::Triggered);
    assert_eq!(view.matches[0].cursor, second);
    world.check_replay(&pool).await;
}
