//! The reasons why a wake still waits.

use heronry_event::{FilterExplanation, WakeExplanation};
use heronry_pool::{Caller, Rejection, decide::ListWakes};
use heronry_runtime::{EventsError, Pool};
use heronry_tests::{World, on_every_store, run};
use heronry_types::{DistinctBy, EventKind, PoolSpec, Position, Since, WakeId, WakeStatus};

use crate::wakes::{NEWS, pair, since, tell, timed};

on_every_store! {
    a38_explain_names_the_comparison_that_failed_and_the_closest_event
    a38_explain_counts_what_came_too_early_and_what_counts_already
    a38_explain_says_which_live_members_could_still_do_it
    a38_explain_shows_nothing_that_the_waiter_may_not_see
    a38_explain_looks_at_the_newest_ten_thousand_events
    a52_explain_is_for_the_waiter_and_for_operators
    w9_wakes_are_listed_by_pages
}

async fn explained(pool: &Pool, caller: &Caller, wake: &WakeId) -> WakeExplanation {
    let explained = pool.explain_wake(caller.clone(), None, wake.clone());
    explained.await.unwrap()
}

fn only(explained: &WakeExplanation) -> &FilterExplanation {
    let [clause] = &*explained.clauses else {
        panic!("one filter: {explained:?}");
    };
    clause
}

fn values(clause: &FilterExplanation) -> Vec<(&str, u64)> {
    let missing = clause.missing.iter();
    let seen = missing.flat_map(|missing| &missing.seen);
    seen.map(|it| (it.value.as_str(), it.events)).collect()
}

