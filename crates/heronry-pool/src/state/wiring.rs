//! The wiring of a pool: edges between runs, aliases of addresses, and labels.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    ops::Bound,
};

use heronry_journal::{AliasRemoved, AliasSet, EdgeUnwired, EdgeWired, Entry};
use heronry_store::KeyedMap;
use heronry_types::{
    Address, AliasName, AliasView, ChannelId, Edge, EdgeStanding, EdgeView, Labels, ManagedBy,
    Position, RunId,
};

use crate::state::{
    State,
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// An edge that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KnownEdge {
    /// The party that looks after it.
    pub manager: ManagedBy,
    /// The standing of the edge.
    pub standing: EdgeStanding,
    /// The record that made it so.
    pub at: Position,
}

/// An alias that leads somewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KnownAlias {
    /// The address that it leads to.
    pub to: Address,
    /// The party that looks after it.
    pub manager: ManagedBy,
    /// The record that made it so.
    pub at: Position,
}

/// An alias that was looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FoundAlias<'a> {
    /// Its name, which may stand for any recipient or channel.
    pub alias: &'a AliasName,
    /// The alias.
    pub known: &'a KnownAlias,
}

/// The wiring of a pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wiring {
    edges: BTreeMap<Edge, KnownEdge>,
    /// The runs that have a wired edge, with those at its other end.
    neighbours: KeyedMap<RunId, BTreeSet<RunId>>,
    aliases: BTreeMap<AliasName, KnownAlias>,
    of_pool: Labels,
    of_runs: BTreeMap<RunId, Labels>,
}

impl Wiring {
    /// Returns an edge that is wired, or that its steward has not let go.
    pub(crate) fn edge(&self, edge: &Edge) -> Option<KnownEdge> {
        self.edges.get(edge).copied()
    }

    /// Returns the number of edges that are known.
    pub(crate) fn edge_count(&self) -> usize {
        self.edges.len()
    }

    /// Walks the edges that come after this one, in order; all when there is none.
    pub(crate) fn edges_after(&self, edge: Option<&Edge>) -> btree_map::Range<'_, Edge, KnownEdge> {
        let from = edge.map_or(Bound::Unbounded, Bound::Excluded);
        self.edges.range::<Edge, _>((from, Bound::Unbounded))
    }

    /// Returns true when two runs have an edge that may be used.
    pub(crate) fn are_wired(&self, one: &RunId, other: &RunId) -> bool {
        let neighbours = self.neighbours.get(one);
        neighbours.is_some_and(|neighbours| neighbours.contains(other))
    }

    pub(crate) fn wire(&mut self, at: Position, body: &EdgeWired) {
        let known = KnownEdge {
            manager: body.manager,
            standing: EdgeStanding::Wired,
            at,
        };
        self.insert(body.edge.clone(), known);
    }

    /// Removes an edge. One of a steward that an operator removes stays known, until the steward lets it go.
    pub(crate) fn unwire(&mut self, at: Position, body: &EdgeUnwired) {
        let EdgeUnwired { edge, manager } = body;
        self.part(edge.a(), edge.b());
        self.part(edge.b(), edge.a());
        let is_managed = |known: &KnownEdge| known.manager == ManagedBy::Steward;
        match (manager, self.edges.get_mut(edge)) {
            (ManagedBy::Operator, Some(known)) if is_managed(known) => {
                known.standing = EdgeStanding::Removed;
                known.at = at;
            }
            (ManagedBy::Operator | ManagedBy::Steward, _) => {
                self.edges.remove(edge);
            }
        }
    }

    fn part(&mut self, end: &RunId, other: &RunId) {
        let Some(neighbours) = self.neighbours.get_mut(end) else {
            return;
        };
        neighbours.remove(other);
        if neighbours.is_empty() {
            self.neighbours.remove(end);
        }
    }

    fn insert(&mut self, edge: Edge, known: KnownEdge) {
        if known.standing == EdgeStanding::Wired {
            for (end, other) in [(edge.a(), edge.b()), (edge.b(), edge.a())] {
                let neighbours = self.neighbours.entry(end.clone()).or_default();
                neighbours.insert(other.clone());
            }
        }
        self.edges.insert(edge, known);
    }

    /// Returns an alias of exactly this name.
    pub(crate) fn alias(&self, alias: &AliasName) -> Option<&KnownAlias> {
        self.aliases.get(alias)
    }

    /// Returns the number of aliases.
    pub(crate) fn alias_count(&self) -> usize {
        self.aliases.len()
    }

    /// Walks the aliases that come after this one, in order; all when there is none.
    pub(crate) fn aliases_after(
        &self,
        alias: Option<&AliasName>,
    ) -> btree_map::Range<'_, AliasName, KnownAlias> {
        let from = alias.map_or(Bound::Unbounded, Bound::Excluded);
        self.aliases.range::<AliasName, _>((from, Bound::Unbounded))
    }

    /// Returns where a recipient's channel leads: the alias of both, else that of the recipient, else that of
    /// the channel, else that of any.
    pub(crate) fn resolve(
        &self,
        recipient: &RunId,
        channel: Option<&ChannelId>,
    ) -> Option<FoundAlias<'_>> {
        let (recipient, channel) = (Some(recipient.clone()), channel.cloned());
        let tried = [
            (recipient.clone(), channel.clone()),
            (recipient, None),
            (None, channel),
            (None, None),
        ];
        let mut tried = tried.into_iter();
        tried.find_map(|(recipient, channel)| {
            let found = self
                .aliases
                .get_key_value(&AliasName { recipient, channel });
            found.map(|(alias, known)| FoundAlias { alias, known })
        })
    }

    pub(crate) fn set_alias(&mut self, at: Position, body: &AliasSet) {
        let known = KnownAlias {
            to: body.to.clone(),
            manager: body.manager,
            at,
        };
        self.aliases.insert(body.alias.clone(), known);
    }

    pub(crate) fn remove_alias(&mut self, body: &AliasRemoved) {
        self.aliases.remove(&body.alias);
    }

    /// Returns the labels of a run; those of the pool when there is none.
    pub(crate) fn labels(&self, of: Option<&RunId>) -> Option<&Labels> {
        match of {
            None => Some(&self.of_pool),
            Some(run) => self.of_runs.get(run),
        }
    }

    /// Returns the number of runs that have labels.
    pub(crate) fn labelled_runs(&self) -> usize {
        self.of_runs.len()
    }

    pub(crate) fn set_labels(&mut self, of: Option<&RunId>, labels: &Labels) {
        match of {
            None => self.of_pool = labels.clone(),
            Some(run) if labels.is_empty() => {
                self.of_runs.remove(run);
            }
            Some(run) => {
                self.of_runs.insert(run.clone(), labels.clone());
            }
        }
    }
}

