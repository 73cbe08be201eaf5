//! Leases: silence makes a member lost, and whatever it says brings it back.

use heronry_journal::{Body, Record, RunLost};
use heronry_pool::{
    Caller, Done, MemberView, Rejection,
    decide::{ChangeMember, ClaimSet, DescribePool, Heartbeat, JoinPool, ListMembers},
};
use heronry_runtime::{CallError, Pool};
use heronry_store::Clock;
use heronry_tests::{
    World, let_others_run, on_every_store, on_every_store_that_is_reopened, receiving, run, topic,
};
use heronry_types::{
    Address, CopyState, EventKind, LimitName, Limits, MessageStatus, Millis, PoolSpec, Timestamp,
    Undeliverable, WakeReason, WakeStatus,
};

on_every_store! {
    a9_a_silent_member_is_lost_its_claims_lapse_and_who_waits_for_it_wakes
    a9_renewing_a_lease_records_nothing
    a9_whatever_a_member_asks_renews_its_lease
    a9_nobody_is_lost_by_a_pause_of_the_engine
    p5_who_waits_for_an_answer_is_heard_of
    p5_a_fenced_joining_renews_nothing
    p4_a_lost_member_keeps_its_place_and_is_back_with_its_next_command
    p4_a_lost_member_leaves_when_it_was_kept_for_long_enough
    p4_a_taken_over_member_is_not_lost_any_more
    m8_claims_of_lost_members_are_attempts_and_the_last_one_kills_the_copy
    p3_a_lease_changes_without_a_new_generation
}

on_every_store_that_is_reopened! {
    a9_nobody_is_lost_by_a_crash_and_a_long_pause
}

pub(super) const LEASE: Millis = Millis::from_secs(10);

async fn limited(world: &World, limits: &[(LimitName, u64)]) -> Pool {
    let mut set = Limits::default();
    for (name, value) in limits {
        set.set(*name, *value);
    }
    let spec = PoolSpec {
        limits: Some(set),
        ..PoolSpec::default()
    };
    world.pool_with(spec).await
}

pub(super) async fn join(world: &World, pool: &Pool, name: &str, lease: Millis) -> Caller {
    let join = JoinPool {
        lease: Some(lease),
        topics: vec![topic("news")],
        ..World::joining(name)
    };
    let joined = world.join_as(pool, join).await.unwrap();
    World::member(name, joined.generation)
}

async fn heartbeat(pool: &Pool, caller: &Caller) -> Result<Done, CallError> {
    let (caller, run) = (caller.clone(), World::run_of(caller));
    pool.call(Heartbeat { caller, run }).await
}

async fn change(pool: &Pool, caller: &Caller, lease: Millis) -> Result<Done, CallError> {
    let command = ChangeMember {
        caller: caller.clone(),
        run: World::run_of(caller),
        topics: None,
        lease: Some(lease),
    };
    pool.call(command).await
}

/// A member as an operator sees it.
pub(super) async fn seen(pool: &Pool, name: &str) -> MemberView {
    let list = ListMembers {
        caller: Caller::Operator,
        after: None,
        max: 100,
    };
    let members = pool.call(list).await.unwrap().members;
    members.into_iter().find(|m| m.run == run(name)).unwrap()
}

async fn lost_members(pool: &Pool) -> u64 {
    let caller = Caller::Operator;
    pool.call(DescribePool { caller })
        .await
        .unwrap()
        .lost_members
}

pub(super) fn lost(records: &[Record]) -> Vec<RunLost> {
    let lost = |record: &Record| {
        if let Body::RunLost(body) = &record.entry.body {
            Some(*body)
        } else {
            None
        }
    };
    records.iter().filter_map(lost).collect()
}

pub(super) fn now(world: &World) -> Timestamp {
    world.clock.now().wall
}

