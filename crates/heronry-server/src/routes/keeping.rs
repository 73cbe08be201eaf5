//! Trimming journals and taking snapshots.

use axum::routing::MethodFilter;
use heronry_api::keeping;
use heronry_wire::{JournalTrimmed, SnapshotTaken, Trim};

use super::{PoolRequest, Route};
use crate::{
    extract::Json, identity::OpenTo, openapi::routes::keeping as described, problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/trim",
            "Drop records at the start of the journal.",
            trim,
        )
        .open_to(OpenTo::Operators)
        .contract(described::trim_journal),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/snapshot",
            "Take a snapshot at the head, so that the pool opens quickly.",
            snapshot,
        )
        .open_to(OpenTo::Operators)
        .contract(described::take_snapshot),
    ]
}

async fn trim(
    request: PoolRequest,
    Json(body): Json<Trim>,
) -> Result<Json<JournalTrimmed>, ProblemAnswer> {
    Ok(Json(keeping::trim(&request.access, body).await?))
}

async fn snapshot(request: PoolRequest) -> Result<Json<SnapshotTaken>, ProblemAnswer> {
    Ok(Json(keeping::snapshot(&request.access).await?))
}
