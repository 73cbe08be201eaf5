//! Events that come from foreign sources (J7): what was taken is not taken again.

use heronry_types::{
    EntityKind, EventKind, NewSourceGap, SOURCE_WINDOW, SOURCES_MAX, SourceGapReason,
    SourcePosition,
};

use crate::scenario::{Event, Joining, Letter, Scenario, Sleep};

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
