//! The parts that every request of a server works with.

use std::sync::Arc;

use axum::body::Bytes;
use heronry_api::{Api, Shares};
use heronry_runtime::Runtime;

use crate::{connections::Places, extract::BodyRoom, health::Health, metrics::Metrics};

/// The one state of a server, shared by its requests.
pub(crate) type SharedApp = Arc<App>;

/// The parts that every request of a server works with.
#[derive(Debug)]
pub(crate) struct App {
    /// The use cases.
    pub(crate) api: Api,
    pub(crate) metrics: Metrics,
    /// Bytes of large bodies.
    pub(crate) bytes: Arc<Shares>,
    pub(crate) contract: Bytes,
    pub(crate) health: Health,
    /// The places of connections; none where somebody else takes them.
    pub(crate) places: Option<Places>,
    /// The room for the bodies of all requests.
    pub(crate) bodies: Arc<BodyRoom>,
}

impl App {
    /// Returns the runtime of the pools that are served.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.api.runtime()
    }
}
