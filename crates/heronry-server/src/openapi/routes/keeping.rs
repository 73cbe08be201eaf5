//! The contract of trimming and of snapshots.

use heronry_wire::{JournalTrimmed, ProblemKind, SnapshotTaken, Trim};

use crate::openapi::{Contract, Tag};

pub(crate) fn trim_journal(contract: Contract) -> Contract {
    contract
        .named("trimJournal", Tag::Pools)
        .reads::<Trim>()
        .answers::<JournalTrimmed>(200, "The records are gone, or were before.")
        .refuses(&[
            ProblemKind::TrimHeld,
            ProblemKind::CursorAhead,
            ProblemKind::CursorForeign,
            ProblemKind::CursorInvalid,
        ])
}

pub(crate) fn take_snapshot(contract: Contract) -> Contract {
    contract
        .named("takeSnapshot", Tag::Pools)
        .answers::<SnapshotTaken>(200, "The snapshot was taken.")
}
