//! Filters.

use heronry_wire::{CompileFilter, CompiledFilter, ProblemKind};

use crate::openapi::{Contract, Tag};

pub(crate) fn compile_filter(contract: Contract) -> Contract {
    contract
        .named("compileFilter", Tag::Filters)
        .reads::<CompileFilter>()
        .answers::<CompiledFilter>(200, "The filter is valid.")
        .refuses(&[ProblemKind::FilterInvalid])
}