async fn a38_explain_names_the_comparison_that_failed_and_the_closest_event(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let filter = format!(r#"{NEWS} && reply_to == "q-1""#);
    let wake = world
        .register(&pool, &lead, World::waiting(&filter, "w"))
        .await;
    tell(&world, &pool, &scout, "k1").await;
    let last = tell(&world, &pool, &scout, "k2").await;
    let head = pool.head();
    let explained = explained(&pool, &lead, &wake.wake_id).await;
    assert_eq!(pool.head(), head, "explaining records nothing");
    assert_eq!(explained.status, WakeStatus::Registered);
    assert_eq!(
        (explained.after.position, explained.until),
        (Position::ZERO, head)
    );
    // The pool, two joins and four of the messages; not the registration.
    assert_eq!(explained.events, 7);
    let clause = only(&explained);
    assert_eq!((clause.needed, clause.counted, clause.early), (1, 0, 0));
    assert_eq!(clause.close, 2);
    assert_eq!(clause.missing[0].clause, r#"reply_to == "q-1""#);
    assert_eq!(clause.missing[0].events, 2);
    assert_eq!(values(clause), [("absent", 2)]);
    let closest = clause.closest.as_ref().unwrap();
    assert_eq!(closest.cursor.position, last);
    assert_eq!(closest.kind, EventKind::RunMessageDelivered);
    assert_eq!(closest.failed.len(), 1);
    assert_eq!(closest.failed[0].seen, "absent");
    world.check_replay(&pool).await;
}

async fn a38_explain_counts_what_came_too_early_and_what_counts_already(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    tell(&world, &pool, &scout, "early").await;
    let condition =
        format!(r#"{{"count": {{"n": 3, "filter": {NEWS:?}, "distinct_by": "message"}}}}"#);
    let wake = World::waiting_for(&condition, "w");
    let wake = world.register(&pool, &lead, wake).await;
    tell(&world, &pool, &scout, "k1").await;
    tell(&world, &pool, &scout, "k2").await;
    let clause = |explained: &WakeExplanation| {
        let clause = only(explained);
        (
            clause.needed,
            clause.counted,
            clause.early,
            clause.distinct_by,
        )
    };
    let waits = explained(&pool, &lead, &wake.wake_id).await;
    assert_eq!(clause(&waits), (3, 2, 1, Some(DistinctBy::Message)));
    tell(&world, &pool, &scout, "k3").await;
    tell(&world, &pool, &scout, "k4").await;
    let ended = explained(&pool, &lead, &wake.wake_id).await;
    assert_eq!(ended.status, WakeStatus::Triggered);
    assert_eq!(clause(&ended), (3, 3, 1, Some(DistinctBy::Message)));
    let end = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(
        ended.until, end.cursor,
        "what came after its end is no matter"
    );
    world.check_replay(&pool).await;
}

async fn a38_explain_says_which_live_members_could_still_do_it(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let by_scout = format!(r#"{NEWS} && run == "scout""#);
    let by_gone = format!(r#"{NEWS} && agent == "ranger""#);
    let either = format!(r#"{{"any_of": [{by_scout:?}, {by_gone:?}]}}"#);
    let both = format!(r#"{{"all_of": [{by_scout:?}, {by_gone:?}]}}"#);
    let mut wakes = Vec::new();
    for (name, condition) in [("either", either), ("both", both)] {
        let request = World::waiting_for(&condition, name);
        wakes.push(world.register(&pool, &lead, request).await.wake_id);
    }
    let anybody = world
        .register(&pool, &lead, World::waiting(NEWS, "any"))
        .await;
    let runs = |clause: &FilterExplanation| -> Vec<String> {
        let runs = clause.could.runs.iter();
        runs.map(ToString::to_string).collect()
    };
    let any = explained(&pool, &lead, &anybody.wake_id).await;
    assert_eq!(runs(only(&any)), ["lead", "scout"]);
    assert!(!any.orphaned);
    let either = explained(&pool, &lead, &wakes[0]).await;
    let counts: Vec<u64> = either.clauses.iter().map(|it| it.could.count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 1);
    assert!(!either.orphaned, "the scout is there");
    assert!(explained(&pool, &lead, &wakes[1]).await.orphaned);
    world.join(&pool, "ranger").await;
    assert!(!explained(&pool, &lead, &wakes[1]).await.orphaned);
    world.leave(&pool, &scout).await.unwrap();
    assert!(!explained(&pool, &lead, &wakes[0]).await.orphaned);
    assert!(explained(&pool, &lead, &wakes[1]).await.orphaned);
    world.check_replay(&pool).await;
}

async fn a38_explain_shows_nothing_that_the_waiter_may_not_see(world: World) {
    let spec = PoolSpec {
        policies: Some(World::policies(&["inner"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let mut joining = World::joining("lead");
    joining.policies = Some(World::policies(&["inner"]));
    let lead = world.join_as(&pool, joining).await.unwrap();
    let lead = World::member("lead", lead.generation);
    let outer = world.join(&pool, "outer").await;
    let filter = format!(r#"{NEWS} && reply_to == "q-1""#);
    let wake = world
        .register(&pool, &lead, World::waiting(&filter, "w"))
        .await;
    tell(&world, &pool, &outer, "k1").await;
    let seen = explained(&pool, &lead, &wake.wake_id).await;
    assert_eq!((only(&seen).close, only(&seen).early), (0, 0));
    // Who may not read the events any more is shown nothing of them either.
    let mut narrowed = World::joining_as("lead", "instance-2");
    narrowed.policies = Some(World::policies(&[]));
    let blind = world.join_as(&pool, narrowed).await.unwrap();
    let blind = World::member("lead", blind.generation);
    let nothing = explained(&pool, &blind, &wake.wake_id).await;
    assert_eq!(nothing.events, 0);
    assert_eq!(only(&nothing).closest, None);
    let for_it = pool.explain_wake(Caller::Operator, Some(run("lead")), wake.wake_id);
    assert_eq!(for_it.await.unwrap(), nothing, "an operator sees its view");
    world.check_replay(&pool).await;
}

async fn a38_explain_looks_at_the_newest_ten_thousand_events(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let first = tell(&world, &pool, &scout, "first").await;
    let missing = pool.explain_wake(lead.clone(), None, "none".parse().unwrap());
    assert!(matches!(missing.await, Err(EventsError::Call(error))
        if error.rejection() == Some(&Rejection::WakeNotFound)));
    let wake = world
        .register(&pool, &lead, World::waiting("terminal", "w"))
        .await;
    let near = explained(&pool, &lead, &wake.wake_id).await;
    assert_eq!(
        (near.after.position, near.until.position),
        (Position::ZERO, first.plus(1))
    );
    // Half of an inbox is 5 000 copies; each message is two records.
    for batch in 0..10 {
        let sends = if batch == 0 { 499 } else { 500 };
        let names: Vec<String> = (0..sends)
            .map(|number| format!("k{batch}-{number}"))
            .collect();
        let told = names.iter().map(|name| tell(&world, &pool, &scout, name));
        futures::future::join_all(told).await;
    }
    let request = timed("false", "never", 60_000);
    let never = world.register(&pool, &lead, request).await;
    let far = explained(&pool, &lead, &never.wake_id).await;
    assert_eq!(far.until.position.0 - far.after.position.0, 10_000);
    assert_eq!(far.events, 9_998, "registrations do not count");
    world.check_replay(&pool).await;
}

async fn a52_explain_is_for_the_waiter_and_for_operators(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting("terminal", "w"))
        .await;
    let refused = async |caller: Caller, whose: Option<&str>| {
        let explained = pool.explain_wake(caller, whose.map(run), wake.wake_id.clone());
        let Err(EventsError::Call(error)) = explained.await else {
            panic!("it is not refused");
        };
        error.rejection().cloned()
    };
    let theirs = refused(scout.clone(), None).await;
    assert_eq!(theirs, Some(Rejection::WakeNotFound));
    let theirs = refused(scout.clone(), Some("lead")).await;
    assert_eq!(theirs, Some(Rejection::SenderMismatch));
    let mut again = World::joining("lead");
    again.instance = "instance-2".parse().unwrap();
    let again = world.join_as(&pool, again).await.unwrap();
    let again = World::member("lead", again.generation);
    assert_eq!(refused(lead, None).await, Some(Rejection::Fenced));
    explained(&pool, &again, &wake.wake_id).await;
    explained(&pool, &Caller::Operator, &wake.wake_id).await;
    world.check_replay(&pool).await;
}

async fn w9_wakes_are_listed_by_pages(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let mut wakes = Vec::new();
    for number in 0..5 {
        let caller = if number == 2 { &scout } else { &lead };
        let request = since("terminal", &format!("w{number}"), Since::Head);
        wakes.push(world.register(&pool, caller, request).await);
    }
    world.cancel(&pool, &lead, &wakes[1].wake_id).await.unwrap();
    let list = async |caller: &Caller, after, max| {
        let (caller, run) = (caller.clone(), None);
        let list = ListWakes {
            caller,
            run,
            after,
            max,
        };
        pool.call(list).await.unwrap()
    };
    let own = list(&lead, None, 2).await;
    assert_eq!(own.wakes, [wakes[0].clone(), wakes[3].clone()]);
    assert_eq!(own.next, Some(wakes[3].cursor));
    let rest = list(&lead, own.next, 2).await;
    assert_eq!((rest.wakes, rest.next), (vec![wakes[4].clone()], None));
    let all = list(&Caller::Operator, None, 4).await;
    assert_eq!((all.wakes.len(), all.next), (4, None));
    let page = list(&Caller::Operator, None, 3).await;
    assert_eq!(page.next, Some(wakes[3].cursor));
    let rest = list(&Caller::Operator, page.next, 3).await;
    assert_eq!(rest.wakes, [wakes[4].clone()]);
    world.check_replay(&pool).await;
}
