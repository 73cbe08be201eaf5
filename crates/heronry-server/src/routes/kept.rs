//! Orders to the runtime that keeps a pool as it was declared.

use axum::routing::MethodFilter;
use heronry_api::kept;
use heronry_wire::{MemberOrdered, ReconcileAnswer, ReconcileRequest};

use super::{PoolRequest, Route};
use crate::{
    extract::Json, identity::OpenTo, openapi::routes::kept as described, problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/reconcile",
            "Bring the pool to its roster, or tell how.",
            reconcile,
        )
        .open_to(OpenTo::Operators)
        .contract(described::reconcile),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/start",
            "Start a member of the roster.",
            start,
        )
        .open_to(OpenTo::Operators)
        .contract(described::start_member),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/stop",
            "Stop a member of the roster; it stays a member.",
            stop,
        )
        .open_to(OpenTo::Operators)
        .contract(described::stop_member),
    ]
}

async fn reconcile(
    request: PoolRequest,
    Json(body): Json<ReconcileRequest>,
) -> Result<Json<ReconcileAnswer>, ProblemAnswer> {
    Ok(Json(kept::reconcile(&request.access, body).await?))
}

async fn start(request: PoolRequest) -> Result<Json<MemberOrdered>, ProblemAnswer> {
    let run = request.params.id("run")?;
    Ok(Json(kept::start(&request.access, run).await?))
}

async fn stop(request: PoolRequest) -> Result<Json<MemberOrdered>, ProblemAnswer> {
    let run = request.params.id("run")?;
    Ok(Json(kept::stop(&request.access, run).await?))
}
