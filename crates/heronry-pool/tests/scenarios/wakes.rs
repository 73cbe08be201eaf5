//! Wakes: registering, what they see, and what triggers them (W1, W2, W4).

use heronry_types::{EventKind, LimitName, PoolSpec, RunEnd};

use crate::scenario::{Event, Joining, Letter, Scenario, Wait, notation::policies};

/// Waits for the end of a run that failed.
fn for_failure(id: &str) -> Wait {
    Wait::for_one(r#"kind == "run_failed""#, id)
}

fn seen_only(members: &[(&str, &str)]) -> Scenario {
    let spec = PoolSpec {
        policies: Some(policies("seen")),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "");
    for (run, held) in members {
        pool.join(Joining::of(run).policies(held)).ok();
    }
    pool
}

#[test]
fn w1_a_registration_says_what_is_waited_for() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").timeout(5_000))
        .records(["3 lead waits w1 for kind == \"run_failed\" since 3, until 5s"])
        .answer("w1 of lead registered at 3, until 5s");
}

#[test]
fn w1_events_since_the_registration_count_and_the_first_one_triggers() {
    let mut pool = Scenario::of("lead a b");
    pool.end("a", RunEnd::Failed).ok();
    pool.wait("lead", &for_failure("w1"))
        .records(["6 lead waits w1 for kind == \"run_failed\" since 6"]);
    pool.end("b", RunEnd::Failed)
        .records([
            "7 b/4 ended: failed, 1 there",
            "8 w1@6 triggered by 7 (engine) <- 7",
        ])
        .at_once();
    pool.wake("lead", "w1")
        .answer("w1 of lead triggered at 8 by 7");
}

#[test]
fn w1_since_the_start_an_earlier_event_triggers_at_once() {
    let mut pool = Scenario::of("lead a b");
    pool.end("a", RunEnd::Failed).ok();
    pool.end("b", RunEnd::Failed).ok();
    pool.wait("lead", &for_failure("w1").since("start"))
        .records([
            "7 lead waits w1 for kind == \"run_failed\" since 0",
            "8 w1@7 triggered by 5 (engine) <- 5",
        ])
        .at_once();
}

#[test]
fn w1_a_cursor_is_exclusive() {
    let mut pool = Scenario::of("lead a b");
    pool.end("a", RunEnd::Failed).ok();
    pool.wait("lead", &for_failure("w1").since("4")).records([
        "6 lead waits w1 for kind == \"run_failed\" since 4",
        "7 w1@6 triggered by 5 (engine) <- 5",
    ]);
    pool.wait("lead", &for_failure("w2").since("5"))
        .records(["8 lead waits w2 for kind == \"run_failed\" since 5"]);
}

#[test]
fn w1_a_message_to_me_with_a_correlation_is_what_wakes_me() {
    let mut pool = Scenario::of("lead a b");
    let filter = r#""a" in recipients && correlation["task"] == "7""#;
    pool.wait("a", &Wait::for_one(filter, "w1")).ok();
    pool.send("lead", &Letter::to("b", "m1").correlation("task", "7"))
        .ok();
    pool.send("lead", &Letter::to("a", "m2").correlation("task", "8"))
        .ok();
    pool.send("lead", &Letter::to("a", "m3").correlation("task", "7"))
        .records([
            "10 lead sent m3 to a",
            "11 m3@10 delivered to a <- 10",
            "12 w1@5 triggered by 11 (engine) <- 11",
        ]);
}

#[test]
fn w1_a_reply_to_one_message_is_what_wakes_me() {
    let mut pool = Scenario::of("lead a");
    pool.say("lead", "a", "q1").ok();
    pool.wait("lead", &Wait::for_one(r#"reply_to == "q1""#, "w1"))
        .ok();
    pool.say("a", "lead", "other").ok();
    pool.send("a", &Letter::to("lead", "r1").reply_to("q1"))
        .records([
            "9 a sent r1 to lead, replies to q1@4: uncounted",
            "10 r1@9 delivered to lead <- 9",
            "11 w1@6 triggered by 9 (engine) <- 9",
        ]);
}

#[test]
fn w1_a_wake_carries_policies_that_its_run_holds() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a b")).ok();
    pool.wait("lead", &for_failure("w1").policies("b a"))
        .records(["3 lead waits w1 for kind == \"run_failed\" since 3 +a +b"])
        .answer("w1 of lead registered at 3 +a +b");
    pool.wait("lead", &for_failure("w2").policies("a c"))
        .refused("policy c: WaiterHolds");
}

#[test]
fn w1_a_wake_carries_as_many_policies_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::PoliciesMax, 1)], "");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.wait("lead", &for_failure("w1").policies("a b"))
        .refused("policies_max: 2 of 1");
    pool.wait("lead", &for_failure("w1").policies("a")).ok();
}

