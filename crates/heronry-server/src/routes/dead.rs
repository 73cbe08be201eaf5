//! Dead letters: showing them, and giving them another chance.

use axum::routing::MethodFilter;
use heronry_api::dead;
use heronry_wire::{Changed, DeadLetterList, DeadLettersQuery};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query},
    identity::OpenTo,
    openapi::routes::dead as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/dead-letters",
            "List dead copies: claimed too often, or expired after a replay.",
            list,
        )
        .contract(described::list_dead_letters),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/dead-letters/{cursor}/{run}/replay",
            "Give a run a new copy of a message whose copy is dead.",
            replay,
        )
        .open_to(OpenTo::Operators)
        .contract(described::replay_dead_letter),
    ]
}

async fn list(
    request: PoolRequest,
    Query(query): Query<DeadLettersQuery>,
) -> Result<Json<DeadLetterList>, ProblemAnswer> {
    Ok(Json(dead::list(&request.access, query).await?))
}

async fn replay(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let (run, accepted) = (request.run()?, request.params.cursor("cursor")?);
    Ok(Json(dead::replay(&request.access, run, accepted).await?))
}
