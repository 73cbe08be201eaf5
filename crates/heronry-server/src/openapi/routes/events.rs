//! Events.

use heronry_event::{EventPage, StreamItem};
use heronry_types::{Cursor, Trace};
use heronry_wire::{
    AppendEvents, EVENT_STREAM, EphemeralPublished, EventsAppended, EventsQuery, ProblemKind,
    PublishEphemeral,
};

use crate::openapi::{CURSORS, Contract, TRACE, Tag};

/// The description of a stream in the contract.
const STREAM: &str = "Server-sent events: replay, then live. `id` is a cursor to resume from, `event` \
a kind, `caught_up`, `gap`, `ephemeral`, `dropped` or `closed`, and `data` one StreamItem as JSON. An `id` alone is \
a bookmark. Items without a record (`ephemeral`, `dropped`) have no `id`.";

/// The two forms of an answer.
const PAGE: &str =
    "A page of events; a stream of them when the request accepts `text/event-stream`.";

/// The description of the header with which a stream is resumed.
const RESUMED: &str =
    "Where a stream goes on: the last `id` that its reader saw. It beats `after` and `from`.";

pub(crate) fn read_events(contract: Contract) -> Contract {
    contract
        .named("readEvents", Tag::Events)
        .queries::<EventsQuery>()
        .header::<Cursor>("last-event-id", RESUMED)
        .answers::<EventPage>(200, PAGE)
        .answers_items::<StreamItem>(EVENT_STREAM, STREAM)
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::Policy])
        .refuses(&[ProblemKind::SenderMismatch, ProblemKind::FilterInvalid])
}

pub(crate) fn report_events(contract: Contract) -> Contract {
    contract
        .named("reportEvents", Tag::Events)
        .keyed()
        .header::<Trace>("traceparent", TRACE)
        .reads::<AppendEvents>()
        .answers::<EventsAppended>(201, "The events were recorded.")
        .answers::<EventsAppended>(200, "The events were recorded before, under the same key.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch, ProblemKind::Policy])
        .refuses(&[ProblemKind::SourceTaken, ProblemKind::SourceFenced])
}

pub(crate) fn publish_ephemeral(contract: Contract) -> Contract {
    contract
        .named("publishEphemeral", Tag::Events)
        .header::<Trace>("traceparent", TRACE)
        .reads::<PublishEphemeral>()
        .answers::<EphemeralPublished>(200, "The events are shown to those who follow.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch, ProblemKind::Policy])
}
