//! Events that members report.

use heronry_event::Event;
use heronry_pool::{
    Appended, Caller, EventFault, Rejection,
    decide::{AppendEvents, Viewer},
};
use heronry_runtime::{CallError, Follow, Pool};
use heronry_store::CommitOutcome;
use heronry_testkit::AppendFault;
use heronry_tests::{World, key, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Cursor, EntityKind, EntityRef, EventKind, EventTag, Id, IdKind, LimitExceeded, LimitName,
    Limits, NewEvent, Payload, PoolSpec, Position, PrivacyClass, SourceKind, Timestamp, WakeStatus,
};

on_every_store! {
    j7_a_batch_is_appended_whole_and_in_order_and_seen_by_everybody
    j7_the_envelope_shows_what_was_reported_and_who_reported_it
    a54_the_end_of_a_run_is_no_event_that_a_member_reports
    j7_an_author_out_of_scope_is_seen_by_operators_only
    l_tags_texts_and_counts_of_a_batch
}

on_every_store_that_is_reopened! {
    j7_a_repeat_has_the_same_cursors_also_after_a_restart
    j7_an_append_that_fails_leaves_all_of_a_batch_or_nothing
}

fn id<K: IdKind>(text: &str) -> Id<K> {
    Id::parse(text).unwrap()
}

fn tool(summary: &str) -> NewEvent {
    let mut event = NewEvent::new(EventKind::ToolCompleted);
    event.payload = Payload::Summary {
        summary: summary.to_owned(),
        refs: Vec::new(),
    };
    event
}

async fn report(
    pool: &Pool,
    caller: &Caller,
    (events, name): (Vec<NewEvent>, &str),
) -> Result<Appended, CallError> {
    let run = World::run_of(caller);
    pool.call(AppendEvents::new(caller.clone(), run, events, key(name)))
        .await
}

fn summaries(events: &[Event]) -> Vec<&str> {
    let mut texts = Vec::new();
    for event in events {
        if let Payload::Summary { summary, .. } = &event.payload {
            texts.push(summary.as_str());
        }
    }
    texts
}

