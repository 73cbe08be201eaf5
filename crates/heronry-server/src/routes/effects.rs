//! Effects: showing those without a result, and resolving them by hand.

use axum::routing::MethodFilter;
use heronry_pool::{
    EffectReport,
    decide::{ListEffects, ReportEffect},
};
use heronry_types::{Cursor, EffectFault, EffectResult};
use heronry_wire::{Changed, EffectList, EffectsQuery, Problem, ProblemKind, ResolveEffect};

use super::{PoolRequest, Route, changed};
use crate::{
    extract::{Json, Query, invalid},
    identity::Access,
    openapi::routes::effects as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/effects",
            "List effects that have no result.",
            list,
        )
        .contract(described::list_effects),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/effects/{id}/resolve",
            "Say how an effect ended.",
            resolve,
        )
        .access(Access::Operator)
        .contract(described::resolve_effect),
    ]
}

async fn list(
    request: PoolRequest,
    Query(query): Query<EffectsQuery>,
) -> Result<Json<EffectList>, Refusal> {
    request.identity.check_standing().await?;
    if query.limit == Some(0) {
        return Err(invalid("limit", "0 shows nothing; ask for 1 at least"));
    }
    let run = match request.identity.own_run() {
        None => query.run,
        Some(_) => request.identity.acting(query.run, "run").map(Some)?,
    };
    let list = ListEffects {
        caller: request.caller(),
        run,
        after: query.after,
        max: request.page_size(query.limit)?,
    };
    let page = request.call(list).await?;
    Ok(Json(EffectList {
        effects: page.effects,
        next: page.next,
        as_of: page.as_of,
    }))
}

async fn resolve(
    request: PoolRequest,
    Json(body): Json<ResolveEffect>,
) -> Result<Json<Changed>, Refusal> {
    let effect: Cursor = request.params.text("id").parse().map_err(|error| {
        let problem = Problem::new(
            ProblemKind::CursorInvalid,
            heronry_types::CursorError::to_string(&error),
        );
        Refusal(problem.with("field", "id"))
    })?;
    let report = ReportEffect {
        caller: request.caller(),
        run: None,
        effect,
        attempt: None,
        result: EffectResult {
            outcome: body.outcome,
            note: body.note,
        },
    };
    match request.call(report).await? {
        EffectReport::Completed(_, done) => Ok(changed(done)),
        EffectReport::Refused(fault, _) => Err(refused(fault)),
    }
}

fn refused(fault: EffectFault) -> Refusal {
    let (kind, detail) = match fault {
        EffectFault::Unknown => (
            ProblemKind::EffectNotFound,
            "no such effect in this pool; list them to see which there are",
        ),
        EffectFault::Finished => (ProblemKind::EffectFinished, "the effect has a result"),
        EffectFault::Stale => (
            ProblemKind::EffectStale,
            "a later attempt or a newer generation has the effect",
        ),
    };
    Refusal(Problem::new(kind, detail))
}
