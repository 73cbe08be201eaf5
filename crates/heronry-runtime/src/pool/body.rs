//! Bodies: stored before a message refers to them, or fetched by who may see them.

use heronry_pool::{
    Caller, Rejection,
    decide::{AdmitBody, Content, ContentAccess},
};
use heronry_store::{ContentPlace, StoreError, StoredContent};
use heronry_types::{Body, ContentRef};

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
    /// [`Rejection::ContentMissing`] when it is not there or not for this caller: both look alike.
    pub async fn body(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<StoredContent, BodyError> {
        let ask = ContentAccess {
            caller,
            content_ref,
        };
        let with = self.call(ask).await?.map(ContentPlace::With);
        for place in with.into_iter().chain([ContentPlace::Alone]) {
            if let Some(found) = self.content(content_ref, place).await? {
                return Ok(found);
            }
        }
        Err(Rejection::ContentMissing.into())
    }

    /// Stores a body by itself and returns its reference.
    ///
    /// # Errors
    /// [`Rejection::Limit`] when it is larger than the pool takes, or the store's failure.
    pub async fn store_body(&self, caller: Caller, body: Body) -> Result<ContentRef, BodyError> {
        let content_ref = ContentRef::from_bits(self.shared().environment.ids.draw());
        let bytes = body.bytes.len() as u64;
        self.call(AdmitBody { caller, bytes }).await?;
        let token = self.shared().token;
        let contents = &self.shared().environment.store.contents;
        contents
            .put(&self.shared().pool, content_ref, body, token)
            .await?;
        Ok(content_ref)
    }

    /// Returns a stored body as the content of a message to be sent.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when it is not stored in this pool.
    pub async fn stored(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<Content, BodyError> {
        let found = match self.content(content_ref, ContentPlace::Alone).await? {
            Some(found) => found,
            None => self.body(caller, content_ref).await?,
        };
        Ok(Content::Stored {
            content_ref,
            media_type: found.body.media_type.to_string(),
            bytes: found.body.bytes.len() as u64,
            digest: found.digest,
        })
    }

    async fn content(
        &self,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<StoredContent>, StoreError> {
        let shared = self.shared();
        shared
            .environment
            .store
            .contents
            .get(&shared.pool, content_ref, place)
            .await
    }
}