#[test]
fn w1_a_takeover_with_fewer_policies_cancels_the_wakes_that_carry_them() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a b")).ok();
    pool.wait("lead", &for_failure("w1").policies("a")).ok();
    pool.wait("lead", &for_failure("w2").policies("b")).ok();
    pool.wait("lead", &for_failure("w3")).ok();
    pool.join(Joining::of("lead").policies("a").instance("i2"))
        .records([
            "6 lead/2 taken over by i2 +a, 1 there (operator)",
            "7 w2@4 cancelled: policy (engine) <- 6",
        ])
        .at_once();
    pool.wake("lead", "w2")
        .answer("w2 of lead cancelled policy at 7 +b");
}

#[test]
fn w1_a_takeover_neither_triggers_nor_lets_trigger_a_wake_that_lost_its_policy() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a")).ok();
    let wait = Wait::for_one(
        r#"kind in ["run_taken_over", "wake_condition_cancelled"]"#,
        "w1",
    );
    pool.wait("lead", &wait.policies("a").wakes_too()).ok();
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .records([
            "4 lead/2 taken over by i2, 1 there (operator)",
            "5 w1@3 cancelled: policy (engine) <- 4",
        ]);
}

#[test]
fn w1_a_takeover_that_keeps_the_policies_keeps_the_wakes() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.wait("lead", &for_failure("w1").policies("a")).ok();
    pool.join(Joining::of("lead").policies("a").instance("i2"))
        .records(["4 lead/2 taken over by i2 +a, 1 there (operator)"]);
    pool.join(Joining::of("lead").instance("i3"))
        .records(["5 lead/4 taken over by i3 +a, 1 there (operator)"]);
}

#[test]
fn w2_only_a_member_waits() {
    let mut pool = Scenario::of("lead a");
    pool.wait("stranger", &for_failure("w1"))
        .refused("no member");
    pool.wait("a for lead", &for_failure("w1"))
        .refused("not your run");
    pool.wait("operator for lead", &for_failure("w1"))
        .records(["4 lead waits w1 for kind == \"run_failed\" since 4 (operator)"]);
}

#[test]
fn w2_a_run_that_may_not_read_the_events_is_refused() {
    let mut pool = seen_only(&[("lead", "seen"), ("blind", "")]);
    pool.wait("blind", &for_failure("w1"))
        .refused("policy seen: ViewerHolds");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.view("blind").refused("policy seen: ViewerHolds");
    pool.read_events("blind", None, 1)
        .refused("policy seen: ViewerHolds");
    pool.read_events("lead", None, 1).nothing();
}

#[test]
fn w2_a_wake_does_not_see_what_its_run_does_not() {
    let mut pool = seen_only(&[("lead", "seen"), ("a", ""), ("b", "seen")]);
    pool.wait("lead", &for_failure("w1")).ok();
    pool.end("a", RunEnd::Failed)
        .records(["6 a/3 ended: failed, 2 there hidden"]);
    pool.end("b", RunEnd::Failed).records([
        "7 b/4 ended: failed, 1 there",
        "8 w1@5 triggered by 7 (engine) <- 7",
    ]);
    pool.wait("lead", &for_failure("w2").since("start"))
        .records([
            "9 lead waits w2 for kind == \"run_failed\" since 0",
            "10 w2@9 triggered by 7 (engine) <- 7",
        ]);
}

#[test]
fn w2_a_takeover_that_may_not_read_the_events_ends_every_wake_of_its_run() {
    let mut pool = seen_only(&[("lead", "seen"), ("a", "seen")]);
    pool.wait("lead", &for_failure("w1")).ok();
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .records([
            "5 lead/2 taken over by i2, 2 there (operator) hidden",
            "6 w1@4 cancelled: policy (engine) <- 5",
        ]);
    pool.end("a", RunEnd::Failed)
        .records(["7 a/3 ended: failed, 1 there"]);
}

#[test]
fn w2_a_cursor_below_the_floor_is_trimmed_and_the_floor_is_not() {
    let mut pool = Scenario::of("lead a b");
    pool.trim_to(4);
    pool.wait("lead", &for_failure("w1").since("2"))
        .refused("2 is trimmed before 3");
    pool.wait("lead", &for_failure("w1").since("3")).ok();
    pool.wait("lead", &for_failure("w2").since("start"))
        .records(["6 lead waits w2 for kind == \"run_failed\" since 3"]);
}

#[test]
fn w2_a_cursor_ahead_or_of_another_journal_is_refused() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").since("3"))
        .refused("3 is ahead of 2");
    pool.wait("lead", &for_failure("w1").since("2 of 9"))
        .refused("2 is foreign");
    pool.wait("lead", &for_failure("w1").since("2")).ok();
}

