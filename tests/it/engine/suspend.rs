//! Runs that are suspended: what stands still meanwhile, and what lets them go on.

use heronry_journal::{Body, Claim, Record};
use heronry_pool::{
    Caller, MemberView, Rejection, Stood,
    decide::{
        ChangeMember, DescribePool, Heartbeat, JoinPool, ListMembers, PeekInbox, ResumeRun,
        SendRequest, SuspendRun,
    },
};
use heronry_runtime::{CallError, Pool};
use heronry_store::Clock;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run, wake};
use heronry_types::{
    Actor, DeliveryOptions, EventKind, Importance, MessageFailure, MessageStatus, Millis,
    ResumedBy, RunEnd, RunState, Timestamp,
};

use crate::wakes::{NEWS, pair, tell, timed};

on_every_store! {
    p6_a_resumed_run_has_its_lease_and_its_claims_for_their_terms_again
    p6_claims_that_are_named_are_given_back
    p6_the_end_of_a_wake_or_the_time_resumes_a_run
    p6_an_urgent_message_or_a_command_of_the_run_resumes_it
    p6_being_there_asking_being_refused_and_repeating_resume_nobody
    p6_what_holds_already_resumes_a_run_in_the_append_that_suspends_it
    p6_taking_over_ends_a_suspension_and_joining_again_does_not
    p6_a_suspended_run_leaves_and_ends_as_every_other
    p6_an_ended_run_never_joins_and_what_is_sent_to_it_fails_in_its_receipt
    p6_only_own_wakes_can_be_waited_for
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

async fn p6_claims_that_are_named_are_given_back(world: World) {
    let (pool, lead, scout, held) = holding(&world).await;
    world.say(&pool, &lead, ("scout", "m2")).await;
    let named = World::claims(&world.receive(&pool, &scout, "r2", 1).await);
    let before = world.head(&pool).await;
    let command = SuspendRun {
        release: named.clone(),
        ..suspend(&scout, None)
    };
    pool.call(command.clone()).await.unwrap();
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(
        kinds,
        [EventKind::RunMessageReleased, EventKind::RunSuspended]
    );
    let last = world.chunks(&pool).await.pop().unwrap();
    assert_eq!(last.first(), before.next(), "in one append");
    let state = world.state(&pool).await;
    let inbox = &state.members().get(&run("scout")).unwrap().inbox;
    assert_eq!(inbox.held().collect::<Vec<_>>(), [held]);
    let again = world.refused(&pool, pool.call(command)).await;
    let lapsed = Rejection::ClaimLapsed { claims: named };
    assert_eq!(again, lapsed, "refused as a whole");
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

async fn p6_an_urgent_message_or_a_command_of_the_run_resumes_it(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    forever(&pool, &lead).await;
    tell(&world, &pool, &scout, "k2").await;
    assert!(seen(&pool, "lead").await.suspended.is_some(), "not urgent");
    let sent = world.send(&pool, &scout, urgent("lead", "k3")).await;
    assert_eq!(sent.unwrap().receipt.status, MessageStatus::Delivered);
    assert!(seen(&pool, "lead").await.suspended.is_none());
    world.receive(&pool, &lead, "r1", 10).await;
    forever(&pool, &lead).await;
    let before = world.head(&pool).await;
    world
        .send(&pool, &lead, World::to_run("scout", "k4", "on"))
        .await
        .unwrap();
    assert_eq!(
        world.kinds_after(&pool, before).await[2..],
        [EventKind::RunResumed]
    );
    forever(&pool, &lead).await;
    let empty = world.receive(&pool, &lead, "r2", 10).await;
    assert!(empty.items.is_empty(), "also a command that finds nothing");
    forever(&pool, &lead).await;
    let caller = lead.clone();
    let on = ResumeRun {
        caller,
        run: run("lead"),
    };
    assert_eq!(pool.call(on.clone()).await.unwrap().state, RunState::Active);
    let before = world.head(&pool).await;
    pool.call(on).await.unwrap();
    assert_eq!(world.head(&pool).await, before, "it goes on already");
    let all = resumed(&world.records(&pool).await);
    let by = [
        ResumedBy::Interrupt,
        ResumedBy::Command,
        ResumedBy::Command,
        ResumedBy::Command,
    ];
    assert_eq!(all, by);
    world.check_replay(&pool).await;
}

async fn p6_being_there_asking_being_refused_and_repeating_resume_nobody(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let sent = World::to_run("scout", "k1", "hello");
    world.send(&pool, &lead, sent.clone()).await.unwrap();
    forever(&pool, &lead).await;
    let before = world.head(&pool).await;
    let (caller, name) = (lead.clone(), run("lead"));
    let beat = Heartbeat {
        caller: caller.clone(),
        run: name.clone(),
    };
    pool.call(beat).await.unwrap();
    let peek = PeekInbox {
        caller: caller.clone(),
        run: name.clone(),
        max: 1,
    };
    pool.call(peek).await.unwrap();
    pool.call(DescribePool {
        caller: caller.clone(),
    })
    .await
    .unwrap();
    assert!(world.send(&pool, &lead, sent).await.unwrap().repeated);
    let foreign = World::to_run("scout", "k1", "another");
    assert!(world.send(&pool, &lead, foreign).await.is_err());
    assert!(world.cancel(&pool, &lead, &wake("none")).await.is_err());
    let by_operator = ChangeMember {
        caller: Caller::Operator,
        run: name,
        topics: Some(vec![heronry_tests::topic("news")]),
        lease: None,
    };
    pool.call(by_operator).await.unwrap();
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::AgentPoolRunChanged]);
    let stale = Caller::Member {
        run: run("lead"),
        generation: heronry_types::Generation(heronry_types::Position(1)),
    };
    let stale = world
        .send(&pool, &stale, World::to_run("scout", "k2", "x"))
        .await;
    assert_eq!(stale.unwrap_err().rejection(), Some(&Rejection::Fenced));
    tell(&world, &pool, &scout, "k3").await;
    assert!(seen(&pool, "lead").await.suspended.is_some());
    let by_itself = ChangeMember {
        caller: lead.clone(),
        run: run("lead"),
        topics: Some(Vec::new()),
        lease: None,
    };
    pool.call(by_itself).await.unwrap();
    assert_eq!(resumed(&world.records(&pool).await), [ResumedBy::Command]);
    world.check_replay(&pool).await;
}

