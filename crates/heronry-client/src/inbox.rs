//! Claiming copies, and telling their results.

use heronry_types::{Millis, RunId};
use heronry_wire::{
    Ack, Changed, ClaimsExtended, ExtendClaims, InboxPage, InboxQuery, Receive, ReleaseClaims,
};
use http::Method;

use crate::{ClientError, PoolClient, exchange::Request};

impl PoolClient {
    /// Claims copies from a run's inbox.
    ///
    /// It is tried again after a lost answer only when the request names its receive: the repeat
    /// then returns the same claims.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn receive(&self, run: &RunId, receive: &Receive) -> Result<InboxPage, ClientError> {
        let mut request = self.inbox_request(Method::POST, run, &["receive"])?;
        if receive.receive_id.is_some() {
            request = request.repeatable();
        }
        let wait = receive.wait_ms.map(Millis::into);
        let request = request.json(receive)?.held_for(wait);
        self.server.json(request).await
    }

    /// Looks into a run's inbox without claiming.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn peek(&self, run: &RunId, query: &InboxQuery) -> Result<InboxPage, ClientError> {
        let request = self.inbox_request(Method::GET, run, &[])?.query(query)?;
        self.server.json(request).await
    }

    /// Acknowledges claims: their copies end.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `claim-lapsed` names the claims that are no longer held.
    pub async fn ack(&self, run: &RunId, ack: &Ack) -> Result<Changed, ClientError> {
        let request = self.inbox_request(Method::POST, run, &["ack"])?.json(ack)?;
        self.server.json(request.repeatable()).await
    }

    /// Gives claims back.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `claim-lapsed` names the claims that are no longer held.
    pub async fn release(
        &self,
        run: &RunId,
        release: &ReleaseClaims,
    ) -> Result<Changed, ClientError> {
        let request = self.inbox_request(Method::POST, run, &["release"])?;
        self.server.json(request.json(release)?).await
    }

    /// Holds claims longer, and returns the claims that are held; the others were acknowledged
    /// before.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `claim-lapsed` names those that are no longer held; none is
    /// extended then.
    pub async fn extend(
        &self,
        run: &RunId,
        extend: &ExtendClaims,
    ) -> Result<ClaimsExtended, ClientError> {
        let request = self.inbox_request(Method::POST, run, &["extend"])?;
        self.server.json(request.json(extend)?.repeatable()).await
    }

    fn inbox_request(
        &self,
        method: Method,
        run: &RunId,
        verb: &[&str],
    ) -> Result<Request, ClientError> {
        let mut under = vec!["members", run.as_str(), "inbox"];
        under.extend(verb);
        self.request(method, &under)
    }
}
