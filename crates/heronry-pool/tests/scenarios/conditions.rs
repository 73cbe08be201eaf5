//! Conditions of several filters, and what counts for them (W1, W5).

use heronry_types::{DistinctBy, EventKind, RunEnd};

use crate::scenario::{
    Condition, Event, Letter, Scenario, Wait,
    notation::{all, any, count, one},
};

const FAILED: &str = r#"kind == "run_failed""#;
const COMPLETED: &str = r#"kind == "run_completed""#;

#[test]
fn w1_any_of_is_triggered_by_the_first_event_of_either_part() {
    let mut pool = Scenario::of("lead a b");
    pool.wait("lead", &Wait::on(any(&[FAILED, COMPLETED]), "w1"))
        .records([
            "5 lead waits w1 for any_of(kind == \"run_completed\", kind == \"run_failed\") since 5",
        ]);
    pool.end("a", RunEnd::Cancelled)
        .records(["6 a/3 ended: cancelled, 2 there"]);
    pool.end("b", RunEnd::Completed).records([
        "7 b/4 ended: completed, 1 there",
        "8 w1@5 triggered by 7 (engine) <- 7",
    ]);
}

#[test]
fn w1_all_of_is_triggered_when_its_last_part_holds_and_lists_its_matches_in_order() {
    let mut pool = Scenario::of("lead a b c");
    pool.wait("lead", &Wait::on(all(&[FAILED, COMPLETED]), "w1"))
        .ok();
    pool.end("a", RunEnd::Completed)
        .records(["7 a/3 ended: completed, 3 there"]);
    pool.end("b", RunEnd::Completed)
        .records(["8 b/4 ended: completed, 2 there"]);
    pool.end("c", RunEnd::Failed).records([
        "9 c/5 ended: failed, 1 there",
        "10 w1@6 triggered by 7, 9 (engine) <- 9",
    ]);
}

