//! The roster, and the modules beside its members.

use heronry_wire::{ModuleList, ModulesQuery, ProblemKind, RosterList, RosterQuery};

use crate::openapi::{Contract, Tag};

pub(crate) fn show_roster(contract: Contract) -> Contract {
    contract
        .named("showRoster", Tag::Roster)
        .queries::<RosterQuery>()
        .answers::<RosterList>(200, "The roster, and a page of its members.")
        .refuses(&[ProblemKind::CursorInvalid])
}

pub(crate) fn list_modules(contract: Contract) -> Contract {
    contract
        .named("listModules", Tag::Roster)
        .queries::<ModulesQuery>()
        .answers::<ModuleList>(200, "A page of the modules.")
        .refuses(&[ProblemKind::CursorInvalid])
}
