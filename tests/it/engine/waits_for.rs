//! The members that a wake waits for. Recipients, topics and messages in its filter tell them, too.

use heronry_journal::DeadlockSuspected;
use heronry_pool::{
    Caller,
    decide::{ChangeMember, Expiry, SendRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{World, body, key, message, on_every_store, run, topic};
use heronry_types::{
    Address, EventKind, Millis, PoolSpec, Position, RunEnd, RunId, TopicId, WakeStatus, WakeView,
};

use crate::{
    replies::{asking, contract},
    stalls::{SOON, asleep, by, deadlocks, shown, sleeps},
    wakes::NEWS,
};

on_every_store! {
    w9_who_waits_for_replies_waits_for_those_who_can_still_reply
    w9_enough_of_those_who_are_asked_have_to_be_able_to_reply
    w9_a_timeout_of_replies_is_nobodys_deadlock
    w9_who_waits_until_a_message_is_settled_waits_for_all_who_hold_it
    w9_what_a_run_does_with_its_copies_only_it_can_do
    w9_a_message_to_a_run_that_is_no_member_is_waited_for_in_vain
    w9_a_message_to_a_topic_that_nobody_lists_is_waited_for_in_vain
    w9_only_members_that_may_send_can_send_what_is_waited_for
    w9_a_reply_that_nobody_asked_for_can_come_from_anyone
    w9_what_comes_in_the_same_moment_is_not_waited_for_in_vain
    w9_however_many_runs_are_suspended_all_are_looked_at
    w9_a_ring_of_very_many_is_one_deadlock
}

const ANSWERED: &str = r#"run == "ann" && kind == "run_message_responded""#;
const SETTLED: &str = r#"run == "ann" && kind == "run_message_settled""#;

/// The first joins as the others do, and so on; in the order of the names.
async fn joined<const N: usize>(world: &World, pool: &Pool, names: [&str; N]) -> [Caller; N] {
    let mut callers = Vec::new();
    for name in names {
        callers.push(world.join(pool, name).await);
    }
    callers.try_into().unwrap()
}

fn to(name: &str, id: &str) -> SendRequest {
    SendRequest {
        message_id: Some(message(id)),
        ..World::to_run(name, id, "words")
    }
}

/// Returns the runs of each deadlock that is suspected after a while.
async fn suspected(world: &World, pool: &Pool, before: Position) -> Vec<Vec<RunId>> {
    world.pass(pool, SOON).await;
    let records = world.records_after(pool, before).await;
    let runs = |body: DeadlockSuspected| body.runs;
    deadlocks(&records).into_iter().map(runs).collect()
}

async fn quiet(world: &World, pool: &Pool) {
    let before = world.head(pool).await;
    world.pass(pool, Millis(2 * SOON.0)).await;
    assert_eq!(world.kinds_after(pool, before).await, [], "it may come");
}

/// Returns the runs that could still bring about an event that the only filter of a wake keeps;
/// true when the wake is orphaned.
async fn could(pool: &Pool, caller: &Caller, wake: &WakeView) -> (Vec<RunId>, bool) {
    let (caller, wake) = (caller.clone(), wake.wake_id.clone());
    let explained = pool.explain_wake(caller, None, wake).await.unwrap();
    let could = explained.clauses[0].could.clone();
    assert_eq!(could.count, could.runs.len() as u64);
    (could.runs, explained.orphaned)
}

async fn w9_who_waits_for_replies_waits_for_those_who_can_still_reply(world: World) {
    let pool = world.pool().await;
    let [ann, bob, _] = joined(&world, &pool, ["ann", "bob", "cid"]).await;
    let request = SendRequest {
        contract: Some(contract(1)),
        ..to("bob", "m1")
    };
    world.send(&pool, &ann, request).await.unwrap();
    let wake = sleeps(&world, &pool, &ann, ANSWERED).await;
    quiet(&world, &pool).await;
    assert_eq!(
        could(&pool, &ann, &wake).await,
        (vec![run("ann"), run("bob")], false),
        "bob could reply; ann could ask again"
    );
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    let found = suspected(&world, &pool, before).await;
    assert_eq!(found, [[run("ann"), run("bob")]], "cid cannot reply");
    assert_eq!(shown(&pool).await.deadlocked_members, 2);
    let view = asleep(&pool, "ann").await;
    assert!(view.suspected_deadlock.is_some());
    world.check_replay(&pool).await;
}

async fn w9_enough_of_those_who_are_asked_have_to_be_able_to_reply(world: World) {
    let pool = world.pool().await;
    let [ann, bob, cid, _] = joined(&world, &pool, ["ann", "bob", "cid", "dan"]).await;
    world.send(&pool, &ann, asking("m1", 2)).await.unwrap();
    sleeps(&world, &pool, &ann, ANSWERED).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    quiet(&world, &pool).await;
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &cid, &by("ann")).await;
    let found = suspected(&world, &pool, before).await;
    let all = [run("ann"), run("bob"), run("cid")];
    assert_eq!(found, [all], "dan alone is one of two");
    world.check_replay(&pool).await;
}

async fn w9_a_timeout_of_replies_is_nobodys_deadlock(world: World) {
    let pool = world.pool().await;
    let [ann, bob] = joined(&world, &pool, ["ann", "bob"]).await;
    let mut asked = contract(1);
    asked.timeout_ms = Some(Millis::from_secs(600));
    let request = SendRequest {
        contract: Some(asked),
        ..to("bob", "m1")
    };
    world.send(&pool, &ann, request).await.unwrap();
    let ends = r#"run == "ann" && message == "m1" && terminal"#;
    sleeps(&world, &pool, &ann, ends).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    quiet(&world, &pool).await;
    world.check_replay(&pool).await;
}

async fn w9_who_waits_until_a_message_is_settled_waits_for_all_who_hold_it(world: World) {
    let pool = world.pool().await;
    let [ann, bob, _] = joined(&world, &pool, ["ann", "bob", "cid"]).await;
    let all = Address::Pool {
        pool_id: heronry_tests::pool("p"),
    };
    let request = SendRequest::new(all, body("words"), key("m1"));
    world.send(&pool, &ann, request).await.unwrap();
    sleeps(&world, &pool, &ann, SETTLED).await;
    quiet(&world, &pool).await;
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    let found = suspected(&world, &pool, before).await;
    assert_eq!(found, [[run("ann"), run("bob")]], "bob keeps his copy");
    world.end(&pool, &bob, RunEnd::Completed).await.unwrap();
    quiet(&world, &pool).await;
    assert_eq!(shown(&pool).await.deadlocked_members, 0, "cid has the last");
    world.check_replay(&pool).await;
}

async fn w9_what_a_run_does_with_its_copies_only_it_can_do(world: World) {
    let pool = world.pool().await;
    let [ann, bob, _] = joined(&world, &pool, ["ann", "bob", "cid"]).await;
    let acked = r#"kind == "run_message_acked" && "bob" in recipients"#;
    let wake = sleeps(&world, &pool, &ann, acked).await;
    quiet(&world, &pool).await;
    assert_eq!(
        could(&pool, &ann, &wake).await,
        (vec![run("bob")], false),
        "nobody else"
    );
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    let found = suspected(&world, &pool, before).await;
    assert_eq!(found, [[run("ann"), run("bob")]]);
    world.check_replay(&pool).await;
}

/// Checks that a wait is for nobody, until what is done next; and that explain says the same.
async fn in_vain(world: &World, pool: &Pool, (ann, filter): (&Caller, &str)) -> WakeView {
    let wake = sleeps(world, pool, ann, filter).await;
    let before = world.head(pool).await;
    world.pass(pool, SOON).await;
    let kinds = world.kinds_after(pool, before).await;
    assert_eq!(kinds, [EventKind::WakeConditionOrphaned]);
    assert_eq!(shown(pool).await.orphaned_wakes, 1);
    assert_eq!(could(pool, ann, &wake).await, (vec![], true));
    wake
}

async fn w9_a_message_to_a_run_that_is_no_member_is_waited_for_in_vain(world: World) {
    let pool = world.pool().await;
    let [ann, bob] = joined(&world, &pool, ["ann", "bob"]).await;
    let filter = format!(r#"{NEWS} && "cid" in recipients"#);
    let wake = in_vain(&world, &pool, (&ann, &filter)).await;
    world.join(&pool, "cid").await;
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0);
    let all = ["ann", "bob", "cid"].map(run).to_vec();
    assert_eq!(could(&pool, &ann, &wake).await, (all, false));
    world.say(&pool, &bob, ("cid", "m1")).await;
    assert!(crate::suspend::seen(&pool, "ann").await.suspended.is_none());
    world.check_replay(&pool).await;
}

fn lists(caller: &Caller, topics: Vec<TopicId>) -> ChangeMember {
    ChangeMember {
        caller: caller.clone(),
        run: World::run_of(caller),
        topics: Some(topics),
        lease: None,
    }
}

async fn w9_a_message_to_a_topic_that_nobody_lists_is_waited_for_in_vain(world: World) {
    let pool = world.pool().await;
    let [ann, bob] = joined(&world, &pool, ["ann", "bob"]).await;
    let filter = format!(r#"{NEWS} && topic == "news""#);
    in_vain(&world, &pool, (&ann, &filter)).await;
    pool.call(lists(&bob, vec![topic("news")])).await.unwrap();
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 0, "bob lists it");
    pool.call(lists(&bob, Vec::new())).await.unwrap();
    world.pass(&pool, SOON).await;
    assert_eq!(shown(&pool).await.orphaned_wakes, 1, "not any more");
    // Whoever reports an event may name any topic.
    let anything = sleeps(&world, &pool, &ann, r#"topic == "news""#).await;
    quiet(&world, &pool).await;
    let (runs, orphaned) = could(&pool, &ann, &anything).await;
    assert_eq!((runs.len(), orphaned), (2, false));
    world.check_replay(&pool).await;
}

async fn w9_only_members_that_may_send_can_send_what_is_waited_for(world: World) {
    let spec = PoolSpec {
        required_policies: Some(World::policies(&["secret"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let ann = world.join_with(&pool, "ann", &[], &["secret"]).await;
    let bob = world.join_with(&pool, "bob", &[], &["secret"]).await;
    world.join_with(&pool, "cid", &[], &[]).await;
    let to_ann = format!(r#"{NEWS} && "ann" in recipients"#);
    let wake = sleeps(&world, &pool, &ann, &to_ann).await;
    quiet(&world, &pool).await;
    let senders = vec![run("ann"), run("bob")];
    assert_eq!(could(&pool, &ann, &wake).await, (senders, false));
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    let found = suspected(&world, &pool, before).await;
    assert_eq!(found, [[run("ann"), run("bob")]], "cid may send nothing");
    world.join_with(&pool, "dan", &[], &["secret"]).await;
    quiet(&world, &pool).await;
    assert_eq!(shown(&pool).await.deadlocked_members, 0, "dan may");
    world.check_replay(&pool).await;
}

async fn w9_a_reply_that_nobody_asked_for_can_come_from_anyone(world: World) {
    let pool = world.pool().await;
    let [ann, bob, cid] = joined(&world, &pool, ["ann", "bob", "cid"]).await;
    world.send(&pool, &ann, to("bob", "m1")).await.unwrap();
    let reply = format!(r#"{NEWS} && reply_to == "m1""#);
    sleeps(&world, &pool, &ann, &reply).await;
    sleeps(&world, &pool, &bob, &by("ann")).await;
    quiet(&world, &pool).await;
    let request = SendRequest {
        reply_to: Some(message("m1")),
        ..to("ann", "m2")
    };
    world.send(&pool, &cid, request).await.unwrap();
    let ann = crate::suspend::seen(&pool, "ann").await;
    assert!(ann.suspended.is_none(), "though it had not got the message");
    world.check_replay(&pool).await;
}

async fn w9_what_comes_in_the_same_moment_is_not_waited_for_in_vain(world: World) {
    let pool = world.pool().await;
    let [ann, bob] = joined(&world, &pool, ["ann", "bob"]).await;
    let request = SendRequest {
        expiry: Some(Expiry::In(SOON)),
        ..to("bob", "m1")
    };
    world.send(&pool, &ann, request).await.unwrap();
    world.leave(&pool, &ann).await.unwrap();
    let expired = r#"kind == "run_message_expired""#;
    let wake = sleeps(&world, &pool, &bob, expired).await;
    let before = world.head(&pool).await;
    let found = suspected(&world, &pool, before).await;
    assert!(found.is_empty(), "{found:?}");
    let wake = world.wake_of(&pool, &bob, &wake.wake_id).await;
    assert_eq!(wake.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}

async fn w9_however_many_runs_are_suspended_all_are_looked_at(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "helper").await;
    for number in 0..300 {
        let name = format!("run-{number:03}");
        let caller = world.join(&pool, &name).await;
        sleeps(&world, &pool, &caller, &by("helper")).await;
    }
    let [y, z] = joined(&world, &pool, ["y", "z"]).await;
    sleeps(&world, &pool, &y, &by("z")).await;
    let before = world.head(&pool).await;
    sleeps(&world, &pool, &z, &by("y")).await;
    world.pass(&pool, SOON).await;
    let found = suspected(&world, &pool, before).await;
    assert_eq!(found, [[run("y"), run("z")]], "behind all the others");
    world.check_replay(&pool).await;
}

async fn w9_a_ring_of_very_many_is_one_deadlock(world: World) {
    let pool = world.pool().await;
    let name = |number: usize| format!("run-{:03}", number % 300);
    let before = world.head(&pool).await;
    for number in 0..300 {
        let caller = world.join(&pool, &name(number)).await;
        sleeps(&world, &pool, &caller, &by(&name(number + 1))).await;
    }
    world.pass(&pool, SOON).await;
    let found = suspected(&world, &pool, before).await;
    let all: Vec<RunId> = (0..300).map(|number| run(&name(number))).collect();
    assert_eq!(found, [all]);
    assert_eq!(shown(&pool).await.deadlocked_members, 300);
    world.check_replay(&pool).await;
}
