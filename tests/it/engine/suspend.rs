//! Runs that are suspended: what stands still meanwhile, and what lets them go on.

use heronry_journal::{Body, Claim, Record};
use heronry_pool::{
    Caller, MemberView, Stood,
    decide::{DescribePool, JoinPool, ListMembers, SendRequest, SuspendRun},
};
use heronry_runtime::Pool;
use heronry_store::Clock;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Actor, DeliveryOptions, EventKind, Importance, Millis, ResumedBy, RunEnd, RunState, Timestamp,
};

use crate::wakes::{NEWS, pair, tell, timed};

on_every_store! {
    p6_a_resumed_run_has_its_lease_and_its_claims_for_their_terms_again
    p6_the_end_of_a_wake_or_the_time_resumes_a_run
    p6_taking_over_ends_a_suspension_and_joining_again_does_not
    p6_a_suspended_run_leaves_and_ends_as_every_other
}

on_every_store_that_is_reopened! {
    p6_while_a_run_is_suspended_its_lease_and_its_claims_stand_still
    p6_a_delayed_interrupt_resumes_when_it_can_be_claimed
}

const LEASE: Millis = Millis::from_secs(10);
const MINUTE: Millis = Millis::from_secs(60);

/// Returns the command that suspends a run for a while, or forever.
pub(super) fn suspend(caller: &Caller, timeout: Option<Millis>) -> SuspendRun {
    SuspendRun {
        caller: caller.clone(),
        run: World::run_of(caller),
        wakes: Vec::new(),
        timeout,
        release: Vec::new(),
    }
}

async fn forever(pool: &Pool, caller: &Caller) -> Stood {
    pool.call(suspend(caller, None)).await.unwrap()
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

/// Returns the reasons why a run went on, by the records.
pub(super) fn resumed(records: &[Record]) -> Vec<ResumedBy> {
    let by = |record: &Record| {
        if let Body::RunResumed(body) = &record.entry.body {
            body.by
        } else {
            None
        }
    };
    records.iter().filter_map(by).collect()
}

async fn leased(world: &World, pool: &Pool, name: &str) -> Caller {
    let join = JoinPool {
        lease: Some(LEASE),
        ..World::joining(name)
    };
    let joined = world.join_as(pool, join).await.unwrap();
    World::member(name, joined.generation)
}

fn urgent(to: &str, key: &str) -> SendRequest {
    SendRequest {
        options: DeliveryOptions {
            importance: Importance::Interrupt,
            ..DeliveryOptions::default()
        },
        ..World::to_run(to, key, "now")
    }
}

fn now(world: &World) -> Timestamp {
    world.clock.now().wall
}

/// Returns the time until which the claim of the last receive holds.
async fn held_until(world: &World, pool: &Pool, caller: &Caller) -> Timestamp {
    let again = world.receive(pool, caller, "r1", 1).await;
    again.items[0].claim.unwrap().1
}

/// A lead that sends, and a scout with a lease that holds a claim for a minute.
async fn holding(world: &World) -> (Pool, Caller, Caller, Claim) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = leased(world, &pool, "scout").await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    let claim = World::claims(&world.receive(&pool, &scout, "r1", 1).await)[0];
    (pool, lead, scout, claim)
}

async fn p6_while_a_run_is_suspended_its_lease_and_its_claims_stand_still(world: World) {
    let (pool, _, scout, _) = holding(&world).await;
    let before = world.head(&pool).await;
    let stood = forever(&pool, &scout).await;
    assert_eq!(stood.state, RunState::Suspended);
    let head = world.head(&pool).await;
    assert_eq!(stood.done.cursor.position, head);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunSuspended]);
    let view = seen(&pool, "scout").await.suspended.unwrap();
    assert_eq!((view.cursor.position, view.until), (head, None));
    let caller = Caller::Operator;
    let shown = pool.call(DescribePool { caller }).await.unwrap();
    assert_eq!(shown.suspended_members, 1);

    world.pass(&pool, Millis(10 * MINUTE.0)).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    world.clock.advance(Millis(60 * MINUTE.0));
    world.pass(&pool, Millis(10 * MINUTE.0)).await;
    assert_eq!(
        world.head(&pool).await,
        head,
        "nobody is lost, nothing lapses"
    );
    let until = held_until(&world, &pool, &scout).await;
    assert_eq!(
        until,
        Timestamp::LAST,
        "while it sleeps, a claim has no end"
    );
    assert_eq!(world.head(&pool).await, head, "a repeat resumes nobody");
    world.check_replay(&pool).await;
}

