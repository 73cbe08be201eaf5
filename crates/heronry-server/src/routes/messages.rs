//! Sending a message, asking for its receipt, and cancelling it.

use axum::{
    Json as Answer,
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
    asked: PoolRequest,
    headers: HeaderMap,
    Json(body): Json<SendMessage>,
) -> Result<(StatusCode, Answer<Receipt>), ProblemAnswer> {
    let sent = message::send(&asked.access, body, key(&headers)?).await?;
    Ok(recorded(sent))
}

async fn receipt(
    asked: PoolRequest,
    Query(query): Query<ReceiptQuery>,
) -> Result<Answer<Receipt>, ProblemAnswer> {
    let message_id = asked.params.id("id")?;
    let receipt = message::receipt(&asked.access, message_id, query).await?;
    Ok(Answer(receipt))
}

async fn cancel(
    asked: PoolRequest,
    Json(body): Json<CancelMessage>,
) -> Result<Answer<Receipt>, ProblemAnswer> {
    let message_id = asked.params.id("id")?;
    let receipt = message::cancel(&asked.access, message_id, body).await?;
    Ok(Answer(receipt))
}
