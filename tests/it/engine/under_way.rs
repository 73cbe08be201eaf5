//! Decisions on top of a batch that still syncs.

use heronry_pool::decide::ClaimSet;
use heronry_tests::{
    World, asked, let_others_run, on_every_store, on_every_store_that_is_reopened, receiving, until,
};
use heronry_types::Millis;

use crate::inbox::{MINUTE, with_messages};

on_every_store! {
    m8_a_repeat_in_the_next_batch_keeps_the_claims_of_an_answer_that_nobody_took
    m8_a_repeat_among_records_of_the_next_batch_keeps_the_claims
    m8_a_repeat_that_waits_for_its_batch_gets_claims_that_stay
    m8_a_waiting_receive_is_woken_by_a_delay_that_ended_during_a_sync
}

on_every_store_that_is_reopened! {
    m8_what_nobody_took_is_given_back_when_the_pool_closes_during_a_sync
}

/// The content of the next batch beside a repeat.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Nothing,
    Records,
    /// Records, and it is too old for the repeat.
    OldRecords,
}

async fn m8_a_repeat_in_the_next_batch_keeps_the_claims_of_an_answer_that_nobody_took(
    world: World,
) {
    repeat_of_an_untaken_answer(world, Next::Nothing).await;
}

async fn m8_a_repeat_among_records_of_the_next_batch_keeps_the_claims(world: World) {
    repeat_of_an_untaken_answer(world, Next::Records).await;
}

async fn m8_a_repeat_that_waits_for_its_batch_gets_claims_that_stay(world: World) {
    repeat_of_an_untaken_answer(world, Next::OldRecords).await;
}

async fn repeat_of_an_untaken_answer(world: World, next: Next) {
    let (pool, lead, scout, sent) = with_messages(&world, 1).await;
    let hold = world.faults.hold_appends();
    let gone = receiving(&pool, World::fetch(&scout, "r1", 1), Millis(0));
    hold.reached(1).await;
    gone.abort();
    gone.await.unwrap_err();
    let beside = match next {
        Next::Nothing => None,
        Next::Records | Next::OldRecords => {
            let request = World::to_run("lead", "beside", "beside");
            Some(asked!(world.send(&pool, &lead, request)))
        }
    };
    let_others_run().await;
    if next == Next::OldRecords {
        world.clock.advance(Millis(10));
    }
    let repeat = receiving(&pool, World::fetch(&scout, "r1", 1), Millis(0));
    let_others_run().await;
    hold.release();
    if let Some(beside) = beside {
        beside.await.unwrap();
    }
    let received = repeat.await.unwrap().unwrap();
    assert_eq!(World::acceptances(&received), sent);
    assert_eq!(received.items[0].attempt, 1);
    let claims = ClaimSet::These(World::claims(&received));
    world.ack(&pool, &scout, claims).await.unwrap();
    world.check_replay(&pool).await;
}

async fn m8_a_waiting_receive_is_woken_by_a_delay_that_ended_during_a_sync(world: World) {
    let (pool, lead, scout, sent) = with_messages(&world, 1).await;
    let claims = World::claims(&world.receive(&pool, &scout, "a", 1).await);
    let delay = Millis(7_000);
    let released = world.release(&pool, &scout, claims, Some(delay)).await;
    released.unwrap();
    let waiting = receiving(&pool, World::fetch(&scout, "b", 1), MINUTE);
    until(|| world.alarm_in(delay)).await;
    let_others_run().await;
    let hold = world.faults.hold_appends();
    let syncs = asked!(world.send(&pool, &lead, World::to_run("lead", "one", "one")));
    hold.reached(1).await;
    let next = asked!(world.send(&pool, &lead, World::to_run("lead", "two", "two")));
    let_others_run().await;
    world.clock.advance(delay);
    let_others_run().await;
    hold.release();
    syncs.await.unwrap();
    next.await.unwrap();
    until(|| waiting.is_finished()).await;
    let received = waiting.await.unwrap().unwrap();
    assert_eq!(World::acceptances(&received), sent);
    world.check_replay(&pool).await;
}

async fn m8_what_nobody_took_is_given_back_when_the_pool_closes_during_a_sync(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 1).await;
    let hold = world.faults.hold_appends();
    let gone = receiving(&pool, World::fetch(&scout, "gone", 1), Millis(0));
    hold.reached(1).await;
    gone.abort();
    gone.await.unwrap_err();
    let runtime = world.runtime.clone();
    let closing = tokio::spawn(async move { runtime.shutdown().await });
    let_others_run().await;
    hold.release();
    closing.await.unwrap();
    drop(pool);

    let world = world.restart().await;
    let pool = world.pool().await;
    let received = world.receive(&pool, &scout, "stays", 1).await;
    assert_eq!(World::acceptances(&received), sent);
    assert_eq!(received.items[0].attempt, 1);
    world.check_replay(&pool).await;
}
