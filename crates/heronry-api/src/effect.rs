//! Effects: showing those without a result, and resolving them by hand.

use heronry_pool::{
    EffectReport,
    decide::{ListEffects, ReportEffect},
};
use heronry_types::{Cursor, EffectFault, EffectResult};
use heronry_wire::{Changed, EffectList, EffectsQuery, ProblemKind, ResolveEffect};
use tracing::instrument;

use crate::{Access, Refusal, changed};

/// Lists effects that have no result: a member's own, or those of every run for an operator.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn list(access: &Access, query: EffectsQuery) -> Result<EffectList, Refusal> {
    let list = access.made(asked(access, query)).await?;
    let page = access.call(list).await?;
    Ok(EffectList {
        effects: page.effects,
        next: page.next,
        as_of: page.as_of,
    })
}

fn asked(access: &Access, query: EffectsQuery) -> Result<ListEffects, Refusal> {
    if query.limit == Some(0) {
        let why = "0 shows nothing; ask for 1 at least";
        return Err(Refusal::invalid("limit", why));
    }
    Ok(ListEffects {
        caller: access.caller(),
        run: access.identity().whose(query.run)?,
        after: query.after,
        max: access.page_size(query.limit)?,
    })
}

/// Says how an effect ended, for an operator.
///
/// # Errors
/// [`Refusal`], when there is no such effect, or it has a result.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn resolve(
    access: &Access,
    effect: Cursor,
    body: ResolveEffect,
) -> Result<Changed, Refusal> {
    access.identity().check_operator()?;
    let report = ReportEffect {
        caller: access.caller(),
        run: None,
        effect,
        attempt: None,
        result: EffectResult {
            outcome: body.outcome,
            note: body.note,
        },
    };
    match access.call(report).await? {
        EffectReport::Completed(_, done) => Ok(changed(done)),
        EffectReport::Refused(fault, _) => Err(refused(fault)),
    }
}

fn refused(fault: EffectFault) -> Refusal {
    match fault {
        EffectFault::Unknown => Refusal::of(
            ProblemKind::EffectNotFound,
            "no such effect in this pool; list them to see which there are",
        ),
        EffectFault::Finished => {
            Refusal::of(ProblemKind::EffectFinished, "the effect has a result")
        }
        EffectFault::Stale => Refusal::of(
            ProblemKind::EffectStale,
            "a later attempt or a newer generation has the effect",
        ),
    }
}
