//! A store that breaks one rule of its ports.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use heronry_journal::Baseline;
use heronry_store::{
    AppendError, Checkpoint, Commit, ContentPack, ContentPlace, ContentsLayer, CustodyLayer,
    FencingToken, Guard, Head, JournalLayer, KeyedEntry, KeysLayer, Layer, Layered, LeaseError,
    LeasesLayer, Page, ReadError, Store, StoreError, Stored,
};
use heronry_testkit::sample;
use heronry_types::{Body, ContentRef, Millis, PoolId, Position, Timestamp};

use super::lies::Lie;

/// A store that breaks one rule.
pub(super) struct Liar {
    pub(super) inner: Store,
    pub(super) lie: Lie,
    memory: Mutex<Memory>,
}

/// The facts that the liar has seen.
#[derive(Default)]
struct Memory {
    tokens: HashMap<PoolId, FencingToken>,
    heads: HashMap<PoolId, Head>,
    checkpoints: HashMap<PoolId, Checkpoint>,
}

/// Puts a liar before a store.
pub(crate) fn lying(inner: Store, lie: Lie) -> Store {
    Store::of(Arc::new(Layered(Liar {
        inner,
        lie,
        memory: Mutex::default(),
    })))
}

impl Layer for Liar {
    fn inner(&self) -> &Store {
        &self.inner
    }
}

impl CustodyLayer for Liar {}

impl Liar {
    pub(super) fn is(&self, lie: Lie) -> bool {
        self.lie == lie
    }

    async fn unsealed(&self) {
        if self.is(Lie::IgnoresTheSeal) {
            let _ = self.inner.custody.unseal().await;
        }
    }

    /// Returns the token that is right, whatever was shown.
    fn token(&self, pool: &PoolId, shown: FencingToken) -> FencingToken {
        let known = self.memory.lock().unwrap().tokens.get(pool).copied();
        known
            .filter(|_| self.is(Lie::IgnoresTheToken))
            .unwrap_or(shown)
    }

    /// Remembers a token, and returns the one that is handed out.
    fn handed_out(&self, pool: &PoolId, token: FencingToken) -> FencingToken {
        let before = self
            .memory
            .lock()
            .unwrap()
            .tokens
            .insert(pool.clone(), token);
        before
            .filter(|_| self.is(Lie::GivesATokenTwice))
            .unwrap_or(token)
    }
}

#[async_trait]
impl JournalLayer for Liar {
    async fn append(
        &self,
        pool: &PoolId,
        mut commit: Commit,
        mut guard: Guard,
    ) -> Result<Head, AppendError> {
        self.unsealed().await;
        let before = self.inner.journal.head(pool).await;
        let before = before.map_err(|error| AppendError::Store {
            outcome: heronry_store::CommitOutcome::None,
            error,
        })?;
        guard.token = self.token(pool, guard.token);
        if self.is(Lie::IgnoresTheHead) {
            guard.expected_head = before.map_or(Position::ZERO, |head| head.head);
        }
        if self.is(Lie::DropsAChunk) {
            commit.chunks.truncate(1);
        }
        if self.is(Lie::LosesABody) {
            commit.contents.pop();
        }
        if self.is(Lie::KeepsWhatIsErased) {
            commit.erasures.clear();
        }
        let head = self.inner.journal.append(pool, commit, guard).await?;
        if let Some(before) = before {
            self.memory
                .lock()
                .unwrap()
                .heads
                .insert(pool.clone(), before);
        }
        Ok(head)
    }

    async fn delete(&self, pool: &PoolId, token: FencingToken) -> Result<(), AppendError> {
        if self.is(Lie::KeepsADeletedPool) {
            return Ok(());
        }
        let token = self.token(pool, token);
        self.inner.journal.delete(pool, token).await
    }

