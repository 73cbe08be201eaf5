//! Explaining: what was near for a wake that waits, from the newest events. Pure.

use std::collections::BTreeMap;

use heronry_event::{
    ClosestEvent, Could, EarlyEvent, Envelope, FilterExplanation, Identity, MissingClause,
    SeenValue, WakeExplanation,
    filter::{Explanation, FailedClause, Filter, NearMiss},
};
use heronry_journal::{Record, WakeTriggeredBy};
use heronry_types::{
    AgentId, Condition, Cursor, DistinctBy, EventKind, Policies, PoolId, Position, RunId,
    SessionId, Timelines, Visibility, WakeId, WakeStatus,
};

use crate::{
    condition::{self, ConditionProgress, Occurrence},
    decide::{WakeEvents, cost_of, is_about_wakes, is_suspension_for},
    project,
    suspicion::{Need, Prospect},
};

/// The highest number of the newest events that are looked at.
const EVENTS_MAX: u64 = 10_000;
/// The number of the newest events that are looked at whatever the wake costs.
const EVENTS_MIN: u64 = 100;
/// The highest cost of looking at events, in compared values: fewer events are looked at for a wake of
/// many filters.
const COST_MAX: u64 = 128 * 1_024;
/// The approximate cost of looking at events after which others go on, in compared values.
const COST_OF_SLICE: u64 = 512;
/// The highest number of different values of one comparison that are counted, and the number that is
/// shown.
const VALUES_MAX: usize = 1_000;
const VALUES_SHOWN: usize = 5;
/// The highest number of members that are shown.
const RUNS_SHOWN: usize = 100;

/// The parts of a wake that explaining it needs.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) wake_id: WakeId,
    pub(crate) run: RunId,
    pub(crate) status: WakeStatus,
    pub(crate) text: String,
    pub(crate) condition: Condition<Filter>,
    /// The members that could bring about what each filter keeps, in the order of the filters.
    pub(crate) prospects: Vec<Prospect>,
    pub(crate) since: Position,
    pub(crate) registered: Position,
    pub(crate) wake_events: WakeEvents,
    pub(crate) sees: bool,
    pub(crate) floor: Position,
    pub(crate) until: Position,
    pub(crate) deadlocked: Option<Position>,
    pub(crate) policies: Policies,
}

/// A live member, by what its events say of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Author {
    /// The run.
    pub run: RunId,
    /// Its agent.
    pub agent: AgentId,
    /// Its session.
    pub session: Option<SessionId>,
    /// The highest need of an event that it meets.
    pub(crate) has: Need,
}

/// Records that stand side by side in a journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordSpan {
    /// The position before the first of them.
    pub after: Position,
    /// The position of the last one.
    pub until: Position,
}

/// A look at the newest events, for one wake.
#[derive(Debug)]
pub struct Explain {
    wake: Explained,
    pool: PoolId,
    progress: ConditionProgress,
    clauses: Vec<ExplainedClause>,
    events: u64,
    /// The number of values that an event is compared with at the worst; never 0.
    cost: u64,
}

#[derive(Debug)]
struct ExplainedClause {
    filter: Filter,
    needed: u32,
    distinct_by: DistinctBy,
    early: u64,
    latest_early: Option<WakeTriggeredBy>,
    close: u64,
    missing: BTreeMap<String, BTreeMap<String, u64>>,
    closest: Option<(Position, EventKind, Vec<FailedClause>)>,
    could: Could,
    prospect: Prospect,
}

impl Explain {
    pub(crate) fn new(wake: Explained, pool: PoolId) -> Self {
        let clauses = wake.condition.clauses();
        let clauses = clauses.iter().zip(&wake.prospects);
        let clauses = clauses.map(|(clause, prospect)| ExplainedClause {
            filter: clause.filter.clone(),
            needed: clause.needed,
            distinct_by: clause.distinct_by,
            early: 0,
            latest_early: None,
            close: 0,
            missing: BTreeMap::new(),
            closest: None,
            could: Could::default(),
            prospect: prospect.clone(),
        });
        let clauses = clauses.collect();
        Self {
            progress: ConditionProgress::new(&wake.condition, &[]),
            cost: cost_of(&wake.condition),
            clauses,
            wake,
            pool,
            events: 0,
        }
    }

    /// Returns how many records to look at before others go on; at least one.
    pub fn records_at_once(&self) -> usize {
        usize::try_from(COST_OF_SLICE / self.cost)
            .unwrap_or(1)
            .max(1)
    }

    /// Returns the records to look at.
    pub fn range(&self) -> RecordSpan {
        let events = (COST_MAX / self.cost).clamp(EVENTS_MIN, EVENTS_MAX);
        let first = self.wake.until.0.saturating_sub(events);
        let after = Position(first).max(self.wake.floor.previous());
        RecordSpan {
            after,
            until: self.wake.until,
        }
    }

    /// Looks at records, in order.
    pub fn look(&mut self, timelines: &Timelines, records: &[Record]) {
        for record in records {
            let visible = self.wake.sees && record.entry.visibility == Visibility::InScope;
            let asked =
                self.wake.wake_events == WakeEvents::Include || !is_about_wakes(record.kind());
            if visible && asked && record.position <= self.wake.until {
                self.events += 1;
                self.see(record, &project(timelines, record).envelope);
            }
        }
    }

