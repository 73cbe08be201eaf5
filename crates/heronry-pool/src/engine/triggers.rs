//! Matching records against the wakes that wait.

use std::collections::{BTreeMap, HashSet, VecDeque};

use heronry_event::{
    Envelope,
    filter::{CompileErrors, Filter},
    index::FilterIndex,
};
use heronry_journal::{
    Body, CountedEvent, Entry, Noun, Record, WakeRecord, WakeRegistered, WakeTriggered,
    WakeTriggeredBy,
};
use heronry_types::{Actor, Condition, EventKind, Lineage, Position, Visibility};

use crate::{
    State,
    condition::Occurrence,
    decide::{WakeCosts, cost_of_clause, is_about_wakes, sees},
    engine::{
        Staged, UnreadableFilter,
        clauses::CountsFor,
        conditions::{About, Audience, Conditions, EarlierEvents, WhatWaits},
    },
    project,
    state::{Earlier, Wake},
};

/// The highest number of triggers that one append records, one with many matches counting as several;
/// the rest follow in the next appends.
const PER_APPEND_MAX: usize = 1_024;
/// The number of further matches of a trigger that count as much as a trigger.
const MATCHES_PER_TRIGGER: usize = 32;

/// A trigger that is decided and not recorded yet.
#[derive(Clone, Copy, Debug)]
struct Decided {
    registered: Position,
    by: WakeTriggeredBy,
}

/// The wakes for which a record is matched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Which {
    /// All that wait.
    All,
    /// Those that one event ends, whatever came before it.
    OfOneEvent,
    /// Those for which events count that came before.
    OfCounts,
}

/// A record that is being matched.
#[derive(Debug)]
struct Matched {
    envelope: Envelope,
    which: Which,
    by: WakeTriggeredBy,
    counts_for: CountsFor,
    /// The wakes that it suspends a run for: it is no event for them.
    suspends_for: Vec<Position>,
}

/// The filters of the wakes that wait, and the triggers that are not recorded yet.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    index: FilterIndex<Position>,
    /// The filters of wakes that take events about wakes too: most wakes are not asked about those.
    including: FilterIndex<Position>,
    /// The conditions that any one event ends: what came before counts for nothing.
    single: Box<Conditions>,
    /// The other conditions. After an opening, what no image has counted is counted again.
    counting: Box<Conditions>,
    costs: WakeCosts,
    decided: HashSet<Position>,
    backlog: VecDeque<Decided>,
    /// The record that is being matched, and the wakes that it was found to end.
    matched: Option<Box<Matched>>,
    found: Vec<Position>,
}

impl Triggers {
    /// Arms a wake when the record registers one, disarms it when the record ends it. The record is
    /// part of the state already.
    pub(super) fn arm(&mut self, state: &State, record: &Record) -> Result<(), UnreadableFilter> {
        let Noun::Wake(body) = record.entry.body.noun() else {
            return Ok(());
        };
        let position = record.position;
        let armed = match body {
            WakeRecord::WakeRegistered(body) => self.arm_registered(state, position, body),
            WakeRecord::ConditionRegistered(body) => {
                let what = WhatWaits {
                    body: &body.wake,
                    condition: &body.condition,
                };
                self.arm_condition(state, position, what, &body.counted)
            }
            WakeRecord::WakeTriggered(_)
            | WakeRecord::WakeTimedOut(_)
            | WakeRecord::WakeCancelled(_)
            | WakeRecord::WakeFailed(_) => {
                if let Some(registered) = record.entry.body.ended_wake() {
                    self.disarm(state, registered);
                }
                Ok(())
            }
            WakeRecord::WakeScanned(_)
            | WakeRecord::DeadlockSuspected(_)
            | WakeRecord::WakeOrphaned(_) => Ok(()),
        };
        armed.map_err(|errors| unreadable(record, errors))
    }

