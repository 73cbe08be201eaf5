//! The promises of a store, written down as plainly as possible.

use std::collections::BTreeMap;

use heronry_journal::Chunk;
use heronry_store::{
    Arrival, Checkpoint, Commit, ConsumerCursor, ConsumerId, ContentPack, ContentPlace, Erasure,
    Guard, Head, KeyEntry, KeyHash, KeyedEntry, NewContent, Snapshot, Stored, Timeline,
};
use heronry_types::{ContentRef, PoolId, Position};

use super::ops::By;

/// All pools of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) pools: BTreeMap<PoolId, Pool>,
    pub(crate) moved_to: Option<String>,
}

/// The owner of a pool.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Owner {
    /// Nobody now; the last token is good.
    #[default]
    Nobody,
    /// The holder of the last token.
    Somebody,
    /// Nobody since it was deleted: no token is good.
    NobodySinceDeleted,
}

/// One pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool {
    /// The last token that was given; 0 before the first.
    pub(crate) token: u64,
    pub(crate) owner: Owner,
    /// The chunks that are kept.
    pub(crate) chunks: Vec<Chunk>,
    /// The completeness of the pool: more of it may have to arrive before anybody sees it.
    pub(crate) arrival: Arrival,
    pub(crate) packs: Vec<ContentPack>,
    pub(crate) alone: BTreeMap<ContentRef, Stored>,
    pub(crate) keys: BTreeMap<KeyHash, KeyEntry>,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// The ends of chunks, those that are gone included.
    pub(crate) ends: Vec<Checkpoint>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) consumers: BTreeMap<ConsumerId, ConsumerCursor>,
}

/// The end of an operation; a refusal is named in a few words.
pub(crate) type OpEnd<T> = Result<T, String>;

impl Model {
    /// Returns the pools that are seen.
    pub(crate) fn names(&self) -> Vec<PoolId> {
        let seen = self.pools.iter().filter(|(_, pool)| pool.head().is_some());
        seen.map(|(name, _)| name.clone()).collect()
    }

    fn check_unsealed(&self) -> OpEnd<()> {
        match self.moved_to {
            Some(_) => Err("sealed".to_owned()),
            None => Ok(()),
        }
    }

    pub(crate) fn append(&mut self, name: &PoolId, commit: Commit, guard: Guard) -> OpEnd<Head> {
        self.check_unsealed()?;
        self.pools
            .entry(name.clone())
            .or_default()
            .append(commit, guard)
    }

    pub(crate) fn trim(&mut self, name: &PoolId, before: Position, token: u64) -> OpEnd<Head> {
        self.check_unsealed()?;
        let pool = self.pools.entry(name.clone()).or_default();
        pool.check_token(token)?;
        if pool.head().is_none() {
            return Err("not found".to_owned());
        }
        while pool.chunks.len() > 1 && pool.chunks[0].last() < before {
            pool.chunks.remove(0);
        }
        Ok(pool.head().unwrap())
    }

    pub(crate) fn delete(&mut self, name: &PoolId, token: u64) -> OpEnd<()> {
        self.check_unsealed()?;
        let pool = self.pools.entry(name.clone()).or_default();
        pool.check_token(token)?;
        // What has arrived of a new pool is deleted, too.
        if pool.end().is_none() {
            return Err("not found".to_owned());
        }
        *pool = Pool {
            token: pool.token,
            owner: Owner::NobodySinceDeleted,
            ..Pool::default()
        };
        Ok(())
    }

