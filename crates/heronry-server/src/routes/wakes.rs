//! Waiting for events.

use axum::{
    Json as Answer,
    http::{HeaderMap, StatusCode},
    routing::MethodFilter,
};
use heronry_api::wake;
use heronry_event::WakeExplanation;
use heronry_types::WakeView;
use heronry_wire::{
    ExplainQuery, RegisterWake as WakeBody, WakeChanged, WakeList, WakeQuery, WakesQuery,
};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query, key},
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
        .contract(|c| {
            c.keyed()
                .reads::<WakeBody>()
                .answers::<WakeChanged>(201)
                .answers::<WakeChanged>(200)
        }),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes",
            "List the wakes that wait.",
            list,
        )
        .contract(|c| c.queries::<WakesQuery>().answers::<WakeList>(200)),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}",
            "Show a wake, and wait for its end.",
            wait,
        )
        .contract(|c| c.queries::<WakeQuery>().answers_with("WakeView", 200)),
        Route::new(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/wakes/{id}",
            "Give a wake up.",
            cancel,
        )
        .contract(|c| c.queries::<WakeQuery>().answers::<WakeChanged>(200)),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/wakes/{id}/explain",
            "Say why a wake has not been triggered.",
            explain,
        )
        .contract(|c| {
            c.queries::<ExplainQuery>()
                .answers_with("WakeExplanation", 200)
        }),
    ]
}

async fn register(
    asked: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<WakeBody>,
) -> Result<(StatusCode, Answer<WakeChanged>), ProblemAnswer> {
    let registered = wake::register(&asked.access, body, key(&headers)?).await?;
    Ok(recorded(registered))
}

async fn list(
    asked: PoolRequest,
    Query(query): Query<WakesQuery>,
) -> Result<Answer<WakeList>, ProblemAnswer> {
    Ok(Answer(wake::list(&asked.access, query).await?))
}

async fn explain(
    asked: PoolRequest,
    Query(query): Query<ExplainQuery>,
) -> Result<Answer<WakeExplanation>, ProblemAnswer> {
    let wake_id = asked.params.id("id")?;
    let explained = wake::explain(&asked.access, wake_id, query).await?;
    Ok(Answer(explained))
}

async fn wait(
    asked: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Answer<WakeView>, ProblemAnswer> {
    let wake_id = asked.params.id("id")?;
    Ok(Answer(wake::show(&asked.access, wake_id, query).await?))
}

async fn cancel(
    asked: PoolRequest,
    Query(query): Query<WakeQuery>,
) -> Result<Answer<WakeChanged>, ProblemAnswer> {
    let wake_id = asked.params.id("id")?;
    Ok(Answer(wake::cancel(&asked.access, wake_id, query).await?))
}
