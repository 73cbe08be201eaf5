//! Storing bodies by themselves, before a message refers to them.

mod permits;

use std::panic::resume_unwind;

use heronry_pool::{
    Caller, Done, Rejection,
    decide::{AdmitBody, ContentShare, StoreContent},
};
use heronry_store::{CommitOutcome, ContentPlace, StoreError, Stored, StoredContent};
use heronry_types::{
    Body, ContentRef, Cursor, Digest, IdempotencyKey, MediaType, Position, RunId, Timestamp,
};
use tokio::{runtime::Handle, task::JoinError};

use super::{
    Pool,
    body::{BodyError, BodyRequest},
};
use crate::{
    CallError, Party, Permit, StopReason,
    bulk::{BulkPiece, BulkRequest},
};

pub(crate) use permits::{BYTES_SMALL, BodyPermits};

/// The idempotency key under which a body is stored, and the run whose key it is.
#[derive(Clone, Debug)]
pub struct ContentScope {
    /// The run whose key it is; `None` when an operator stores a body for no run.
    pub run: Option<RunId>,
    /// The key.
    pub key: IdempotencyKey,
}

/// A body that was stored by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StoredBody {
    /// Its reference.
    pub content_ref: ContentRef,
    /// The cursor of the record that says that the body is stored; for a repeat that recorded
    /// nothing, the head.
    pub cursor: Cursor,
    /// True when the body was there before; always false without a key.
    pub repeated: bool,
    /// The time at which the body was erased. A repeat of an erased body stores nothing.
    pub erased_at: Option<Timestamp>,
}

/// The source of a body's reference.
#[derive(Clone, Copy, Debug)]
enum Reference {
    /// The reference was drawn, and nobody else knows of it.
    Drawn,
    /// The reference follows from a key, under which others may store at the same time.
    OfKey,
}

/// A body that is about to be stored.
struct Storing {
    caller: Caller,
    run: Option<RunId>,
    content_ref: ContentRef,
    reference: Reference,
    body: Body,
    digest: Digest,
}

/// The content found in the store, and the pool's position when the search began.
struct FoundContent {
    stored: Option<Stored>,
    at: Position,
}

impl Storing {
    fn new(
        caller: Caller,
        run: Option<RunId>,
        (content_ref, reference): (ContentRef, Reference),
        body: Body,
    ) -> Self {
        let digest = StoredContent::of(body.clone()).digest;
        Self {
            caller,
            run,
            content_ref,
            reference,
            body,
            digest,
        }
    }

    fn bytes(&self) -> u64 {
        self.body.bytes.len() as u64
    }

    fn admission(&self, share: ContentShare) -> AdmitBody {
        AdmitBody {
            caller: self.caller.clone(),
            media_type: MediaType(self.body.media_type.clone()),
            bytes: self.bytes(),
            share,
        }
    }

    fn record(&self, seen_at: Option<Position>) -> StoreContent {
        StoreContent {
            caller: self.caller.clone(),
            run: self.run.clone(),
            content_ref: self.content_ref,
            digest: self.digest,
            media_type: MediaType(self.body.media_type.clone()),
            bytes: self.bytes(),
            seen_at,
        }
    }

    /// Checks that what was found is this body, and returns when it was erased.
    fn check_same(&self, found: &Stored) -> Result<Option<Timestamp>, Rejection> {
        let (same, erased_at) = match found {
            Stored::Kept(found) => (found.body == self.body, None),
            Stored::Erased(left) => {
                let same = (&left.media_type, left.digest) == (&self.body.media_type, self.digest);
                (same, Some(left.erased_at))
            }
        };
        same.then_some(erased_at).ok_or(Rejection::ContentConflict)
    }

    fn stored(&self, done: Done) -> StoredBody {
        StoredBody {
            content_ref: self.content_ref,
            cursor: done.cursor,
            repeated: false,
            erased_at: None,
        }
    }
}

impl Pool {
    /// Stores a body by itself. Until a message names the body, it counts in the share of the
    /// caller that stored it, and it expires.
    ///
    /// # Errors
    /// [`Rejection::Limit`] when the body is larger than the pool takes, or when other bodies that
    /// no message names leave no room for it: then nothing is stored. Or the store's failure.
    pub async fn store_body(&self, caller: Caller, body: Body) -> Result<StoredBody, BodyError> {
        let environment = &self.shared().environment;
        let run = match &caller {
            Caller::Member { run, .. } => Some(run.clone()),
            Caller::Operator => None,
        };
        let drawn = environment.ids.draw();
        let content_ref = environment.minter.signed_ref(drawn, run.as_ref());
        let storing = Storing::new(caller, run, (content_ref, Reference::Drawn), body);
        self.store_new(storing).await
    }

