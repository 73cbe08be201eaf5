//! Commands of scenarios about edges, aliases and labels.
//!
//! Whoever wires is `operator`, the name of a member, `steward` or `an older steward`. Edges are `a-b`, and stand
//! in one text with spaces between. An alias is `recipient/channel`, and `*` is any. Labels are `name=value`.

use heronry_journal::{Body, Record};
use heronry_pool::{
    WiringChanged,
    decide::{
        AliasLookup, Command, FindAlias, LabelsOf, ListAliases, ListEdges, NewAlias, NewLabels,
        RemoveAliases, SetAliases, SetLabels, UnwireEdges, WireEdges, WiredBy,
    },
};
use heronry_types::{AliasName, AliasView, Edge, EdgeView, Labels, Position, StewardToken};

use super::{
    Scenario, Step, answers,
    notation::{address, id},
    record_text::{self, list, or_nothing, wiring},
};

/// Reads edges.
fn edges(texts: &str) -> Vec<Edge> {
    let texts = texts.split_whitespace();
    texts
        .map(|text| {
            let (one, other) = text.split_once('-').unwrap();
            Edge::parse(one, other).unwrap()
        })
        .collect()
}

/// Reads an alias.
pub(super) fn alias(text: &str) -> AliasName {
    let (recipient, channel) = text.split_once('/').unwrap();
    AliasName {
        recipient: (recipient != "*").then(|| id(recipient)),
        channel: (channel != "*").then(|| id(channel)),
    }
}

/// Reads labels.
fn labels(texts: &str) -> Labels {
    let mut labels = Labels::new();
    for text in texts.split_whitespace() {
        let (name, value) = text.split_once('=').unwrap();
        labels.add(name, value).unwrap();
    }
    labels
}

fn changed(it: WiringChanged) -> String {
    let unchanged = if it.unchanged { ", unchanged" } else { "" };
    answers::done(it.done) + unchanged
}

fn edge_view(it: &EdgeView) -> String {
    let EdgeView {
        edge,
        managed_by,
        standing,
        cursor,
    } = it;
    let edge = wiring::edge(edge);
    format!("{edge} {standing} by {managed_by} at {}", cursor.position)
}

fn alias_view(it: &AliasView) -> String {
    let AliasView {
        alias,
        to,
        managed_by,
        cursor,
    } = it;
    let (alias, to) = (wiring::alias(alias), record_text::messages::address(to));
    format!("{alias} to {to} by {managed_by} at {}", cursor.position)
}

impl Scenario {
    fn wirer(&self, by: &str) -> WiredBy {
        let taken = |record: &&Record| matches!(record.entry.body, Body::StewardTaken(_));
        match by {
            "steward" => {
                let taken = self.records.iter().rfind(taken).unwrap();
                WiredBy::Steward(StewardToken(taken.position))
            }
            "an older steward" => WiredBy::Steward(StewardToken(Position(1))),
            by => WiredBy::Hand(self.speaker(by).0),
        }
    }

    /// Changes edges, aliases or labels.
    pub(crate) fn change_wiring(&mut self, change: &impl Command<Answer = WiringChanged>) -> Step {
        self.step(change, changed)
    }

    pub(crate) fn wire(&mut self, by: &str, texts: &str) -> Step {
        let (by, edges) = (self.wirer(by), edges(texts));
        self.step(&WireEdges { by, edges }, changed)
    }

    pub(crate) fn unwire(&mut self, by: &str, texts: &str) -> Step {
        let (by, edges) = (self.wirer(by), edges(texts));
        self.step(&UnwireEdges { by, edges }, changed)
    }

    /// Lists a page of edges.
    pub(crate) fn edges(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let list_edges = ListEdges {
            caller: self.speaker(by).0,
            after: after.map(|text| edges(text).remove(0)),
            max,
        };
        self.step(&list_edges, |it| {
            let next = it.next.map(|edge| format!(" next {}", wiring::edge(&edge)));
            or_nothing(list(it.edges.iter().map(edge_view))) + &next.unwrap_or_default()
        })
    }

    /// Sets an alias.
    pub(crate) fn set_alias(&mut self, by: &str, name: &str, to: &str) -> Step {
        let new = NewAlias {
            alias: alias(name),
            to: address(to),
        };
        let set = SetAliases {
            by: self.wirer(by),
            aliases: vec![new],
        };
        self.step(&set, changed)
    }

    pub(crate) fn remove_alias(&mut self, by: &str, name: &str) -> Step {
        let remove = RemoveAliases {
            by: self.wirer(by),
            aliases: vec![alias(name)],
        };
        self.step(&remove, changed)
    }

    /// Lists a page of aliases.
    pub(crate) fn aliases(&mut self, by: &str, after: Option<&str>, max: u64) -> Step {
        let list_aliases = ListAliases {
            caller: self.speaker(by).0,
            after: after.map(alias),
            max,
        };
        self.step(&list_aliases, |it| {
            let next = it.next.map(|it| format!(" next {}", wiring::alias(&it)));
            or_nothing(list(it.aliases.iter().map(alias_view))) + &next.unwrap_or_default()
        })
    }

    /// Asks where an alias leads: `=` before it asks for the alias of exactly this name.
    pub(crate) fn find_alias(&mut self, by: &str, name: &str) -> Step {
        let (lookup, name) = match name.strip_prefix('=') {
            Some(name) => (AliasLookup::Exact, name),
            None => (AliasLookup::ByPrecedence, name),
        };
        let find = FindAlias {
            caller: self.speaker(by).0,
            alias: alias(name),
            lookup,
        };
        self.step(&find, |it| alias_view(&it))
    }

    /// Sets the labels of a run, or of the pool.
    pub(crate) fn label(&mut self, by: &str, of: Option<&str>, texts: &str) -> Step {
        let new = NewLabels {
            of: of.map(id),
            labels: labels(texts),
        };
        let set = SetLabels {
            by: self.wirer(by),
            changes: vec![new],
        };
        self.step(&set, changed)
    }

    /// Asks for the labels of a run, or of the pool.
    pub(crate) fn labels(&mut self, by: &str, of: Option<&str>) -> Step {
        let ask = LabelsOf {
            caller: self.speaker(by).0,
            of: of.map(id),
        };
        self.step(&ask, |it| wiring::labels(&it.labels))
    }
}
