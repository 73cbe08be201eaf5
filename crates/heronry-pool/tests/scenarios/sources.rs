//! Events that come from foreign sources (J7): what was taken is not taken again.

use heronry_types::{
    EntityKind, EventKind, NewSourceGap, SOURCE_WINDOW, SOURCES_MAX, SOURCES_PER_RUN_MAX,
    SourceGapReason, SourcePosition,
};

use crate::scenario::{Event, Joining, Letter, Scenario, Sleep, ask_sources::place};

fn tool() -> Event {
    Event::of(EventKind::ToolStarted)
}

fn lagged(missed: u64) -> NewSourceGap {
    NewSourceGap {
        missed: Some(missed),
        ..NewSourceGap::new(SourceGapReason::Lagged)
    }
}

#[test]
fn j7_other_batch_boundaries_after_a_restart_repeat_nothing() {
    let mut pool = Scenario::of("lead");
    pool.report_from("lead", "feed", "a", &[("1", tool()), ("2", tool())])
        .records([
            "3 lead reported tool_started of run lead at feed/1, 2 under a",
            "4 lead reported tool_started of run lead at feed/2",
        ])
        .answer("3..4 2");
    pool.kill();
    pool.report_from(
        "lead",
        "feed",
        "b",
        &[("2", tool()), ("3", tool()), ("7", tool())],
    )
    .records([
        "5 lead reported tool_started of run lead at feed/3, 2 under b",
        "6 lead reported tool_started of run lead at feed/7",
    ])
    .answer("5..6 2, 1 taken before");
    pool.report_from("lead", "feed", "c", &[("3", tool()), ("7", tool())])
        .nothing()
        .answer("6..6 0, 2 taken before");
    // The key says the same, and how many there were.
    pool.report_from(
        "lead",
        "feed",
        "b",
        &[("2", tool()), ("3", tool()), ("7", tool())],
    )
    .nothing()
    .answer("5..6 2, repeated, 1 taken before");
}

#[test]
fn m3_a_batch_of_a_source_is_answered_again_whatever_came_after_it() {
    let mut pool = Scenario::of("lead");
    let a = [("1", tool()), ("2", tool())];
    let b = [("2", tool()), ("3", tool()), ("4", tool()), ("5", tool())];
    pool.report_from("lead", "feed", "a", &a).answer("3..4 2");
    pool.report_from("lead", "feed", "b", &b)
        .answer("5..7 3, 1 taken before");
    for kill in [false, true] {
        if kill {
            pool.kill();
        }
        pool.report_from("lead", "feed", "a", &a)
            .nothing()
            .answer("3..4 2, repeated");
        pool.report_from("lead", "feed", "b", &b)
            .nothing()
            .answer("5..7 3, repeated, 1 taken before");
        pool.report_from("lead", "feed", "a", &b)
            .refused("conflict with 3: IdempotencyKey");
    }
    // A batch with the same key of another source, or of none, is another request.
    pool.report_from("lead", "other", "a", &a)
        .refused("conflict with 3: IdempotencyKey");
    pool.report_events("lead", "a", vec![tool()])
        .refused("conflict with 3: IdempotencyKey");
}

#[test]
fn j7_the_end_of_a_run_said_again_is_a_repeat_under_whatever_key() {
    let mut pool = Scenario::of("lead scout");
    let end = || Event::of(EventKind::RunCompleted);
    pool.report_from("lead", "feed", "a", &[("1", end())]).ok();
    for key in ["a", "b"] {
        pool.report_from("operator for lead", "feed", key, &[("1", end())])
            .nothing()
            .answer("4..4 0, 1 taken before");
    }
}

#[test]
fn j7_what_comes_late_or_twice_in_a_batch_is_left_out() {
    let mut pool = Scenario::of("lead");
    let batch = [("5", tool()), ("4", tool()), ("5", tool()), ("6", tool())];
    pool.report_from("lead", "feed", "a", &batch)
        .records([
            "3 lead reported tool_started of run lead at feed/5, 2 under a",
            "4 lead reported tool_started of run lead at feed/6",
        ])
        .answer("3..4 2, 2 taken before");
}

#[test]
fn j7_a_source_without_order_forgets_what_is_older_than_its_window() {
    let mut pool = Scenario::of("lead");
    let ids: Vec<String> = (0..=SOURCE_WINDOW).map(|id| format!("id-{id}")).collect();
    for (number, ids) in ids.chunks(500).enumerate() {
        let batch: Vec<_> = ids.iter().map(|id| (id.as_str(), tool())).collect();
        pool.report_from("lead", "feed", &format!("k{number}"), &batch)
            .ok();
    }
    pool.kill();
    let again = [("id-1", tool()), ("id-2048", tool())];
    pool.report_from("lead", "feed", "in it", &again)
        .nothing()
        .answer("2051..2051 0, 2 taken before");
    pool.report_from(
        "lead",
        "feed",
        "out of it",
        &[("id-0", tool()), ("id-0", tool())],
    )
    .records(["2052 lead reported tool_started of run lead at feed/id-0, 1 under out of it"])
    .answer("2052..2052 1, 1 taken before");
}

