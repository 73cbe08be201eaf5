//! Edges: wiring two runs, and unwiring them.

use std::collections::BTreeSet;

use heronry_journal::{Body, EdgeUnwired, EdgeWired};
use heronry_types::{EDGES_MAX, Edge, EdgeStanding, EdgeView, LimitName, ManagedBy};

use crate::{
    Caller, EdgePage, Rejection, State, WiringChanged, WiringLimit,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Profile, Speaker},
    decide::{
        guard,
        wiring::{WiredBy, check_changes, check_room, written},
    },
    state::KnownEdge,
};

/// Wires edges. The runs at their ends need not be members.
///
/// An edge that is wired already is left as it is, with one exception: what an operator wires by hand is
/// looked after by operators from then on, also when the steward had wired it.
#[derive(Clone, Debug)]
pub struct WireEdges {
    /// The party that wires them.
    pub by: WiredBy,
    /// The edges; one that stands twice counts once.
    pub edges: Vec<Edge>,
}

/// Unwires edges. One that is not there is left as it is.
///
/// The steward unwires none that an operator looks after. One that an operator unwires and the steward
/// looks after stays [known](EdgeStanding::Removed), until the steward wires it again or unwires it, too.
#[derive(Clone, Debug)]
pub struct UnwireEdges {
    /// The party that unwires them.
    pub by: WiredBy,
    /// The edges; one that stands twice counts once.
    pub edges: Vec<Edge>,
}

/// Returns true when wiring an edge changes something.
fn is_to_wire(known: Option<KnownEdge>, by: ManagedBy) -> bool {
    let Some(known) = known else {
        return true;
    };
    match (known.standing, by) {
        (EdgeStanding::Removed, _) => true,
        (EdgeStanding::Wired, ManagedBy::Steward) => false,
        (EdgeStanding::Wired, ManagedBy::Operator) => known.manager == ManagedBy::Steward,
    }
}

/// Returns true when unwiring an edge changes something.
fn is_to_unwire(known: Option<KnownEdge>, by: ManagedBy) -> bool {
    let Some(known) = known else {
        return false;
    };
    match by {
        ManagedBy::Steward => known.manager == ManagedBy::Steward,
        ManagedBy::Operator => known.standing == EdgeStanding::Wired,
    }
}

/// Returns the edges of a request that it changes, each once.
fn changed<'a>(
    state: &State,
    edges: &'a [Edge],
    is_changed: impl Fn(Option<KnownEdge>) -> bool,
) -> BTreeSet<&'a Edge> {
    let edges = edges.iter();
    edges
        .filter(|edge| is_changed(state.wiring.edge(edge)))
        .collect()
}

impl Command for WireEdges {
    type Answer = WiringChanged;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.edges.len().max(1))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let manager = self.by.admit(state)?;
        check_changes(self.edges.len())?;
        let changed = changed(state, &self.edges, |known| is_to_wire(known, manager));
        let is_new = |edge: &&&Edge| state.wiring.edge(edge).is_none();
        let fresh = changed.iter().filter(is_new).count();
        let needed = state.wiring.edge_count() + fresh;
        check_room(WiringLimit::Edges, needed, EDGES_MAX)?;
        let wired = changed.into_iter().map(|edge| {
            let edge = edge.clone();
            Body::EdgeWired(EdgeWired { edge, manager })
        });
        Ok(written(&Author::operator(state), wired))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WiringChanged, Rejection> {
        Ok(WiringChanged::at(state, applied))
    }
}

impl Command for UnwireEdges {
    type Answer = WiringChanged;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.edges.len().max(1))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let manager = self.by.admit(state)?;
        check_changes(self.edges.len())?;
        let changed = changed(state, &self.edges, |known| is_to_unwire(known, manager));
        let unwired = changed.into_iter().map(|edge| {
            let edge = edge.clone();
            Body::EdgeUnwired(EdgeUnwired { edge, manager })
        });
        Ok(written(&Author::operator(state), unwired))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WiringChanged, Rejection> {
        Ok(WiringChanged::at(state, applied))
    }
}

/// Asks which edges there are: one page of them.
#[derive(Clone, Debug)]
pub struct ListEdges {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only edges that come after this one; there need not be such an edge.
    pub after: Option<Edge>,
    /// The highest number of edges in the answer.
    pub max: u64,
}

impl Command for ListEdges {
    /// The edges in order of their ends.
    type Answer = EdgePage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<EdgePage, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut following = state.wiring.edges_after(self.after.as_ref());
        let page = following.by_ref().take(max);
        let edges: Vec<EdgeView> = page.map(|(edge, known)| known.view(state, edge)).collect();
        let last = edges.last().map(|last| last.edge.clone());
        Ok(EdgePage {
            next: following.next().and(last),
            edges,
            as_of: state.head_cursor(),
        })
    }
}