    async fn read(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Page, ReadError> {
        let journal = &self.inner.journal;
        let mut page = match self.lie {
            Lie::ReadsFromOneBefore if after.0 > 1 => {
                journal.read(pool, after.previous(), bytes_max).await?
            }
            Lie::IgnoresTheLimit => journal.read(pool, after, usize::MAX).await?,
            _ => journal.read(pool, after, bytes_max).await?,
        };
        let bytes: usize = page.chunks.iter().map(|chunk| chunk.bytes().len()).sum();
        match self.lie {
            Lie::MakesEmptyPages if bytes > bytes_max => page.chunks.clear(),
            Lie::SwapsChunks if page.chunks.len() > 2 => page.chunks.swap(1, 2),
            Lie::ReadsFromTheNextChunk => page.chunks.retain(|chunk| chunk.first() > after),
            _ => {}
        }
        Ok(page)
    }

    async fn head(&self, pool: &PoolId) -> Result<Option<Head>, StoreError> {
        let head = self.inner.journal.head(pool).await?;
        let old = self.memory.lock().unwrap().heads.get(pool).copied();
        Ok(match (self.lie, head, old) {
            (Lie::ShowsTheOldHead, Some(_), Some(old)) => Some(old),
            (Lie::ShowsTheOldFloor, Some(head), Some(old)) => Some(Head {
                floor: old.floor,
                ..head
            }),
            _ => head,
        })
    }

    async fn pools(&self) -> Result<Vec<PoolId>, StoreError> {
        let mut pools = self.inner.journal.pools().await?;
        if self.is(Lie::ListsWhatIsNotThere) {
            pools.extend(self.memory.lock().unwrap().tokens.keys().cloned());
            pools.sort();
            pools.dedup();
        }
        Ok(pools)
    }

    async fn trim(
        &self,
        pool: &PoolId,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Head, AppendError> {
        self.unsealed().await;
        let token = self.token(pool, token);
        let journal = &*self.inner.journal;
        if self.is(Lie::TrimsOneTooMany) {
            let mut more = baseline.floor();
            let head = journal.head(pool).await.ok().flatten();
            // The next chunk goes, too.
            while let Ok(other) = sample::baseline(journal, pool, more).await
                && other.floor() <= baseline.floor()
                && head.is_some_and(|head| more < head.head)
            {
                more = more.next();
            }
            return sample::trim(journal, pool, more, token).await;
        }
        journal.trim(pool, baseline, token).await
    }

    async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        if self.is(Lie::RingsAtOnce) {
            return Ok(());
        }
        self.inner.journal.watch(pool, after).await
    }
}

#[async_trait]
impl ContentsLayer for Liar {
    async fn put(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        body: Body,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        self.unsealed().await;
        let token = self.token(pool, token);
        let body = if self.is(Lie::LosesABodyByItself) {
            Body::text("something else")
        } else {
            body
        };
        self.inner
            .contents
            .put(pool, content_ref, body, token)
            .await
    }

    async fn get(
        &self,
        pool: &PoolId,
        content_ref: ContentRef,
        place: ContentPlace,
    ) -> Result<Option<Stored>, StoreError> {
        let contents = &self.inner.contents;
        let found = contents.get(pool, content_ref, place).await?;
        match (self.lie, place, found) {
            (Lie::FindsABodyNextDoor, ContentPlace::With(at), None) => {
                let place = ContentPlace::With(at.next());
                contents.get(pool, content_ref, place).await
            }
            (_, _, found) => Ok(found),
        }
    }

    async fn list_with(
        &self,
        pool: &PoolId,
        after: Position,
        bytes_max: usize,
    ) -> Result<Vec<ContentPack>, StoreError> {
        let one = u64::from(self.is(Lie::ListsFromOneBefore));
        let after = Position(after.0.saturating_sub(one));
        self.inner.contents.list_with(pool, after, bytes_max).await
    }
}

#[async_trait]
impl LeasesLayer for Liar {
    async fn acquire(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        self.unsealed().await;
        let token = if self.is(Lie::GivesAwayWhatIsOwned) {
            self.inner.leases.seize(pool, owner, now, term).await?
        } else {
            self.inner.leases.acquire(pool, owner, now, term).await?
        };
        Ok(self.handed_out(pool, token))
    }

    async fn seize(
        &self,
        pool: &PoolId,
        owner: &str,
        now: Timestamp,
        term: Millis,
    ) -> Result<FencingToken, LeaseError> {
        let token = self.inner.leases.seize(pool, owner, now, term).await?;
        Ok(self.handed_out(pool, token))
    }
}

#[async_trait]
impl KeysLayer for Liar {
    async fn put_run(
        &self,
        pool: &PoolId,
        mut run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError> {
        if self.is(Lie::LosesAKey) {
            run.pop();
        }
        let kept = *self
            .memory
            .lock()
            .unwrap()
            .checkpoints
            .entry(pool.clone())
            .or_insert(checkpoint);
        let checkpoint = if self.is(Lie::KeepsTheCheckpoint) {
            kept
        } else {
            checkpoint
        };
        self.inner.keys.put_run(pool, run, checkpoint, token).await
    }

    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError> {
        if self.is(Lie::ClearsNoKeys) {
            return Ok(());
        }
        self.inner.keys.clear(pool).await
    }
}