async fn a9_a_silent_member_is_lost_its_claims_lapse_and_who_waits_for_it_wakes(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    let held = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    let filter = r#"kind == "run_lost" && run == "scout""#;
    let wake = world
        .register(&pool, &lead, World::waiting(filter, "w1"))
        .await;
    let before = world.head(&pool).await;

    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before, "never early");
    world.pass(&pool, Millis(1)).await;
    let expected = [
        EventKind::RunLost,
        EventKind::RunMessageReleased,
        EventKind::WakeConditionTriggered,
    ];
    assert_eq!(world.kinds_after(&pool, before).await, expected);
    let last = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(last.first(), before.next(), "in one append");
    let records = world.records_after(&pool, before).await;
    let generation = seen(&pool, "scout").await.generation;
    let kept_until = now(&world).after(Millis::from_secs(24 * 3_600));
    assert_eq!(
        lost(&records),
        [RunLost {
            generation,
            kept_until
        }]
    );
    let woken = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    assert_eq!(woken.matches[0].cursor.position, before.next());

    let receipt = world.receipt(&pool, "lead", "m1").await;
    let copy = &receipt.recipients[0];
    let (state, why) = (copy.state, copy.why);
    assert_eq!((state, why), (CopyState::Queued, Some(Undeliverable::Lost)));
    assert_eq!(Undeliverable::Lost.to_string(), "member_lost");
    assert_eq!(seen(&pool, "scout").await.lost_until, Some(kept_until));
    assert_eq!(lost_members(&pool).await, 1);
    world.pass(&pool, Millis::from_secs(60)).await;
    let records = world.records_after(&pool, before).await;
    assert_eq!(lost(&records).len(), 1, "it is lost once");
    let late = world
        .ack(&pool, &scout, ClaimSet::These(held.clone()))
        .await;
    let claims = held;
    let refusal = Rejection::ClaimLapsed { claims };
    assert_eq!(late.unwrap_err().rejection(), Some(&refusal));
    world.check_replay(&pool).await;
}

async fn a9_renewing_a_lease_records_nothing(world: World) {
    let pool = world.pool().await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    assert_eq!(seen(&pool, "scout").await.last_seen, Some(now(&world)));
    let before = world.head(&pool).await;
    for _ in 0..12 {
        world.pass(&pool, Millis(LEASE.0 - 1)).await;
        let done = heartbeat(&pool, &scout).await.unwrap();
        assert_eq!(done.cursor.position, before);
        assert_eq!(seen(&pool, "scout").await.last_seen, Some(now(&world)));
    }
    assert_eq!(world.head(&pool).await, before);
    let heard = now(&world);
    world.pass(&pool, LEASE).await;
    assert_eq!(world.kinds_after(&pool, before).await, [EventKind::RunLost]);
    assert_eq!(seen(&pool, "scout").await.last_seen, Some(heard));
    world.check_replay(&pool).await;
}

async fn a9_whatever_a_member_asks_renews_its_lease(world: World) {
    let pool = world.pool().await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    let before = world.head(&pool).await;
    let nine = Millis(LEASE.0 - 1);
    world.pass(&pool, nine).await;
    let caller = scout.clone();
    pool.call(DescribePool { caller }).await.unwrap();
    world.pass(&pool, nine).await;
    world.receive(&pool, &scout, "r1", 1).await;
    world.pass(&pool, nine).await;
    let refused = world.ack(&pool, &scout, ClaimSet::These(Vec::new())).await;
    drop(refused);
    world.pass(&pool, nine).await;
    let again = JoinPool {
        lease: Some(LEASE),
        ..World::joining("scout")
    };
    assert!(world.join_as(&pool, again).await.unwrap().repeated);
    world.pass(&pool, nine).await;
    assert_eq!(world.head(&pool).await, before, "it was never lost");
    world.say(&pool, &scout, ("scout", "m1")).await;
    world.pass(&pool, nine).await;
    let records = world.records(&pool).await;
    assert_eq!(lost(&records), []);
    world.check_replay(&pool).await;
}

async fn a9_nobody_is_lost_by_a_crash_and_a_long_pause(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.receive(&pool, &scout, "r1", 1).await;
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    let before = world.head(&pool).await;
    drop(pool);
    let world = world.crash().await;
    world.clock.advance(Millis::from_secs(7 * 24 * 3_600));
    let pool = world.pool().await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolResumed]);
    let member = seen(&pool, "scout").await;
    assert_eq!((member.last_seen, member.lost_until), (None, None));
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    let again = world.receive(&pool, &scout, "r1", 1).await;
    assert_eq!(again.items[0].attempt, 1, "no attempt is counted");
    assert_eq!(seen(&pool, "scout").await.last_seen, Some(now(&world)));
    world.pass(&pool, LEASE).await;
    let records = world.records_after(&pool, before).await;
    assert_eq!(lost(&records).len(), 1, "from then on silence counts");
    world.check_replay(&pool).await;
}

