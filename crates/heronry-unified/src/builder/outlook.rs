//! Looking at what a build would do.

use heronry_types::{Position, StewardToken};

use super::{BuildFault, UnifiedRuntimeBuilder};
use crate::{
    declare::{DigestKey, Layers},
    parts::RuntimeParts,
    plan::{Action, Actual, plan},
    reading,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

impl UnifiedRuntimeBuilder {
    /// Returns the actions that the first pass of a build would take, as far as no source is asked. Nothing is done,
    /// nothing is taken, and the pool may have a steward.
    ///
    /// # Errors
    /// [`BuildFault`] when the options conflict, or the pool cannot be read.
    pub async fn outlook(self) -> Result<Vec<Action>, BuildFault> {
        let hosts = self.check()?;
        let pool = self.runtime.find(&self.pool).await?;
        let parts = RuntimeParts {
            clock: Arc::clone(self.runtime.clock()),
            key: DigestKey::from(self.runtime.spec_key()),
            runtime: self.runtime,
            pool,
            hosts,
            access: self.access,
            // Whoever only looks shows none.
            steward: StewardToken(Position(0)),
            starts: Arc::new(Semaphore::new(self.concurrency)),
            notices: self.notices,
            hooks: self.hooks,
        };
        let layers = Layers::of(self.declared);
        let roster = layers.effective(&parts.key);
        let view = reading::describe(&parts).await?;
        let members = reading::members(&parts, &view, &roster).await?;
        let is_applied = reading::is_applied(&view, &layers, &parts);
        let members = members.iter().map(|(run, it)| (run.clone(), it.actual()));
        let actual = Actual {
            roster: is_applied.then(|| roster.digest()),
            members: members.collect(),
            ..Actual::default()
        };
        Ok(plan(&roster, &actual))
    }
}
