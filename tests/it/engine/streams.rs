//! Reading events: pages and subscriptions, from where a cursor says.

use std::{future::Future, ops::Range, time::Duration};

use futures::future::join_all;
use heronry_event::{CloseReason, GapReason, StreamItem};
use heronry_pool::{
    Caller, Rejection,
    decide::{SendRequest, Viewer, Viewing},
};
use heronry_runtime::{CallError, EventQuery, EventsError, Follow, OnTrimmed, Pool, ReadFrom};
use heronry_store::FencingToken;
use heronry_tests::{
    StoreKind, World, as_many_as_asked, body, key, on_every_store, on_every_store_with_threads,
    run, topic,
};
use heronry_types::{Address, Cursor, Epoch, EventKind, Millis, Position, RunEnd};

on_every_store! {
    o5_a_filter_that_keeps_nothing_moves_scanned_to_with_the_head
    o5_resuming_from_scanned_to_looks_through_nothing_twice
    o6_a_cursor_ahead_is_refused_with_the_head
    o6_a_trimmed_cursor_is_an_error_or_a_gap_as_asked
    o6_a_foreign_or_malformed_cursor_is_refused
    o7_what_an_author_did_stays_in_replay_after_it_left
    o7_a_viewer_that_leaves_is_closed_and_sees_nothing_later
    o7_a_viewer_that_is_gone_before_it_subscribes_is_refused
    o7_a_fast_and_a_slow_reader_see_the_same_stream
    s1_a_stream_that_does_not_follow_ends_at_the_head
}

on_every_store_with_threads! {
    o2_a_subscriber_a_hundred_times_slower_than_the_writer_loses_nothing
    s2_readers_of_every_pace_see_the_same_stream_however_little_is_kept_for_them
    o1_a_page_reader_and_a_subscriber_see_every_cursor_once_while_appends_go_on
}

/// The longest wait of a test for something that must come: only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.unwrap()
}

fn everything() -> EventQuery {
    World::seeing(Viewer::Operator, "true")
}

fn after(cursor: Cursor) -> EventQuery {
    EventQuery {
        from: ReadFrom::Cursor(cursor),
        ..everything()
    }
}

/// Returns a message to nobody: two records that leave no inbox behind.
fn to_nobody(number: u64) -> SendRequest {
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    SendRequest::new(to, body("-"), key(&format!("k{number}")))
}

/// Sends these messages, 50 at a time.
pub(super) async fn send_many(world: &World, (pool, from): (&Pool, &Caller), numbers: Range<u64>) {
    let numbers: Vec<u64> = numbers.collect();
    for batch in numbers.chunks(50) {
        let sends = batch
            .iter()
            .map(|number| world.send(pool, from, to_nobody(*number)));
        assert!(join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
    }
}

/// Reads pages of at most 100, waiting at the head, until this position was seen.
async fn page_until(pool: Pool, last: Position) -> Vec<Cursor> {
    let (mut query, mut seen) = (everything(), Vec::new());
    while seen
        .last()
        .is_none_or(|cursor: &Cursor| cursor.position < last)
    {
        let page = soon(pool.events(&query, 100, Millis(50_000)))
            .await
            .unwrap();
        assert!(page.events.len() <= 100);
        assert!(page.scanned_to.position >= seen.last().map_or(Position::ZERO, |at| at.position));
        seen.extend(page.events.iter().map(|event| event.envelope.id()));
        query.from = ReadFrom::Cursor(page.scanned_to);
    }
    seen
}

/// Follows a stream until this position was seen; returns the cursors, and how often it caught up.
async fn follow_until(pool: Pool, last: Position) -> (Vec<Cursor>, usize) {
    let mut stream = pool.subscribe(everything(), Follow::Live).await.unwrap();
    let (mut seen, mut caught_up) = (Vec::new(), 0);
    while seen
        .last()
        .is_none_or(|cursor: &Cursor| cursor.position < last)
    {
        let item = soon(stream.next()).await.unwrap().unwrap();
        if let StreamItem::CaughtUp { head } = item {
            assert_eq!(Some(&head), seen.last(), "everything up to there was sent");
            caught_up += 1;
        } else {
            assert!(matches!(item, StreamItem::Event(_)), "{item:?}");
            seen.extend(item.cursor());
        }
    }
    (seen, caught_up)
}

async fn o1_a_page_reader_and_a_subscriber_see_every_cursor_once_while_appends_go_on(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let last = Position(10_000);
    // 2 records are there; half of the rest is sent before the readers start, half beside them.
    send_many(&world, (&pool, &lead), 0..2_500).await;
    let pages = tokio::spawn(page_until(pool.clone(), last));
    let stream = tokio::spawn(follow_until(pool.clone(), last));
    send_many(&world, (&pool, &lead), 2_500..4_999).await;
    let expected: Vec<Cursor> = (1..=10_000)
        .map(|at| World::cursor(&pool, Position(at)))
        .collect();
    assert_eq!(pages.await.unwrap(), expected);
    let (seen, caught_up) = stream.await.unwrap();
    assert_eq!(seen, expected);
    assert!(caught_up <= 1, "caught up {caught_up} times");
    // Nothing follows, so a new stream catches up now, once, after everything.
    let mut again = pool.subscribe(everything(), Follow::End).await.unwrap();
    let mut items = Vec::new();
    while let Some(item) = soon(again.next()).await.unwrap() {
        items.push(item);
    }
    assert_eq!(items.len(), 10_001);
    assert_eq!(items[10_000], StreamItem::CaughtUp { head: pool.head() });
    world.check_replay(&pool).await;
}

/// Returns the resident bytes of this process, where the system tells.
pub(super) fn resident() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = told.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4_096)
}

