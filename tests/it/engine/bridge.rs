//! Bridges: what a foreign runtime emits comes into a pool once, in order, and what is missing is told.

use std::sync::Arc;

use heronry_event::{Event, StreamItem};
use heronry_pool::{
    Caller,
    decide::{JoinPool, Viewer},
};
use heronry_runtime::{
    BridgeCounts, BridgeEnd, BridgeHandle, BridgeInto, BridgeOptions, EventBridge, EventIntake,
    Follow, IntakeError, MissingItem, Pool, PoolIntake, SourceItem,
};
use heronry_testkit::AppendFault;
use heronry_tests::{
    World,
    foreign::{FlakyIntake, ForeignRuntime, IntakeFault},
    let_others_run, on_every_store, on_every_store_that_is_reopened, run, until,
};
use heronry_types::{
    EventKind, EventTag, InstanceId, Millis, NewEvent, NewSourceGap, OnAttached, Payload,
    SessionId, SourceGapReason, SourceId, SourceKind, SourcePosition,
};

on_every_store! {
    o13_an_append_that_fails_three_times_loses_nothing_and_doubles_nothing
    o13_nothing_is_published_before_its_append
    o13_what_the_source_emits_after_spawn_returned_is_seen
    o13_a_sources_end_of_a_run_is_that_runs_end_and_a_second_one_a_repeat
    o13_a_source_that_lagged_leaves_a_gap_that_names_how_many
    o13_an_event_that_is_refused_is_a_gap_and_later_ones_go_on
    o13_an_event_that_comes_late_is_told
    o13_stop_drains_all_that_was_accepted_and_abort_says_how_many_it_left
    o13_a_full_buffer_slows_its_own_source_only
    o13_a_second_bridge_is_refused_or_takes_the_source_over
    o13_sessions_are_inherited_from_the_start_of_the_run
    o13_a_runtime_that_closes_and_starts_again_goes_on_where_it_was
    o13_an_intake_that_fails_for_ever_ends_the_bridge
}

on_every_store_that_is_reopened! {
    o13_killed_and_restarted_with_other_batches_nothing_is_doubled
    o13_a_store_that_fails_after_the_write_doubles_nothing
}

pub(super) fn feed() -> SourceId {
    SourceId::parse("feed").unwrap()
}

pub(super) fn options() -> BridgeOptions {
    let mut options = BridgeOptions::default();
    options.backoff_min = Millis(0);
    options.backoff_max = Millis(0);
    options
}

fn batches_of(batch_max: usize) -> BridgeOptions {
    let mut options = options();
    options.batch_max = batch_max;
    options
}

/// Names of events.
fn texts(numbers: std::ops::RangeInclusive<u64>) -> Vec<String> {
    numbers.map(|number| format!("e{number}")).collect()
}

fn summary(event: &Event) -> Option<&str> {
    match &event.payload {
        Payload::Summary { summary, .. } => Some(summary),
        Payload::EnvelopeOnly | Payload::Refs { .. } => None,
    }
}

/// Returns what the events of the foreign runtime say, in the order of the pool.
async fn taken(world: &World, pool: &Pool) -> Vec<String> {
    let events = world.events(pool).await;
    let of_tools = events
        .iter()
        .filter(|event| event.envelope.kind == EventKind::ToolStarted);
    of_tools.filter_map(summary).map(str::to_owned).collect()
}

/// Returns the gaps of a pool: the reason, and how many are missing.
pub(super) async fn gaps(world: &World, pool: &Pool) -> Vec<String> {
    let events = world.events(pool).await;
    let gaps = events
        .iter()
        .filter(|event| event.envelope.kind == EventKind::SourceGap);
    gaps.map(|gap| serde_json::to_string(&gap.envelope.route.source.correlation).unwrap())
        .collect()
}

