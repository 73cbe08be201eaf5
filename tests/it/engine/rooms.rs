//! Rooms, and streams that end with a run.

use heronry_event::{CloseReason, Event, Room, StreamItem};
use heronry_pool::{
    Caller,
    decide::{AppendEvents, JoinPool, Viewer},
};
use heronry_runtime::{EventQuery, Follow, Pool, ReadFrom, RoomStream};
use heronry_tests::{World, key, let_others_run, on_every_store, run};
use heronry_types::{Address, EventKind, Id, NewEvent, Position, RunEnd, SessionId, TopicId};

/// A field of an event.
type Field = fn(&Event) -> Option<&str>;

on_every_store! {
    o9_a_run_stream_closes_right_after_the_terminal_fact
    o9_without_being_asked_a_run_stream_stays
    o9_a_stream_whose_filter_leaves_the_end_out_closes_with_it_all_the_same
    o9_a_stream_that_begins_behind_the_end_closes_when_it_has_caught_up
    o9_leaving_is_no_end
    o10_rooms_have_no_cross_talk
    o10_a_sessions_room_replays_across_its_runs
    s4_the_room_of_nobody_is_empty_and_a_room_only_narrows
}

fn all() -> EventQuery {
    World::seeing(Viewer::Operator, "true")
}

fn room(text: &str) -> Room {
    Room::parse(text).unwrap()
}

async fn pages(pool: &Pool, text: &str) -> Vec<Event> {
    let query = all().in_room(&room(text)).unwrap();
    World::pages(pool, query).await.unwrap()
}

async fn report(pool: &Pool, by: &str, name: &str) {
    let event = NewEvent::new(EventKind::ToolStarted);
    let append = AppendEvents::new(Caller::Operator, run(by), vec![event], key(name));
    pool.call(append).await.unwrap();
}

async fn join_in(world: &World, pool: &Pool, name: &str, session: &str) {
    let join = JoinPool {
        session: Some(SessionId::parse(session).unwrap()),
        ..World::joining(name)
    };
    world.join_as(pool, join).await.unwrap();
}

/// Returns what a stream says until it closes or has caught up: the kinds of events and the names of other items.
async fn said(stream: &mut RoomStream) -> Vec<&'static str> {
    let mut said = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        said.push(item.name());
        if matches!(item, StreamItem::CaughtUp { .. }) {
            break;
        }
    }
    said
}

async fn o9_a_run_stream_closes_right_after_the_terminal_fact(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    world.join(&pool, "bob").await;
    let open = || RoomStream::open_until_end(&pool, all(), run("ann"));
    let mut live = open().await.unwrap();
    assert_eq!(
        said(&mut live).await,
        ["agent_pool_run_joined", "caught_up"]
    );
    report(&pool, "ann", "a").await;
    world.end(&pool, &ann, RunEnd::Failed).await.unwrap();
    report(&pool, "bob", "b").await;
    assert_eq!(
        said(&mut live).await,
        ["tool_started", "run_failed", "closed"]
    );
    assert!(live.next().await.unwrap().is_none(), "it is over");
    // The end lies in the replay.
    let mut replay = open().await.unwrap();
    let expected = [
        "agent_pool_run_joined",
        "tool_started",
        "run_failed",
        "closed",
    ];
    assert_eq!(said(&mut replay).await, expected);
    // What is read ahead ends there, too.
    let mut ahead = open().await.unwrap();
    let first = ahead.next().await.unwrap().unwrap();
    let mut names = vec![first.name()];
    names.extend(ahead.read_ahead(100).iter().map(StreamItem::name));
    assert_eq!(names, expected);
    assert!(ahead.next().await.unwrap().is_none());
    for end in [RunEnd::Completed, RunEnd::Cancelled] {
        let name = end.to_string();
        let caller = world.join(&pool, &name).await;
        let stream = RoomStream::open_until_end(&pool, all(), run(&name));
        let mut stream = stream.await.unwrap();
        world.end(&pool, &caller, end).await.unwrap();
        let last = said(&mut stream).await.pop();
        assert_eq!(last, Some("closed"));
    }
}

async fn o9_without_being_asked_a_run_stream_stays(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let query = all().in_room(&room("run:ann")).unwrap();
    let mut stream = RoomStream::open(&pool, query, Follow::Live).await.unwrap();
    world.end(&pool, &ann, RunEnd::Completed).await.unwrap();
    let said = said(&mut stream).await;
    assert_eq!(
        said,
        ["agent_pool_run_joined", "run_completed", "caught_up"]
    );
    let_others_run().await;
    assert!(futures::poll!(Box::pin(stream.next())).is_pending());
}

