//! The sources of members and edges.

use std::sync::Arc;

use crate::{
    declare::Layers,
    hooks::{Discovery, EdgeDiscovery, HookError, PreSpawnContext},
};

/// The sources, and the context that every question to them carries.
#[derive(Clone, Default)]
pub(crate) struct Sources {
    pub(crate) members: Option<Arc<dyn Discovery>>,
    pub(crate) edges: Option<Arc<dyn EdgeDiscovery>>,
    pub(crate) context: PreSpawnContext,
}

impl Sources {
    pub(crate) fn with(self, context: PreSpawnContext) -> Self {
        Self { context, ..self }
    }

    /// Asks the sources, and puts what they found into its layer. On an error the layers stay as they are.
    pub(crate) async fn ask(
        &self,
        context: &PreSpawnContext,
        layers: &mut Layers,
    ) -> Result<(), HookError> {
        let members = match &self.members {
            Some(source) => Some(source.discover(context).await?),
            None => None,
        };
        let edges = match &self.edges {
            Some(source) => Some(source.discover_edges(context).await?),
            None => None,
        };
        layers.discovered = members.unwrap_or_default();
        layers.discovered_edges = edges.unwrap_or_default();
        Ok(())
    }
}