/// The most bytes by which the process may grow while a slow subscriber falls behind a store with a file. Alone, the
/// same million events take 160 MB; if they were held for the subscriber, they would take 700 MB more.
const GROWS_BY: u64 = 256 * 1024 * 1024;

async fn o2_a_subscriber_a_hundred_times_slower_than_the_writer_loses_nothing(world: World) {
    // A million in `cargo xtask prove`; memory is looked at from 200 000 on.
    let events = as_many_as_asked("HERONRY_SLOW_READER_EVENTS", 4_000) as u64;
    let is_long = events >= 200_000 && world.kind != StoreKind::Memory;
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let first = pool.head().position;
    let mut stream = pool
        .subscribe(after(pool.head()), Follow::Live)
        .await
        .unwrap();
    let (mut seen, mut before) = (Vec::new(), None);
    // Two records each, and one of a hundred events is read meanwhile.
    for number in 0..events / 100 {
        send_many(&world, (&pool, &lead), number * 50..(number + 1) * 50).await;
        let item = soon(stream.next()).await.unwrap().unwrap();
        seen.extend(
            item.cursor()
                .filter(|_| matches!(item, StreamItem::Event(_))),
        );
        if number == events / 1_000 {
            before = resident().filter(|_| is_long);
        }
    }
    let grown = before
        .zip(resident())
        .map(|(before, now)| now.saturating_sub(before));
    assert!(
        grown.is_none_or(|grown| grown < GROWS_BY),
        "grew by {grown:?}"
    );
    while seen.last() != Some(&pool.head()) {
        let item = soon(stream.next()).await.unwrap().unwrap();
        seen.extend(
            item.cursor()
                .filter(|_| matches!(item, StreamItem::Event(_))),
        );
    }
    let every = (first.0 + 1..=pool.head().position.0).map(|at| World::cursor(&pool, Position(at)));
    assert!(seen.into_iter().eq(every), "every event once, in order");
}

/// Follows a stream up to the joining of `end`, and gives way so often between two items. Returns the cursors
/// that it saw.
async fn follow_at_pace(pool: Pool, query: EventQuery, yields: usize) -> Vec<Cursor> {
    let mut stream = pool.subscribe(query, Follow::Live).await.unwrap();
    let (mut seen, mut caught_up) = (Vec::new(), 0);
    loop {
        let before = stream.scanned_to();
        let item = soon(stream.next()).await.unwrap().unwrap();
        let StreamItem::Event(event) = item else {
            assert!(matches!(item, StreamItem::CaughtUp { .. }), "{item:?}");
            caught_up += 1;
            continue;
        };
        let cursor = event.envelope.id();
        assert!(
            before.position < cursor.position,
            "{before} was looked at before"
        );
        seen.push(cursor);
        if event.envelope.identity.run == Some(run("end")) {
            assert!(caught_up <= 1, "caught up {caught_up} times");
            return seen;
        }
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
    }
}

