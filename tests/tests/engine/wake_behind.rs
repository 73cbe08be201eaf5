//! Nobody waits for ever for what is matched, whatever the others ask for meanwhile.

use crate::wake_slices::{Alone, about, letter, register, report};
use heronry_pool::Caller;

/// How many values are come upon in a slice here: fewer than one event takes.
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
