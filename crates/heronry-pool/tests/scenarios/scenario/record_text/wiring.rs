//! Records about edges, aliases and labels, as lines of text.

use heronry_journal::{AliasRemoved, AliasSet, EdgeUnwired, EdgeWired, LabelsChanged};
use heronry_types::{AliasName, Edge, Labels};

use super::{Tell, list, messages::address, or_nothing};

/// Returns an edge as its ends.
pub(in crate::scenario) fn edge(edge: &Edge) -> String {
    format!("{}-{}", edge.a(), edge.b())
}

/// Returns an alias as its recipient and its channel, and a star for any.
pub(in crate::scenario) fn alias(alias: &AliasName) -> String {
    let recipient = alias.recipient.as_ref().map_or("*", |it| it.as_str());
    let channel = alias.channel.as_ref().map_or("*", |it| it.as_str());
    format!("{recipient}/{channel}")
}

/// Returns labels as names and values.
pub(in crate::scenario) fn labels(labels: &Labels) -> String {
    let texts = labels.names();
    let texts = texts.map(|name| format!("{name}={}", labels.value(name).unwrap()));
    or_nothing(list(texts))
}

impl Tell for EdgeWired {
    fn tell(&self, run: &str) -> String {
        format!("{run} wired {} by {}", edge(&self.edge), self.manager)
    }
}

impl Tell for EdgeUnwired {
    fn tell(&self, run: &str) -> String {
        format!("{run} unwired {} by {}", edge(&self.edge), self.manager)
    }
}

impl Tell for LabelsChanged {
    fn tell(&self, run: &str) -> String {
        format!("{run} labelled {}", labels(&self.labels))
    }
}

impl Tell for AliasSet {
    fn tell(&self, run: &str) -> String {
        let (alias, to) = (alias(&self.alias), address(&self.to));
        format!("{run} alias {alias} to {to} by {}", self.manager)
    }
}

impl Tell for AliasRemoved {
    fn tell(&self, run: &str) -> String {
        format!("{run} no alias {} by {}", alias(&self.alias), self.manager)
    }
}
