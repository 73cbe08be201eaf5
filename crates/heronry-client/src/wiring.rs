//! Edges, aliases and labels.

use heronry_types::{AliasName, AliasView, Edge, Id, IdKind, Labels, RunId};
use heronry_wire::{
    ANY, AliasList, AliasesQuery, Changed, EdgeList, EdgesQuery, LabelsShown, PutAlias, PutLabels,
};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Lists the edges of the pool: one page of them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn edges(&self, query: &EdgesQuery) -> Result<EdgeList, ClientError> {
        let request = self.request(Method::GET, &["edges"])?.query(query)?;
        self.server.json(request).await
    }

    /// Wires two runs. Only operators do so, and call what else changes edges, aliases or labels.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn wire(&self, edge: &Edge) -> Result<Changed, ClientError> {
        self.change_edge(Method::PUT, edge).await
    }

    /// Unwires two runs.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn unwire(&self, edge: &Edge) -> Result<Changed, ClientError> {
        self.change_edge(Method::DELETE, edge).await
    }

    async fn change_edge(&self, method: Method, edge: &Edge) -> Result<Changed, ClientError> {
        let under = ["edges", edge.a().as_str(), edge.b().as_str()];
        let request = self.request(method, &under)?;
        self.server.json(request.repeatable()).await
    }

    /// Lists the aliases of the pool: one page of them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn aliases(&self, query: &AliasesQuery) -> Result<AliasList, ClientError> {
        let request = self.request(Method::GET, &["aliases"])?.query(query)?;
        self.server.json(request).await
    }

    /// Returns the alias of exactly this name.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `alias-not-found`.
    pub async fn alias(&self, alias: &AliasName) -> Result<AliasView, ClientError> {
        let request = self.request(Method::GET, &under_alias(alias))?;
        self.server.json(request).await
    }

    /// Lets an alias lead to an address.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_alias(
        &self,
        alias: &AliasName,
        put: &PutAlias,
    ) -> Result<Changed, ClientError> {
        let request = self.request(Method::PUT, &under_alias(alias))?.json(put)?;
        self.server.json(request.repeatable()).await
    }

    /// Removes an alias.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn remove_alias(&self, alias: &AliasName) -> Result<Changed, ClientError> {
        let request = self.request(Method::DELETE, &under_alias(alias))?;
        self.server.json(request.repeatable()).await
    }

    /// Returns the labels of a run; without one, those of the pool.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn labels(&self, of: Option<&RunId>) -> Result<LabelsShown, ClientError> {
        let request = self.request(Method::GET, &under_labels(of))?;
        self.server.json(request).await
    }

    /// Replaces the labels of a run; without one, those of the pool.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_labels(
        &self,
        of: Option<&RunId>,
        labels: Labels,
    ) -> Result<Changed, ClientError> {
        let request = self.request(Method::PUT, &under_labels(of))?;
        let request = request.json(&PutLabels { labels })?;
        self.server.json(request.repeatable()).await
    }
}

fn under_alias(alias: &AliasName) -> [&str; 3] {
    [
        "aliases",
        or_any(alias.recipient.as_ref()),
        or_any(alias.channel.as_ref()),
    ]
}

fn or_any<K: IdKind>(id: Option<&Id<K>>) -> &str {
    id.map_or(ANY, Id::as_str)
}

fn under_labels(of: Option<&RunId>) -> Vec<&str> {
    match of {
        None => vec!["labels"],
        Some(run) => vec!["members", run.as_str(), "labels"],
    }
}
