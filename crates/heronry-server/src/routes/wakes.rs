//! Waiting for events.

use axum::{
    http::{HeaderMap, StatusCode},
    routing::MethodFilter,
};
use heronry_api::wake;
use heronry_event::WakeExplanation;
use heronry_types::WakeView;
use heronry_wire::{ExplainQuery, RegisterWake, WakeChanged, WakeList, WakeQuery, WakesQuery};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query, key},
    openapi::routes::wakes as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/wakes",
            "Register a wake, and wait for its end.",
            register,
        )
        .contract(described::register_wake),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes",
            "List the wakes that wait.",
            list,
        )
        .contract(described::list_wakes),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}",
            "Show a wake, and wait for its end.",
            wait,
        )
        .contract(described::get_wake),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/wakes/{id}",
            "Give a wake up.",
            cancel,
        )
        .contract(described::cancel_wake),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}/explain",
            "Say why a wake has not been triggered.",
            explain,
        )
        .contract(described::explain_wake),
    ]
}

async fn register(
    request: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<RegisterWake>,
) -> Result<(StatusCode, Json<WakeChanged>), ProblemAnswer> {
    let registered = wake::register(&request.access, body, key(&headers)?).await?;
    Ok(recorded(registered))
}

async fn list(
    request: PoolRequest,
    Query(query): Query<WakesQuery>,
) -> Result<Json<WakeList>, ProblemAnswer> {
    Ok(Json(wake::list(&request.access, query).await?))
}

async fn explain(
    request: PoolRequest,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<WakeExplanation>, ProblemAnswer> {
    let wake_id = request.params.id("id")?;
    let explained = wake::explain(&request.access, wake_id, query).await?;
    Ok(Json(explained))
}

async fn wait(
    request: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Json<WakeView>, ProblemAnswer> {
    let wake_id = request.params.id("id")?;
    Ok(Json(wake::show(&request.access, wake_id, query).await?))
}

async fn cancel(
    request: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Json<WakeChanged>, ProblemAnswer> {
    let wake_id = request.params.id("id")?;
    Ok(Json(wake::cancel(&request.access, wake_id, query).await?))
}
