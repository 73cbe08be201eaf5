//! The nouns under which operations stand.

use utoipa::openapi::{Tag as Described, tag::TagBuilder};

/// The noun that an operation is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tag {
    Pools,
    Members,
    Wiring,
    Roster,
    Messages,
    Inbox,
    DeadLetters,
    Effects,
    Wakes,
    Events,
    Sources,
    Consumers,
    Contents,
    Filters,
    Server,
}

impl Tag {
    /// Every noun, in the order in which a reader meets them.
    const ALL: [Self; 15] = [
        Self::Pools,
        Self::Members,
        Self::Wiring,
        Self::Roster,
        Self::Messages,
        Self::Inbox,
        Self::DeadLetters,
        Self::Effects,
        Self::Wakes,
        Self::Events,
        Self::Sources,
        Self::Consumers,
        Self::Contents,
        Self::Filters,
        Self::Server,
    ];

    /// Returns the name in the document.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pools => "pools",
            Self::Members => "members",
            Self::Wiring => "wiring",
            Self::Roster => "roster",
            Self::Messages => "messages",
            Self::Inbox => "inbox",
            Self::DeadLetters => "dead-letters",
            Self::Effects => "effects",
            Self::Wakes => "wakes",
            Self::Events => "events",
            Self::Sources => "sources",
            Self::Consumers => "consumers",
            Self::Contents => "contents",
            Self::Filters => "filters",
            Self::Server => "server",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Pools => "Pools: each has one journal, its configuration and its settings.",
            Self::Members => "Runs of agents that have joined a pool.",
            Self::Wiring => "Edges between runs, aliases of addresses, and labels.",
            Self::Roster => {
                "The members that should run, how they stand, and the modules beside them."
            }
            Self::Messages => "Messages and their receipts.",
            Self::Inbox => "The copies of messages that wait for a member.",
            Self::DeadLetters => "Copies that were claimed too often.",
            Self::Effects => "The work of runs outside the pool.",
            Self::Wakes => "Waiting for events.",
            Self::Events => "What happened, as observers see it.",
            Self::Sources => "Foreign sources of events, and the bridges that report from them.",
            Self::Consumers => {
                "Durable places of those who read events, with one holder at a time."
            }
            Self::Contents => "Bodies that are stored by themselves.",
            Self::Filters => "The language in which events are chosen.",
            Self::Server => "The server itself.",
        }
    }
}

/// Returns every noun with its description.
pub(super) fn described() -> Vec<Described> {
    let described = Tag::ALL.iter().map(|tag| {
        let described = TagBuilder::new().name(tag.name());
        described.description(Some(tag.description())).build()
    });
    described.collect()
}
