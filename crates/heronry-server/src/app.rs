//! The parts that every request works with.

use std::{fmt::Write as _, net::SocketAddr, sync::Arc};

use axum::{Extension, Router, body::Bytes};
use heronry_pool::{Caller, decide::DescribePool};
use heronry_runtime::{OpenError, OpenedPool, Pool, Runtime};
use heronry_types::{Durability, Epoch, Generation, PoolId, PoolSpec};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Auth, EPOCH_OF_NO_POOL},
    connections::{ConnectionLimits, Places},
    extract::BodyRoom,
    guards::Hosts,
    health::{Health, StoreWatch},
    metrics::{Metrics, PoolFigures},
    openapi,
    problems::Refusal,
    routes,
    shares::Shares,
};

/// The one state of a server, shared by its requests.
pub(crate) type SharedApp = Arc<App>;

/// The parts that every request works with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) runtime: Runtime,
    pub(crate) auth: Auth,
    pub(crate) metrics: Metrics,
    pub(crate) streams: Arc<Shares>,
    /// Calls that wait.
    pub(crate) long_polls: Arc<Shares>,
    /// Bytes of large bodies.
    pub(crate) bytes: Arc<Shares>,
    pub(crate) contract: Bytes,
    pub(crate) stop: Stop,
    pub(crate) health: Health,
    /// The places of connections; none where somebody else takes them.
    pub(crate) places: Option<Places>,
    /// The room for the bodies of all requests.
    pub(crate) bodies: Arc<BodyRoom>,
}

/// A switch that ends the waiting in the routes of one server.
#[derive(Clone, Debug, Default)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Ends event streams, and refuses calls that wait, now and from now on.
    pub fn stop(&self) {
        self.0.cancel();
    }

    /// Completes when it was told to stop.
    pub(crate) async fn stopped(&self) {
        self.0.cancelled().await;
    }
}

/// The routes of a server, to be served by whoever asked for them.
#[derive(Debug)]
pub struct Routes {
    /// The routes.
    pub router: Router,
    /// The switch that ends their waiting.
    pub stop: Stop,
}

/// Returns the routes of a server that is bound to `bound`. For tests, and for hosts that serve them
/// beside routes of their own.
pub fn router(runtime: Runtime, auth: Auth, bound: SocketAddr) -> Routes {
    let health = Health::new(StoreWatch::default(), &runtime);
    let bodies = BodyRoom::new(ConnectionLimits::default().bodies_bytes_max);
    let (router, app) = routes(runtime, auth, (health, None, bodies));
    Routes {
        router: router.layer(Extension(Arc::new(Hosts::of(bound)))),
        stop: app.stop.clone(),
    }
}

/// Returns the routes of a server whose requests say by themselves, in an extension, which hosts
/// they may name.
pub(crate) fn routes(
    runtime: Runtime,
    auth: Auth,
    (health, places, bodies): (Health, Option<Places>, BodyRoom),
) -> (Router, SharedApp) {
    let table = routes::table();
    let app = Arc::new(App {
        runtime,
        auth,
        metrics: Metrics::default(),
        streams: Shares::of_streams(),
        long_polls: Shares::of_long_polls(),
        bytes: Shares::of_bytes(),
        contract: openapi::document(&table),
        stop: Stop::default(),
        health,
        places,
        bodies: Arc::new(bodies),
    });
    (routes::router(&app, table), app)
}

impl App {
    /// Opens a pool, or creates it.
    pub(crate) async fn open(&self, pool: &PoolId, spec: PoolSpec) -> Result<OpenedPool, Refusal> {
        Ok(self.runtime.open(pool, spec).await?)
    }

    /// Returns a pool that exists.
    pub(crate) async fn pool(&self, pool: &PoolId) -> Result<Pool, Refusal> {
        Ok(self.runtime.find(pool).await?)
    }

    /// Returns the epoch in which the token of a joining is issued, as a token says that there was
    /// one: an epoch that no pool has when there is no such pool.
    ///
    /// Nobody has been authenticated when this is asked, so it opens no pool.
    pub(crate) async fn issued_in(
        &self,
        pool: &PoolId,
        generation: Generation,
    ) -> Result<Epoch, Refusal> {
        let issued_in = self.runtime.issuing_epoch(pool, generation).await?;
        Ok(issued_in.unwrap_or(EPOCH_OF_NO_POOL))
    }

    /// Returns how safely the store keeps records.
    pub(crate) fn durability(&self) -> Durability {
        self.runtime.durability()
    }

    /// Returns the figures of every pool.
    pub(crate) async fn figures(&self) -> Result<Vec<PoolFigures>, Refusal> {
        let mut figures = Vec::new();
        for id in self.runtime.pools().await? {
            let pool = match self.runtime.find(&id).await {
                Ok(pool) => pool,
                // It was deleted since.
                Err(OpenError::NotFound) => continue,
                Err(error) => return Err(error.into()),
            };
            let caller = Caller::Operator;
            let view = pool.call(DescribePool { caller }).await?;
            figures.push(PoolFigures {
                pool: id.as_str().to_owned(),
                head: view.head.position.0,
                members: view.members,
                live_messages: view.live_messages,
                live_wakes: view.live_wakes,
            });
        }
        Ok(figures)
    }

    /// Returns a name that nobody has, for a caller that left it out.
    pub(crate) fn fresh_name(&self, prefix: &str) -> String {
        let bits = self.runtime.ids().draw();
        bits.iter().fold(prefix.to_owned(), |mut name, byte| {
            // Writing to a string cannot fail.
            let _ = write!(name, "{byte:02x}");
            name
        })
    }
}
