//! Samples of records about the wiring of a pool.

use heronry_types::{Address, AliasName, Edge, Labels, ManagedBy, RunId};
use proptest::{option, prelude::*};

use super::{AliasRemoved, AliasSet, EdgeUnwired, EdgeWired, LabelsChanged};
use crate::samples::{
    self, Sample,
    arbitrary::{id, labels, word},
};

fn edge() -> Edge {
    Edge::parse("run-scout", "run-lead").unwrap()
}

fn alias() -> AliasName {
    AliasName {
        recipient: Some(samples::id("member.run-scout")),
        channel: Some(samples::id("findings")),
    }
}

/// Any edge.
fn any_edge() -> BoxedStrategy<Edge> {
    let ends = (id(), id());
    ends.prop_filter_map("one run", |(one, other): (RunId, RunId)| {
        // On disk as in text, blanks around an end do not count.
        let edge = Edge::between(one, other).ok()?;
        Edge::parse(edge.a().as_str(), edge.b().as_str()).ok()
    })
    .boxed()
}

/// Any alias.
fn any_alias() -> BoxedStrategy<AliasName> {
    (option::of(id()), option::of(id()))
        .prop_map(|(recipient, channel)| AliasName { recipient, channel })
        .boxed()
}

impl Sample for EdgeWired {
    fn samples() -> Vec<Self> {
        let (edge, manager) = (edge(), ManagedBy::Steward);
        vec![Self { edge, manager }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any_edge(), word())
            .prop_map(|(edge, manager)| Self { edge, manager })
            .boxed()
    }
}

impl Sample for EdgeUnwired {
    fn samples() -> Vec<Self> {
        let (edge, manager) = (edge(), ManagedBy::Operator);
        vec![Self { edge, manager }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any_edge(), word())
            .prop_map(|(edge, manager)| Self { edge, manager })
            .boxed()
    }
}

impl Sample for LabelsChanged {
    fn samples() -> Vec<Self> {
        let mut labels = Labels::new();
        labels.add("team", "red").unwrap();
        labels.add("tier", "1").unwrap();
        vec![Self { labels }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        labels().prop_map(|labels| Self { labels }).boxed()
    }
}

impl Sample for AliasSet {
    fn samples() -> Vec<Self> {
        vec![Self {
            alias: alias(),
            to: Address::Run {
                run_id: samples::id("run-scout"),
            },
            manager: ManagedBy::Steward,
        }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        let to = id().prop_map(|topic_id| Address::Topic { topic_id });
        (any_alias(), to, word())
            .prop_map(|(alias, to, manager)| Self { alias, to, manager })
            .boxed()
    }
}

impl Sample for AliasRemoved {
    fn samples() -> Vec<Self> {
        let (alias, manager) = (alias(), ManagedBy::Operator);
        vec![Self { alias, manager }]
    }

    fn arbitrary() -> BoxedStrategy<Self> {
        (any_alias(), word())
            .prop_map(|(alias, manager)| Self { alias, manager })
            .boxed()
    }
}
