//! Suspended runs: what stands still for them, and what lets them go on (P6).

use heronry_types::{LimitName, RunEnd};

use crate::scenario::{Joining, Letter, Scenario, Sleep, Take, Wait};

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
fn p6_a_run_is_suspended_for_wakes_for_a_time_or_forever() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1")).ok();
    pool.wait("scout", &for_failure("w2")).ok();
    pool.suspend("scout", &Sleep::on("w2 w1 w2").timeout(60_000))
        .records(["9 scout/3 suspended for w1@7, w2@8 until 60s"])
        .answer("suspended at 9");
    pool.members("operator", None, 9).answer("lead/2, 0 unread, 0 wakes, seen 0s, scout/3 lease 10s, 0 unread, 2 wakes, seen 0s, asleep since 9 for [w1, w2] until 60s");
    pool.suspend("scout", &Sleep::default())
        .records(["10 scout/3 suspended"])
        .answer("suspended at 10");
}

#[test]
fn p6_while_a_run_is_suspended_its_lease_and_its_claims_stand_still() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(600_000))
        .ok();
    pool.pass(599_999).nothing();
    pool.pass(1)
        .records(["8 scout/3 is back: timeout (engine) <- 7"]);
}

#[test]
fn p6_a_resumed_run_has_its_lease_and_its_claims_for_their_terms_again() {
    let mut pool = busy();
    pool.pass(9_000).ok();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.pass(60_000).ok();
    pool.pass(9_999).nothing();
    pool.pass(1).records([
        "9 scout released m1 4@6 lapsed (engine)",
        "10 scout/3 lost, kept until 86479s (engine)",
    ]);
}

#[test]
fn p6_claims_that_are_named_are_given_back() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000).releasing("m1"))
        .records([
            "7 scout released m1 4@6 released",
            "8 scout/3 suspended until 60s",
        ])
        .at_once();
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 4: scout queued#1");
}

#[test]
fn p6_a_claim_that_is_not_held_is_not_given_back_and_nobody_is_suspended() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().releasing("5@99"))
        .refused("unknown 5@99");
    pool.heartbeat("scout").nothing();
}

#[test]
fn p6_the_end_of_a_wake_resumes_its_run_in_the_same_append() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.wait("scout", &for_failure("w1")).ok();
    pool.suspend("scout", &Sleep::on("w1")).ok();
    pool.end("a", RunEnd::Failed)
        .records([
            "10 a/7 ended: failed, 2 there",
            "11 w1@8 triggered by 10 (engine) <- 10",
            "12 scout/3 is back: wake (engine) <- 11",
        ])
        .at_once();
}

#[test]
fn p6_any_end_of_a_wake_resumes_its_run() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1").timeout(5_000)).ok();
    pool.suspend("scout", &Sleep::on("w1")).ok();
    pool.pass(5_000).records([
        "9 w1@7 timed out (engine) <- 7",
        "10 scout/3 is back: wake (engine) <- 9",
    ]);
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1")).ok();
    pool.suspend("scout", &Sleep::on("w1")).ok();
    pool.cancel_wake("operator for scout", "w1").records([
        "9 w1@7 cancelled: requested (operator) <- 7",
        "10 scout/3 is back: wake (engine) <- 9",
    ]);
}

#[test]
fn p6_the_end_of_another_wake_resumes_nobody() {
    let mut pool = busy();
    pool.join("a").ok();
    pool.wait("scout", &for_failure("w1")).ok();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w2"))
        .ok();
    pool.suspend("scout", &Sleep::on("w1").timeout(60_000)).ok();
    pool.end("a", RunEnd::Completed).records([
        "11 a/7 ended: completed, 2 there",
        "12 w2@9 triggered by 11 (engine) <- 11",
    ]);
}

