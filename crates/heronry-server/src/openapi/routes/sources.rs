//! Foreign sources of events.

use heronry_wire::{AttachSource, Changed, DetachSource, ProblemKind, SourceAttached, TellGap};

use crate::openapi::{Contract, Tag};

/// The refusals to who does not have the source.
const HELD: [ProblemKind; 3] = [
    ProblemKind::SourceTaken,
    ProblemKind::SourceFenced,
    ProblemKind::SenderMismatch,
];

pub(crate) fn attach_source(contract: Contract) -> Contract {
    contract
        .named("attachSource", Tag::Sources)
        .reads::<AttachSource>()
        .answers::<SourceAttached>(201, "The bridge has the source.")
        .answers::<SourceAttached>(200, "This instance had the source before.")
        .refuses(&[ProblemKind::SourceTaken, ProblemKind::SenderMismatch])
}

pub(crate) fn detach_source(contract: Contract) -> Contract {
    contract
        .named("detachSource", Tag::Sources)
        .reads::<DetachSource>()
        .answers::<Changed>(200, "The bridge does not have the source.")
        .refuses(&[ProblemKind::SenderMismatch])
}

pub(crate) fn tell_gap(contract: Contract) -> Contract {
    contract
        .named("tellGap", Tag::Sources)
        .keyed()
        .reads::<TellGap>()
        .answers::<Changed>(201, "The gap was recorded.")
        .answers::<Changed>(200, "The gap was known before.")
        .refuses(&HELD)
}
