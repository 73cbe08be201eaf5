//! Saying in the pool how members and modules stand: many at once, in the order in which it came about.

use std::collections::BTreeMap;

use heronry_pool::decide::{ROSTER_BATCH_MAX, SetModuleStanding, SetStandings, StandingOf};
use heronry_types::{MemberStanding, ModuleId, ModuleStanding, RunId};

use super::Keeper;
use crate::{notice::Notice, parts::is_fenced};

/// The standings that are not said yet.
#[derive(Debug, Default)]
pub(super) struct Sayings {
    of_members: BTreeMap<RunId, StandingOf>,
    of_modules: Vec<SetModuleStanding>,
}

impl Sayings {
    pub(super) fn add(&mut self, run: &RunId, standing: MemberStanding, why: Option<String>) {
        let said = StandingOf {
            run: run.clone(),
            standing,
            why,
        };
        self.of_members.insert(run.clone(), said);
    }

    /// Takes back what is not said yet of a member that is gone.
    pub(super) fn forget(&mut self, run: &RunId) {
        self.of_members.remove(run);
    }
}

impl Keeper {
    /// Says that a module stands so, from here on.
    pub(super) fn module_stands(
        &mut self,
        module: &ModuleId,
        standing: ModuleStanding,
        why: Option<String>,
    ) {
        let said = SetModuleStanding {
            steward: self.parts.steward,
            module: module.clone(),
            standing,
            why: why.map(|why| self.parts.note(&why)),
        };
        if let Some(kept) = self.modules.get_mut(module) {
            kept.standing = Some(standing);
        }
        self.sayings.of_modules.push(said);
    }

    /// Says what is not said yet.
    pub(super) async fn say(&mut self) {
        let of_members = std::mem::take(&mut self.sayings.of_members);
        let of_modules = std::mem::take(&mut self.sayings.of_modules);
        let mut standings: Vec<StandingOf> = of_members.into_values().collect();
        while !standings.is_empty() && !self.is_fenced {
            let rest = standings.split_off(standings.len().min(ROSTER_BATCH_MAX));
            let steward = self.parts.steward;
            let said = self.parts.pool.call(SetStandings { steward, standings });
            if let Err(error) = said.await {
                self.trouble(&error, "the standings of members were not recorded");
            }
            standings = rest;
        }
        for said in of_modules {
            if self.is_fenced {
                return;
            }
            if let Err(error) = self.parts.pool.call(said).await {
                self.trouble(&error, "the standing of a module was not recorded");
            }
        }
    }

    /// Notes that the pool did not take a command.
    pub(super) fn trouble(&mut self, error: &heronry_runtime::CallError, what: &str) {
        if is_fenced(error) {
            self.fenced();
            return;
        }
        let what = format!("{what}: {error}");
        self.parts.notices.tell(&Notice::Trouble { what });
    }
}