    /// Stores a body by itself under a key: a repeat returns the same reference, and stores nothing.
    ///
    /// A member acts as its own run. An equal repeat of its request is answered even when the
    /// joining has ended since.
    ///
    /// # Errors
    /// [`Rejection::SenderMismatch`] when a member names another run,
    /// [`Rejection::ContentConflict`] when the run has stored another body under the key, and those of
    /// [`store_body`](Self::store_body).
    pub async fn store_body_once(
        &self,
        caller: Caller,
        scope: ContentScope,
        body: Body,
    ) -> Result<StoredBody, BodyError> {
        let ContentScope { run, key } = scope;
        if let Caller::Member { run: own, .. } = &caller
            && run.as_ref() != Some(own)
        {
            return Err(Rejection::SenderMismatch.into());
        }
        let minter = &self.shared().environment.minter;
        let fresh = minter.content_ref(self.epoch(), run.as_ref(), &key);
        let earlier = minter.earlier_content_ref(self.epoch(), run.as_ref(), &key);
        let mut storing = Storing::new(caller, run, (fresh, Reference::OfKey), body);
        // What an earlier build stored keeps its reference.
        for content_ref in [fresh, earlier] {
            storing.content_ref = content_ref;
            let seen = self.look(&storing).await?;
            if seen.stored.is_some() {
                // It is answered to any generation of the run, and after its end.
                let stored = self.record(&storing, seen).await?;
                let repeated = true;
                return Ok(StoredBody { repeated, ..stored });
            }
        }
        storing.content_ref = fresh;
        self.store_new(storing).await
    }

    /// Stores a body that is not there, and records it. Once it is being put, it gets its record
    /// whether or not somebody waits for that: nothing stays in the store that no share counts.
    async fn store_new(&self, storing: Storing) -> Result<StoredBody, BodyError> {
        let shared = self.shared();
        let entered = shared.storing.enter(storing.run.as_ref(), storing.bytes());
        let share = entered.share().clone();
        self.call(storing.admission(share)).await?;
        let party = Party::of(self.id(), &storing.caller);
        let waits = shared.environment.body_permits.of(storing.bytes()).cloned();
        let (pool, handle) = (self.clone(), Handle::current());
        let to_the_end = move |permit: Option<Permit>| {
            handle.spawn(async move {
                let _entered = entered;
                pool.put_and_record(&storing, permit).await
            })
        };
        let to_the_end = match waits {
            Some(permits) => {
                let begin = move |permit| to_the_end(Some(permit));
                permits.begin(&party, begin).await
            }
            None => to_the_end(None),
        };
        match to_the_end.await.map_err(JoinError::try_into_panic) {
            Ok(stored) => stored,
            Err(Ok(panic)) => resume_unwind(panic),
            Err(Err(_)) => Err(BodyError::Call(CallError::Stopped {
                outcome: CommitOutcome::Unknown,
                why: StopReason::Shutdown,
            })),
        }
    }

    async fn put_and_record(
        &self,
        storing: &Storing,
        permit: Option<Permit>,
    ) -> Result<StoredBody, BodyError> {
        // A large one, as anything else that is bulk, waits for its share while others ask for little.
        let piece = match &permit {
            Some(_) => Some(self.share_of(storing).await),
            None => None,
        };
        // A pool that stopped meanwhile records nothing any more.
        if let Some(why) = self.shared().queue.closed_by() {
            let outcome = CommitOutcome::None;
            return Err(BodyError::Call(CallError::Stopped { outcome, why }));
        }
        let put = self.put(storing, permit).await;
        drop(piece);
        put?;
        match storing.reference {
            Reference::Drawn => self.record_drawn(storing).await,
            // Of two that come at once the first one stays.
            Reference::OfKey => {
                let seen = self.look(storing).await?;
                self.record(storing, seen).await
            }
        }
    }

    async fn share_of(&self, storing: &Storing) -> BulkPiece {
        let request = BulkRequest {
            party: Party::of(self.id(), &storing.caller),
            weight: storing.bytes(),
        };
        self.shared().environment.bulk.turn(&request).await
    }

    async fn put(&self, storing: &Storing, permit: Option<Permit>) -> Result<(), StoreError> {
        let (pool, content_ref) = (self.clone(), storing.content_ref);
        let body = storing.body.clone();
        let put = async move {
            let shared = pool.shared();
            let contents = &shared.environment.store.contents;
            contents
                .put(&shared.pool, content_ref, body, shared.token)
                .await
        };
        let Some(permit) = permit else {
            return put.await;
        };
        let handle = Handle::current();
        permit.run(move || handle.block_on(put)).await
    }

    /// Looks for a body that was stored by itself.
    async fn look(&self, storing: &Storing) -> Result<FoundContent, StoreError> {
        let at = self.head().position;
        let party = Party::of(self.id(), &storing.caller);
        let asked = BodyRequest::of_unknown_size(storing.content_ref, ContentPlace::Alone);
        let stored = self.content(&party, asked).await?;
        Ok(FoundContent { stored, at })
    }

    /// Records a body of which nobody else knows, so that nobody can have erased it.
    async fn record_drawn(&self, storing: &Storing) -> Result<StoredBody, BodyError> {
        let recorded = self.call(storing.record(None)).await?;
        let done = recorded.ok_or(Rejection::ContentMissing)?;
        Ok(storing.stored(done))
    }

    /// Records a body that was seen in the store, unless that is known; looks again as often as
    /// another body is erased meanwhile.
    async fn record(
        &self,
        storing: &Storing,
        mut seen: FoundContent,
    ) -> Result<StoredBody, BodyError> {
        loop {
            let found = seen.stored.ok_or(Rejection::ContentMissing)?;
            if let Some(erased_at) = storing.check_same(&found)? {
                return Ok(StoredBody {
                    content_ref: storing.content_ref,
                    cursor: self.head(),
                    repeated: false,
                    erased_at: Some(erased_at),
                });
            }
            if let Some(done) = self.call(storing.record(Some(seen.at))).await? {
                return Ok(storing.stored(done));
            }
            seen = self.look(storing).await?;
        }
    }
}
