//! Bulk waits for its share of the store while others ask for little. Counted in appends, and on a clock
//! that is moved.

use futures::future::join_all;
use heronry_pool::{Caller, decide::SendMessage};
use heronry_runtime::{BodyError, CallError, Pool};
use heronry_store::CommitOutcome;
use heronry_tests::{
    World, calling, let_others_run, on_every_store, on_every_store_that_is_reopened, until,
};
use heronry_types::{Body, Millis};

use crate::wake_slices::{about, letter, not_of, register, report};

on_every_store! {
    w8_a_pool_that_is_behind_stops_while_bulk_waits
    w8_a_body_that_waits_for_its_share_is_not_stored_once_its_pool_has_stopped
    w8_members_take_turns_with_what_is_bulk
    w8_a_batch_waits_for_its_share_and_holds_up_nobody_but_its_own_member
    w8_a_batch_has_its_share_in_time_however_little_others_ask
    w8_who_is_alone_waits_for_no_share
    w8_large_bodies_wait_for_their_share_and_are_stored_together
}

on_every_store_that_is_reopened! {
    w8_what_waits_for_its_share_is_decided_when_the_pool_stops
}

/// The number of appends of others before the next piece.
const BETWEEN: usize = 512;
/// The time that a piece takes, in milliseconds.
const TOOK: u64 = 2;

/// Asks for a batch that is bulk, and lets its append take two milliseconds while a bystander asks.
async fn after_a_piece(world: &World) -> (Pool, Caller, Caller) {
    let pool = world.pool().await;
    let noisy = world.join(&pool, "noisy").await;
    let quiet = world.join(&pool, "quiet").await;
    pool.call(letter(&quiet, "first")).await.unwrap();
    let hold = world.faults.hold_appends();
    let piece = calling(&pool, report(&noisy, (0..100).map(about).collect(), "b0"));
    hold.reached(1).await;
    world.clock.advance(Millis(TOOK));
    hold.release();
    piece.await.unwrap().unwrap();
    pool.call(letter(&quiet, "beside")).await.unwrap();
    (pool, noisy, quiet)
}

async fn w8_a_batch_waits_for_its_share_and_holds_up_nobody_but_its_own_member(world: World) {
    let (pool, noisy, quiet) = after_a_piece(&world).await;
    let batch = calling(&pool, report(&noisy, (0..100).map(about).collect(), "b1"));
    let_others_run().await;
    let behind = calling(&pool, letter(&noisy, "behind"));
    let mut last = None;
    for number in 1..BETWEEN {
        assert!(!batch.is_finished(), "begun after {number} appends");
        last = Some(
            pool.call(letter(&quiet, &format!("m{number}")))
                .await
                .unwrap(),
        );
        // Four appends take a millisecond.
        world.clock.advance(Millis(u64::from(number % 4 == 1)));
    }
    let last = last.unwrap().receipt.cursor.position;
    let batch = batch.await.unwrap().unwrap().first.position;
    let behind = behind.await.unwrap().unwrap().receipt.cursor.position;
    assert!(last < batch, "{last} before {batch}");
    assert!(batch < behind, "{batch} before {behind}");
    world.check_replay(&pool).await;
}

async fn w8_a_batch_has_its_share_in_time_however_little_others_ask(world: World) {
    let (pool, noisy, quiet) = after_a_piece(&world).await;
    let batch = calling(&pool, report(&noisy, (0..100).map(about).collect(), "b1"));
    // They ask again before they are taken to be gone.
    for number in 1..=256 * TOOK / 8 {
        let_others_run().await;
        assert!(!batch.is_finished(), "begun after {} ms", number * 8 - 8);
        pool.call(letter(&quiet, &format!("m{number}")))
            .await
            .unwrap();
        world.clock.advance(Millis(8));
    }
    batch.await.unwrap().unwrap();
}

async fn w8_who_is_alone_waits_for_no_share(world: World) {
    let (pool, noisy, _) = after_a_piece(&world).await;
    let batch = calling(&pool, report(&noisy, (0..100).map(about).collect(), "b1"));
    let_others_run().await;
    assert!(!batch.is_finished());
    world.clock.advance(Millis(10));
    batch.await.unwrap().unwrap();
    // As many at once as it asks for, however long they take, and whatever else it asks for itself.
    let hold = world.faults.hold_appends();
    let batches = (0..8).map(|number| {
        let events = (0..100).map(about).collect();
        pool.call(report(&noisy, events, &format!("more-{number}")))
    });
    let batches = join_all(batches);
    let moves = async {
        hold.reached(1).await;
        world.clock.advance(Millis(60_000));
        hold.release();
    };
    let own = pool.call(letter(&noisy, "own"));
    let (batches, (), own) = futures::join!(batches, moves, own);
    own.unwrap();
    for batch in batches {
        batch.unwrap();
    }
}

