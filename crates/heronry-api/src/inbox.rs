//! Claiming copies, and telling their results.

mod page;

use heronry_journal::Claim;
use heronry_pool::{
    Extended,
    decide::{self, AckCopies, ClaimSet, FetchMessages, PeekInbox, Select},
};
use heronry_types::{AckOutcome, LimitName, Millis, ReceiveId, RunId};
use heronry_wire::{
    Ack, Changed, ClaimName, ClaimsExtended, ExtendClaims, InboxQuery, Receive, ReleaseClaims,
};
use tracing::instrument;

use crate::{Access, Api, Refusal, changed};

pub use page::InboxAnswer;

/// The time that claims hold when the request names none, and the pool allows so much.
const CLAIM_DEFAULT: Millis = Millis::from_secs(60);

/// The number of copies that are handed over when the request names none, and the pool allows so many.
const ITEMS_DEFAULT: u64 = 1;

/// Claims copies of a member's inbox, and waits for a first one when the request says how long.
///
/// # Errors
/// [`Refusal`]; no copy was claimed then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn receive(access: &Access, run: RunId, body: Receive) -> Result<InboxAnswer, Refusal> {
    let run = access.acting_as(run)?;
    let receive_id = match body.receive_id {
        Some(receive_id) => receive_id,
        None => fresh_receive(access.api())?,
    };
    let waiting = access.within(body.wait_ms)?;
    let limits = access.pool().limits();
    let usual = |limit, value: u64| value.min(limits.get(limit));
    let fetch = FetchMessages {
        caller: access.caller(),
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
    let received = access.pool().receive(fetch, waiting.span);
    let received = access.unless_stopped(received).await?;
    Ok(InboxAnswer::of(access, received, body.bodies).await)
}

fn fresh_receive(api: &Api) -> Result<ReceiveId, Refusal> {
    ReceiveId::parse(api.fresh_name("r-"))
        .map_err(|error| Refusal::invalid("receive_id", &error.to_string()))
}

/// Looks at copies of a member's inbox without claiming them.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn peek(access: &Access, run: RunId, query: InboxQuery) -> Result<InboxAnswer, Refusal> {
    let run = access.acting_as(run)?;
    let max = access.page_size(query.max)?;
    let caller = access.caller();
    let received = access.call(PeekInbox { caller, run, max }).await?;
    Ok(InboxAnswer::of(access, received, query.bodies).await)
}

/// Acknowledges claims: each copy ends with it. A repeat changes nothing.
///
/// # Errors
/// [`Refusal`], with the claims that are no longer held or never were; nothing was acknowledged then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn ack(access: &Access, run: RunId, body: Ack) -> Result<Changed, Refusal> {
    let run = access.acting_as(run)?;
    let claims = match (body.claims, body.up_to) {
        (Some(names), None) => ClaimSet::These(claims(&names, "claims")?),
        (None, Some(name)) => ClaimSet::UpTo(claim(&name, "up_to")?),
        (Some(_), Some(_)) => {
            return Err(Refusal::invalid("up_to", "claims is given too; give one"));
        }
        (None, None) => {
            return Err(Refusal::invalid("claims", "missing; give claims, or up_to"));
        }
    };
    let command = AckCopies {
        caller: access.caller(),
        run,
        claims,
        outcome: body.outcome.unwrap_or(AckOutcome::Done),
        note: body.note,
    };
    Ok(changed(access.call(command).await?))
}

/// Gives claims back: the copies are handed over again, after the delay when one is named.
///
/// # Errors
/// [`Refusal`], with the claims that are no longer held or never were.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn release(access: &Access, run: RunId, body: ReleaseClaims) -> Result<Changed, Refusal> {
    let command = decide::ReleaseClaims {
        run: access.acting_as(run)?,
        caller: access.caller(),
        claims: claims(&body.claims, "claims")?,
        delay: body.delay_ms,
    };
    Ok(changed(access.call(command).await?))
}

/// Holds claims longer.
///
/// # Errors
/// [`Refusal`], with the claims that are no longer held or never were.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id(), run = %run))]
pub async fn extend(
    access: &Access,
    run: RunId,
    body: ExtendClaims,
) -> Result<ClaimsExtended, Refusal> {
    let command = decide::ExtendClaims {
        run: access.acting_as(run)?,
        caller: access.caller(),
        claims: claims(&body.claims, "claims")?,
        claim_ms: body.claim_ms,
    };
    let Extended { done, held } = access.call(command).await?;
    Ok(ClaimsExtended {
        held: held.iter().map(name_of).collect(),
        cursor: done.cursor,
        durability: done.durability,
    })
}

fn name_of(claim: &Claim) -> ClaimName {
    ClaimName(claim.to_string())
}

/// Reads the claims that a field names.
pub(crate) fn claims(names: &[ClaimName], field: &'static str) -> Result<Vec<Claim>, Refusal> {
    names.iter().map(|name| claim(name, field)).collect()
}

fn claim(name: &ClaimName, field: &str) -> Result<Claim, Refusal> {
    let parsed: Result<Claim, _> = name.0.parse();
    parsed.map_err(|error| Refusal::invalid(field, &error.to_string()))
}
