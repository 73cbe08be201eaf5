//! Wakes that resume with a summary: what their events say of themselves, and no more than that.

use std::sync::Arc;

use heronry_pool::{
    Caller,
    decide::{AppendEvents, JoinPool, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_store::FencingToken;
use heronry_tests::{
    World, canary::CANARY, key, on_every_store, on_every_store_that_is_reopened, until,
};
use heronry_types::{
    Cursor, EntityId, EntityKind, EntityRef, EventKind, NewEvent, Payload, PoolSpec, Position,
    ResumeWith, WakePayload, WakeStatus, WakeView,
};

use crate::resume_hook::{Host, telling};

on_every_store! {
    a39_a_summary_quotes_sixteen_events_and_of_each_256_bytes
    a39_a_summary_says_no_more_than_the_pool_shows
    a39_a_summary_says_no_more_to_who_does_not_see_the_events_any_more
    a39_only_a_wake_that_asks_for_a_summary_gets_one
    a39_a_summary_outlives_its_events
    a39_a_host_is_told_the_summary_too
}

on_every_store_that_is_reopened! {
    a39_a_summary_says_what_the_events_say_of_themselves_and_never_a_body
}

/// A pool whose wakes show so much, with a lead that waits and a scout that reports.
async fn showing(world: &World, payload: WakePayload) -> (Pool, Caller, Caller) {
    let spec = PoolSpec {
        wake_payload: Some(payload),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    (pool, lead, scout)
}

fn said(payload: Payload) -> NewEvent {
    let mut event = NewEvent::new(EventKind::ToolCompleted);
    event.payload = payload;
    event
}

fn tool(summary: &str) -> NewEvent {
    said(Payload::Summary {
        summary: summary.to_owned(),
        refs: Vec::new(),
    })
}

/// Reports events and returns their cursors.
async fn report(pool: &Pool, caller: &Caller, events: Vec<NewEvent>) -> Vec<Cursor> {
    let run = World::run_of(caller);
    let append = AppendEvents::new(caller.clone(), run, events, key("events"));
    let appended = pool.call(append).await.unwrap();
    let positions = (0..appended.count).map(|number| appended.first.position.plus(number));
    positions.map(|position| pool.cursor(position)).collect()
}

/// A wake for so many events of tools and messages.
fn counting(n: usize, resume_with: ResumeWith) -> WakeRequest {
    let filter = r#"kind == \"tool_completed\" || kind == \"run_message_accepted\""#;
    let count = format!(r#"{{"count":{{"n":{n},"filter":"{filter}","distinct_by":"event"}}}}"#);
    WakeRequest {
        resume_with,
        ..World::waiting_for(&count, &format!("{n} {resume_with}"))
    }
}

async fn summary_of(world: &World, pool: &Pool, caller: &Caller, wake: &WakeView) -> String {
    let found = world.wake_of(pool, caller, &wake.wake_id).await;
    assert_eq!(found.status, WakeStatus::Triggered);
    assert_eq!(found.matches, []);
    found.summary.unwrap()
}

async fn a39_a_summary_says_what_the_events_say_of_themselves_and_never_a_body(world: World) {
    let (pool, lead, scout) = showing(&world, WakePayload::Summary).await;
    let wake = world
        .register(&pool, &lead, counting(5, ResumeWith::Summary))
        .await;
    assert_eq!(wake.summary, None);
    let sent = world.say(&pool, &scout, ("lead", "m")).await;
    let file = EntityRef::new(EntityKind::Artifact, EntityId::parse("a").unwrap());
    let events = vec![
        tool("found 3 faults"),
        NewEvent::new(EventKind::ToolCompleted),
        said(Payload::Refs { refs: vec![file] }),
        tool("two\nlines"),
    ];
    let cursors = report(&pool, &scout, events).await;
    let expected = format!(
        "5 events, first run_message_accepted at {}\ntool_completed at {}: found 3 faults\n\
         tool_completed at {}: two lines",
        sent.cursor, cursors[0], cursors[3]
    );
    assert!(!expected.contains(CANARY), "the message has a body");
    for caller in [&lead, &Caller::Operator] {
        assert_eq!(summary_of(&world, &pool, caller, &wake).await, expected);
    }
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(summary_of(&world, &pool, &lead, &wake).await, expected);
    world.check_replay(&pool).await;
}

async fn a39_a_summary_quotes_sixteen_events_and_of_each_256_bytes(world: World) {
    let (pool, lead, scout) = showing(&world, WakePayload::Refs).await;
    let wake = world
        .register(&pool, &lead, counting(17, ResumeWith::Summary))
        .await;
    let mut events: Vec<NewEvent> = (0..16).map(|_| tool(&"x".repeat(256))).collect();
    events[1] = tool(&"x".repeat(255));
    events[2] = tool(&"x".repeat(257));
    events.push(tool("the seventeenth"));
    report(&pool, &scout, events).await;
    let summary = summary_of(&world, &pool, &lead, &wake).await;
    let lines: Vec<&str> = summary.lines().collect();
    assert_eq!(lines.len(), 1 + 16);
    assert!(lines[0].starts_with("17 events"));
    assert!(!summary.contains("seventeenth"));
    let quoted = |line: &str| line.split_once(": ").unwrap().1.to_owned();
    assert_eq!(quoted(lines[1]), "x".repeat(256));
    assert_eq!(quoted(lines[2]), "x".repeat(255));
    assert_eq!(quoted(lines[3]), format!("{}…", "x".repeat(256)));
    world.check_replay(&pool).await;
}

async fn a39_a_summary_says_no_more_than_the_pool_shows(world: World) {
    // What a pool shows unless it is told otherwise.
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let wake = world
        .register(&pool, &lead, counting(1, ResumeWith::Summary))
        .await;
    let cursors = report(&pool, &scout, vec![tool("found 3 faults")]).await;
    let expected = format!("1 event, first tool_completed at {}", cursors[0]);
    for caller in [&lead, &Caller::Operator] {
        assert_eq!(summary_of(&world, &pool, caller, &wake).await, expected);
    }
    world.check_replay(&pool).await;
}

async fn a39_a_summary_says_no_more_to_who_does_not_see_the_events_any_more(world: World) {
    let spec = PoolSpec {
        wake_payload: Some(WakePayload::Summary),
        policies: Some(World::policies(&["team"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let lead = world.join_with(&pool, "lead", &[], &["team"]).await;
    let scout = world.join_with(&pool, "scout", &[], &["team"]).await;
    let wake = world
        .register(&pool, &lead, counting(1, ResumeWith::Summary))
        .await;
    let cursors = report(&pool, &scout, vec![tool("found 3 faults")]).await;
    let cursor = cursors[0];
    let plain = format!("1 event, first tool_completed at {cursor}");
    let quoted = format!("{plain}\ntool_completed at {cursor}: found 3 faults");
    assert_eq!(summary_of(&world, &pool, &lead, &wake).await, quoted);
    let narrowed = JoinPool {
        policies: Some(World::policies(&[])),
        ..World::joining_as("lead", "another")
    };
    let joined = world.join_as(&pool, narrowed).await.unwrap();
    let lead = World::member("lead", joined.generation);
    assert_eq!(summary_of(&world, &pool, &lead, &wake).await, plain);
    let operator = Caller::Operator;
    assert_eq!(summary_of(&world, &pool, &operator, &wake).await, quoted);
    world.check_replay(&pool).await;
}

async fn a39_only_a_wake_that_asks_for_a_summary_gets_one(world: World) {
    let (pool, lead, scout) = showing(&world, WakePayload::Refs).await;
    let mut wakes = Vec::new();
    for resume_with in [ResumeWith::MatchingEventRefs, ResumeWith::None] {
        wakes.push(world.register(&pool, &lead, counting(1, resume_with)).await);
    }
    let never = counting(2, ResumeWith::Summary);
    let never = world.register(&pool, &lead, never).await;
    let cursors = report(&pool, &scout, vec![tool("found 3 faults")]).await;
    let mut found = Vec::new();
    for wake in &wakes {
        let view = world.wake_of(&pool, &lead, &wake.wake_id).await;
        let matches: Vec<Cursor> = view.matches.iter().map(|it| it.cursor).collect();
        found.push((view.summary, matches));
    }
    assert_eq!(found, [(None, cursors), (None, Vec::new())]);
    let waits = world.wake_of(&pool, &lead, &never.wake_id).await;
    assert_eq!(
        (waits.status, waits.summary),
        (WakeStatus::Registered, None)
    );
    world.cancel(&pool, &lead, &never.wake_id).await.unwrap();
    let gone = world.wake_of(&pool, &lead, &never.wake_id).await;
    assert_eq!((gone.status, gone.summary), (WakeStatus::Cancelled, None));
    world.check_replay(&pool).await;
}

async fn a39_a_summary_outlives_its_events(world: World) {
    let (pool, lead, scout) = showing(&world, WakePayload::Summary).await;
    let wake = world
        .register(&pool, &lead, counting(2, ResumeWith::Summary))
        .await;
    let first = report(&pool, &scout, vec![tool("gone")]).await[0];
    let append = AppendEvents::new(
        scout.clone(),
        World::run_of(&scout),
        vec![tool("kept")],
        key("later"),
    );
    let second = pool.call(append).await.unwrap().first;
    let floor = trim(&world, &pool, second.position).await;
    assert_eq!(floor, second.position, "the first one is gone");
    let expected =
        format!("2 events, first tool_completed at {first}\ntool_completed at {second}: kept");
    assert_eq!(summary_of(&world, &pool, &lead, &wake).await, expected);
}

async fn trim(world: &World, pool: &Pool, floor: Position) -> Position {
    let journal = &world.store().journal;
    let trimmed =
        heronry_testkit::sample::trim(&**journal, pool.id(), floor, FencingToken(1)).await;
    trimmed.unwrap().floor
}

async fn a39_a_host_is_told_the_summary_too(world: World) {
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let (pool, lead, scout) = showing(&world, WakePayload::Summary).await;
    let wake = world
        .register(&pool, &lead, counting(1, ResumeWith::Summary))
        .await;
    report(&pool, &scout, vec![tool("found 3 faults")]).await;
    until(|| host.count() == 1).await;
    let expected = summary_of(&world, &pool, &lead, &wake).await;
    assert!(expected.ends_with("found 3 faults"), "{expected}");
    assert_eq!(host.told()[0].wake.summary, Some(expected));
    world.check_replay(&pool).await;
}
