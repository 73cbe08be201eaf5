//! Trims: a pool that forgot its past answers as one that did not.

use heronry_event::{GapReason, StreamItem, filter::Filter};
use heronry_journal::{ChunkHash, Record};
use heronry_pool::{
    Caller, ENCODING_VERSION, KEYS_KEPT_AFTER_TRIM, Rejection, State, apply,
    decide::{AckCopies, ClaimSet, ConfigurePool, StateDigest, Viewer},
};
use heronry_runtime::{
    EventQuery, Follow, Holding, OnTrimmed, Pool, ReadFrom, TrimError, TrimHold, TrimTo,
};
use heronry_store::{Clock, ConsumerCursor, FencingToken, FilterFingerprint, JournalExt};
use heronry_tests::{World, let_others_run, on_every_store, on_every_store_that_is_reopened};
use heronry_types::{AckOutcome, Cursor, Millis, Position, Retention, WakeStatus};

use super::inbox::MINUTE;

on_every_store! {
    o6_a_forced_trim_gives_gaps_and_typed_errors
    o17_a_trim_goes_past_no_consumer_unless_it_is_overridden
    o17_a_trim_up_to_an_age_drops_what_is_older
    o17_a_trim_to_a_cursor_that_is_none_is_refused
    s8_what_the_settings_do_not_keep_goes_in_the_background
}

on_every_store_that_is_reopened! {
    o17_a_baseline_gives_the_state_that_the_journal_gave
    o17_a_half_counted_wake_and_keys_survive_a_trim
}

/// Everything that a pool recorded, also what is trimmed by now.
struct Past {
    records: Vec<Record>,
}

impl Past {
    fn new() -> Self {
        Self {
            records: Vec::new(),
        }
    }

    /// Reads on, and checks that the live state is the fold of everything that ever was.
    async fn check(&mut self, world: &World, pool: &Pool) -> ChunkHash {
        let after = self.records.last().map_or(Position::ZERO, |it| it.position);
        let journal = &world.store().journal;
        let page = journal.records(pool.id(), after, usize::MAX).await.unwrap();
        self.records
            .extend(page.into_iter().flat_map(|page| page.records));
        let (head, live) = pool.call(StateDigest).await.unwrap();
        let mut state = State::new(pool.id().clone(), pool.timelines().at(Position(1)));
        for record in &self.records {
            apply(&mut state, record);
        }
        assert_eq!(state.head(), head.position);
        assert_eq!(state.digest(), live, "the state is not that of the journal");
        live
    }
}

/// Takes the oldest message and acknowledges it.
pub(super) async fn handle(pool: &Pool, by: &Caller, receive: &str) {
    let received = pool
        .receive(World::fetch(by, receive, 1), Millis(0))
        .await
        .unwrap();
    let (claim, _) = received.items[0].claim.unwrap();
    let ack = AckCopies {
        caller: by.clone(),
        run: World::run_of(by),
        claims: ClaimSet::These(vec![claim]),
        outcome: AckOutcome::Done,
        note: None,
    };
    pool.call(ack).await.unwrap();
}

pub(super) async fn floor(world: &World, pool: &Pool) -> Position {
    let head = world.store().journal.head(pool.id()).await.unwrap();
    head.unwrap().floor
}

pub(super) fn upto(pool: &Pool, position: Position) -> TrimTo {
    TrimTo::Upto(pool.cursor(position))
}

pub(super) async fn forget_snapshots(world: &World, pool: &Pool) {
    let snapshots = &world.store().snapshots;
    for token in 1..10 {
        // One of them is the owner's.
        let _ = snapshots.delete(pool.id(), FencingToken(token)).await;
    }
    assert_eq!(snapshots.latest(pool.id()).await.unwrap(), None);
}

