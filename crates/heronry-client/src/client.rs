//! What is asked of the server as a whole.

use heronry_types::PoolId;
use heronry_wire::{CompileFilter, CompiledFilter, PoolList, ServerStatus, Version};
use reqwest::Method;

use crate::{ClientError, PoolClient, Token, exchange::Server};

/// A client of one server. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    server: Server,
}

impl Client {
    /// Returns a client of the server at this URL, without connecting yet.
    ///
    /// # Errors
    /// [`ClientError::Url`] when the text is not an `http` URL.
    pub fn new(url: &str, token: Option<Token>) -> Result<Self, ClientError> {
        let server = Server::new(url, token)?;
        Ok(Self { server })
    }

    /// Returns the server's URL.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Returns a client of one pool of the server.
    pub fn pool(&self, pool: &PoolId) -> PoolClient {
        PoolClient::new(self.server.clone(), pool.clone())
    }

    /// Asks what the server is. Needs no token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn version(&self) -> Result<Version, ClientError> {
        let request = self.server.request(Method::GET, &["v1", "version"])?;
        self.server.json(request).await
    }

    /// Asks how the server and its pools are. Needs the operator's token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn status(&self) -> Result<ServerStatus, ClientError> {
        let request = self.server.request(Method::GET, &["v1", "status"])?;
        self.server.json(request).await
    }

    /// Lists the pools that the token may know of.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn pools(&self) -> Result<PoolList, ClientError> {
        let request = self.server.request(Method::GET, &["v1", "pools"])?;
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
        let request = self
            .server
            .request(Method::POST, &["v1", "filters", "compile"])?;
        self.server.json(request.json(&body)?.repeatable()).await
    }
}
