//! Bodies: fetched by who may see them, sent, and erased.

use heronry_pool::{
    Caller, Rejection,
    decide::{Content, ContentAccess, EraseContent, ErasureAccess, FirstUse, ReferenceAccess},
};
use heronry_store::{ContentPlace, StoreError, Stored, StoredContent, Tombstone};
use heronry_types::{ContentRef, Position, Timestamp};
use tokio::runtime::Handle;

use super::{Pool, storing::BYTES_SMALL};
use crate::{CallError, Party};

/// The error of storing or fetching a body.
#[derive(Debug, thiserror::Error)]
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
        let party = Party::of(self.id(), &ask.caller);
        let first = self.call(ask).await?;
        let asked = BodyRequest::alone(content_ref, first);
        let accepted = first.map(|first| first.accepted);
        let (_, stored) = self.find(&party, asked, accepted).await?;
        Ok(kept(stored)?)
    }

    /// Erases a body: its bytes are gone from the store, and a tombstone keeps its digest, size and
    /// media type. A repeat returns the same tombstone, and records nothing.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when the body is not there or not the caller's to erase: both
    /// look alike. Its first sender, the run that stored it and an operator may erase it.
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
        let party = Party::of(self.id(), &caller);
        let accepted = self.call(ask).await?;
        let asked = BodyRequest::of_unknown_size(content_ref, ContentPlace::Alone);
        let (place, stored) = self.find(&party, asked, accepted).await?;
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
    /// [`Rejection::ContentMissing`] when the body is not stored in this pool, or not the caller's
    /// to name: both look alike. A member may name a body that was stored for it, that it has sent
    /// or received, or that an operator stored for nobody. An erased body is returned: a message
    /// that was sent with it can be repeated, and no other message with it is accepted.
    pub async fn stored(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<Content, BodyError> {
        let party = Party::of(self.id(), &caller);
        let ask = ReferenceAccess {
            caller,
            content_ref,
            minter: self.shared().environment.minter.clone(),
        };
        let first = self.call(ask).await?;
        let asked = BodyRequest::alone(content_ref, first);
        let accepted = first.map(|first| first.accepted);
        let (_, found) = self.find(&party, asked, accepted).await?;
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
        party: &Party,
        alone: BodyRequest,
        first: Option<Position>,
    ) -> Result<(ContentPlace, Stored), BodyError> {
        let with = first.map(ContentPlace::With);
        for place in with.into_iter().chain([alone.place]) {
            let asked = BodyRequest { place, ..alone };
            if let Some(found) = self.content(party, asked).await? {
                return Ok((place, found));
            }
        }
        Err(Rejection::ContentMissing.into())
    }

    /// Reads what stands under a reference: a small body where it is asked for, and every other beside
    /// the pools, with a permit.
    pub(super) async fn content(
        &self,
        party: &Party,
        asked: BodyRequest,
    ) -> Result<Option<Stored>, StoreError> {
        let pool = self.clone();
        let read = async move {
            let (
                shared,
                BodyRequest {
                    content_ref, place, ..
                },
            ) = (pool.shared(), asked);
            let contents = &shared.environment.store.contents;
            contents.get(&shared.pool, content_ref, place).await
        };
        if asked.bytes.is_some_and(|bytes| bytes <= BYTES_SMALL) {
            return read.await;
        }
        let handle = Handle::current();
        let read = move || handle.block_on(read);
        self.side_work().run(party, read).await
    }
}

/// A body that is to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyRequest {
    content_ref: ContentRef,
    place: ContentPlace,
    /// The size of the body in bytes, when it is known.
    bytes: Option<u64>,
}

impl BodyRequest {
    /// Returns a body that was stored by itself, of the size that the first message with it says.
    fn alone(content_ref: ContentRef, first: Option<FirstUse>) -> Self {
        Self {
            content_ref,
            place: ContentPlace::Alone,
            bytes: first.map(|first| first.bytes),
        }
    }

    /// Returns a body of which nobody knows how large it is.
    pub(super) fn of_unknown_size(content_ref: ContentRef, place: ContentPlace) -> Self {
        Self {
            content_ref,
            place,
            bytes: None,
        }
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