async fn s2_readers_of_every_pace_see_the_same_stream_however_little_is_kept_for_them(
    world: World,
) {
    // Of two events that are kept for those near the head, one may wait for each: the readers are handed
    // over between store and tail all the time.
    let world = world.with_options(|options| options.with_tail_events(2));
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let filters = [
        "true",
        r#"kind == "run_message_accepted" || run == "end""#,
        r#"run == "end""#,
    ];
    let readers = filters
        .iter()
        .flat_map(|filter| [0, 1, 40].map(|yields| (*filter, yields)));
    let readers = readers.map(|(filter, yields)| {
        let query = World::seeing(Viewer::Operator, filter);
        let reading = tokio::spawn(follow_at_pace(pool.clone(), query.clone(), yields));
        (query, reading)
    });
    let readers: Vec<_> = readers.collect();
    send_many(&world, (&pool, &lead), 0..1_000).await;
    world.join(&pool, "end").await;
    for (query, reading) in readers {
        let expected = World::pages(&pool, query).await.unwrap();
        let expected: Vec<Cursor> = expected.iter().map(|event| event.envelope.id()).collect();
        assert_eq!(reading.await.unwrap(), expected);
    }
    world.check_replay(&pool).await;
}

async fn s1_a_stream_that_does_not_follow_ends_at_the_head(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    let mut stream = pool
        .subscribe(after(pool.head()), Follow::End)
        .await
        .unwrap();
    let caught_up = StreamItem::CaughtUp { head: pool.head() };
    assert_eq!(soon(stream.next()).await.unwrap(), Some(caught_up));
    world.join(&pool, "scout").await;
    assert_eq!(soon(stream.next()).await.unwrap(), None);
    assert_eq!(soon(stream.next()).await.unwrap(), None);
    world.check_replay(&pool).await;
}

async fn o5_a_filter_that_keeps_nothing_moves_scanned_to_with_the_head(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let mut query = World::seeing(Viewer::Operator, r#"run == "nobody""#);
    for number in 0..3 {
        let page = pool.events(&query, 100, Millis(0)).await.unwrap();
        assert_eq!(page.events, []);
        assert_eq!((page.scanned_to, page.head), (pool.head(), pool.head()));
        query.from = ReadFrom::Cursor(page.scanned_to);
        world.send(&pool, &lead, to_nobody(number)).await.unwrap();
    }
    let mut stream = pool.subscribe(query, Follow::Live).await.unwrap();
    let caught_up = soon(stream.next()).await.unwrap();
    assert_eq!(caught_up, Some(StreamItem::CaughtUp { head: pool.head() }));
    assert_eq!(stream.scanned_to(), pool.head());
    world.check_replay(&pool).await;
}

async fn o5_resuming_from_scanned_to_looks_through_nothing_twice(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    // More than a page looks through at once.
    let wide = "x".repeat(500);
    let mut fat = to_nobody(0);
    for entry in 0..32 {
        let name = heronry_types::CorrelationKey::parse(format!("{wide}{entry}")).unwrap();
        fat.correlation.insert(
            name,
            heronry_types::CorrelationValue::parse(&*wide).unwrap(),
        );
    }
    for number in 0..80 {
        let request = SendRequest {
            key: key(&format!("k{number}")),
            ..fat.clone()
        };
        world.send(&pool, &lead, request).await.unwrap();
    }
    let bytes: usize = world
        .chunks(&pool)
        .await
        .iter()
        .map(|chunk| chunk.bytes().len())
        .sum();
    assert!(bytes > 4 * 1024 * 1024, "{bytes}");

    let before = world.faults.reads();
    let mut query = World::seeing(Viewer::Operator, r#"run == "nobody""#);
    let (mut pages, mut scanned_to) = (0, World::cursor(&pool, Position::ZERO));
    while scanned_to != pool.head() {
        let page = pool.events(&query, 100, Millis(0)).await.unwrap();
        assert_eq!(page.events, []);
        assert!(
            page.scanned_to.position > scanned_to.position,
            "an empty page has moved"
        );
        scanned_to = page.scanned_to;
        query.from = ReadFrom::Cursor(scanned_to);
        pages += 1;
    }
    assert!(pages > 1, "one page does not look through everything");
    let in_pages = world.faults.reads() - before;
    let before = world.faults.reads();
    query.from = ReadFrom::Start;
    let mut stream = pool.subscribe(query, Follow::End).await.unwrap();
    while soon(stream.next()).await.unwrap().is_some() {}
    let at_once = world.faults.reads() - before;
    assert!(
        in_pages <= at_once + pages,
        "{in_pages} reads in {pages} pages, {at_once} at once"
    );
    world.check_replay(&pool).await;
}

fn rejection(error: EventsError) -> Rejection {
    let EventsError::Call(CallError::Rejected(rejection)) = error else {
        panic!("{error:?}");
    };
    rejection
}

/// Checks that pages and streams are both refused.
async fn refused(pool: &Pool, query: EventQuery) -> Rejection {
    let page = pool.events(&query, 100, Millis(0)).await.unwrap_err();
    let stream = pool.subscribe(query, Follow::Live).await.unwrap_err();
    let refusal = rejection(page);
    assert_eq!(rejection(stream), refusal);
    refusal
}

async fn o6_a_cursor_ahead_is_refused_with_the_head(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    let head = pool.head();
    for position in [head.position.next(), Position(u64::MAX)] {
        let requested = World::cursor(&pool, position);
        let refusal = refused(&pool, after(requested)).await;
        assert_eq!(refusal, Rejection::CursorAhead { requested, head });
    }
    let page = pool.events(&after(head), 100, Millis(0)).await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to), (0, head));
    world.check_replay(&pool).await;
}

