//! The cost of matching is paid a slice at a time: within a batch, within one event, after an
//! opening, and for everything that becomes due at once. It is counted in looks, never in time.

use futures::future::join_all;
use heronry_event::filter::Filter;
use heronry_journal::{Body, Record};
use heronry_pool::{
    Caller, Engine, Minter,
    decide::{
        AppendEvents, CancelMessage, Command, CreatePool, Expiry, RegisterWake, SendMessage,
        WakeRequest,
    },
    engine::{Append, LookedUp, MATCHING_SLICE, Replay},
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, key, let_others_run, on_every_store, on_every_store_that_is_reopened, run, wake,
};
use heronry_types::{
    Condition, Durability, EntityKind, EntityRef, Epoch, EventKind, Millis, NewEvent, PoolId,
    PoolSpec, Position, RunId, Since, Timestamp, WakeStatus,
};

on_every_store! {
    w8_commands_of_one_member_keep_their_order_while_events_are_matched
    w8_batches_that_wait_hold_up_nobody_else
    w8_bodies_are_read_and_messages_cancelled_while_events_are_matched
    w8_what_becomes_due_at_once_is_matched_in_slices_and_ends_the_same_wakes
    w8_a_member_that_leaves_with_many_copies_ends_each_and_every_waiter_sees_it
}

on_every_store_that_is_reopened! {
    w8_a_pool_that_is_behind_stops_and_forgets_nothing
    w8_a_pool_answers_before_what_counts_is_counted_again
    w3_what_counted_before_an_opening_counts_after_it
}

/// The most values that an event is compared with, in the tests of an engine alone.
pub(crate) const WAKES: usize = 300;