impl State {
    /// Returns a record with the labels of its moment, when it is one that shows them.
    pub(crate) fn labelled(&self, mut entry: Entry) -> Entry {
        if entry.body.is_structural() {
            let labels = self.wiring.labels(entry.lineage.run.as_ref());
            let labels = labels.filter(|labels| !labels.is_empty());
            entry.lineage.labels = labels.map(|labels| Box::new(labels.clone()));
        }
        entry
    }
}

impl KnownEdge {
    /// Returns the edge as others see it.
    pub(crate) fn view(self, state: &State, edge: &Edge) -> EdgeView {
        EdgeView {
            edge: edge.clone(),
            managed_by: self.manager,
            standing: self.standing,
            cursor: state.cursor(self.at),
        }
    }
}

impl KnownAlias {
    /// Returns the alias as others see it.
    pub(crate) fn view(&self, state: &State, alias: &AliasName) -> AliasView {
        AliasView {
            alias: alias.clone(),
            to: self.to.clone(),
            managed_by: self.manager,
            cursor: state.cursor(self.at),
        }
    }
}

impl Wiring {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            edges,
            // They follow from the edges.
            neighbours: _,
            aliases,
            of_pool,
            of_runs,
        } = self;
        to.list(4);
        to.each(edges.iter(), |to, (edge, known)| {
            let KnownEdge {
                manager,
                standing,
                at,
            } = known;
            to.put((edge, manager, standing, at));
        });
        to.each(aliases.iter(), |to, (alias, known)| {
            let KnownAlias {
                to: leads_to,
                manager,
                at,
            } = known;
            to.put((alias, leads_to, manager, at));
        });
        to.put(of_pool);
        to.put(of_runs);
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        from.list(4)?;
        let mut wiring = Self::default();
        let edges = from.list_of(|from| {
            let (edge, manager, standing, at) = from.take()?;
            let known = KnownEdge {
                manager,
                standing,
                at,
            };
            Ok((edge, known))
        })?;
        for (edge, known) in edges {
            wiring.insert(edge, known);
        }
        let aliases = from.list_of(|from| {
            let (alias, to, manager, at) = from.take()?;
            Ok((alias, KnownAlias { to, manager, at }))
        })?;
        wiring.aliases = aliases.into_iter().collect();
        wiring.of_pool = from.take()?;
        wiring.of_runs = from.take()?;
        Ok(wiring)
    }
}