async fn a9_nobody_is_lost_by_a_pause_of_the_engine(world: World) {
    let pool = world.pool().await;
    join(&world, &pool, "scout", LEASE).await;
    let before = world.head(&pool).await;
    world.clock.advance(Millis(LEASE.0 + 2_001));
    assert_eq!(seen(&pool, "scout").await.lost_until, None);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolResumed]);
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    assert_eq!(lost_members(&pool).await, 0, "it has its full term again");
    world.clock.advance(Millis(1 + 2_000));
    assert_eq!(lost_members(&pool).await, 1, "two seconds are no pause");
    world.check_replay(&pool).await;
}

async fn p5_who_waits_for_an_answer_is_heard_of(world: World) {
    let pool = world.pool().await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    let before = world.head(&pool).await;
    let wait = Millis::from_secs(45);
    let waiting = receiving(&pool, World::fetch(&scout, "r1", 1), wait);
    let_others_run().await;
    world.pass(&pool, Millis(wait.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before, "it can be reached");
    world.pass(&pool, Millis(1)).await;
    assert!(waiting.await.unwrap().unwrap().items.is_empty());
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    assert_eq!(
        world.head(&pool).await,
        before,
        "from the end of the wait on"
    );
    world.pass(&pool, Millis(1)).await;
    assert_eq!(world.kinds_after(&pool, before).await, [EventKind::RunLost]);
    world.check_replay(&pool).await;
}

async fn p5_a_fenced_joining_renews_nothing(world: World) {
    let pool = world.pool().await;
    let old = join(&world, &pool, "scout", LEASE).await;
    let takes_over = JoinPool {
        lease: Some(LEASE),
        ..World::joining_as("scout", "instance-2")
    };
    let new = world.join_as(&pool, takes_over).await.unwrap();
    let before = world.head(&pool).await;
    for _ in 0..2 {
        world.pass(&pool, Millis(LEASE.0 / 2)).await;
        let refusal = heartbeat(&pool, &old).await.unwrap_err();
        assert_eq!(refusal.rejection(), Some(&Rejection::Fenced));
    }
    let records = world.records_after(&pool, before).await;
    assert_eq!(lost(&records)[0].generation, new.generation);
    world.check_replay(&pool).await;
}

async fn p4_a_lost_member_keeps_its_place_and_is_back_with_its_next_command(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    let wake = world
        .register(&pool, &scout, World::waiting("terminal", "w1"))
        .await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.receive(&pool, &scout, "r1", 1).await;
    world.pass(&pool, LEASE).await;
    assert_eq!(lost_members(&pool).await, 1);
    let to = Address::Topic {
        topic_id: topic("news"),
    };
    world.say_to(&pool, &lead, (to, "m2")).await;
    let waiting = world.state(&pool).await.wakes().live();
    assert_eq!(waiting, 1, "its wakes stay");

    let before = world.head(&pool).await;
    let again = world.receive(&pool, &scout, "r2", 10).await;
    let expected = [EventKind::RunResumed, EventKind::RunMessageFetched];
    assert_eq!(world.kinds_after(&pool, before).await, expected);
    let attempts: Vec<_> = again.items.iter().map(|item| item.attempt).collect();
    assert_eq!(attempts, [2, 1], "its inbox stays, and grows");
    let receipt = world.receipt(&pool, "lead", "m1").await;
    assert_eq!(receipt.recipients[0].why, None);
    assert_eq!(
        (
            lost_members(&pool).await,
            seen(&pool, "scout").await.lost_until
        ),
        (0, None)
    );
    let these = ClaimSet::These(World::claims(&again));
    world.ack(&pool, &scout, these).await.unwrap();
    let woken = world.wake_of(&pool, &scout, &wake.wake_id).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    assert_eq!(lost_members(&pool).await, 0, "its lease is whole again");
    world.pass(&pool, Millis(1)).await;
    let before = world.head(&pool).await;
    heartbeat(&pool, &scout).await.unwrap();
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunResumed], "a heartbeat does it, too");
    world.check_replay(&pool).await;
}

