//! Wakes: their one end, their timers, what they hand over, what they cost, and why they wait (W5 to W9).

use heronry_types::{DistinctBy, EventKind, LimitName, PoolSpec, ResumeWith, RunEnd, WakePayload};

use crate::scenario::{
    Event, Joining, Letter, Scenario, Wait,
    notation::{count, policies},
};

/// Waits for the end of a run that failed.
fn for_failure(id: &str) -> Wait {
    Wait::for_one(r#"kind == "run_failed""#, id)
}

#[test]
fn w5_a_trigger_is_recorded_with_its_cause_in_the_order_of_registration() {
    let mut pool = Scenario::of("lead a b");
    pool.wait("a", &for_failure("wa")).ok();
    pool.wait("lead", &for_failure("wl")).ok();
    pool.end("b", RunEnd::Failed)
        .records([
            "7 b/4 ended: failed, 2 there",
            "8 wa@5 triggered by 7, more follow (engine) <- 7",
            "9 wl@6 triggered by 7 (engine) <- 7",
        ])
        .at_once();
}

/// A pool where 1 030 wakes wait for the failure of a run.
fn crowded() -> Scenario {
    let mut pool = Scenario::of("lead a b");
    for number in 0..515 {
        for by in ["lead", "a"] {
            pool.wait(by, &for_failure(&format!("w{number}"))).ok();
        }
    }
    pool
}

#[test]
fn w5_one_event_triggers_a_thousand_in_its_append_and_the_rest_in_the_next() {
    let mut pool = crowded();
    pool.end("b", RunEnd::Failed).counts(1 + 1_024, 6);
    pool.wakes("operator", None, 9).answer("");
}

#[test]
fn w5_after_a_kill_between_the_appends_the_rest_is_triggered_once() {
    let mut pool = crowded();
    pool.die_after_next();
    pool.end("b", RunEnd::Failed).counts(1 + 1_024, 0);
    pool.reopen().records([
        "2060 w512@1029 triggered by 1035, more follow (engine) <- 1035",
        "2061 w512@1030 triggered by 1035, more follow (engine) <- 1035",
        "2062 w513@1031 triggered by 1035, more follow (engine) <- 1035",
        "2063 w513@1032 triggered by 1035, more follow (engine) <- 1035",
        "2064 w514@1033 triggered by 1035, more follow (engine) <- 1035",
        "2065 w514@1034 triggered by 1035 (engine) <- 1035",
    ]);
    pool.wakes("operator", None, 9).answer("");
    pool.reopen().nothing();
}

#[test]
fn w5_after_a_kill_the_rest_is_triggered_though_another_wake_ended_in_between() {
    let mut pool = crowded();
    pool.wait("b", &Wait::for_one(r#"kind == "run_completed""#, "own"))
        .ok();
    pool.die_after_next();
    pool.end("b", RunEnd::Failed).counts(2 + 1_024, 0);
    pool.reopen().ok();
    pool.wakes("operator", None, 9).answer("");
}

#[test]
fn w5_a_wake_has_one_end_and_cancelling_again_records_nothing() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("w1").timeout(5_000)).ok();
    pool.cancel_wake("lead", "w1")
        .records(["5 w1@4 cancelled: requested <- 4"])
        .answer("w1 of lead cancelled requested at 5, until 5s");
    pool.cancel_wake("lead", "w1")
        .nothing()
        .answer("w1 of lead cancelled requested at 5, until 5s");
    pool.end("a", RunEnd::Failed)
        .records(["6 a/3 ended: failed, 1 there"]);
    pool.pass(5_000).nothing();
}

#[test]
fn w5_a_triggered_wake_neither_times_out_nor_is_cancelled() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("w1").timeout(5_000)).ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.cancel_wake("lead", "w1")
        .nothing()
        .answer("w1 of lead triggered at 6 by 5, until 5s");
    pool.pass(5_000).nothing();
    pool.kill();
    pool.cancel_wake("lead", "w1").nothing();
}

#[test]
fn w5_an_event_that_is_due_before_a_timeout_of_the_same_moment_triggers() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("a")).ok();
    pool.send("lead", &Letter::to("a", "m1").expires_in(5_000))
        .ok();
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "run_message_expired""#, "w1").timeout(5_000),
    )
    .ok();
    pool.pass(5_000).records([
        "7 m1@4 expired: expired#0 (engine) <- 4",
        "8 w1@6 triggered by 7 (engine) <- 7",
    ]);
}

#[test]
fn w5_a_timeout_of_nothing_times_out_at_once() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").timeout(0))
        .records([
            "3 lead waits w1 for kind == \"run_failed\" since 3, until 0s",
            "4 w1@3 timed out (engine) <- 3",
        ])
        .at_once()
        .answer("w1 of lead timed_out at 4, until 0s");
}