async fn spawn(pool: &Pool, caller: &Caller, runtime: &ForeignRuntime) -> BridgeHandle {
    let (pool, caller) = (pool.clone(), caller.clone());
    let stream = runtime.replay();
    let spawned = EventBridge::spawn(&pool, caller, feed(), stream, options());
    spawned.await.unwrap()
}

fn into(world: &World, intake: impl EventIntake + 'static) -> BridgeInto {
    BridgeInto {
        intake: Arc::new(intake),
        clock: Arc::new(world.clock.clone()),
        source: feed(),
        instance: InstanceId::parse("bridge-1").unwrap(),
    }
}

/// Waits until a bridge has appended so many events.
async fn appended(bridge: &BridgeHandle, count: u64) {
    until(|| bridge.counts().appended == count || bridge.is_finished()).await;
    assert_eq!(bridge.counts().appended, count);
}

async fn o13_an_append_that_fails_three_times_loses_nothing_and_doubles_nothing(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=10));
    let faults = [IntakeFault::Before, IntakeFault::After, IntakeFault::Before];
    let intake = FlakyIntake::over(PoolIntake::new(pool.clone(), ann), faults);
    let seen = intake.clone();
    let bridge = EventBridge::spawn_into(into(&world, intake), foreign.replay(), batches_of(4));
    let bridge = bridge.await.unwrap();
    appended(&bridge, 10).await;
    assert_eq!(seen.faults_left(), 0);
    let counts = bridge.stop().await.unwrap();
    assert_eq!((counts.appended, counts.repeated, counts.gaps), (10, 0, 0));
    assert_eq!(taken(&world, &pool).await, texts(1..=10));
    world.check_replay(&pool).await;
}

async fn o13_nothing_is_published_before_its_append(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let tools = World::seeing(Viewer::Operator, r#"kind == "tool_started""#);
    let mut live = pool.subscribe(tools, Follow::Live).await.unwrap();
    assert!(matches!(
        live.next().await.unwrap(),
        Some(StreamItem::CaughtUp { .. })
    ));
    let foreign = ForeignRuntime::default();
    let bridge = spawn(&pool, &ann, &foreign).await;
    let hold = world.faults.hold_appends();
    foreign.emit_all(texts(1..=3));
    hold.reached(1).await;
    let_others_run().await;
    assert!(futures::poll!(Box::pin(live.next())).is_pending());
    assert_eq!(bridge.counts().appended, 0);
    hold.release();
    let Some(StreamItem::Event(event)) = live.next().await.unwrap() else {
        panic!("no event");
    };
    assert_eq!(summary(&event), Some("e1"));
    assert!(pool.head().position >= event.envelope.id().position);
    bridge.stop().await.unwrap();
    world.check_replay(&pool).await;
}

async fn o13_what_the_source_emits_after_spawn_returned_is_seen(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    let bridge = EventBridge::spawn(&pool, ann, feed(), foreign.lazily(), options());
    let bridge = bridge.await.unwrap();
    foreign.emit_all(texts(1..=2));
    let counts = bridge.stop().await.unwrap();
    assert_eq!(counts.appended, 2);
    assert_eq!(taken(&world, &pool).await, texts(1..=2));
}

async fn o13_a_sources_end_of_a_run_is_that_runs_end_and_a_second_one_a_repeat(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "ann").await;
    world.join(&pool, "bob").await;
    let foreign = ForeignRuntime::default();
    let (ann, bob) = (run("ann"), run("bob"));
    foreign.emit(EventKind::ToolStarted, Some(&ann), "a1");
    foreign.emit(EventKind::RunFailed, Some(&ann), "out of memory");
    foreign.emit(EventKind::ToolStarted, Some(&bob), "b1");
    foreign.emit(EventKind::RunFailed, Some(&ann), "said twice");
    foreign.emit(EventKind::ToolStarted, Some(&ann), "after its end");
    foreign.emit(EventKind::RunCompleted, Some(&bob), "done");
    let bridge = spawn(&pool, &Caller::Operator, &foreign).await;
    foreign.close();
    let counts = bridge.join().await.unwrap();
    let told = (counts.appended, counts.repeated, counts.refused);
    assert_eq!(told, (4, 1, 1), "{counts:?}");
    assert_eq!(taken(&world, &pool).await, ["a1", "b1"]);
    let events = world.events(&pool).await;
    let ends = |kind| {
        events
            .iter()
            .filter(move |event| event.envelope.kind == kind)
    };
    let failed: Vec<_> = ends(EventKind::RunFailed).collect();
    assert_eq!(failed.len(), 1, "a second end is a repeat");
    assert_eq!(failed[0].envelope.identity.run, Some(ann));
    assert_eq!(summary(failed[0]), Some("out of memory"));
    assert_eq!(ends(EventKind::RunCompleted).count(), 1);
    world.check_replay(&pool).await;
}

