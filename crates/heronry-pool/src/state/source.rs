//! Foreign sources of events: how far each was taken in, and who reports from it.

use std::collections::BTreeMap;

use heronry_journal::SourceAttached;
use heronry_types::{Actor, Generation, InstanceId, Position, RunId, SourceId, SourcePosition};

use crate::state::{
    Members, RecentItems,
    decoding::{DecodedEntry, Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// A bridge that reports from a source.
#[derive(Clone, Debug)]
pub(crate) struct SourceHolder {
    /// The position of its record.
    pub generation: Generation,
    /// The instance of the bridge.
    pub instance: InstanceId,
    /// The party that it was attached by.
    pub actor: Actor,
}

impl SourceHolder {
    /// Returns true while nobody has to take the source over: a bridge of a run holds it as long as its
    /// joining lives on.
    pub(crate) fn lives_on(&self, members: &Members) -> bool {
        match &self.actor {
            Actor::Engine | Actor::Operator => true,
            Actor::Member { run, generation } => {
                let member = members.get(run);
                member.is_some_and(|member| member.generation == *generation)
            }
        }
    }
}

/// A batch of events of a source: its first record, and how many there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SourceBatch {
    /// The first record.
    pub first: Position,
    /// The number of records.
    pub count: u64,
}

/// The extent to which a source was taken in.
#[derive(Clone, Debug, Default)]
pub(crate) enum TakenPositions {
    /// Nothing of it was taken.
    #[default]
    Nothing,
    /// Every event up to this number was taken, or is a gap.
    Through(u64),
    /// These events of a source without order were taken last.
    Recent(RecentItems),
}

/// A foreign source of events.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForeignSource {
    /// The run that reported from it first, and to which it belongs; absent: the operators.
    pub owner: Option<RunId>,
    /// The extent to which it was taken in.
    pub taken: TakenPositions,
    /// The bridge that reports from it. `None` while there is none.
    pub attached: Option<SourceHolder>,
    /// The last batch that was reported from it.
    pub last_batch: Option<SourceBatch>,
}

impl ForeignSource {
    /// Returns true when the event at this place is not to be taken again.
    pub(crate) fn has_taken(&self, position: &SourcePosition) -> bool {
        match (&self.taken, position) {
            (TakenPositions::Through(last), SourcePosition::Number(number)) => number <= last,
            (TakenPositions::Recent(items), SourcePosition::Id(id)) => items.contains(id.as_str()),
            (TakenPositions::Nothing, _)
            | (TakenPositions::Through(_), SourcePosition::Id(_))
            | (TakenPositions::Recent(_), SourcePosition::Number(_)) => false,
        }
    }

    /// Returns true when the source says its places in this way, as far as it has said any.
    pub(crate) fn speaks_like(&self, position: &SourcePosition) -> bool {
        match (&self.taken, position) {
            (TakenPositions::Nothing, _)
            | (TakenPositions::Through(_), SourcePosition::Number(_))
            | (TakenPositions::Recent(_), SourcePosition::Id(_)) => true,
            (TakenPositions::Through(_), SourcePosition::Id(_))
            | (TakenPositions::Recent(_), SourcePosition::Number(_)) => false,
        }
    }

    /// Returns the number of the last event that was taken; `None` of a source without order, and while
    /// nothing was taken.
    pub(crate) fn last_number(&self) -> Option<u64> {
        match &self.taken {
            TakenPositions::Through(last) => Some(*last),
            TakenPositions::Nothing | TakenPositions::Recent(_) => None,
        }
    }

    fn take(&mut self, position: &SourcePosition) {
        match (&mut self.taken, position) {
            (TakenPositions::Through(last), SourcePosition::Number(number)) => {
                *last = (*last).max(*number);
            }
            (TakenPositions::Recent(items), SourcePosition::Id(id)) => items.insert(id.as_str()),
            (_, SourcePosition::Number(number)) => self.taken = TakenPositions::Through(*number),
            (_, SourcePosition::Id(id)) => {
                let mut items = RecentItems::default();
                items.insert(id.as_str());
                self.taken = TakenPositions::Recent(items);
            }
        }
    }
}

/// The sources of a pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    by_id: BTreeMap<SourceId, ForeignSource>,
}