async fn j7_a_batch_is_appended_whole_and_in_order_and_seen_by_everybody(world: World) {
    let spec = PoolSpec {
        wake_payload: Some(heronry_types::WakePayload::Summary),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let (ann, bob) = (
        world.join(&pool, "ann").await,
        world.join(&pool, "bob").await,
    );
    let tools = World::seeing(World::viewer(&bob), r#"kind == "tool_completed""#);
    let mut live = pool.subscribe(tools.clone(), Follow::Live).await.unwrap();
    let before = world.head(&pool).await;
    let batch = vec![tool("one"), tool("two"), tool("three")];
    let appended = report(&pool, &ann, (batch, "k")).await.unwrap();
    assert_eq!(appended.first.position, before.next());
    assert_eq!((appended.count, appended.repeated), (3, false));
    assert_eq!(appended.last.position, Position(before.0 + 3));
    assert_eq!(world.head(&pool).await, appended.last.position);

    let replayed = World::pages(&pool, tools).await.unwrap();
    assert_eq!(summaries(&replayed), ["one", "two", "three"]);
    let mut streamed = Vec::new();
    while streamed.len() < 3 {
        if let Some(heronry_event::StreamItem::Event(event)) = live.next().await.unwrap() {
            streamed.push(event.into_event());
        }
    }
    assert_eq!(streamed, replayed);
    let seen: Vec<Cursor> = replayed.iter().map(|event| event.envelope.id()).collect();
    assert_eq!((seen[0], seen[2]), (appended.first, appended.last));
    world.check_replay(&pool).await;
}

async fn j7_the_envelope_shows_what_was_reported_and_who_reported_it(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let head = pool.head();
    let mut event = tool("12 findings");
    event.occurred_at = Some(Timestamp::from_millis(1_000));
    event.turn = Some(id("turn-1"));
    event.attempt = Some(id("attempt-1"));
    event.message = Some(id("m"));
    event.topic = Some(id("findings"));
    event.caused_by = Some(head);
    event.causal = vec![head];
    event.subject = Some(EntityRef::new(EntityKind::ToolCall, id("call-17")));
    event.related = vec![EntityRef::new(EntityKind::Artifact, id("report"))];
    event.correlation = [(id("job"), id("7"))].into_iter().collect();
    event.tags = ["lint", "fast", "lint"]
        .map(id::<heronry_types::kind::EventTag>)
        .to_vec();
    event.privacy = PrivacyClass::Internal;
    report(&pool, &ann, (vec![event], "k")).await.unwrap();
    let filter = r#""fast" in tags && correlation["job"] == "7" && subject.id == "call-17"
        && related.exists(r, r.id == "report") && turn == "turn-1" && privacy == "internal""#;
    let found = World::pages(&pool, World::seeing(Viewer::Operator, filter)).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 1);
    let shown = &found[0].envelope;
    assert_eq!(shown.stamp.occurred_at, Timestamp::from_millis(1_000));
    assert_eq!(shown.identity.run, Some(run("ann")));
    assert_eq!(shown.identity.agent, Some(heronry_tests::agent("ann")));
    assert_eq!(shown.route.source.kind, SourceKind::ExternalRuntime);
    assert_eq!(shown.route.source.id.as_str(), "ann");
    assert_eq!(shown.exchange.message, Some(id("m")));
    assert_eq!(
        (shown.causes.caused_by, &shown.causes.causal),
        (Some(head), &vec![head])
    );
    let tags: Vec<&str> = shown.about.tags.iter().map(EventTag::as_str).collect();
    assert_eq!(tags, ["fast", "lint"], "a set");

    // An operator reports for the run, and is the source itself.
    let command = AppendEvents::new(Caller::Operator, run("ann"), vec![tool("-")], key("o"));
    pool.call(command).await.unwrap();
    let last = world.events(&pool).await.pop().unwrap().envelope;
    assert_eq!(
        (last.route.source.kind, last.identity.run),
        (SourceKind::Host, Some(run("ann")))
    );
    assert_eq!(
        last.about.subject,
        EntityRef::new(EntityKind::Run, id("ann"))
    );
    world.check_replay(&pool).await;
}

async fn j7_a_repeat_has_the_same_cursors_also_after_a_restart(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let batch = || vec![tool("one"), tool("two")];
    let first = report(&pool, &ann, (batch(), "k")).await.unwrap();
    world.join(&pool, "bob").await;
    let again = Appended {
        already_taken: 0,
        repeated: true,
        ..first
    };
    let repeat = report(&pool, &ann, (batch(), "k"));
    assert_eq!(world.unrecorded(&pool, repeat).await, again);
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let repeat = report(&pool, &ann, (batch(), "k"));
    let answer = world.unrecorded(&pool, repeat).await;
    assert_eq!(answer, again);
    // Also when who reported it has been taken over since: the answer is the same.
    world
        .join_as(&pool, World::joining_as("ann", "instance-2"))
        .await
        .unwrap();
    let repeat = report(&pool, &ann, (batch(), "k"));
    assert_eq!(world.unrecorded(&pool, repeat).await, again);
    world.check_replay(&pool).await;
}

/// The kinds that say that a run ended.
const RUN_ENDS: [EventKind; 3] = [
    EventKind::RunCompleted,
    EventKind::RunFailed,
    EventKind::RunCancelled,
];

async fn a54_the_end_of_a_run_is_no_event_that_a_member_reports(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    for kind in RUN_ENDS {
        let mut of_own = NewEvent::new(kind);
        of_own.subject = Some(EntityRef::new(EntityKind::Run, id("ann")));
        for event in [NewEvent::new(kind), of_own] {
            let refused = Rejection::Event {
                index: 1,
                fault: EventFault::RunEnds { kind },
            };
            for caller in [ann.clone(), Caller::Operator] {
                let batch = vec![NewEvent::new(EventKind::TurnStarted), event.clone()];
                let append = AppendEvents::new(caller, run("ann"), batch, key("end"));
                assert_eq!(world.refused(&pool, pool.call(append)).await, refused);
            }
        }
    }
    // The run goes on, and its state says how it ends.
    let batch = vec![NewEvent::new(EventKind::TurnStarted)];
    report(&pool, &ann, (batch, "goes-on")).await.unwrap();
    world.check_replay(&pool).await;
}

async fn j7_an_author_out_of_scope_is_seen_by_operators_only(world: World) {
    let spec = PoolSpec {
        policies: Some(World::policies(&["p"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let plain = world.join(&pool, "plain").await;
    let holder = world.join_with(&pool, "holder", &[], &["p"]).await;
    let wake = World::waiting(r#"kind == "tool_completed""#, "w");
    let wake = world.register(&pool, &holder, wake).await;
    report(&pool, &plain, (vec![tool("hidden")], "k"))
        .await
        .unwrap();
    let asleep = world.wake_of(&pool, &holder, &wake.wake_id).await;
    assert_eq!(asleep.status, WakeStatus::Registered);
    let seen = |viewer| World::pages(&pool, World::seeing(viewer, r#"kind == "tool_completed""#));
    assert_eq!(seen(World::viewer(&holder)).await.unwrap().len(), 0);
    assert_eq!(seen(Viewer::Operator).await.unwrap().len(), 1);
    report(&pool, &holder, (vec![tool("shown")], "k"))
        .await
        .unwrap();
    assert_eq!(seen(World::viewer(&holder)).await.unwrap().len(), 1);
    let woken = world.wake_of(&pool, &holder, &wake.wake_id).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}

async fn j7_an_append_that_fails_leaves_all_of_a_batch_or_nothing(world: World) {
    let batch = || (vec![tool("one"), tool("two")], "k");
    let mut world = world;
    for (fault, is_kept) in [
        (AppendFault::UnknownNotKept, false),
        (AppendFault::UnknownKept, true),
    ] {
        let pool = world.pool().await;
        let name = if is_kept { "ann" } else { "bob" };
        let caller = world.join(&pool, name).await;
        let before = world.head(&pool).await;
        world.faults.fail_next_append(fault);
        let failed = report(&pool, &caller, batch()).await.unwrap_err();
        let outcome = CommitOutcome::Unknown;
        assert!(matches!(failed, CallError::Stopped { outcome: o, .. } if o == outcome));
        drop(pool);
        world = world.crash().await;
        let pool = world.pool().await;
        let kept = world.kinds_after(&pool, before).await;
        let expected = if is_kept { 2 } else { 0 };
        assert_eq!(kept, vec![EventKind::ToolCompleted; expected]);
        let again = report(&pool, &caller, batch()).await.unwrap();
        assert_eq!((again.repeated, again.count), (is_kept, 2));
        assert_eq!(again.first.position, before.next());
        world.check_replay(&pool).await;
    }
}

fn things(count: usize) -> Vec<EntityRef> {
    let thing = |n| EntityRef::new(EntityKind::Artifact, id(&format!("n{n}")));
    (0..count).map(thing).collect()
}

fn tagged(count: usize) -> Vec<Vec<NewEvent>> {
    let mut event = tool("-");
    event.tags = (0..count).map(|n| id(&format!("n{n}"))).collect();
    vec![vec![event]]
}

fn correlated(count: usize) -> Vec<Vec<NewEvent>> {
    let entry = |n| (id(&format!("n{n}")), id("v"));
    let mut event = tool("-");
    event.correlation = (0..count).map(entry).collect();
    vec![vec![event]]
}

fn described(bytes: usize) -> Vec<Vec<NewEvent>> {
    let mut event = tool("-");
    event.related = things(1);
    event.related[0].summary = Some("x".repeat(bytes));
    vec![vec![tool(&"x".repeat(bytes))], vec![event]]
}

fn counted(count: usize) -> Vec<Vec<NewEvent>> {
    let (mut one, mut other) = (tool("-"), tool("-"));
    one.related = things(count);
    let refs = things(count);
    other.payload = Payload::Refs { refs };
    vec![vec![one], vec![other], vec![tool("-"); count]]
}

/// Batches that have so many, or so much, of what a limit limits.
type Batches = fn(usize) -> Vec<Vec<NewEvent>>;

async fn l_tags_texts_and_counts_of_a_batch(world: World) {
    let small: [(LimitName, usize, Batches); 4] = [
        (LimitName::TagsMax, 3, tagged),
        (LimitName::NoteBytesMax, 8, described),
        (LimitName::PageItemsMax, 4, counted),
        (LimitName::CorrelationEntriesMax, 2, correlated),
    ];
    let mut limits = Limits::default();
    for (limit, max, _) in small {
        limits.set(limit, max as u64);
    }
    let limits = Some(limits);
    let spec = PoolSpec {
        limits,
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let ann = world.join(&pool, "ann").await;
    for (limit, max, batches) in small {
        let fitting = batches(max - 1).into_iter().chain(batches(max));
        for (number, batch) in fitting.enumerate() {
            let under = format!("{limit} {number}");
            report(&pool, &ann, (batch, &under)).await.unwrap();
        }
        let refused = LimitExceeded::new(limit, max as u64, max as u64 + 1);
        for batch in batches(max + 1) {
            let call = report(&pool, &ann, (batch, "over"));
            let refusal = world.refused(&pool, call).await;
            assert_eq!(refusal, Rejection::Limit(refused));
        }
    }
    world.check_replay(&pool).await;
}
