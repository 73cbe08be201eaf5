//! Cursors and timelines, as rules see them (J5).

use heronry_types::{LimitName, RunEnd};

use crate::scenario::{Scenario, Wait};

#[test]
fn j5_a_cursor_up_to_the_head_is_one_of_this_pool() {
    let mut pool = Scenario::of("lead");
    pool.check_cursor("0").nothing().answer("0");
    pool.check_cursor("2").nothing().answer("2");
    pool.check_cursor("3").refused("3 is ahead of 2");
}

#[test]
fn j5_a_cursor_of_another_journal_is_foreign() {
    let mut pool = Scenario::of("lead");
    pool.check_cursor("1 of 9").refused("1 is foreign");
}

#[test]
fn j5_a_cursor_of_an_earlier_timeline_is_valid_before_the_next_one_started() {
    let mut pool = Scenario::of("lead");
    pool.start_timeline(2);
    pool.check_cursor("2 of 1").nothing().answer("2");
    pool.check_cursor("3 of 1")
        .refused("3 is foreign, left at 2");
    pool.check_cursor("3 of 2").nothing().answer("3");
    pool.check_cursor("2 of 2").nothing().answer("2");
}

#[test]
fn j5_the_start_of_a_timeline_triggers_who_waits_for_it() {
    let mut pool = Scenario::of("lead");
    pool.wait(
        "lead",
        &Wait::for_one(r#"kind == "agent_pool_epoch_started""#, "w1"),
    )
    .ok();
    pool.start_timeline(2);
    pool.tick().records(["5 w1@3 triggered by 4 (engine) <- 4"]);
}

#[test]
fn j5_trimming_changes_no_cursor_that_is_only_checked() {
    let mut pool = Scenario::of("lead a");
    pool.trim_to(3);
    pool.check_cursor("1").nothing().answer("1");
    pool.describe("lead").answer(
        "head 3, floor 2, version 1, 2 members, 0 lost, 0 asleep, 0 messages, 0 wakes, 0 dead",
    );
}

#[test]
fn s5_a_page_of_events_is_admitted_by_its_size_and_its_cursor() {
    let mut pool = Scenario::limited(&[(LimitName::PageItemsMax, 2)], "lead");
    pool.read_events("lead", Some("2"), 2).nothing();
    pool.read_events("lead", Some("3"), 2)
        .refused("3 is ahead of 2");
    pool.read_events("lead", None, 3)
        .refused("page_items_max: 3 of 2");
    pool.read_events("operator", None, 3)
        .refused("page_items_max: 3 of 2");
}

#[test]
fn s5_who_is_gone_reads_no_events_any_more() {
    let mut pool = Scenario::of("lead a");
    pool.leave("lead").ok();
    pool.read_events("lead", None, 1).refused("no member");
    pool.read_events("lead", Some("99"), 1).refused("no member");
    pool.end("a", RunEnd::Failed).ok();
    pool.read_events("operator for a", None, 1)
        .refused("run failed");
}
