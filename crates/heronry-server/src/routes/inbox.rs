//! Claiming copies, and telling their results.

use axum::{response::Response, routing::MethodFilter};
use heronry_api::{Access, inbox};
use heronry_wire::{
    Ack, Changed, ClaimsExtended, ExtendClaims, InboxQuery, Receive, ReleaseClaims,
};

use super::{PoolRequest, Route, json};
use crate::{
    extract::{Json, Query},
    openapi::routes::inbox as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/receive",
            "Claim copies, and wait for a first one.",
            receive,
        )
        .contract(described::receive_messages),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members/{run}/inbox",
            "Look at copies without claiming them.",
            peek,
        )
        .contract(described::peek_inbox),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/ack",
            "Acknowledge claims.",
            ack,
        )
        .contract(described::ack_messages),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/release",
            "Give claims back.",
            release,
        )
        .contract(described::release_claims),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/extend",
            "Hold claims longer.",
            extend,
        )
        .contract(described::extend_claims),
    ]
}

async fn receive(
    request: PoolRequest,
    Json(body): Json<Receive>,
) -> Result<Response, ProblemAnswer> {
    let run = request.run()?;
    let found = inbox::receive(&request.access, run, body).await?;
    Ok(page(&request.access, found).await)
}

async fn peek(
    request: PoolRequest,
    Query(query): Query<InboxQuery>,
) -> Result<Response, ProblemAnswer> {
    let run = request.run()?;
    let found = inbox::peek(&request.access, run, query).await?;
    Ok(page(&request.access, found).await)
}

async fn page(access: &Access, found: inbox::InboxAnswer) -> Response {
    let (size, write) = (found.size(), move || json(&found.into_page()));
    access.write(size, write).await
}

async fn ack(request: PoolRequest, Json(body): Json<Ack>) -> Result<Json<Changed>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(inbox::ack(&request.access, run, body).await?))
}

async fn release(
    request: PoolRequest,
    Json(body): Json<ReleaseClaims>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(inbox::release(&request.access, run, body).await?))
}

async fn extend(
    request: PoolRequest,
    Json(body): Json<ExtendClaims>,
) -> Result<Json<ClaimsExtended>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(inbox::extend(&request.access, run, body).await?))
}
