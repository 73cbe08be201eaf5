//! Looking back: what came before a registration is looked through beside the pool, and none is lost (W3).

use heronry_types::{DistinctBy, RunEnd};

use crate::scenario::{Joining, Scenario, Wait, notation::count};

fn for_failure(id: &str) -> Wait {
    Wait::for_one(r#"kind == "run_failed""#, id).since("start")
}

/// A pool in which wakes look back beside it, and `a` has failed at 6.
fn beside() -> Scenario {
    let mut pool = Scenario::of("lead a b c");
    pool.end("a", RunEnd::Failed).ok();
    pool.look_back_beside();
    pool
}

#[test]
fn w3_a_wake_that_looks_far_back_is_registered_before_that_is_done() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1"))
        .records(["7 lead waits w1 for kind == \"run_failed\" since 0, looks back to 6"])
        .answer("w1 of lead registered at 7");
    pool.finish_look(7).records([
        "8 w1@7 looked back: 0@6 (engine) <- 7",
        "9 w1@7 triggered by 6 (engine) <- 6",
    ]);
}

#[test]
fn w3_a_later_match_is_held_until_the_earlier_events_are_known_and_the_earliest_wins() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.end("b", RunEnd::Failed)
        .records(["8 b/4 ended: failed, 2 there"]);
    pool.finish_look(7).records([
        "9 w1@7 looked back: 0@6 (engine) <- 7",
        "10 w1@7 triggered by 6 (engine) <- 6",
    ]);
}

#[test]
fn w3_a_later_match_triggers_when_nothing_came_before() {
    let mut pool = Scenario::of("lead a b");
    pool.look_back_beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.end("b", RunEnd::Failed)
        .records(["6 b/4 ended: failed, 2 there"]);
    pool.finish_look(5).records([
        "7 w1@5 looked back: nothing (engine) <- 5",
        "8 w1@5 triggered by 6 (engine) <- 6",
    ]);
}

#[test]
fn w3_a_match_after_a_look_in_vain_triggers() {
    let mut pool = Scenario::of("lead a b");
    pool.look_back_beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.finish_look(5)
        .records(["6 w1@5 looked back: nothing (engine) <- 5"]);
    pool.end("b", RunEnd::Failed).records([
        "7 b/4 ended: failed, 2 there",
        "8 w1@5 triggered by 7 (engine) <- 7",
    ]);
}

#[test]
fn w3_earlier_and_later_events_count_together() {
    let mut pool = beside();
    let ends = count(2, DistinctBy::Run, r#"kind == "run_failed""#);
    pool.wait("lead", &Wait::on(ends, "w1").since("start"))
        .records([
            "7 lead waits w1 for count(2, run, kind == \"run_failed\") since 0, looks back to 6",
        ]);
    pool.end("b", RunEnd::Failed)
        .records(["8 b/4 ended: failed, 2 there"]);
    pool.end("c", RunEnd::Failed)
        .records(["9 c/5 ended: failed, 1 there"]);
    pool.finish_look(7).records([
        "10 w1@7 looked back: 0@6 (engine) <- 7",
        "11 w1@7 triggered by 6, 8 (engine) <- 8",
    ]);
}

#[test]
fn w3_a_cancel_ends_a_wake_that_still_looks_back() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.cancel_wake("lead", "w1")
        .records(["8 w1@7 cancelled: requested <- 7"]);
    pool.finish_look(7).nothing();
}

#[test]
fn w3_a_timeout_ends_a_wake_that_still_looks_back() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1").timeout(1_000)).ok();
    pool.pass(1_000).records(["8 w1@7 timed out (engine) <- 7"]);
    pool.finish_look(7).nothing();
}

#[test]
fn w3_a_look_that_a_kill_cut_short_begins_again() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.end("b", RunEnd::Failed).ok();
    pool.kill();
    pool.finish_look(7).records([
        "9 w1@7 looked back: 0@6 (engine) <- 7",
        "10 w1@7 triggered by 6 (engine) <- 6",
    ]);
}

#[test]
fn w3_a_look_is_finished_once() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.finish_look(7).ok();
    pool.finish_look(7).nothing();
    pool.finish_look(3).nothing();
}

#[test]
fn w5_a_wake_fails_when_what_it_looks_back_at_is_gone() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.finish_look_in_vain(7)
        .records(["8 w1@7 failed: trimmed (engine) <- 7"]);
    pool.wake("lead", "w1")
        .answer("w1 of lead failed trimmed at 8");
    pool.end("b", RunEnd::Failed)
        .records(["9 b/4 ended: failed, 2 there"]);
}

#[test]
fn w3_a_repeated_registration_looks_at_nothing_again() {
    let mut pool = beside();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.wait("lead", &for_failure("w1"))
        .nothing()
        .answer("w1 of lead registered at 7, repeated");
}

#[test]
fn w3_a_lost_member_that_waits_from_a_cursor_sees_that_it_is_back() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("a").lease(1_000)).ok();
    pool.pass(1_000).ok();
    let wait = Wait::for_one(r#"kind == "run_resumed""#, "w1")
        .wakes_too()
        .since("4");
    pool.wait("a", &wait).records([
        "5 a/3 is back: heard of",
        "6 a waits w1 for kind == \"run_resumed\" since 4, wakes too",
        "7 w1@6 triggered by 5 (engine) <- 5",
    ]);
}

#[test]
fn w3_of_every_place_of_an_event_before_or_after_a_registration_none_is_lost() {
    for before in [true, false] {
        for beside in [true, false] {
            let mut pool = Scenario::of("lead a");
            if beside {
                pool.look_back_beside();
            }
            if before {
                pool.end("a", RunEnd::Failed).ok();
            }
            pool.wait("lead", &for_failure("w1")).ok();
            let registered = if before { 5 } else { 4 };
            if !before {
                pool.end("a", RunEnd::Failed).ok();
            }
            if beside {
                pool.finish_look(registered).ok();
            }
            let by = if before { 4 } else { 5 };
            let end = if beside { 7 } else { 6 };
            let answer = format!("w1 of lead triggered at {end} by {by}");
            pool.wake("lead", "w1").answer(&answer);
        }
    }
}