async fn w8_large_bodies_wait_for_their_share_and_are_stored_together(world: World) {
    let (pool, noisy, quiet) = after_a_piece(&world).await;
    let store = |bytes: usize| {
        let body = Body {
            media_type: "application/octet-stream".into(),
            bytes: vec![7; bytes].into(),
        };
        let (pool, noisy) = (pool.clone(), noisy.clone());
        tokio::spawn(async move { pool.store_body(noisy, body).await })
    };
    // They have room in one window.
    let large = [store(64 * 1024), store(64 * 1024), store(32 * 1024)];
    store(16 * 1024).await.unwrap().unwrap();
    for number in 1..BETWEEN {
        let begun = large.iter().filter(|large| large.is_finished()).count();
        assert_eq!(begun, 0, "begun after {number} appends");
        pool.call(letter(&quiet, &format!("m{number}")))
            .await
            .unwrap();
        world.clock.advance(Millis(u64::from(number % 4 == 1)));
    }
    for large in large {
        large.await.unwrap().unwrap();
    }
}

async fn w8_what_waits_for_its_share_is_decided_when_the_pool_stops(world: World) {
    let (pool, noisy, _) = after_a_piece(&world).await;
    let batch = calling(&pool, report(&noisy, (0..100).map(about).collect(), "b1"));
    let behind = calling(&pool, letter(&noisy, "behind"));
    let_others_run().await;
    assert!(!batch.is_finished());
    world.runtime.shutdown().await;
    until(|| batch.is_finished() && behind.is_finished()).await;
    let batch = batch.await.unwrap().unwrap().first.position;
    let behind = behind.await.unwrap().unwrap().receipt.cursor.position;
    assert!(batch < behind, "{batch} before {behind}");
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert!(world.records(&pool).await.len() as u64 >= behind.0);
}

async fn w8_a_pool_that_is_behind_stops_while_bulk_waits(world: World) {
    let world = world.matching_in_slices_of(1);
    let (pool, noisy, quiet) = after_a_piece(&world).await;
    let third = world.join(&pool, "third").await;
    for number in 0..16 {
        let id = format!("near-{number}");
        let wake = register(&noisy, &not_of(&id, 900), &id);
        pool.call(wake).await.unwrap();
    }
    pool.call(letter(&quiet, "again")).await.unwrap();
    let hold = world.faults.hold_appends();
    let first = calling(&pool, letter(&quiet, "held"));
    hold.reached(1).await;
    let costly = calling(&pool, report(&third, (0..16).map(about).collect(), "c1"));
    let_others_run().await;
    let large = calling(&pool, large_letter(&noisy, "large", 20 * 1024));
    let_others_run().await;
    // The batch that is open takes no more.
    world.clock.advance(Millis(4));
    let release = async {
        let_others_run().await;
        hold.release();
    };
    futures::join!(world.runtime.shutdown(), release);
    first.await.unwrap().unwrap();
    costly.await.unwrap().unwrap();
    until(|| large.is_finished()).await;
}

fn large_letter(from: &Caller, id: &str, bytes: usize) -> SendMessage {
    let run = World::run_of(from);
    let request = World::to_run(run.as_str(), id, &"a".repeat(bytes));
    SendMessage::new(from.clone(), run, request)
}

async fn w8_a_body_that_waits_for_its_share_is_not_stored_once_its_pool_has_stopped(world: World) {
    let (pool, noisy, _) = after_a_piece(&world).await;
    let body = Body {
        media_type: "application/octet-stream".into(),
        bytes: vec![7; 64 * 1024].into(),
    };
    let waits = pool.clone();
    let stored = tokio::spawn(async move { waits.store_body(noisy, body).await });
    let_others_run().await;
    assert!(!stored.is_finished());
    world.runtime.shutdown().await;
    world.clock.advance(Millis(1_000));
    let refused = stored.await.unwrap().unwrap_err();
    let outcome = CommitOutcome::None;
    assert!(
        matches!(refused, BodyError::Call(CallError::Stopped { outcome: it, .. }) if it == outcome),
        "{refused:?}"
    );
    let contents = &world.store().contents;
    let pack = contents.list_alone(pool.id(), None, 1_000_000).await;
    assert!(pack.unwrap().is_empty());
}

async fn w8_members_take_turns_with_what_is_bulk(world: World) {
    let (pool, noisy, quiet) = after_a_piece(&world).await;
    let other = world.join(&pool, "other").await;
    pool.call(letter(&quiet, "beside-all")).await.unwrap();
    let many = |number| {
        calling(
            &pool,
            large_letter(&noisy, &format!("l{number}"), 200 * 1024),
        )
    };
    let many: Vec<_> = (0..40).map(many).collect();
    let finished = || many.iter().filter(|large| large.is_finished()).count();
    let_others_run().await;
    let mut late = None;
    for number in 0.. {
        pool.call(letter(&quiet, &format!("q{number}")))
            .await
            .unwrap();
        world.clock.advance(Millis(5));
        if finished() > 0 && late.is_none() {
            let batch = report(&other, (0..100).map(about).collect(), "late");
            late = Some(calling(&pool, batch));
        }
        if late
            .as_ref()
            .is_some_and(tokio::task::JoinHandle::is_finished)
        {
            break;
        }
    }
    assert!(finished() < 10, "{} went before it", finished());
}
