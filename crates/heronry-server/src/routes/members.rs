//! Joining, listing, changing, leaving and ending.

use axum::{http::StatusCode, routing::MethodFilter};
use heronry_api::member;
use heronry_wire::{
    Changed, Join, Joined, MemberList, MembersQuery, PatchMember, SetState, StateChanged,
};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query},
    identity::OpenTo,
    openapi::routes::members as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members",
            "Join, or take a run over.",
            join,
        )
        .open_to(OpenTo::Operators)
        .contract(described::join_pool),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members",
            "List the members.",
            list,
        )
        .contract(described::list_members),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/members/{run}",
            "Change topics or the lease.",
            change,
        )
        .contract(described::change_member),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/members/{run}",
            "Leave.",
            leave,
        )
        .contract(described::leave_pool),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/heartbeat",
            "Renew the lease.",
            heartbeat,
        )
        .contract(described::heartbeat),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/state",
            "Say how a run ended, suspend it, or let it go on.",
            state,
        )
        .contract(described::set_run_state),
    ]
}

async fn join(
    request: PoolRequest,
    Json(body): Json<Join>,
) -> Result<(StatusCode, Json<Joined>), ProblemAnswer> {
    Ok(recorded(member::join(&request.access, body).await?))
}

async fn list(
    request: PoolRequest,
    Query(query): Query<MembersQuery>,
) -> Result<Json<MemberList>, ProblemAnswer> {
    Ok(Json(member::list(&request.access, query).await?))
}

async fn change(
    request: PoolRequest,
    Json(body): Json<PatchMember>,
) -> Result<Json<Changed>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(member::change(&request.access, run, body).await?))
}

async fn heartbeat(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(member::heartbeat(&request.access, run).await?))
}

async fn leave(request: PoolRequest) -> Result<Json<Changed>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(member::leave(&request.access, run).await?))
}

async fn state(
    request: PoolRequest,
    Json(body): Json<SetState>,
) -> Result<Json<StateChanged>, ProblemAnswer> {
    let run = request.run()?;
    Ok(Json(member::set_state(&request.access, run, body).await?))
}