async fn p6_a_resumed_run_has_its_lease_and_its_claims_for_their_terms_again(world: World) {
    let (pool, _, scout, _) = holding(&world).await;
    pool.call(suspend(&scout, Some(MINUTE))).await.unwrap();
    let until = seen(&pool, "scout").await.suspended.unwrap().until;
    assert_eq!(until, Some(now(&world).after(MINUTE)));
    world.pass(&pool, Millis(MINUTE.0 - 1)).await;
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(1)).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunResumed]);
    let view = seen(&pool, "scout").await;
    assert_eq!((view.suspended, view.lost_until), (None, None));

    let before = world.head(&pool).await;
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before, "its lease is whole again");
    let until = held_until(&world, &pool, &scout).await;
    let resumed_at = Millis(LEASE.0 - 1);
    assert_eq!(until, now(&world).after(Millis(MINUTE.0 - resumed_at.0)));
    world.pass(&pool, LEASE).await;
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunLost, EventKind::RunMessageReleased]);
    world.check_replay(&pool).await;
}

async fn p6_the_end_of_a_wake_or_the_time_resumes_a_run(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let waits = world
        .register(&pool, &lead, timed(NEWS, "w", 600_000))
        .await;
    let command = SuspendRun {
        wakes: vec![waits.wake_id.clone()],
        ..suspend(&lead, Some(MINUTE))
    };
    pool.call(command).await.unwrap();
    let before = world.head(&pool).await;
    tell(&world, &pool, &scout, "k1").await;
    let kinds = world.kinds_after(&pool, before).await;
    let woken = [EventKind::WakeConditionTriggered, EventKind::RunResumed];
    assert_eq!(kinds[2..], woken, "behind what it waits for");
    let last = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(last.first(), before.next(), "in one append");
    let record = world.records_after(&pool, before).await.pop().unwrap();
    assert_eq!(record.entry.actor, Actor::Engine);
    assert_eq!(
        record.entry.lineage.caused_by,
        Some(record.position.previous())
    );

    pool.call(suspend(&lead, Some(MINUTE))).await.unwrap();
    world.pass(&pool, MINUTE).await;
    let all = resumed(&world.records(&pool).await);
    assert_eq!(all, [ResumedBy::Wake, ResumedBy::Timeout]);
    world.check_replay(&pool).await;
}

async fn p6_a_delayed_interrupt_resumes_when_it_can_be_claimed(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    forever(&pool, &lead).await;
    let mut later = urgent("lead", "k1");
    later.options.deliver_after = Some(MINUTE);
    world.send(&pool, &scout, later).await.unwrap();
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(MINUTE.0 - 1)).await;
    assert_eq!(world.head(&pool).await, before, "never early");
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    world.pass(&pool, Millis(1)).await;
    let records = world.records_after(&pool, before).await;
    assert_eq!(resumed(&records), [ResumedBy::Interrupt]);
    let items = world.receive(&pool, &lead, "r1", 1).await.items;
    assert_eq!(items[0].importance, Importance::Interrupt);
    world.check_replay(&pool).await;
}

async fn p6_taking_over_ends_a_suspension_and_joining_again_does_not(world: World) {
    let (pool, _, scout, _) = holding(&world).await;
    forever(&pool, &scout).await;
    let same = JoinPool {
        lease: Some(LEASE),
        ..World::joining("scout")
    };
    assert!(world.join_as(&pool, same).await.unwrap().repeated);
    assert!(seen(&pool, "scout").await.suspended.is_some());
    let other = JoinPool {
        lease: Some(LEASE),
        ..World::joining_as("scout", "instance-2")
    };
    world.join_as(&pool, other).await.unwrap();
    let view = seen(&pool, "scout").await;
    assert_eq!((view.suspended, view.unread), (None, 1));
    let before = world.head(&pool).await;
    world.pass(&pool, LEASE).await;
    assert_eq!(world.kinds_after(&pool, before).await, [EventKind::RunLost]);
    world.check_replay(&pool).await;
}

async fn p6_a_suspended_run_leaves_and_ends_as_every_other(world: World) {
    let (pool, _, scout, _) = holding(&world).await;
    pool.call(suspend(&scout, Some(MINUTE))).await.unwrap();
    let before = world.head(&pool).await;
    world.leave(&pool, &scout).await.unwrap();
    let left = [EventKind::AgentPoolRunLeft, EventKind::RunMessageSettled];
    assert_eq!(world.kinds_after(&pool, before).await, left);
    let scout = leased(&world, &pool, "scout").await;
    pool.call(suspend(&scout, Some(MINUTE))).await.unwrap();
    world.end(&pool, &scout, RunEnd::Failed).await.unwrap();
    let before = world.head(&pool).await;
    world.pass(&pool, MINUTE).await;
    assert_eq!(world.head(&pool).await, before, "it does not come back");
    world.check_replay(&pool).await;
}
