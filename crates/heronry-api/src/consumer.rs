//! Named consumers: where they stand, claims and commits of holders outside, and forgetting them.

use heronry_event::filter::Filter;
use heronry_runtime::{
    ConsumeError, ConsumerActivity, ConsumerClaim, ConsumerStart, ConsumerView, OnFilterChanged,
    OnHeld, fingerprint,
};
use heronry_store::ConsumerId;
use heronry_wire::{
    ClaimConsumer, CommitConsumer, ConsumeFrom, ConsumerClaimed, ConsumerCommitted, ConsumerEntry,
    ConsumerForgotten, ConsumerList, ConsumerResumed, ConsumerState, WhenFilterChanged, WhenHeld,
};

use tracing::instrument;

use crate::{Access, Refusal};

/// Lists the consumers of a pool, for an operator.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn list(access: &Access) -> Result<ConsumerList, Refusal> {
    access.identity().check_operator()?;
    let consumers = access.pool().consumers().await?;
    Ok(ConsumerList {
        consumers: consumers.into_iter().map(shown).collect(),
        as_of: access.pool().head(),
    })
}

/// Returns a consumer as the contract shows it.
pub(crate) fn shown(consumer: ConsumerView) -> ConsumerEntry {
    let (state, why) = match consumer.activity {
        ConsumerActivity::Idle => (ConsumerState::Idle, None),
        ConsumerActivity::Held => (ConsumerState::Held, None),
        ConsumerActivity::Parked { why } => (ConsumerState::Parked, Some(why)),
    };
    ConsumerEntry {
        name: consumer.name.to_string(),
        cursor: consumer.cursor,
        lag: consumer.lag,
        filter: consumer.filter,
        generation: consumer.generation,
        committed_at: consumer.committed_at,
        hold_for_ms: consumer.hold_for,
        state,
        why,
    }
}

/// Claims a consumer for an operator, who reads events by itself and commits.
///
/// # Errors
/// [`Refusal`]; the consumer is as before then.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn claim(
    access: &Access,
    name: ConsumerId,
    body: ClaimConsumer,
) -> Result<ConsumerClaimed, Refusal> {
    access.identity().check_operator()?;
    let filter = match &body.filter {
        Some(text) => access.compile(text).await?,
        None => Filter::all(),
    };
    let claim = ConsumerClaim::new(name, fingerprint(&filter));
    let claim = ConsumerClaim {
        start: match body.start.unwrap_or_default() {
            ConsumeFrom::Floor => ConsumerStart::Floor,
            ConsumeFrom::Head => ConsumerStart::Head,
        },
        on_stale: body.on_stale.unwrap_or_default(),
        on_held: match body.on_held.unwrap_or_default() {
            WhenHeld::Refuse => OnHeld::Refuse,
            WhenHeld::TakeOver => OnHeld::TakeOver,
        },
        on_filter_changed: match body.on_filter_changed.unwrap_or_default() {
            WhenFilterChanged::Refuse => OnFilterChanged::Refuse,
            WhenFilterChanged::Accept => OnFilterChanged::Accept,
        },
        hold_for: body.hold_for_ms.unwrap_or(claim.hold_for),
        ..claim
    };
    let claimed = access.pool().claim_consumer(&claim).await?;
    Ok(ConsumerClaimed {
        cursor: claimed.cursor,
        generation: claimed.generation,
        filter: *filter.fingerprint(),
    })
}

/// Commits a cursor of a consumer, for an operator that claimed it.
///
/// # Errors
/// [`Refusal`], when somebody else claimed it since, or the cursor cannot be committed.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn commit(
    access: &Access,
    name: &ConsumerId,
    body: CommitConsumer,
) -> Result<ConsumerCommitted, Refusal> {
    access.identity().check_operator()?;
    let CommitConsumer { generation, cursor } = body;
    access
        .pool()
        .commit_consumer(name, generation, cursor)
        .await?;
    Ok(ConsumerCommitted { cursor })
}

/// Lets the parked export of a consumer go on, for an operator.
///
/// # Errors
/// [`Refusal`], when there is no such consumer.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn resume(access: &Access, name: &ConsumerId) -> Result<ConsumerResumed, Refusal> {
    check_there(access, name).await?;
    let resumed = access.pool().resume_consumer(name);
    Ok(ConsumerResumed { resumed })
}

/// Forgets a consumer with its projection, for an operator.
///
/// # Errors
/// [`Refusal`], when there is no such consumer.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn forget(access: &Access, name: &ConsumerId) -> Result<ConsumerForgotten, Refusal> {
    check_there(access, name).await?;
    access.pool().forget_consumer(name).await?;
    Ok(ConsumerForgotten {
        name: name.to_string(),
    })
}

async fn check_there(access: &Access, name: &ConsumerId) -> Result<(), Refusal> {
    access.identity().check_operator()?;
    let consumers = access.pool().consumers().await?;
    if consumers.iter().any(|it| it.name == *name) {
        return Ok(());
    }
    let name = name.clone();
    Err(ConsumeError::NotThere { name }.into())
}
