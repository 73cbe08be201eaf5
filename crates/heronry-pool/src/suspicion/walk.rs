//! Runs that wait only on each other, and waits that nobody can end: suspected, and never acted on.
//!
//! A walk looks at the suspended runs, some at a time, and keeps those that no member which is awake
//! could resume; at its end these are looked at together.

use std::collections::{BTreeMap, BTreeSet};

use heronry_event::{Envelope, filter::Filter};
use heronry_journal::{
    Body, DeadlockSuspected, Entry, PoolConfigured, PoolResumed, Record, WakeName,
};
use heronry_types::{
    Actor, Condition, Lineage, Position, ResumeCause, RunId, Timestamp, Visibility,
};

use super::{
    prospect::{Acting, Need, Prospect, Prospects},
    stuck::Stuck,
};
use crate::{
    State,
    condition::holds,
    decide::WakeEvents,
    project,
    state::{Earlier, Member, Suspension, Wake},
};

/// The highest number of suspended runs that one step of a walk looks at.
const RUNS_AT_ONCE: usize = 256;
/// The highest number of runs that are looked at together because nobody awake could resume them; others
/// count as able to act.
const STUCK_MAX: usize = 4_096;
/// The highest weight of the wakes of such runs, in bytes, and of the wakes of one step unless it looks
/// at one run alone.
const WEIGHT_MAX: usize = 1 << 20;
/// The weight of a wake beside the text of its filter, in bytes.
const WAKE_WEIGHT: usize = 64;

/// The material of a look: the state at a time, and the number of events that count already for each
/// filter of a wake.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) state: &'a State,
    pub(crate) now: Timestamp,
    pub(crate) counted: &'a dyn Fn(Position) -> Vec<u32>,
}

/// The progress of a walk over the suspended runs.
#[derive(Debug, Default)]
pub(super) struct SuspicionWalk {
    /// The last run that was looked at.
    after: Option<RunId>,
    /// Those that no member which is awake could resume.
    stuck: Vec<RunId>,
    /// The weight of their wakes, in bytes.
    weight: usize,
}

impl SuspicionWalk {
    /// Returns true when it has looked at some runs, and not at all.
    pub(super) fn has_begun(&self) -> bool {
        self.after.is_some()
    }

    /// Looks at the next suspended runs; returns true when there may be more.
    pub(super) fn step(&mut self, sight: Sight<'_>) -> bool {
        let state = sight.state;
        let acts = |member: &Member| is_there(member) && !waits(member);
        let acting = Acting::of(state, &acts);
        let mut look = SuspicionLook::new(sight);
        let following = state.members.suspended_after(self.after.as_ref());
        let runs: Vec<&RunId> = following.take(RUNS_AT_ONCE).collect();
        let (mut looked_at, mut in_step) = (0, 0);
        for run in &runs {
            // Who names no wake waits for its own process.
            let suspension = state.members.suspension(run);
            let waiting = suspension.filter(|it| !it.wakes.is_empty());
            let weight = waiting.map_or(0, |it| weight(state, it));
            in_step += weight;
            if looked_at > 0 && in_step > WEIGHT_MAX {
                break;
            }
            looked_at += 1;
            self.after = Some((*run).clone());
            if self.stuck.len() < STUCK_MAX
                && self.weight + weight <= WEIGHT_MAX
                && let Some(suspension) = waiting
                && !look.sleeper(suspension, &acting).is_possible(&acting)
            {
                self.stuck.push((*run).clone());
                self.weight += weight;
            }
        }
        looked_at == RUNS_AT_ONCE || looked_at < runs.len()
    }

    /// Returns the records of what is suspected of those that were found, and was not said before.
    pub(super) fn finish(self, sight: Sight<'_>) -> Vec<Entry> {
        let state = sight.state;
        let found: BTreeSet<RunId> = self.stuck.into_iter().collect();
        let acts = |member: &Member| is_there(member) && !found.contains(&member.run);
        let acting = Acting::of(state, &acts);
        let mut look = SuspicionLook::new(sight);
        let sleeper = |run: &RunId| {
            let suspension = state.members.suspension(run)?;
            let waiting = !suspension.wakes.is_empty();
            waiting.then(|| (run.clone(), look.sleeper(suspension, &acting)))
        };
        let sleepers: BTreeMap<RunId, Sleeper<'_>> = found.iter().filter_map(sleeper).collect();
        Stuck::new(state, sleepers).said()
    }
}

/// Returns the weight of a look at a suspension, in bytes: the texts of its wakes' filters are read
/// again.
fn weight(state: &State, suspension: &Suspension) -> usize {
    let wakes = suspension.wakes.iter();
    let wakes = wakes.filter_map(|name| state.wakes.get(name.registered));
    let each = wakes.map(|wake: &Wake| WAKE_WEIGHT + wake.registered.filter.len());
    each.sum()
}

/// Returns true when a member is not lost.
pub(super) fn is_there(member: &Member) -> bool {
    member.lost_until.is_none()
}

/// Returns true when a member is suspended until one of its wakes ends.
fn waits(member: &Member) -> bool {
    let suspension = member.suspension.as_deref();
    suspension.is_some_and(|suspension| !suspension.wakes.is_empty())
}

