//! Runs that wait only on each other, and waits that nobody can end: suspected, and never acted on.

use std::collections::{BTreeMap, BTreeSet};

use heronry_event::{Envelope, Identity, filter::Filter};
use heronry_journal::{
    Body, DeadlockSuspected, Entry, PoolConfigured, PoolResumed, Record, WakeName, WakeOrphaned,
};
use heronry_types::{
    Actor, Condition, Lineage, Position, ResumeCause, RunId, Timestamp, Visibility,
};

use super::draft::Author;
use crate::{
    State,
    explain::holds,
    project,
    state::{Member, Suspension, Wake},
};

/// How many suspended runs one look considers; whoever is suspended beside them counts as able to act.
const RUNS_MAX: usize = 256;
/// How many times one look asks whether a member could author an event; beyond, it is taken as able to.
const TESTS_MAX: usize = 20_000;
/// How many runs and how many wakes one record names at the most.
const NAMED_MAX: usize = 500;

/// One filter of a wake.
#[derive(Debug)]
struct Leaf {
    filter: Filter,
    /// Whether it has kept enough already, or could keep an event of no run.
    is_free: bool,
}

/// A wake whose end resumes a run.
#[derive(Debug)]
struct Wait<'a> {
    name: &'a WakeName,
    /// What it waits for; absent for one that has ended.
    condition: Option<Condition<Leaf>>,
}

impl Wait<'_> {
    /// Whether its condition could come to hold, when `could` says which filters could.
    fn is_possible(&self, could: &mut dyn FnMut(&Leaf) -> bool) -> bool {
        let Some(condition) = &self.condition else {
            return true;
        };
        let mut leaf = |leaf: &Leaf| Ok::<_, std::convert::Infallible>(could(leaf) || leaf.is_free);
        match condition.try_map(&mut leaf) {
            Ok(leaves) => holds(&leaves),
            Err(never) => match never {},
        }
    }
}

/// A suspended run, as one look sees it.
#[derive(Debug)]
struct Sleeper<'a> {
    suspension: &'a Suspension,
    waits: Vec<Wait<'a>>,
    /// Whom it waits for among those that sleep; filled when it is known to be stuck.
    waits_on: BTreeSet<&'a RunId>,
}

/// One look at who waits on whom.
struct Look<'a> {
    state: &'a State,
    /// Those that are taken to be stuck, until something is found that could resume them.
    stuck: BTreeMap<&'a RunId, Sleeper<'a>>,
    tests: usize,
}

/// Returns the records of what is suspected now and was not said before. `counted` says how many
/// events count already for each filter of a wake.
pub(crate) fn stalls(
    state: &State,
    now: Timestamp,
    counted: &dyn Fn(Position) -> Vec<u32>,
) -> Vec<Entry> {
    let nobodys = of_nobody(state, now);
    let wait = |name| Wait {
        name,
        condition: condition(state, name, (&nobodys, counted)),
    };
    let asleep = state.members.suspended().take(RUNS_MAX);
    let waiting = asleep.filter_map(|run| {
        let suspension = state.members.suspension(run)?;
        let sleeper = Sleeper {
            suspension,
            waits: suspension.wakes.iter().map(wait).collect(),
            waits_on: BTreeSet::new(),
        };
        // Who names no wake waits for its own process.
        (!suspension.wakes.is_empty()).then_some((run, sleeper))
    });
    let mut look = Look {
        state,
        stuck: waiting.collect(),
        tests: TESTS_MAX,
    };
    look.drop_possible();
    let mut entries = look.orphans();
    entries.extend(look.deadlocks());
    entries
}

/// What a wake that has not ended waits for.
fn condition(
    state: &State,
    name: &WakeName,
    (nobodys, counted): (&[Envelope], &dyn Fn(Position) -> Vec<u32>),
) -> Option<Condition<Leaf>> {
    let wake: &Wake = state.wakes.get(name.registered)?;
    if wake.end.is_some() {
        return None;
    }
    let alone = || Condition::Filter(wake.registered.filter.clone());
    let condition = wake.condition.as_deref().cloned().unwrap_or_else(alone);
    let needed: Vec<u32> = condition.clauses().iter().map(|it| it.needed).collect();
    let counted = counted(name.registered);
    let is_full = |number: usize| {
        let has = counted.get(number).copied().unwrap_or(0);
        needed.get(number).is_some_and(|needed| has >= *needed)
    };
    let mut numbers = 0..;
    let leaf = condition.try_map(&mut |text: &String| {
        let filter = Filter::compile(text)?;
        let is_full = numbers.next().is_some_and(is_full);
        let is_free = is_full || nobodys.iter().any(|it| filter.matches(it));
        Ok::<_, heronry_event::filter::CompileErrors>(Leaf { filter, is_free })
    });
    // It was compiled when it was registered, and when the pool was opened.
    leaf.ok()
}

