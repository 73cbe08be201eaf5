//! The requests that are about the server as a whole.

use std::sync::Arc;

use heronry_types::PoolId;
use heronry_wire::{CompileFilter, CompiledFilter, PoolList, ServerStatus, Version};
use http::Method;

use crate::{
    ClientError, Endpoint, Locate, Patience, PoolClient, Token, exchange::Request,
    server::LocatedServer,
};

/// A client of one server. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    server: LocatedServer,
}

impl Client {
    /// Returns a client of the server at this URL, without connecting yet.
    ///
    /// # Errors
    /// [`ClientError::Url`] when the text is neither an `http` URL nor `unix:PATH`.
    pub fn new(url: &str, token: Option<Token>) -> Result<Self, ClientError> {
        let address = url.parse()?;
        Ok(Self::located(Arc::new(Endpoint { address, token })))
    }

    /// Returns a client of the server that `locate` finds, which is asked before each attempt.
    pub fn located(locate: Arc<dyn Locate>) -> Self {
        let server = LocatedServer::new(locate);
        Self { server }
    }

    /// Sets the time for which calls go on while no server answers.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self {
            server: self.server.with_patience(patience),
        }
    }

    /// Returns the server's URL as it is now; empty while no server is found.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns a client of one pool of the server.
    pub fn pool(&self, pool: &PoolId) -> PoolClient {
        PoolClient::new(self.server.clone(), pool.clone())
    }

    /// Asks for the version of the server. Needs no token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn version(&self) -> Result<Version, ClientError> {
        let request = Request::new(Method::GET, &["v1", "version"])?;
        self.server.json(request).await
    }

    /// Asks for the status of the server and its pools. Needs the operator's token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        let request = Request::new(Method::GET, &["v1", "status"])?;
        self.server.json(request).await
    }

    /// Lists the pools that the token may know of.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn pools(&self) -> Result<PoolList, ClientError> {
        let request = Request::new(Method::GET, &["v1", "pools"])?;
        self.server.json(request).await
    }

    /// Checks a filter and returns its canonical form and fingerprint.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `filter-invalid` lists every fault.
    pub async fn compile_filter(&self, filter: &str) -> Result<CompiledFilter, ClientError> {
        let body = CompileFilter {
            filter: filter.to_owned(),
        };
        let request = Request::new(Method::POST, &["v1", "filters", "compile"])?;
        self.server.json(request.json(&body)?.repeatable()).await
    }
}