impl Sources {
    /// Returns a source that something was reported from.
    pub(crate) fn get(&self, source: &SourceId) -> Option<&ForeignSource> {
        self.by_id.get(source)
    }

    /// Returns the number of sources.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Returns the number of sources that belong to a run. It walks all of them.
    pub(crate) fn count_of(&self, run: &RunId) -> usize {
        let all = self.by_id.values();
        all.filter(|source| source.owner.as_ref() == Some(run))
            .count()
    }

    /// Notes that an event was taken, or is missing for good.
    pub(crate) fn take(&mut self, source: &SourceId, actor: &Actor, position: &SourcePosition) {
        self.entry(source, actor).take(position);
    }

    /// Notes a batch.
    pub(crate) fn note_batch(&mut self, source: &SourceId, batch: SourceBatch) {
        if let Some(source) = self.by_id.get_mut(source) {
            source.last_batch = Some(batch);
        }
    }

    /// Notes that something was said of a source.
    pub(crate) fn name(&mut self, source: &SourceId, actor: &Actor) {
        self.entry(source, actor);
    }

    /// Notes that a bridge was attached.
    pub(crate) fn attach(&mut self, at: Position, actor: &Actor, body: &SourceAttached) {
        let attachment = SourceHolder {
            generation: Generation(at),
            instance: body.instance.clone(),
            actor: actor.clone(),
        };
        self.entry(&body.source, actor).attached = Some(attachment);
    }

    /// Notes that a bridge left.
    pub(crate) fn detach(&mut self, source: &SourceId) {
        if let Some(source) = self.by_id.get_mut(source) {
            source.attached = None;
        }
    }

    /// Returns the source; one that is new belongs to who names it.
    fn entry(&mut self, source: &SourceId, actor: &Actor) -> &mut ForeignSource {
        self.by_id.entry(source.clone()).or_insert_with(|| {
            let owner = match actor {
                Actor::Engine | Actor::Operator => None,
                Actor::Member { run, .. } => Some(run.clone()),
            };
            ForeignSource {
                owner,
                ..ForeignSource::default()
            }
        })
    }
}

impl Sources {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self { by_id } = self;
        to.each(by_id.iter(), |to, (id, source)| source.encode(to, id));
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let sources = from.list_of(ForeignSource::decode)?;
        let by_id = sources.into_iter().map(|it| (it.key, it.value)).collect();
        Ok(Self { by_id })
    }
}

impl TakenPositions {
    fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        if from.is_number()? {
            return from.take().map(Self::Through);
        }
        let items = RecentItems::decode(from)?;
        if items.is_empty() {
            return Ok(Self::Nothing);
        }
        Ok(Self::Recent(items))
    }
}

impl ForeignSource {
    fn decode(from: &mut Decoding<'_>) -> Result<DecodedEntry<SourceId, Self>, UnreadableState> {
        from.list(4)?;
        let (id, owner) = from.take()?;
        let taken = TakenPositions::decode(from)?;
        let attached = from.some(|from| {
            let (generation, instance, actor) = from.take()?;
            Ok(SourceHolder {
                generation,
                instance,
                actor,
            })
        })?;
        let last_batch = from.some(|from| {
            let (first, count) = from.take()?;
            Ok(SourceBatch { first, count })
        })?;
        let source = Self {
            owner,
            taken,
            attached,
            last_batch,
        };
        Ok(DecodedEntry::new(id, source))
    }

    fn encode<W: Sink>(&self, to: &mut Encoding<W>, id: &SourceId) {
        let Self {
            owner,
            taken,
            attached,
            last_batch,
        } = self;
        to.list(4);
        to.put((id, owner));
        match taken {
            TakenPositions::Nothing => to.put(()),
            TakenPositions::Through(last) => to.put(last),
            TakenPositions::Recent(items) => items.encode(to),
        }
        to.some(attached.as_ref(), |to, attached| {
            let SourceHolder {
                generation,
                instance,
                actor,
            } = attached;
            to.put((generation, instance, actor));
        });
        to.some(last_batch.as_ref(), |to, batch| {
            let SourceBatch { first, count } = batch;
            to.put((first, count));
        });
    }
}
