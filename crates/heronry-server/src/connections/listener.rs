//! The listeners that connections come from.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::net::UnixListener;

use super::transport::Duplex;
use crate::{hosts::Hosts, serve_error::ServeError};

/// A place where a server listens: bound already, and reachable from this machine alone.
#[derive(Debug)]
pub enum Listener {
    /// A loopback address. Its requests name that address, or this machine's names of itself, in
    /// `Host`.
    Tcp(TcpListener),
    /// A Unix socket, whose file says who may connect. Its requests name `localhost` in `Host`, and
    /// no page (`Origin`) is served there.
    #[cfg(unix)]
    Unix(UnixListener),
}

impl Listener {
    /// Returns the hosts that requests on this listener may name.
    pub(crate) fn hosts(&self) -> Result<Arc<Hosts>, ServeError> {
        match self {
            Self::Tcp(listener) => {
                let bound: SocketAddr = listener.local_addr().map_err(ServeError::Unbound)?;
                if !bound.ip().is_loopback() {
                    return Err(ServeError::NotLoopback { bound });
                }
                Ok(Arc::new(Hosts::of(bound)))
            }
            #[cfg(unix)]
            Self::Unix(_) => Ok(Arc::new(Hosts::of_a_socket())),
        }
    }

    /// Waits for a connection.
    pub(super) async fn accept(&self) -> io::Result<Box<dyn Duplex>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without it a small event waits for the acknowledgement of the one before; a socket
                // that refuses the option works all the same.
                let _ = stream.set_nodelay(true);
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok(Box::new(stream))
            }
        }
    }
}
