//! The cost of wakes: who pays for it, and how others go on beside it.

use futures::future::join_all;
use heronry_journal::{Body, EpochStarted, PoolResumed, Record};
use heronry_pool::{
    Caller, Minter, Rejection,
    decide::{AppendEvents, RegisterWake, SendMessage, WakeRequest},
    engine::Replay,
};
use heronry_runtime::Pool;
use heronry_testkit::AppendFault;
use heronry_tests::{World, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Durability, Epoch, EpochReason, EventKind, LimitExceeded, LimitName, Limits, NewEvent,
    PoolSpec, Position, ResumeCause, WakeId, WakeStatus,
};

on_every_store! {
    w8_what_the_wakes_of_a_run_cost_is_limited_until_they_end
    w8_explain_names_the_cost_and_looks_at_fewer_events_of_a_wake_that_costs_much
    w8_a_look_through_earlier_events_that_costs_much_is_done_beside_the_pool
    w8_triggers_of_many_matches_are_few_in_each_append
    w8_others_go_on_while_a_batch_of_events_is_matched
    w8_a_command_that_waits_for_triggers_is_not_overtaken_for_ever
    w8_no_event_is_forgotten_before_a_timeline_or_a_pause
    w8_a_second_batch_of_events_waits_until_the_first_is_matched
}

on_every_store_that_is_reopened! {
    w8_what_was_not_matched_before_a_crash_is_matched_after_it
}

async fn limited(world: &World, set: &[(LimitName, u64)]) -> Pool {
    let mut limits = Limits::default();
    for (name, value) in set {
        limits.set(*name, *value);
    }
    let limits = Some(limits);
    let spec = PoolSpec {
        limits,
        ..PoolSpec::default()
    };
    world.pool_with(spec).await
}

fn over(limit: LimitName, max: u64, actual: u64) -> Rejection {
    LimitExceeded::new(limit, max, actual).into()
}

/// A wake for a filter, or for the JSON of a condition.
fn asking(condition: &str, id: &str) -> WakeRequest {
    if condition.starts_with('{') {
        World::waiting_for(condition, id)
    } else {
        World::waiting(condition, id)
    }
}

async fn wait(
    pool: &Pool,
    caller: &Caller,
    condition: &str,
    id: &str,
) -> Result<WakeId, heronry_runtime::CallError> {
    let request = WakeRequest {
        wake_id: Some(heronry_tests::wake(id)),
        ..asking(condition, id)
    };
    let register = RegisterWake::new(caller.clone(), World::run_of(caller), request);
    pool.call(register).await.map(|it| it.wake.wake_id)
}

