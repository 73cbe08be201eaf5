//! Joining, listing, changing, leaving and ending.

use axum::{Json as Answer, http::StatusCode, routing::MethodFilter};
use heronry_api::member;
use heronry_wire::{
    Changed, Join as JoinBody, Joined, MemberList, MembersQuery, PatchMember, SetState,
    StateChanged,
};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query},
    identity::Access,
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
        .access(Access::Operator)
        .contract(|c| {
            c.reads::<JoinBody>()
                .answers::<Joined>(201)
                .answers::<Joined>(200)
        }),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members",
            "List the members.",
            list,
        )
        .contract(|c| c.queries::<MembersQuery>().answers::<MemberList>(200)),
        Route::new(
            MethodFilter::PATCH,
            "/v1/pools/{pool}/members/{run}",
            "Change topics or the lease.",
            change,
        )
        .contract(|c| c.reads::<PatchMember>().answers::<Changed>(200)),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/members/{run}",
            "Leave.",
            leave,
        )
        .contract(|c| c.answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/heartbeat",
            "Renew the lease.",
            heartbeat,
        )
        .contract(|c| c.answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/state",
            "Say how a run ended, suspend it, or let it go on.",
            state,
        )
        .contract(|c| c.reads::<SetState>().answers::<StateChanged>(200)),
    ]
}

async fn join(
    asked: PoolRequest,
    Json(body): Json<JoinBody>,
) -> Result<(StatusCode, Answer<Joined>), ProblemAnswer> {
    Ok(recorded(member::join(&asked.access, body).await?))
}

async fn list(
    asked: PoolRequest,
    Query(query): Query<MembersQuery>,
) -> Result<Answer<MemberList>, ProblemAnswer> {
    Ok(Answer(member::list(&asked.access, query).await?))
}

async fn change(
    asked: PoolRequest,
    Json(body): Json<PatchMember>,
) -> Result<Answer<Changed>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(member::change(&asked.access, run, body).await?))
}

async fn heartbeat(asked: PoolRequest) -> Result<Answer<Changed>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(member::heartbeat(&asked.access, run).await?))
}

async fn leave(asked: PoolRequest) -> Result<Answer<Changed>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(member::leave(&asked.access, run).await?))
}

async fn state(
    asked: PoolRequest,
    Json(body): Json<SetState>,
) -> Result<Answer<StateChanged>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(member::set_state(&asked.access, run, body).await?))
}
