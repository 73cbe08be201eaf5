//! Named consumers: listing, claiming, committing, resuming and forgetting them.

use axum::routing::MethodFilter;
use heronry_api::consumer;
use heronry_wire::{
    ClaimConsumer, CommitConsumer, ConsumerClaimed, ConsumerCommitted, ConsumerForgotten,
    ConsumerList, ConsumerResumed,
};

use super::{PoolRequest, Route};
use crate::{
    extract::Json, identity::OpenTo, openapi::routes::consumers as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    let rows = vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/consumers",
            "List named consumers, with their lag.",
            list,
        )
        .contract(described::list_consumers),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/consumers/{name}/claim",
            "Claim a named consumer: whoever had it commits no more.",
            claim,
        )
        .contract(described::claim_consumer),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/consumers/{name}/commit",
            "Commit that a consumer has handled everything up to a cursor.",
            commit,
        )
        .contract(described::commit_consumer),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/consumers/{name}/resume",
            "Let the server's parked export of a consumer go on.",
            resume,
        )
        .contract(described::resume_consumer),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/consumers/{name}",
            "Forget a consumer, with its cursor and its projection.",
            forget,
        )
        .contract(described::forget_consumer),
    ];
    let rows = rows.into_iter();
    rows.map(|route| route.open_to(OpenTo::Operators)).collect()
}

async fn list(request: PoolRequest) -> Result<Json<ConsumerList>, ProblemAnswer> {
    Ok(Json(consumer::list(&request.access).await?))
}

async fn claim(
    request: PoolRequest,
    Json(body): Json<ClaimConsumer>,
) -> Result<Json<ConsumerClaimed>, ProblemAnswer> {
    let name = request.params.id("name")?;
    Ok(Json(consumer::claim(&request.access, name, body).await?))
}

async fn commit(
    request: PoolRequest,
    Json(body): Json<CommitConsumer>,
) -> Result<Json<ConsumerCommitted>, ProblemAnswer> {
    let name = request.params.id("name")?;
    Ok(Json(consumer::commit(&request.access, &name, body).await?))
}

async fn resume(request: PoolRequest) -> Result<Json<ConsumerResumed>, ProblemAnswer> {
    let name = request.params.id("name")?;
    Ok(Json(consumer::resume(&request.access, &name).await?))
}

async fn forget(request: PoolRequest) -> Result<Json<ConsumerForgotten>, ProblemAnswer> {
    let name = request.params.id("name")?;
    Ok(Json(consumer::forget(&request.access, &name).await?))
}