#[test]
fn p6_an_urgent_message_resumes_and_another_does_not() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.say("lead", "scout", "m2")
        .records(["8 lead sent m2 to scout", "9 m2@8 delivered to scout <- 8"]);
    pool.send("lead", &Letter::to("scout", "m3").steer())
        .records([
            "10 lead sent m3 to scout, steer",
            "11 m3@10 delivered to scout <- 10",
        ]);
    pool.send("lead", &Letter::to("scout", "m4").interrupt())
        .records([
            "12 lead sent m4 to scout, interrupt",
            "13 m4@12 delivered to scout <- 12",
            "14 scout/3 is back: interrupt (engine) <- 12",
        ])
        .at_once();
}

#[test]
fn p6_a_delayed_interrupt_resumes_when_it_can_be_claimed() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.send("lead", &Letter::to("scout", "m2").interrupt().after(5_000))
        .records([
            "8 lead sent m2 to scout, interrupt, after 5s",
            "9 m2@8 delivered to scout <- 8",
        ]);
    pool.pass(4_999).nothing();
    pool.pass(1)
        .records(["10 scout/3 is back: interrupt (engine) <- 8"]);
}

#[test]
fn p6_an_interrupt_that_was_given_back_for_a_while_resumes_when_it_can_be_claimed_again() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").interrupt())
        .ok();
    pool.receive("scout", "r1").ok();
    pool.release_for("scout", "m1", 5_000).ok();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .records(["8 scout/3 suspended until 60s"]);
    pool.pass(4_999).nothing();
    pool.pass(1)
        .records(["9 scout/3 is back: interrupt (engine) <- 4"]);
}

#[test]
fn p6_a_delayed_interrupt_resumes_after_a_kill() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.send("lead", &Letter::to("scout", "m2").interrupt().after(5_000))
        .ok();
    pool.kill();
    pool.stall(5_000);
    pool.tick()
        .records(["10 scout/3 is back: interrupt (engine) <- 8"]);
}

#[test]
fn p6_whatever_the_run_does_resumes_it() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.say("scout", "lead", "m2").records([
        "8 scout sent m2 to lead",
        "9 m2@8 delivered to lead <- 8",
        "10 scout/3 is back: command <- 8",
    ]);
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.ack("scout", "m1").records([
        "12 scout acked m1 4@6 done",
        "13 m1@4 settled: acked#1 done (engine) <- 4",
        "14 scout/3 is back: command <- 12",
    ]);
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.resume("scout")
        .records(["16 scout/3 is back: command"])
        .answer("active at 15");
    pool.resume("scout").nothing().answer("active at 16");
}

#[test]
fn p6_an_operator_who_acts_for_the_run_resumes_it_and_it_says_so() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.resume("operator for scout")
        .records(["8 scout/3 is back: command (operator)"]);
}

#[test]
fn p6_being_there_asking_being_refused_and_repeating_resume_nobody() {
    let mut pool = busy();
    pool.say("scout", "lead", "s1").ok();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.heartbeat("scout").nothing();
    pool.peek("scout", 1).nothing();
    pool.members("scout", None, 1).nothing();
    pool.receipt("scout", "s1").nothing();
    pool.ack("scout", "5@99").refused("unknown 5@99");
    pool.say("scout", "lead", "s1").nothing();
    pool.describe("operator").answer(
        "head 9, floor 0, version 1, 2 members, 0 lost, 1 asleep, 2 messages, 0 wakes, 0 dead",
    );
}

#[test]
fn p6_a_receive_of_nothing_resumes_the_run_and_an_operator_who_changes_it_does_not() {
    let mut pool = Scenario::of("lead scout");
    pool.suspend("scout", &Sleep::default()).ok();
    pool.set_topics("operator for scout", "news")
        .records(["5 scout changed #news (operator)"]);
    pool.receive("scout", "r1")
        .records(["6 scout/3 is back: command"]);
    pool.suspend("scout", &Sleep::default()).ok();
    pool.set_topics("scout", "")
        .records(["8 scout changed", "9 scout/3 is back: command <- 8"]);
}