#[test]
fn w5_an_earlier_match_comes_before_a_timeout_of_nothing() {
    let mut pool = Scenario::of("lead a");
    pool.end("a", RunEnd::Failed).ok();
    pool.wait("lead", &for_failure("w1").timeout(0).since("start"))
        .records([
            "5 lead waits w1 for kind == \"run_failed\" since 0, until 0s",
            "6 w1@5 triggered by 4 (engine) <- 4",
        ]);
}

#[test]
fn w6_a_timeout_wakes_the_waiter_and_leaves_the_run_alone() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").timeout(5_000)).ok();
    pool.pass(4_999).nothing();
    pool.pass(1).records(["4 w1@3 timed out (engine) <- 3"]);
    pool.heartbeat("lead").nothing();
    pool.wake("lead", "w1")
        .answer("w1 of lead timed_out at 4, until 5s");
}

#[test]
fn w6_timers_survive_a_kill_and_count_the_time_while_the_engine_was_down() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &for_failure("w1").timeout(5_000)).ok();
    pool.pass(2_000).ok();
    pool.kill();
    pool.stall(2_999);
    pool.tick().nothing();
    pool.pass(1).records(["4 w1@3 timed out (engine) <- 3"]);
}

#[test]
fn w6_a_wake_survives_a_kill_and_is_triggered_afterwards() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.kill();
    pool.end("a", RunEnd::Failed).records([
        "5 a/3 ended: failed, 1 there",
        "6 w1@4 triggered by 5 (engine) <- 5",
    ]);
}

#[test]
fn w7_a_wake_hands_over_what_it_was_asked_to() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("refs")).ok();
    pool.wait(
        "lead",
        &for_failure("summary").resume_with(ResumeWith::Summary),
    )
    .ok();
    pool.wait("lead", &for_failure("none").resume_with(ResumeWith::None))
        .ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.wake("lead", "refs")
        .answer("refs of lead triggered at 8 by 7");
    pool.wake("lead", "summary")
        .answer("summary of lead triggered at 9, summed up");
    pool.wake("lead", "none")
        .answer("none of lead triggered at 10");
}

#[test]
fn w7_a_summary_quotes_what_the_pool_shows_and_only_where_it_was_asked_for() {
    let shown = |payload| {
        let spec = PoolSpec {
            wake_payload: Some(payload),
            ..PoolSpec::default()
        };
        let mut pool = Scenario::with(spec, "lead a");
        pool.wait("lead", &for_failure("w1").resume_with(ResumeWith::Summary))
            .ok();
        pool.wait("lead", &for_failure("w2")).ok();
        pool.end("a", RunEnd::Failed).ok();
        pool
    };
    let mut pool = shown(WakePayload::Summary);
    pool.sum_up("lead", "w1").nothing().answer("6");
    pool.sum_up("operator for lead", "w1").nothing().answer("6");
    pool.sum_up("lead", "w2").nothing().answer("");
    pool.sum_up("lead", "w3").refused("no such wake");
    shown(WakePayload::Refs).sum_up("lead", "w1").answer("6");
    shown(WakePayload::EnvelopeOnly)
        .sum_up("lead", "w1")
        .answer("");
}

#[test]
fn w7_a_summary_says_nothing_to_who_does_not_see_the_events_any_more() {
    let spec = PoolSpec {
        policies: Some(policies("seen")),
        wake_payload: Some(WakePayload::Summary),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "");
    pool.join(Joining::of("lead").policies("seen")).ok();
    pool.join(Joining::of("a").policies("seen")).ok();
    pool.wait("lead", &for_failure("w1").resume_with(ResumeWith::Summary))
        .ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.join(Joining::of("lead").policies("").instance("i2"))
        .ok();
    pool.sum_up("lead", "w1").nothing().answer("");
    pool.sum_up("operator for lead", "w1").nothing().answer("5");
}

#[test]
fn w7_a_wake_is_read_by_its_run_and_by_operators_who_say_whose_it_is() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.wake("operator", "w1")
        .nothing()
        .answer("w1 of lead registered at 4");
    pool.wait("a", &for_failure("w1")).ok();
    pool.wake("operator", "w1").refused("several");
    pool.wake("operator for a", "w1")
        .nothing()
        .answer("w1 of a registered at 5");
    pool.wake("operator", "w2").refused("no such wake");
    pool.wake("a", "w1").nothing();
}

#[test]
fn w8_live_wakes_of_a_run_are_as_many_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::LiveWakesPerRunMax, 1)], "lead a");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.wait("lead", &for_failure("w2"))
        .refused("live_wakes_per_run_max: 2 of 1");
    pool.wait("a", &for_failure("w2")).ok();
    pool.cancel_wake("lead", "w1").ok();
    pool.wait("lead", &for_failure("w2")).ok();
}

