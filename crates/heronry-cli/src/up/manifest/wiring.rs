//! Edges of a manifest.

use std::collections::{BTreeMap, BTreeSet};

use heronry_host::MemberSpec;
use heronry_types::{Edge, RunId};

use super::{fault::ManifestFault, raw::EdgeTable};

/// The names that can stand at the ends of edges: runs, and agents for all of their runs.
pub(super) struct EndNames<'a> {
    runs: BTreeSet<&'a RunId>,
    agents: BTreeMap<&'a str, Vec<&'a RunId>>,
}

impl<'a> EndNames<'a> {
    pub(super) fn of(members: impl Iterator<Item = &'a MemberSpec>) -> Self {
        let mut names = Self {
            runs: BTreeSet::new(),
            agents: BTreeMap::new(),
        };
        for member in members {
            names.runs.insert(&member.run);
            let runs = names.agents.entry(member.agent.as_str()).or_default();
            runs.push(&member.run);
        }
        names
    }

    /// Returns the edges that an entry stands for.
    pub(super) fn edges(&self, entry: &EdgeTable) -> Result<Vec<Edge>, ManifestFault> {
        let (ones, others) = match (&entry.between, &entry.hub, &entry.spokes) {
            (Some([one, other]), None, None) => (self.end(one)?, self.end(other)?),
            (None, Some(hub), Some(spokes)) => {
                let mut others = Vec::new();
                for spoke in spokes {
                    others.extend(self.spoke(spoke)?);
                }
                (self.end(hub)?, others)
            }
            _ => return Err(ManifestFault::EdgeShape),
        };
        let mut edges = BTreeSet::new();
        let is_one =
            matches!((ones.as_slice(), others.as_slice()), ([one], [other]) if one == other);
        let pairs = ones
            .iter()
            .flat_map(|one| others.iter().map(move |other| [one, other]));
        // Two names that share a run mean each of its others; one run alone has none.
        for [one, other] in pairs.filter(|[one, other]| one != other || is_one) {
            edges.insert(Edge::between((*one).clone(), (*other).clone())?);
        }
        Ok(edges.into_iter().collect())
    }

    /// Returns the runs that a spoke means.
    fn spoke(&self, name: &str) -> Result<Vec<&'a RunId>, ManifestFault> {
        if name == "*" {
            return Ok(self.runs.iter().copied().collect());
        }
        self.end(name)
    }

    /// Returns the runs that a name means: the run of that name, else all of the agent.
    fn end(&self, name: &str) -> Result<Vec<&'a RunId>, ManifestFault> {
        if name == "*" {
            return Err(ManifestFault::EveryoneHere);
        }
        if let Some(run) = self.runs.iter().find(|run| run.as_str() == name) {
            return Ok(vec![run]);
        }
        let runs = self.agents.get(name).cloned();
        runs.ok_or_else(|| ManifestFault::UnknownEnd {
            name: name.to_owned(),
            runs: self.runs.iter().map(ToString::to_string).collect(),
        })
    }
}