async fn o17_a_baseline_gives_the_state_that_the_journal_gave(mut world: World) {
    let mut past = Past::new();
    let mut pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    for round in 0..4_u64 {
        for number in 0..12 {
            let id = format!("m-{round}-{number}");
            world.say(&pool, &lead, ("scout", &id)).await;
        }
        for number in 0..8 {
            handle(&pool, &scout, &format!("r-{round}-{number}")).await;
        }
        let before = past.check(&world, &pool).await;
        let head = pool.head().position;
        let to = upto(&pool, Position(head.0 - 2));
        let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
        assert!(trimmed.floor.position.0 + 3 > head.0 - 2, "{trimmed:?}");
        assert_eq!(floor(&world, &pool).await, trimmed.floor.position.next());
        assert_eq!(past.check(&world, &pool).await, before);
        let baseline = world.store().journal.baseline(pool.id()).await.unwrap();
        assert_eq!(baseline.unwrap().version(), ENCODING_VERSION);
        forget_snapshots(&world, &pool).await;
        drop(pool);
        world = world.restart().await;
        pool = world.pool().await;
        past.check(&world, &pool).await;
        assert_eq!(floor(&world, &pool).await, trimmed.floor.position.next());
    }
    // What was sent long before the floor is still to be had, in its order.
    let received = pool
        .receive(World::fetch(&scout, "last", 100), Millis(0))
        .await
        .unwrap();
    assert_eq!(received.items.len(), 4 * (12 - 8));
    past.check(&world, &pool).await;
}

async fn o17_a_half_counted_wake_and_keys_survive_a_trim(world: World) {
    let kind = world.kind;
    half_counted_wake_and_keys(world).await;
    for kept in [3, usize::MAX] {
        half_counted_wake_and_keys(World::new(kind).await.keeping_finished(kept)).await;
    }
}

async fn half_counted_wake_and_keys(world: World) {
    let mut past = Past::new();
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let three =
        r#"{"count":{"n":3,"filter":"kind == \"run_message_settled\"","distinct_by":"message"}}"#;
    let wake = world
        .register(&pool, &lead, World::waiting_for(three, "w"))
        .await;
    for number in 0..2 {
        let id = format!("m-{number}");
        world.say(&pool, &lead, ("scout", &id)).await;
        handle(&pool, &scout, &format!("r-{number}")).await;
    }
    let first = World::to_run("scout", "k-first", "first");
    let sent = world.send(&pool, &lead, first).await.unwrap();
    let finished = World::to_run("scout", "k-finished", "finished");
    handle(&pool, &scout, "r-first").await;
    let finished_sent = world.send(&pool, &lead, finished).await.unwrap();
    let view = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(view.status, WakeStatus::Triggered, "the first is the third");
    let again = world
        .register(&pool, &lead, World::waiting_for(three, "w2"))
        .await;
    handle(&pool, &scout, "r-finished").await;
    world.say(&pool, &lead, ("scout", "m-2")).await;
    handle(&pool, &scout, "r-2").await;
    world.say(&pool, &lead, ("scout", "m-live")).await;
    past.check(&world, &pool).await;
    let to = upto(&pool, pool.head().position);
    let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
    assert!(trimmed.floor.position > finished_sent.receipt.cursor.position);
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    past.check(&world, &pool).await;
    // Two were counted before the floor, the third is counted now.
    let view = world.wake_of(&pool, &lead, &again.wake_id).await;
    assert_eq!(view.status, WakeStatus::Registered);
    handle(&pool, &scout, "r-live").await;
    let view = world.wake_of(&pool, &lead, &again.wake_id).await;
    assert_eq!(
        (view.status, view.matches.len()),
        (WakeStatus::Triggered, 3)
    );
    assert!(view.matches[0].cursor.position < trimmed.floor.position);
    check_key(&world, &pool, &lead, sent.receipt.cursor, trimmed.floor).await;
    past.check(&world, &pool).await;
}