#[test]
fn j7_a_source_numbers_all_its_events_or_names_all() {
    let mut pool = Scenario::of("lead");
    let refused = "a source numbers all its events or gives all of them ids; go on as it began";
    let mixed = [("1", tool()), ("a", tool())];
    pool.report_from("lead", "feed", "a", &mixed)
        .refused(&format!("event 1: {refused}"));
    pool.report_from("lead", "feed", "a", &[("1", tool())]).ok();
    pool.report_from("lead", "feed", "b", &[("a", tool())])
        .refused(&format!("event 0: {refused}"));
    pool.report_from("lead", "feed", "c", &[("2", tool()), ("", tool())])
        .refused("event 1: the batch names a source; say the event's position there");
    pool.report_from("lead", "", "d", &[("2", tool())])
        .refused("event 0: the event has a position in a source; name the source of the batch");
}

#[test]
fn j7_a_sources_end_of_a_run_is_the_runs_end_and_a_second_one_a_repeat() {
    for by in ["lead", "operator for lead"] {
        let mut pool = Scenario::of("lead scout");
        pool.send("scout", &Letter::to("lead", "m1")).ok();
        let end = || Event::of(EventKind::RunFailed).summary("out of memory");
        pool.report_from(by, "feed", "a", &[("1", tool()), ("2", end())])
            .refused("event 1: run_failed ends the run, so it goes alone; send what comes before it first");
        let said = if by == "lead" { "" } else { " (operator)" };
        pool.report_from(by, "feed", "a", &[("2", end())])
            .records([
                &format!("6 lead/2 ended: failed (out of memory), 1 there{said}"),
                "7 m1@4 settled: undeliverable#0 run_ended (engine) <- 4",
            ])
            .answer("6..6 1");
        pool.report_from("operator for lead", "feed", "b", &[("2", end())])
            .nothing()
            .answer("7..7 0, 1 taken before");
        pool.report_from("operator for lead", "feed", "c", &[("3", tool())])
            .refused("run failed");
        let other = Event::of(EventKind::RunCompleted).about(EntityKind::Run, "scout");
        pool.report_from("scout", "scouts", "d", &[("1", other)])
            .ok();
    }
}

#[test]
fn j7_a_gap_is_recorded_once_and_covers_what_it_says() {
    let mut pool = Scenario::of("lead");
    pool.report_from("lead", "feed", "a", &[("4", tool())]).ok();
    pool.miss("lead", "feed", "g1", lagged(7))
        .records(["4 lead misses 7 of feed: lagged after 4"])
        .answer("at 4");
    pool.kill();
    pool.miss("lead", "feed", "g1", lagged(7))
        .nothing()
        .answer("at 4, repeated");
    pool.miss("lead", "feed", "g1", lagged(8))
        .refused("conflict with 4: IdempotencyKey");
    let refused = || NewSourceGap {
        through: Some(SourcePosition::Number(6)),
        missed: Some(1),
        note: Some("too many tags".to_owned()),
        ..NewSourceGap::new(SourceGapReason::RefusedPermanently)
    };
    pool.miss("operator", "feed", "g2", refused()).records([
        "5 pool misses 1 of feed: refused_permanently after 4 through 6 (too many tags) (operator)",
    ]);
    pool.report_from("lead", "feed", "b", &[("6", tool())])
        .nothing()
        .answer("5..5 0, 1 taken before");
    // What it covers is known to be missing, under whatever key.
    pool.miss("operator", "feed", "g3", refused())
        .nothing()
        .answer("at 5, repeated");
}

#[test]
fn j7_a_gap_says_both_its_places_as_the_source_says_them() {
    let gap = |after: &str, through: &str| NewSourceGap {
        after: Some(place(after)),
        through: Some(place(through)),
        ..NewSourceGap::new(SourceGapReason::Lagged)
    };
    let refused =
        "event 0: a source numbers all its events or gives all of them ids; go on as it began";
    for (after, through) in [("1", "b"), ("a", "2")] {
        let mut pool = Scenario::of("lead");
        // Nothing was said of the source yet, and its places are of two kinds.
        pool.miss("lead", "feed", "g", gap(after, through))
            .refused(refused);
        pool.report_from("lead", "feed", "a", &[(after, tool())])
            .ok();
        pool.miss("lead", "feed", "g", gap(after, through))
            .refused(refused);
        pool.miss("lead", "feed", "g", gap(through, after))
            .refused(refused);
    }
    let mut pool = Scenario::of("lead");
    pool.miss("lead", "feed", "g", gap("1", "2")).ok();
    pool.miss("lead", "named", "h", gap("a", "b")).ok();
}

