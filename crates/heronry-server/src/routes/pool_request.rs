//! A request about one pool: who asks, and what the path names.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use heronry_api::Access;
use heronry_types::RunId;

use crate::{
    app::SharedApp,
    extract::{HeldRoom, Params},
    identity::Authenticated,
    problems::ProblemAnswer,
};

/// A request about the pool that its path names.
#[derive(Debug)]
pub(crate) struct PoolRequest {
    /// The door to the use cases.
    pub(crate) access: Access,
    pub(crate) params: Params,
}

impl FromRequestParts<SharedApp> for PoolRequest {
    type Rejection = ProblemAnswer;

    async fn from_request_parts(parts: &mut Parts, app: &SharedApp) -> Result<Self, ProblemAnswer> {
        let Authenticated(identity) = Authenticated::from_request_parts(parts, app).await?;
        let params = Params::from_request_parts(parts, app).await?;
        let pool = params.id("pool")?;
        let access = Access::open(&app.api, &identity, &pool).await?;
        let access = match parts.extensions.get::<Arc<HeldRoom>>() {
            Some(held) => access.with_before_waiting(Arc::clone(held) as _),
            None => access,
        };
        Ok(Self { access, params })
    }
}

impl PoolRequest {
    /// Returns the run that the path names.
    pub(crate) fn run(&self) -> Result<RunId, ProblemAnswer> {
        self.params.id("run")
    }
}