async fn o6_a_trimmed_cursor_is_an_error_or_a_gap_as_asked(world: World) {
    let pool = world.pool().await;
    for number in 0..9 {
        world.join(&pool, &format!("run-{number}")).await;
    }
    world.check_replay(&pool).await;
    let mut reading = pool.subscribe(everything(), Follow::Live).await.unwrap();
    let token = FencingToken(1);
    let trimmed =
        heronry_testkit::sample::trim(&*world.store().journal, pool.id(), Position(6), token)
            .await
            .unwrap();
    assert_eq!(trimmed.floor, Position(6));
    let floor = World::cursor(&pool, Position(5));
    for position in 0..5 {
        let requested = World::cursor(&pool, Position(position));
        let refusal = refused(&pool, after(requested)).await;
        assert_eq!(refusal, Rejection::CursorTrimmed { requested, floor });

        let query = EventQuery {
            on_trimmed: OnTrimmed::Gap,
            ..after(requested)
        };
        let page = pool.events(&query, 100, Millis(0)).await.unwrap();
        assert_eq!((page.events.len(), page.floor), (5, floor));
        let mut stream = pool.subscribe(query, Follow::End).await.unwrap();
        let gap = StreamItem::Gap {
            from: requested,
            to: floor,
            reason: GapReason::Trimmed,
        };
        assert_eq!(soon(stream.next()).await.unwrap(), Some(gap));
        let next = soon(stream.next()).await.unwrap().unwrap();
        assert_eq!(next.cursor(), Some(World::cursor(&pool, Position(6))));
    }
    let page = pool.events(&after(floor), 100, Millis(0)).await.unwrap();
    assert_eq!(page.events.len(), 5, "the lowest valid cursor");
    let page = pool.events(&everything(), 100, Millis(0)).await.unwrap();
    assert_eq!(page.events.len(), 5, "the start is the oldest that is kept");
    // A reader that had not come so far when it was trimmed asked for an error.
    let refusal = rejection(soon(reading.next()).await.unwrap_err());
    let requested = World::cursor(&pool, Position::ZERO);
    assert_eq!(refusal, Rejection::CursorTrimmed { requested, floor });
    assert_eq!(soon(reading.next()).await.unwrap(), None);
}

async fn o6_a_foreign_or_malformed_cursor_is_refused(world: World) {
    let pool = world.pool().await;
    for position in [0, 1, 99] {
        let requested = Cursor::new(Epoch([9; 16]), Position(position));
        let refusal = refused(&pool, after(requested)).await;
        assert_eq!(
            refusal,
            Rejection::CursorForeign {
                requested,
                diverged_at: None
            }
        );
    }
    let head = pool.head().to_string();
    assert_eq!(Cursor::parse(&head).unwrap(), pool.head());
    for malformed in [
        "",
        "1",
        "-1",
        "head",
        &head[1..],
        &format!("{head}x"),
        &head.to_uppercase(),
    ] {
        assert!(Cursor::parse(malformed).is_err(), "{malformed}");
    }
    world.check_replay(&pool).await;
}

