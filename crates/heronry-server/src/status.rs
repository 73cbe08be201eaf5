//! The status of a server and its pools, for an operator.

use heronry_pool::{Caller, decide::DescribePool};
use heronry_types::PoolId;
use heronry_wire::{
    ConnectionsStatus, DiskStatus, PoolFigures, PoolStatus, ServerStatus, StoreStatus,
};

use crate::{app::App, problems::Refusal};

/// The largest number of pools that one status shows.
const POOLS_SHOWN_MAX: usize = 256;

/// Looks at everything. What cannot be looked at says why in its place.
pub(crate) async fn of(app: &App) -> ServerStatus {
    let listed = app.runtime.pools().await.map_err(Refusal::from);
    let (ids, problem) = match listed {
        Ok(ids) => (Some(ids), None),
        Err(Refusal(problem)) => (None, Some(problem)),
    };
    let pools_total = ids.as_ref().map(|ids| ids.len() as u64);
    let mut pools = Vec::new();
    for id in ids.into_iter().flatten().take(POOLS_SHOWN_MAX) {
        pools.push(pool(app, id).await);
    }
    let (started, now) = (app.health.started, app.runtime.clock().now());
    ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_at: started.wall,
        uptime_ms: now.monotonic.0.saturating_sub(started.monotonic.0),
        connections: app.places.as_ref().map(|places| ConnectionsStatus {
            open: places.taken(),
            max: places.max(),
        }),
        streams: app.streams.total(),
        store: StoreStatus {
            kind: app.runtime.store_name().to_owned(),
            place: app.health.store.place.clone(),
            durability: app.durability(),
            problem,
        },
        disk: disk(app).await,
        pools_total,
        pools,
    }
}

async fn disk(app: &App) -> Option<DiskStatus> {
    let watch = app.health.store.disk.as_ref()?;
    let space = app.health.look_at_disk().await?;
    Some(DiskStatus {
        free_bytes: space.free_bytes,
        total_bytes: space.total_bytes,
        free_bytes_min: watch.free_bytes_min,
    })
}

async fn pool(app: &App, id: PoolId) -> PoolStatus {
    match figures(app, &id).await {
        Ok(figures) => PoolStatus {
            pool: id,
            figures: Some(figures),
            problem: None,
        },
        Err(Refusal(problem)) => PoolStatus {
            pool: id,
            figures: None,
            problem: Some(problem),
        },
    }
}

async fn figures(app: &App, id: &PoolId) -> Result<PoolFigures, Refusal> {
    let pool = app.pool(id).await?;
    let queued_commands = pool.queued();
    let caller = Caller::Operator;
    let view = pool.call(DescribePool { caller }).await?;
    Ok(PoolFigures {
        head: view.head,
        members: view.members,
        lost_members: view.lost_members,
        suspended_members: view.suspended_members,
        live_messages: view.live_messages,
        dead_letters: view.dead_letters,
        live_wakes: view.live_wakes,
        streams: app.streams.of(id),
        queued_commands,
    })
}