#[test]
fn j7_one_bridge_reports_from_a_source_at_a_time() {
    let mut pool = Scenario::of("lead");
    pool.attach("lead", "feed", "a")
        .records(["3 lead has feed as a"])
        .answer("3");
    pool.attach("lead", "feed", "a")
        .nothing()
        .answer("3, repeated");
    pool.report_from("lead", "feed/3", "k1", &[("1", tool())])
        .ok();
    pool.attach("lead", "feed", "b")
        .refused("source taken by 3");
    pool.report_from("lead", "feed", "k2", &[("2", tool())])
        .refused("source taken by 3");
    pool.attach("lead", "feed!", "b")
        .records(["5 lead has feed as b, taken from 3"])
        .answer("5 after 1");
    for refused in [
        pool.report_from("lead", "feed/3", "k2", &[("2", tool())]),
        pool.miss("lead", "feed/3", "g1", lagged(1)),
    ] {
        refused.refused("source fenced");
    }
    pool.detach("lead", "feed/3").nothing();
    pool.report_from("lead", "feed/5", "k2", &[("2", tool())])
        .ok();
    pool.kill();
    pool.attach("lead", "feed", "c")
        .refused("source taken by 5");
    pool.detach("lead", "feed/5")
        .records(["7 lead leaves feed/5"]);
    pool.report_from("lead", "feed/5", "k3", &[("3", tool())])
        .refused("source fenced");
    pool.attach("lead", "feed", "c").answer("8 after 2");
}

#[test]
fn j7_a_bridge_of_a_run_has_its_source_as_long_as_its_joining_lives() {
    let mut pool = Scenario::of("lead");
    pool.attach("lead", "feed", "a").answer("3");
    pool.report_from("lead", "feed/3", "k", &[("1", tool())])
        .ok();
    pool.join(Joining::of("lead").instance("other")).ok();
    pool.report_from("lead/1", "feed/3", "l", &[("1", tool())])
        .refused("fenced");
    pool.attach("lead", "feed", "b")
        .records(["6 lead has feed as b"])
        .answer("6 after 1");
}

#[test]
fn j7_a_source_belongs_to_who_reported_from_it_first() {
    let mut pool = Scenario::of("lead scout");
    pool.report_from("lead", "feed", "a", &[("1", tool())]).ok();
    pool.report_from("scout", "feed", "a", &[("99", tool())])
        .refused("not your source");
    pool.attach("scout", "feed!", "a")
        .refused("not your source");
    pool.miss("scout", "feed", "g", lagged(1))
        .refused("not your source");
    pool.report_from("operator for lead", "feed", "b", &[("2", tool())])
        .ok();
    pool.report_from("operator for lead", "hosts", "c", &[("1", tool())])
        .ok();
    pool.report_from("lead", "hosts", "d", &[("2", tool())])
        .refused("not your source");
}

#[test]
fn j7_a_pool_keeps_the_positions_of_so_many_sources() {
    let mut pool = Scenario::of("lead");
    for number in 0..SOURCES_MAX {
        let name = format!("feed-{number}");
        pool.report_from("operator for lead", &name, &name, &[("1", tool())])
            .ok();
    }
    pool.report_from("operator for lead", "feed-0", "b", &[("2", tool())])
        .ok();
    let refused = format!("more than {SOURCES_MAX} sources in all");
    for by in ["lead", "operator for lead"] {
        pool.report_from(by, "feed-more", "c", &[("1", tool())])
            .refused(&refused);
        pool.attach(by, "feed-more", "a").refused(&refused);
        pool.miss(by, "feed-more", "a", lagged(1)).refused(&refused);
        // Who leaves what there is not needs no room, and takes none.
        pool.detach(by, "feed-more/1").nothing();
    }
}

#[test]
fn j7_a_run_is_the_first_to_name_so_many_sources() {
    let mut pool = Scenario::of("lead scout");
    for number in 1..SOURCES_PER_RUN_MAX {
        let name = format!("feed-{number}");
        pool.attach("lead", &name, "a").ok();
    }
    pool.detach("lead", "unknown/1").nothing();
    pool.report_from("lead", "feed-last", "a", &[("1", tool())])
        .ok();
    let refused = format!("more than {SOURCES_PER_RUN_MAX} sources of one run");
    for _ in 0..2 {
        pool.attach("lead", "feed-more", "a").refused(&refused);
        pool.report_from("lead", "feed-more", "b", &[("1", tool())])
            .refused(&refused);
        pool.miss("lead", "feed-more", "g", lagged(1))
            .refused(&refused);
        pool.join(Joining::of("lead").instance("other")).ok();
    }
    // What it has goes on, and what others have is theirs.
    pool.report_from("lead", "feed-last", "b", &[("2", tool())])
        .ok();
    pool.attach("scout", "scouts", "a").ok();
    pool.report_from("operator for lead", "hosts", "c", &[("1", tool())])
        .ok();
}

#[test]
fn j7_what_a_source_tells_resumes_nobody() {
    let mut pool = Scenario::of("lead");
    pool.suspend("lead", &Sleep::default()).ok();
    pool.report_from("lead", "feed", "a", &[("1", tool())])
        .records(["4 lead reported tool_started of run lead at feed/1, 1 under a"]);
    pool.report_events("lead", "b", vec![tool()]).counts(2, 0);
}
