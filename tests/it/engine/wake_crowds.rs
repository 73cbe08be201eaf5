//! One event that a great many wakes wait for.

use futures::future::join_all;
use heronry_journal::{Body, Record};
use heronry_pool::{
    Caller,
    decide::{CancelWake, RegisterWake, SendMessage},
};
use heronry_runtime::Pool;
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, as_many_as_asked, asked, calling, let_others_run, on_every_store,
    on_every_store_that_is_reopened, run,
};
use heronry_types::{LimitName, Limits, Millis, PoolSpec, Position, WakeStatus, WakeView};

on_every_store! {
    a36_one_event_triggers_every_wake_and_other_commands_go_on_meanwhile
}

on_every_store_that_is_reopened! {
    a36_a_crash_while_others_go_on_triggers_the_rest_once
}

/// The number of wakes that wait, unless `HERONRY_WAITS` sets it.
const WAITS: usize = 5_000;
/// A filter that keeps the messages that the lead gets, and nobody else.
const NEWS: &str = r#"kind == "run_message_delivered" && "lead" in recipients"#;
/// The most triggers that one append records.
const PER_APPEND: usize = 1_024;

/// A pool in which the lead waits this many times for the news that it gets.
async fn scene(world: &World, waits: usize) -> (Pool, Caller, Vec<WakeView>) {
    let mut limits = Limits::default();
    limits.set(LimitName::LiveWakesPerRunMax, 1_000_000);
    let limits = Some(limits);
    let spec = PoolSpec {
        limits,
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let lead = world.join(&pool, "lead").await;
    let mut wakes = Vec::new();
    for numbers in (0..waits).collect::<Vec<_>>().chunks(2_000) {
        let register = |number: &usize| {
            let request = World::waiting(NEWS, &format!("w{number}"));
            pool.call(RegisterWake::new(lead.clone(), run("lead"), request))
        };
        let answers = join_all(numbers.iter().map(register)).await;
        wakes.extend(answers.into_iter().map(|answer| answer.unwrap().wake));
    }
    (pool, lead, wakes)
}

/// The triggers among records: which wake, and by which event.
fn triggers(records: &[Record]) -> Vec<(Position, Position)> {
    let mut triggered = Vec::new();
    for record in records {
        if let Body::WakeTriggered(body) = &record.entry.body {
            triggered.push((body.registered, body.matches[0].position));
        }
    }
    triggered
}

async fn a36_one_event_triggers_every_wake_and_other_commands_go_on_meanwhile(world: World) {
    let waits = as_many_as_asked("HERONRY_WAITS", WAITS);
    let (pool, lead, wakes) = scene(&world, waits).await;
    let scout = world.join(&pool, "scout").await;
    let clerk = world.join(&pool, "clerk").await;
    world.say(&pool, &clerk, ("clerk", "own")).await;
    let before = world.head(&pool).await;

    let hold = world.faults.hold_appends();
    let news = World::to_run("lead", "news", "news");
    let news = asked!(pool.call(SendMessage::new(scout, run("scout"), news)));
    hold.reached(1).await;
    // The event is decided, and a thousand of its triggers. Now somebody gives the last wake up,
    // and others do what has nothing to do with any wake.
    let last = wakes[waits - 1].wake_id.clone();
    let cancel = CancelWake {
        caller: lead.clone(),
        run: run("lead"),
        wake_id: last.clone(),
    };
    let cancel = calling(&pool, cancel);
    let receive = heronry_tests::receiving(&pool, World::fetch(&clerk, "r", 1), Millis(0));
    let letter = SendMessage::new(clerk, run("clerk"), World::to_run("clerk", "k", "-"));
    let letter = calling(&pool, letter);
    let_others_run().await;
    hold.release();
    let event = news.await.unwrap().receipt.timeline[1].cursor.position;
    let letter = letter.await.unwrap().unwrap().receipt;
    assert_eq!(receive.await.unwrap().unwrap().items.len(), 1);
    assert_eq!(cancel.await.unwrap().unwrap().status, WakeStatus::Triggered);

    let later = world.records_after(&pool, before).await;
    let all = triggers(&later);
    let expected: Vec<_> = wakes
        .iter()
        .map(|wake| (wake.cursor.position, event))
        .collect();
    assert!(all == expected, "each once, in order, by this event");
    let until = letter.cursor.position;
    let earlier = later.iter().take_while(|record| record.position < until);
    let earlier = triggers(&earlier.cloned().collect::<Vec<_>>()).len();
    assert!(
        earlier <= 2 * PER_APPEND,
        "the others went on after {earlier} of {waits} triggers"
    );
    for chunk in world.chunks(&pool).await {
        let records = chunk.records_after(before).map(|record| record.unwrap());
        let of_chunk = triggers(&records.collect::<Vec<_>>()).len();
        assert!(of_chunk <= PER_APPEND, "{of_chunk} triggers in one append");
    }
    assert_eq!(world.ends_of(&pool, &last).await.len(), 1);
    world.check_replay(&pool).await;
}

async fn a36_a_crash_while_others_go_on_triggers_the_rest_once(world: World) {
    let (pool, lead, wakes) = scene(&world, 3_500).await;
    let scout = world.join(&pool, "scout").await;
    let clerk = world.join(&pool, "clerk").await;
    // One that what the others do meanwhile triggers.
    let letters = r#"kind == "run_message_delivered" && run == "clerk""#;
    let own = World::waiting(letters, "own");
    let own = world.register(&pool, &clerk, own).await.wake_id;
    let hold = world.faults.hold_appends();
    let news = World::to_run("lead", "news", "news");
    let news = asked!(pool.call(SendMessage::new(scout, run("scout"), news)));
    hold.reached(1).await;
    let letter = SendMessage::new(
        clerk.clone(),
        run("clerk"),
        World::to_run("clerk", "k", "-"),
    );
    let letter = calling(&pool, letter);
    let_others_run().await;
    // The second append holds more triggers and the letter; the third one is lost.
    let third = world.faults.appends() + 2;
    world.faults.fail_append(third, AppendFault::UnknownNotKept);
    hold.release();
    let event = news.await.unwrap().receipt.timeline[1].cursor.position;
    let letter = letter.await.unwrap().unwrap().receipt.timeline[1].cursor;
    world.stopped(&pool).await;
    drop(pool);

    let world = world.crash().await;
    let pool = world.pool().await;
    let woken = world.wake_of(&pool, &clerk, &own).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    assert_eq!(woken.matches[0].cursor, letter);
    let mut all = triggers(&world.records(&pool).await);
    all.retain(|(_, by)| *by == event);
    let expected: Vec<_> = wakes
        .iter()
        .map(|wake| (wake.cursor.position, event))
        .collect();
    assert!(all == expected, "each once, in order, by this event");
    let last = world.wake_of(&pool, &lead, &wakes[3_499].wake_id).await;
    assert_eq!(last.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}
