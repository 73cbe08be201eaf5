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
    openapi::routes::messages as described,
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
        .contract(described::send_message),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/messages/{id}",
            "Show what became of a message, and wait for a change or a point.",
            receipt,
        )
        .contract(described::get_receipt),
        Route::new(
            MethodFilter::POST,
            "/v1/pools/{pool}/messages/{id}/cancel",
            "Cancel a message: copies that nobody holds are handed over no more.",
            cancel,
        )
        .contract(described::cancel_message),
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