async fn o7_what_an_author_did_stays_in_replay_after_it_left(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    world.say(&pool, &scout, ("lead", "m1")).await;
    world.leave(&pool, &scout).await.unwrap();
    let query = World::seeing(World::viewer(&lead), r#"run == "scout""#);
    let kinds = |events: Vec<heronry_event::Event>| {
        events
            .iter()
            .map(|event| event.envelope.kind)
            .collect::<Vec<_>>()
    };
    let expected = [
        EventKind::AgentPoolRunJoined,
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
        EventKind::AgentPoolRunLeft,
    ];
    assert_eq!(
        kinds(World::pages(&pool, query.clone()).await.unwrap()),
        expected
    );
    // Also for one who joined later, from a cursor that was saved before.
    let late = world.join(&pool, "late").await;
    let saved = World::cursor(&pool, Position(3));
    let query = EventQuery {
        from: ReadFrom::Cursor(saved),
        viewer: World::viewer(&late),
        ..query
    };
    assert_eq!(
        kinds(World::pages(&pool, query).await.unwrap()),
        expected[1..]
    );
    world.check_replay(&pool).await;
}

/// Lets the viewer go in this way, and returns the record of it.
async fn depart(world: &World, (pool, viewer): (&Pool, &Caller), reason: CloseReason) -> Cursor {
    if reason == CloseReason::Left {
        world.leave(pool, viewer).await.unwrap().cursor
    } else if reason == CloseReason::RunEnded {
        world
            .end(pool, viewer, RunEnd::Completed)
            .await
            .unwrap()
            .cursor
    } else {
        let run = World::run_of(viewer);
        let join = World::joining_as(run.as_str(), "instance-2");
        world.join_as(pool, join).await.unwrap().cursor
    }
}

async fn o7_a_viewer_that_leaves_is_closed_and_sees_nothing_later(world: World) {
    let pool = world.pool().await;
    for (name, reason) in [
        ("left", CloseReason::Left),
        ("ended", CloseReason::RunEnded),
        ("taken", CloseReason::Revoked),
    ] {
        let viewer = world.join(&pool, name).await;
        let query = World::seeing(World::viewer(&viewer), "true");
        let query = EventQuery {
            from: ReadFrom::Head,
            ..query
        };
        let mut live = pool.subscribe(query.clone(), Follow::Live).await.unwrap();
        let caught_up = soon(live.next()).await.unwrap();
        assert_eq!(caught_up, Some(StreamItem::CaughtUp { head: pool.head() }));
        let mut behind = pool.subscribe(query, Follow::Live).await.unwrap();
        let last = depart(&world, (&pool, &viewer), reason).await;
        world.join(&pool, &format!("after-{name}")).await;
        for stream in [&mut live, &mut behind] {
            let departure = soon(stream.next()).await.unwrap().unwrap();
            assert_eq!(departure.cursor(), Some(last), "its own departure");
            let closed = soon(stream.next()).await.unwrap();
            assert_eq!(closed, Some(StreamItem::Closed { reason }));
            assert_eq!(soon(stream.next()).await.unwrap(), None);
            assert_eq!(stream.scanned_to(), last, "not past what it was shown");
        }
    }
    world.check_replay(&pool).await;
}

async fn o7_a_viewer_that_is_gone_before_it_subscribes_is_refused(world: World) {
    let pool = world.pool().await;
    let viewer = world.join(&pool, "viewer").await;
    let ask = Viewing {
        caller: viewer.clone(),
        run: None,
    };
    let admitted = pool.call(ask).await.unwrap();
    let query = EventQuery {
        from: ReadFrom::Head,
        ..World::seeing(admitted, "true")
    };
    world.leave(&pool, &viewer).await.unwrap();
    assert_eq!(refused(&pool, query.clone()).await, Rejection::NotAMember);
    world.join(&pool, "viewer").await;
    assert_eq!(refused(&pool, query).await, Rejection::Fenced);
    world.check_replay(&pool).await;
}

async fn o7_a_fast_and_a_slow_reader_see_the_same_stream(world: World) {
    let pool = world.pool().await;
    let fast_viewer = world.join(&pool, "fast").await;
    let slow_viewer = world.join(&pool, "slow").await;
    let query = |viewer| World::seeing(World::viewer(viewer), r#"family == "agent_pool""#);
    let mut slow = pool
        .subscribe(query(&slow_viewer), Follow::Live)
        .await
        .unwrap();
    let mut fast = pool
        .subscribe(query(&fast_viewer), Follow::Live)
        .await
        .unwrap();
    let mut seen_fast = Vec::new();
    for number in 0..20 {
        let name = format!("run-{number}");
        let caller = world.join(&pool, &name).await;
        world.say(&pool, &caller, ("slow", &name)).await;
        world.leave(&pool, &caller).await.unwrap();
        while fast.scanned_to() != pool.head() || seen_fast.is_empty() {
            seen_fast.extend(soon(fast.next()).await.unwrap());
        }
    }
    let mut seen_slow = Vec::new();
    while seen_slow.last().and_then(StreamItem::cursor) != Some(pool.head()) {
        seen_slow.extend(soon(slow.next()).await.unwrap());
    }
    let facts = |items: Vec<StreamItem>| {
        let is_fact = |item: &StreamItem| matches!(item, StreamItem::Event(_));
        items.into_iter().filter(is_fact).collect::<Vec<_>>()
    };
    let (seen_fast, seen_slow) = (facts(seen_fast), facts(seen_slow));
    assert_eq!(seen_fast.len(), 3 + 20 * 4);
    assert_eq!(seen_fast, seen_slow);
    world.check_replay(&pool).await;
}
