//! Serving on a loopback listener until told to stop.

use std::{future::Future, io, net::SocketAddr};

use heronry_runtime::Runtime;
use tokio::net::TcpListener;

use crate::{app::router, auth::Auth};

/// What a server needs. Every part is chosen by who starts it.
#[derive(Debug)]
pub struct ServerConfig {
    /// Where it listens: bound already, and to a loopback address.
    pub listener: TcpListener,
    /// The pools that it serves.
    pub runtime: Runtime,
    /// Who may do what.
    pub auth: Auth,
}

/// Why a server did not start, or broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
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
    /// Accepting connections failed.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
}

/// Serves until `shutdown` completes; then takes no more connections, ends event streams and waiting
/// calls, finishes the other requests that it has, and returns. The runtime is left running: shut it
/// down afterwards.
///
/// # Errors
/// [`ServeError`] when the listener is not on loopback, or stops accepting.
pub async fn serve(
    config: ServerConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let bound = config.listener.local_addr().map_err(ServeError::Unbound)?;
    if !bound.ip().is_loopback() {
        return Err(ServeError::NotLoopback { bound });
    }
    let (router, stop) = router(config.runtime, config.auth, bound);
    axum::serve(config.listener, router)
        .with_graceful_shutdown(async move {
            shutdown.await;
            stop.stop();
        })
        .await
        .map_err(ServeError::Accept)
}
