//! Nobody waits for ever for what is matched, whatever the others ask for meanwhile; and no wake is
//! lost, whenever a pool is killed while it catches up.

use heronry_journal::Body;
use heronry_pool::{Caller, decide::CreatePool};
use heronry_tests::World;
use heronry_types::{EventKind, NewEvent, PoolSpec};

use crate::wake_slices::{Alone, about, letter, register, report};

/// The number of values that a slice looks at here: fewer than one event takes.
const SLICE: usize = 64;
/// More reports than may go before what waits at the beginning of these tests.
const REPORTS_MAX: usize = 256;

/// Matches until nothing waits, while a member reports four events whenever it may; returns how many reports
/// went before it.
fn catch_up(alone: &mut Alone, noisy: &Caller) -> usize {
    let mut reports = 0;
    while alone.engine.is_behind() {
        if !alone.engine.is_far_behind() {
            let events = (0..4).map(|it| about(10_000 + reports * 4 + it));
            alone.ask(&report(noisy, events.collect(), &format!("r{reports}")));
            reports += 1;
        }
        alone.match_more();
        assert!(
            reports <= REPORTS_MAX,
            "{reports} reports, and still behind"
        );
    }
    reports
}

#[test]
fn w8_commands_that_wait_have_their_turn_though_one_event_takes_more_than_a_slice() {
    let (mut alone, noisy) = Alone::costly();
    alone.engine.match_in_slices_of(SLICE);
    alone.begin();
    alone.ask(&report(&noisy, (0..16).map(about).collect(), "b"));
    assert!(alone.engine.is_behind());
    let reports = catch_up(&mut alone, &noisy);
    assert!(reports >= 64, "{reports} reports went before them");
}

#[test]
fn w8_commands_do_not_go_on_while_nothing_is_counted_again() {
    let (mut alone, noisy) = Alone::costly();
    alone.ask(&report(&noisy, (0..100).map(about).collect(), "b"));
    alone.match_all();
    let mut opened = alone.opened();
    let mut letters = 0;
    while !opened.engine.is_far_behind() {
        opened.ask(&letter(&noisy, &format!("m{letters}")));
        letters += 1;
        assert!(letters <= 256, "{letters} letters, and no slice");
    }
    assert!(letters >= 64, "{letters} letters went before it");
}

#[test]
fn w8_commands_that_wait_have_their_turn_while_a_pool_catches_up() {
    let (mut alone, noisy) = Alone::costly();
    alone.ask(&register(&noisy, "terminal", "of-one-event"));
    alone.ask(&report(&noisy, (0..16).map(about).collect(), "b"));
    alone.match_all();
    let mut opened = alone.opened();
    opened.engine.match_in_slices_of(SLICE);
    let reports = catch_up(&mut opened, &noisy);
    assert!(reports >= 32, "{reports} reports went before them");
}

const COMPLETED: &str = r#"kind == "tool_completed""#;

/// Returns how often the wakes were triggered that wait for one event.
fn triggers(alone: &Alone) -> usize {
    let bodies = alone.records.iter().map(|record| &record.entry.body);
    let triggered = bodies.filter(
        |body| matches!(body, Body::WakeTriggered(body) if body.wake_id.as_str().starts_with("one")),
    );
    triggered.count()
}

/// Begins appends until everything is matched and recorded.
fn finish(alone: &mut Alone) {
    while alone.engine.has_backlog() {
        alone.begin();
        alone.match_more();
    }
}

/// An engine whose journal ends with an event that is not matched, with two wakes that this event ends.
fn with_unmatched() -> (Alone, Caller) {
    let mut alone = Alone::new();
    let spec = PoolSpec::default();
    alone.ask(&CreatePool { spec });
    let joined = alone.ask(&World::joining("noisy"));
    let noisy = World::member("noisy", joined.generation);
    let filter = serde_json::to_string(COMPLETED).unwrap();
    let count = format!(r#"{{"count":{{"n":1,"filter":{filter},"distinct_by":"event"}}}}"#);
    alone.ask(&register(&noisy, &count, "one-of-a-count"));
    alone.ask(&register(&noisy, COMPLETED, "one-of-a-filter"));
    alone.begin_at(1);
    alone.engine.match_in_slices_of(1);
    alone.begin_at(2);
    let mut events: Vec<_> = (0..99).map(about).collect();
    events.push(NewEvent::new(EventKind::ToolCompleted));
    alone.ask(&report(&noisy, events, "last"));
    assert!(alone.engine.is_behind());
    assert_eq!(triggers(&alone), 0);
    (alone, noisy)
}

#[test]
fn w8_no_wake_is_lost_whenever_a_pool_is_killed_again_while_it_catches_up() {
    let (alone, noisy) = with_unmatched();
    let mut opened = alone.opened();
    opened.engine.match_in_slices_of(SLICE);
    let (killed_at, mut most) = (opened.records.len(), 0);
    for round in 0..480 {
        if !opened.engine.is_far_behind() {
            opened.begin_at(10 + round);
            let events = (0..500).map(about).collect();
            opened.ask(&report(&noisy, events, &format!("r{round}")));
        }
        opened.match_more();
        if round % 60 == 59 {
            let mut again = opened.opened();
            finish(&mut again);
            let staged = opened.records.len() - killed_at;
            assert_eq!(triggers(&again), 2, "killed after {staged} more");
            most = most.max(staged);
        }
    }
    assert!(most > 32 * 1_024, "{most} were staged");
}
