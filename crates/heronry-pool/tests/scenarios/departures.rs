//! Departures: leaving a pool, and the end of a run (P4, P6).

use heronry_types::{LimitName, RunEnd};

use crate::scenario::{Joining, Letter, Scenario, Take, Wait};

#[test]
fn p4_leaving_ends_copies_claims_wakes_and_messages_in_one_append() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.say("lead", "scout", "m2").ok();
    pool.receive("scout", Take::by("r1").max(1)).ok();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w1"))
        .ok();
    pool.leave("scout")
        .records([
            "10 scout/3 left: left, 1 there",
            "11 w1@9 cancelled: left (engine) <- 10",
            "12 m2@6 settled: undeliverable#0 left (engine) <- 6",
            "13 m1@4 settled: undeliverable#1 left (engine) <- 4",
        ])
        .at_once()
        .answer("at 10");
}

#[test]
fn p4_a_message_that_others_still_have_is_not_settled_by_a_leaver() {
    let mut pool = Scenario::of("lead a b");
    pool.say("lead", "pool:p", "m1").ok();
    pool.leave("a").records(["7 a/3 left: left, 2 there"]);
    pool.receipt("lead", "m1")
        .answer("m1 delivered at 5: a undeliverable#0 left, b queued#0");
}

#[test]
fn p4_leaving_does_not_end_the_run_which_may_join_again() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.leave("scout").ok();
    pool.join("scout")
        .records(["8 scout joined as i1, 2 there (operator)"])
        .answer("scout/8 at 8, 0 unread");
    pool.receive("scout", "r1")
        .nothing()
        .answer("nothing | 0 unread");
}

#[test]
fn p4_who_left_is_no_member_any_more_before_and_after_a_kill() {
    let mut pool = Scenario::of("lead scout");
    pool.leave("scout").ok();
    pool.leave("scout").refused("no member");
    pool.heartbeat("scout").refused("no member");
    pool.kill();
    pool.leave("scout").refused("no member");
}

#[test]
fn p4_a_claim_from_before_leaving_is_void_after_joining_again() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.receive("scout", "r1").ok();
    pool.leave("scout").ok();
    pool.join("scout").ok();
    pool.ack("scout", "m1").refused("lapsed 4@6");
}

#[test]
fn p4_an_old_token_is_fenced_after_leaving_and_joining_again() {
    let mut pool = Scenario::of("scout");
    pool.leave("scout").ok();
    pool.join("scout").ok();
    pool.leave("scout/1").refused("fenced");
}

#[test]
fn p4_what_is_sent_to_who_left_fails() {
    let mut pool = Scenario::of("lead scout");
    pool.leave("scout").ok();
    pool.say("lead", "scout", "m1")
        .records([
            "5 lead sent m1 to scout",
            "6 m1@5 failed: no_such_member <- 5",
        ])
        .answer("m1 failed no_such_member at 5: nothing");
}

#[test]
fn p4_topics_of_who_left_reach_nobody() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("scout").topics("news")).ok();
    pool.leave("scout").ok();
    pool.say("lead", "topic:news", "m1").records([
        "5 lead sent m1 to topic:news",
        "6 m1@5 failed: no_recipient <- 5",
    ]);
    pool.say("lead", "agent:scout", "m2").records([
        "7 lead sent m2 to agent:scout",
        "8 m2@7 failed: no_recipient <- 7",
    ]);
}

#[test]
fn p4_contracts_are_judged_again_when_somebody_leaves() {
    let mut pool = Scenario::of("lead a b");
    pool.send("lead", &Letter::to("pool:p", "q1").asks(2)).ok();
    pool.leave("a")
        .records([
            "7 a/3 left: left, 2 there",
            "8 q1@5 unsatisfiable: undeliverable#0 left, queued#0 (engine) <- 5",
        ])
        .at_once();
}

#[test]
fn p4_delayed_and_urgent_copies_end_with_their_reader_as_well() {
    let mut pool = Scenario::of("lead scout");
    pool.send("lead", &Letter::to("scout", "m1").after(5_000))
        .ok();
    pool.send("lead", &Letter::to("scout", "m2").interrupt())
        .ok();
    pool.leave("scout").records([
        "8 scout/3 left: left, 1 there",
        "9 m1@4 settled: undeliverable#0 left (engine) <- 4",
        "10 m2@6 settled: undeliverable#0 left (engine) <- 6",
    ]);
    pool.pass(10_000).nothing();
}

#[test]
fn p4_a_run_is_let_leave_by_itself_or_an_operator() {
    let mut pool = Scenario::of("lead scout");
    pool.leave("scout for lead").refused("not your run");
    pool.leave("operator for lead")
        .records(["4 lead/2 left: left, 1 there (operator)"]);
}

#[test]
fn p6_an_end_is_a_departure_for_good() {
    let mut pool = Scenario::of("lead scout");
    pool.say("lead", "scout", "m1").ok();
    pool.wait("scout", &Wait::for_one(r#"kind == "run_completed""#, "w1"))
        .ok();
    let note = Some("all read".to_owned());
    pool.end_with("scout", RunEnd::Completed, note)
        .records([
            "7 scout/3 ended: completed (all read), 1 there",
            "8 w1@6 cancelled: run_ended (engine) <- 7",
            "9 m1@4 settled: undeliverable#0 run_ended (engine) <- 4",
        ])
        .at_once();
    pool.join("scout").refused("run completed");
    pool.join(Joining::of("scout").instance("i2"))
        .refused("run completed");
    pool.join_new("scout").refused("run completed");
}

#[test]
fn p6_each_end_is_said_to_who_asks_as_the_run() {
    for (end, refusal) in [
        (RunEnd::Completed, "run completed"),
        (RunEnd::Failed, "run failed"),
        (RunEnd::Cancelled, "run cancelled"),
    ] {
        let mut pool = Scenario::of("lead scout");
        pool.end("scout", end).ok();
        pool.heartbeat("scout").refused(refusal);
        pool.end("scout", end).refused(refusal);
        pool.kill();
        pool.say("scout", "lead", "m1").refused(refusal);
    }
}

#[test]
fn p6_a_message_to_an_ended_run_gets_a_typed_receipt() {
    let mut pool = Scenario::of("lead scout");
    pool.end("scout", RunEnd::Failed).ok();
    pool.say("lead", "scout", "m1")
        .records(["5 lead sent m1 to scout", "6 m1@5 failed: run_ended <- 5"])
        .answer("m1 failed run_ended at 5: nothing");
}

#[test]
fn p6_a_note_of_an_end_is_as_long_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::NoteBytesMax, 3)], "lead");
    pool.end_with("lead", RunEnd::Failed, Some("four".to_owned()))
        .refused("note_bytes_max: 4 of 3");
    pool.end_with("lead", RunEnd::Failed, Some("one".to_owned()))
        .records(["3 lead/2 ended: failed (one), 0 there"]);
}

#[test]
fn p6_an_end_is_said_by_the_run_or_an_operator() {
    let mut pool = Scenario::of("lead scout");
    pool.end("scout for lead", RunEnd::Failed)
        .refused("not your run");
    pool.end("operator for lead", RunEnd::Failed)
        .records(["4 lead/2 ended: failed, 1 there (operator)"]);
}