#[test]
fn w2_filters_together_have_as_many_bytes_as_the_limit_says() {
    let text = "terminal";
    let mut pool = Scenario::limited(&[(LimitName::FilterTextBytesMax, 8)], "lead");
    pool.wait("lead", &Wait::for_one(r#"kind == "run_failed""#, "w1"))
        .refused("filter_text_bytes_max: 20 of 8");
    pool.wait("lead", &Wait::for_one(text, "w1")).ok();
}

#[test]
fn w2_a_timeout_ends_within_the_calendar() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").timeout(u64::MAX))
        .refused("timeout_ms past the calendar");
}

#[test]
fn w4_a_wait_never_matches_its_own_registration() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &Wait::for_one("true", "w1").wakes_too())
        .records(["3 lead waits w1 for true since 3, wakes too"]);
    pool.wait("lead", &Wait::for_one("true", "w2").wakes_too())
        .records([
            "4 lead waits w2 for true since 4, wakes too",
            "5 w1@3 triggered by 4 (engine) <- 4",
            "6 w2@4 triggered by 5 (engine) <- 5",
        ]);
}

#[test]
fn w4_events_about_wakes_are_skipped_unless_they_are_asked_for() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &Wait::for_one("true", "skips")).ok();
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "wake_condition_cancelled""#, "takes").wakes_too(),
    )
    .ok();
    pool.wait("a", &for_failure("w1"))
        .records(["6 a waits w1 for kind == \"run_failed\" since 6"]);
    pool.cancel_wake("a", "w1").records([
        "7 w1@6 cancelled: requested <- 6",
        "8 takes@5 triggered by 7 (engine) <- 7",
    ]);
}

#[test]
fn w4_suspending_and_resuming_are_skipped_unless_they_are_asked_for() {
    let mut pool = Scenario::of("lead a");
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind in ["run_suspended", "run_resumed"]"#, "skips"),
    )
    .ok();
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "run_suspended""#, "takes").wakes_too(),
    )
    .ok();
    pool.wait("a", &for_failure("w1").timeout(5_000).suspends())
        .records([
            "6 a waits w1 for kind == \"run_failed\" since 6, until 5s, suspends for timeout",
            "7 a/3 suspended for w1@6",
            "8 takes@5 triggered by 7 (engine) <- 7",
        ]);
}

#[test]
fn w1_a_wake_ends_when_its_run_leaves_or_ends() {
    let mut pool = Scenario::of("lead a b");
    pool.wait("a", &for_failure("w1")).ok();
    pool.wait("b", &for_failure("w1")).ok();
    pool.leave("a").records([
        "7 a/3 left: left, 2 there",
        "8 w1@5 cancelled: left (engine) <- 7",
    ]);
    pool.end("b", RunEnd::Failed).records([
        "9 b/4 ended: failed, 1 there",
        "10 w1@6 cancelled: run_ended (engine) <- 9",
    ]);
}

#[test]
fn w1_an_event_that_a_member_reports_is_what_wakes_me() {
    let mut pool = Scenario::of("lead a");
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "turn_completed" && run == "a""#, "w1"),
    )
    .ok();
    pool.report_events(
        "a",
        "e1",
        vec![
            Event::of(EventKind::TurnStarted),
            Event::of(EventKind::TurnCompleted),
        ],
    )
    .records([
        "5 a reported turn_started of run a, 2 under e1",
        "6 a reported turn_completed of run a",
        "7 w1@4 triggered by 6 (engine) <- 6",
    ]);
}

#[test]
fn w1_a_wake_that_ended_stays_as_it_ended_when_its_policy_goes() {
    let mut pool = Scenario::of("a");
    pool.join(Joining::of("lead").policies("team")).ok();
    pool.wait("lead", &for_failure("w1").policies("team")).ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .records(["7 lead/3 taken over by i2, 1 there (operator)"]);
    pool.wake("lead", "w1")
        .answer("w1 of lead triggered at 6 +team by 5");
}

#[test]
fn w1_the_responses_to_a_message_are_what_wakes_me() {
    let mut pool = Scenario::of("lead a");
    pool.send("lead", &Letter::to("a", "q1").asks(1)).ok();
    let filter = r#"message == "q1" && kind == "run_message_responded""#;
    pool.wait("lead", &Wait::for_one(filter, "w1")).ok();
    pool.send("a", &Letter::to("lead", "r1").reply_to("q1"))
        .records([
            "7 a sent r1 to lead, replies to q1@4: counted",
            "8 r1@7 delivered to lead <- 7",
            "9 q1@4 responded by 7: queued#0 (engine) <- 4",
            "10 w1@6 triggered by 9 (engine) <- 9",
        ]);
}

#[test]
fn w2_an_operator_waits_for_a_run_with_what_that_run_holds() {
    let mut pool = seen_only(&[("blind", "")]);
    for since in ["head", "start"] {
        pool.wait("operator for blind", &for_failure("w1").since(since))
            .refused("policy seen: ViewerHolds");
    }
}
