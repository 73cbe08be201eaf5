//! Claiming copies, and telling their results.

use axum::{Json as Answer, response::Response, routing::MethodFilter};
use heronry_api::{Access, inbox};
use heronry_wire::{
    Ack as AckBody, Changed, ClaimsExtended, ExtendClaims, InboxPage, InboxQuery, Receive,
    ReleaseClaims,
};

use super::{PoolRequest, Route, json};
use crate::{
    extract::{Json, Query},
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
        .contract(|c| c.reads::<Receive>().answers::<InboxPage>(200)),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/members/{run}/inbox",
            "Look at copies without claiming them.",
            peek,
        )
        .contract(|c| c.queries::<InboxQuery>().answers::<InboxPage>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/ack",
            "Acknowledge claims.",
            ack,
        )
        .contract(|c| c.reads::<AckBody>().answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/release",
            "Give claims back.",
            release,
        )
        .contract(|c| c.reads::<ReleaseClaims>().answers::<Changed>(200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/members/{run}/inbox/extend",
            "Hold claims longer.",
            extend,
        )
        .contract(|c| c.reads::<ExtendClaims>().answers::<ClaimsExtended>(200)),
    ]
}

async fn receive(asked: PoolRequest, Json(body): Json<Receive>) -> Result<Response, ProblemAnswer> {
    let run = asked.run()?;
    let found = inbox::receive(&asked.access, run, body).await?;
    Ok(page(&asked.access, found).await)
}

async fn peek(
    asked: PoolRequest,
    Query(query): Query<InboxQuery>,
) -> Result<Response, ProblemAnswer> {
    let run = asked.run()?;
    let found = inbox::peek(&asked.access, run, query).await?;
    Ok(page(&asked.access, found).await)
}

async fn page(access: &Access, found: inbox::Found) -> Response {
    let (size, write) = (found.size(), move || json(&found.into_page()));
    access.write(size, write).await
}

async fn ack(
    asked: PoolRequest,
    Json(body): Json<AckBody>,
) -> Result<Answer<Changed>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(inbox::ack(&asked.access, run, body).await?))
}

async fn release(
    asked: PoolRequest,
    Json(body): Json<ReleaseClaims>,
) -> Result<Answer<Changed>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(inbox::release(&asked.access, run, body).await?))
}

async fn extend(
    asked: PoolRequest,
    Json(body): Json<ExtendClaims>,
) -> Result<Answer<ClaimsExtended>, ProblemAnswer> {
    let run = asked.run()?;
    Ok(Answer(inbox::extend(&asked.access, run, body).await?))
}
