//! Wakes that suspend their runs until they end (W1, W4).

use heronry_types::RunEnd;

use crate::scenario::{Joining, Scenario, Take, Wait};

fn for_failure(id: &str) -> Wait {
    Wait::for_one(r#"kind == "run_failed""#, id)
}

/// A pool where `scout` holds a claim of `m1` for ten seconds, and has a lease of ten seconds.
fn busy() -> Scenario {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("scout").lease(10_000)).ok();
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", Take::by("r1").held_for(10_000)).ok();
    pool
}

#[test]
fn w1_a_suspending_wake_suspends_its_run_until_it_ends() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.wait("scout", &for_failure("w1").suspends_forever())
        .records([
            "8 scout waits w1 for kind == \"run_failed\" since 8, suspends for forever",
            "9 scout/3 suspended for w1@8",
        ])
        .at_once()
        .answer("w1 of scout registered at 8, run suspended");
    pool.end("a", RunEnd::Failed).records([
        "10 a/7 ended: failed, 2 there",
        "11 w1@8 triggered by 10 (engine) <- 10",
        "12 scout/3 is back: wake (engine) <- 11",
    ]);
    pool.wake("scout", "w1")
        .answer("w1 of scout triggered at 11 by 10, run active");
}

#[test]
fn w1_any_of_several_suspending_wakes_resumes_the_run() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.wait("scout", &for_failure("w1").timeout(60_000).suspends())
        .ok();
    pool.wait(
        "scout",
        &Wait::for_one(r#"kind == "run_completed""#, "w2").suspends_forever(),
    )
    .records([
        "10 scout waits w2 for kind == \"run_completed\" since 10, suspends for forever",
        "11 scout/3 suspended for w1@8, w2@10",
    ]);
    pool.end("a", RunEnd::Failed).records([
        "12 a/7 ended: failed, 2 there",
        "13 w1@8 triggered by 12 (engine) <- 12",
        "14 scout/3 is back: wake (engine) <- 13",
    ]);
}

#[test]
fn w1_a_suspending_wake_that_still_waits_counts_for_the_next_suspension() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.wait("scout", &for_failure("w1").suspends_forever())
        .ok();
    pool.resume("scout").ok();
    let other = Wait::for_one(r#"kind == "run_completed""#, "w2");
    pool.wait("scout", &other.suspends_forever()).records([
        "11 scout waits w2 for kind == \"run_completed\" since 11, suspends for forever",
        "12 scout/3 suspended for w1@8, w2@11",
    ]);
    pool.cancel_wake("scout", "w1").records([
        "13 w1@8 cancelled: requested <- 8",
        "14 scout/3 is back: wake (engine) <- 13",
    ]);
}

#[test]
fn w4_what_suspends_a_run_for_a_wake_is_no_event_for_it() {
    let mut pool = Scenario::of("lead");
    let sleeps = r#"kind == "run_suspended""#;
    for id in ["w1", "w2"] {
        let wait = Wait::for_one(sleeps, id).wakes_too();
        pool.wait("lead", &wait.suspends_forever()).ok();
    }
    pool.wakes("lead", None, 9).answer(
        "w1 of lead registered at 3, run suspended, w2 of lead registered at 5, run suspended",
    );
}

#[test]
fn w1_a_wake_that_ends_at_once_suspends_nobody() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.wait(
        "scout",
        &for_failure("w1").since("start").suspends_forever(),
    )
    .records([
        "9 scout waits w1 for kind == \"run_failed\" since 0, suspends for forever",
        "10 w1@9 triggered by 8 (engine) <- 8",
    ]);
    pool.wait("scout", &for_failure("w2").timeout(0).suspends())
        .records([
            "11 scout waits w2 for kind == \"run_failed\" since 11, until 0s, suspends for timeout",
            "12 w2@11 timed out (engine) <- 11",
        ]);
}

#[test]
fn w1_a_suspending_wake_has_one_end() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1").suspends())
        .refused("one end");
    pool.wait(
        "scout",
        &for_failure("w1").timeout(1_000).suspends_forever(),
    )
    .refused("one end");
}

#[test]
fn w1_a_suspending_wake_gives_back_what_it_names() {
    let mut pool = busy();
    pool.wait(
        "scout",
        &for_failure("w1").timeout(9_000).suspends().releasing("m1"),
    )
    .records([
        "7 scout waits w1 for kind == \"run_failed\" since 7, until 9s, suspends for timeout",
        "8 scout released m1 4@6 released",
        "9 scout/3 suspended for w1@7",
    ]);
}

#[test]
fn w1_a_suspending_wake_that_times_out_resumes_its_run() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1").timeout(9_000).suspends())
        .ok();
    pool.pass(9_000).records([
        "9 w1@7 timed out (engine) <- 7",
        "10 scout/3 is back: wake (engine) <- 9",
    ]);
}

#[test]
fn w1_a_repeated_registration_suspends_and_resumes_nobody() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1").timeout(60_000).suspends())
        .ok();
    pool.wait("scout", &for_failure("w1").timeout(60_000).suspends())
        .nothing()
        .answer("w1 of scout registered at 7, until 60s, run suspended, repeated");
    pool.resume("scout").ok();
    pool.wait("scout", &for_failure("w1").timeout(60_000).suspends())
        .nothing()
        .answer("w1 of scout registered at 7, until 60s, run active, repeated");
}

#[test]
fn w1_a_suspended_run_that_is_taken_over_with_fewer_policies_goes_on() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("team")).ok();
    let wait = for_failure("w1").policies("team").suspends_forever();
    pool.wait("lead", &wait).ok();
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .records([
            "5 lead/2 taken over by i2, 1 there (operator)",
            "6 w1@3 cancelled: policy (engine) <- 5",
        ]);
    pool.members("operator", None, 9)
        .answer("lead/5, 0 unread, 0 wakes, seen 0s");
}
