//! One pool: its journal, its contents, and who owns it.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use heronry_journal::{Baseline, Chunk};
use heronry_store::{
    AppendError, Arrival, Commit, ConsumerCursor, ConsumerId, ContentPack, ContentPlace, Erasure,
    FencingToken, Guard, Head, NewContent, Ownership, Page, ReadError, Snapshot, Stored,
    StoredContent, Timeline, judge_append, judge_arrival, judge_baseline, timelines_after,
};
use heronry_types::{ContentRef, Position, Timelines};

use crate::projections::MemoryProjection;
use crate::segments::{Placed, Segments};

/// One pool: its journal, its contents, and who owns it.
#[derive(Debug)]
pub(crate) struct MemoryPool {
    pub(crate) ownership: Ownership,
    head: Option<Head>,
    timelines: Option<Arc<Timelines>>,
    arrival: Arrival,
    baseline: Option<Baseline>,
    chunks: Segments<Chunk>,
    packs: Segments<Pack>,
    alone: BTreeMap<ContentRef, Stored>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) consumers: BTreeMap<ConsumerId, ConsumerCursor>,
    pub(crate) projections: BTreeMap<ConsumerId, MemoryProjection>,
}

/// The contents of one commit, and which positions the commit covers.
#[derive(Debug)]
struct Pack {
    first: Position,
    last: Position,
    contents: Arc<[NewContent]>,
}

impl Placed for Chunk {
    fn first(&self) -> Position {
        self.header().first
    }
}

impl Placed for Pack {
    fn first(&self) -> Position {
        self.first
    }
}

impl MemoryPool {
    /// Returns a pool whose tokens rise above this one.
    pub(crate) fn new(last_token: FencingToken) -> Self {
        Self {
            ownership: Ownership::free(last_token),
            head: None,
            timelines: None,
            arrival: Arrival::Whole,
            baseline: None,
            chunks: Segments::new(),
            packs: Segments::new(),
            alone: BTreeMap::new(),
            snapshot: None,
            consumers: BTreeMap::new(),
            projections: BTreeMap::new(),
        }
    }

    /// Returns the head, once the pool is all there.
    pub(crate) fn head(&self) -> Option<Head> {
        match self.arrival {
            Arrival::Whole => self.head,
            Arrival::Part => None,
        }
    }

    /// Returns whether anything of the pool is there, seen or not.
    pub(crate) fn has_begun(&self) -> bool {
        self.head.is_some()
    }

    /// Returns the timelines, once the pool is all there.
    pub(crate) fn timelines(&self) -> Option<Arc<Timelines>> {
        match self.arrival {
            Arrival::Whole => self.timelines.clone(),
            Arrival::Part => None,
        }
    }

    pub(crate) fn append(&mut self, commit: Commit, guard: Guard) -> Result<Head, AppendError> {
        let starts_over = self.arrival == Arrival::Part && guard.expected_head == Position::ZERO;
        let before = self.head.filter(|_| !starts_over);
        let head = judge_append(&self.ownership, before, &commit, guard)?;
        judge_arrival(self.head(), &commit)?;
        if starts_over {
            self.chunks = Segments::new();
            self.packs = Segments::new();
        }
        if before.is_none() {
            self.baseline = commit.baseline.as_deref().cloned();
        }
        let is_same = before.is_some() && commit.timeline == Timeline::Continues;
        if !is_same || self.timelines.is_none() {
            let known = self.timelines.as_deref().filter(|_| before.is_some());
            self.timelines = Some(Arc::new(timelines_after(known, head, &commit)));
        }
        let first = commit.chunks.first().map(Chunk::first);
        if !commit.contents.is_empty() {
            self.packs.push(Pack {
                first: first.unwrap_or(head.head),
                last: head.head,
                contents: commit.contents.into(),
            });
        }
        for chunk in commit.chunks {
            self.chunks.push(chunk);
        }
        for erasure in commit.erasures {
            self.erase(erasure);
        }
        let consumers = commit.consumers.into_iter();
        self.consumers
            .extend(consumers.map(|it| (it.consumer, it.cursor)));
        self.head = Some(head);
        self.arrival = commit.arrival;
        Ok(head)
    }

    pub(crate) fn read(&self, after: Position, bytes_max: usize) -> Result<Page, ReadError> {
        let head = self.head().ok_or(ReadError::NoPool)?;
        if after < head.floor.previous() {
            return Err(ReadError::Trimmed {
                requested: after,
                floor: head.floor,
            });
        }
        let mut chunks = Vec::new();
        let mut bytes = 0_usize;
        let following = self.chunks.from(after.next());
        for chunk in following.skip_while(|chunk| chunk.last() <= after) {
            bytes = bytes.saturating_add(chunk.bytes().len());
            if bytes > bytes_max && !chunks.is_empty() {
                break;
            }
            chunks.push(chunk.clone());
        }
        Ok(Page { chunks, head })
    }