/// The events that come without any member: they are of no run.
fn of_nobody(state: &State, now: Timestamp) -> Vec<Envelope> {
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

fn of_pool(state: &State, actor: Actor, body: Body) -> Entry {
    Entry {
        lineage: Lineage::of_pool(state.pool.clone()),
        actor,
        visibility: Visibility::InScope,
        body,
    }
}

fn identity(state: &State, member: &Member) -> Identity {
    let mut identity = Identity::new(state.pool.clone());
    identity.run = Some(member.run.clone());
    identity.agent = Some(member.agent.clone());
    identity.session.clone_from(&member.session);
    identity
}

impl<'a> Look<'a> {
    /// Leaves only those that nobody who can act could resume.
    fn drop_possible(&mut self) {
        loop {
            let before = self.stuck.len();
            let runs: Vec<&RunId> = self.stuck.keys().copied().collect();
            for run in runs {
                self.drop_if_possible(run);
            }
            if self.stuck.len() == before {
                return;
            }
        }
    }

    fn drop_if_possible(&mut self, run: &RunId) {
        if self.is_possible(run) {
            self.stuck.remove(run);
        }
    }

    /// Whether a member that can act could resume this run.
    fn is_possible(&mut self, run: &RunId) -> bool {
        let Some(sleeper) = self.stuck.get(run) else {
            return true;
        };
        let (state, stuck, tests) = (self.state, &self.stuck, &mut self.tests);
        let mut could = |leaf: &Leaf| {
            let mut acting = live(state).filter(|it| !stuck.contains_key(&it.run));
            acting.any(|member| lets_in(tests, leaf, state, member))
        };
        let mut waits = sleeper.waits.iter();
        waits.any(|wait| wait.is_possible(&mut could))
    }

    /// Finds whom the stuck runs wait for, and returns the records of the wakes that nobody can end.
    fn orphans(&mut self) -> Vec<Entry> {
        let mut orphaned = Vec::new();
        let runs: Vec<&RunId> = self.stuck.keys().copied().collect();
        let mut all = Vec::new();
        for run in runs {
            let Some(sleeper) = self.stuck.get(run) else {
                continue;
            };
            let (state, stuck, tests) = (self.state, &self.stuck, &mut self.tests);
            let mut waits_on = BTreeSet::new();
            let mut could = |leaf: &Leaf| {
                let found = live(state).filter(|it| lets_in(tests, leaf, state, it));
                let found: Vec<&RunId> = found.map(|it| &it.run).collect();
                waits_on.extend(found.iter().copied().filter(|it| stuck.contains_key(it)));
                !found.is_empty()
            };
            for wait in &sleeper.waits {
                let is_known = sleeper.suspension.orphaned.contains(&wait.name.registered);
                let is_new = !wait.is_possible(&mut could) && !is_known;
                orphaned.extend(is_new.then(|| orphan(state, run, wait.name)));
            }
            all.push((run, waits_on));
        }
        for (run, waits_on) in all {
            if let Some(sleeper) = self.stuck.get_mut(run) {
                sleeper.waits_on = waits_on;
            }
        }
        orphaned
    }

    /// Returns the records of those that wait for each other, or for somebody who does.
    fn deadlocks(mut self) -> Vec<Entry> {
        loop {
            let before = self.stuck.len();
            let left: BTreeSet<&RunId> = self.stuck.keys().copied().collect();
            self.stuck.retain(|_, sleeper| {
                sleeper.waits_on.retain(|run| left.contains(run));
                !sleeper.waits_on.is_empty()
            });
            if self.stuck.len() == before {
                break;
            }
        }
        let mut entries = Vec::new();
        while let Some(first) = self.stuck.keys().next().copied() {
            let group = self.take_group(first);
            let named = || group.iter().take(NAMED_MAX);
            if named().any(|(_, suspension)| suspension.suspected.is_none()) {
                let wakes = named().flat_map(|(_, suspension)| suspension.wakes.iter());
                let body = DeadlockSuspected {
                    runs: named().map(|(run, _)| (*run).clone()).collect(),
                    wakes: wakes.take(NAMED_MAX).cloned().collect(),
                };
                let body = Body::DeadlockSuspected(body);
                entries.push(of_pool(self.state, Actor::Engine, body));
            }
        }
        entries
    }

    /// Takes out whoever is connected with this run, in order.
    fn take_group(&mut self, first: &'a RunId) -> Vec<(&'a RunId, &'a Suspension)> {
        let mut group: BTreeMap<&RunId, &Suspension> = BTreeMap::new();
        let mut open = vec![first];
        while let Some(run) = open.pop() {
            let Some(sleeper) = self.stuck.remove(run) else {
                continue;
            };
            group.insert(run, sleeper.suspension);
            open.extend(sleeper.waits_on);
            let waiting = self.stuck.iter();
            let waiting = waiting.filter(|(_, it)| it.waits_on.contains(run));
            open.extend(waiting.map(|(run, _)| *run));
        }
        group.into_iter().collect()
    }
}

/// The members that are there: not those that are lost.
fn live(state: &State) -> impl Iterator<Item = &Member> + '_ {
    let members = state.members.iter();
    members.filter(|member| member.lost_until.is_none())
}

/// Whether a member could author what a filter keeps; when too much was asked already, it could.
fn lets_in(tests: &mut usize, leaf: &Leaf, state: &State, member: &Member) -> bool {
    if *tests == 0 {
        return true;
    }
    *tests -= 1;
    leaf.filter.could_be_by(&identity(state, member))
}

fn orphan(state: &State, run: &RunId, wake: &WakeName) -> Entry {
    let author = Author::engine(state.lineage_of(run)).caused_by(wake.registered);
    author.last_entry(Body::WakeOrphaned(WakeOrphaned {
        registered: wake.registered,
        wake_id: wake.wake_id.clone(),
    }))
}