    /// Arms a wake that waits, for which these events count already.
    pub(super) fn restore(
        &mut self,
        state: &State,
        position: Position,
        wake: &Wake,
        counted: &[CountedEvent],
    ) -> Result<(), UnreadableFilter> {
        let body = &wake.registered;
        let one = Condition::Filter(body.filter.clone());
        let armed = match (&wake.condition, body.scan_to) {
            (None, None) => self.arm_registered(state, position, body),
            (condition, _) => {
                let condition = condition.as_deref().unwrap_or(&one);
                let what = WhatWaits { body, condition };
                self.arm_condition(state, position, what, counted)
            }
        };
        armed.map_err(|errors| UnreadableFilter { position, errors })?;
        if wake.earlier == Earlier::Seen
            && let Some(by) = self.counting.was_scanned(position)
            && self.decided.insert(position)
        {
            let registered = position;
            self.backlog.push_back(Decided { registered, by });
        }
        Ok(())
    }

    /// Says that the events up to this one are counted for every wake that waits.
    pub(super) fn set_counted_through(&mut self, through: Position) {
        self.counting.set_through(through);
    }

    /// Returns the events that count so far, for each wake for which earlier events count.
    pub(super) fn counted_events(&self) -> BTreeMap<Position, Vec<CountedEvent>> {
        self.counting.counted_events()
    }

    /// Returns the oldest event whose trigger is decided and not recorded.
    pub(super) fn oldest_decided(&self) -> Option<Position> {
        self.backlog.iter().map(|it| it.by.position).min()
    }

    /// Forgets triggers of wakes that have ended since.
    pub(super) fn forget_ended(&mut self) {
        let decided = &self.decided;
        self.backlog.retain(|it| decided.contains(&it.registered));
    }

    fn arm_registered(
        &mut self,
        state: &State,
        position: Position,
        body: &WakeRegistered,
    ) -> Result<(), CompileErrors> {
        if body.scan_to.is_some() {
            let condition = Condition::Filter(body.filter.clone());
            let what = WhatWaits {
                body,
                condition: &condition,
            };
            return self.arm_condition(state, position, what, &[]);
        }
        let filter = Filter::compile(&body.filter)?;
        let index = if body.include_wakes {
            &mut self.including
        } else {
            &mut self.index
        };
        index.insert(position, &filter);
        if let Some(wake) = state.wakes.get(position) {
            let cost = cost_of_clause(1, filter.cost().per_event);
            self.costs.add(position, &wake.run, cost);
        }
        Ok(())
    }

    fn arm_condition(
        &mut self,
        state: &State,
        position: Position,
        what: WhatWaits<'_>,
        counted: &[CountedEvent],
    ) -> Result<(), CompileErrors> {
        let Some(wake) = state.wakes.get(position) else {
            return Ok(());
        };
        let conditions = match EarlierEvents::of(what.body, what.condition) {
            EarlierEvents::Nothing => &mut self.single,
            EarlierEvents::Counts => &mut self.counting,
        };
        let cost = conditions.arm(position, &wake.run, what, counted)?;
        self.costs.add(position, &wake.run, cost);
        Ok(())
    }

    fn disarm(&mut self, state: &State, registered: Position) {
        self.index.remove(registered);
        self.including.remove(registered);
        self.single.disarm(registered);
        self.counting.disarm(registered);
        self.decided.remove(&registered);
        if let Some(wake) = state.wakes.get(registered) {
            self.costs.remove(registered, &wake.run);
        }
    }

    /// Returns what the wakes that wait cost.
    pub(super) fn costs(&self) -> &WakeCosts {
        &self.costs
    }

    /// Returns true when no wake that waits asks for events of this sort, and the record says nothing of
    /// one that was held.
    pub(super) fn nobody_asks(&self, record: &Record) -> bool {
        let about_wakes = is_about_wakes(record.kind());
        let alone = self.including.is_empty() && (about_wakes || self.index.is_empty());
        let mut conditions = [&self.single, &self.counting].into_iter();
        let nobody = alone && conditions.all(|it| it.nobody_asks(about(record)));
        let is_hidden = record.entry.visibility == Visibility::OutOfScope;
        let says_nothing = !matches!(record.entry.body, Body::WakeScanned(_));
        (nobody || is_hidden) && says_nothing
    }

    /// Returns true when no wake that one event ends waits.
    pub(super) fn none_of_one_event(&self) -> bool {
        self.index.is_empty() && self.including.is_empty() && self.single.is_empty()
    }

