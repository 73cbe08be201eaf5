//! Events that members report (J7).

use heronry_types::{EntityKind, EventKind, LimitName, RunEnd};

use crate::scenario::{Event, Joining, Scenario};

fn turn() -> Event {
    Event::of(EventKind::TurnStarted)
}

#[test]
fn j7_a_batch_is_appended_whole_in_order_and_without_a_gap() {
    let mut pool = Scenario::of("lead");
    let batch = vec![
        turn(),
        Event::of(EventKind::ToolStarted),
        Event::of(EventKind::TurnCompleted),
    ];
    pool.report_events("lead", "e1", batch)
        .records([
            "3 lead reported turn_started of run lead, 3 under e1",
            "4 lead reported tool_started of run lead",
            "5 lead reported turn_completed of run lead",
        ])
        .at_once()
        .answer("3..5 3");
}

#[test]
fn j7_a_repeat_has_the_same_cursors() {
    let mut pool = Scenario::of("lead");
    pool.report_events("lead", "e1", vec![turn(), turn()]).ok();
    pool.report_events("lead", "e1", vec![turn(), turn()])
        .nothing()
        .answer("3..4 2, repeated");
    pool.kill();
    pool.report_events("lead", "e1", vec![turn(), turn()])
        .nothing()
        .answer("3..4 2, repeated");
}

#[test]
fn j7_another_batch_under_a_key_is_a_conflict() {
    let mut pool = Scenario::of("lead");
    pool.report_events("lead", "e1", vec![turn()]).ok();
    for other in [
        vec![turn(), turn()],
        vec![Event::of(EventKind::TurnCompleted)],
        vec![turn().occurred_at(5)],
        vec![turn().tags(1)],
    ] {
        pool.report_events("lead", "e1", other)
            .refused("conflict with 3: IdempotencyKey");
    }
}

#[test]
fn j7_a_batch_has_at_least_one_event_and_a_page_of_them_at_the_most() {
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 2)], "lead");
    pool.report_events("lead", "e1", vec![])
        .refused("no events");
    pool.report_events("lead", "e1", vec![turn(), turn(), turn()])
        .refused("page_items_max: 3 of 2");
    pool.report_events("lead", "e1", vec![turn(), turn()]).ok();
}

#[test]
fn j7_one_event_that_is_refused_refuses_the_batch_and_is_named() {
    let mut pool = Scenario::of("lead");
    let batch = vec![turn(), Event::of(EventKind::RunLost)];
    pool.report_events("lead", "e1", batch)
        .refused("event 1: run_lost is of the pool's own family; report a kind of another");
    pool.report_events("lead", "e1", vec![turn()])
        .records(["3 lead reported turn_started of run lead, 1 under e1"]);
}

#[test]
fn j7_the_pools_own_family_is_the_engines() {
    use heronry_types::{EventFamily, Vocabulary};
    for kind in EventKind::ALL {
        let mut pool = Scenario::of("lead");
        let step = pool.report_events("lead", "e1", vec![Event::of(*kind)]);
        let is_end = [
            EventKind::RunCompleted,
            EventKind::RunFailed,
            EventKind::RunCancelled,
        ]
        .contains(kind);
        let refused = is_end || kind.family() == EventFamily::AgentPool;
        assert_eq!(step.refusal().is_some(), refused, "{kind}");
    }
}

#[test]
fn j7_the_end_of_a_run_is_no_event_that_a_member_reports() {
    let mut pool = Scenario::of("lead");
    pool.report_events("lead", "e1", vec![Event::of(EventKind::RunCompleted)]).refused("event 0: run_completed is said by the state of the run; set the state to completed, failed or cancelled");
    pool.report_events("operator for lead", "e1", vec![Event::of(EventKind::RunFailed)]).refused("event 0: run_failed is said by the state of the run; set the state to completed, failed or cancelled");
}