async fn o13_a_source_that_lagged_leaves_a_gap_that_names_how_many(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=2));
    let faults = [IntakeFault::Before, IntakeFault::After, IntakeFault::After];
    let intake = FlakyIntake::over(PoolIntake::new(pool.clone(), ann), faults);
    let bridge = EventBridge::spawn_into(into(&world, intake), foreign.replay(), options());
    let bridge = bridge.await.unwrap();
    appended(&bridge, 2).await;
    foreign.lag(7);
    foreign.emit_all(texts(3..=11));
    appended(&bridge, 4).await;
    let counts = bridge.stop().await.unwrap();
    assert_eq!((counts.lagged, counts.gaps), (7, 1));
    assert_eq!(taken(&world, &pool).await, ["e1", "e2", "e10", "e11"]);
    let gap = r#"{"after":"2","missed":"7","reason":"lagged"}"#;
    assert_eq!(gaps(&world, &pool).await, [gap]);
    let filter = r#"kind == "source_gap" && run == "ann""#;
    let found = World::pages(&pool, World::seeing(Viewer::Operator, filter)).await;
    let found = found.unwrap();
    let source = &found[0].envelope.route.source;
    assert_eq!(
        (source.kind, source.id.as_str()),
        (SourceKind::ExternalRuntime, "feed")
    );
    world.check_replay(&pool).await;
}

async fn o13_an_event_that_is_refused_is_a_gap_and_later_ones_go_on(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=3));
    let mut tagged = NewEvent::new(EventKind::ToolStarted);
    tagged.tags = (0..99)
        .map(|tag| EventTag::parse(format!("t{tag}")).unwrap())
        .collect();
    foreign.emit_event(None, tagged);
    foreign.emit_all(texts(5..=9));
    foreign.emit(EventKind::RunLost, None, "the pool's own");
    foreign.emit_all(texts(11..=11));
    for again in [false, true] {
        let bridge = spawn(&pool, &ann, &foreign).await;
        foreign.close();
        let counts = bridge.join().await.unwrap();
        let told = (
            counts.appended,
            counts.refused,
            counts.repeated,
            counts.gaps,
        );
        let expected = if again { (0, 0, 11, 0) } else { (9, 2, 0, 2) };
        assert_eq!(told, expected, "{counts:?}");
    }
    let mut expected = texts(1..=3);
    expected.extend(texts(5..=9));
    expected.extend(texts(11..=11));
    assert_eq!(taken(&world, &pool).await, expected);
    let gap = |after: u64, at: u64| {
        format!(
            r#"{{"after":"{after}","missed":"1","reason":"refused_permanently","through":"{at}"}}"#
        )
    };
    assert_eq!(gaps(&world, &pool).await, [gap(3, 4), gap(9, 10)]);
    world.check_replay(&pool).await;
}

