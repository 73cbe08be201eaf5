//! Events without a record: shown live, after what they follow, and never instead of a fact.

use std::{future::Future, time::Duration};

use heronry_event::{CloseReason, DroppedEphemeral, StreamItem};
use heronry_pool::{
    Caller, EventFault, Rejection,
    decide::{AppendEvents, Viewer},
};
use heronry_runtime::{
    CallError, EphemeralPublished, EventQuery, Follow, Pool, ReadFrom, Subscription, WantsEphemeral,
};
use heronry_tests::{World, key, let_others_run, on_every_store};
use heronry_types::{
    EventKind, EventSemantics, NewEvent, OverflowPolicy, Payload, PoolSpec, Vocabulary as _,
    WakePayload, WakeStatus,
};

on_every_store! {
    o11_each_policy_drops_what_it_says_tells_how_much_and_never_drops_or_overtakes_a_fact
    o11_what_is_no_progress_is_not_dropped_as_progress
    o11_a_stream_that_overflowed_goes_on_from_its_cursor_with_the_fact
    s3_an_event_without_a_record_waits_until_its_stream_has_passed_what_it_follows
    s3_what_ends_something_must_be_recorded
    s3_an_event_without_a_record_wakes_nobody_moves_nothing_and_is_gone_afterwards
    s5_an_event_without_a_record_shows_what_its_viewer_may_see
    s5_a_viewer_that_left_is_shown_nothing_that_was_published_later
}

/// The longest wait of a test for something that must come: only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

fn said(kind: EventKind, summary: &str) -> NewEvent {
    let mut event = NewEvent::new(kind);
    event.payload = Payload::Summary {
        summary: summary.to_owned(),
        refs: Vec::new(),
    };
    event
}

fn delta(summary: &str) -> NewEvent {
    said(EventKind::ModelStreamDelta, summary)
}

async fn publish(
    pool: &Pool,
    caller: &Caller,
    event: NewEvent,
) -> Result<EphemeralPublished, CallError> {
    let author = (caller.clone(), World::run_of(caller));
    pool.publish_ephemeral(author, vec![event], None).await
}

fn rejected(published: Result<EphemeralPublished, CallError>) -> Rejection {
    match published.unwrap_err() {
        CallError::Rejected(rejection) => rejection,
        error @ (CallError::Busy { .. } | CallError::Stopped { .. }) => panic!("{error:?}"),
    }
}

/// Records that a model's message is complete.
async fn complete(pool: &Pool, caller: &Caller, name: &str) {
    let event = NewEvent::new(EventKind::ModelMessageCompleted);
    let run = World::run_of(caller);
    let append = AppendEvents::new(caller.clone(), run, vec![event], key(name));
    pool.call(append).await.unwrap();
}

fn from_head(viewer: Viewer) -> EventQuery {
    EventQuery {
        from: ReadFrom::Head,
        ..World::seeing(viewer, "true")
    }
}

/// Opens a stream at the head that shows events without a record, and has caught up.
async fn live(pool: &Pool, viewer: Viewer, wants: (OverflowPolicy, usize)) -> Subscription {
    let stream = pool.subscribe(from_head(viewer), Follow::Live).await;
    let wants = WantsEphemeral::new(wants.0, wants.1);
    let mut stream = stream.unwrap().with_ephemeral(wants);
    let caught_up = soon(stream.next()).await.unwrap().unwrap();
    assert!(
        matches!(caught_up, StreamItem::CaughtUp { .. }),
        "{caught_up:?}"
    );
    stream
}