#[test]
fn w8_live_wakes_of_a_pool_are_as_many_as_the_limit_says() {
    let mut pool = Scenario::limited(&[(LimitName::LiveWakesPerPoolMax, 1)], "lead a");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.wait("a", &for_failure("w2"))
        .refused("live_wakes_per_pool_max: 2 of 1");
    pool.leave("lead").ok();
    pool.wait("a", &for_failure("w2")).ok();
}

/// A wake that costs 24 for every event.
fn costly(id: &str) -> Wait {
    Wait::for_one("position > 99 && position < 999", id)
}

#[test]
fn w8_what_the_wakes_of_a_run_cost_is_limited_until_they_end() {
    let mut pool = Scenario::limited(&[(LimitName::WakeCostPerRunMax, 48)], "lead a");
    pool.wait("lead", &costly("w1")).ok();
    pool.wait("lead", &costly("w2")).ok();
    pool.wait("lead", &costly("w3"))
        .refused("wake_cost_per_run_max: 72 of 48");
    pool.wait("a", &costly("w3")).ok();
    pool.cancel_wake("lead", "w1").ok();
    pool.wait("lead", &costly("w3")).ok();
    pool.kill();
    pool.wait("lead", &costly("w4"))
        .refused("wake_cost_per_run_max: 72 of 48");
}

#[test]
fn w8_what_all_wakes_of_a_pool_cost_is_limited_until_they_end() {
    let mut pool = Scenario::limited(&[(LimitName::WakeCostPerPoolMax, 48)], "lead a");
    pool.wait("lead", &costly("w1")).ok();
    pool.wait("a", &costly("w2")).ok();
    pool.wait("lead", &costly("w3"))
        .refused("wake_cost_per_pool_max: 72 of 48");
    pool.leave("a").ok();
    pool.wait("lead", &costly("w3")).ok();
}

#[test]
fn w8_a_waiter_at_its_limit_fails_nobodys_command() {
    let mut pool = Scenario::limited(&[(LimitName::LiveWakesPerRunMax, 1)], "lead a b");
    pool.wait("a", &for_failure("w1")).ok();
    pool.wait("a", &for_failure("w2"))
        .refused("live_wakes_per_run_max: 2 of 1");
    pool.leave("a").ok();
    pool.end("b", RunEnd::Failed)
        .records(["8 b/4 ended: failed, 1 there"]);
}

#[test]
fn w8_wakes_are_listed_by_pages() {
    let mut pool = Scenario::of("lead a");
    for (by, id) in [("lead", "w1"), ("a", "w2"), ("lead", "w3")] {
        pool.wait(by, &for_failure(id)).ok();
    }
    pool.wakes("operator", None, 2)
        .nothing()
        .answer("w1 of lead registered at 4, w2 of a registered at 5 next 5");
    pool.wakes("operator", Some("5"), 2)
        .answer("w3 of lead registered at 6");
    pool.wakes("lead", None, 1)
        .answer("w1 of lead registered at 4 next 4");
    pool.wakes("lead", Some("99"), 1)
        .refused("99 is ahead of 6");
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 1)], "lead");
    pool.wakes("lead", None, 2)
        .refused("page_items_max: 2 of 1");
}

#[test]
fn w9_a_wake_is_explained_to_its_run_and_to_operators() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &for_failure("w1")).ok();
    pool.explain("lead", "w1").nothing().answer("looks at 0..4");
    pool.explain("operator", "w1").nothing();
    pool.explain("a", "w1").refused("no such wake");
    pool.explain("a for lead", "w1").refused("not your run");
    pool.authors("lead").nothing().answer("a, lead");
}

#[test]
fn w9_who_is_lost_could_not_do_it() {
    let mut pool = Scenario::of("lead");
    pool.join(Joining::of("a").lease(1_000)).ok();
    pool.pass(1_000).ok();
    pool.authors("operator").answer("lead");
}

#[test]
fn w7_a_summary_quotes_sixteen_events_at_the_most() {
    let spec = PoolSpec {
        wake_payload: Some(WakePayload::Refs),
        ..PoolSpec::default()
    };
    let mut pool = Scenario::with(spec, "lead a");
    let turns = count(17, DistinctBy::Event, r#"kind == "turn_started""#);
    let wait = Wait::on(turns, "w1").resume_with(ResumeWith::Summary);
    pool.wait("lead", &wait).ok();
    let turns = (0..17).map(|_| Event::of(EventKind::TurnStarted));
    pool.report_events("a", "e1", turns.collect()).ok();
    pool.sum_up("lead", "w1")
        .answer("5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20");
}
