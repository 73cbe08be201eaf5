//! Bodies: stored before a message refers to them, or fetched by who may see them.

use heronry_pool::{
    Caller, Rejection,
    decide::{AdmitBody, Content, ContentAccess, EraseContent, ErasureAccess},
};
use heronry_store::{ContentPlace, StoreError, Stored, StoredContent, Tombstone};
use heronry_types::{Body, ContentRef, IdempotencyKey, Position, RunId, Timestamp};

use tokio::runtime::Handle;

use super::Pool;
use crate::{CallError, Party};

/// Bodies of at most so many bytes are stored as they come.
const BYTES_SMALL: usize = 16 * 1024;

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
    /// When it was erased since; a repeat stores nothing.
    pub erased_at: Option<Timestamp>,
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

    /// Stores a body by itself and returns its reference.
    ///
    /// # Errors
    /// [`Rejection::Limit`] when it is larger than the pool takes, or the store's failure.
    pub async fn store_body(&self, caller: Caller, body: Body) -> Result<ContentRef, BodyError> {
        let environment = &self.shared().environment;
        let run = match &caller {
            Caller::Member { run, .. } => Some(run),
            Caller::Operator => None,
        };
        let content_ref = environment.minter.signed_ref(environment.ids.draw(), run);
        let bytes = body.bytes.len() as u64;
        let party = Party::of(self.id(), &caller);
        self.call(AdmitBody { caller, bytes }).await?;
        self.put(&party, content_ref, body).await?;
        Ok(content_ref)
    }

    /// Stores a body by itself under a key: a repeat returns the same reference, and stores nothing.
    ///
    /// A member acts as its own run. Its equal repeat is answered whatever became of the joining since.
    ///
    /// # Errors
    /// [`Rejection::SenderMismatch`] when a member names another run, [`Rejection::ContentConflict`]
    /// when the run has stored another body under the key, and those of
    /// [`store_body`](Self::store_body).
    pub async fn store_body_once(
        &self,
        caller: Caller,
        scope: ContentScope,
        body: Body,
    ) -> Result<StoredOnce, BodyError> {
        let shared = self.shared();
        let ContentScope { run, key } = scope;
        if let Caller::Member { run: own, .. } = &caller
            && run.as_ref() != Some(own)
        {
            return Err(Rejection::SenderMismatch.into());
        }
        let minter = &shared.environment.minter;
        let (epoch, run, alone) = (self.epoch(), run.as_ref(), ContentPlace::Alone);
        let fresh = minter.content_ref(epoch, run, &key);
        let (mut content_ref, mut before) = (fresh, self.content(fresh, alone).await?);
        if before.is_none() {
            // What an earlier build stored keeps its reference.
            let earlier = minter.earlier_content_ref(epoch, run, &key);
            before = self.content(earlier, alone).await?;
            content_ref = before.as_ref().map_or(fresh, |_| earlier);
        }
        let repeated = before.is_some();
        let stored = if let Some(stored) = before {
            // A repeat is answered as a read, to any generation of the run, and after its end.
            stored
        } else {
            let bytes = body.bytes.len() as u64;
            let party = Party::of(self.id(), &caller);
            self.call(AdmitBody { caller, bytes }).await?;
            self.put(&party, content_ref, body.clone()).await?;
            // Of two that come at once the first one stays.
            let stored = self.content(content_ref, alone).await?;
            stored.ok_or(Rejection::ContentMissing)?
        };
        let (same, erased_at) = match &stored {
            Stored::Kept(stored) => (stored.body == body, None),
            Stored::Erased(tombstone) => {
                let digest = StoredContent::of(body.clone()).digest;
                let same = (&tombstone.media_type, tombstone.digest) == (&body.media_type, digest);
                (same, Some(tombstone.erased_at))
            }
        };
        if !same {
            return Err(Rejection::ContentConflict.into());
        }
        Ok(StoredOnce {
            content_ref,
            repeated,
            erased_at,
        })
    }

    /// Returns a stored body as the content of a message to be sent.
    ///
    /// # Errors
    /// [`Rejection::ContentMissing`] when it is not stored in this pool. One that was erased is
    /// returned: a message that was sent with it can be repeated, and no other is accepted.
    pub async fn stored(
        &self,
        caller: Caller,
        content_ref: ContentRef,
    ) -> Result<Content, BodyError> {
        let alone = self.content(content_ref, ContentPlace::Alone).await?;
        let found = if let Some(found) = alone {
            found
        } else {
            let ask = ContentAccess {
                caller,
                content_ref,
            };
            let first = self.call(ask).await?;
            self.find(content_ref, first).await?.1
        };
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

    /// Stores a body by itself: large ones one after the other, so that those of many calls never ride in one
    /// transaction, which the appends beside them would wait for.
    async fn put(
        &self,
        party: &Party,
        content_ref: ContentRef,
        body: Body,
    ) -> Result<(), StoreError> {
        let (pool, bytes) = (self.clone(), body.bytes.len());
        let put = async move {
            let shared = pool.shared();
            let contents = &shared.environment.store.contents;
            contents
                .put(&shared.pool, content_ref, body, shared.token)
                .await
        };
        if bytes <= BYTES_SMALL {
            return put.await;
        }
        let permit = self.shared().environment.storing.permit(party).await;
        let handle = Handle::current();
        permit.run(move || handle.block_on(put)).await
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

    async fn content(
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
