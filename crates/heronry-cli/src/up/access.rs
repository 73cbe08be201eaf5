//! The environment of what a job starts: where its pool is, its token, and a folder of its own.

use std::ffi::OsString;

use async_trait::async_trait;
use heronry_host::{AccessError, AccessRequest, HostEnvironment, MemberAccess};
use heronry_types::PoolId;

use super::{Binary, Folders};
use crate::{data_dir::DataDir, failure::Failure, host::Host};

/// Makes the environment of members and modules of a job.
#[derive(Debug)]
pub(crate) struct JobAccess {
    data_dir: DataDir,
    pool: PoolId,
    /// The variables that all have in common.
    common: HostEnvironment,
}

impl JobAccess {
    /// Returns the access to a job that a server of this process serves.
    pub(crate) fn new(
        data_dir: &DataDir,
        host: &Host,
        pool: &PoolId,
        folders: &Folders,
        binary: &Binary,
    ) -> Self {
        let mut common = HostEnvironment::default();
        common.set("HERONRY_URL", host.url());
        common.set("HERONRY_POOL", pool.as_str());
        common.set("HERONRY_INPUT", folders.input.clone());
        common.set("HERONRY_OUTPUT", folders.output.clone());
        common.set("HERONRY_BIN", binary.file.clone());
        common.set("PATH", binary.search_path.clone());
        Self {
            data_dir: data_dir.clone(),
            pool: pool.clone(),
            common,
        }
    }

    /// Makes the private folder of a run, and returns it.
    fn state_dir(&self, run: &str) -> Result<OsString, Failure> {
        let folder = self.data_dir.member_state(self.pool.as_str(), run)?;
        Ok(folder.path().into())
    }
}

#[async_trait]
impl MemberAccess for JobAccess {
    async fn environment(&self, request: &AccessRequest) -> Result<HostEnvironment, AccessError> {
        let mut environment = self.common.clone();
        if let Some(token) = &request.token {
            environment.set("HERONRY_TOKEN", token.clone());
        }
        if let Some(woken_by) = &request.woken_by {
            environment.set("HERONRY_WOKEN_BY", woken_by.to_string());
        }
        if let Some(incarnation) = request.subject.incarnation() {
            environment.set("HERONRY_RUN", incarnation.run.as_str());
            environment.set("HERONRY_AGENT", incarnation.agent.as_str());
            environment.set("HERONRY_GENERATION", incarnation.generation.to_string());
            let state = self.state_dir(incarnation.run.as_str());
            let state = state.map_err(|failure| AccessError(failure.to_string()))?;
            environment.set("HERONRY_STATE_DIR", state.clone());
            environment.state_dir = Some(state.into());
        }
        Ok(environment)
    }
}