/// Says what an item is in a word or two.
fn named(item: &StreamItem) -> String {
    match item {
        StreamItem::Event(event) => event.envelope.kind.to_string(),
        StreamItem::Ephemeral(shown) => format!("shown {}", shown.number),
        StreamItem::Dropped(DroppedEphemeral {
            dropped,
            first,
            last,
            kinds,
            ..
        }) => {
            let kinds: Vec<String> = kinds
                .iter()
                .map(|(kind, n)| format!(" {kind} {n}"))
                .collect();
            format!("dropped {dropped}: {first}-{last}{}", kinds.concat())
        }
        StreamItem::Closed { reason } => format!("closed {reason}"),
        StreamItem::CaughtUp { .. } | StreamItem::Gap { .. } => panic!("{item:?}"),
    }
}

/// Reads until this kind of event was seen, or the stream is over.
async fn until(stream: &mut Subscription, last: &str) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    while seen.last().is_none_or(|name| name != last) {
        match soon(stream.next()).await.unwrap() {
            Some(item) => seen.push(named(&item)),
            None => break,
        }
    }
    seen
}

const FACT: &str = "model_message_completed";

async fn o11_each_policy_drops_what_it_says_tells_how_much_and_never_drops_or_overtakes_a_fact(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let summary = "dropped 2: 1-2 model_stream_delta 2";
    let expected: [(OverflowPolicy, &[&str]); 5] = [
        (
            OverflowPolicy::DropProgress,
            &["dropped 1: 1-1", "shown 2", "shown 3", FACT],
        ),
        (
            OverflowPolicy::DropNonTerminal,
            &["dropped 1: 1-1", "shown 2", "shown 3", FACT],
        ),
        (OverflowPolicy::Summarize, &[summary, "shown 3", FACT]),
        (
            OverflowPolicy::FailSubscriber,
            &["dropped 3: 1-3", "closed overflow"],
        ),
        (
            OverflowPolicy::LatestOnly,
            &["dropped 2: 1-2", "shown 3", FACT],
        ),
    ];
    assert_eq!(expected.len(), OverflowPolicy::ALL.len());
    let mut streams = Vec::new();
    for (policy, _) in &expected {
        streams.push(live(&pool, Viewer::Operator, (*policy, 2)).await);
    }
    for number in 1..=3 {
        let published = publish(&pool, &lead, delta("a word")).await.unwrap();
        assert_eq!(
            (published.first, published.last, published.count),
            (number, number, 1)
        );
        assert_eq!(published.after, pool.head());
    }
    complete(&pool, &lead, "k").await;
    for ((policy, expected), mut stream) in expected.into_iter().zip(streams) {
        assert_eq!(until(&mut stream, FACT).await, expected, "{policy}");
    }
    world.check_replay(&pool).await;
}

async fn o11_what_is_no_progress_is_not_dropped_as_progress(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let policy = OverflowPolicy::DropProgress;
    let mut kept = live(&pool, Viewer::Operator, (policy, 2)).await;
    let mut failed = live(&pool, Viewer::Operator, (policy, 1)).await;
    let started = || said(EventKind::ToolStarted, "lint");
    for event in [started(), delta("one"), delta("two"), started()] {
        publish(&pool, &lead, event).await.unwrap();
    }
    complete(&pool, &lead, "k").await;
    let expected = ["shown 1", "dropped 2: 2-3", "shown 4", FACT];
    assert_eq!(until(&mut kept, FACT).await, expected);
    // There is room for one, and both say something else than progress.
    let expected = ["dropped 4: 1-4", "closed overflow"];
    assert_eq!(until(&mut failed, FACT).await, expected);
    world.check_replay(&pool).await;
}

