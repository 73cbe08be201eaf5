//! Questions about the roster. They need no stewardship.

use std::ops::Bound;

use heronry_types::{LimitName, ModuleId, RunId};

use crate::{
    Caller, LayerView, ModulePage, ModuleView, ReconciledView, Rejection, RosterPage,
    RosterRowView, RosterView, StandingView, State, StewardView,
    command::{AboutWakes, Applied, Command, Cx, Decision, Profile, Speaker},
    decide::guard,
    state::NamedRow,
};

/// Asks what the roster is as a whole: its steward, its revision and its layers.
#[derive(Clone, Debug)]
pub struct DescribeRoster {
    /// The authenticated caller.
    pub caller: Caller,
}

impl Command for DescribeRoster {
    type Answer = RosterView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<RosterView, Rejection> {
        let roster = &state.roster;
        let layers = roster.layers.iter().map(|(layer, declared)| LayerView {
            layer: *layer,
            revision: declared.revision,
            digest: declared.digest,
            members: declared.members,
            content: declared.content,
            cursor: state.cursor(declared.declared),
        });
        let reconciled = roster.reconciled.as_ref().map(|last| ReconciledView {
            cursor: state.cursor(last.at),
            revision: last.revision,
            counts: last.counts,
        });
        let steward = roster.steward.as_ref().map(|steward| StewardView {
            token: steward.token,
            instance: steward.instance.clone(),
            owner: steward.owner,
        });
        Ok(RosterView {
            steward,
            revision: roster.revision,
            layers: layers.collect(),
            not_applied_since: roster.held_since.map(|at| state.cursor(at)),
            reconciled,
            members: roster.len() as u64,
            as_of: state.head_cursor(),
        })
    }
}

/// Asks who is in the roster, and how they stand: one page of them.
#[derive(Clone, Debug)]
pub struct ListRoster {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only members whose run id comes after this one; it need not be in the roster.
    pub after: Option<RunId>,
    /// The highest number of members in the answer.
    pub max: u64,
}

impl Command for ListRoster {
    /// The members in order of their run ids.
    type Answer = RosterPage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<RosterPage, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let mut following = state.roster.after(self.after.as_ref());
        let rows = following.by_ref().take(max);
        let rows: Vec<_> = rows.map(|row| view(state, row)).collect();
        let last = rows.last().map(|row| row.run.clone());
        Ok(RosterPage {
            next: following.next().and(last),
            rows,
            as_of: state.head_cursor(),
        })
    }
}

fn view(state: &State, NamedRow { run, row }: NamedRow<'_>) -> RosterRowView {
    let member = state.members.get(run);
    RosterRowView {
        run: run.clone(),
        digest: row.digest,
        labels: row.labels.clone(),
        layer: row.layer,
        why: row.why.clone(),
        specified: state.cursor(row.specified),
        stands: row.stands.as_deref().map(|stands| StandingView {
            standing: stands.standing,
            why: stands.why.clone(),
            generation: stands.generation,
            since: state.cursor(stands.since),
        }),
        generation: member.map(|member| member.generation),
    }
}

/// Asks which modules there are, and how they stand: one page of them.
#[derive(Clone, Debug)]
pub struct ListModules {
    /// The authenticated caller.
    pub caller: Caller,
    /// Only modules whose id comes after this one; it need not be one of them.
    pub after: Option<ModuleId>,
    /// The highest number of modules in the answer.
    pub max: u64,
}

impl Command for ListModules {
    /// The modules in order of their ids.
    type Answer = ModulePage;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        guard::limit(state, LimitName::PageItemsMax, self.max)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<ModulePage, Rejection> {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let from = self.after.as_ref();
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let modules = &state.roster.modules;
        let mut following = modules.range::<ModuleId, _>((from, Bound::Unbounded));
        let modules = following.by_ref().take(max);
        let modules = modules.map(|(module, row)| ModuleView {
            module: module.clone(),
            standing: row.standing,
            why: row.why.clone(),
            since: state.cursor(row.since),
        });
        let modules: Vec<ModuleView> = modules.collect();
        let last = modules.last().map(|module| module.module.clone());
        Ok(ModulePage {
            next: following.next().and(last),
            modules,
            as_of: state.head_cursor(),
        })
    }
}
