//! Records about the wiring of a pool: edges, aliases and labels.

use heronry_types::{Address, AliasName, Edge, EventKind, Labels, ManagedBy};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, SizeClass, Subject, Touch};

#[cfg(test)]
mod samples;

/// Two runs may talk to each other.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeWired {
    /// The runs.
    #[n(0)]
    pub edge: Edge,
    /// The party that looks after the edge from here on.
    #[n(1)]
    pub manager: ManagedBy,
}

impl RecordBody for EdgeWired {
    const NUMBER: u16 = 70;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EdgeWired
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touch_edge(&self.edge, self.manager, touched);
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// Two runs may no longer talk to each other.
///
/// An edge that an operator removes and a steward looks after stays known until the steward wires it
/// again, or lets it go with a record of its own.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeUnwired {
    /// The runs.
    #[n(0)]
    pub edge: Edge,
    /// The party that removed the edge.
    #[n(1)]
    pub manager: ManagedBy,
}

impl RecordBody for EdgeUnwired {
    const NUMBER: u16 = 71;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::EdgeUnwired
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touch_edge(&self.edge, self.manager, touched);
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

fn touch_edge<'a>(edge: &'a Edge, manager: ManagedBy, touched: &mut dyn FnMut(Touch<'a>)) {
    touched(Touch::Run(edge.a()));
    touched(Touch::Run(edge.b()));
    touched(Touch::Managed(manager));
}

/// The labels of a run or of the pool were replaced.
///
/// They are those of the run in the lineage; without one, of the pool.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelsChanged {
    /// All labels from here on; none: they were cleared.
    #[n(0)]
    pub labels: Labels,
}

impl RecordBody for LabelsChanged {
    const NUMBER: u16 = 72;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AgentPoolLabelsChanged
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Labels(&self.labels));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// An alias leads to an address.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AliasSet {
    /// The alias.
    #[n(0)]
    pub alias: AliasName,
    /// The address that it leads to; never an alias.
    #[n(1)]
    pub to: Address,
    /// The party that looks after the alias from here on.
    #[n(2)]
    pub manager: ManagedBy,
}

impl RecordBody for AliasSet {
    const NUMBER: u16 = 73;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AliasSet
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::SentTo(&self.to));
        touched(Touch::Alias(&self.alias));
        touched(Touch::Managed(self.manager));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}

/// An alias leads nowhere any more.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AliasRemoved {
    /// The alias.
    #[n(0)]
    pub alias: AliasName,
    /// The party that removed it.
    #[n(1)]
    pub manager: ManagedBy,
}

impl RecordBody for AliasRemoved {
    const NUMBER: u16 = 74;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::AliasRemoved
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Pool
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        touched(Touch::Alias(&self.alias));
        touched(Touch::Managed(self.manager));
    }

    fn size_class(&self) -> SizeClass {
        SizeClass::Small
    }
}
