//! The part of the plan about modules.

use super::{Action, Actual, ActualModule, ProcessState};
use crate::declare::EffectiveRoster;

/// Plans what goes before what is started again, and that before what is started.
pub(super) fn plan(declared: &EffectiveRoster, actual: &Actual, actions: &mut Vec<Action>) {
    let none = ActualModule::default();
    let gone = actual.modules.iter().filter(|(module, it)| {
        it.process != ProcessState::None && !declared.modules.contains_key(*module)
    });
    actions.extend(gone.map(|(module, _)| Action::StopModule(module.clone())));
    let is_applied = actual.roster == Some(declared.digest());
    let mut started = Vec::new();
    for (id, module) in &declared.modules {
        let found = actual.modules.get(id).unwrap_or(&none);
        match found.process {
            ProcessState::Of(digest) if digest == module.digest => {}
            ProcessState::Of(_) => actions.push(Action::RestartModule(id.clone())),
            ProcessState::None if found.is_given_up && is_applied => {}
            ProcessState::None => started.push(Action::StartModule(id.clone())),
        }
    }
    actions.append(&mut started);
}