#[test]
fn p6_what_holds_already_resumes_in_the_append_that_suspends() {
    let mut pool = busy();
    pool.wait("scout", &for_failure("w1").timeout(1_000)).ok();
    pool.pass(1_000).ok();
    pool.suspend("scout", &Sleep::on("w1"))
        .records([
            "9 scout/3 suspended for w1@7",
            "10 scout/3 is back: wake (engine) <- 8",
        ])
        .at_once()
        .answer("active at 9");
    pool.suspend("scout", &Sleep::default().timeout(0))
        .records([
            "11 scout/3 suspended until 1s",
            "12 scout/3 is back: timeout (engine) <- 11",
        ]);
    pool.send("lead", &Letter::to("scout", "m2").interrupt())
        .ok();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .records([
            "15 scout/3 suspended until 61s",
            "16 scout/3 is back: interrupt (engine) <- 13",
        ]);
}

#[test]
fn p6_only_own_wakes_are_waited_for() {
    let mut pool = busy();
    pool.wait("lead", &for_failure("w1")).ok();
    pool.suspend("scout", &Sleep::on("w1"))
        .refused("no such wake");
    pool.suspend("scout", &Sleep::on("nothing"))
        .refused("no such wake");
}

#[test]
fn p6_a_suspension_names_as_many_wakes_as_a_run_may_have_and_ends_within_the_calendar() {
    let mut pool = Scenario::limited(&[(LimitName::LiveWakesPerRunMax, 1)], "lead");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.suspend("lead", &Sleep::on("w1 w1"))
        .refused("live_wakes_per_run_max: 2 of 1");
    pool.suspend("lead", &Sleep::on("w1").timeout(u64::MAX))
        .refused("timeout_ms past the calendar");
}

#[test]
fn p6_a_takeover_ends_a_suspension_and_joining_again_does_not() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.join(Joining::of("scout")).nothing();
    pool.describe("operator").answer(
        "head 7, floor 0, version 1, 2 members, 0 lost, 1 asleep, 1 messages, 0 wakes, 0 dead",
    );
    pool.join(Joining::of("scout").instance("i2"))
        .records(["8 scout/3 taken over by i2, 2 there (operator)"]);
    pool.describe("operator").answer(
        "head 8, floor 0, version 1, 2 members, 0 lost, 0 asleep, 1 messages, 0 wakes, 0 dead",
    );
    pool.pass(60_000).nothing();
}

#[test]
fn p6_a_suspended_run_leaves_and_ends_as_every_other() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.leave("scout").records([
        "8 scout/3 left: left, 1 there",
        "9 m1@4 settled: undeliverable#1 left (engine) <- 4",
    ]);
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.end("scout", RunEnd::Completed).records([
        "8 scout/3 ended: completed, 1 there",
        "9 m1@4 settled: undeliverable#1 run_ended (engine) <- 4",
    ]);
    pool.pass(60_000).nothing();
}

#[test]
fn p6_a_suspension_survives_a_kill() {
    let mut pool = busy();
    pool.suspend("scout", &Sleep::default().timeout(60_000))
        .ok();
    pool.reopen().nothing();
    pool.pass(59_999).nothing();
    pool.pass(1)
        .records(["8 scout/3 is back: timeout (engine) <- 7"]);
}

#[test]
fn p6_a_claim_of_an_expired_message_is_held_for_thirty_seconds_after_resuming() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").expires_in(20_000))
        .ok();
    pool.receive("scout", Take::by("r1").held_for(60_000)).ok();
    pool.suspend("scout", &Sleep::default().timeout(30_000))
        .ok();
    pool.pass(30_000)
        .records(["8 scout/3 is back: timeout (engine) <- 7"]);
    pool.receive("scout", "r1")
        .answer("m1#1 4@6 until 60s | 0 unread");
}
