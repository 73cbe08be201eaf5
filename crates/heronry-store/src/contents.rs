//! The contents port: bodies, apart from the journal.

use std::sync::Arc;

use async_trait::async_trait;
use heronry_types::{Body, ContentRef, Digest, PoolId, Position, Timestamp};

use crate::{FencingToken, NewContent, StoreError};

/// A body with the digest that stands beside it.
#[derive(Clone, Debug)]
pub struct StoredContent {
    /// The body.
    pub body: Body,
    /// The BLAKE3 digest of its bytes, checked when it was read.
    pub digest: Digest,
}

impl StoredContent {
    /// Returns a body with the digest of its bytes.
    pub fn of(body: Body) -> Self {
        let digest = Digest(*blake3::hash(&body.bytes).as_bytes());
        Self { body, digest }
    }
}

/// The rest of an erased body: everything but its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// The media type that it had.
    pub media_type: Arc<str>,
    /// The number of bytes that it had.
    pub bytes: u64,
    /// The BLAKE3 digest of its bytes.
    pub digest: Digest,
    /// The time of the erasure.
    pub erased_at: Timestamp,
}

/// The entry under a reference: a body, or the tombstone of an erased one.
#[derive(Clone, Debug)]
pub enum Stored {
    /// A body.
    Kept(StoredContent),
    /// A body that was erased.
    Erased(Tombstone),
}

impl Stored {
    /// Returns the body; nothing when it was erased.
    pub fn kept(self) -> Option<StoredContent> {
        match self {
            Self::Kept(content) => Some(content),
            Self::Erased(_) => None,
        }
    }

    /// Returns the body; nothing when it was erased.
    pub fn body(self) -> Option<Body> {
        self.kept().map(|content| content.body)
    }

    /// Returns the media type that the body has or had.
    pub fn media_type(&self) -> &Arc<str> {
        match self {
            Self::Kept(content) => &content.body.media_type,
            Self::Erased(tombstone) => &tombstone.media_type,
        }
    }

    /// Returns the digest of the bytes that the body has or had.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Kept(content) => content.digest,
            Self::Erased(tombstone) => tombstone.digest,
        }
    }

    /// Returns how many bytes are stored.
    pub fn stored_bytes(&self) -> usize {
        match self {
            Self::Kept(content) => content.body.bytes.len(),
            Self::Erased(_) => 0,
        }
    }
}

impl PartialEq for Stored {
    /// Bodies are compared by their bytes.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Kept(one), Self::Kept(other)) => {
                one.body == other.body && one.digest == other.digest
            }
            (Self::Erased(one), Self::Erased(other)) => one == other,
            (Self::Kept(_), Self::Erased(_)) | (Self::Erased(_), Self::Kept(_)) => false,
        }
    }
}

impl Eq for Stored {}

/// The erasure of a body, with the tombstone that replaces it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Erasure {
    /// The reference.
    pub content_ref: ContentRef,
    /// The place of the body.
    pub place: ContentPlace,
    /// The tombstone that replaces the body.
    pub tombstone: Tombstone,
}

/// The place where a content was stored, and where a reader looks for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContentPlace {
    /// By itself, before any record referred to it.
    Alone,
    /// In the append that holds the record at this position.
    With(Position),
}

/// The contents that ride with one append.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContentPack {
    /// The first position of the append.
    pub first: Position,
    /// The last position of the append.
    pub last: Position,
    /// The contents; at least one.
    pub contents: Vec<NewContent>,
}

/// Bodies keyed (pool, reference). Those that ride with an append come in [`Commit`](crate::Commit).
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *a body is found where it was put*: by itself, or at any position of its append, with its
///    media type and digest, and nowhere else.
/// 2. *bodies ride with their append*: all are there with it, or none.
/// 3. *the first body of a reference stays*: a later put under it changes nothing.
/// 4. *a body alone and one that rides are two*, even under one reference.
/// 5. *apart*: a body of one pool is not found in another.
/// 6. *bounded*: a body over `capabilities().content_bytes_max` is refused before any effect.
/// 7. *a stale token puts nothing*.
/// 8. *listed by their append*: those that ride, in order of positions.
/// 9. *listed by their reference*: those that were put by themselves, in order of references.
/// 10. *gated*: nothing is shown whose sync has not succeeded.
/// 11. *kept*: what was acknowledged is there after reopening, as `capabilities().durability` promises.
/// 12. *checked*: damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt), never
///     another body.
/// 13. *erased with their append*: what [`Commit::erasures`](crate::Commit::erasures) names is a
///     tombstone from then on, in every answer and list, and its bytes stand in no row; with the
///     append, or not at all. A body that was stored by itself leaves a tombstone even where there
///     is none; one that rode leaves one where it is. Others of the same append stay.
/// 14. *an erased body stays erased*: neither a put nor another erasure changes a tombstone.
/// 15. *sealed* and *fail-stop*: as in [`Journal`](crate::Journal).
#[async_trait]
pub trait Contents: Send + Sync {
    /// Stores a body by itself. A repeat with the same bytes changes nothing.
    ///
    /// # Errors
    /// The store's failure, [`StoreErrorKind::TooLarge`](crate::StoreErrorKind::TooLarge) included; a
    /// stale token is [`StoreErrorKind::Closed`](crate::StoreErrorKind::Closed).
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError>;

    /// Returns a body, or its tombstone; nothing when there is neither at that place.
    ///
    /// # Errors
    /// The store's failure; [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt) when the bytes do not have the digest.
    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError>;

    /// Returns the contents that ride with the appends that begin after a position, in order;
    /// nothing when none follow. Stops before the append that would exceed `bytes_max`, but
    /// returns at least one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError>;

    /// Returns the contents that were stored by themselves and whose references follow `after`, in
    /// the order of their references; nothing when none follow. Stops before the content that
    /// would exceed `bytes_max`, but returns at least one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    async fn list_alone(
        &self,
        pool: &PoolId,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Result<Vec<NewContent>, StoreError>;
}
