//! Wakes.

use heronry_event::WakeExplanation;
use heronry_types::WakeView;
use heronry_wire::{
    ExplainQuery, ProblemKind, RegisterWake, WakeChanged, WakeList, WakeQuery, WakesQuery,
};

use crate::openapi::{CLAIMS, CURSORS, Contract, Tag};

pub(crate) fn register_wake(contract: Contract) -> Contract {
    contract
        .named("registerWake", Tag::Wakes)
        .keyed()
        .reads::<RegisterWake>()
        .answers::<WakeChanged>(201, "The wake was registered.")
        .answers::<WakeChanged>(200, "The wake was registered before, under the same key.")
        .refuses(&CLAIMS)
        .refuses(&CURSORS)
        .refuses(&[
            ProblemKind::SenderMismatch,
            ProblemKind::FilterInvalid,
            ProblemKind::Policy,
        ])
}

pub(crate) fn list_wakes(contract: Contract) -> Contract {
    contract
        .named("listWakes", Tag::Wakes)
        .queries::<WakesQuery>()
        .answers::<WakeList>(200, "A page of the wakes.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch])
}

pub(crate) fn get_wake(contract: Contract) -> Contract {
    contract
        .named("getWake", Tag::Wakes)
        .queries::<WakeQuery>()
        .answers::<WakeView>(200, "The wake as it stands.")
        .refuses(&[
            ProblemKind::SenderMismatch,
            ProblemKind::WakeNotFound,
            ProblemKind::Ambiguous,
        ])
}

pub(crate) fn cancel_wake(contract: Contract) -> Contract {
    contract
        .named("cancelWake", Tag::Wakes)
        .queries::<WakeQuery>()
        .answers::<WakeChanged>(200, "The wake has ended.")
        .refuses(&[
            ProblemKind::SenderMismatch,
            ProblemKind::WakeNotFound,
            ProblemKind::Ambiguous,
        ])
}

pub(crate) fn explain_wake(contract: Contract) -> Contract {
    contract
        .named("explainWake", Tag::Wakes)
        .queries::<ExplainQuery>()
        .answers::<WakeExplanation>(200, "What came near, and what failed.")
        .refuses(&[
            ProblemKind::SenderMismatch,
            ProblemKind::WakeNotFound,
            ProblemKind::Ambiguous,
        ])
}
