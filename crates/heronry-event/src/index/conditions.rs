//! The conditions of an alternative, in the order in which they are asked.

use super::{
    checks::{CheckId, Checks},
    features::{FeatureId, Features},
    seen::Guard,
};
use crate::filter::Clause;

/// The conditions of an alternative: all of them must hold.
pub(super) struct Conditions {
    /// Sets of which an envelope must have one feature each; the most selective one is first, and
    /// never missing.
    any_of: Vec<Vec<FeatureId>>,
    none_of: Vec<FeatureId>,
    checks: Vec<CheckId>,
}

impl Conditions {
    /// Names what the clauses are about.
    pub(super) fn of(
        clauses: Vec<Clause<'_>>,
        features: &mut Features,
        checks: &mut Checks,
    ) -> Self {
        let mut conditions = Self {
            any_of: Vec::with_capacity(clauses.len()),
            none_of: Vec::new(),
            checks: Vec::new(),
        };
        for clause in clauses {
            match clause {
                Clause::AnyOf(set) => {
                    let mut set: Vec<_> = set.into_iter().map(|f| features.name(f)).collect();
                    set.sort_unstable();
                    conditions.any_of.push(set);
                }
                Clause::NoneOf(set) => {
                    let named = set.into_iter().map(|f| features.name(f));
                    conditions.none_of.extend(named);
                }
                Clause::Check(check) => conditions.checks.push(checks.name(check)),
            }
        }
        if conditions.any_of.is_empty() {
            conditions.any_of.push(vec![features.name_always()]);
        }
        let likelihood =
            |set: &Vec<FeatureId>| -> f64 { set.iter().map(|id| features.likelihood(*id)).sum() };
        conditions
            .any_of
            .sort_by(|one, other| likelihood(one).total_cmp(&likelihood(other)));
        conditions
    }

    /// Returns the features that the alternative is found by, sorted.
    pub(super) fn found_by(&self) -> &[FeatureId] {
        self.any_of.first().map_or(&[], Vec::as_slice)
    }

    /// Returns the guard, which passes over most of the envelopes that have a feature by which the
    /// alternative is found.
    pub(super) fn guard(&self) -> Guard {
        Guard::of(self.any_of.get(1..).unwrap_or_default())
    }

    /// Returns the other sets, the features that must not be, and the checks.
    pub(super) fn rest(&self) -> (&[Vec<FeatureId>], &[FeatureId], &[CheckId]) {
        let others = self.any_of.get(1..).unwrap_or_default();
        (others, &self.none_of, &self.checks)
    }
}
