//! The error of serving.

use std::{io, net::SocketAddr};

use heronry_store::StoreError;

/// The reasons why a server did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// There is nothing to listen on.
    #[error("a server needs a listener, and none was given")]
    NoListener,
    /// The listener is open to other machines.
    #[error(
        "{bound} can be reached by other machines, and requests are not encrypted; listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback {
        /// The address where the listener is bound.
        bound: SocketAddr,
    },
    /// The listener does not say where it is bound.
    #[error("cannot tell where the listener is bound")]
    Unbound(#[source] io::Error),
    /// The store closed while it was served: a write or a sync of it failed, and nothing is written
    /// any more in this process. [`StoreError::cause`] says why.
    #[error("the store has closed under the server")]
    StoreClosed(#[source] StoreError),
}
