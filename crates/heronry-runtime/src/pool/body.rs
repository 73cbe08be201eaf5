//! Bodies: stored before a message refers to them, or fetched by who may see them.

use heronry_pool::{
    Caller, Rejection,
    decide::{AdmitBody, Content, ContentAccess},
};
use heronry_store::{ContentPlace, StoreError, StoredContent};
use heronry_types::{Body, ContentRef, IdempotencyKey, RunId};

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

/// Under which key a body is stored.
#[derive(Clone, Debug)]
pub struct ContentScope {
    /// Whose key it is; an operator may store a body for no run.
    pub run: Option<RunId>,
    /// The key.
    pub key: IdempotencyKey,
}

/// A body that was stored under a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StoredOnce {
    /// Its reference.
    pub content_ref: ContentRef,
    /// Whether it was there before.
    pub repeated: bool,
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

    /// Stores a body by itself under a key: a repeat returns the same reference, and stores nothing.
    ///
    /// # Errors
    /// [`Rejection::ContentConflict`] when the run has stored another body under the key, and those
    /// of [`store_body`](Self::store_body).
    pub async fn store_body_once(
        &self,
        caller: Caller,
        scope: ContentScope,
        body: Body,
    ) -> Result<StoredOnce, BodyError> {
        let shared = self.shared();
        let ContentScope { run, key } = scope;
        let minter = &shared.environment.minter;
        let content_ref = minter.content_ref(self.epoch(), run.as_ref(), &key);
        let bytes = body.bytes.len() as u64;
        self.call(AdmitBody { caller, bytes }).await?;
        let before = self.content(content_ref, ContentPlace::Alone).await?;
        let repeated = before.is_some();
        let stored = if let Some(stored) = before {
            stored
        } else {
            let contents = &shared.environment.store.contents;
            let token = shared.token;
            contents
                .put(&shared.pool, content_ref, body.clone(), token)
                .await?;
            // Of two that come at once the first one stays.
            let stored = self.content(content_ref, ContentPlace::Alone).await?;
            stored.ok_or(Rejection::ContentMissing)?
        };
        if stored.body != body {
            return Err(Rejection::ContentConflict.into());
        }
        Ok(StoredOnce {
            content_ref,
            repeated,
        })
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
