//! Labels of the pool and of its runs.

use std::collections::BTreeMap;

use heronry_journal::{Body, LabelsChanged};
use heronry_types::{LABELLED_RUNS_MAX, Labels, RunId};

use crate::{
    Caller, LabelsView, Rejection, State, WiringChanged, WiringLimit,
    command::{AboutWakes, Applied, Author, Command, Cx, Decision, Draft, Profile, Speaker},
    decide::{
        guard,
        wiring::{WiredBy, check_changes, check_room},
    },
};

/// Labels as they are asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewLabels {
    /// The run; `None`: the pool.
    pub of: Option<RunId>,
    /// All labels from then on; none clears them.
    pub labels: Labels,
}

/// Replaces labels. A run may have some before it joins, and keeps them when it leaves.
#[derive(Clone, Debug)]
pub struct SetLabels {
    /// The party that sets them.
    pub by: WiredBy,
    /// The labels; of a run that stands twice, the last count.
    pub changes: Vec<NewLabels>,
}

impl Command for SetLabels {
    type Answer = WiringChanged;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).with_burden(self.changes.len().max(1))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        self.by.admit(state)?;
        check_changes(self.changes.len())?;
        let asked = self.changes.iter().map(|it| (it.of.as_ref(), &it.labels));
        let asked: BTreeMap<Option<&RunId>, &Labels> = asked.collect();
        let has_labels = |run: &RunId| state.wiring.labels(Some(run)).is_some();
        let labelled = asked.iter().filter(|(_, labels)| !labels.is_empty());
        let labelled = labelled.filter_map(|(of, _)| *of);
        let fresh = labelled.filter(|run| !has_labels(run)).count();
        let needed = state.wiring.labelled_runs() + fresh;
        check_room(WiringLimit::LabelledRuns, needed, LABELLED_RUNS_MAX)?;
        let none = Labels::default();
        let changed = asked.into_iter();
        let changed =
            changed.filter(|(of, labels)| state.wiring.labels(*of).unwrap_or(&none) != *labels);
        let entries = changed.map(|(of, labels)| {
            let author = of.map_or_else(
                || Author::operator(state),
                |run| Author::of_run(state, &Caller::Operator, run),
            );
            let labels = labels.clone();
            author.last_entry(Body::LabelsChanged(LabelsChanged { labels }))
        });
        let entries: Vec<_> = entries.collect();
        if entries.is_empty() {
            return Ok(Decision::Nothing);
        }
        Ok(Decision::Write(Draft::of(entries)))
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WiringChanged, Rejection> {
        Ok(WiringChanged::at(state, applied))
    }
}

/// Asks which labels a run or the pool has.
#[derive(Clone, Debug)]
pub struct LabelsOf {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run, which need not be a member; `None`: the pool.
    pub of: Option<RunId>,
}

impl Command for LabelsOf {
    type Answer = LabelsView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<LabelsView, Rejection> {
        let labels = state.wiring.labels(self.of.as_ref());
        Ok(LabelsView {
            labels: labels.cloned().unwrap_or_default(),
            as_of: state.head_cursor(),
        })
    }
}
