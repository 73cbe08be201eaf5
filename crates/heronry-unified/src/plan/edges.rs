//! The part of the plan about edges: every cell of its matrix.

use std::collections::BTreeSet;

use heronry_types::{Edge, EdgeStanding, ManagedBy, RunId};

use super::{Action, Actual, ActualEdge, MembershipState};
use crate::declare::EffectiveRoster;

/// The membership of the runs at the ends of an edge, once the members are as they are declared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EndsOfEdge {
    /// Both are.
    Members,
    /// At least one is not.
    Missing,
}

/// The declaration of an edge, or the lack of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum EdgeWish {
    Declared,
    Undeclared,
}

/// The party that knows an edge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum KnownBy {
    Nobody,
    /// It is wired, and the steward looks after it.
    Steward,
    /// It was removed by hand, and the steward has not let it go.
    StewardAlone,
    /// It is wired, and operators look after it.
    Operator,
}

impl KnownBy {
    fn of(known: Option<&ActualEdge>) -> Self {
        match known.map(|it| (it.managed_by, it.standing)) {
            None | Some((ManagedBy::Operator, EdgeStanding::Removed)) => Self::Nobody,
            Some((ManagedBy::Steward, EdgeStanding::Wired)) => Self::Steward,
            Some((ManagedBy::Steward, EdgeStanding::Removed)) => Self::StewardAlone,
            Some((ManagedBy::Operator, EdgeStanding::Wired)) => Self::Operator,
        }
    }
}

/// The treatment of an edge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EdgeVerdict {
    /// It is declared, and an end of it is no member: it is left for later.
    SkippedMissingMembers,
    /// It is declared, wired, and looked after by the steward: nothing.
    Retained,
    /// It is declared and wired, and operators look after it: nothing, and it is never claimed.
    Preexisting,
    /// It is declared, the steward looks after it, and it was removed by hand: it is wired again.
    Healed,
    /// It is declared and not there: it is wired.
    Wired,
    /// It is no longer declared, and an end of it is gone, or it was removed by hand: it is let go.
    Pruned,
    /// It is no longer declared, and wired: it is unwired.
    Unwired,
    /// It is not declared, and operators look after it: nothing.
    Foreign,
}

impl EdgeVerdict {
    /// Decides about an edge, by what the pool knows of it.
    fn of(wish: EdgeWish, ends: EndsOfEdge, known: KnownBy) -> Self {
        match (wish, ends, known) {
            (EdgeWish::Declared, EndsOfEdge::Missing, _) => Self::SkippedMissingMembers,
            (EdgeWish::Declared, EndsOfEdge::Members, KnownBy::Nobody) => Self::Wired,
            (EdgeWish::Declared, EndsOfEdge::Members, KnownBy::Steward) => Self::Retained,
            (EdgeWish::Declared, EndsOfEdge::Members, KnownBy::StewardAlone) => Self::Healed,
            (EdgeWish::Declared, EndsOfEdge::Members, KnownBy::Operator) => Self::Preexisting,
            (EdgeWish::Undeclared, _, KnownBy::Nobody | KnownBy::Operator) => Self::Foreign,
            (EdgeWish::Undeclared, _, KnownBy::StewardAlone)
            | (EdgeWish::Undeclared, EndsOfEdge::Missing, KnownBy::Steward) => Self::Pruned,
            (EdgeWish::Undeclared, EndsOfEdge::Members, KnownBy::Steward) => Self::Unwired,
        }
    }
}

/// An edge with its treatment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JudgedEdge {
    /// The edge.
    pub edge: Edge,
    /// The treatment.
    pub verdict: EdgeVerdict,
}

/// Returns the treatment of each edge that is declared or known, in order.
pub fn judge_edges(declared: &EffectiveRoster, actual: &Actual) -> Vec<JudgedEdge> {
    let edges: BTreeSet<&Edge> = declared.edges.keys().chain(actual.edges.keys()).collect();
    let is_there = |run: &RunId| is_member_then(declared, actual, run);
    let decided = edges.into_iter().map(|edge| {
        let ends = if is_there(edge.a()) && is_there(edge.b()) {
            EndsOfEdge::Members
        } else {
            EndsOfEdge::Missing
        };
        let known = KnownBy::of(actual.edges.get(edge));
        let wish = if declared.edges.contains_key(edge) {
            EdgeWish::Declared
        } else {
            EdgeWish::Undeclared
        };
        let verdict = EdgeVerdict::of(wish, ends, known);
        JudgedEdge {
            edge: edge.clone(),
            verdict,
        }
    });
    decided.collect()
}

/// Returns true when a run is a member once the members are as they are declared.
fn is_member_then(declared: &EffectiveRoster, actual: &Actual, run: &RunId) -> bool {
    let found = actual.members.get(run);
    let membership = found.map_or(MembershipState::Stranger, |it| it.membership);
    let is_in_roster = found.is_some_and(|it| it.specified.is_some());
    match membership {
        MembershipState::Ended => false,
        MembershipState::Stranger => declared.members.contains_key(run),
        MembershipState::Member => declared.members.contains_key(run) || !is_in_roster,
    }
}

/// Plans what goes before what is wired.
pub(super) fn plan(declared: &EffectiveRoster, actual: &Actual, actions: &mut Vec<Action>) {
    let mut wired = Vec::new();
    for JudgedEdge { edge, verdict } in judge_edges(declared, actual) {
        match verdict {
            EdgeVerdict::SkippedMissingMembers
            | EdgeVerdict::Retained
            | EdgeVerdict::Preexisting
            | EdgeVerdict::Foreign => {}
            EdgeVerdict::Healed => wired.push(Action::Heal(edge)),
            EdgeVerdict::Wired => wired.push(Action::Wire(edge)),
            EdgeVerdict::Pruned => actions.push(Action::Prune(edge)),
            EdgeVerdict::Unwired => actions.push(Action::Unwire(edge)),
        }
    }
    actions.append(&mut wired);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r23_every_cell_of_the_matrix() {
        use EdgeVerdict as Then;
        use EdgeWish::{Declared, Undeclared};
        use EndsOfEdge::{Members, Missing};
        use KnownBy::{Nobody, Operator, Steward, StewardAlone};
        let check = |wish, ends, expected: [Then; 4]| {
            let known = [Nobody, Steward, StewardAlone, Operator];
            let verdicts = known.map(|known| EdgeVerdict::of(wish, ends, known));
            assert_eq!(verdicts, expected, "{wish:?} {ends:?}");
        };
        let wanted = [Then::Wired, Then::Retained, Then::Healed, Then::Preexisting];
        check(Declared, Members, wanted);
        check(Declared, Missing, [Then::SkippedMissingMembers; 4]);
        let unwanted = [Then::Foreign, Then::Unwired, Then::Pruned, Then::Foreign];
        check(Undeclared, Members, unwanted);
        let gone = [Then::Foreign, Then::Pruned, Then::Pruned, Then::Foreign];
        check(Undeclared, Missing, gone);
    }

    #[test]
    fn r23_the_pool_says_who_knows_an_edge() {
        use EdgeStanding::{Removed, Wired};
        let known = |managed_by, standing| {
            KnownBy::of(Some(&ActualEdge {
                managed_by,
                standing,
            }))
        };
        assert_eq!(KnownBy::of(None), KnownBy::Nobody);
        assert_eq!(known(ManagedBy::Steward, Wired), KnownBy::Steward);
        assert_eq!(known(ManagedBy::Steward, Removed), KnownBy::StewardAlone);
        assert_eq!(known(ManagedBy::Operator, Wired), KnownBy::Operator);
    }
}