    /// Returns after which record events are counted for those wakes that wait for which events count that
    /// came before; nothing when there is none.
    pub(super) fn counts_since(&self) -> Option<Position> {
        self.counting.counts_after()
    }

    /// Returns the conditions of which a wake may be one.
    fn conditions_of(&self, registered: Position) -> &Conditions {
        if self.counting.has(registered) {
            &self.counting
        } else {
            &self.single
        }
    }

    /// Begins to match a record. Returns how many alternatives were come upon for it.
    pub(super) fn begin(&mut self, state: &State, record: &Record, which: Which) -> usize {
        debug_assert!(!self.is_matching(), "one record at a time");
        if which != Which::OfOneEvent
            && let Some(decided) = self.scanned(record)
            && self.decided.insert(decided.registered)
        {
            self.backlog.push_back(decided);
        }
        if self.nobody_asks(record) {
            return 0;
        }
        let about = about(record);
        let envelope = project(&state.timelines, record).envelope;
        let mut came_upon = 0;
        if which != Which::OfCounts {
            came_upon += self.including.matches(&envelope, &mut self.found);
            came_upon += self.single.begin(record.position, about, &envelope);
        }
        if which != Which::OfCounts && about == About::Other {
            came_upon += self.index.matches(&envelope, &mut self.found);
        }
        if which != Which::OfOneEvent {
            came_upon += self.counting.begin(record.position, about, &envelope);
        }
        self.matched = Some(Box::new(Matched {
            envelope,
            which,
            by: by(record),
            counts_for: counts_for(record),
            suspends_for: suspends_for(&record.entry.body),
        }));
        came_upon
    }

    /// Returns true while a record that was begun is not matched for all.
    pub(super) fn is_matching(&self) -> bool {
        self.matched.is_some()
    }

    /// Returns the record that is not matched for all, of those that were begun for wakes which one event
    /// ends.
    pub(super) fn being_matched(&self) -> Option<Position> {
        let matched = self
            .matched
            .as_ref()
            .filter(|it| it.which != Which::OfCounts);
        matched.map(|it| it.by.position)
    }

    /// Counts the record that was begun for so many more filters and wakes; when it is counted for all,
    /// decides which wakes it triggers, in order of their registration. Returns how many filters and
    /// wakes were come upon.
    pub(super) fn go_on(&mut self, state: &State, at_most: usize) -> usize {
        let Some(matched) = &self.matched else {
            return 0;
        };
        let audience = Audience {
            counts_for: matched.counts_for,
            sees: &|run| sees(state, run),
            wants: &|registered| wants(state, registered, matched),
        };
        let mut event = Occurrence::new(&matched.envelope, matched.by);
        let found = &mut self.found;
        let mut came_upon = self.single.go_on(&mut event, &audience, found, at_most);
        let left = at_most.saturating_sub(came_upon);
        came_upon += self.counting.go_on(&mut event, &audience, found, left);
        if self.single.is_counting() || self.counting.is_counting() {
            return came_upon;
        }
        let by = matched.by;
        self.found.sort_unstable();
        for registered in self.found.drain(..) {
            if wants(state, registered, matched) && self.decided.insert(registered) {
                self.backlog.push_back(Decided { registered, by });
            }
        }
        self.matched = None;
        came_upon
    }

    /// Takes in what was found for a wake, when the record says that. Returns the wake with the event
    /// at which its condition came to hold.
    fn scanned(&mut self, record: &Record) -> Option<Decided> {
        let Body::WakeScanned(body) = &record.entry.body else {
            return None;
        };
        let by = self.counting.scanned(body.registered, &body.counted)?;
        let registered = body.registered;
        Some(Decided { registered, by })
    }

    /// Returns how many events count already for each filter of a wake that needs more than one.
    pub(super) fn counted(&self, registered: Position) -> Vec<u32> {
        self.conditions_of(registered).counted(registered)
    }

    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Returns true when the next trigger is of an event before this record, and no trigger that was
    /// recorded says that more may follow from there on.
    pub(super) fn owe_before(&self, state: &State, settled: Position) -> bool {
        let next = self.backlog.front().map(|next| next.by.position);
        let more_follow = state.wakes.unfinished;
        next.is_some_and(|event| event < settled && more_follow.is_none_or(|from| from > event))
    }