#[test]
fn w1_a_count_takes_each_distinct_run_once() {
    let mut pool = Scenario::of("lead a b");
    let turns = count(2, DistinctBy::Run, r#"kind == "turn_started""#);
    pool.wait("lead", &Wait::on(turns, "w1")).ok();
    let turn = || vec![Event::of(EventKind::TurnStarted)];
    pool.report_events("a", "e1", turn())
        .records(["6 a reported turn_started of run a, 1 under e1"]);
    pool.report_events("a", "e2", turn())
        .records(["7 a reported turn_started of run a, 1 under e2"]);
    pool.report_events("b", "e3", turn()).records([
        "8 b reported turn_started of run b, 1 under e3",
        "9 w1@5 triggered by 6, 8 (engine) <- 8",
    ]);
}

#[test]
fn w1_a_count_of_events_takes_every_event() {
    let mut pool = Scenario::of("lead a");
    let turns = count(2, DistinctBy::Event, r#"kind == "turn_started""#);
    pool.wait("lead", &Wait::on(turns, "w1")).ok();
    let turns = vec![
        Event::of(EventKind::TurnStarted),
        Event::of(EventKind::TurnStarted),
    ];
    pool.report_events("a", "e1", turns).records([
        "5 a reported turn_started of run a, 2 under e1",
        "6 a reported turn_started of run a",
        "7 w1@4 triggered by 5, 6 (engine) <- 6",
    ]);
}

#[test]
fn w1_a_count_of_messages_takes_nothing_without_a_message() {
    let mut pool = Scenario::of("lead a");
    let anything = count(2, DistinctBy::Message, r#"run == "a""#);
    pool.wait("lead", &Wait::on(anything, "w1")).ok();
    pool.report_events("a", "e1", vec![Event::of(EventKind::TurnStarted)])
        .records(["5 a reported turn_started of run a, 1 under e1"]);
    pool.say("a", "lead", "m1")
        .records(["6 a sent m1 to lead", "7 m1@6 delivered to lead <- 6"]);
    pool.say("a", "lead", "m2").records([
        "8 a sent m2 to lead",
        "9 m2@8 delivered to lead <- 8",
        "10 w1@4 triggered by 6, 8 (engine) <- 8",
    ]);
}

#[test]
fn w1_a_count_by_subject_tells_subjects_apart() {
    let mut pool = Scenario::of("lead a b");
    let ends = count(2, DistinctBy::Subject, r#"family == "run""#);
    pool.wait("lead", &Wait::on(ends, "w1")).ok();
    let started = || vec![Event::of(EventKind::RunStarted)];
    pool.report_events("a", "e1", started())
        .records(["6 a reported run_started of run a, 1 under e1"]);
    pool.report_events("a", "e2", started())
        .records(["7 a reported run_started of run a, 1 under e2"]);
    pool.report_events("b", "e3", started()).records([
        "8 b reported run_started of run b, 1 under e3",
        "9 w1@5 triggered by 6, 8 (engine) <- 8",
    ]);
}

#[test]
fn w1_what_counts_survives_a_kill_half_way() {
    let mut pool = Scenario::of("lead a b c");
    let ends = count(3, DistinctBy::Run, FAILED);
    pool.wait("lead", &Wait::on(ends, "w1")).ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.kill();
    pool.end("b", RunEnd::Failed).ok();
    pool.kill();
    pool.end("c", RunEnd::Failed).records([
        "9 c/5 ended: failed, 1 there",
        "10 w1@6 triggered by 7, 8, 9 (engine) <- 9",
    ]);
}

#[test]
fn w1_earlier_events_count_and_still_do_after_a_kill() {
    let mut pool = Scenario::of("lead a b");
    pool.end("a", RunEnd::Failed).ok();
    let ends = count(2, DistinctBy::Run, FAILED);
    pool.wait("lead", &Wait::on(ends, "w1").since("start"))
        .records(["6 lead waits w1 for count(2, run, kind == \"run_failed\") since 0, counts 0@5"]);
    pool.kill();
    pool.end("b", RunEnd::Failed).records([
        "7 b/4 ended: failed, 1 there",
        "8 w1@6 triggered by 5, 7 (engine) <- 7",
    ]);
}

#[test]
fn w1_a_condition_that_earlier_events_fulfil_is_triggered_at_once() {
    let mut pool = Scenario::of("lead a b");
    pool.end("a", RunEnd::Failed).ok();
    pool.end("b", RunEnd::Completed).ok();
    pool.wait(
        "lead",
        &Wait::on(all(&[FAILED, COMPLETED]), "w1").since("start"),
    )
    .records([
        "7 lead waits w1 for all_of(kind == \"run_completed\", kind == \"run_failed\") since 0",
        "8 w1@7 triggered by 5, 6 (engine) <- 6",
    ])
    .at_once();
}

#[test]
fn w5_the_outcome_is_fixed_at_the_first_event_where_the_condition_holds() {
    let mut pool = Scenario::of("lead a b c");
    pool.wait("lead", &Wait::on(any(&[FAILED, COMPLETED]), "w1"))
        .ok();
    pool.end("a", RunEnd::Failed).ok();
    pool.end("b", RunEnd::Completed)
        .records(["9 b/4 ended: completed, 2 there"]);
    pool.wake("lead", "w1")
        .answer("w1 of lead triggered at 8 by 7");
}

#[test]
fn w5_an_event_counts_for_every_part_that_keeps_it() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &Wait::on(all(&[FAILED, r#"run == "a""#]), "w1"))
        .ok();
    pool.end("a", RunEnd::Failed).records([
        "5 a/3 ended: failed, 1 there",
        "6 w1@4 triggered by 5 (engine) <- 5",
    ]);
}

#[test]
fn w1_conditions_that_are_empty_are_refused() {
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &Wait::on(all(&[]), "w1"))
        .refused("all_of is empty; name at least one condition");
    pool.wait("lead", &Wait::on(any(&[]), "w1"))
        .refused("any_of is empty; name at least one condition");
    pool.wait("lead", &Wait::on(count(0, DistinctBy::Run, FAILED), "w1"))
        .refused("count.n is 0; ask for at least one event");
}

#[test]
fn w1_conditions_are_as_large_as_they_may_be() {
    let wait = |condition| Wait::on(condition, "w1");
    let mut pool = Scenario::of("lead");
    pool.wait("lead", &wait(any(&[FAILED; 65])))
        .refused("the condition has 65 filters and may have 64; use fewer");
    pool.wait("lead", &wait(count(1_001, DistinctBy::Run, FAILED)))
        .refused("the condition takes 1001 events and may take 1000; count fewer");
    let nested = (0..8).fold(one(FAILED), |part, _| Condition::AllOf(vec![part]));
    pool.wait("lead", &wait(nested))
        .refused("conditions stand in each other more than 8 deep; flatten them");
    pool.wait("lead", &wait(count(1_000, DistinctBy::Run, FAILED)))
        .ok();
    let nested = (0..7).fold(one(FAILED), |part, _| Condition::AllOf(vec![part]));
    pool.wait("lead", &Wait::on(nested, "w2")).ok();
    pool.wait("lead", &Wait::on(any(&[FAILED; 64]), "w3")).ok();
}

#[test]
fn w2_the_filters_of_a_condition_are_as_long_as_one_may_be() {
    let mut pool = Scenario::limited(
        &[(heronry_types::LimitName::FilterTextBytesMax, 16)],
        "lead",
    );
    pool.wait("lead", &Wait::on(all(&["terminal", "!terminal"]), "w1"))
        .refused("filter_text_bytes_max: 17 of 16");
    pool.wait("lead", &Wait::on(all(&["terminal", "true"]), "w1"))
        .ok();
}

#[test]
fn w1_a_condition_of_one_part_is_that_part() {
    let mut pool = Scenario::of("lead a");
    pool.wait("lead", &Wait::on(all(&[FAILED, FAILED]), "w1"))
        .records(["4 lead waits w1 for kind == \"run_failed\" since 4"]);
    pool.end("a", RunEnd::Failed).records([
        "5 a/3 ended: failed, 1 there",
        "6 w1@4 triggered by 5 (engine) <- 5",
    ]);
}

#[test]
fn w1_messages_that_are_settled_can_be_counted() {
    let mut pool = Scenario::of("lead a");
    let settled = count(2, DistinctBy::Message, r#"kind == "run_message_settled""#);
    pool.wait("lead", &Wait::on(settled, "w1")).ok();
    pool.send("lead", &Letter::to("a", "m1")).ok();
    pool.send("lead", &Letter::to("a", "m2")).ok();
    pool.receive("a", "r1").ok();
    pool.ack("a", "m1, m2").records([
        "10 a acked m1 5@9, m2 7@9 done",
        "11 m1@5 settled: acked#1 done (engine) <- 5",
        "12 m2@7 settled: acked#1 done (engine) <- 7",
        "13 w1@4 triggered by 11, 12 (engine) <- 12",
    ]);
}
