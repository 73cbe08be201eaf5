//! Sending a message, asking for its receipt, and cancelling it.

use heronry_pool::decide::{self, CheckCursor, Content, Expiry, FindMessage, SendRequest};
use heronry_runtime::ReceiptChange;
use heronry_types::{Body, MessageId, Millis, Receipt, ReceiptUntil, Timestamp};
use heronry_wire::{CancelMessage, ReceiptQuery, SendMessage};
use tracing::instrument;

use crate::{Access, Key, Recorded, Refusal, check_media_type};

/// The fields that carry a body.
const BODY_FIELDS: [&str; 3] = ["body", "body_base64", "content_ref"];

/// The answer to a message without a body.
const NO_BODY: &str =
    "missing; give one of body, body_base64 and content_ref (an empty body is \"\")";

/// Sends a message, and waits until it is over when the request says how long.
///
/// # Errors
/// [`Refusal`]; nothing was sent then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn send(
    access: &Access,
    mut body: SendMessage,
    key: Key,
) -> Result<Recorded<Receipt>, Refusal> {
    let run = access.identity().acting(body.from.take(), "from")?;
    let named = key.needed(body.idempotency_key.take())?;
    let expiry = expiry(body.expires_at, body.expires_in_ms)?;
    let options = body.options();
    let waiting = access.within(body.wait_ms)?;
    let content = content(access, &mut body).await?;
    let mut request = SendRequest::new(body.to, content, named);
    request.message_id = body.message_id;
    request.correlation = body.correlation;
    request.reply_to = body.reply_to;
    request.contract = body.response_contract;
    request.expiry = expiry;
    request.options = options;
    request.policies = body.policies;
    request.trace = key.trace;
    let command = decide::SendMessage::new(access.caller(), run, request);
    let sent = access.call(command).await?;
    let receipt = until_over(access, sent.receipt, waiting.span).await;
    Ok(if sent.repeated {
        Recorded::before(receipt)
    } else {
        Recorded::now(receipt)
    })
}

fn expiry(at: Option<Timestamp>, span: Option<Millis>) -> Result<Option<Expiry>, Refusal> {
    match (at, span) {
        (None, None) => Ok(None),
        (Some(at), None) => Ok(Some(Expiry::At(at))),
        (None, Some(span)) => Ok(Some(Expiry::In(span))),
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "expires_in_ms",
            "expires_at is given too; give one",
        )),
    }
}

/// Waits until a message that was sent just now or before is over.
///
/// The message is journaled, so the end of the waiting is no refusal of the request, whatever its
/// reason. The answer is then the receipt of the moment of sending.
async fn until_over(access: &Access, sent: Receipt, wait: Millis) -> Receipt {
    if wait.0 == 0 {
        return sent;
    }
    let find = FindMessage {
        caller: access.caller(),
        from: sent.from.clone(),
        message_id: sent.message_id.clone(),
    };
    let (pool, ended) = (access.pool(), ReceiptUntil::Ended);
    let over = pool.wait_receipt_after(find, sent.clone(), ended, wait);
    access.unless_stopped(over).await.unwrap_or(sent)
}

/// Returns the one body that a message names.
async fn content(access: &Access, body: &mut SendMessage) -> Result<Content, Refusal> {
    let media_type = body.media_type.take();
    if let Some(named) = &media_type {
        check_media_type("media_type", named)?;
    }
    let or = |default: &str| media_type.clone().unwrap_or_else(|| default.to_owned());
    match (body.body.take(), body.body_base64.take(), body.content_ref) {
        (None, None, None) => {
            let refusal = Refusal::invalid("body", NO_BODY);
            Err(refusal.with("fields", BODY_FIELDS.as_slice()))
        }
        (Some(text), None, None) => {
            let bytes = text.0.into_bytes();
            Ok(Content::Inline(Body::new(or(Body::TEXT), bytes)))
        }
        (None, Some(bytes), None) => Ok(Content::Inline(Body::new(or(Body::BINARY), bytes.0))),
        (None, None, Some(content_ref)) => {
            let mut stored = access.pool().stored(access.caller(), content_ref).await?;
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
        (Some(_), Some(_), _) => Err(Refusal::invalid(
            "body_base64",
            "body is given too; give one",
        )),
        (Some(_), None, Some(_)) | (None, Some(_), Some(_)) => Err(Refusal::invalid(
            "content_ref",
            "a body is given too; give one",
        )),
    }
}

/// Returns what became of a message, and waits until that changes, or until it has come to a point, when
/// the request says so.
///
/// # Errors
/// [`Refusal`], `message-not-found` when there is no such message of the sender among others.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), message = %message_id))]
pub async fn receipt(
    access: &Access,
    message_id: MessageId,
    query: ReceiptQuery,
) -> Result<Receipt, Refusal> {
    let from = access.identity().acting(query.from, "from")?;
    let waiting = access.within(query.wait_ms)?;
    let wait = waiting.span;
    let no_wait = "wait_ms says how long to wait; give both";
    match (query.since, query.until) {
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("since", "until is given too; give one"));
        }
        (Some(_), None) if wait.0 == 0 => return Err(Refusal::invalid("since", no_wait)),
        (None, Some(_)) if wait.0 == 0 => return Err(Refusal::invalid("until", no_wait)),
        (Some(_), None) | (None, Some(_) | None) => {}
    }
    let find = FindMessage {
        caller: access.caller(),
        from,
        message_id,
    };
    if wait.0 == 0 {
        return access.call(find).await;
    }
    if let (None, Some(cursor)) = (query.until, query.since) {
        access.call(CheckCursor { cursor }).await?;
    }
    let found = access.call(find.clone()).await?;
    let change = match (query.until, query.since) {
        (Some(until), _) => ReceiptChange::Until(until),
        (None, since) => ReceiptChange::After(since.unwrap_or(found.as_of)),
    };
    let pool = access.pool();
    let changed = pool.wait_receipt_after(find, found, change, wait);
    access.unless_stopped(changed).await
}

/// Cancels a message: copies that nobody holds are not handed over any more.
///
/// # Errors
/// [`Refusal`], `message-not-found` when there is no such message of the sender among others.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), message = %message_id))]
pub async fn cancel(
    access: &Access,
    message_id: MessageId,
    body: CancelMessage,
) -> Result<Receipt, Refusal> {
    let from = access.identity().acting(body.from, "from")?;
    let caller = access.caller();
    let cancel = decide::CancelMessage {
        caller,
        from,
        message_id,
    };
    access.call(cancel).await
}
