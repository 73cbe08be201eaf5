//! O8: what a member sees of a pool with policies, and what an operator sees, whichever way they look.

use heronry_event::{Event, StreamItem, filter::Filter};
use heronry_pool::{
    Caller, Rejection,
    decide::{AppendEvents, ClaimSet, RegisterWake, Viewer, WakeRequest},
};
use heronry_runtime::{Follow, Pool};
use heronry_tests::{World, key, on_every_store, run};
use heronry_types::{
    Actor, Cursor, EventKind, NewEvent, PoolSpec, Position, RunId, Since, WakeStatus, WakeView,
};

on_every_store! {
    o8_a_member_sees_what_its_like_do_and_the_engine_and_an_operator_sees_both_in_pages_and_streams
    o8_a_filter_only_narrows_what_a_viewer_sees_in_pages_and_streams
    o8_a_wake_sees_what_its_waiter_sees_and_its_filter_only_narrows
}

/// Filters that ask for more than a member may see.
const GREEDY: [&str; 6] = [
    "true",
    r#"run == "out""#,
    r#"run == "out" || true"#,
    r#"!(run == "in")"#,
    r#"agent == "out" || "out" in recipients"#,
    r#"family == "tool" || family == "agent_pool""#,
];

/// A pool whose members must hold `inside` to be seen and to see, and both acting in it.
async fn scene(world: &World) -> (Pool, Caller, Caller) {
    let spec = PoolSpec {
        policies: Some(World::policies(&["inside"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let inside = world.join_with(&pool, "in", &[], &["inside"]).await;
    let outside = world.join_with(&pool, "out", &[], &[]).await;
    (pool, inside, outside)
}

/// Each sends to both, takes its own, says so and reports what a tool did; then they are told apart.
async fn both_act(world: &World, pool: &Pool, (inside, outside): (&Caller, &Caller), round: u32) {
    for (caller, name) in [(inside, "in"), (outside, "out")] {
        for to in ["in", "out"] {
            let id = format!("{name}-{to}-{round}");
            world.say(pool, caller, (to, &id)).await;
        }
    }
    for caller in [inside, outside] {
        let received = world.receive(pool, caller, &format!("r{round}"), 10).await;
        let claims = ClaimSet::These(World::claims(&received));
        world.ack(pool, caller, claims).await.unwrap();
        let events = vec![NewEvent::new(EventKind::ToolCompleted)];
        let name = key(&format!("report-{round}"));
        let report = AppendEvents::new(caller.clone(), World::run_of(caller), events, name);
        pool.call(report).await.unwrap();
    }
}

fn names(events: &[Event]) -> Vec<(Cursor, EventKind, Option<RunId>)> {
    let shown = events.iter().map(|event| &event.envelope);
    shown
        .map(|it| (it.id(), it.kind, it.identity.run.clone()))
        .collect()
}

/// Returns the events that a viewer is to see: all of them, or all but those of the run without the
/// policy.
async fn expected(world: &World, pool: &Pool, viewer: &Viewer) -> Vec<Event> {
    let mut shown = Vec::new();
    for record in world.records(pool).await {
        let by_out = record.entry.lineage.run == Some(run("out"));
        let hidden = by_out && record.entry.actor != Actor::Engine;
        if *viewer == Viewer::Operator || !hidden {
            shown.push(heronry_pool::project(pool.timelines(), &record));
        }
    }
    shown
}

async fn paged(pool: &Pool, viewer: &Viewer, filter: &str) -> Vec<Event> {
    let query = World::seeing(viewer.clone(), filter);
    World::pages(pool, query).await.unwrap()
}

/// Reads a stream up to the head.
async fn streamed(pool: &Pool, viewer: &Viewer, filter: &str) -> Vec<Event> {
    let query = World::seeing(viewer.clone(), filter);
    let mut stream = pool.subscribe(query, Follow::End).await.unwrap();
    let mut events = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        if let StreamItem::Event(event) = item {
            events.push(event.into_event());
        }
    }
    events
}

async fn o8_a_member_sees_what_its_like_do_and_the_engine_and_an_operator_sees_both_in_pages_and_streams(
    world: World,
) {
    let (pool, inside, outside) = scene(&world).await;
    let viewers = [World::viewer(&inside), Viewer::Operator];
    let mut live = Vec::new();
    for viewer in &viewers {
        let query = World::seeing(viewer.clone(), "true");
        live.push(pool.subscribe(query, Follow::Live).await.unwrap());
    }
    both_act(&world, &pool, (&inside, &outside), 1).await;
    both_act(&world, &pool, (&inside, &outside), 2).await;
    world.leave(&pool, &outside).await.unwrap();
    for (viewer, mut stream) in viewers.iter().zip(live) {
        let expected = names(&expected(&world, &pool, viewer).await);
        assert_eq!(names(&paged(&pool, viewer, "true").await), expected);
        assert_eq!(names(&streamed(&pool, viewer, "true").await), expected);
        let mut seen = Vec::new();
        while seen.len() < expected.len() {
            if let StreamItem::Event(event) = stream.next().await.unwrap().unwrap() {
                seen.push(event.into_event());
            }
        }
        assert_eq!(names(&seen), expected, "the one that follows");
    }
    let of_out = |events: Vec<(Cursor, EventKind, Option<RunId>)>| {
        let of_out = events
            .into_iter()
            .filter(|(.., by)| *by == Some(run("out")));
        of_out.map(|(_, kind, _)| kind).collect::<Vec<_>>()
    };
    let by_member = of_out(names(&paged(&pool, &viewers[0], "true").await));
    assert_eq!(
        by_member,
        [EventKind::RunMessageSettled; 4],
        "of the other one it sees what the engine recorded, and nothing else"
    );
    let by_operator = of_out(names(&paged(&pool, &viewers[1], "true").await));
    assert!(by_operator.contains(&EventKind::ToolCompleted));
    assert!(by_operator.contains(&EventKind::RunMessageAccepted));
    world.check_replay(&pool).await;
}

async fn o8_a_filter_only_narrows_what_a_viewer_sees_in_pages_and_streams(world: World) {
    let (pool, inside, outside) = scene(&world).await;
    both_act(&world, &pool, (&inside, &outside), 1).await;
    for viewer in [World::viewer(&inside), Viewer::Operator] {
        let widest = expected(&world, &pool, &viewer).await;
        for text in GREEDY {
            let filter = Filter::compile(text).unwrap();
            let kept = widest
                .iter()
                .filter(|event| filter.matches(&event.envelope));
            let kept = names(&kept.cloned().collect::<Vec<_>>());
            assert_eq!(names(&paged(&pool, &viewer, text).await), kept, "{text}");
            assert_eq!(names(&streamed(&pool, &viewer, text).await), kept, "{text}");
        }
    }
    world.check_replay(&pool).await;
}

/// The first event that a wake is to be triggered by, after a position.
async fn first_seen(
    (world, pool): (&World, &Pool),
    viewer: &Viewer,
    (text, after): (&str, Position),
) -> Option<Position> {
    let filter = Filter::compile(text).unwrap();
    let about_wakes = |event: &Event| event.envelope.kind.to_string().starts_with("wake_");
    let seen = expected(world, pool, viewer).await;
    let mut later = seen
        .iter()
        .filter(|event| event.envelope.id().position > after);
    let first = later.find(|event| !about_wakes(event) && filter.matches(&event.envelope));
    first.map(|event| event.envelope.id().position)
}

fn check_wake(view: &WakeView, expected: Option<Position>, text: &str) {
    let by = view.matches.first().map(|by| by.cursor.position);
    assert_eq!(by, expected, "{text}");
    let status = match expected {
        Some(_) => WakeStatus::Triggered,
        None => WakeStatus::Registered,
    };
    assert_eq!(view.status, status, "{text}");
}

async fn o8_a_wake_sees_what_its_waiter_sees_and_its_filter_only_narrows(world: World) {
    let (pool, inside, outside) = scene(&world).await;
    let start = pool.head().position;
    let mut wakes = Vec::new();
    for (number, text) in GREEDY.into_iter().enumerate() {
        let request = || World::waiting(text, &format!("live-{number}"));
        let of_in = world.register(&pool, &inside, request()).await.wake_id;
        wakes.push((text, of_in));
    }
    both_act(&world, &pool, (&inside, &outside), 1).await;
    let viewer = World::viewer(&inside);
    for (text, of_in) in wakes {
        let first = first_seen((&world, &pool), &viewer, (text, start)).await;
        check_wake(&world.wake_of(&pool, &inside, &of_in).await, first, text);
    }
    for (number, text) in GREEDY.into_iter().enumerate() {
        let request = || WakeRequest {
            since: Since::Start,
            ..World::waiting(text, &format!("back-{number}"))
        };
        let first = first_seen((&world, &pool), &viewer, (text, Position::ZERO)).await;
        check_wake(
            &world.register(&pool, &inside, request()).await,
            first,
            text,
        );
        // Who lacks the policy sees nothing at all, not even what it does itself.
        let of_out = RegisterWake::new(outside.clone(), run("out"), request());
        let refusal = world.refused(&pool, pool.call(of_out)).await;
        assert!(matches!(refusal, Rejection::Policy { .. }), "{refusal:?}");
    }
    world.check_replay(&pool).await;
}
