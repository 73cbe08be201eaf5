//! The server and all its pools, for an operator.

use heronry_pool::{Caller, decide::DescribePool};
use heronry_runtime::{ConsumerView, OpenError, figures::PoolCounts};
use heronry_store::Reading;
use heronry_types::{PoolId, Position};
use heronry_wire::{
    ConnectionsStatus, DiskStatus, PoolFigures, PoolStatus, Problem, ServerStatus, StoreStatus,
    Version,
};
use tracing::instrument;

use crate::{Api, Identity, Refusal};

/// The largest number of pools that one status shows.
const POOLS_SHOWN_MAX: usize = 256;

/// The parts of a status that the process knows which serves the pools.
#[derive(Clone, Debug)]
pub struct ServerHost {
    /// The time when it started.
    pub started: Reading,
    /// The place of its store, for people.
    pub place: String,
    /// The connections; absent where somebody else takes them.
    pub connections: Option<ConnectionsStatus>,
    /// The space of the store's file system; absent where it is not known.
    pub disk: Option<DiskStatus>,
}

/// One pool of all, as figures show it.
#[derive(Clone, Debug)]
pub struct PoolSample {
    /// The pool.
    pub pool: PoolId,
    /// The last position of its journal.
    pub head: Position,
    /// The position after which its records are kept.
    pub floor: Position,
    /// The number of members.
    pub members: u64,
    /// The number of messages that have not ended.
    pub live_messages: u64,
    /// The number of wakes that wait.
    pub live_wakes: u64,
    /// The number of commands that wait to be decided.
    pub queued_commands: u64,
    /// The number of event streams that are open.
    pub streams: u64,
    /// The counts since the pool was opened.
    pub counts: PoolCounts,
    /// The named consumers.
    pub consumers: Vec<ConsumerView>,
}

/// Returns what the server is.
pub fn version() -> Version {
    Version {
        name: "heronry".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api: "v1".to_owned(),
    }
}

/// Checks that the store answers.
///
/// # Errors
/// [`Refusal`] with the failure of the store.
#[instrument(level = "debug", skip_all)]
pub async fn check_ready(api: &Api) -> Result<(), Refusal> {
    api.runtime().pools().await?;
    Ok(())
}

/// Shows how the server and its pools are, for an operator. What cannot be looked at says why in its
/// place.
///
/// # Errors
/// [`Refusal`] `operator-only`.
#[instrument(level = "debug", skip_all)]
pub async fn status(
    api: &Api,
    identity: &Identity,
    host: ServerHost,
) -> Result<ServerStatus, Refusal> {
    identity.check_operator()?;
    let runtime = api.runtime();
    let listed = runtime.pools().await.map_err(Refusal::from);
    let (ids, problem) = match listed {
        Ok(ids) => (Some(ids), None),
        Err(refusal) => (None, Some(Problem::from(refusal))),
    };
    let pools_total = ids.as_ref().map(|ids| ids.len() as u64);
    let mut pools = Vec::new();
    for id in ids.into_iter().flatten().take(POOLS_SHOWN_MAX) {
        pools.push(pool(api, id).await);
    }
    let now = runtime.clock().now();
    let uptime = now.monotonic.0.saturating_sub(host.started.monotonic.0);
    Ok(ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_at: host.started.wall,
        uptime_ms: uptime,
        connections: host.connections,
        streams: api.streams().total(),
        store: StoreStatus {
            kind: runtime.store_name().to_owned(),
            place: host.place,
            durability: api.durability(),
            problem,
        },
        disk: host.disk,
        pools_total,
        pools,
    })
}

async fn pool(api: &Api, id: PoolId) -> PoolStatus {
    match figures(api, &id).await {
        Ok(figures) => PoolStatus {
            pool: id,
            figures: Some(figures),
            problem: None,
        },
        Err(refusal) => PoolStatus {
            pool: id,
            figures: None,
            problem: Some(refusal.into()),
        },
    }
}

async fn figures(api: &Api, id: &PoolId) -> Result<PoolFigures, Refusal> {
    let pool = api.runtime().find(id).await?;
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
        streams: api.streams().of(id),
        queued_commands,
    })
}

/// Looks at every pool, for an operator.
///
/// # Errors
/// [`Refusal`] `operator-only`, or the failure of the store.
#[instrument(level = "debug", skip_all)]
pub async fn samples(api: &Api, identity: &Identity) -> Result<Vec<PoolSample>, Refusal> {
    identity.check_operator()?;
    let mut samples = Vec::new();
    for id in api.runtime().pools().await? {
        let pool = match api.runtime().find(&id).await {
            Ok(pool) => pool,
            // It was deleted since.
            Err(OpenError::NotFound) => continue,
            Err(error) => return Err(error.into()),
        };
        let caller = Caller::Operator;
        let view = pool.call(DescribePool { caller }).await?;
        samples.push(PoolSample {
            pool: id,
            head: view.head.position,
            floor: view.floor.position,
            members: view.members,
            live_messages: view.live_messages,
            live_wakes: view.live_wakes,
            queued_commands: pool.queued(),
            streams: api.streams().of(pool.id()),
            counts: pool.counts(),
            consumers: pool.consumers().await?,
        });
    }
    Ok(samples)
}