async fn o13_an_event_that_comes_late_is_told(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let at = |number: u64| {
        let mut event = NewEvent::new(EventKind::ToolStarted);
        event.payload = Payload::Summary {
            summary: format!("e{number}"),
            refs: Vec::new(),
        };
        SourceItem::event(SourcePosition::Number(number), event)
    };
    let said = [1, 2, 2, 5, 4, 5, 6].map(at);
    let missing = SourceItem::Missing(Box::new(MissingItem {
        gap: NewSourceGap::new(SourceGapReason::Unreadable),
        key: None,
    }));
    let lagged = SourceItem::Lagged { missed: 3 };
    let more = [missing, lagged.clone(), at(7), lagged];
    let said: Vec<SourceItem> = said.into_iter().chain(more).collect();
    let bridged = async |said: Vec<SourceItem>| {
        let stream = futures::stream::iter(said);
        let bridge = EventBridge::spawn(&pool, ann.clone(), feed(), stream, options());
        bridge.await.unwrap().join().await.unwrap()
    };
    let counts = bridged(said.clone()).await;
    let told = (
        counts.appended,
        counts.repeated,
        counts.late,
        counts.unreadable,
    );
    assert_eq!(told, (5, 2, 1, 1), "{counts:?}");
    assert_eq!(taken(&world, &pool).await, ["e1", "e2", "e5", "e6", "e7"]);
    let late = r#"{"after":"5","missed":"1","reason":"out_of_order"}"#;
    let unread = r#"{"after":"6","reason":"unreadable"}"#;
    let lagged = |after| format!(r#"{{"after":"{after}","missed":"3","reason":"lagged"}}"#);
    let told = [late, unread, &lagged(6), &lagged(7)];
    assert_eq!(gaps(&world, &pool).await, told);
    // The source from its start again: all of it is known.
    let counts = bridged(said).await;
    assert_eq!((counts.appended, counts.gaps), (0, 0), "{counts:?}");
    assert_eq!(gaps(&world, &pool).await, told);
    world.check_replay(&pool).await;
}

async fn o13_stop_drains_all_that_was_accepted_and_abort_says_how_many_it_left(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    let bridge = spawn(&pool, &ann, &foreign).await;
    let hold = world.faults.hold_appends();
    foreign.emit_all(texts(1..=5));
    hold.reached(1).await;
    foreign.emit_all(texts(6..=9));
    let mut stopping = Box::pin(bridge.stop());
    assert!(futures::poll!(stopping.as_mut()).is_pending());
    let_others_run().await;
    hold.release();
    let counts = stopping.await.unwrap();
    assert_eq!(counts.appended, 9);
    assert_eq!(taken(&world, &pool).await, texts(1..=9));
    assert_eq!(foreign.listeners(), 0, "the stream is dropped");

    let bridge = spawn(&pool, &ann, &foreign).await;
    until(|| bridge.counts().repeated == 9).await;
    let hold = world.faults.hold_appends();
    foreign.emit_all(texts(10..=12));
    hold.reached(1).await;
    foreign.emit_all(texts(13..=14));
    let_others_run().await;
    assert_eq!(bridge.abort(), 5);
    hold.release();
    assert_eq!(bridge.join().await, Err(BridgeEnd::Cancelled { left: 5 }));
    let bridge = spawn(&pool, &ann, &foreign).await;
    let counts = bridge.stop().await.unwrap();
    assert_eq!(counts.appended + counts.repeated, 14, "{counts:?}");
    assert_eq!(taken(&world, &pool).await, texts(1..=14));
    world.check_replay(&pool).await;
}

async fn o13_a_full_buffer_slows_its_own_source_only(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let (sender, receiver) = futures::channel::mpsc::channel(0);
    let mut options = batches_of(2);
    options.buffer_max = 4;
    let bridge = EventBridge::spawn(&pool, ann, feed(), receiver, options);
    let bridge = bridge.await.unwrap();
    let hold = world.faults.hold_appends();
    let mut sender = sender;
    let mut sent = 0;
    // One that is under way, those that the buffer holds, and one that the channel holds.
    loop {
        let event = NewEvent::new(EventKind::ToolStarted);
        let item = SourceItem::event(SourcePosition::Number(sent + 1), event);
        if sender.try_send(item).is_err() {
            let before = sent;
            let_others_run().await;
            if !is_ready(&mut sender) && before == sent {
                break;
            }
            continue;
        }
        sent += 1;
        let_others_run().await;
    }
    assert!((5..=8).contains(&sent), "the source waits: {sent}");
    hold.release();
    world.join(&pool, "bob").await;
    drop(sender);
    let counts = bridge.join().await.unwrap();
    assert_eq!(counts.appended, sent);
}

fn is_ready(sender: &mut futures::channel::mpsc::Sender<SourceItem>) -> bool {
    let waker = futures::task::noop_waker();
    let mut cx = std::task::Context::from_waker(&waker);
    sender.poll_ready(&mut cx).is_ready()
}

async fn o13_a_second_bridge_is_refused_or_takes_the_source_over(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=3));
    let first = spawn(&pool, &ann, &foreign).await;
    appended(&first, 3).await;
    let mut polite = options();
    polite.on_attached = OnAttached::Refuse;
    let refused = EventBridge::spawn(&pool, ann.clone(), feed(), foreign.replay(), polite.clone());
    let refused = refused.await.unwrap_err();
    assert!(matches!(refused, IntakeError::Fenced { .. }), "{refused}");
    assert!(refused.to_string().contains("take the source over"));
    let second = spawn(&pool, &ann, &foreign).await;
    foreign.emit_all(texts(4..=6));
    let end = first.join().await.unwrap_err();
    assert!(
        matches!(end, BridgeEnd::Fenced { left: 1..=3, .. }),
        "{end}"
    );
    let counts = second.stop().await.unwrap();
    assert_eq!((counts.appended, counts.repeated), (3, 3));
    assert_eq!(taken(&world, &pool).await, texts(1..=6));
    // Who left it need not be replaced.
    let third = EventBridge::spawn(&pool, ann, feed(), foreign.replay(), polite);
    third.await.unwrap().stop().await.unwrap();
    world.check_replay(&pool).await;
}

