//! Races of what happens and of who begins to wait for it, from two tasks on real threads.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use heronry_journal::Body;
use heronry_pool::{
    Caller,
    decide::{CancelWake, RegisterWake, SendMessage, SendRequest, WakeRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{
    World, as_many_as_asked, calling, key, on_every_store_with_threads, run, topic, tries::Draw,
};
use heronry_types::{
    Address, Correlation, Millis, PoolSpec, Position, Since, WakeId, WakeStatus, WakeView,
};

on_every_store_with_threads! {
    a30_no_race_of_send_and_register_loses_or_doubles_a_wake
    a34_a_race_of_trigger_cancel_and_timeout_has_one_end_that_everybody_is_told
}

/// The number of races, unless `HERONRY_RACES` sets it.
const RACES: usize = 400;
/// The numbers of races that run at once: some look back further than is done at once.
const AT_ONCE: [usize; 4] = [60, 30, 90, 320];

/// The races of a round in another order, some of them at the same time.
fn shuffled(draw: &mut Draw, races: std::ops::Range<usize>) -> Vec<Vec<usize>> {
    let mut left: Vec<usize> = races.collect();
    for last in (1..left.len()).rev() {
        left.swap(last, draw.below(last + 1));
    }
    let mut groups = Vec::new();
    while !left.is_empty() {
        let some = left.len().min(1 + draw.below(16));
        groups.push(left.split_off(left.len() - some));
    }
    groups
}

/// A message to nobody, which says which race it is of.
fn news(race: usize) -> SendRequest {
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    let mut correlation = Correlation::new();
    correlation.insert("race".parse().unwrap(), race.to_string().parse().unwrap());
    SendRequest {
        correlation,
        ..SendRequest::new(to, heronry_tests::body("-"), key(&format!("k{race}")))
    }
}

/// Returns a wake that waits for the message of a race.
fn waiting(race: usize, since: Since) -> WakeRequest {
    let accepted = r#"kind == "run_message_accepted""#;
    let filter = format!(r#"{accepted} && correlation["race"] == "{race}""#);
    WakeRequest {
        since,
        ..World::waiting(&filter, &format!("w{race}"))
    }
}

/// Sends every message of a round; returns the acceptance of each.
async fn send_all(
    (pool, from): (Pool, Caller),
    order: Vec<Vec<usize>>,
) -> BTreeMap<usize, Position> {
    let mut acceptances = BTreeMap::new();
    for group in order {
        let calls = group.iter().map(|race| {
            let send = SendMessage::new(from.clone(), run("scout"), news(*race));
            pool.call(send)
        });
        for (race, answer) in group.iter().zip(join_all(calls).await) {
            acceptances.insert(*race, answer.unwrap().receipt.cursor.position);
        }
    }
    acceptances
}

/// Registers every wake of a round; returns each as it was answered.
async fn register_all(
    (pool, waiter): (Pool, Caller),
    since: Since,
    order: Vec<Vec<usize>>,
) -> BTreeMap<usize, WakeView> {
    let mut wakes = BTreeMap::new();
    for group in order {
        let calls = group.iter().map(|race| {
            let register = RegisterWake::new(waiter.clone(), run("lead"), waiting(*race, since));
            pool.call(register)
        });
        for (race, answer) in group.iter().zip(join_all(calls).await) {
            wakes.insert(*race, answer.unwrap().wake);
        }
    }
    wakes
}

/// Runs a round of races and checks that each wake was triggered by its own message; returns them.
async fn round(
    (pool, lead, scout): (&Pool, &Caller, &Caller),
    races: std::ops::Range<usize>,
    draw: &mut Draw,
) -> BTreeSet<WakeId> {
    let since = Since::Cursor(pool.head());
    let (sends, registers) = (shuffled(draw, races.clone()), shuffled(draw, races));
    let sends = tokio::spawn(send_all((pool.clone(), scout.clone()), sends));
    let registers = register_all((pool.clone(), lead.clone()), since, registers);
    let (registers, sends) = (tokio::spawn(registers).await, sends.await);
    let (wakes, sent) = (registers.unwrap(), sends.unwrap());
    let mut triggered = BTreeSet::new();
    for (race, mut wake) in wakes {
        triggered.insert(wake.wake_id.clone());
        if wake.status != WakeStatus::Triggered {
            let ended = pool.wait_wake(lead.clone(), None, wake.wake_id, Millis(50_000));
            wake = ended.await.unwrap();
        }
        assert_eq!(wake.status, WakeStatus::Triggered, "wake {race} was lost");
        let by: Vec<Position> = wake.matches.iter().map(|by| by.cursor.position).collect();
        assert_eq!(by, [sent[&race]], "wake {race}");
    }
    triggered
}

async fn a30_no_race_of_send_and_register_loses_or_doubles_a_wake(world: World) {
    let pool = world.pool_with(PoolSpec::default()).await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let (races, mut draw) = (as_many_as_asked("HERONRY_RACES", RACES), Draw(0x5eed));
    let mut triggered = BTreeSet::new();
    let (mut first, mut sizes) = (0, AT_ONCE.into_iter().cycle());
    while first < races {
        let next = races.min(first + sizes.next().unwrap_or(1));
        let of_round = round((&pool, &lead, &scout), first..next, &mut draw).await;
        triggered.extend(of_round);
        first = next;
    }
    assert_eq!(triggered.len(), races, "no wake stands for two");
    for record in world.records(&pool).await {
        if let Body::WakeTriggered(body) = &record.entry.body {
            assert!(triggered.remove(&body.wake_id), "a wake was doubled");
        }
    }
    assert!(triggered.is_empty(), "a wake was lost");
    world.check_replay(&pool).await;
}

/// The number of wakes that are triggered, given up and late at the same time.
const ENDS: usize = 120;

async fn a34_a_race_of_trigger_cancel_and_timeout_has_one_end_that_everybody_is_told(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let (mut draw, mut seen) = (Draw(0xace), BTreeSet::new());
    for race in 0..ENDS {
        let request = WakeRequest {
            timeout: Some(Millis(5)),
            ..waiting(race, Since::Head)
        };
        let wake = world.register(&pool, &lead, request).await.wake_id;
        let cancel = CancelWake {
            caller: lead.clone(),
            run: run("lead"),
            wake_id: wake.clone(),
        };
        let send = SendMessage::new(scout.clone(), run("scout"), news(race));
        let mut turns = [0, 1, 2];
        turns.swap(0, draw.below(3));
        turns.swap(1, 1 + draw.below(2));
        let (mut cancelled, mut told) = (None, None);
        for turn in turns {
            match turn {
                0 => cancelled = Some(calling(&pool, cancel.clone())),
                1 => told = Some(calling(&pool, send.clone())),
                _ => world.clock.advance(Millis(5)),
            }
            for _ in 0..draw.below(4) {
                tokio::task::yield_now().await;
            }
        }
        told.unwrap().await.unwrap().unwrap();
        let answered = cancelled.unwrap().await.unwrap().unwrap();
        let end = world.wake_of(&pool, &lead, &wake).await;
        assert_ne!(end.status, WakeStatus::Registered);
        assert_eq!(answered, end, "whoever gave it up was told how it ended");
        let again = world.unrecorded(&pool, pool.call(cancel)).await;
        assert_eq!(again, end, "giving it up again changes nothing");
        assert_eq!(world.ends_of(&pool, &wake).await.len(), 1);
        seen.insert(end.status.to_string());
    }
    assert!(seen.len() > 1, "the same one always came first: {seen:?}");
    world.check_replay(&pool).await;
}
