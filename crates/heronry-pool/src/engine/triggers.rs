//! Matching records against the wakes that wait.

use std::collections::{HashSet, VecDeque};

use heronry_event::{filter::Filter, index::FilterIndex};
use heronry_journal::{Body, Entry, Record, WakeTriggered, WakeTriggeredBy};
use heronry_types::{Actor, EventKind, Lineage, Position, RunId, Visibility};

use super::{Staged, UnreadableFilter};
use crate::{
    State,
    decide::{ScanRequest, WakeEvents},
    project,
};

/// How many triggers one append records at the most; the rest follow in the next appends.
pub(super) const PER_APPEND_MAX: usize = 1_024;

/// A trigger that is decided and not recorded yet.
#[derive(Clone, Copy, Debug)]
struct Decided {
    registered: Position,
    by: WakeTriggeredBy,
}

/// The filters of the wakes that wait, and the triggers that are not recorded yet.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    index: FilterIndex<Position>,
    /// The filters of wakes that take events about wakes too: most wakes are not asked about those.
    including: FilterIndex<Position>,
    decided: HashSet<Position>,
    backlog: VecDeque<Decided>,
    found: Vec<Position>,
}

impl Triggers {
    /// Arms a wake when the record registers one, disarms it when the record ends it.
    pub(super) fn arm(&mut self, record: &Record) -> Result<(), UnreadableFilter> {
        if let Body::WakeRegistered(body) = &record.entry.body {
            let position = record.position;
            let filter = Filter::compile(&body.filter)
                .map_err(|errors| UnreadableFilter { position, errors })?;
            let index = if body.include_wakes {
                &mut self.including
            } else {
                &mut self.index
            };
            index.insert(position, &filter);
        } else if let Some(registered) = ended_by(&record.entry.body) {
            self.disarm(registered);
        }
        Ok(())
    }

    fn disarm(&mut self, registered: Position) {
        self.index.remove(registered);
        self.including.remove(registered);
        self.decided.remove(&registered);
    }

    /// Decides which wakes a record triggers, in order of their registration.
    pub(super) fn match_record(&mut self, state: &State, record: &Record) {
        let about_wakes = is_about_wakes(record.kind());
        let nobody_asks = self.including.is_empty() && (about_wakes || self.index.is_empty());
        if nobody_asks || record.entry.visibility == Visibility::OutOfScope {
            return;
        }
        let event = project(&state.timelines, record);
        self.found.clear();
        self.including.matches(&event.envelope, &mut self.found);
        if !about_wakes {
            self.index.matches(&event.envelope, &mut self.found);
        }
        self.found.sort_unstable();
        for registered in self.found.drain(..) {
            let by = WakeTriggeredBy {
                position: record.position,
                kind: record.kind(),
            };
            if wants(state, registered, by) && self.decided.insert(registered) {
                self.backlog.push_back(Decided { registered, by });
            }
        }
    }

    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    pub(super) fn in_append(&self, staged: &Staged) -> usize {
        let triggered = |record: &&Record| matches!(record.entry.body, Body::WakeTriggered(_));
        if self.backlog.is_empty() {
            0
        } else {
            staged.records.iter().filter(triggered).count()
        }
    }

    /// Returns true when an event has decided the wake that this record would end otherwise.
    pub(super) fn has_decided(&self, body: &Body) -> bool {
        ended_by(body).is_some_and(|registered| self.decided.contains(&registered))
    }

    /// Returns the record of the next trigger, after which the append has this much room left.
    /// Wakes that ended meanwhile are passed over.
    ///
    /// The last one that fits says that more may follow: what its append still causes would
    /// otherwise be forgotten by a crash.
    pub(super) fn next(&mut self, state: &State, room_left: usize) -> Option<Entry> {
        while let Some(Decided { registered, by }) = self.backlog.pop_front() {
            let live = state
                .wakes
                .get(registered)
                .filter(|wake| wake.end.is_none());
            let Some(wake) = live else { continue };
            let body = Body::WakeTriggered(WakeTriggered {
                registered,
                wake_id: wake.registered.wake_id.clone(),
                matches: vec![by],
                more_follow: room_left == 0 || !self.backlog.is_empty(),
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

fn engine_entry(lineage: Lineage, body: Body) -> Entry {
    Entry {
        lineage,
        actor: Actor::Engine,
        visibility: Visibility::InScope,
        body,
    }
}

/// The registration of the wake that a record ends.
fn ended_by(body: &Body) -> Option<Position> {
    if let Body::WakeTriggered(body) = body {
        Some(body.registered)
    } else if let Body::WakeTimedOut(body) = body {
        Some(body.registered)
    } else if let Body::WakeCancelled(body) = body {
        Some(body.registered)
    } else {
        None
    }
}

/// Whether a wake takes an event that its filter keeps.
fn wants(state: &State, registered: Position, by: WakeTriggeredBy) -> bool {
    let Some(wake) = state
        .wakes
        .get(registered)
        .filter(|wake| wake.end.is_none())
    else {
        return false;
    };
    by.position > registered.max(wake.registered.since) && sees(state, &wake.run)
}

/// Whether a run is a member whose view shows the events of the pool.
fn sees(state: &State, run: &RunId) -> bool {
    state
        .members
        .get(run)
        .is_some_and(|member| member.policies.covers(&state.config.policies))
}

/// Kinds that a wake takes only when it asks for them.
fn is_about_wakes(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::WakeConditionRegistered
            | EventKind::WakeConditionScanned
            | EventKind::WakeConditionTriggered
            | EventKind::WakeConditionTimedOut
            | EventKind::WakeConditionCancelled
            | EventKind::WakeConditionFailed
            | EventKind::RunSuspended
            | EventKind::RunResumed
    )
}

/// Returns the first of these records that a scan is looking for.
pub(super) fn first_match(
    state: &State,
    request: &ScanRequest,
    records: &[Record],
) -> Option<WakeTriggeredBy> {
    if !sees(state, &request.run) {
        return None;
    }
    let wanted = |record: &&Record| {
        record.position > request.after
            && record.entry.visibility == Visibility::InScope
            && (request.wake_events == WakeEvents::Include || !is_about_wakes(record.kind()))
            && request
                .filter
                .matches(&project(&state.timelines, record).envelope)
    };
    let record = records.iter().find(wanted)?;
    Some(WakeTriggeredBy {
        position: record.position,
        kind: record.kind(),
    })
}
