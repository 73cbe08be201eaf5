//! Bodies: fetched by who may see them, sent, and erased.

use heronry_pool::{
    Caller, Rejection,
    decide::{Content, ContentAccess, EraseContent, ErasureAccess, ReferenceAccess},
};
use heronry_store::{ContentPlace, StoreError, Stored, StoredContent, Tombstone};
use heronry_types::{ContentRef, Position, Timestamp};

use super::Pool;
use crate::CallError;

/// Why a body could not be stored or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The rules say no, or the pool has stopped.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Rejection> for BodyError {
    fn from(rejection: Rejection) -> Self {
        Self::Call(rejection.into())
    }
}

impl Pool {
    /// Returns a body that the caller sent or received; an operator gets any.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when it is not there or not for this caller: both look alike;
    /// [`Rejection::ContentErased`] when it is for this caller and was erased.
    pub async fn body(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<StoredContent, BodyError> {
        let ask = ContentAccess {
            caller,
            content_ref,
        };
        let first = self.call(ask).await?;
        let (_, stored) = self.find(content_ref, first).await?;
        Ok(kept(stored)?)
    }

    /// Erases a body: its bytes are gone from the store, and a tombstone says what it was. A repeat
    /// returns the same one, and records nothing.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when it is not there or not the caller's to erase: both look
    /// alike. Its first sender may erase it, who stored it, and an operator.
    pub async fn erase_body(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<Tombstone, BodyError> {
        // One at a time, so that of two at once one erases and the other repeats.
        let _alone = self.shared().erasing.lock().await;
        let ask = ErasureAccess {
            caller: caller.clone(),
            content_ref,
            minter: self.shared().environment.minter.clone(),
        };
        let first = self.call(ask).await?;
        let (place, stored) = self.find(content_ref, first).await?;
        let StoredContent { body, digest } = match stored {
            Stored::Kept(content) => content,
            Stored::Erased(tombstone) => return Ok(tombstone),
        };
        let left = Tombstone {
            media_type: body.media_type,
            bytes: body.bytes.len() as u64,
            digest,
            erased_at: Timestamp::default(),
        };
        let erase = EraseContent {
            caller,
            content_ref,
            place,
            left,
        };
        Ok(self.call(erase).await?)
    }

    /// Returns a stored body as the content of a message to be sent.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when it is not stored in this pool, or not the caller's to name:
    /// both look alike. A member names what was stored for it, what it has sent or received, and what
    /// an operator stored for nobody. One that was erased is returned: a message that was sent with it
    /// can be repeated, and no other is accepted.
    pub async fn stored(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<Content, BodyError> {
        let ask = ReferenceAccess {
            caller,
            content_ref,
            minter: self.shared().environment.minter.clone(),
        };
        let first = self.call(ask).await?;
        let (_, found) = self.find(content_ref, first).await?;
        let (bytes, erased_at) = match &found {
            Stored::Kept(content) => (content.body.bytes.len() as u64, None),
            Stored::Erased(tombstone) => (tombstone.bytes, Some(tombstone.erased_at)),
        };
        Ok(Content::Stored {
            content_ref,
            media_type: found.media_type().to_string(),
            bytes,
            digest: found.digest(),
            erased_at,
        })
    }

    /// Looks for a body with the first message that refers to it, and by itself.
    async fn find(
        &self,
        content_ref: ContentRef,
        first: Option<Position>,
    ) -> Result<(ContentPlace, Stored), BodyError> {
        let with = first.map(ContentPlace::With);
        for place in with.into_iter().chain([ContentPlace::Alone]) {
            if let Some(found) = self.content(content_ref, place).await? {
                return Ok((place, found));
            }
        }
        Err(Rejection::ContentMissing.into())
    }

    pub(super) async fn content(
        &self,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        let shared = self.shared();
        shared
            .environment
            .store
            .contents
            .get(&shared.pool, content_ref, place)
            .await
    }
}

/// Returns a body that was not erased.
fn kept(stored: Stored) -> Result<StoredContent, Rejection> {
    match stored {
        Stored::Kept(content) => Ok(content),
        Stored::Erased(tombstone) => Err(Rejection::ContentErased {
            erased_at: tombstone.erased_at,
        }),
    }
}