async fn o13_sessions_are_inherited_from_the_start_of_the_run(world: World) {
    let pool = world.pool().await;
    let session = SessionId::parse("s-1").unwrap();
    let join = JoinPool {
        session: Some(session.clone()),
        ..World::joining("ann")
    };
    world.join_as(&pool, join).await.unwrap();
    let foreign = ForeignRuntime::default();
    let ann = run("ann");
    foreign.emit(EventKind::ToolStarted, Some(&ann), "a1");
    let bridge = spawn(&pool, &Caller::Operator, &foreign).await;
    bridge.stop().await.unwrap();
    let filter = r#"session == "s-1" && kind == "tool_started""#;
    let found = World::pages(&pool, World::seeing(Viewer::Operator, filter)).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 1);
    let source = &found[0].envelope.route.source;
    assert_eq!(source.id.as_str(), "feed");
    assert_eq!(
        serde_json::to_string(&source.correlation).unwrap(),
        r#"{"position":"1"}"#
    );
}

async fn o13_a_runtime_that_closes_and_starts_again_goes_on_where_it_was(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    let mut repeated = 0;
    for round in 0..4_u64 {
        foreign.emit_all(texts(round * 3 + 1..=round * 3 + 3));
        let bridge = spawn(&pool, &ann, &foreign).await;
        foreign.close();
        let counts = bridge.join().await.unwrap();
        assert_eq!((counts.appended, counts.repeated), (3, repeated));
        repeated += 3;
    }
    assert_eq!(taken(&world, &pool).await, texts(1..=12));
    world.check_replay(&pool).await;
}

