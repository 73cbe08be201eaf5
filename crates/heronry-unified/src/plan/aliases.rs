//! The part of the plan about aliases. What operators look after is left alone.

use heronry_types::ManagedBy;

use super::{Action, Actual};
use crate::declare::EffectiveRoster;

/// Plans what goes before what is set.
pub(super) fn plan(declared: &EffectiveRoster, actual: &Actual, actions: &mut Vec<Action>) {
    let gone = actual.aliases.iter().filter(|(alias, known)| {
        known.managed_by == ManagedBy::Steward && !declared.aliases.contains_key(alias)
    });
    actions.extend(gone.map(|(alias, _)| Action::RemoveAlias(alias.clone())));
    let to_set = declared.aliases.iter().filter(|(alias, to)| {
        let known = actual.aliases.get(alias);
        known.is_none_or(|known| known.managed_by == ManagedBy::Steward && known.to != **to)
    });
    actions.extend(to_set.map(|(alias, to)| Action::SetAlias {
        alias: alias.clone(),
        to: to.clone(),
    }));
}