    /// Returns how many triggers an append has room for.
    pub(super) fn room_in(&self, staged: &Staged) -> usize {
        let taken: usize = if self.backlog.is_empty() {
            0
        } else {
            let bodies = staged.records.iter().map(|record| &record.entry.body);
            bodies.map(room_of).sum()
        };
        PER_APPEND_MAX.saturating_sub(taken)
    }

    /// Returns true when an event has decided the wake that this record would end otherwise.
    pub(super) fn has_decided(&self, body: &Body) -> bool {
        body.ended_wake()
            .is_some_and(|registered| self.decided.contains(&registered))
    }

    /// Returns the record of the next trigger, and takes its room from what the append has left;
    /// nothing when there is none. Wakes that ended meanwhile are passed over.
    ///
    /// The last one that fits says that more may follow: what its append still causes would
    /// otherwise be forgotten by a crash.
    pub(super) fn next(&mut self, state: &State, room: &mut usize) -> Option<Entry> {
        if *room == 0 {
            return None;
        }
        while let Some(Decided { registered, by }) = self.backlog.pop_front() {
            let live = state
                .wakes
                .get(registered)
                .filter(|wake| wake.end.is_none());
            let Some(wake) = live else { continue };
            let matches = self.conditions_of(registered).matches_of(registered);
            let matches = matches.unwrap_or_else(|| vec![by]);
            *room = room.saturating_sub(room_for(matches.len()));
            let body = Body::WakeTriggered(WakeTriggered {
                registered,
                wake_id: wake.registered.wake_id.clone(),
                matches,
                more_follow: *room == 0 || !self.backlog.is_empty(),
            });
            let lineage = state.lineage_of(&wake.run);
            return Some(engine_entry(
                Lineage {
                    caused_by: Some(by.position),
                    ..lineage
                },
                body,
            ));
        }
        None
    }
}

/// Returns how much of the room for triggers a record takes.
fn room_of(body: &Body) -> usize {
    if let Body::WakeTriggered(body) = body {
        room_for(body.matches.len())
    } else {
        0
    }
}

fn room_for(matches: usize) -> usize {
    1 + matches.saturating_sub(1) / MATCHES_PER_TRIGGER
}

fn unreadable(record: &Record, errors: CompileErrors) -> UnreadableFilter {
    UnreadableFilter {
        position: record.position,
        errors,
    }
}

fn by(record: &Record) -> WakeTriggeredBy {
    WakeTriggeredBy {
        position: record.position,
        kind: record.kind(),
    }
}

/// A record that suspends a run is no event for the wakes that it names.
fn counts_for(record: &Record) -> CountsFor {
    if record.kind() == EventKind::RunSuspended {
        CountsFor::Some
    } else {
        CountsFor::All
    }
}

fn engine_entry(lineage: Lineage, body: Body) -> Entry {
    Entry {
        lineage,
        actor: Actor::Engine,
        visibility: Visibility::InScope,
        body,
    }
}

/// Returns true when a wake takes an event that its filter keeps.
fn wants(state: &State, registered: Position, event: &Matched) -> bool {
    let wake = state.wakes.get(registered);
    let Some(wake) = wake.filter(|wake| wake.end.is_none()) else {
        return false;
    };
    event.by.position > registered.max(wake.registered.since)
        && !event.suspends_for.contains(&registered)
        && sees(state, &wake.run)
        && carries_what_its_run_holds(state, wake)
}

/// Returns true when a run still holds what its wake carries: a wake whose run does not any more is
/// cancelled next.
fn carries_what_its_run_holds(state: &State, wake: &Wake) -> bool {
    wake.registered.policies.as_deref().is_none_or(|carried| {
        let member = state.members.get(&wake.run);
        member.is_some_and(|member| member.policies.covers(carried))
    })
}

/// Returns the wakes that a record suspends a run for.
fn suspends_for(body: &Body) -> Vec<Position> {
    if let Body::RunSuspended(body) = body {
        body.wakes.iter().map(|it| it.registered).collect()
    } else {
        Vec::new()
    }
}

fn about(record: &Record) -> About {
    if is_about_wakes(record.kind()) {
        About::Wakes
    } else {
        About::Other
    }
}

#[cfg(test)]
mod tests;