async fn o9_a_stream_whose_filter_leaves_the_end_out_closes_with_it_all_the_same(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    report(&pool, "ann", "a").await;
    world.end(&pool, &ann, RunEnd::Completed).await.unwrap();
    let tools = World::seeing(Viewer::Operator, r#"kind == "tool_started""#);
    let stream = RoomStream::open_until_end(&pool, tools, run("ann"));
    assert_eq!(
        said(&mut stream.await.unwrap()).await,
        ["tool_started", "closed"]
    );
}

async fn o9_a_stream_that_begins_behind_the_end_closes_when_it_has_caught_up(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let done = world.end(&pool, &ann, RunEnd::Completed).await.unwrap();
    for from in [ReadFrom::Head, ReadFrom::Cursor(done.cursor)] {
        let query = EventQuery { from, ..all() };
        let mut stream = RoomStream::open_until_end(&pool, query, run("ann"))
            .await
            .unwrap();
        assert_eq!(said(&mut stream).await, ["caught_up"]);
        let closed = stream.next().await.unwrap();
        let reason = CloseReason::RunEnded;
        assert_eq!(closed, Some(StreamItem::Closed { reason }));
        assert!(stream.next().await.unwrap().is_none());
    }
    // A run that ends between being caught up and being asked for is still shown.
    let bob = world.join(&pool, "bob").await;
    let stream = RoomStream::open_until_end(&pool, all(), run("bob"));
    let mut stream = stream.await.unwrap();
    assert_eq!(
        said(&mut stream).await,
        ["agent_pool_run_joined", "caught_up"]
    );
    world.end(&pool, &bob, RunEnd::Completed).await.unwrap();
    assert_eq!(said(&mut stream).await, ["run_completed", "closed"]);
    // Nobody of that name has ended so far.
    let mut stream = RoomStream::open_until_end(&pool, all(), run("nobody"))
        .await
        .unwrap();
    assert_eq!(said(&mut stream).await, ["caught_up"]);
    assert!(futures::poll!(Box::pin(stream.next())).is_pending());
}

async fn o9_leaving_is_no_end(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    world.leave(&pool, &ann).await.unwrap();
    let mut stream = RoomStream::open_until_end(&pool, all(), run("ann"))
        .await
        .unwrap();
    let left = ["agent_pool_run_joined", "agent_pool_run_left", "caught_up"];
    assert_eq!(said(&mut stream).await, left);
    let ann = world.join(&pool, "ann").await;
    world.end(&pool, &ann, RunEnd::Completed).await.unwrap();
    let back = ["agent_pool_run_joined", "run_completed", "closed"];
    assert_eq!(said(&mut stream).await, back);
}

async fn o10_rooms_have_no_cross_talk(world: World) {
    let pool = world.pool().await;
    for (name, session) in [("ann", "s-1"), ("bob", "s-2"), ("s-1", "ann")] {
        join_in(&world, &pool, name, session).await;
        report(&pool, name, name).await;
    }
    let ann = World::member("ann", heronry_types::Generation(Position(2)));
    let to = |topic: &str| Address::Topic {
        topic_id: TopicId::parse(topic).unwrap(),
    };
    world.say_to(&pool, &ann, (to("news"), "m1")).await;
    world.say_to(&pool, &ann, (to("ann"), "m2")).await;
    let everything = pages(&pool, "pool").await;
    assert_eq!(everything, world.events(&pool).await);
    let run_of: Field = |event| event.envelope.identity.run.as_ref().map(Id::as_str);
    let session_of: Field = |event| event.envelope.identity.session.as_ref().map(Id::as_str);
    let agent_of: Field = |event| event.envelope.identity.agent.as_ref().map(Id::as_str);
    let topic_of: Field = |event| event.envelope.exchange.topic.as_ref().map(Id::as_str);
    for (kind, field) in [
        ("run", run_of),
        ("session", session_of),
        ("agent", agent_of),
        ("topic", topic_of),
    ] {
        for name in ["ann", "bob", "s-1", "s-2", "news", "nobody"] {
            let found = pages(&pool, &format!("{kind}:{name}")).await;
            let of_name = everything.iter().filter(|event| field(event) == Some(name));
            let expected: Vec<_> = of_name.cloned().collect();
            assert_eq!(found, expected, "{kind}:{name}");
        }
    }
    assert!(!pages(&pool, "topic:news").await.is_empty());
    assert!(!pages(&pool, "topic:ann").await.is_empty());
}

async fn o10_a_sessions_room_replays_across_its_runs(world: World) {
    let pool = world.pool().await;
    join_in(&world, &pool, "one", "s").await;
    let query = all().in_room(&room("session:s")).unwrap();
    let mut live = RoomStream::open(&pool, query.clone(), Follow::Live)
        .await
        .unwrap();
    report(&pool, "one", "a").await;
    join_in(&world, &pool, "other", "t").await;
    report(&pool, "other", "b").await;
    let one = World::member("one", heronry_types::Generation(Position(2)));
    world.end(&pool, &one, RunEnd::Completed).await.unwrap();
    join_in(&world, &pool, "two", "s").await;
    report(&pool, "two", "c").await;
    let found = World::pages(&pool, query).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|event| {
            let run = event.envelope.identity.run.as_ref().unwrap();
            format!("{run} {}", event.envelope.kind)
        })
        .collect();
    let expected = [
        "one agent_pool_run_joined",
        "one tool_started",
        "one run_completed",
        "two agent_pool_run_joined",
        "two tool_started",
    ];
    assert_eq!(told, expected);
    let mut streamed = Vec::new();
    while streamed.len() < found.len() {
        if let Some(StreamItem::Event(event)) = live.next().await.unwrap() {
            streamed.push(event.into_event());
        }
    }
    assert_eq!(streamed, found);
}

async fn s4_the_room_of_nobody_is_empty_and_a_room_only_narrows(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "ann").await;
    report(&pool, "ann", "a").await;
    assert_eq!(pages(&pool, "run:nobody").await, []);
    let tools = World::seeing(
        Viewer::Operator,
        r#"kind == "tool_started" || run == "bob""#,
    );
    let query = tools.in_room(&room("run:ann")).unwrap();
    let found = World::pages(&pool, query).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].envelope.kind, EventKind::ToolStarted);
}