async fn o11_a_stream_that_overflowed_goes_on_from_its_cursor_with_the_fact(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let mut stream = live(&pool, Viewer::Operator, (OverflowPolicy::FailSubscriber, 1)).await;
    complete(&pool, &lead, "before").await;
    for _ in 0..2 {
        publish(&pool, &lead, delta("a word")).await.unwrap();
    }
    complete(&pool, &lead, "after").await;
    let expected = [FACT, "dropped 2: 1-2", "closed overflow"];
    let mut seen = until(&mut stream, FACT).await;
    seen.extend(until(&mut stream, FACT).await);
    assert_eq!(seen, expected);
    assert_eq!(soon(stream.next()).await.unwrap(), None);
    let query = EventQuery {
        from: ReadFrom::Cursor(stream.scanned_to()),
        ..from_head(Viewer::Operator)
    };
    let rest = World::pages(&pool, query).await.unwrap();
    let rest: Vec<EventKind> = rest.iter().map(|event| event.envelope.kind).collect();
    assert_eq!(
        rest,
        [EventKind::ModelMessageCompleted],
        "the fact that it did not see"
    );
    world.check_replay(&pool).await;
}

async fn s3_an_event_without_a_record_waits_until_its_stream_has_passed_what_it_follows(
    world: World,
) {
    // The reader is handed over between tail and store all the time.
    let world = world.with_options(|options| options.with_tail_events(2));
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let mut stream = live(
        &pool,
        Viewer::Operator,
        (OverflowPolicy::DropProgress, 1_000),
    )
    .await;
    let mut expected = Vec::new();
    for number in 1..=40_u64 {
        for fact in 0..number % 4 {
            complete(&pool, &lead, &format!("{number}-{fact}")).await;
            expected.push(FACT.to_owned());
        }
        publish(&pool, &lead, delta("a word")).await.unwrap();
        expected.push(format!("shown {number}"));
        // Now and then it is read in between.
        if number % 10 == 0 {
            let seen = until(&mut stream, &format!("shown {number}")).await;
            assert_eq!(seen, expected);
            expected.clear();
        }
    }
    // A filter that keeps none of the facts passes them all the same.
    let mut sparse = from_head(Viewer::Operator);
    sparse.filter = heronry_event::Filter::compile(r#"kind == "model_stream_delta""#).unwrap();
    let wants = WantsEphemeral::new(OverflowPolicy::LatestOnly, 8);
    let sparse = pool.subscribe(sparse, Follow::Live).await.unwrap();
    let mut sparse = sparse.with_ephemeral(wants);
    assert!(matches!(
        soon(sparse.next()).await.unwrap(),
        Some(StreamItem::CaughtUp { .. })
    ));
    complete(&pool, &lead, "last").await;
    publish(&pool, &lead, delta("a word")).await.unwrap();
    assert_eq!(until(&mut sparse, "shown 41").await, ["shown 41"]);
    assert_eq!(sparse.scanned_to(), pool.head());
    world.check_replay(&pool).await;
}

async fn s3_what_ends_something_must_be_recorded(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let mut stream = live(&pool, Viewer::Operator, (OverflowPolicy::LatestOnly, 8)).await;
    let head = pool.head();
    let author = || (lead.clone(), World::run_of(&lead));
    for kind in EventKind::ALL.iter().filter(|kind| kind.is_terminal()) {
        let events = vec![delta("a word"), NewEvent::new(*kind)];
        let refused = pool.publish_ephemeral(author(), events, None).await;
        let fault = EventFault::MustBeFact { kind: *kind };
        let rejection = Rejection::Event { index: 1, fault };
        assert_eq!(rejected(refused), rejection);
    }
    let own = NewEvent::new(EventKind::AgentPoolRunJoined);
    let fault = EventFault::PoolsOwn { kind: own.kind };
    let rejection = Rejection::Event { index: 0, fault };
    let refused = publish(&pool, &lead, own).await;
    assert_eq!(rejected(refused), rejection);
    let none = pool.publish_ephemeral(author(), Vec::new(), None).await;
    assert_eq!(rejected(none), Rejection::NoEvents);
    assert_eq!(pool.head(), head);
    // Nothing of a refused batch was shown, and no number was used up.
    publish(&pool, &lead, delta("a word")).await.unwrap();
    assert_eq!(until(&mut stream, "shown 1").await, ["shown 1"]);
    world.check_replay(&pool).await;
}

async fn s3_an_event_without_a_record_wakes_nobody_moves_nothing_and_is_gone_afterwards(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let filter = r#"kind == "model_stream_delta""#;
    let registered = world
        .register(&pool, &lead, World::waiting(filter, "w"))
        .await;
    let mut stream = live(&pool, Viewer::Operator, (OverflowPolicy::LatestOnly, 8)).await;
    let (head, scanned_to) = (pool.head(), stream.scanned_to());
    publish(&pool, &lead, delta("a word")).await.unwrap();
    let item = soon(stream.next()).await.unwrap().unwrap();
    assert_eq!(item.cursor(), None);
    let StreamItem::Ephemeral(shown) = item else {
        panic!("{item:?}");
    };
    assert_eq!((shown.number, shown.after()), (1, head));
    let semantics = shown.event.envelope.governance.semantics;
    assert_eq!(semantics, EventSemantics::BestEffortLive);
    assert_eq!((pool.head(), stream.scanned_to()), (head, scanned_to));
    let_others_run().await;
    let standing = world.wake_of(&pool, &lead, &registered.wake_id).await;
    assert_eq!(standing.status, WakeStatus::Registered);
    let seeing = World::seeing(Viewer::Operator, filter);
    assert_eq!(World::pages(&pool, seeing).await.unwrap(), []);
    // Who did not ask for such events, and who comes later, sees none.
    let mut facts = pool
        .subscribe(from_head(Viewer::Operator), Follow::Live)
        .await
        .unwrap();
    let mut later = live(&pool, Viewer::Operator, (OverflowPolicy::LatestOnly, 8)).await;
    assert!(matches!(
        soon(facts.next()).await.unwrap(),
        Some(StreamItem::CaughtUp { .. })
    ));
    complete(&pool, &lead, "k").await;
    assert_eq!(until(&mut facts, FACT).await, [FACT]);
    assert_eq!(until(&mut later, FACT).await, [FACT]);
    world.check_replay(&pool).await;
}

async fn s5_an_event_without_a_record_shows_what_its_viewer_may_see(world: World) {
    let spec = PoolSpec {
        policies: Some(World::policies(&["inside"])),
        wake_payload: Some(WakePayload::EnvelopeOnly),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let inside = world.join_with(&pool, "in", &[], &["inside"]).await;
    let outside = world.join_with(&pool, "out", &[], &["more"]).await;
    let wants = (OverflowPolicy::LatestOnly, 8);
    let mut member = live(&pool, World::viewer(&inside), wants).await;
    let mut operator = live(&pool, Viewer::Operator, wants).await;
    publish(&pool, &outside, delta("out of scope"))
        .await
        .unwrap();
    publish(&pool, &inside, delta("in scope")).await.unwrap();
    complete(&pool, &inside, "k").await;
    let item = soon(member.next()).await.unwrap().unwrap();
    let StreamItem::Ephemeral(shown) = item else {
        panic!("{item:?}");
    };
    assert_eq!(
        (shown.number, &shown.event.payload),
        (2, &Payload::EnvelopeOnly)
    );
    assert_eq!(
        until(&mut operator, FACT).await,
        ["shown 1", "shown 2", FACT]
    );
    world.check_replay(&pool).await;
}

async fn s5_a_viewer_that_left_is_shown_nothing_that_was_published_later(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let wants = (OverflowPolicy::LatestOnly, 8);
    let mut stream = live(&pool, World::viewer(&scout), wants).await;
    publish(&pool, &lead, delta("before")).await.unwrap();
    world.leave(&pool, &scout).await.unwrap();
    publish(&pool, &lead, delta("after")).await.unwrap();
    let closed = format!("closed {}", CloseReason::Left);
    let expected = ["shown 1", "agent_pool_run_left", &closed];
    assert_eq!(until(&mut stream, &closed).await, expected);
    assert_eq!(soon(stream.next()).await.unwrap(), None);
    world.check_replay(&pool).await;
}
