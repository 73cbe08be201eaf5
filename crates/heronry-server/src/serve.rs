//! Serving on listeners of this machine until told to stop.

use std::{convert::Infallible, future::Future, sync::Arc};

use futures::future::{join, join_all};
use heronry_api::{Api, Auth, Keepers};
use heronry_runtime::Runtime;

use crate::{
    connections::{ConnectionLimits, Connections, Listener, Places},
    extract::BodyRoom,
    health::{Health, StoreWatch},
    router::{self, Bounds},
    serve_error::ServeError,
};

/// The parts that a server needs. Every part is chosen by the program that starts the server.
#[derive(Debug)]
pub struct ServerConfig {
    /// The listeners, bound already: one or several.
    pub listeners: Vec<Listener>,
    /// The pools that it serves.
    pub runtime: Runtime,
    /// The secrets that prove an operator or a member.
    pub auth: Auth,
    /// The runtimes that keep pools as they were declared.
    pub keepers: Keepers,
    /// The bounds of every connection.
    pub limits: ConnectionLimits,
    /// The description of the store, and the reactions to its faults.
    pub store: StoreWatch,
}

/// Serves until `shutdown` completes. Then the server takes no more connections, ends event streams
/// and waiting calls, finishes its other requests, and returns, after [`ConnectionLimits::drain`]
/// (5 s) at the latest, whatever its peers do. It does the same by itself when the store closes,
/// unless it was told to stay. The runtime is left running: shut it down afterwards.
///
/// # Errors
/// [`ServeError`] when there is no listener, or one that is not on loopback, or when the store closed.
pub async fn serve(
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if config.listeners.is_empty() {
        return Err(ServeError::NoListener);
    }
    let mut doors = Vec::with_capacity(config.listeners.len());
    for listener in config.listeners {
        let hosts = listener.hosts()?;
        doors.push((listener, hosts));
    }
    let runtime = config.runtime.clone();
    let health = Health::new(config.store, &runtime);
    let places = Places::new(config.limits.connections_max);
    let bounds = Bounds {
        health,
        places: Some(places.clone()),
        bodies: BodyRoom::new(config.limits.bodies_bytes_max),
    };
    let app = router::app(
        Api::keeping(config.runtime, config.auth, config.keepers),
        bounds,
    );
    let stop = app.api.stop();
    let router = router::routes_of(&app);
    let clock = Arc::clone(runtime.clock());
    let connections = Connections::new(router, (config.limits, places), clock, stop.clone());
    let accepting = doors
        .into_iter()
        .map(|(listener, hosts)| connections.accept(listener, hosts));
    let stopping = async {
        let ended = tokio::select! {
            () = shutdown => Ok(()),
            error = app.health.must_end(&runtime) => Err(ServeError::StoreClosed(error)),
        };
        stop.stop();
        ended
    };
    let serving = join(stopping, join_all(accepting));
    // What is looked at again and again ends with what it is looked at for.
    let watching = async {
        app.health.watch_disk(&runtime).await;
        std::future::pending::<Infallible>().await
    };
    let ended = tokio::select! {
        (ended, _) = serving => ended,
        never = watching => match never {},
    };
    connections.drain().await;
    ended
}