/// Checks the key of a finished message that was trimmed: it answers for its time, and is free then.
pub(super) async fn check_key(
    world: &World,
    pool: &Pool,
    lead: &Caller,
    first: Cursor,
    floor: Cursor,
) {
    // A finished message is gone with its records; its key is not free, and says so.
    let repeat = World::to_run("scout", "k-first", "first");
    let refusal = world
        .refused(pool, world.send(pool, lead, repeat.clone()))
        .await;
    let requested = pool.cursor(first.position.previous());
    assert_eq!(refusal, Rejection::CursorTrimmed { requested, floor });
    let other = World::to_run("scout", "k-first", "something else");
    let refusal = world.refused(pool, world.send(pool, lead, other)).await;
    assert!(
        matches!(refusal, Rejection::IdempotencyConflict { first: found, .. } if found == first),
        "{refusal:?}"
    );
    world.clock.advance(KEYS_KEPT_AFTER_TRIM);
    let refusal = world
        .refused(pool, world.send(pool, lead, repeat.clone()))
        .await;
    assert!(
        matches!(refusal, Rejection::CursorTrimmed { .. }),
        "{refusal:?}"
    );
    world.clock.advance(Millis(1));
    let anew = world.send(pool, lead, repeat).await.unwrap();
    assert!(!anew.repeated, "the key is free when its time is over");
}

async fn o17_a_trim_goes_past_no_consumer_unless_it_is_overridden(world: World) {
    let pool = world.pool().await;
    for number in 0..9 {
        world.join(&pool, &format!("run-{number}")).await;
    }
    let name = heronry_store::ConsumerId::parse("indexer").unwrap();
    let at = pool.cursor(Position(4));
    let next = ConsumerCursor::new(at, FilterFingerprint([7; 32]));
    let cursors = &world.store().cursors;
    cursors.commit(pool.id(), &name, None, next).await.unwrap();
    let to = upto(&pool, Position(8));
    let held = pool.trim(to, Holding::Heeded).await.unwrap_err();
    let TrimError::Held { by, floor: held_at } = held else {
        panic!("{held}");
    };
    let consumer = TrimHold::Consumer { name, until: at };
    assert_eq!((by, held_at), (consumer.clone(), at));
    assert_eq!(floor(&world, &pool).await, Position(1), "nothing went");
    let yielded = pool.trim(to, Holding::Yielding).await.unwrap();
    assert_eq!((yielded.floor, yielded.held_by), (at, Some(consumer)));
    // A consumer that stands still for its time holds nothing any more.
    world.clock.advance(Millis(7 * 24 * 60 * 60 * 1_000 - 1));
    let held = pool.trim(to, Holding::Heeded).await.unwrap_err();
    assert!(matches!(held, TrimError::Held { .. }), "{held}");
    world.clock.advance(Millis(1));
    let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
    assert_eq!(trimmed.floor, pool.cursor(Position(8)));
    assert_eq!(trimmed.held_by, None);
    let again = pool.trim(to, Holding::Heeded).await.unwrap();
    assert_eq!(again, trimmed, "a repeat drops nothing");
}

async fn o6_a_forced_trim_gives_gaps_and_typed_errors(world: World) {
    let pool = world.pool().await;
    for number in 0..9 {
        world.join(&pool, &format!("run-{number}")).await;
    }
    let name = heronry_store::ConsumerId::parse("indexer").unwrap();
    let next = ConsumerCursor::new(pool.cursor(Position(2)), FilterFingerprint([7; 32]));
    let cursors = &world.store().cursors;
    cursors.commit(pool.id(), &name, None, next).await.unwrap();
    let after = |on_trimmed| EventQuery {
        viewer: Viewer::Operator,
        filter: Filter::compile("true").unwrap(),
        from: ReadFrom::Cursor(pool.cursor(Position(2))),
        on_trimmed,
    };
    let (asked_error, asked_gap) = (after(OnTrimmed::Error), after(OnTrimmed::Gap));
    let to = upto(&pool, Position(6));
    let trimmed = pool.trim(to, Holding::Overridden).await.unwrap();
    assert_eq!(trimmed.floor, pool.cursor(Position(6)));
    let mut stream = pool.subscribe(asked_gap, Follow::End).await.unwrap();
    let gap = StreamItem::Gap {
        from: pool.cursor(Position(2)),
        to: trimmed.floor,
        reason: GapReason::Trimmed,
    };
    assert_eq!(stream.next().await.unwrap(), Some(gap));
    let refusal = pool.events(&asked_error, 100, Millis(0)).await.unwrap_err();
    let text = format!("{refusal:?}");
    assert!(text.contains("CursorTrimmed"), "{text}");
}

