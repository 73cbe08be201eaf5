//! Effects: showing those without a result, and resolving them by hand.

use axum::routing::MethodFilter;
use heronry_api::effect;
use heronry_wire::{Changed, EffectList, EffectsQuery, ResolveEffect};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query},
    identity::OpenTo,
    openapi::routes::effects as described,
    problems::ProblemAnswer,
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
        .open_to(OpenTo::Operators)
        .contract(described::resolve_effect),
    ]
}

async fn list(
    request: PoolRequest,
    Query(query): Query<EffectsQuery>,
) -> Result<Json<EffectList>, ProblemAnswer> {
    Ok(Json(effect::list(&request.access, query).await?))
}

async fn resolve(
    request: PoolRequest,
    Json(body): Json<ResolveEffect>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let effect = request.params.cursor("id")?;
    let resolved = effect::resolve(&request.access, effect, body).await?;
    Ok(Json(resolved))
}