#[test]
fn j7_run_kinds_are_only_about_oneself() {
    let mut pool = Scenario::of("lead scout");
    let started = || Event::of(EventKind::RunStarted);
    pool.report_events(
        "lead",
        "e1",
        vec![started().about(EntityKind::Run, "scout")],
    )
    .refused("event 0: run_started is about another run; a member reports that only of its own");
    pool.report_events(
        "lead",
        "e1",
        vec![started().about(EntityKind::Agent, "lead")],
    )
    .refused("event 0: run_started is about another run; a member reports that only of its own");
    pool.report_events("lead", "e1", vec![started().about(EntityKind::Run, "lead")])
        .records(["4 lead reported run_started of run lead, 1 under e1"]);
    pool.report_events("lead", "e2", vec![turn().about(EntityKind::Run, "scout")])
        .records(["5 lead reported turn_started of run scout, 1 under e2"]);
}

#[test]
fn j7_who_reports_holds_the_policies_of_the_event() {
    let mut pool = Scenario::of("");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.report_events("lead", "e1", vec![turn().policies("b")])
        .refused("policy b: SenderHolds");
    pool.report_events("lead", "e1", vec![turn().policies("a")])
        .ok();
}

#[test]
fn j7_an_event_has_as_many_tags_and_policies_as_the_limits_say() {
    let limits = [(LimitName::TagsMax, 1), (LimitName::PoliciesMax, 1)];
    let mut pool = Scenario::limited(&limits, "");
    pool.join(Joining::of("lead").policies("a")).ok();
    pool.report_events("lead", "e1", vec![turn().tags(2)])
        .refused("tags_max: 2 of 1");
    pool.report_events("lead", "e1", vec![turn().policies("a b")])
        .refused("policies_max: 2 of 1");
    pool.report_events("lead", "e1", vec![turn().tags(1).policies("a")])
        .ok();
}

#[test]
fn j7_the_reporter_is_the_author() {
    let mut pool = Scenario::of("lead scout");
    pool.report_events("scout for lead", "e1", vec![turn()])
        .refused("not your run");
    pool.report_events("stranger", "e1", vec![turn()])
        .refused("no member");
    pool.report_events("operator for lead", "e1", vec![turn()])
        .records(["4 lead reported turn_started of run lead, 1 under e1 (operator)"]);
}

#[test]
fn j7_a_repeat_is_answered_to_who_ended() {
    let mut pool = Scenario::of("lead");
    pool.report_events("lead", "e1", vec![turn()]).ok();
    pool.end("lead", RunEnd::Completed).ok();
    pool.report_events("lead", "e1", vec![turn()])
        .nothing()
        .answer("3..3 1, repeated");
    pool.report_events("lead", "e2", vec![turn()])
        .refused("run completed");
}

#[test]
fn j7_what_led_to_an_event_stands_in_this_pool() {
    let mut pool = Scenario::of("lead");
    pool.report_events("lead", "e1", vec![turn().caused_by("3")])
        .refused("3 is ahead of 2");
    pool.report_events("lead", "e1", vec![turn().caused_by("2 of 9")])
        .refused("2 is foreign");
    pool.report_events("lead", "e1", vec![turn().causal("1 3")])
        .refused("3 is ahead of 2");
    pool.report_events("lead", "e1", vec![turn().caused_by("2").causal("1 2")])
        .records(["3 lead reported turn_started of run lead, 1 under e1 <- 2"]);
}

#[test]
fn j7_texts_and_correlations_are_as_long_and_as_many_as_the_limits_say() {
    let limits = [
        (LimitName::NoteBytesMax, 3),
        (LimitName::CorrelationEntriesMax, 1),
    ];
    let mut pool = Scenario::limited(&limits, "lead");
    pool.report_events("lead", "e1", vec![turn().summary("four")])
        .refused("note_bytes_max: 4 of 3");
    let two = turn().correlation("a", "1").correlation("b", "1");
    pool.report_events("lead", "e1", vec![two])
        .refused("correlation_entries_max: 2 of 1");
    let most = turn().summary("one").correlation("a", "1");
    pool.report_events("lead", "e1", vec![most]).ok();
}
