//! Sending a message, asking for its receipt, and cancelling it.

use axum::{
    http::{HeaderMap, StatusCode},
    routing::MethodFilter,
};
use heronry_api::message;
use heronry_types::Receipt;
use heronry_wire::{CancelMessage, ReceiptQuery, SendMessage};

use super::{PoolRequest, Route, recorded};
use crate::{
    extract::{Json, Query, key},
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/messages",
            "Send a message, and wait until it is over.",
            send,
        )
        .contract(|c| {
            c.keyed()
                .reads::<SendMessage>()
                .answers_with("Receipt", 201)
                .answers_with("Receipt", 200)
        }),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/messages/{id}",
            "Show what became of a message, and wait until that changes, or until it has come to a point.",
            receipt,
        )
        .contract(|c| c.queries::<ReceiptQuery>().answers_with("Receipt", 200)),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/messages/{id}/cancel",
            "Cancel a message: copies that nobody holds are not handed over any more.",
            cancel,
        )
        .contract(|c| c.reads::<CancelMessage>().answers_with("Receipt", 200)),
    ]
}

async fn send(
    request: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<SendMessage>,
) -> Result<(StatusCode, Json<Receipt>), ProblemAnswer> {
    let sent = message::send(&request.access, body, key(&headers)?).await?;
    Ok(recorded(sent))
}

async fn receipt(
    request: PoolRequest,
    Query(query): Query<ReceiptQuery>,
) -> Result<Json<Receipt>, ProblemAnswer> {
    let message_id = request.params.id("id")?;
    let receipt = message::receipt(&request.access, message_id, query).await?;
    Ok(Json(receipt))
}

async fn cancel(
    request: PoolRequest,
    Json(body): Json<CancelMessage>,
) -> Result<Json<Receipt>, ProblemAnswer> {
    let message_id = request.params.id("id")?;
    let receipt = message::cancel(&request.access, message_id, body).await?;
    Ok(Json(receipt))
}
