//! Suspended runs that nobody could resume (W9).

use crate::scenario::{Scenario, Wait};

#[test]
fn w9_runs_that_wait_only_on_each_other_are_suspected() {
    let mut pool = Scenario::of("a b");
    pool.wait(
        "a",
        &Wait::for_one(r#"run == "b""#, "wa").suspends_forever(),
    )
    .ok();
    pool.wait(
        "b",
        &Wait::for_one(r#"run == "a""#, "wb").suspends_forever(),
    )
    .ok();
    pool.pass(999).nothing();
    pool.pass(1)
        .records(["8 deadlock of a, b in wa, wb (engine)"]);
    pool.pass(60_000).nothing();
    pool.describe("operator").answer(
        "head 8, floor 0, version 1, 2 members, 0 lost, 2 asleep, 0 messages, 2 wakes, 0 dead",
    );
}

#[test]
fn w9_a_third_member_that_could_help_makes_it_no_deadlock() {
    let mut pool = Scenario::of("a b c");
    let turns = r#"kind == "turn_started" && run in ["b", "c"]"#;
    pool.wait("a", &Wait::for_one(turns, "wa").suspends_forever())
        .ok();
    pool.wait(
        "b",
        &Wait::for_one(r#"run == "a""#, "wb").suspends_forever(),
    )
    .ok();
    pool.pass(60_000).nothing();
    pool.leave("c").records(["9 c/4 left: left, 2 there"]);
    pool.pass(60_000)
        .records(["10 deadlock of a, b in wa, wb (engine)"]);
}

#[test]
fn w9_a_wake_that_no_live_member_can_end_is_orphaned() {
    let mut pool = Scenario::of("a b");
    pool.wait(
        "a",
        &Wait::for_one(r#"run == "nobody""#, "w1").suspends_forever(),
    )
    .ok();
    pool.pass(60_000).records(["6 w1@4 orphaned (engine) <- 4"]);
    pool.reopen().nothing();
    pool.pass(60_000).nothing();
}

#[test]
fn w9_a_suspicion_ends_when_one_of_the_runs_goes_on() {
    let mut pool = Scenario::of("a b");
    pool.wait(
        "a",
        &Wait::for_one(r#"run == "b""#, "wa").suspends_forever(),
    )
    .ok();
    pool.wait(
        "b",
        &Wait::for_one(r#"run == "a""#, "wb").suspends_forever(),
    )
    .ok();
    pool.pass(1_000).ok();
    pool.resume("operator for a")
        .records(["9 a/2 is back: command (operator)"]);
    pool.pass(60_000).nothing();
}