/// A wake whose end resumes a run.
#[derive(Debug)]
pub(super) struct ResumingWake<'a> {
    pub(super) name: &'a WakeName,
    /// The condition of the wake. `None` for one that has ended, or whose earlier events nobody knows
    /// yet.
    pub(super) condition: Option<Condition<Prospect>>,
}

impl ResumingWake<'_> {
    /// Returns true when those who act could make its condition hold, or when nobody knows its
    /// condition.
    pub(super) fn is_possible(&self, acting: &Acting<'_>) -> bool {
        let Some(condition) = &self.condition else {
            return true;
        };
        let mut leaf = |it: &Prospect| Ok::<_, std::convert::Infallible>(it.is_possible(acting));
        match condition.try_map(&mut leaf) {
            Ok(leaves) => holds(&leaves),
            Err(never) => match never {},
        }
    }
}

/// A suspended run, as one look sees it.
#[derive(Debug)]
pub(super) struct Sleeper<'a> {
    pub(super) suspension: &'a Suspension,
    pub(super) waits: Vec<ResumingWake<'a>>,
}

impl Sleeper<'_> {
    /// Returns true when those who act could resume it.
    pub(super) fn is_possible(&self, acting: &Acting<'_>) -> bool {
        self.waits.iter().any(|wait| wait.is_possible(acting))
    }

    pub(super) fn prospects(&self) -> impl Iterator<Item = &Prospect> {
        let conditions = self.waits.iter().filter_map(|it| it.condition.as_ref());
        conditions.flat_map(|condition| condition.clauses().into_iter().map(|it| it.filter))
    }

    /// Returns the least that any member would need to resume it.
    pub(super) fn anyone(&self) -> Option<Need> {
        self.prospects().filter_map(|it| it.anyone).min()
    }
}

/// One look at what suspended runs wait for.
struct SuspicionLook<'a> {
    sight: Sight<'a>,
    prospects: Prospects<'a>,
}

impl<'a> SuspicionLook<'a> {
    fn new(sight: Sight<'a>) -> Self {
        let nobodys = of_nobody(sight.state, sight.now);
        Self {
            sight,
            prospects: Prospects::new(sight.state, nobodys),
        }
    }

    fn sleeper(&mut self, suspension: &'a Suspension, acting: &Acting<'_>) -> Sleeper<'a> {
        let waits = suspension.wakes.iter().map(|name| ResumingWake {
            name,
            condition: self.condition(name, acting),
        });
        let waits = waits.collect();
        Sleeper { suspension, waits }
    }

    /// Returns the condition of a wake that has not ended, and to which no earlier event can come.
    fn condition(&mut self, name: &WakeName, acting: &Acting<'_>) -> Option<Condition<Prospect>> {
        let wake: &Wake = self.sight.state.wakes.get(name.registered)?;
        if wake.end.is_some() || wake.earlier != Earlier::Seen {
            return None;
        }
        let alone = || Condition::Filter(wake.registered.filter.clone());
        let condition = wake.condition.as_deref().cloned().unwrap_or_else(alone);
        let needed: Vec<u32> = condition.clauses().iter().map(|it| it.needed).collect();
        let counted = (self.sight.counted)(name.registered);
        let is_full = |number: usize| {
            let has = counted.get(number).copied().unwrap_or(0);
            needed.get(number).is_some_and(|needed| has >= *needed)
        };
        let wake_events = WakeEvents::of(&wake.registered);
        let mut numbers = 0..;
        let leaf = condition.try_map(&mut |text: &String| {
            let filter = Filter::compile(text)?;
            let is_full = numbers.next().is_some_and(is_full);
            Ok::<_, heronry_event::filter::CompileErrors>(if is_full {
                Prospect::sure()
            } else {
                self.prospects.of(&filter, wake_events, acting)
            })
        });
        // It was compiled when it was registered, and when the pool was opened.
        leaf.ok()
    }
}

/// The events that come without any member: they are of no run.
pub(super) fn of_nobody(state: &State, now: Timestamp) -> Vec<Envelope> {
    let resumed = Body::PoolResumed(PoolResumed {
        cause: ResumeCause::Paused,
        since: now,
    });
    let configured = Body::PoolConfigured(PoolConfigured {
        settings: state.settings.clone(),
        version: state.settings_version + 1,
    });
    let suspected = Body::DeadlockSuspected(DeadlockSuspected {
        runs: Vec::new(),
        wakes: Vec::new(),
    });
    let bodies = [
        (Actor::Engine, resumed),
        (Actor::Operator, configured),
        (Actor::Engine, suspected),
    ];
    let event = |(actor, body)| {
        let record = Record {
            position: state.head.next(),
            recorded_at: now,
            entry: of_pool(state, actor, body),
        };
        project(&state.timelines, &record).envelope
    };
    bodies.into_iter().map(event).collect()
}

pub(super) fn of_pool(state: &State, actor: Actor, body: Body) -> Entry {
    Entry {
        lineage: Lineage::of_pool(state.pool.clone()),
        actor,
        visibility: Visibility::InScope,
        body,
    }
}
