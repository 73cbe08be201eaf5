//! Foreign sources of events, and the bridges that report from them.

use heronry_types::SourceId;
use heronry_wire::{AttachSource, Changed, DetachSource, SourceAttached, TellGap};
use http::{Method, StatusCode};

use crate::{ClientError, PoolClient};

/// The answer to who tells that events of a source are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GapTold {
    /// The cursor of the record, or the head when nothing had to be recorded.
    pub changed: Changed,
    /// True when the pool knew of it before: then nothing was recorded.
    pub repeated: bool,
}

impl PoolClient {
    /// Attaches a bridge to a source; a repeat by the same instance has the same answer.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `source-taken` when another bridge has the source and is not to be replaced.
    pub async fn attach_source(
        &self,
        source: &SourceId,
        attach: &AttachSource,
    ) -> Result<SourceAttached, ClientError> {
        let path = ["sources", source.as_str(), "attach"];
        let request = self.request(Method::POST, &path)?.json(attach)?;
        self.server.json(request.repeatable()).await
    }

    /// Leaves a source. Leaving an attachment that has ended changes nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when the source is another's.
    pub async fn detach_source(
        &self,
        source: &SourceId,
        detach: &DetachSource,
    ) -> Result<Changed, ClientError> {
        let path = ["sources", source.as_str(), "detach"];
        let request = self.request(Method::POST, &path)?.json(detach)?;
        self.server.json(request.repeatable()).await
    }

    /// Tells that events of a source are missing. A repeat under the same key records nothing.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `source-fenced` or `source-taken` when another bridge has the source.
    pub async fn tell_gap(&self, source: &SourceId, gap: &TellGap) -> Result<GapTold, ClientError> {
        let path = ["sources", source.as_str(), "gaps"];
        let mut request = self.request(Method::POST, &path)?.json(gap)?;
        if gap.idempotency_key.is_some() {
            request = request.repeatable();
        }
        let answer = self.server.send(&request).await?;
        let repeated = answer.response.status() != StatusCode::CREATED;
        let bytes = answer.bytes().await?;
        let changed = serde_json::from_slice(&bytes).map_err(|source| ClientError::Decode {
            route: request.route(),
            source: source.into(),
        })?;
        Ok(GapTold { changed, repeated })
    }
}