async fn o17_a_trim_up_to_an_age_drops_what_is_older(world: World) {
    let pool = world.pool().await;
    for number in 0..20 {
        world.join(&pool, &format!("run-{number}")).await;
        world.clock.advance(Millis::from_secs(60));
    }
    // 21 records, one a minute but for the first two; those before the last five minutes go.
    let to = TrimTo::Older(Millis::from_secs(5 * 60));
    let trimmed = pool.trim(to, Holding::Heeded).await.unwrap();
    assert_eq!(trimmed.floor, pool.cursor(Position(16)));
    let nothing = TrimTo::Older(Millis::from_secs(60 * 60));
    let again = pool.trim(nothing, Holding::Heeded).await.unwrap();
    assert_eq!(again.floor, trimmed.floor);
    let all = TrimTo::Older(Millis(0));
    let last = pool.trim(all, Holding::Heeded).await.unwrap();
    assert_eq!(
        last.floor,
        pool.cursor(Position(20)),
        "the last chunk stays"
    );
}

async fn o17_a_trim_to_a_cursor_that_is_none_is_refused(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    let ahead = upto(&pool, Position(99));
    let error = pool.trim(ahead, Holding::Overridden).await.unwrap_err();
    assert!(
        matches!(&error, TrimError::Rejected(Rejection::CursorAhead { .. })),
        "{error}"
    );
    let foreign = heronry_types::Cursor::new(heronry_types::Epoch([0xff; 16]), Position(1));
    let error = pool.trim(TrimTo::Upto(foreign), Holding::Heeded).await;
    let error = error.unwrap_err();
    assert!(
        matches!(&error, TrimError::Rejected(Rejection::CursorForeign { .. })),
        "{error}"
    );
    assert_eq!(floor(&world, &pool).await, Position(1));
}

async fn s8_what_the_settings_do_not_keep_goes_in_the_background(world: World) {
    let pool = world.pool().await;
    let start = world.clock.now().wall;
    for number in 0..20 {
        world.join(&pool, &format!("run-{number}")).await;
        world.clock.advance(Millis::from_secs(60));
    }
    let settings = |expected_version, retention| ConfigurePool {
        caller: Caller::Operator,
        expected_version,
        limits: heronry_types::Limits::default(),
        retention: Some(retention),
        peering: None,
    };
    let young = Retention {
        age_ms: Some(Millis::from_secs(10 * 60)),
        ..Retention::default()
    };
    pool.call(settings(1, young)).await.unwrap();
    let moved = async |expected: u64| {
        while floor(&world, &pool).await < Position(expected) {
            let_others_run().await;
        }
        assert_eq!(floor(&world, &pool).await, Position(expected));
    };
    moved(12).await;
    // Time goes on, and so does the floor: it is looked at every minute, from whenever the last look ended.
    while floor(&world, &pool).await < Position(14) {
        world.pass(&pool, Millis::from_secs(2)).await;
        let_others_run().await;
    }
    let (floor_now, elapsed) = (
        floor(&world, &pool).await,
        world.clock.now().wall.since(start),
    );
    let last_gone = Millis::from_secs(60 * (floor_now.0 - 3));
    assert!(
        last_gone.0 + 10 * MINUTE.0 < elapsed.0,
        "{floor_now} after {elapsed:?}"
    );
    let least = Retention {
        bytes: Some(0),
        keep_min: Some(3),
        age_ms: None,
    };
    pool.call(settings(2, least)).await.unwrap();
    // A pass that was slow may have found more of them old.
    let least = floor(&world, &pool).await.max(Position(21));
    moved(least.0).await;
    let everything = Retention::default();
    let done = pool.call(settings(3, everything)).await.unwrap();
    assert_eq!(done.cursor, pool.head());
    world.pass(&pool, Millis::from_secs(60 * 60)).await;
    assert_eq!(floor(&world, &pool).await, least);
}
