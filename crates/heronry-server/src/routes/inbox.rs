//! Claiming copies, and telling their results.

use axum::{response::Response, routing::MethodFilter};
use heronry_journal::Claim;
use heronry_pool::{
    Extended, Item, Received, Rejection,
    decide::{self, AckCopies, ClaimSet, FetchMessages, PeekInbox, Select},
};
use heronry_runtime::{BodyError, CallError};
use heronry_types::{AckOutcome, Body, LimitName, Millis, ReceiveId, ReplyStanding};
use heronry_wire::{
    Ack, BodyBytes, BodyText, Changed, ClaimName, ClaimsExtended, ExtendClaims, InboxPage,
    InboxQuery, Item as ItemShown, Receive, ReleaseClaims,
};

use super::{PoolRequest, Route, changed};
use crate::{
    app::SharedApp,
    extract::{Json, Query, invalid},
    openapi::routes::inbox as described,
    problems::Refusal,
    side,
};

/// The time that claims hold when the request names none, and the pool allows so much.
const CLAIM_DEFAULT: Millis = Millis::from_secs(60);

/// The number of copies that are handed over when the request names none, and the pool allows so many.
const ITEMS_DEFAULT: u64 = 1;

/// The number of bytes of bodies that take as long to write as an item without a body.
const BYTES_OF_AN_ITEM: usize = 1_024;

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

async fn receive(request: PoolRequest, Json(body): Json<Receive>) -> Result<Response, Refusal> {
    let run = request.path_run()?;
    let receive_id = match body.receive_id {
        Some(receive_id) => receive_id,
        None => fresh_receive(&request.app)?,
    };
    let waiting = request.within(body.wait_ms)?;
    let limits = request.pool.limits();
    let usual = |limit, value: u64| value.min(limits.get(limit));
    let fetch = FetchMessages {
        caller: request.caller(),
        run,
        receive_id,
        max: match body.max {
            Some(max) => max,
            None => usual(LimitName::PageItemsMax, ITEMS_DEFAULT),
        },
        claim_ms: match body.claim_ms {
            Some(claim_ms) => claim_ms,
            None => Millis(usual(LimitName::ClaimMsMax, CLAIM_DEFAULT.0)),
        },
        select: body.only.map_or(Select::Any, Select::These),
    };
    let received = request
        .unless_stopped(request.pool.receive(fetch, waiting.span))
        .await?;
    page(&request, received, body.bodies).await
}

fn fresh_receive(app: &SharedApp) -> Result<ReceiveId, Refusal> {
    ReceiveId::parse(app.fresh_name("r-"))
        .map_err(|error| invalid("receive_id", &error.to_string()))
}

async fn peek(request: PoolRequest, Query(query): Query<InboxQuery>) -> Result<Response, Refusal> {
    let run = request.path_run()?;
    let max = request.page_size(query.max)?;
    let caller = request.caller();
    let received = request.call(PeekInbox { caller, run, max }).await?;
    page(&request, received, query.bodies).await
}

/// The body that was asked for, as it was found.
enum FoundBody {
    Body(Body),
    /// The body is gone.
    Nothing,
    /// The body cannot be read, for this cause.
    Unreadable(String),
}

async fn page(
    request: &PoolRequest,
    received: Received,
    bodies: Option<bool>,
) -> Result<Response, Refusal> {
    let found = if bodies == Some(true) {
        bodies_of(request, &received.items).await
    } else {
        Vec::new()
    };
    let bytes: usize = found.iter().map(FoundBody::bytes).sum();
    let size = received.items.len() + bytes / BYTES_OF_AN_ITEM;
    let write = move || {
        let mut items: Vec<ItemShown> = received.items.iter().map(shown).collect();
        for (item, found) in items.iter_mut().zip(found) {
            match found {
                FoundBody::Body(body) => put(item, &body),
                FoundBody::Nothing => {}
                FoundBody::Unreadable(cause) => item.body_error = Some(cause),
            }
        }
        side::json(&InboxPage {
            items,
            unread: received.unread,
            cursor: received.cursor,
            durability: received.durability,
        })
    };
    Ok(side::write(&request.app, &request.identity.party(), (size, write)).await)
}

