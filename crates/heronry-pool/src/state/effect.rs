//! Effects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use heronry_journal::EffectIntended;
use heronry_types::{EffectResult, EffectStanding, Generation, Position, RunId};

use crate::state::{
    Members,
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The end of an effect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EffectEnd {
    /// The record.
    pub at: Position,
    /// The attempt whose result it is; absent when it was resolved from outside.
    pub attempt: Option<u32>,
    /// The result.
    pub result: EffectResult,
}

/// An effect.
#[derive(Clone, Debug)]
pub(crate) struct Effect {
    /// The run that it belongs to.
    pub run: RunId,
    /// The intent, as it was recorded.
    pub intended: EffectIntended,
    /// The generation of the run that it belongs to: the one that attempted it last.
    pub generation: Generation,
    /// The number of its attempts.
    pub attempts: u32,
    /// The end of the effect. `None` while it has no result.
    pub end: Option<EffectEnd>,
}

impl Effect {
    /// Returns where it stands: it is orphaned when its generation has ended.
    pub(crate) fn standing(&self, members: &Members) -> EffectStanding {
        let lives_on = || {
            let member = members.get(&self.run);
            member.is_some_and(|member| member.generation == self.generation)
        };
        if self.end.is_some() {
            EffectStanding::Finished
        } else if lives_on() {
            EffectStanding::Pending
        } else if self.intended.key.is_some() {
            EffectStanding::RetrySafe
        } else {
            EffectStanding::UnsafePending
        }
    }
}

/// An effect, with the position of its intent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EffectAt<'a> {
    /// The position of its intent.
    pub intended: Position,
    /// The effect.
    pub effect: &'a Effect,
}

/// The effects of a pool, by their intents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects {
    by_position: BTreeMap<Position, Effect>,
    pending: BTreeSet<Position>,
    pending_of: HashMap<RunId, BTreeSet<Position>>,
}

impl Effects {
    /// Returns an effect.
    pub(crate) fn get(&self, intended: Position) -> Option<&Effect> {
        self.by_position.get(&intended)
    }

    /// Walks the effects without a result after a position, oldest first: of one run, or of all.
    pub(crate) fn pending_after(
        &self,
        after: Position,
        run: Option<&RunId>,
    ) -> impl Iterator<Item = EffectAt<'_>> + '_ {
        let pending = match run {
            None => Some(&self.pending),
            Some(run) => self.pending_of.get(run),
        };
        pending
            .into_iter()
            .flat_map(move |pending| pending.range(after.next()..))
            .filter_map(|intended| {
                Some(EffectAt {
                    intended: *intended,
                    effect: self.by_position.get(intended)?,
                })
            })
    }

    /// Returns how many effects of a run have no result.
    pub(crate) fn pending_of(&self, run: &RunId) -> usize {
        self.pending_of.get(run).map_or(0, BTreeSet::len)
    }

    pub(crate) fn intend(&mut self, position: Position, effect: Effect) {
        let of_run = self.pending_of.entry(effect.run.clone()).or_default();
        of_run.insert(position);
        self.pending.insert(position);
        self.by_position.insert(position, effect);
    }

    pub(crate) fn attempt(&mut self, intended: Position, attempt: u32, by: Generation) {
        if let Some(effect) = self.by_position.get_mut(&intended) {
            effect.attempts = attempt;
            effect.generation = by;
        }
    }

    pub(crate) fn end(&mut self, intended: Position, end: EffectEnd) {
        let Some(effect) = self.by_position.get_mut(&intended) else {
            return;
        };
        effect.end = Some(end);
        self.pending.remove(&intended);
        if let Some(of_run) = self.pending_of.get_mut(&effect.run) {
            of_run.remove(&intended);
            if of_run.is_empty() {
                self.pending_of.remove(&effect.run);
            }
        }
    }
}

impl Effects {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self {
            by_position,
            // By what effects are found follows from them.
            pending: _,
            pending_of: _,
        } = self;
        to.each(by_position.iter(), |to, (position, effect)| {
            effect.encode(to, *position);
        });
    }

    pub(super) fn decode(&mut self, from: &mut Decoding<'_>) -> Result<(), UnreadableState> {
        for (position, effect) in from.list_of(Effect::decode)? {
            if effect.end.is_some() {
                self.by_position.insert(position, effect);
            } else {
                self.intend(position, effect);
            }
        }
        Ok(())
    }
}
