//! Sending a message, asking for its receipt, and cancelling it.

use axum::{
    http::{HeaderMap, StatusCode},
    routing::MethodFilter,
};
use heronry_pool::decide::{self, CheckCursor, Content, Expiry, FindMessage, SendRequest};
use heronry_runtime::ReceiptChange;
use heronry_types::{Body, Millis, Receipt, ReceiptUntil, RunId};
use heronry_wire::{CancelMessage, ReceiptQuery, SendMessage};

use super::{PoolRequest, Route};
use crate::{
    extract::{self, Json, Query, idempotency_key, invalid, trace},
    openapi::routes::messages as described,
    problems::Refusal,
};

/// The fields that carry a body.
const BODY_FIELDS: [&str; 3] = ["body", "body_base64", "content_ref"];

/// The answer to a message without a body.
const NO_BODY: &str =
    "missing; give one of body, body_base64 and content_ref (an empty body is \"\")";

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
    Json(mut body): Json<SendMessage>,
) -> Result<(StatusCode, Json<Receipt>), Refusal> {
    let run = request.identity.acting(body.from.take(), "from")?;
    let key = idempotency_key(&headers, body.idempotency_key.take())?;
    let expiry = match (body.expires_at, body.expires_in_ms) {
        (None, None) => None,
        (Some(at), None) => Some(Expiry::At(at)),
        (None, Some(span)) => Some(Expiry::In(span)),
        (Some(_), Some(_)) => {
            return Err(invalid(
                "expires_in_ms",
                "expires_at is given too; give one",
            ));
        }
    };
    let options = body.options();
    let waiting = request.within(body.wait_ms)?;
    let content = content(&request, &mut body).await?;
    let mut message = SendRequest::new(body.to, content, key);
    message.message_id = body.message_id;
    message.correlation = body.correlation;
    message.reply_to = body.reply_to;
    message.contract = body.response_contract;
    message.expiry = expiry;
    message.options = options;
    message.policies = body.policies;
    message.trace = trace(&headers);
    let sent = request
        .call(decide::SendMessage::new(request.caller(), run, message))
        .await?;
    let status = if sent.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((
        status,
        Json(until_over(&request, sent.receipt, waiting.span).await),
    ))
}

/// Waits until a message that was sent just now or before is over.
///
/// The message is journaled, so the end of the waiting is no refusal of the request, whatever its
/// reason. The answer is then the receipt of the moment of sending.
async fn until_over(request: &PoolRequest, sent: Receipt, wait: Millis) -> Receipt {
    if wait.0 == 0 {
        return sent;
    }
    let find = FindMessage {
        caller: request.caller(),
        from: sent.from.clone(),
        message_id: sent.message_id.clone(),
    };
    let over = request.pool.wait_receipt(find, ReceiptUntil::Ended, wait);
    request.unless_stopped(over).await.unwrap_or(sent)
}

/// Returns the one body that a message names.
async fn content(request: &PoolRequest, body: &mut SendMessage) -> Result<Content, Refusal> {
    let media_type = body.media_type.take();
    if let Some(named) = &media_type {
        extract::media_type("media_type", named)?;
    }
    let or = |default: &str| media_type.clone().unwrap_or_else(|| default.to_owned());
    match (body.body.take(), body.body_base64.take(), body.content_ref) {
        (None, None, None) => {
            let Refusal(problem) = invalid("body", NO_BODY);
            Err(Refusal(problem.with("fields", BODY_FIELDS.as_slice())))
        }
        (Some(text), None, None) => {
            let bytes = text.0.into_bytes();
            Ok(Content::Inline(Body::new(or(Body::TEXT), bytes)))
        }
        (None, Some(bytes), None) => Ok(Content::Inline(Body::new(or(Body::BINARY), bytes.0))),
        (None, None, Some(content_ref)) => {
            let mut stored = request.pool.stored(request.caller(), content_ref).await?;
            if let (
                Content::Stored {
                    media_type: own, ..
                },
                Some(named),
            ) = (&mut stored, media_type)
            {
                *own = named;
            }
            Ok(stored)
        }
        (Some(_), Some(_), _) => Err(invalid("body_base64", "body is given too; give one")),
        (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => {
            Err(invalid("content_ref", "a body is given too; give one"))
        }
    }
}

async fn receipt(
    request: PoolRequest,
    Query(query): Query<ReceiptQuery>,
) -> Result<Json<Receipt>, Refusal> {
    let from: RunId = request.identity.acting(query.from, "from")?;
    let message_id = request.params.id("id")?;
    let waiting = request.within(query.wait_ms)?;
    let wait = waiting.span;
    let no_wait = "wait_ms says how long to wait; give both";
    match (query.since, query.until) {
        (Some(_), Some(_)) => return Err(invalid("since", "until is given too; give one")),
        (Some(_), None) if wait.0 == 0 => return Err(invalid("since", no_wait)),
        (None, Some(_)) if wait.0 == 0 => return Err(invalid("until", no_wait)),
        (Some(_), None) | (None, Some(_) | None) => {}
    }
    let find = FindMessage {
        caller: request.caller(),
        from,
        message_id,
    };
    if wait.0 == 0 {
        return Ok(Json(request.call(find).await?));
    }
    let change = match (query.until, query.since) {
        (Some(until), _) => ReceiptChange::Until(until),
        (None, Some(cursor)) => {
            request.call(CheckCursor { cursor }).await?;
            ReceiptChange::After(cursor)
        }
        (None, None) => ReceiptChange::After(request.call(find.clone()).await?.as_of),
    };
    let changed = request.pool.wait_receipt(find, change, wait);
    request.unless_stopped(changed).await.map(Json)
}

async fn cancel(
    request: PoolRequest,
    Json(body): Json<CancelMessage>,
) -> Result<Json<Receipt>, Refusal> {
    let from: RunId = request.identity.acting(body.from, "from")?;
    let message_id = request.params.id("id")?;
    let caller = request.caller();
    let receipt = request
        .call(decide::CancelMessage {
            caller,
            from,
            message_id,
        })
        .await?;
    Ok(Json(receipt))
}