/// The filter of a count, which keeps every event that is not of this run.
pub(crate) fn not_of(run: &str, n: u32) -> String {
    format!(r#"{{"count":{{"n":{n},"filter":"run != \"{run}\"","distinct_by":"subject"}}}}"#)
}

/// An event about a thing that no other one is about.
pub(crate) fn about(number: usize) -> NewEvent {
    let mut event = NewEvent::new(EventKind::ToolStarted);
    let id = RunId::parse(format!("s{number}")).unwrap();
    event.subject = Some(EntityRef::new(EntityKind::Artifact, id.retype()));
    event
}

pub(crate) fn waiting_for(condition: &str, id: &str) -> WakeRequest {
    let request = if condition.starts_with('{') {
        let condition: Condition = serde_json::from_str(condition).unwrap();
        let mut compile = |text: &String| Filter::compile(text);
        WakeRequest::new(condition.try_map(&mut compile).unwrap(), key(id))
    } else {
        World::waiting(condition, id)
    };
    WakeRequest {
        wake_id: Some(wake(id)),
        ..request
    }
}

pub(crate) fn register(caller: &Caller, condition: &str, id: &str) -> RegisterWake {
    RegisterWake::new(
        caller.clone(),
        World::run_of(caller),
        waiting_for(condition, id),
    )
}

pub(crate) fn report(caller: &Caller, events: Vec<NewEvent>, name: &str) -> AppendEvents {
    AppendEvents::new(caller.clone(), World::run_of(caller), events, key(name))
}

pub(crate) fn letter(caller: &Caller, name: &str) -> SendMessage {
    let run = World::run_of(caller);
    let request = World::to_run(run.as_str(), name, "-");
    SendMessage::new(caller.clone(), run, request)
}

fn replay() -> Replay {
    let pool = PoolId::parse("p").unwrap();
    let secret = Minter::new([7; 32]);
    Replay::new(pool, Epoch([1; 16]), secret, Durability::Memory)
}

/// An engine alone, with everything that it staged.
pub(crate) struct Alone {
    pub(crate) engine: Engine,
    pub(crate) records: Vec<Record>,
    /// The append that is open, and how many of its records are among the others already.
    append: Option<Append>,
    taken: usize,
}

impl Alone {
    pub(crate) fn new() -> Self {
        Self::of(replay(), Vec::new())
    }

    fn of(replay: Replay, records: Vec<Record>) -> Self {
        Self {
            engine: replay.finish(),
            records,
            append: None,
            taken: 0,
        }
    }

    /// An engine with a member that waits for very many counts.
    pub(crate) fn costly() -> (Self, Caller) {
        let mut alone = Self::new();
        let spec = PoolSpec::default();
        alone.ask(&CreatePool { spec });
        let joined = alone.ask(&World::joining("noisy"));
        let noisy = World::member("noisy", joined.generation);
        for number in 0..WAKES {
            let id = format!("w{number}");
            alone.ask(&register(&noisy, &not_of(&id, 900), &id));
        }
        alone.match_all();
        (alone, noisy)
    }

    pub(crate) fn ask<C: Command>(&mut self, command: &C) -> C::Answer {
        let names = command.names(Epoch([1; 16]), &Minter::new([7; 32]));
        let engine = &mut self.engine;
        let begin = || engine.begin(Timestamp::default());
        let mut append = self.append.take().unwrap_or_else(begin);
        let nothing = LookedUp::default();
        let answer = append.run(&mut self.engine, command, names.as_ref(), nothing);
        self.take_staged(append);
        answer.unwrap()
    }

    pub(crate) fn begin(&mut self) {
        self.begin_at(0);
    }

    /// Begins an append so many milliseconds after the pool was made.
    pub(crate) fn begin_at(&mut self, ms: u64) {
        let now = Timestamp::default().after(Millis(ms));
        if let Some(append) = self.append.take() {
            append.finish(&mut self.engine);
        }
        self.taken = 0;
        let append = self.engine.begin(now);
        self.take_staged(append);
    }

    /// Takes in what was staged meanwhile, and leaves the append open.
    fn take_staged(&mut self, append: Append) {
        let staged = &append.staged().records;
        self.records.extend_from_slice(&staged[self.taken..]);
        self.taken = staged.len();
        self.append = Some(append);
    }

    /// Matches for one slice; returns how many looks that took.
    pub(crate) fn match_more(&mut self) -> u64 {
        let before = self.engine.came_upon();
        if let Some(after) = self.engine.reads_after() {
            let next = self.records.iter().filter(|record| record.position > after);
            self.engine.put_read(next.take(64).cloned().collect());
        }
        self.engine.match_more();
        self.engine.came_upon() - before
    }

    pub(crate) fn match_all(&mut self) {
        while self.engine.is_behind() {
            self.match_more();
        }
    }

    /// Another engine that replayed what this one recorded.
    pub(crate) fn opened(&self) -> Self {
        let mut replay = replay();
        for record in &self.records {
            replay.record(record).unwrap();
        }
        Self::of(replay, self.records.clone())
    }
}

/// A slice, the alternatives that one more event comes upon, and the filters of one more wake.
const SLICE_MAX: u64 = (MATCHING_SLICE + WAKES + 1) as u64;

#[test]
fn w8_an_event_that_very_many_count_takes_several_slices() {
    let (mut alone, noisy) = Alone::costly();
    alone.engine.match_in_slices_of(64);
    let before = alone.engine.came_upon();
    alone.begin();
    alone.ask(&report(&noisy, vec![about(0)], "b"));
    let of_command = alone.engine.came_upon() - before;
    assert!(
        of_command <= 64 + WAKES as u64 + 1,
        "{of_command} with the command"
    );
    let mut slices = 0;
    while alone.engine.is_behind() {
        let looks = alone.match_more();
        assert!(looks <= 65, "{looks} in one slice");
        slices += 1;
    }
    // Each filter is looked at, and each wake counts.
    assert!(slices >= 2 * WAKES / 65, "{slices} slices");
}

#[test]
fn w8_small_commands_go_before_a_batch_that_costs_much_and_not_for_ever() {
    let (mut alone, noisy) = Alone::costly();
    alone.begin();
    let before = alone.engine.came_upon();
    alone.ask(&report(&noisy, (0..800).map(about).collect(), "b"));
    let of_command = alone.engine.came_upon() - before;
    assert!(of_command <= SLICE_MAX, "{of_command} with the command");
    let mut gone_before = 0;
    while !alone.engine.is_far_behind() {
        alone.ask(&letter(&noisy, &format!("m{gone_before}")));
        gone_before += 1;
    }
    assert!(gone_before >= 64, "{gone_before} letters went before it");
    assert!(gone_before <= 256, "{gone_before} letters went before it");
    while alone.engine.is_far_behind() {
        assert!(alone.match_more() <= SLICE_MAX);
    }
    // One who always asks as soon as it may does not keep the others for ever.
    let mut more = 0;
    while alone.engine.is_behind() {
        if !alone.engine.is_far_behind() {
            alone.ask(&letter(&noisy, &format!("n{more}")));
            more += 1;
        }
        assert!(alone.match_more() <= SLICE_MAX);
    }
    assert!(more > 0);
}

#[test]
fn w8_opening_takes_no_look_and_what_counts_is_counted_again_in_slices() {
    let (mut alone, noisy) = Alone::costly();
    for batch in 0..8 {
        let events = (0..100).map(|number| about(batch * 100 + number));
        alone.begin();
        alone.ask(&report(&noisy, events.collect(), &format!("b{batch}")));
        alone.match_all();
    }
    let mut opened = alone.opened();
    assert_eq!(opened.engine.came_upon(), 0, "opening looks at nothing");
    assert!(opened.engine.is_behind());
    assert!(!opened.engine.is_far_behind(), "commands go on");
    opened.begin();
    opened.ask(&letter(&noisy, "first"));
    assert!(
        opened.engine.came_upon() <= SLICE_MAX,
        "its answer waits for a slice at the most"
    );
    while opened.engine.is_behind() {
        let looks = opened.match_more();
        assert!(looks <= SLICE_MAX, "{looks} in one slice");
    }
    // 100 more end every one of them, one letter being among those that were counted.
    opened.begin();
    let last = (800..1_000).map(about).collect();
    opened.ask(&report(&noisy, last, "last"));
    opened.match_all();
    while opened.engine.has_backlog() {
        opened.begin();
    }
    let triggered = opened.records.iter();
    let triggered = triggered.filter(|it| matches!(it.entry.body, Body::WakeTriggered(_)));
    assert_eq!(triggered.count(), WAKES);
}

/// A pool with a member whose wakes cost much, and another one; events are matched in slices of one.
pub(super) async fn costly(world: World) -> (World, Pool, Caller, Caller) {
    let world = world.matching_in_slices_of(1);
    let pool = world.pool().await;
    let noisy = world.join(&pool, "noisy").await;
    let quiet = world.join(&pool, "quiet").await;
    let waits = (0..16).map(|number| {
        let id = format!("near-{number}");
        pool.call(register(&noisy, &not_of(&id, 900), &id))
    });
    for registered in join_all(waits).await {
        registered.unwrap();
    }
    (world, pool, noisy, quiet)
}

async fn w8_commands_of_one_member_keep_their_order_while_events_are_matched(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let first = pool.call(report(&noisy, (0..200).map(about).collect(), "b1"));
    let second = pool.call(report(&noisy, (200..400).map(about).collect(), "b2"));
    let wait = pool.call(register(&noisy, "terminal", "after"));
    let sent = pool.call(letter(&noisy, "m"));
    let of_another = pool.call(letter(&quiet, "m"));
    let (first, second, wait, sent, of_another) =
        futures::join!(first, second, wait, sent, of_another);
    let second = second.unwrap().first.position;
    let wait = wait.unwrap().wake.cursor.position;
    let sent = sent.unwrap().receipt.cursor.position;
    let of_another = of_another.unwrap().receipt.cursor.position;
    assert!(first.unwrap().first.position < second);
    assert!(second < wait, "{second} before {wait}");
    assert!(wait < sent, "{wait} before {sent}");
    assert!(
        of_another < second,
        "another one does not wait: {of_another} before {second}"
    );
    world.check_replay(&pool).await;
}

async fn w8_batches_that_wait_hold_up_nobody_else(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let batches = (0..3).map(|number| {
        let events = (0..520).map(|it| about(number * 520 + it)).collect();
        pool.call(report(&noisy, events, &format!("b{number}")))
    });
    let batches = join_all(batches);
    let of_another = async {
        let_others_run().await;
        pool.call(letter(&quiet, "m")).await
    };
    let (batches, of_another) = futures::join!(batches, of_another);
    let of_another = of_another.unwrap().receipt.cursor.position;
    let last = batches.last().unwrap().as_ref().unwrap().first.position;
    assert!(of_another < last, "{of_another} came behind {last}");
    world.check_replay(&pool).await;
}

async fn w8_bodies_are_read_and_messages_cancelled_while_events_are_matched(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let sent = pool.call(letter(&quiet, "m")).await.unwrap().receipt;
    let first = pool.call(report(&noisy, (0..200).map(about).collect(), "b1"));
    let second = pool.call(report(&noisy, (200..400).map(about).collect(), "b2"));
    let meanwhile = async {
        let_others_run().await;
        pool.body(quiet.clone(), sent.content_ref).await.unwrap();
        let cancel = CancelMessage {
            caller: quiet.clone(),
            from: run("quiet"),
            message_id: sent.message_id.clone(),
        };
        pool.call(cancel).await.unwrap();
    };
    let (first, second, ()) = futures::join!(first, second, meanwhile);
    first.unwrap();
    let cancelled = world.records(&pool).await;
    let cancelled = cancelled
        .iter()
        .find(|it| it.kind() == EventKind::RunMessageCancelled);
    let (cancelled, second) = (cancelled.unwrap().position, second.unwrap().first.position);
    assert!(cancelled < second, "{cancelled} waited for {second}");
    world.check_replay(&pool).await;
}

async fn w8_a_pool_that_is_behind_stops_and_forgets_nothing(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    pool.call(register(&quiet, &not_of("nobody", 600), "counting"))
        .await
        .unwrap();
    let reported = pool.call(report(&noisy, (0..600).map(about).collect(), "b1"));
    reported.await.unwrap();
    // Nobody asked for anything that waits until all of it is matched.
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let view = world.wake_of(&pool, &quiet, &wake("counting")).await;
    assert_eq!(view.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}

/// Returns the end of every wake: its name, the kind of its end, and the kind and subject of its
/// event.
async fn ends(world: &World, pool: &Pool) -> Vec<String> {
    let records = world.records(pool).await;
    let events = world.events(pool).await;
    let what = |position: Position| {
        let event = &events[usize::try_from(position.0).unwrap() - 1];
        format!(
            "{} {}",
            event.envelope.kind, event.envelope.about.subject.id
        )
    };
    let mut ends = Vec::new();
    for record in &records {
        let body = &record.entry.body;
        if let Body::WakeTriggered(body) = body {
            let by = body.matches.iter().map(|by| what(by.position));
            let by = by.collect::<Vec<_>>();
            ends.push(format!("{} by {by:?}", body.wake_id));
        }
        if let Body::WakeTimedOut(body) = body {
            ends.push(format!("{} timed out", body.wake_id));
        }
        if let Body::WakeCancelled(body) = body {
            ends.push(format!("{} cancelled", body.wake_id));
        }
    }
    ends.sort();
    ends
}

const LETTERS: usize = 120;

async fn w8_what_becomes_due_at_once_is_matched_in_slices_and_ends_the_same_wakes(world: World) {
    let mut told: Vec<Vec<String>> = Vec::new();
    let kind = world.kind;
    let mut world = Some(world);
    for slice in [1, 7, MATCHING_SLICE] {
        let world = match world.take() {
            Some(first) => first,
            None => World::new(kind).await,
        };
        let world = world.matching_in_slices_of(slice);
        let pool = world.pool().await;
        let noisy = world.join(&pool, "noisy").await;
        let quiet = world.join(&pool, "quiet").await;
        for number in 0..LETTERS {
            let mut request = World::to_run("quiet", &format!("m{number}"), "-");
            request.message_id = Some(heronry_tests::message(&format!("m{number}")));
            request.expiry = Some(Expiry::In(Millis(1_000 + number as u64)));
            let send = SendMessage::new(noisy.clone(), run("noisy"), request);
            pool.call(send).await.unwrap();
        }
        // Wakes whose time is over between those, and each of them counts what expires.
        for number in 0..24_u64 {
            let n = 1 + number * 5;
            let counts = format!(
                r#"{{"count":{{"n":{n},"filter":"kind == \"run_message_expired\"","distinct_by":"message"}}}}"#
            );
            let id = format!("w{number}");
            let mut request = waiting_for(&counts, &id);
            request.timeout = Some(Millis(1_000 + 60));
            let register = RegisterWake::new(quiet.clone(), run("quiet"), request);
            pool.call(register).await.unwrap();
        }
        world.clock.advance(Millis(1_900));
        // Others ask meanwhile, and change nothing.
        for number in 0..4 {
            pool.call(letter(&noisy, &format!("later-{number}")))
                .await
                .unwrap();
        }
        world.wake_of(&pool, &quiet, &wake("w0")).await;
        let records = world.records(&pool).await;
        let expired = records.iter();
        let expired = expired.filter(|it| matches!(it.entry.body, Body::MessageExpired(_)));
        assert_eq!(expired.count(), LETTERS, "each expires once");
        told.push(ends(&world, &pool).await);
        world.check_replay(&pool).await;
    }
    assert_eq!(told[0].len(), 24);
    let timed_out = told[0].iter().filter(|it| it.ends_with("timed out"));
    assert!((1..24).contains(&timed_out.count()), "{:?}", told[0]);
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

async fn w8_a_member_that_leaves_with_many_copies_ends_each_and_every_waiter_sees_it(world: World) {
    let (world, pool, noisy, quiet) = costly(world).await;
    let gone = world.join(&pool, "gone").await;
    for number in 0..60 {
        world
            .say(&pool, &noisy, ("gone", &format!("m{number}")))
            .await;
    }
    let all =
        r#"{"count":{"n":60,"filter":"kind == \"run_message_settled\"","distinct_by":"message"}}"#;
    pool.call(register(&quiet, all, "all")).await.unwrap();
    pool.call(register(&gone, "terminal", "own")).await.unwrap();
    let before = world.head(&pool).await;
    let left = world.leave(&pool, &gone).await.unwrap().cursor.position;
    let meanwhile = pool.call(letter(&noisy, "meanwhile")).await.unwrap();
    let view = world.wake_of(&pool, &quiet, &wake("all")).await;
    assert_eq!(view.status, WakeStatus::Triggered);
    let records = world.records_after(&pool, before).await;
    let at = |is: &dyn Fn(&Body) -> bool| -> Vec<Position> {
        let found = records.iter().filter(|record| is(&record.entry.body));
        found.map(|record| record.position).collect()
    };
    assert_eq!(left, before.next());
    let cancelled = at(&|body| matches!(body, Body::WakeCancelled(_)));
    let settled = at(&|body| matches!(body, Body::MessageSettled(_)));
    assert_eq!(cancelled, [left.next()]);
    let expected: Vec<Position> = (0..60).map(|it| Position(left.0 + 2 + it)).collect();
    assert_eq!(settled, expected, "all of it is one append");
    let triggered = records.iter().find_map(|record| {
        let Body::WakeTriggered(body) = &record.entry.body else {
            return None;
        };
        Some((record.position, body))
    });
    let (at, body) = triggered.unwrap();
    let by: Vec<Position> = body.matches.iter().map(|by| by.position).collect();
    assert_eq!(by, settled, "each counts, in order");
    assert!(
        meanwhile.receipt.cursor.position < at,
        "a letter does not wait for that"
    );
    world.check_replay(&pool).await;
}

async fn w3_what_counted_before_an_opening_counts_after_it(world: World) {
    let mut world = world.matching_in_slices_of(5);
    let mut pool = world.pool().await;
    let one = world.join(&pool, "one").await;
    let two = world.join(&pool, "two").await;
    let many = r#"{"count":{"n":100,"filter":"kind == \"tool_started\"","distinct_by":"subject"}}"#;
    // What comes before the registration counts for one wake and not for the other.
    let events = |from: usize, to: usize| (from..to).map(about).collect::<Vec<_>>();
    pool.call(report(&two, events(0, 40), "b0")).await.unwrap();
    pool.call(register(&one, many, "w")).await.unwrap();
    let mut earlier = waiting_for(many, "earlier");
    earlier.since = Since::Start;
    let earlier = RegisterWake::new(one.clone(), run("one"), earlier);
    pool.call(earlier).await.unwrap();
    pool.call(report(&two, events(0, 30), "b1")).await.unwrap();
    for (round, from) in [(0, 30), (1, 40)] {
        drop(pool);
        world = world.crash().await;
        pool = world.runtime.find(&heronry_tests::pool("p")).await.unwrap();
        // Some of them counted before, and all of them come before what counts is counted again.
        let more = report(&two, events(from - 5, from + 10), &format!("after-{round}"));
        pool.call(more).await.unwrap();
    }
    // One has counted 50 since it was registered, and so has the other, since 40 of those came before.
    let almost = report(&two, events(50, 99), "almost");
    pool.call(almost).await.unwrap();
    for id in ["w", "earlier"] {
        let view = world.wake_of(&pool, &one, &wake(id)).await;
        assert_eq!(view.status, WakeStatus::Registered, "{id}");
    }
    let last = pool.call(report(&two, events(99, 100), "last"));
    let last = last.await.unwrap().last;
    for id in ["w", "earlier"] {
        let view = world.wake_of(&pool, &one, &wake(id)).await;
        assert_eq!(view.status, WakeStatus::Triggered, "{id}");
        assert_eq!(view.matches.len(), 100, "{id}");
        assert_eq!(view.matches.last().unwrap().cursor, last, "{id}");
    }
    world.check_replay(&pool).await;
}

async fn w8_a_pool_answers_before_what_counts_is_counted_again(world: World) {
    let (mut world, mut pool, noisy, quiet) = costly(world).await;
    pool.call(register(&quiet, &not_of("nobody", 450), "counting"))
        .await
        .unwrap();
    pool.call(report(&noisy, (0..400).map(about).collect(), "b1"))
        .await
        .unwrap();
    world.wake_of(&pool, &quiet, &wake("counting")).await;
    for round in 0..3 {
        drop(pool);
        world = world.crash().await;
        pool = world.runtime.find(&heronry_tests::pool("p")).await.unwrap();
        let asked = register(&quiet, "terminal", &format!("asks-{round}"));
        let asks = {
            let pool = pool.clone();
            tokio::spawn(async move { pool.call(asked).await })
        };
        let_others_run().await;
        let letters = (0..3).map(|number| pool.call(letter(&noisy, &format!("m{round}-{number}"))));
        let letters: Vec<_> = join_all(letters).await;
        let asked = asks.await.unwrap().unwrap().wake.cursor.position;
        for letter in letters {
            let at = letter.unwrap().receipt.cursor.position;
            assert!(at < asked, "{at} waits for what counts before {asked}");
        }
    }
    let counted = pool
        .explain_wake(quiet.clone(), None, wake("counting"))
        .await
        .unwrap();
    assert_eq!(counted.status, WakeStatus::Registered);
    pool.call(report(&noisy, (400..450).map(about).collect(), "b2"))
        .await
        .unwrap();
    let view = world.wake_of(&pool, &quiet, &wake("counting")).await;
    assert_eq!(view.status, WakeStatus::Triggered, "nothing is forgotten");
    world.check_replay(&pool).await;
}
