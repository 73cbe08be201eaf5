//! Foreign sources: attaching a bridge, leaving one, and what is missing.

use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
    routing::MethodFilter,
};
use heronry_api::source;
use heronry_wire::{AttachSource, Changed, DetachSource, TellGap};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, key},
    openapi::routes::sources as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/sources/{source}/attach",
            "Attach a bridge to a source of events.",
            attach,
        )
        .contract(described::attach_source),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/sources/{source}/detach",
            "Leave a source of events.",
            detach,
        )
        .contract(described::detach_source),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/sources/{source}/gaps",
            "Tell that events of a source are missing.",
            tell_gap,
        )
        .contract(described::tell_gap),
    ]
}

async fn attach(
    request: PoolRequest,
    Json(body): Json<AttachSource>,
) -> Result<Response, ProblemAnswer> {
    let source = request.params.id("source")?;
    let attached = source::attach(&request.access, source, body).await?;
    Ok(recorded(attached).into_response())
}

async fn detach(
    request: PoolRequest,
    Json(body): Json<DetachSource>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let source = request.params.id("source")?;
    Ok(Json(source::detach(&request.access, source, body).await?))
}

async fn tell_gap(
    request: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<TellGap>,
) -> Result<Response, ProblemAnswer> {
    let source = request.params.id("source")?;
    let told = source::tell_gap(&request.access, source, body, key(&headers)?).await?;
    Ok(recorded(told).into_response())
}
