//! Records about bodies, which themselves never stand in the journal.

use heronry_types::{ContentRef, Digest, EventKind, MediaType, Position, Timestamp};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{RecordBody, Subject, Touch};

use super::message::CopyName;

#[cfg(test)]
mod samples;

/// A body was erased. Its message, where one refers to it, goes on without it.
///
/// The lineage names the sender of that message, or the run that the body was stored for.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContentErased {
    /// The reference of the body.
    #[n(0)]
    pub content_ref: ContentRef,
    /// The BLAKE3 digest of the bytes of the body.
    #[n(1)]
    pub digest: Digest,
    /// The media type of the body.
    #[n(2)]
    pub media_type: MediaType,
    /// The size of the body in bytes.
    #[n(3)]
    pub body_bytes: u64,
    /// The first message that refers to the body.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<CopyName>,
    /// The record with whose append the body was stored; absent when it was stored by itself.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_with: Option<Position>,
}

impl RecordBody for ContentErased {
    const NUMBER: u16 = 56;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::ContentErased
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Content(self.content_ref)
    }

    fn touches<'a>(&'a self, touched: &mut dyn FnMut(Touch<'a>)) {
        let first = self.message.as_ref().map(|it| &it.message_id);
        first.map(Touch::Message).into_iter().for_each(touched);
    }
}

/// A body was stored by itself, and no message has referred to it so far.
///
/// The lineage names the run that the body was stored for; none when an operator named none.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContentStored {
    /// The reference of the body.
    #[n(0)]
    pub content_ref: ContentRef,
    /// The BLAKE3 digest of the bytes of the body.
    #[n(1)]
    pub digest: Digest,
    /// The media type of the body.
    #[n(2)]
    pub media_type: MediaType,
    /// The size of the body in bytes.
    #[n(3)]
    pub body_bytes: u64,
    /// The time at which the body expires, unless a message refers to it before.
    #[n(4)]
    pub expires_at: Timestamp,
}

impl RecordBody for ContentStored {
    const NUMBER: u16 = 57;
    const NEWEST_VERSION: u16 = 1;
    const CHANGES_WAITERS: bool = false;

    fn version(&self) -> u16 {
        1
    }

    fn event_kind(&self) -> EventKind {
        EventKind::ContentStored
    }

    fn subject(&self) -> Subject<'_> {
        Subject::Run
    }

    fn touches<'a>(&'a self, _: &mut dyn FnMut(Touch<'a>)) {}
}
