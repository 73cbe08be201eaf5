//! The server itself.

use heronry_wire::{ProblemKind, ServerStatus, Version};

use crate::openapi::{Contract, Document, Tag};

pub(crate) fn get_health(contract: Contract) -> Contract {
    contract
        .named("getHealth", Tag::Server)
        .answers_text("text/plain; charset=utf-8", "`ok`.")
}

pub(crate) fn get_readiness(contract: Contract) -> Contract {
    contract
        .named("getReadiness", Tag::Server)
        .answers_text(
            "text/plain; charset=utf-8",
            "`ready`, and a warning behind it where there is one.",
        )
        .refuses(&[ProblemKind::StoreFenced])
}

pub(crate) fn get_contract(contract: Contract) -> Contract {
    contract
        .named("getContract", Tag::Server)
        .answers::<Document>(200, "This document.")
}

pub(crate) fn get_version(contract: Contract) -> Contract {
    contract
        .named("getVersion", Tag::Server)
        .answers::<Version>(200, "The version.")
}

pub(crate) fn get_metrics(contract: Contract) -> Contract {
    contract.named("getMetrics", Tag::Server).answers_text(
        "text/plain; version=0.0.4; charset=utf-8",
        "Figures in the text format of Prometheus.",
    )
}

pub(crate) fn get_status(contract: Contract) -> Contract {
    contract
        .named("getStatus", Tag::Server)
        .answers::<ServerStatus>(200, "The server and its pools.")
}
