//! Leaving a pool, and ending a run.

use heronry_pool::{
    Caller, Rejection,
    decide::{ClaimSet, FindWake, LeavePool},
};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, run, topic};
use heronry_types::{
    Address, CopyState, EventKind, MessageFailure, MessageStatus, RunEnd, Undeliverable,
    WakeReason, WakeStatus, WakeView,
};

on_every_store! {
    a7_leaving_ends_copies_and_wakes_in_one_append_and_not_the_run
    a7_leaving_voids_claims_and_clears_topics
    a7_leaving_twice_is_refused_and_records_nothing
    p6_an_ended_run_leaves_for_good
    p6_a_message_to_an_ended_run_gives_a_typed_receipt
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

async fn a7_leaving_voids_claims_and_clears_topics(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join_with(&pool, "scout", &["news"], &[]).await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    world.leave(&pool, &scout).await.unwrap();
    let ack = world.ack(&pool, &scout, ClaimSet::These(claims));
    assert_eq!(world.refused(&pool, ack).await, Rejection::NotAMember);
    let state = world.state(&pool).await;
    assert_eq!(state.members().of_topic(&topic("news")).count(), 0);
    let to = Address::Topic {
        topic_id: topic("news"),
    };
    let receipt = world.say_to(&pool, &lead, (to, "t1")).await;
    assert_eq!(receipt.reason, Some(MessageFailure::NoRecipient));
    world.check_replay(&pool).await;
}

async fn a7_leaving_twice_is_refused_and_records_nothing(world: World) {
    let pool = world.pool().await;
    let scout = world.join(&pool, "scout").await;
    world.leave(&pool, &scout).await.unwrap();
    let again = world.leave(&pool, &scout);
    assert_eq!(world.refused(&pool, again).await, Rejection::NotAMember);
    let (caller, run) = (Caller::Operator, run("scout"));
    let again = pool.call(LeavePool { caller, run });
    assert_eq!(world.refused(&pool, again).await, Rejection::NotAMember);
    world.check_replay(&pool).await;
}

const ENDS: [(&str, RunEnd, EventKind); 3] = [
    ("done", RunEnd::Completed, EventKind::RunCompleted),
    ("broken", RunEnd::Failed, EventKind::RunFailed),
    ("stopped", RunEnd::Cancelled, EventKind::RunCancelled),
];

async fn p6_an_ended_run_leaves_for_good(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    for (name, end, kind) in ENDS {
        let member = world.join(&pool, name).await;
        let waiting = World::waiting(r#"kind == "agent_pool_configured""#, name);
        let wake = world.register(&pool, &member, waiting).await;
        world.say(&pool, &lead, (name, name)).await;
        let done = world.end(&pool, &member, end).await.unwrap();
        let expected = [
            kind,
            EventKind::WakeConditionCancelled,
            EventKind::RunMessageSettled,
        ];
        let kinds = world
            .kinds_after(&pool, done.cursor.position.previous())
            .await;
        assert_eq!(kinds, expected, "no extra record of leaving");
        assert_eq!(
            found(&pool, &wake).await.reason,
            Some(WakeReason::RunEnded.into())
        );
        let copy = &world.receipt(&pool, "lead", name).await.recipients[0];
        assert_eq!(copy.why, Some(Undeliverable::RunEnded));

        let ended = Rejection::RunEnded { state: end };
        assert_eq!(
            world.refused(&pool, world.end(&pool, &member, end)).await,
            ended
        );
        assert_eq!(
            world.refused(&pool, world.leave(&pool, &member)).await,
            ended
        );
        for instance in ["instance-1", "instance-2"] {
            let join = world.join_as(&pool, World::joining_as(name, instance));
            assert_eq!(world.refused(&pool, join).await, ended);
        }
    }
    world.check_replay(&pool).await;
}

async fn p6_a_message_to_an_ended_run_gives_a_typed_receipt(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    for (name, end, _) in ENDS {
        let member = world.join(&pool, name).await;
        world.end(&pool, &member, end).await.unwrap();
        let receipt = world.say(&pool, &lead, (name, name)).await;
        assert_eq!(receipt.status, MessageStatus::Failed);
        assert_eq!(receipt.reason, Some(MessageFailure::RunEnded));
        assert_eq!(receipt.recipients, []);
    }
    world.check_replay(&pool).await;
}
