//! The roster, and the modules beside its members.

use heronry_wire::{ModuleList, ModulesQuery, RosterList, RosterQuery};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Shows the roster, with a page of its members; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn roster(&self, query: &RosterQuery) -> Result<RosterList, ClientError> {
        let request = self.request(Method::GET, &["roster"])?.query(query)?;
        self.server.json(request).await
    }

    /// Lists a page of the modules; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn modules(&self, query: &ModulesQuery) -> Result<ModuleList, ClientError> {
        let request = self.request(Method::GET, &["modules"])?.query(query)?;
        self.server.json(request).await
    }
}
