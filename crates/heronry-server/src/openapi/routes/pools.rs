//! Pools: opening, showing, changing, deleting and exporting them.

use heronry_wire::{
    DeletePoolQuery, EXPORT_MEDIA_TYPE, ExportQuery, PatchSettings, PoolBody, PoolDeleted,
    PoolList, PoolOpened, PoolView, ProblemKind, SettingsChanged,
};

use crate::openapi::{Contract, Tag};

/// The description of an export in the contract.
const LINES: &str = "The lines of `heronry journal export`: chunks, their records, bodies, and at last \
one that says that it is whole. Without that line the answer broke off.";

pub(crate) fn open_pool(contract: Contract) -> Contract {
    contract
        .named("openPool", Tag::Pools)
        .reads::<PoolBody>()
        .answers::<PoolOpened>(201, "The pool was created.")
        .answers::<PoolOpened>(200, "The pool was there.")
        .refuses(&[ProblemKind::ConfigConflict, ProblemKind::Policy])
}

pub(crate) fn list_pools(contract: Contract) -> Contract {
    contract
        .named("listPools", Tag::Pools)
        .answers::<PoolList>(200, "The pools.")
}

pub(crate) fn get_pool(contract: Contract) -> Contract {
    contract
        .named("getPool", Tag::Pools)
        .answers::<PoolView>(200, "The pool as it stands.")
}

pub(crate) fn change_settings(contract: Contract) -> Contract {
    contract
        .named("changeSettings", Tag::Pools)
        .reads::<PatchSettings>()
        .answers::<SettingsChanged>(200, "The settings that hold now.")
        .refuses(&[ProblemKind::SettingsConflict])
}

pub(crate) fn delete_pool(contract: Contract) -> Contract {
    contract
        .named("deletePool", Tag::Pools)
        .queries::<DeletePoolQuery>()
        .answers::<PoolDeleted>(200, "The pool is gone.")
        .refuses(&[
            ProblemKind::PoolHasMembers,
            ProblemKind::PoolChanged,
            ProblemKind::CursorInvalid,
        ])
}

pub(crate) fn export_pool(contract: Contract) -> Contract {
    contract
        .named("exportPool", Tag::Pools)
        .queries::<ExportQuery>()
        .answers_text(EXPORT_MEDIA_TYPE, LINES)
}