async fn p4_a_lost_member_leaves_when_it_was_kept_for_long_enough(world: World) {
    let keep = Millis::from_secs(60);
    let pool = limited(&world, &[(LimitName::LostKeepMsMax, keep.0)]).await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    let wake = world
        .register(
            &pool,
            &scout,
            World::waiting(r#"kind == "run_failed""#, "w1"),
        )
        .await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.pass(&pool, LEASE).await;
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(keep.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before, "it is kept");
    world.pass(&pool, Millis(1)).await;
    let expected = [
        EventKind::AgentPoolRunLeft,
        EventKind::WakeConditionCancelled,
        EventKind::RunMessageSettled,
    ];
    assert_eq!(world.kinds_after(&pool, before).await, expected);
    let receipt = world.receipt(&pool, "lead", "m1").await;
    let copy = &receipt.recipients[0];
    assert_eq!(receipt.status, MessageStatus::Settled);
    let undeliverable = (CopyState::Undeliverable, Some(Undeliverable::Lost));
    assert_eq!((copy.state, copy.why), undeliverable);
    let records = world.records_after(&pool, before).await;
    let Body::WakeCancelled(cancelled) = &records[1].entry.body else {
        panic!("{:?}", records[1].kind());
    };
    assert_eq!(cancelled.registered, wake.cursor.position);
    assert_eq!(cancelled.reason, WakeReason::Left);
    let gone = world.refused(&pool, heartbeat(&pool, &scout)).await;
    assert_eq!(gone, Rejection::NotAMember);
    assert_eq!(lost_members(&pool).await, 0);
    world.check_replay(&pool).await;
}

async fn p4_a_taken_over_member_is_not_lost_any_more(world: World) {
    let keep = Millis::from_secs(60);
    let pool = limited(&world, &[(LimitName::LostKeepMsMax, keep.0)]).await;
    join(&world, &pool, "scout", LEASE).await;
    world.pass(&pool, LEASE).await;
    assert_eq!(lost_members(&pool).await, 1);
    let before = world.head(&pool).await;
    let forever = World::joining_as("scout", "instance-2");
    world.join_as(&pool, forever).await.unwrap();
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunTakenOver]);
    let member = seen(&pool, "scout").await;
    assert_eq!((member.lost_until, member.lease), (None, None));
    let before = world.head(&pool).await;
    world.pass(&pool, keep).await;
    assert_eq!(world.head(&pool).await, before, "it stays");
    world.check_replay(&pool).await;
}

async fn m8_claims_of_lost_members_are_attempts_and_the_last_one_kills_the_copy(world: World) {
    let pool = limited(&world, &[(LimitName::AttemptsMax, 2)]).await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    for attempt in 1..=2 {
        let received = world
            .receive(&pool, &scout, &format!("r{attempt}"), 1)
            .await;
        assert_eq!(received.items[0].attempt, attempt);
        let before = world.head(&pool).await;
        world.pass(&pool, LEASE).await;
        let expected = if attempt == 1 {
            vec![EventKind::RunLost, EventKind::RunMessageReleased]
        } else {
            vec![
                EventKind::RunLost,
                EventKind::RunMessageDeadLettered,
                EventKind::RunMessageSettled,
            ]
        };
        assert_eq!(world.kinds_after(&pool, before).await, expected);
    }
    let receipt = world.receipt(&pool, "lead", "m1").await;
    assert_eq!(receipt.recipients[0].state, CopyState::Dead);
    assert_eq!(receipt.recipients[0].why, None);
    world.check_replay(&pool).await;
}

async fn p3_a_lease_changes_without_a_new_generation(world: World) {
    let pool = world.pool().await;
    let scout = world.join(&pool, "scout").await;
    let generation = seen(&pool, "scout").await.generation;
    world
        .unrecorded(&pool, change(&pool, &scout, Millis(0)))
        .await;
    let before = world.head(&pool).await;
    change(&pool, &scout, LEASE).await.unwrap();
    world.unrecorded(&pool, change(&pool, &scout, LEASE)).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolRunChanged]);
    let member = seen(&pool, "scout").await;
    assert_eq!((member.lease, member.generation), (Some(LEASE), generation));
    let twice = Millis(2 * LEASE.0);
    change(&pool, &scout, twice).await.unwrap();
    world.pass(&pool, Millis(twice.0 - 1)).await;
    assert_eq!(lost_members(&pool).await, 0);
    change(&pool, &scout, Millis(0)).await.unwrap();
    world.pass(&pool, Millis::from_secs(600)).await;
    assert_eq!(lost_members(&pool).await, 0, "without a lease it is kept");
    world.check_replay(&pool).await;
}