    fn see(&mut self, record: &Record, envelope: &Envelope) {
        let by = WakeTriggeredBy {
            position: record.position,
            kind: record.kind(),
        };
        // A wake never counts its own registration, nor what suspends its run for it.
        let registered = self.wake.registered;
        let own =
            record.position == registered || is_suspension_for(&record.entry.body, registered);
        let counts = record.position > self.wake.since && !own;
        let counts = counts && !self.progress.holds();
        let mut event = Occurrence::new(envelope, by);
        for (number, clause) in (0..).zip(&mut self.clauses) {
            match clause.filter.explain(envelope) {
                Explanation::Kept if counts => self.progress.take(number, &mut event),
                Explanation::Kept if record.position <= self.wake.since => {
                    clause.early += 1;
                    clause.latest_early = Some(by);
                }
                Explanation::Missed { near } => clause.miss(near, by),
                Explanation::Kept | Explanation::KeepsNothing => {}
            }
        }
    }

    /// Takes in live members.
    pub fn could(&mut self, authors: Vec<Author>) {
        for author in authors {
            let mut identity = Identity::new(self.pool.clone());
            identity.run = Some(author.run.clone());
            identity.agent = Some(author.agent);
            identity.session = author.session;
            for clause in &mut self.clauses {
                clause.could(&identity, &author.run, author.has);
            }
        }
    }

    /// Returns what is to be said.
    pub fn finish(self, timelines: &Timelines) -> WakeExplanation {
        let RecordSpan { after, until } = self.range();
        let at = |position| timelines.cursor(position);
        let orphaned = self.wake.status == WakeStatus::Registered && !self.is_possible();
        let counted = self.progress.counted_by_clause();
        let clauses = self.clauses.into_iter().zip(counted);
        WakeExplanation {
            wake_id: self.wake.wake_id,
            run_id: self.wake.run,
            status: self.wake.status,
            condition: self.wake.text,
            since: at(self.wake.since),
            after: at(after),
            until: at(until),
            events: self.events,
            cost: self.cost,
            orphaned,
            suspected_deadlock: self.wake.deadlocked.map(at),
            policies: self.wake.policies,
            clauses: clauses
                .map(|(clause, counted)| clause.finish(counted, &at))
                .collect(),
        }
    }

    /// Returns true when members that are there could bring the condition about.
    fn is_possible(&self) -> bool {
        let counted = self.progress.counted_by_clause();
        let mut clauses = self.clauses.iter().zip(counted);
        let leaves = self.wake.condition.try_map(&mut |_: &Filter| {
            let possible = clauses.next().is_none_or(|(clause, counted)| {
                clause.prospect.comes_by_itself()
                    || clause.could.count > 0
                    || counted >= clause.needed
            });
            Ok::<_, std::convert::Infallible>(possible)
        });
        match leaves {
            Ok(leaves) => condition::holds(&leaves),
            Err(never) => match never {},
        }
    }
}

impl ExplainedClause {
    /// Takes in an event that the filter does not keep.
    fn miss(&mut self, near: Vec<NearMiss>, by: WakeTriggeredBy) {
        let Some(best) = near.into_iter().next() else {
            return;
        };
        if let ([failed], true) = (&*best.failed, best.held > 0) {
            self.close += 1;
            let seen = self.missing.entry(failed.clause.clone()).or_default();
            if seen.len() < VALUES_MAX || seen.contains_key(&failed.seen) {
                *seen.entry(failed.seen.clone()).or_default() += 1;
            }
        }
        let closest = self.closest.as_ref();
        if closest.is_none_or(|(_, _, failed)| best.failed.len() <= failed.len()) {
            self.closest = Some((by.position, by.kind, best.failed));
        }
    }

    fn could(&mut self, identity: &Identity, run: &RunId, has: Need) {
        let in_doubt = self.prospect.is_in_doubt() && self.filter.could_be_by(identity);
        if in_doubt || self.prospect.is_by(run, has) {
            self.could.count += 1;
            if self.could.runs.len() < RUNS_SHOWN {
                self.could.runs.push(run.clone());
            }
        }
    }

    fn finish(self, counted: u32, at: &impl Fn(Position) -> Cursor) -> FilterExplanation {
        let missing = self.missing.into_iter().map(|(clause, seen)| {
            let events = seen.values().sum();
            let seen = seen.into_iter();
            let mut seen: Vec<_> = seen
                .map(|(value, events)| SeenValue { value, events })
                .collect();
            seen.sort_by_key(|it| std::cmp::Reverse(it.events));
            seen.truncate(VALUES_SHOWN);
            MissingClause {
                clause,
                events,
                seen,
            }
        });
        let mut missing: Vec<_> = missing.collect();
        missing.sort_by_key(|it| std::cmp::Reverse(it.events));
        FilterExplanation {
            filter: self.filter.normal_form().to_owned(),
            needed: self.needed,
            distinct_by: (self.needed > 1).then_some(self.distinct_by),
            counted,
            early: self.early,
            latest_early: self.latest_early.map(|by| EarlyEvent {
                cursor: at(by.position),
                kind: by.kind,
                since: at(by.position.previous()),
            }),
            close: self.close,
            missing,
            closest: self.closest.map(|(position, kind, failed)| ClosestEvent {
                cursor: at(position),
                kind,
                failed,
            }),
            could: self.could,
        }
    }
}
