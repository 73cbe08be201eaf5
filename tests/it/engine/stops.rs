//! Stops of a pool: nobody is left waiting, and nobody is told more than is known.

use heronry_pool::{Caller, decide::RegisterWake};
use heronry_runtime::{CallError, Pool, StopReason};
use heronry_store::CommitOutcome;
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, asked, let_others_run, on_every_store, on_every_store_that_is_reopened, run,
};
use heronry_types::{Millis, PoolSpec};

use crate::wakes::{pair, since};

on_every_store! {
    c2_a_store_that_panics_at_once_leaves_nobody_waiting_and_gives_the_pool_up
    c2_a_store_that_panics_later_leaves_nobody_waiting_and_gives_the_pool_up
}

on_every_store_that_is_reopened! {
    c2_what_is_decided_on_an_append_is_told_of_only_when_that_has_ended
    c2_what_is_decided_on_a_failed_append_is_as_uncertain_as_that
}

fn told<T: std::fmt::Debug>(answer: &Result<T, CallError>) -> (CommitOutcome, StopReason) {
    let Err(CallError::Stopped { outcome, why }) = answer else {
        panic!("it was answered: {answer:?}");
    };
    (*outcome, *why)
}

/// Sends again: whether the first one was kept or not, there is one message. Returns whether it was.
async fn was_kept(world: &World, pool: &Pool, lead: &Caller) -> bool {
    let retry = world.send(pool, lead, World::to_run("scout", "k1", "look"));
    let repeated = retry.await.unwrap().repeated;
    assert_eq!(world.accepted(pool).await, 1);
    world.check_replay(pool).await;
    repeated
}

async fn c2_a_store_that_panics_at_once_leaves_nobody_waiting_and_gives_the_pool_up(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let waiting = asked!(pool.receive(World::fetch(&scout, "r1", 1), Millis(50_000)));
    let_others_run().await;
    world.faults.fail_next_append(AppendFault::Panics);
    let first = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    let repeat = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    let unknown = (
        CommitOutcome::Unknown,
        StopReason::StoreFenced(heronry_store::StoreErrorKind::Io),
    );
    assert_eq!(told(&first.await), unknown);
    assert_eq!(told(&repeat.await), unknown);
    told(&waiting.await);
    world.stopped(&pool).await;
    // The pool was given up, so whoever opens it again owns it.
    let again = world
        .runtime
        .open(pool.id(), PoolSpec::default())
        .await
        .unwrap()
        .pool;
    assert!(!was_kept(&world, &again, &lead).await);
}

async fn c2_a_store_that_panics_later_leaves_nobody_waiting_and_gives_the_pool_up(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let hold = world.faults.hold_appends();
    let first = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    hold.reached(1).await;
    let next = asked!(world.send(&pool, &lead, World::to_run("scout", "k2", "look")));
    let repeat = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    let_others_run().await;
    // This one waits in the queue: its batch would be another one.
    world.clock.advance(Millis::from_secs(1));
    let queued = asked!(pool.receive(World::fetch(&scout, "r1", 1), Millis(50_000)));
    let_others_run().await;
    world.faults.fail_next_append(AppendFault::Panics);
    hold.release();
    let fenced = |outcome| {
        (
            outcome,
            StopReason::StoreFenced(heronry_store::StoreErrorKind::Io),
        )
    };
    assert_eq!(told(&first.await), fenced(CommitOutcome::Unknown));
    assert_eq!(told(&next.await), fenced(CommitOutcome::None));
    assert_eq!(told(&repeat.await), fenced(CommitOutcome::Unknown));
    assert_eq!(told(&queued.await), fenced(CommitOutcome::None));
    world.stopped(&pool).await;
    let again = world
        .runtime
        .open(pool.id(), PoolSpec::default())
        .await
        .unwrap()
        .pool;
    assert!(!was_kept(&world, &again, &lead).await);
}

async fn c2_what_is_decided_on_an_append_is_told_of_only_when_that_has_ended(world: World) {
    stop_while_under_way(world, None).await;
}

async fn c2_what_is_decided_on_a_failed_append_is_as_uncertain_as_that(world: World) {
    stop_while_under_way(world, Some(AppendFault::UnknownKept)).await;
}

/// A pool stops because it cannot read, while one append is under way and another one is decided.
async fn stop_while_under_way(world: World, fault: Option<AppendFault>) {
    let (pool, lead, scout) = pair(&world).await;
    let hold = world.faults.hold_appends();
    let first = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    hold.reached(1).await;
    let next = asked!(world.send(&pool, &lead, World::to_run("scout", "k2", "look")));
    let mut repeat = asked!(world.send(&pool, &lead, World::to_run("scout", "k1", "look")));
    let_others_run().await;
    world.faults.fail_next_read();
    let looks_back = since("terminal", "w1", heronry_types::Since::Start);
    let unreadable = asked!(pool.call(RegisterWake::new(scout, run("scout"), looks_back)));
    let_others_run().await;
    assert!(
        futures::poll!(repeat.as_mut()).is_pending(),
        "whether there is something to repeat is not known yet"
    );
    if let Some(fault) = fault {
        world.faults.fail_next_append(fault);
    }
    hold.release();
    let fenced = |outcome| {
        (
            outcome,
            StopReason::StoreFenced(heronry_store::StoreErrorKind::Io),
        )
    };
    match fault {
        None => assert!(!first.await.unwrap().repeated),
        Some(_) => assert_eq!(told(&first.await), fenced(CommitOutcome::Unknown)),
    }
    assert_eq!(told(&next.await), fenced(CommitOutcome::None));
    assert_eq!(told(&repeat.await), fenced(CommitOutcome::Unknown));
    assert_eq!(told(&unreadable.await), fenced(CommitOutcome::None));
    world.stopped(&pool).await;
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert!(was_kept(&world, &pool, &lead).await);
}