async fn o13_an_intake_that_fails_for_ever_ends_the_bridge(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=3));
    let faults = vec![IntakeFault::Before; 100];
    let intake = FlakyIntake::over(PoolIntake::new(pool.clone(), ann.clone()), faults);
    let seen = intake.clone();
    let bridge = EventBridge::spawn_into(into(&world, intake), foreign.replay(), options());
    let end = bridge.await.unwrap().join().await.unwrap_err();
    assert!(matches!(end, BridgeEnd::GaveUp { left: 3, .. }), "{end}");
    assert_eq!(seen.faults_left(), 100 - 12);
    // The next one takes it all, and the pauses are on the clock.
    let mut slow = options();
    slow.backoff_min = Millis(100);
    slow.backoff_max = Millis(150);
    let faults = vec![IntakeFault::Before; 2];
    let intake = FlakyIntake::over(PoolIntake::new(pool.clone(), ann), faults);
    let bridge = EventBridge::spawn_into(into(&world, intake), foreign.replay(), slow);
    let bridge = bridge.await.unwrap();
    let_others_run().await;
    assert!(world.alarm_in(Millis(100)));
    world.clock.advance(Millis(100));
    let_others_run().await;
    assert_eq!(bridge.counts(), BridgeCounts::default());
    assert!(world.alarm_in(Millis(150)));
    world.clock.advance(Millis(150));
    assert_eq!(bridge.stop().await.unwrap().appended, 3);
}

async fn o13_killed_and_restarted_with_other_batches_nothing_is_doubled(world: World) {
    let foreign = ForeignRuntime::default();
    foreign.emit_all(texts(1..=7));
    let mut world = world;
    let mut total = 7;
    for batch_max in [3, 1, 5, 2, 64] {
        let pool = world.pool().await;
        let ann = world.join(&pool, "ann").await;
        let stream = foreign.replay();
        let bridge = EventBridge::spawn(&pool, ann, feed(), stream, batches_of(batch_max));
        let bridge = bridge.await.unwrap();
        until(|| bridge.counts().appended + bridge.counts().repeated >= 4).await;
        foreign.emit_all(texts(total + 1..=total + 2));
        total += 2;
        bridge.abort();
        assert!(matches!(
            bridge.join().await,
            Err(BridgeEnd::Cancelled { .. })
        ));
        drop(pool);
        world = world.restart().await;
    }
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let bridge = spawn(&pool, &ann, &foreign).await;
    let counts = bridge.stop().await.unwrap();
    assert_eq!(counts.appended + counts.repeated, total);
    assert_eq!(taken(&world, &pool).await, texts(1..=total));
    world.check_replay(&pool).await;
}

async fn o13_a_store_that_fails_after_the_write_doubles_nothing(world: World) {
    let foreign = ForeignRuntime::default();
    let mut world = world;
    let mut total = 0;
    for fault in [
        AppendFault::UnknownNotKept,
        AppendFault::UnknownKept,
        AppendFault::UnknownNotKept,
    ] {
        let pool = world.pool().await;
        let ann = world.join(&pool, "ann").await;
        let bridge = spawn(&pool, &ann, &foreign).await;
        until(|| bridge.counts().repeated + bridge.counts().appended == total).await;
        let before = total;
        world.faults.fail_next_append(fault);
        foreign.emit_all(texts(total + 1..=total + 4));
        total += 4;
        let end = bridge.join().await.unwrap_err();
        assert!(matches!(end, BridgeEnd::GaveUp { left: 4, .. }), "{end}");
        drop(pool);
        world = world.crash().await;
        let pool = world.pool().await;
        let ann = world.join(&pool, "ann").await;
        let bridge = spawn(&pool, &ann, &foreign).await;
        let counts = bridge.stop().await.unwrap();
        let kept = if fault == AppendFault::UnknownKept {
            4
        } else {
            0
        };
        assert_eq!(
            (counts.repeated, counts.appended),
            (before + kept, 4 - kept)
        );
        drop(pool);
        world = world.restart().await;
    }
    let pool = world.pool().await;
    assert_eq!(taken(&world, &pool).await, texts(1..=total));
    world.check_replay(&pool).await;
}