/// A condition of one value, of two, of a list of three that also looks at a range, and of a count.
const CONDITIONS: [(&str, u64); 5] = [
    (r#"kind == "run_failed""#, 1),
    (r#"kind == "run_failed" && run == "x""#, 2),
    (r#"run in ["x", "y", "z"] && position > 100"#, 7),
    (r#"{"count":{"n":2,"filter":"run == \"x\""}}"#, 5),
    // What names no value is looked at for every event.
    (r#"{"any_of":["position > 1000", "run == \"x\""]}"#, 21),
];

async fn w8_what_the_wakes_of_a_run_cost_is_limited_until_they_end(world: World) {
    let all: u64 = CONDITIONS.iter().map(|(_, cost)| cost).sum();
    let limit = LimitName::WakeCostPerRunMax;
    let pool = limited(&world, &[(limit, all)]).await;
    let one = world.join(&pool, "one").await;
    let two = world.join(&pool, "two").await;
    let mut before = 0;
    for (number, (condition, cost)) in CONDITIONS.iter().enumerate() {
        let id = format!("w{number}");
        let wake = wait(&pool, &one, condition, &id).await.unwrap();
        let explained = pool.explain_wake(one.clone(), None, wake).await.unwrap();
        assert_eq!(explained.cost, *cost, "{condition}");
        before += cost;
    }
    assert_eq!(before, all);
    let more = wait(&pool, &one, "terminal", "more");
    assert_eq!(
        world.refused(&pool, more).await,
        over(limit, all, all + 1),
        "with its name, and what would be too much"
    );
    // Another run has its own, and a repeat costs nothing.
    wait(&pool, &two, "terminal", "w").await.unwrap();
    world
        .unrecorded(&pool, wait(&pool, &one, CONDITIONS[0].0, "w0"))
        .await;
    // What ends gives back what it cost: here a condition of five.
    world
        .cancel(&pool, &one, &heronry_tests::wake("w3"))
        .await
        .unwrap();
    for id in ["a", "b", "c", "d", "e"] {
        wait(&pool, &one, "terminal", id).await.unwrap();
    }
    let more = wait(&pool, &one, "terminal", "more");
    assert_eq!(world.refused(&pool, more).await, over(limit, all, all + 1));
    // An event that ends five gives those back.
    let event = vec![NewEvent::new(EventKind::ToolCompleted)];
    report(&pool, &two, event, "end").await;
    for id in ["f", "g", "h", "i", "j"] {
        wait(&pool, &one, "terminal", id).await.unwrap();
    }
    let more = wait(&pool, &one, "terminal", "more");
    assert_eq!(world.refused(&pool, more).await, over(limit, all, all + 1));
    world.check_replay(&pool).await;
}

/// A condition of so many filters, none of which keeps anything that happens here.
fn many(filters: usize) -> String {
    let filters =
        (0..filters).map(|n| format!(r#""kind == \"tool_completed\" && run == \"r{n}\"""#));
    format!(
        r#"{{"all_of":[{}]}}"#,
        filters.collect::<Vec<_>>().join(",")
    )
}

async fn w8_explain_names_the_cost_and_looks_at_fewer_events_of_a_wake_that_costs_much(
    world: World,
) {
    let pool = world.pool().await;
    let one = world.join(&pool, "one").await;
    let cheap = wait(&pool, &one, &many(1), "cheap").await.unwrap();
    let dear = wait(&pool, &one, &many(64), "dear").await.unwrap();
    for batch in 0..3 {
        let events = vec![NewEvent::new(EventKind::ToolStarted); 1_000];
        report(&pool, &one, events, &format!("b{batch}")).await;
    }
    let looked_at = async |wake: WakeId| {
        let explained = pool.explain_wake(one.clone(), None, wake).await.unwrap();
        let span = explained.until.position.0 - explained.after.position.0;
        (explained.cost, span)
    };
    let head = world.head(&pool).await.0;
    assert_eq!(looked_at(cheap).await, (2, head));
    assert_eq!(
        looked_at(dear).await,
        (128, 1_024),
        "cost times events is bounded"
    );
}

async fn w8_a_look_through_earlier_events_that_costs_much_is_done_beside_the_pool(world: World) {
    let pool = world.pool().await;
    let one = world.join(&pool, "one").await;
    let events = vec![NewEvent::new(EventKind::ToolStarted); 500];
    report(&pool, &one, events, "b").await;
    let since = |condition: &str, id: &str| WakeRequest {
        since: heronry_types::Since::Start,
        ..asking(condition, id)
    };
    let register = |request| pool.call(RegisterWake::new(one.clone(), run("one"), request));
    register(since(&many(1), "cheap")).await.unwrap();
    register(since(&many(64), "dear")).await.unwrap();
    let records = world.records(&pool).await;
    let held: Vec<bool> = records.iter().filter_map(held).collect();
    assert_eq!(held, [false, true]);
}

/// Returns true when the wake that a record registers is held until earlier events are known;
/// `None` for other records.
fn held(record: &Record) -> Option<bool> {
    if let Body::WakeRegistered(body) = &record.entry.body {
        Some(body.scan_to.is_some())
    } else if let Body::ConditionRegistered(body) = &record.entry.body {
        Some(body.wake.scan_to.is_some())
    } else {
        None
    }
}

async fn report(pool: &Pool, caller: &Caller, events: Vec<NewEvent>, name: &str) {
    let report = AppendEvents::new(caller.clone(), World::run_of(caller), events, key(name));
    pool.call(report).await.unwrap();
}

async fn w8_triggers_of_many_matches_are_few_in_each_append(world: World) {
    let pool = world.pool().await;
    let one = world.join(&pool, "one").await;
    let many = r#"{"count":{"n":641,"filter":"kind == \"tool_started\"","distinct_by":"event"}}"#;
    for number in 0..51 {
        wait(&pool, &one, many, &format!("w{number}"))
            .await
            .unwrap();
    }
    let before = world.head(&pool).await;
    let events = vec![NewEvent::new(EventKind::ToolStarted); 641];
    report(&pool, &one, events, "b").await;
    // Reading a wake waits until all are recorded.
    world
        .wake_of(&pool, &one, &heronry_tests::wake("w50"))
        .await;
    let mut triggers = Vec::new();
    for chunk in world.chunks(&pool).await {
        let records = chunk.records_after(before).map(|record| record.unwrap());
        let triggered = |record: &Record| matches!(record.entry.body, Body::WakeTriggered(_));
        triggers.push(records.filter(triggered).count());
    }
    triggers.retain(|count| *count > 0);
    // One of 641 matches takes the room of 21.
    assert_eq!(triggers, [49, 2]);
}

/// The number of events of a batch here. Somebody waits for the last one.
const BATCH: usize = 200;

fn batch(turn: &str) -> Vec<NewEvent> {
    let mut events = vec![NewEvent::new(EventKind::ToolStarted); BATCH - 1];
    let mut last = NewEvent::new(EventKind::ToolFailed);
    last.turn = Some(turn.parse().unwrap());
    events.push(last);
    events
}

/// A pool where one run has wakes that each of its events comes near, and another waits for the last
/// event of a batch; events are matched in small slices.
async fn costly(world: World) -> (World, Pool, Caller, Caller) {
    let world = world.matching_in_slices_of(64);
    let pool = world.pool().await;
    let noisy = world.join(&pool, "noisy").await;
    let quiet = world.join(&pool, "quiet").await;
    let waits = (0..16).map(|number| {
        let near = format!(r#"run == "noisy" && position > {}"#, 1_000_000 + number);
        let (pool, noisy) = (pool.clone(), noisy.clone());
        async move { wait(&pool, &noisy, &near, &format!("near-{number}")).await }
    });
    for registered in join_all(waits).await {
        registered.unwrap();
    }
    (world, pool, noisy, quiet)
}

async fn for_last_of(pool: &Pool, quiet: &Caller, turn: &str) -> WakeId {
    let last = format!(r#"kind == "tool_failed" && turn == "{turn}""#);
    wait(pool, quiet, &last, turn).await.unwrap()
}

/// Returns the position of the last event of a batch.
async fn event_in(world: &World, pool: &Pool, turn: &str) -> Position {
    let records = world.records(pool).await;
    let turn = Some(turn.parse().unwrap());
    let last = records
        .iter()
        .find(|record| record.entry.lineage.turn == turn);
    last.unwrap().position
}

/// Returns the positions of the triggers of a wake, each with the position of its event.
fn trigger(records: &[Record], wake: &WakeId) -> Vec<(Position, Position)> {
    let mut found = Vec::new();
    for record in records {
        if let Body::WakeTriggered(body) = &record.entry.body
            && body.wake_id == *wake
        {
            found.push((record.position, body.matches[0].position));
        }
    }
    found
}

async fn w8_others_go_on_while_a_batch_of_events_is_matched(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let wake = for_last_of(&pool, &quiet, "t1").await;
    let letters = {
        let (pool, quiet) = (pool.clone(), quiet.clone());
        tokio::spawn(async move {
            let mut letters = Vec::new();
            for number in 0..8 {
                let request = World::to_run("quiet", &format!("m{number}"), "-");
                let letter = SendMessage::new(quiet.clone(), run("quiet"), request);
                letters.push(pool.call(letter).await.unwrap().receipt);
            }
            letters
        })
    };
    report(&pool, &noisy, batch("t1"), "b1").await;
    let letters = letters.await.unwrap();
    let view = world.wake_of(&pool, &quiet, &wake).await;
    assert_eq!(
        view.status,
        WakeStatus::Triggered,
        "whoever reads a wake sees how it ended"
    );
    let found = trigger(&world.records(&pool).await, &wake);
    let [(triggered, by)] = &*found else {
        panic!("{found:?}");
    };
    let last = event_in(&world, &pool, "t1").await;
    assert_eq!(*by, last);
    let meanwhile = letters.iter().filter(|it| it.cursor.position < *triggered);
    assert_eq!(
        meanwhile.count(),
        letters.len(),
        "no letter waited for the matching"
    );
    world.check_replay(&pool).await;
}

async fn w8_a_command_that_waits_for_triggers_is_not_overtaken_for_ever(world: World) {
    const EACH: usize = 200;
    let (world, pool, noisy, quiet) = costly(world).await;
    let flood = |number: usize| {
        let (pool, noisy) = (pool.clone(), noisy.clone());
        tokio::spawn(async move {
            for letter in 0..EACH {
                let request = World::to_run("noisy", &format!("{number}-{letter}"), "-");
                let letter = SendMessage::new(noisy.clone(), run("noisy"), request);
                pool.call(letter).await.unwrap();
            }
        })
    };
    let batch = report(&pool, &noisy, batch("t1"), "b1");
    let floods = join_all((0..8).map(flood));
    let wake = async {
        heronry_tests::let_others_run().await;
        wait(&pool, &quiet, "terminal", "w").await.unwrap();
        world.accepted(&pool).await
    };
    let ((), floods, before) = futures::join!(batch, floods, wake);
    assert!(floods.iter().all(Result::is_ok));
    assert!(
        before < 4 * EACH,
        "{before} of {} letters went before it",
        8 * EACH
    );
}

async fn w8_no_event_is_forgotten_before_a_timeline_or_a_pause(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    for_last_of(&pool, &quiet, "t1").await;
    report(&pool, &noisy, batch("t1"), "b1").await;
    let last = event_in(&world, &pool, "t1").await;
    let mut records = world.records(&pool).await;
    // As a copy of it is that was made before the last events were matched.
    records.retain(|record| record.position <= last);
    let epoch = World::first_epoch(&pool);
    for body in [
        Body::EpochStarted(EpochStarted {
            reason: EpochReason::Copy,
            epoch: Epoch([9; 16]),
            previous: epoch,
            lost: None,
        }),
        Body::PoolResumed(PoolResumed {
            cause: ResumeCause::Opened,
            since: heronry_types::Timestamp::default(),
        }),
    ] {
        let minter = Minter::new([7; 32]);
        let id = pool.id().clone();
        let mut replay = Replay::new(id.clone(), epoch, minter, Durability::Memory);
        let mut follows = records[0].clone();
        follows.position = last.next();
        follows.entry.body = body;
        for record in records.iter().chain([&follows]) {
            replay.record(record).unwrap();
        }
        let first = Position(last.0 - BATCH as u64 + 1);
        assert!(replay.finish().unfinished().unwrap() <= first);
    }
}

async fn w8_a_second_batch_of_events_waits_until_the_first_is_matched(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let first = for_last_of(&pool, &quiet, "t1").await;
    let second = for_last_of(&pool, &quiet, "t2").await;
    let events = report(&pool, &noisy, batch("t1"), "b1");
    let more = report(&pool, &noisy, batch("t2"), "b2");
    let letter = world.say(&pool, &quiet, ("quiet", "m"));
    let ((), (), letter) = futures::join!(events, more, letter);
    world.wake_of(&pool, &quiet, &second).await;
    let records = world.records(&pool).await;
    let (triggered, by) = trigger(&records, &first)[0];
    assert_eq!(by, event_in(&world, &pool, "t1").await);
    assert!(letter.cursor.position < triggered, "a letter does not wait");
    let (_, by) = trigger(&records, &second)[0];
    let began = Position(by.0 - BATCH as u64 + 1);
    assert!(triggered < began, "{triggered} stands before {began}");
    world.check_replay(&pool).await;
}

async fn w8_what_was_not_matched_before_a_crash_is_matched_after_it(world: World) {
    let (mut world, mut pool, noisy, quiet) = costly(world).await;
    for (round, fault) in [
        (1, AppendFault::UnknownNotKept),
        (2, AppendFault::UnknownKept),
    ] {
        let turn = format!("t{round}");
        let wake = for_last_of(&pool, &quiet, &turn).await;
        // The append of the batch is kept, and the next one fails: nothing of it is matched by then.
        world.faults.fail_append(world.faults.appends() + 2, fault);
        report(&pool, &noisy, batch(&turn), &turn).await;
        let letter = world.send(&pool, &quiet, World::to_run("quiet", &turn, "-"));
        letter.await.unwrap_err();
        world.stopped(&pool).await;
        drop(pool);
        world = world.crash().await;
        pool = world.pool().await;
        let view = world.wake_of(&pool, &quiet, &wake).await;
        assert_eq!(view.status, WakeStatus::Triggered);
        let found = trigger(&world.records(&pool).await, &wake);
        let [(_, by)] = &*found else {
            panic!("it ends once: {found:?}");
        };
        assert_eq!(*by, event_in(&world, &pool, &turn).await);
        world.check_replay(&pool).await;
    }
}
