//! Records about bodies, which themselves never stand in the journal.

use heronry_types::{ContentRef, Digest, EventKind, MediaType, Position, Timestamp};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::kind::{Noun, RecordBody, Subject, Touch};

use super::message::CopyName;

/// A body was erased. Its message, where one refers to it, goes on without it.
///
/// The sender of that message stands in the lineage, or who stored the body.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContentErased {
    /// The body.
    #[n(0)]
    pub content_ref: ContentRef,
    /// The BLAKE3 digest of the bytes that it had.
    #[n(1)]
    pub digest: Digest,
    /// The media type that it had.
    #[n(2)]
    pub media_type: MediaType,
    /// How many bytes it had.
    #[n(3)]
    pub body_bytes: u64,
    /// The first message that refers to it.
    #[n(4)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<CopyName>,
    /// The record with whose append it was stored; absent when it was stored by itself.
    #[n(5)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_with: Option<Position>,
}

impl RecordBody for ContentErased {
    const NUMBER: u16 = 56;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Content;

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
/// The run that it was stored for stands in the lineage; none for an operator that named none.
#[derive(Clone, Debug, Decode, Deserialize, Encode, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ContentStored {
    /// The body.
    #[n(0)]
    pub content_ref: ContentRef,
    /// The BLAKE3 digest of its bytes.
    #[n(1)]
    pub digest: Digest,
    /// Its media type.
    #[n(2)]
    pub media_type: MediaType,
    /// How many bytes it has.
    #[n(3)]
    pub body_bytes: u64,
    /// When it expires, unless a message refers to it before.
    #[n(4)]
    pub expires_at: Timestamp,
}

impl RecordBody for ContentStored {
    const NUMBER: u16 = 57;
    const NEWEST_VERSION: u16 = 1;
    const NOUN: Noun = Noun::Content;

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