    /// Says whether a pool can be owned now.
    pub(crate) fn may_own(&self, name: &PoolId, by: By) -> OpEnd<()> {
        self.check_unsealed()?;
        match self.pools.get(name) {
            Some(pool) if pool.owner == Owner::Somebody && by == By::Asking => {
                Err("owned".to_owned())
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn put(&mut self, name: &PoolId, content: NewContent, token: u64) -> OpEnd<()> {
        self.check_unsealed()?;
        let pool = self.pools.entry(name.clone()).or_default();
        pool.check_token(token).map_err(|_| "closed".to_owned())?;
        pool.alone
            .entry(content.content_ref)
            .or_insert(content.stored);
        Ok(())
    }

    pub(crate) fn put_keys(
        &mut self,
        name: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: u64,
    ) -> OpEnd<()> {
        self.check_unsealed()?;
        let pool = self.pools.entry(name.clone()).or_default();
        pool.check_token(token).map_err(|_| "closed".to_owned())?;
        let keys = run.into_iter().map(|named| (named.key, named.entry));
        pool.keys.extend(keys);
        pool.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// Says why a snapshot is not taken, whichever is found first.
    pub(crate) fn refuse_snapshot(&self, name: &PoolId, at: Checkpoint, token: u64) -> Vec<String> {
        let pool = self.pools.get(name).cloned().unwrap_or_default();
        let mut why = self.refuse_token(name, token);
        if !pool.stands_on(at) {
            why.push("foreign".to_owned());
        }
        why
    }

    /// Says why a write with a token is not taken, whichever is found first.
    pub(crate) fn refuse_token(&self, name: &PoolId, token: u64) -> Vec<String> {
        let pool = self.pools.get(name).cloned().unwrap_or_default();
        let mut why = Vec::new();
        why.extend(self.check_unsealed().err());
        why.extend(pool.check_token(token).err().map(|_| "closed".to_owned()));
        why
    }

    /// Says why a consumer is not moved, whichever is found first.
    pub(crate) fn refuse_commit(
        &self,
        name: &PoolId,
        consumer: &ConsumerId,
        (expected, next): (Option<ConsumerCursor>, ConsumerCursor),
    ) -> Vec<String> {
        let pool = self.pools.get(name).cloned().unwrap_or_default();
        let mut why = Vec::new();
        why.extend(self.check_unsealed().err());
        match pool.head() {
            None => why.push("no pool".to_owned()),
            Some(head) if head.head < next.cursor.position => why.push("ahead".to_owned()),
            Some(_) => {}
        }
        if pool.consumers.get(consumer).copied() != expected {
            why.push("conflict".to_owned());
        }
        why
    }

    /// Nobody owns a pool after the store was closed, and keys may be gone.
    pub(crate) fn close(&mut self) {
        for pool in self.pools.values_mut() {
            if pool.owner == Owner::Somebody {
                pool.owner = Owner::Nobody;
            }
        }
    }
}

impl Pool {
    /// Returns where the journal stands, whether it is seen or not.
    pub(crate) fn end(&self) -> Option<Head> {
        let (first, last) = (self.chunks.first()?, self.chunks.last()?);
        Some(Head {
            epoch: last.header().epoch,
            head: last.last(),
            floor: first.first(),
            last_hash: last.hash(),
        })
    }

    /// Returns where the journal stands, once it is seen.
    pub(crate) fn head(&self) -> Option<Head> {
        self.end().filter(|_| self.arrival == Arrival::Whole)
    }

    pub(crate) fn check_token(&self, token: u64) -> OpEnd<()> {
        if token == self.token && token != 0 && self.owner != Owner::NobodySinceDeleted {
            return Ok(());
        }
        Err("fenced".to_owned())
    }

    fn append(&mut self, commit: Commit, guard: Guard) -> OpEnd<Head> {
        self.check_token(guard.token.0)?;
        let starts_over = self.arrival == Arrival::Part && guard.expected_head == Position::ZERO;
        let end = self.end().filter(|_| !starts_over);
        let found = end.map_or(Position::ZERO, |end| end.head);
        if guard.expected_head != found {
            return Err(format!("conflict at {found}"));
        }
        let discontinuous = || "discontinuous".to_owned();
        let starts = follows(end, &commit.chunks).ok_or_else(discontinuous)?;
        let is_said = commit.timeline == Timeline::Starts;
        let is_part = commit.arrival == Arrival::Part;
        if starts != is_said || (is_part && self.head().is_some()) {
            return Err(discontinuous());
        }
        if starts_over {
            self.chunks.clear();
            self.packs.clear();
            self.ends.clear();
        }
        self.ends
            .extend(commit.chunks.iter().map(|chunk| Checkpoint {
                epoch: chunk.header().epoch,
                position: chunk.last(),
                hash: chunk.hash(),
            }));
        self.chunks.extend(commit.chunks);
        self.arrival = commit.arrival;
        if !commit.contents.is_empty() {
            self.packs.push(ContentPack {
                first: found.next(),
                last: self.end().unwrap().head,
                contents: commit.contents,
            });
        }
        for erasure in commit.erasures {
            self.erase(erasure);
        }
        Ok(self.end().unwrap())
    }

    fn erase(&mut self, erasure: Erasure) {
        let left = Stored::Erased(erasure.tombstone);
        let found = match erasure.place {
            ContentPlace::Alone => {
                let alone = self.alone.entry(erasure.content_ref);
                Some(alone.or_insert_with(|| left.clone()))
            }
            ContentPlace::With(at) => self
                .packs
                .iter_mut()
                .filter(|pack| pack.first <= at && at <= pack.last)
                .flat_map(|pack| &mut pack.contents)
                .find(|content| content.content_ref == erasure.content_ref)
                .map(|content| &mut content.stored),
        };
        if let Some(found) = found.filter(|found| matches!(found, Stored::Kept(_))) {
            *found = left;
        }
    }

    /// Returns the chunks that a read returns.
    pub(crate) fn read(&self, after: Position, bytes_max: usize) -> OpEnd<Vec<Chunk>> {
        let head = self.head().ok_or("no pool")?;
        if after.next() < head.floor {
            return Err(format!("trimmed to {}", head.floor));
        }
        let following = self.chunks.iter().filter(|chunk| chunk.last() > after);
        Ok(up_to(following, bytes_max, |chunk| chunk.bytes().len()))
    }

    pub(crate) fn list_with(&self, after: Position, bytes_max: usize) -> Vec<ContentPack> {
        let packs = self.packs.iter().filter(|_| self.head().is_some());
        let following = packs.filter(|pack| pack.first > after);
        let bytes = |pack: &ContentPack| {
            pack.contents
                .iter()
                .map(|it| it.stored.stored_bytes())
                .sum()
        };
        up_to(following, bytes_max, bytes)
    }

    pub(crate) fn list_alone(
        &self,
        after: Option<ContentRef>,
        bytes_max: usize,
    ) -> Vec<NewContent> {
        let following = self
            .alone
            .iter()
            .filter(|(name, _)| after.is_none_or(|it| **name > it));
        let contents: Vec<_> = following
            .map(|(content_ref, body)| NewContent::of(*content_ref, body.clone()))
            .collect();
        up_to(contents.iter(), bytes_max, |content| {
            content.stored.stored_bytes()
        })
    }

    /// Says whether a chunk of the journal ends so, at or above the position before the floor.
    fn stands_on(&self, at: Checkpoint) -> bool {
        let floor = self.head().map(|head| head.floor);
        floor.is_some_and(|floor| at.position.next() >= floor) && self.ends.contains(&at)
    }

    /// Returns the snapshot, while the journal still reaches down to it.
    pub(crate) fn latest(&self) -> Option<Snapshot> {
        self.snapshot.clone().filter(|it| self.stands_on(it.at))
    }

    /// Returns the body that rides with the append that holds a position.
    pub(crate) fn with(&self, content_ref: ContentRef, at: Position) -> Option<Stored> {
        self.head()?;
        let mut packs = self.packs.iter();
        let pack = packs.find(|pack| pack.first <= at && at <= pack.last)?;
        let mut contents = pack.contents.iter();
        let found = contents.find(|content| content.content_ref == content_ref)?;
        Some(found.stored.clone())
    }
}

/// Returns whether a timeline starts in these chunks; nothing when they do not follow.
fn follows(end: Option<Head>, chunks: &[Chunk]) -> Option<bool> {
    let start = heronry_journal::ChunkHash::START;
    let mut at = end.map_or((Position::ZERO, start, None), |end| {
        (end.head, end.last_hash, Some(end.epoch))
    });
    let mut starts = false;
    for chunk in chunks {
        let header = chunk.header();
        if header.first != at.0.next() || header.previous != at.1 {
            return None;
        }
        let is_start = at.2.is_some_and(|epoch| epoch != header.epoch);
        if is_start {
            let first = chunk.record(header.first).ok()?;
            let heronry_journal::Body::EpochStarted(started) = first.entry.body else {
                return None;
            };
            if Some(started.previous) != at.2 {
                return None;
            }
        }
        starts |= is_start;
        at = (chunk.last(), chunk.hash(), Some(header.epoch));
    }
    (!chunks.is_empty()).then_some(starts)
}

/// Takes what fits, and at least one.
fn up_to<'a, T: Clone + 'a>(
    items: impl Iterator<Item = &'a T>,
    bytes_max: usize,
    bytes_of: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut taken = Vec::new();
    let mut bytes = 0_usize;
    for item in items {
        bytes = bytes.saturating_add(bytes_of(item));
        if bytes > bytes_max && !taken.is_empty() {
            break;
        }
        taken.push(item.clone());
    }
    taken
}
