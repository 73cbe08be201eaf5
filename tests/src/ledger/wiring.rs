//! The rules of a journal about edges, aliases and labels.

use std::collections::BTreeMap;

use heronry_journal::{EdgeUnwired, EdgeWired, Record, WiringRecord};
use heronry_types::{
    ALIASES_MAX, Actor, AliasName, EDGES_MAX, Edge, LABELLED_RUNS_MAX, Labels, ManagedBy, RunId,
};

use super::Ledger;

/// The wiring of a pool as the journal shows it.
#[derive(Debug, Default)]
pub(super) struct Switchboard {
    /// The edges that somebody looks after.
    owners: BTreeMap<Edge, ManagedBy>,
    /// Those of a steward that an operator removed.
    removed: Vec<Edge>,
    aliases: BTreeMap<AliasName, ManagedBy>,
    labels: BTreeMap<Option<RunId>, Labels>,
}

impl Ledger {
    pub(super) fn of_wiring(&mut self, record: &Record, body: WiringRecord<'_>) {
        let by = &record.entry.actor;
        assert_eq!(*by, Actor::Operator, "only operators and the steward wire");
        let board = &mut self.switchboard;
        match body {
            WiringRecord::EdgeWired(body) => board.wired(body),
            WiringRecord::EdgeUnwired(body) => board.unwired(body),
            WiringRecord::LabelsChanged(body) => {
                let of = record.entry.lineage.run.clone();
                board.labelled(of, &body.labels);
            }
            WiringRecord::AliasSet(body) => board.aliased(&body.alias, body.manager),
            WiringRecord::AliasRemoved(body) => board.unaliased(&body.alias, body.manager),
        }
    }

    /// Returns true when two runs have an edge that may be used.
    pub fn are_wired(&self, edge: &Edge) -> bool {
        self.switchboard.is_wired(edge)
    }
}

impl Switchboard {
    fn is_wired(&self, edge: &Edge) -> bool {
        self.owners.contains_key(edge) && !self.removed.contains(edge)
    }

    fn wired(&mut self, body: &EdgeWired) {
        let EdgeWired { edge, manager } = body;
        let owner = self.owners.get(edge).copied();
        let changes = !self.is_wired(edge) || owner != Some(*manager);
        assert!(changes, "a record changes something");
        let claims = owner == Some(ManagedBy::Operator) && *manager == ManagedBy::Steward;
        assert!(!claims, "the steward claims no edge of an operator");
        self.removed.retain(|removed| removed != edge);
        self.owners.insert(edge.clone(), *manager);
        assert!(self.owners.len() <= EDGES_MAX, "there is room");
    }

    fn unwired(&mut self, body: &EdgeUnwired) {
        let EdgeUnwired { edge, manager } = body;
        let owner = self.owners.get(edge).copied();
        assert!(owner.is_some(), "what is unwired was there");
        match manager {
            ManagedBy::Operator => assert!(self.is_wired(edge), "it is removed once"),
            ManagedBy::Steward => assert_eq!(owner, Some(ManagedBy::Steward), "its own"),
        }
        self.removed.retain(|removed| removed != edge);
        if *manager == ManagedBy::Operator && owner == Some(ManagedBy::Steward) {
            self.removed.push(edge.clone());
        } else {
            self.owners.remove(edge);
        }
    }

    fn labelled(&mut self, of: Option<RunId>, labels: &Labels) {
        let before = self.labels.get(&of).cloned().unwrap_or_default();
        assert_ne!(before, *labels, "a record changes something");
        self.labels.insert(of, labels.clone());
        let some = self.labels.iter();
        let some = some.filter(|(of, labels)| of.is_some() && !labels.is_empty());
        assert!(some.count() <= LABELLED_RUNS_MAX, "there is room");
    }

    fn aliased(&mut self, alias: &AliasName, manager: ManagedBy) {
        let owner = self.aliases.insert(alias.clone(), manager);
        let claims = owner == Some(ManagedBy::Operator) && manager == ManagedBy::Steward;
        assert!(!claims, "the steward claims no alias of an operator");
        assert!(self.aliases.len() <= ALIASES_MAX, "there is room");
    }

    fn unaliased(&mut self, alias: &AliasName, manager: ManagedBy) {
        let owner = self.aliases.remove(alias);
        assert!(owner.is_some(), "what is removed was there");
        let is_own = manager == ManagedBy::Operator || owner == Some(ManagedBy::Steward);
        assert!(is_own, "the steward removes its own");
    }
}
