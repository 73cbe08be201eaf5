//! Joining, listing, changing, leaving and ending.

use heronry_types::RunId;
use heronry_wire::{
    Changed, Join, Joined, MemberList, MembersQuery, PatchMember, SetState, StateChanged,
};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Joins a run, or takes it over from another instance: the answer says so (`taken_over`).
    ///
    /// It is tried again after a lost answer only when the request names its instance: a fresh
    /// instance would take over from itself.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `run-ended` (member `state`) when the run has ended, and with
    /// `run-taken` (members `generation`, `last_seen`) when it was to be new and is a member.
    pub async fn join(&self, join: &Join) -> Result<Joined, ClientError> {
        let mut request = self.request(Method::POST, &["members"])?.json(join)?;
        if join.instance.is_some() {
            request = request.repeatable();
        }
        self.server.json(request).await
    }

    /// Lists a page of the members; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn members(&self, query: &MembersQuery) -> Result<MemberList, ClientError> {
        let request = self.request(Method::GET, &["members"])?.query(query)?;
        self.server.json(request).await
    }

    /// Says that a run is there: renews its lease, and nothing else.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn heartbeat(&self, run: &RunId) -> Result<Changed, ClientError> {
        let request = self.request(Method::POST, &["members", run.as_str(), "heartbeat"])?;
        self.server.json(request.repeatable()).await
    }

    /// Changes a member's topics or its lease.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn patch_member(
        &self,
        run: &RunId,
        patch: &PatchMember,
    ) -> Result<Changed, ClientError> {
        let request = self.request(Method::PATCH, &["members", run.as_str()])?;
        self.server.json(request.json(patch)?.repeatable()).await
    }

    /// Makes a run leave; the run itself goes on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn leave(&self, run: &RunId) -> Result<Changed, ClientError> {
        let request = self.request(Method::DELETE, &["members", run.as_str()])?;
        self.server.json(request).await
    }

    /// Ends a run, suspends it, or lets it go on.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `run-ended` when it had ended before.
    pub async fn set_state(
        &self,
        run: &RunId,
        state: &SetState,
    ) -> Result<StateChanged, ClientError> {
        let request = self.request(Method::POST, &["members", run.as_str(), "state"])?;
        self.server.json(request.json(state)?).await
    }
}
