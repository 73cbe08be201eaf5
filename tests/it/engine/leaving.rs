//! Leaving a pool.

use heronry_pool::{Caller, decide::FindWake};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, run};
use heronry_types::{
    Address, CopyState, EventKind, MessageStatus, Undeliverable, WakeReason, WakeStatus, WakeView,
};

on_every_store! {
    a7_leaving_ends_copies_and_wakes_in_one_append_and_not_the_run
}

/// Returns a wake as an operator sees it.
async fn found(pool: &Pool, wake: &WakeView) -> WakeView {
    let find = FindWake {
        caller: Caller::Operator,
        run: Some(wake.run_id.clone()),
        wake_id: wake.wake_id.clone(),
    };
    pool.call(find).await.unwrap()
}

async fn a7_leaving_ends_copies_and_wakes_in_one_append_and_not_the_run(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let third = world.join(&pool, "third").await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.say(&pool, &lead, ("scout", "m2")).await;
    let pool_id = pool.id().clone();
    world
        .say_to(&pool, &third, (Address::Pool { pool_id }, "m3"))
        .await;
    world.receive(&pool, &scout, "r1", 1).await;
    let waiting = World::waiting(r#"kind == "run_completed""#, "w1");
    let wake = world.register(&pool, &scout, waiting).await;

    let done = world.leave(&pool, &scout).await.unwrap();
    let expected = [
        EventKind::AgentPoolRunLeft,
        EventKind::WakeConditionCancelled,
        EventKind::RunMessageSettled,
        EventKind::RunMessageSettled,
    ];
    let before = done.cursor.position.previous();
    assert_eq!(
        world.kinds_after(&pool, before).await,
        expected,
        "no record ends the run"
    );
    let last = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(last.first(), before.next(), "all of it is one append");
    let state = world.state(&pool).await;
    assert_eq!(state.members().ended(&run("scout")), None);

    for (from, id, status, attempt) in [
        ("lead", "m1", MessageStatus::Settled, 1),
        ("lead", "m2", MessageStatus::Settled, 0),
        ("third", "m3", MessageStatus::Delivered, 0),
    ] {
        let receipt = world.receipt(&pool, from, id).await;
        assert_eq!(receipt.status, status, "{id}");
        let copy = receipt
            .recipients
            .iter()
            .find(|copy| copy.run_id == run("scout"))
            .unwrap();
        let left = (CopyState::Undeliverable, Some(Undeliverable::Left), attempt);
        assert_eq!((copy.state, copy.why, copy.attempt), left, "{id}");
    }
    let kept = &world.receipt(&pool, "third", "m3").await.recipients[0];
    assert_eq!(
        (&kept.run_id, kept.state),
        (&run("lead"), CopyState::Queued)
    );
    let ended = found(&pool, &wake).await;
    assert_eq!(
        (ended.status, ended.reason),
        (WakeStatus::Cancelled, Some(WakeReason::Left.into()))
    );
    world.check_replay(&pool).await;
}
