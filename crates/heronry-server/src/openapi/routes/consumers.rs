//! Named consumers.

use heronry_wire::{
    ClaimConsumer, CommitConsumer, ConsumerClaimed, ConsumerCommitted, ConsumerForgotten,
    ConsumerList, ConsumerResumed, ProblemKind,
};

use crate::openapi::{CURSORS, Contract, Tag};

pub(crate) fn list_consumers(contract: Contract) -> Contract {
    contract
        .named("listConsumers", Tag::Consumers)
        .answers::<ConsumerList>(200, "Every consumer of the pool.")
}

pub(crate) fn claim_consumer(contract: Contract) -> Contract {
    contract
        .named("claimConsumer", Tag::Consumers)
        .reads::<ClaimConsumer>()
        .answers::<ConsumerClaimed>(200, "The consumer is the caller's until the next claim.")
        .refuses(&CURSORS)
        .refuses(&[
            ProblemKind::FilterInvalid,
            ProblemKind::LimitExceeded,
            ProblemKind::ConsumerHeld,
            ProblemKind::ConsumerFilterChanged,
        ])
}

pub(crate) fn commit_consumer(contract: Contract) -> Contract {
    contract
        .named("commitConsumer", Tag::Consumers)
        .reads::<CommitConsumer>()
        .answers::<ConsumerCommitted>(200, "The cursor is committed.")
        .refuses(&CURSORS)
        .refuses(&[
            ProblemKind::ConsumerNotFound,
            ProblemKind::ConsumerFenced,
            ProblemKind::ConsumerBehind,
        ])
}

pub(crate) fn resume_consumer(contract: Contract) -> Contract {
    contract
        .named("resumeConsumer", Tag::Consumers)
        .answers::<ConsumerResumed>(200, "Whether an export goes on.")
        .refuses(&[ProblemKind::ConsumerNotFound])
}

pub(crate) fn forget_consumer(contract: Contract) -> Contract {
    contract
        .named("forgetConsumer", Tag::Consumers)
        .answers::<ConsumerForgotten>(200, "The consumer is gone.")
        .refuses(&[ProblemKind::ConsumerNotFound])
}
