//! Serving on listeners of this machine until told to stop.

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use futures::future::{join, join_all};
use heronry_runtime::Runtime;

use crate::{
    app,
    auth::Auth,
    connections::{ConnectionLimits, Connections, Listener},
};

/// What a server needs. Every part is chosen by who starts it.
#[derive(Debug)]
pub struct ServerConfig {
    /// Where it listens: one place or several, bound already.
    pub listeners: Vec<Listener>,
    /// The pools that it serves.
    pub runtime: Runtime,
    /// Who may do what.
    pub auth: Auth,
    /// The bounds of every connection.
    pub limits: ConnectionLimits,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is nothing to listen on.
    #[error("a server needs a listener, and none was given")]
    NoListener,
    /// The listener is open to other machines.
    #[error(
        "{bound} can be reached by other machines, and requests are not encrypted; listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// Where the listener is bound.
        bound: SocketAddr,
    },
    /// The listener does not say where it is bound.
    #[error("cannot tell where the listener is bound")]
    Unbound(#[source] io::Error),
}

/// Serves until `shutdown` completes; then takes no more connections, ends event streams and waiting
/// calls, finishes the other requests that it has, and returns: after [`ConnectionLimits::drain`]
/// (5 s) at the latest, whatever its peers do. The runtime is left running: shut it down afterwards.
///
/// # Errors
/// [`ServeError`] when there is no listener, or one that is not on loopback.
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
    let clock = Arc::clone(config.runtime.clock());
    let (router, stop) = app::routes(config.runtime, config.auth);
    let connections = Connections::new(router, config.limits, clock, stop.clone());
    let accepting = doors
        .into_iter()
        .map(|(listener, hosts)| connections.accept(listener, hosts));
    let stopping = async {
        shutdown.await;
        stop.stop();
    };
    join(stopping, join_all(accepting)).await;
    connections.drain().await;
    Ok(())
}
