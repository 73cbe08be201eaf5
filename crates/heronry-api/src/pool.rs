//! Opening, showing, changing, exporting and deleting pools.

use heronry_pool::{
    PoolView,
    decide::{ConfigurePool, DescribePool, How, RetirePool},
};
use heronry_runtime::{OpenedPool, Pool, StartedTimeline};
use heronry_transfer::{Bodies, Export};
use heronry_types::{Cursor, PoolId, Retention};
use heronry_wire::{
    DeletePoolQuery, ExportQuery, PatchSettings, PoliciesSource, PoolBody, PoolDeleted, PoolEntry,
    PoolList, PoolOpened, PoolView as PoolShown, SettingsChanged, TimelineEntry,
};
use tracing::instrument;

use crate::{Access, Api, Identity, Recorded, Refusal, consumer};

/// The most timelines of a pool that are shown.
const TIMELINES_SHOWN_MAX: usize = 64;

/// Opens a pool, or creates it, for an operator.
///
/// # Errors
/// [`Refusal`], `config-conflict` when it exists with another configuration.
#[instrument(level = "debug", skip_all, fields(pool = %id))]
pub async fn open(
    api: &Api,
    identity: &Identity,
    id: PoolId,
    body: PoolBody,
) -> Result<Recorded<PoolOpened>, Refusal> {
    identity.check_operator()?;
    check_retention(body.retention)?;
    let OpenedPool { pool, how } = api.runtime().open(&id, body.into_spec()).await?;
    let caller = identity.caller();
    let mut view = shown(api, id, pool.call(DescribePool { caller }).await?);
    show_operator(&pool, &mut view).await?;
    let cursor = view.head;
    let answer = PoolOpened { view, cursor };
    Ok(match how {
        How::Written => Recorded::now(answer),
        How::Repeated | How::Unchanged => Recorded::before(answer),
    })
}

/// Lists the pools; a member sees its own.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all)]
pub async fn list(api: &Api, identity: &Identity) -> Result<PoolList, Refusal> {
    let pools = match identity {
        Identity::Operator => api.runtime().pools().await?,
        Identity::Member { pool, .. } => {
            identity.check_standing().await?;
            vec![pool.id().clone()]
        }
    };
    let pools = pools.into_iter().map(|pool| PoolEntry { pool }).collect();
    Ok(PoolList { pools })
}

/// Shows a pool as it stands.
///
/// # Errors
/// [`Refusal`].
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn show(access: &Access) -> Result<PoolShown, Refusal> {
    let caller = access.caller();
    let view = access.call(DescribePool { caller }).await?;
    let mut shown = shown(access.api(), access.pool().id().clone(), view);
    if access.identity().check_operator().is_ok() {
        show_operator(access.pool(), &mut shown).await?;
    }
    Ok(shown)
}

/// Adds what operators alone see.
async fn show_operator(pool: &Pool, shown: &mut PoolShown) -> Result<(), Refusal> {
    let consumers = pool.consumers().await?;
    shown.consumers = consumers.into_iter().map(consumer::shown).collect();
    let timelines = pool.started_timelines(TIMELINES_SHOWN_MAX).await?;
    shown.timelines = timelines.iter().map(timeline).collect();
    Ok(())
}

fn timeline(started: &StartedTimeline) -> TimelineEntry {
    let (start, record) = (started.start, started.record.as_ref());
    TimelineEntry {
        epoch: start.epoch.to_string(),
        start: Cursor::new(start.epoch, start.at),
        reason: record.map(|it| it.reason),
        lost: record.and_then(|it| it.lost),
    }
}

fn shown(api: &Api, pool: PoolId, view: PoolView) -> PoolShown {
    PoolShown {
        subscriptions: api.streams().of(&pool),
        pool,
        epoch: view.head.epoch.to_string(),
        head: view.head,
        floor: view.floor,
        policies: match view.config.grants {
            Some(_) => PoliciesSource::Granted,
            None => PoliciesSource::SelfAsserted,
        },
        config: PoolBody::from(&view.config),
        limits: view
            .limits
            .effective()
            .map(|(limit, value)| (limit.to_string(), value))
            .collect(),
        settings: view.settings,
        settings_version: view.settings_version,
        members: view.members,
        lost_members: view.lost_members,
        suspended_members: view.suspended_members,
        deadlocked_members: view.deadlocked_members,
        orphaned_wakes: view.orphaned_wakes,
        live_messages: view.live_messages,
        live_wakes: view.live_wakes,
        durability: view.durability,
        consumers: Vec::new(),
        timelines: Vec::new(),
    }
}

/// Deletes a pool that has no members, with everything in it, for an operator.
///
/// # Errors
/// [`Refusal`]; the pool is there as before then, unless the outcome is unknown.
#[instrument(level = "debug", skip_all, fields(pool = %pool))]
pub async fn delete(
    api: &Api,
    identity: &Identity,
    pool: PoolId,
    query: DeletePoolQuery,
) -> Result<PoolDeleted, Refusal> {
    identity.check_operator()?;
    let retire = RetirePool {
        caller: identity.caller(),
        expected: query.expected_head,
    };
    let head = api.runtime().delete(&pool, retire).await?;
    Ok(PoolDeleted { pool, head })
}

/// Begins to export a pool with its bodies, and with its consumers where that is asked for, for an
/// operator.
///
/// # Errors
/// [`Refusal`], `pool-not-found` when there is no such pool.
#[instrument(level = "debug", skip_all, fields(pool = %pool))]
pub async fn export(
    api: &Api,
    identity: &Identity,
    pool: &PoolId,
    query: ExportQuery,
) -> Result<Export, Refusal> {
    identity.check_operator()?;
    let runtime = api.runtime();
    let export = if query.consumers == Some(true) {
        runtime.export_whole(pool).await
    } else {
        runtime.export(pool, Bodies::Included).await
    };
    Ok(export?)
}

/// Changes settings of a pool, for an operator.
///
/// # Errors
/// [`Refusal`], `settings-conflict` when they were changed meanwhile.
#[instrument(level = "debug", skip_all, fields(pool = %access.pool().id()))]
pub async fn configure(access: &Access, body: PatchSettings) -> Result<SettingsChanged, Refusal> {
    access.identity().check_operator()?;
    check_retention(body.retention)?;
    let caller = access.caller();
    let configure = ConfigurePool {
        caller: caller.clone(),
        expected_version: body.expected_version,
        limits: body.limits.unwrap_or_default(),
        retention: body.retention,
        peering: body.peering,
    };
    let done = access.call(configure).await?;
    let view = access.call(DescribePool { caller }).await?;
    Ok(SettingsChanged {
        settings: view.settings,
        settings_version: view.settings_version,
        cursor: done.cursor,
        durability: done.durability,
    })
}

/// Refuses a retention that says what is kept in any case, and trims nothing.
fn check_retention(retention: Option<Retention>) -> Result<(), Refusal> {
    match retention {
        Some(kept) if kept.keep_min.is_some() && kept.keeps_everything() => Err(Refusal::invalid(
            "retention.keep_min",
            "it limits what age_ms and bytes trim, and neither is there; name one of them",
        )),
        Some(_) | None => Ok(()),
    }
}
