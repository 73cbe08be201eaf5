//! The contract of orders to the runtime that keeps a pool.

use heronry_wire::{MemberOrdered, ProblemKind, ReconcileAnswer, ReconcileRequest};

use crate::openapi::{Contract, Tag};

pub(crate) fn reconcile(contract: Contract) -> Contract {
    contract
        .named("reconcile", Tag::Pools)
        .reads::<ReconcileRequest>()
        .answers::<ReconcileAnswer>(200, "The plan, or the report of what was done.")
        .refuses(&[ProblemKind::NotKept])
}

pub(crate) fn start_member(contract: Contract) -> Contract {
    contract
        .named("startMember", Tag::Members)
        .answers::<MemberOrdered>(200, "The member is started, or runs already.")
        .refuses(&[
            ProblemKind::NotKept,
            ProblemKind::NotSpecified,
            ProblemKind::RunEnded,
        ])
}

pub(crate) fn stop_member(contract: Contract) -> Contract {
    contract
        .named("stopMember", Tag::Members)
        .answers::<MemberOrdered>(200, "The member is stopped, or has no process already.")
        .refuses(&[
            ProblemKind::NotKept,
            ProblemKind::NotSpecified,
            ProblemKind::RunEnded,
        ])
}
