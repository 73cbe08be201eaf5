//! Schemas of the explanation of a wake that waits.

use heronry_types::{DistinctBy, EventKind, WakeStatus};

use super::{Fields, Named, count, cursor, list, names, reference, text, texts, truth};

pub(super) fn schemas() -> Vec<Named> {
    let could = Fields::of("Members in whose name an event could come.")
        .must("count", count("How many."))
        .must("runs", texts("The first hundred, in order of their ids."));
    let failed = Fields::of("A comparison that failed.")
        .must("clause", text("The comparison, as filter text."))
        .must("seen", text("What the event had in that place."));
    let closest = Fields::of("An event that a filter nearly kept.")
        .must("cursor", cursor("Where it stands."))
        .must("kind", names::<EventKind>())
        .must("failed", list("FailedClause"));
    let early = Fields::of("An event that a filter keeps, from before the wake begins.")
        .must("cursor", cursor("Where it stands."))
        .must("kind", names::<EventKind>())
        .must(
            "since",
            cursor("Where a wake has to begin so that it counts."),
        );
    let value = Fields::of("A value that events had.")
        .must("value", text("The value, as filter text."))
        .must("events", count("How many had it."));
    let missing = Fields::of("A comparison that alone kept events from being kept.")
        .must("clause", text("The comparison, as filter text."))
        .must(
            "events",
            count("How many events failed it and nothing else."),
        )
        .must("seen", list("SeenValue"));
    vec![
        ("Could", could.schema()),
        ("FailedClause", failed.schema()),
        ("ClosestEvent", closest.schema()),
        ("EarlyEvent", early.schema()),
        ("SeenValue", value.schema()),
        ("MissingClause", missing.schema()),
        ("FilterExplanation", filter().schema()),
        ("WakeExplanation", wake().schema()),
    ]
}

fn filter() -> Fields {
    Fields::of("How far one filter of a wake has come.")
        .must("filter", text("The filter, in canonical form."))
        .must("needed", count("How many events it has to keep."))
        .may("distinct_by", names::<DistinctBy>())
        .must("counted", count("How many of those looked at count."))
        .must("early", count("How many more came too early to count."))
        .may("latest_early", reference("EarlyEvent"))
        .must("close", count("How many failed one comparison alone."))
        .must("missing", list("MissingClause"))
        .may("closest", reference("ClosestEvent"))
        .must("could", reference("Could"))
}

fn wake() -> Fields {
    Fields::of("Why a wake has not been triggered, by the newest events: 10 000, fewer for a wake that costs much.")
        .must("wake_id", text("The wake."))
        .must("run_id", text("Who waits."))
        .must("status", names::<WakeStatus>())
        .must("condition", text("What it waits for."))
        .must("since", cursor("Events after this one count."))
        .must("after", cursor("Events after this one were looked at."))
        .must("until", cursor("And up to this one."))
        .must("events", count("How many the waiting run may see."))
        .must("cost", count("How much it adds to the cost of an event."))
        .must(
            "orphaned",
            truth("Whether it waits for what no live member can do."),
        )
        .may(
            "suspected_deadlock",
            cursor("The record that suspects its run to wait only on runs that wait on it."),
        )
        .may("policies", list("PolicyRef"))
        .must("clauses", list("FilterExplanation"))
}
