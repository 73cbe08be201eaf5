//! A process that is killed, and what is found when its store is opened again.

use std::future::pending as forever;

use heronry_pool::Caller;
use heronry_tests::{World, killed, on_every_store_that_is_killed, run};
use heronry_types::{EffectResult, EffectStanding, EffectView, EventKind, Millis};

use crate::{
    effects::{RecordingHook, begun, intent, pending},
    leases::{LEASE, join, lost, now, seen},
};

on_every_store_that_is_killed! {
    a9_nobody_is_lost_by_a_kill_and_a_long_pause:
        holds_a_claim_and_a_lease => has_full_terms_again
    a9_who_was_lost_before_a_kill_stays_lost:
        has_lost_a_member => finds_it_lost
    a49_an_effect_is_pending_after_a_kill_between_intent_and_result:
        is_amid_effects => finds_them_pending
    a49_an_effect_whose_process_is_killed_is_an_orphan_once_another_takes_over:
        is_amid_effects => takes_over
}

/// The first part of a test does not end by itself.
async fn dies(world: World, pool: heronry_runtime::Pool) {
    killed::wait().await;
    drop((world, pool));
}

/// Moves the clock to a week after the kill of a process that ran for this long.
fn a_week_later(world: &World, ran: Millis) {
    world.clock.advance(ran);
    world.clock.advance(Millis::from_secs(7 * 24 * 3_600));
}

async fn holds_a_claim_and_a_lease(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = join(&world, &pool, "scout", LEASE).await;
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.receive(&pool, &scout, "r1", 1).await;
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    dies(world, pool).await;
}

async fn has_full_terms_again(world: World) {
    a_week_later(&world, LEASE);
    let pool = world.pool().await;
    let kinds = world.records(&pool).await.into_iter();
    let kinds: Vec<EventKind> = kinds.map(|record| record.kind()).skip(1).collect();
    let expected = [
        EventKind::AgentPoolRunJoined,
        EventKind::AgentPoolRunJoined,
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
        EventKind::RunMessageFetched,
        EventKind::AgentPoolResumed,
    ];
    assert_eq!(kinds, expected, "all that was answered is there");
    let member = seen(&pool, "scout").await;
    assert_eq!((member.last_seen, member.lost_until), (None, None));
    world.pass(&pool, Millis(LEASE.0 - 1)).await;
    let scout = World::member("scout", member.generation);
    let again = world.receive(&pool, &scout, "r1", 1).await;
    assert_eq!(again.items[0].attempt, 1, "no attempt is counted");
    let before = world.head(&pool).await;
    world.pass(&pool, LEASE).await;
    let records = world.records_after(&pool, before).await;
    assert_eq!(lost(&records).len(), 1, "from then on silence counts");
    world.check_replay(&pool).await;
}

async fn has_lost_a_member(world: World) {
    let pool = world.pool().await;
    join(&world, &pool, "scout", LEASE).await;
    world.pass(&pool, LEASE).await;
    dies(world, pool).await;
}

async fn finds_it_lost(world: World) {
    world.clock.advance(LEASE);
    let kept = now(&world).after(Millis::from_secs(24 * 3_600));
    world.clock.advance(Millis::from_secs(3_600));
    let pool = world.pool().await;
    let member = seen(&pool, "scout").await;
    assert_eq!(member.lost_until, Some(kept), "for as long as before");
    let scout = World::member("scout", member.generation);
    world.receive(&pool, &scout, "r1", 1).await;
    assert_eq!(seen(&pool, "scout").await.lost_until, None, "it is back");
    let records = world.records(&pool).await;
    assert_eq!(lost(&records).len(), 1, "it was lost once");
    world.check_replay(&pool).await;
}

/// Does two things that do not end; the process dies once both have begun.
async fn is_amid_effects(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    begun(&pool, intent(&lead, "intended", Some("i"))).await;
    let without_end = |_: EffectView| forever::<EffectResult>();
    let first = pool.effect(intent(&lead, "unsafe", None), without_end);
    let until_killed = |_: EffectView| async {
        killed::wait().await;
        EffectResult::succeeded()
    };
    let second = async {
        heronry_tests::let_others_run().await;
        until_listed(&pool, &lead, 2).await;
        let safe = intent(&lead, "safe", Some("s"));
        pool.effect(safe, until_killed).await
    };
    let ended = futures::join!(first, second);
    panic!("nothing ends: {ended:?}");
}

/// Lets others run until so many effects have no result.
async fn until_listed(pool: &heronry_runtime::Pool, caller: &Caller, count: usize) {
    while pending(pool, caller).await.len() < count {
        tokio::task::yield_now().await;
    }
}

fn names(listed: &[(String, EffectStanding, u32)]) -> Vec<(&str, EffectStanding, u32)> {
    let shown = listed.iter();
    shown
        .map(|(what, standing, n)| (&**what, *standing, *n))
        .collect()
}

async fn finds_them_pending(world: World) {
    let pool = world.pool().await;
    let lead = World::member("lead", seen(&pool, "lead").await.generation);
    let all = ["intended", "unsafe", "safe"].map(|what| (what, EffectStanding::Pending, 1));
    assert_eq!(names(&pending(&pool, &lead).await), all);
    let hook = RecordingHook::default();
    let all = pool.reconcile(Caller::Operator, None, &hook);
    assert_eq!(all.await.unwrap(), []);
    assert_eq!(hook.calls(), [""; 0], "its generation lives on");
    // Whoever does it under the same key is told that it was begun.
    let again = intent(&lead, "safe", Some("s"));
    let again = pool.effect(again, |_| forever::<EffectResult>());
    let again = again.await.unwrap_err();
    let begun = matches!(again, heronry_runtime::EffectError::Pending);
    assert!(begun, "{again:?}");
    world.check_replay(&pool).await;
}

async fn takes_over(world: World) {
    let pool = world.pool().await;
    let taken = world.join_as(&pool, World::joining_as("lead", "instance-2"));
    let lead = World::member("lead", taken.await.unwrap().generation);
    let orphans = [
        ("intended", EffectStanding::RetrySafe, 1),
        ("unsafe", EffectStanding::UnsafePending, 1),
        ("safe", EffectStanding::RetrySafe, 1),
    ];
    assert_eq!(names(&pending(&pool, &lead).await), orphans);
    let hook = RecordingHook::default();
    let done = pool.reconcile(lead.clone(), Some(run("lead")), &hook);
    let done = done.await.unwrap();
    let asked = ["retry intended 2", "resolve unsafe 1", "retry safe 2"];
    assert_eq!(
        (done.len(), hook.calls()),
        (2, asked.map(str::to_owned).to_vec())
    );
    let left = [("unsafe", EffectStanding::UnsafePending, 1)];
    assert_eq!(names(&pending(&pool, &lead).await), left);
    world.check_replay(&pool).await;
}
