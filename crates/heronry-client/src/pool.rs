//! What is asked of one pool.

use heronry_types::{Limits, PoolId};
use heronry_wire::{PatchSettings, PoolBody, PoolOpened, PoolView, SettingsChanged};
use http::Method;

use crate::{ClientError, Patience, exchange::Request, server::Server};

/// A client of one pool. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PoolClient {
    pub(crate) server: Server,
    pool: PoolId,
}

impl PoolClient {
    pub(crate) fn new(server: Server, pool: PoolId) -> Self {
        Self { server, pool }
    }

    /// Says how long calls go on while no server answers.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self {
            server: self.server.with_patience(patience),
            pool: self.pool,
        }
    }

    /// Returns the pool's id.
    pub fn id(&self) -> &PoolId {
        &self.pool
    }

    /// Returns a request to a path under the pool's own.
    pub(crate) fn request(&self, method: Method, under: &[&str]) -> Result<Request, ClientError> {
        let mut segments = vec!["v1", "pools", self.pool.as_str()];
        segments.extend(under);
        Request::new(method, &segments)
    }

    /// Creates the pool, or opens it when what is named agrees with what it is.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `config-conflict` names the fields that differ.
    pub async fn open(&self, config: &PoolBody) -> Result<PoolOpened, ClientError> {
        let request = self.request(Method::PUT, &[])?.json(config)?;
        self.server.json(request.repeatable()).await
    }

    /// Returns the pool as it stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn view(&self) -> Result<PoolView, ClientError> {
        self.server.json(self.request(Method::GET, &[])?).await
    }

    /// Changes limits, if the settings still have the version that the caller has seen.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `settings-conflict` when they were changed meanwhile.
    pub async fn set_limits(
        &self,
        expected_version: u64,
        limits: Limits,
    ) -> Result<SettingsChanged, ClientError> {
        let patch = PatchSettings {
            expected_version,
            limits: Some(limits),
            retention: None,
        };
        let request = self.request(Method::PATCH, &["settings"])?;
        self.server.json(request.json(&patch)?).await
    }
}