    /// Drops the chunks before the floor of a baseline, which stands for them from here on. Contents stay:
    /// live messages may need them.
    pub(crate) fn trim(
        &mut self,
        baseline: Baseline,
        token: FencingToken,
    ) -> Result<Option<Head>, AppendError> {
        self.ownership.check(token)?;
        let (Some(head), Some(timelines)) = (self.head(), self.timelines()) else {
            return Ok(None);
        };
        let floor = baseline.floor();
        if floor <= head.floor {
            return Ok(Some(head));
        }
        let follows = self.chunks.from(floor).next().map(Chunk::header);
        let follows = follows.filter(|header| header.first == floor);
        judge_baseline(&baseline, &timelines, follows)?;
        self.chunks.drop_front(|chunk| chunk.last() < floor);
        self.baseline = Some(baseline);
        let head = Head { floor, ..head };
        self.head = Some(head);
        Ok(Some(head))
    }

    /// Returns the baseline, once the pool is all there.
    pub(crate) fn baseline(&self) -> Option<Baseline> {
        match self.arrival {
            Arrival::Whole => self.baseline.clone(),
            Arrival::Part => None,
        }
    }

    pub(crate) fn put(&mut self, content_ref: ContentRef, content: StoredContent) {
        let stored = Stored::Kept(content);
        self.alone.entry(content_ref).or_insert(stored);
    }

    /// Puts a tombstone where a body is, unless one is there already.
    fn erase(&mut self, erasure: Erasure) {
        let Erasure {
            content_ref,
            place,
            tombstone,
        } = erasure;
        let tombstone = Stored::Erased(tombstone);
        let position = match place {
            ContentPlace::Alone => {
                let stored = self.alone.entry(content_ref);
                let stored = stored.or_insert_with(|| tombstone.clone());
                if let Stored::Kept(_) = stored {
                    *stored = tombstone;
                }
                return;
            }
            ContentPlace::With(position) => position,
        };
        let pack = self.packs.last_by_mut(position);
        let Some(pack) = pack.filter(|pack| position <= pack.last) else {
            return;
        };
        let is_it =
            |it: &NewContent| it.content_ref == content_ref && matches!(it.stored, Stored::Kept(_));
        if pack.contents.iter().any(is_it) {
            let mut contents = pack.contents.to_vec();
            for content in contents.iter_mut().filter(|it| is_it(it)) {
                content.stored = tombstone.clone();
            }
            pack.contents = contents.into();
        }
    }

    pub(crate) fn packs(&self, after: Position, bytes_max: usize) -> Vec<ContentPack> {
        let seen = self.head().map_or(Position::ZERO, |head| head.head);
        let following = self.packs.from(after.next());
        let following = following
            .skip_while(|pack| pack.first <= after)
            .take_while(|pack| pack.last <= seen);
        let packs = following.map(|pack| ContentPack {
            first: pack.first,
            last: pack.last,
            contents: pack.contents.to_vec(),
        });
        let bytes = |pack: &ContentPack| pack.contents.iter().map(body_bytes).sum();
        within(packs, bytes_max, bytes)
    }

    pub(crate) fn alone(&self, after: Option<ContentRef>, bytes_max: usize) -> Vec<NewContent> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let following = self.alone.range((from, Bound::Unbounded));
        let contents =
            following.map(|(content_ref, stored)| NewContent::of(*content_ref, stored.clone()));
        within(contents, bytes_max, body_bytes)
    }

    pub(crate) fn content(&self, content_ref: ContentRef, place: ContentPlace) -> Option<Stored> {
        match place {
            ContentPlace::Alone => self.alone.get(&content_ref).cloned(),
            ContentPlace::With(_) if self.head().is_none() => None,
            ContentPlace::With(position) => {
                let pack = self.packs.from(position).next()?;
                let covers = pack.first <= position && position <= pack.last;
                let mut contents = pack.contents.iter().filter(|_| covers);
                contents
                    .find(|content| content.content_ref == content_ref)
                    .map(|content| content.stored.clone())
            }
        }
    }
}

fn body_bytes(content: &NewContent) -> usize {
    content.stored.stored_bytes()
}

/// Takes items up to a number of bytes, but at least one.
fn within<T>(
    items: impl Iterator<Item = T>,
    bytes_max: usize,
    bytes_of: impl Fn(&T) -> usize,
) -> Vec<T> {
    let mut taken = Vec::new();
    let mut bytes = 0_usize;
    for item in items {
        bytes = bytes.saturating_add(bytes_of(&item));
        if bytes > bytes_max && !taken.is_empty() {
            break;
        }
        taken.push(item);
    }
    taken
}