/// Returns the bodies of items, in order, while there is room: about as much as one content may have.
/// Items beyond carry their reference alone.
///
/// The claims stand, and count as attempts. So nothing that is wrong with one body keeps the others
/// from being handed over.
async fn bodies_of(request: &PoolRequest, items: &[Item]) -> Vec<FoundBody> {
    let mut room = request.limit(LimitName::ContentBytesMax);
    let mut found = Vec::new();
    for item in items {
        let body = match request.pool.body(request.caller(), item.content_ref).await {
            Ok(stored) => FoundBody::Body(stored.body),
            Err(BodyError::Call(CallError::Rejected(
                Rejection::ContentMissing | Rejection::ContentErased { .. },
            ))) => FoundBody::Nothing,
            Err(error) => {
                let Refusal(problem) = error.into();
                let cause = problem.text("cause").unwrap_or_else(|| problem.slug());
                FoundBody::Unreadable(cause.to_owned())
            }
        };
        room = room.saturating_sub(body.bytes() as u64);
        found.push(body);
        if room == 0 {
            break;
        }
    }
    found
}

impl FoundBody {
    fn bytes(&self) -> usize {
        match self {
            Self::Body(body) => body.bytes.len(),
            Self::Nothing | Self::Unreadable(_) => 0,
        }
    }
}

/// Puts a body in: as text when it says that it is text and is, else as base64.
fn put(item: &mut ItemShown, body: &Body) {
    let says_text = ["text/", "application/json"]
        .iter()
        .any(|lead| body.media_type.starts_with(lead));
    match std::str::from_utf8(&body.bytes) {
        Ok(text) if says_text => item.body = Some(BodyText(text.to_owned())),
        Ok(_) | Err(_) => item.body_base64 = Some(BodyBytes(body.bytes.to_vec())),
    }
}

fn shown(item: &Item) -> ItemShown {
    let claim = item.claim.as_ref();
    ItemShown {
        message_id: item.message_id.clone(),
        from: item.from.clone(),
        cursor: item.cursor,
        attempt: item.attempt,
        claim: claim.map(|(claim, _)| name_of(claim)),
        claim_expires_at: claim.map(|(_, until)| *until),
        content_ref: item.content_ref,
        media_type: item.media_type.clone(),
        body: None,
        body_base64: None,
        body_error: None,
        reply_to: item.reply_to.clone(),
        correlation: item.correlation.clone(),
        importance: item.importance,
        late: (item.reply == Some(ReplyStanding::Late)).then_some(true),
    }
}

async fn ack(request: PoolRequest, Json(body): Json<Ack>) -> Result<Json<Changed>, Refusal> {
    let run = request.path_run()?;
    let claims = match (body.claims, body.up_to) {
        (Some(names), None) => ClaimSet::These(claims(&names, "claims")?),
        (None, Some(name)) => ClaimSet::UpTo(claim(&name, "up_to")?),
        (Some(_), Some(_)) => return Err(invalid("up_to", "claims is given too; give one")),
        (None, None) => return Err(invalid("claims", "missing; give claims, or up_to")),
    };
    let command = AckCopies {
        caller: request.caller(),
        run,
        claims,
        outcome: body.outcome.unwrap_or(AckOutcome::Done),
        note: body.note,
    };
    Ok(changed(request.call(command).await?))
}

async fn release(
    request: PoolRequest,
    Json(body): Json<ReleaseClaims>,
) -> Result<Json<Changed>, Refusal> {
    let command = decide::ReleaseClaims {
        run: request.path_run()?,
        caller: request.caller(),
        claims: claims(&body.claims, "claims")?,
        delay: body.delay_ms,
    };
    Ok(changed(request.call(command).await?))
}

async fn extend(
    request: PoolRequest,
    Json(body): Json<ExtendClaims>,
) -> Result<Json<ClaimsExtended>, Refusal> {
    let command = decide::ExtendClaims {
        run: request.path_run()?,
        caller: request.caller(),
        claims: claims(&body.claims, "claims")?,
        claim_ms: body.claim_ms,
    };
    let Extended { done, held } = request.call(command).await?;
    Ok(Json(ClaimsExtended {
        held: held.iter().map(name_of).collect(),
        cursor: done.cursor,
        durability: done.durability,
    }))
}

fn name_of(claim: &Claim) -> ClaimName {
    ClaimName(claim.to_string())
}

/// Reads the claims that a field names.
pub(super) fn claims(names: &[ClaimName], field: &'static str) -> Result<Vec<Claim>, Refusal> {
    names.iter().map(|name| claim(name, field)).collect()
}

fn claim(name: &ClaimName, field: &str) -> Result<Claim, Refusal> {
    let parsed: Result<Claim, _> = name.0.parse();
    parsed.map_err(|error| invalid(field, &error.to_string()))
}
