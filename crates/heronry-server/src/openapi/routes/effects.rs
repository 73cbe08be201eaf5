//! Effects.

use heronry_wire::{Changed, EffectList, EffectsQuery, ProblemKind, ResolveEffect};

use crate::openapi::{CURSORS, Contract, Tag};

pub(crate) fn list_effects(contract: Contract) -> Contract {
    contract
        .named("listEffects", Tag::Effects)
        .queries::<EffectsQuery>()
        .answers::<EffectList>(200, "A page of the effects.")
        .refuses(&CURSORS)
        .refuses(&[ProblemKind::SenderMismatch])
}

pub(crate) fn resolve_effect(contract: Contract) -> Contract {
    contract
        .named("resolveEffect", Tag::Effects)
        .reads::<ResolveEffect>()
        .answers::<Changed>(200, "The effect has its result.")
        .refuses(&CURSORS)
        .refuses(&[
            ProblemKind::EffectNotFound,
            ProblemKind::EffectFinished,
            ProblemKind::EffectStale,
        ])
}
