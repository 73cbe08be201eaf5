//! The rules of a journal about edges, aliases and labels.

use std::collections::BTreeMap;

use heronry_journal::{
    AliasSet, EdgeUnwired, EdgeWired, Entry, MessageAccepted, Record, WiringRecord,
};
use heronry_types::{
    ALIASES_MAX, Actor, Address, AliasName, EDGES_MAX, Edge, LABELLED_RUNS_MAX, Labels, ManagedBy,
    Peering, RunId,
};

use super::{Ledger, copies::LedgerLetter};

/// The wiring of a pool as the journal shows it.
#[derive(Debug, Default)]
pub(super) struct Switchboard {
    /// The edges that somebody looks after.
    owners: BTreeMap<Edge, ManagedBy>,
    /// Those of a steward that an operator removed.
    removed: Vec<Edge>,
    aliases: BTreeMap<AliasName, (ManagedBy, Address)>,
    labels: BTreeMap<Option<RunId>, Labels>,
}

/// The runs that a message addresses.
pub(super) struct PeeredRuns {
    /// Those that get a copy.
    pub(super) reached: Vec<RunId>,
    /// Those that have no edge with its sender.
    pub(super) left_out: Vec<RunId>,
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
            WiringRecord::AliasSet(body) => board.aliased(body),
            WiringRecord::AliasRemoved(body) => board.unaliased(&body.alias, body.manager),
        }
    }

    /// Checks that a record shows the labels of its moment, when it changes the structure of the pool.
    pub(super) fn check_labels(&self, record: &Record) {
        let Entry { lineage, body, .. } = &record.entry;
        let labels = self.switchboard.labels.get(&lineage.run);
        let labels = labels.filter(|labels| body.is_structural() && !labels.is_empty());
        assert_eq!(
            lineage.labels.as_deref(),
            labels,
            "the labels of its moment"
        );
    }

    /// Checks that a message to an alias goes where that leads: the one that says the most of it.
    pub(super) fn check_alias(&self, body: &MessageAccepted) {
        let Some(asked) = &body.alias else {
            return;
        };
        let covers = |alias: &AliasName| {
            let recipient = alias.recipient.is_none() || alias.recipient == asked.recipient;
            recipient && (alias.channel.is_none() || alias.channel == asked.channel)
        };
        let aliases = self.switchboard.aliases.iter();
        let covering = aliases.filter(|(alias, _)| covers(alias));
        let best = covering.max_by_key(|(it, _)| (it.recipient.is_some(), it.channel.is_some()));
        let to = best.map(|(_, (_, to))| to);
        assert_eq!(to, Some(&body.to), "it goes where the alias leads");
    }

    /// Parts those that a message addresses into who gets a copy and who has no edge with its sender.
    pub(super) fn peered(&self, letter: &LedgerLetter, addressed: Vec<RunId>) -> PeeredRuns {
        let requester = self.requester(letter, &addressed);
        let is_peer = |run: &RunId| {
            self.peering == Peering::Open
                || *run == letter.sender
                || requester == Some(run)
                || Edge::between(run.clone(), letter.sender.clone())
                    .is_ok_and(|edge| self.are_wired(&edge))
        };
        let (reached, left_out) = addressed.into_iter().partition(is_peer);
        PeeredRuns { reached, left_out }
    }

    /// Returns who looks after an edge, also when it was removed by hand.
    pub fn edge_owner(&self, edge: &Edge) -> Option<ManagedBy> {
        self.switchboard.owners.get(edge).copied()
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

    fn aliased(&mut self, body: &AliasSet) {
        let AliasSet { alias, to, manager } = body;
        let is_alias = matches!(to, Address::Alias { .. });
        assert!(!is_alias, "an alias leads to no alias");
        let leads = (*manager, to.clone());
        let before = self.aliases.insert(alias.clone(), leads.clone());
        assert_ne!(before.as_ref(), Some(&leads), "a record changes something");
        let owner = before.map(|(owner, _)| owner);
        let claims = owner == Some(ManagedBy::Operator) && *manager == ManagedBy::Steward;
        assert!(!claims, "the steward claims no alias of an operator");
        assert!(self.aliases.len() <= ALIASES_MAX, "there is room");
    }

    fn unaliased(&mut self, alias: &AliasName, manager: ManagedBy) {
        let owner = self.aliases.remove(alias).map(|(owner, _)| owner);
        assert!(owner.is_some(), "what is removed was there");
        let is_own = manager == ManagedBy::Operator || owner == Some(ManagedBy::Steward);
        assert!(is_own, "the steward removes its own");
    }
}