async fn p6_what_holds_already_resumes_a_run_in_the_append_that_suspends_it(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let waits = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    tell(&world, &pool, &scout, "k1").await;
    let on_ended = SuspendRun {
        wakes: vec![waits.wake_id.clone(), waits.wake_id],
        ..suspend(&lead, None)
    };
    let on_no_time = suspend(&lead, Some(Millis(0)));
    let mut by = Vec::new();
    for command in [on_ended, on_no_time] {
        let before = world.head(&pool).await;
        assert_eq!(pool.call(command).await.unwrap().state, RunState::Active);
        let records = world.records_after(&pool, before).await;
        assert_eq!(records.len(), 2);
        by.extend(resumed(&records));
    }
    world
        .send(&pool, &scout, urgent("lead", "k2"))
        .await
        .unwrap();
    assert_eq!(forever(&pool, &lead).await.state, RunState::Active);
    by.extend(resumed(&world.records(&pool).await).last());
    let expected = [ResumedBy::Wake, ResumedBy::Timeout, ResumedBy::Interrupt];
    assert_eq!(by, expected);
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

async fn p6_an_ended_run_never_joins_and_what_is_sent_to_it_fails_in_its_receipt(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    world.end(&pool, &scout, RunEnd::Completed).await.unwrap();
    let state = RunEnd::Completed;
    let again = world.join_as(&pool, World::joining_as("scout", "instance-2"));
    let ended = Rejection::RunEnded { state };
    assert_eq!(world.refused(&pool, again).await, ended);
    let asleep = pool.call(suspend(&scout, None));
    assert_eq!(world.refused(&pool, asleep).await, ended);
    let receipt = world.say(&pool, &lead, ("scout", "m1")).await;
    let failed = (MessageStatus::Failed, Some(MessageFailure::RunEnded));
    assert_eq!((receipt.status, receipt.reason), failed);
    world.check_replay(&pool).await;
}

async fn p6_only_own_wakes_can_be_waited_for(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let foreign = world
        .register(&pool, &scout, World::waiting(NEWS, "w"))
        .await;
    let command = SuspendRun {
        wakes: vec![foreign.wake_id],
        ..suspend(&lead, None)
    };
    let refused = world.refused(&pool, pool.call(command)).await;
    assert_eq!(refused, Rejection::WakeNotFound);
    let stranger = World::member(
        "nobody",
        heronry_types::Generation(heronry_types::Position(2)),
    );
    let refused: Result<Stood, CallError> = pool.call(suspend(&stranger, None)).await;
    assert_eq!(
        refused.unwrap_err().rejection(),
        Some(&Rejection::NotAMember)
    );
    world.check_replay(&pool).await;
}
