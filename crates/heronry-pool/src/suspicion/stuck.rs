//! Runs that nobody who can act could resume: which of them wait on each other, and which for nobody.

use std::collections::{BTreeMap, BTreeSet};

use heronry_journal::{Body, DeadlockSuspected, Entry, WakeName, WakeOrphaned};
use heronry_types::{Actor, RunId};

use super::{
    prospect::{Acting, Need, Prospect, may_send},
    walk::{Sleeper, is_there, of_pool},
};
use crate::{
    State,
    command::Author,
    state::{Member, Suspension},
};

/// The highest number of runs, and of wakes, that one record names.
const NAMED_MAX: usize = 500;

/// Runs that nobody could resume, until something is found that could.
pub(super) struct Stuck<'a> {
    state: &'a State,
    sleepers: BTreeMap<RunId, Sleeper<'a>>,
    /// For each of them, those whose wakes name it.
    waiting_on: BTreeMap<RunId, Vec<RunId>>,
}

/// The runs for which a run waits, among those that are stuck.
#[derive(Debug, Default)]
struct WaitsOn {
    runs: BTreeSet<RunId>,
    /// Whoever has what it needs.
    anyone: Option<Need>,
}

impl WaitsOn {
    fn is_for_nobody(&self) -> bool {
        self.anyone.is_none() && self.runs.is_empty()
    }
}

/// Says that none of these may send; returns those that wait for nobody now.
fn forget_senders(left: &mut BTreeMap<RunId, WaitsOn>) -> Vec<RunId> {
    let mut alone = Vec::new();
    for (run, waits) in left {
        waits.anyone = waits.anyone.filter(|need| *need == Need::Nothing);
        if waits.is_for_nobody() {
            alone.push(run.clone());
        }
    }
    alone
}

impl<'a> Stuck<'a> {
    pub(super) fn new(state: &'a State, sleepers: BTreeMap<RunId, Sleeper<'a>>) -> Self {
        let mut waiting_on: BTreeMap<RunId, Vec<RunId>> = BTreeMap::new();
        for (run, sleeper) in &sleepers {
            let named = sleeper.prospects().flat_map(Prospect::named);
            let named: BTreeSet<&RunId> = named.filter(|it| sleepers.contains_key(*it)).collect();
            for other in named {
                let waiting = waiting_on.entry(other.clone()).or_default();
                waiting.push(run.clone());
            }
        }
        Self {
            state,
            sleepers,
            waiting_on,
        }
    }

    /// Returns the records of what was not said before.
    pub(super) fn said(mut self) -> Vec<Entry> {
        self.drop_possible();
        let mut entries = self.orphans();
        entries.extend(self.deadlocks());
        entries
    }

    /// Leaves only those that nobody who can act could resume: whoever can be resumed can act.
    fn drop_possible(&mut self) {
        let state = self.state;
        let mut most = {
            let acts = |it: &Member| is_there(it) && !self.sleepers.contains_key(&it.run);
            Acting::of(state, &acts).most
        };
        let mut open: Vec<RunId> = self.sleepers.keys().cloned().collect();
        while let Some(run) = open.pop() {
            let acts = |it: &Member| is_there(it) && !self.sleepers.contains_key(&it.run);
            let acting = Acting {
                state,
                acts: &acts,
                most,
            };
            let sleeper = self.sleepers.get(&run);
            if !sleeper.is_some_and(|sleeper| sleeper.is_possible(&acting)) {
                continue;
            }
            self.sleepers.remove(&run);
            open.extend(self.waiting_on.get(&run).into_iter().flatten().cloned());
            let has = state.members.get(&run).map(|it| Need::of(state, it));
            if has > most {
                most = has;
                let of_anyone = self.sleepers.iter().filter(|(_, it)| it.anyone().is_some());
                open.extend(of_anyone.map(|(run, _)| run.clone()));
            }
        }
    }

    /// Returns true when a member is there and has what something needs.
    fn has(&self, run: &RunId, need: Need) -> bool {
        let member = self.state.members.get(run).filter(|it| is_there(it));
        member.is_some_and(|member| need == Need::Nothing || may_send(self.state, member))
    }

    /// Returns the records of the wakes that nobody at all could end.
    fn orphans(&self) -> Vec<Entry> {
        let all = Acting::of(self.state, &is_there);
        let mut orphaned = Vec::new();
        for (run, sleeper) in &self.sleepers {
            let known = &sleeper.suspension.orphaned;
            let waits = sleeper.waits.iter();
            let new = waits.filter(|wait| !known.contains(&wait.name.registered));
            let ends = new.filter(|wait| !wait.is_possible(&all));
            orphaned.extend(ends.map(|wait| orphan(self.state, run, wait.name)));
        }
        orphaned
    }

    /// Returns the records of those that wait for each other, or for somebody who does.
    fn deadlocks(&self) -> Vec<Entry> {
        let mut left = self.waits();
        let needs: BTreeSet<Need> = left.values().filter_map(|it| it.anyone).collect();
        let mut entries = Vec::new();
        while let Some(first) = left.keys().next().cloned() {
            let group = self.take_group(&mut left, first, needs.clone());
            let named = || {
                let group = group.iter().take(NAMED_MAX);
                group.filter_map(|run| Some((run, self.sleepers.get(run)?.suspension)))
            };
            if named().any(|(_, suspension): (_, &Suspension)| suspension.suspected.is_none()) {
                let wakes = named().flat_map(|(_, suspension)| suspension.wakes.iter());
                let body = DeadlockSuspected {
                    runs: named().map(|(run, _)| run.clone()).collect(),
                    wakes: wakes.take(NAMED_MAX).cloned().collect(),
                };
                let body = Body::DeadlockSuspected(body);
                entries.push(of_pool(self.state, Actor::Engine, body));
            }
        }
        entries
    }

    /// Returns the runs for which each waits, of those that wait for anybody who waits for somebody, and
    /// so on.
    fn waits(&self) -> BTreeMap<RunId, WaitsOn> {
        let waits = self.sleepers.iter().map(|(run, sleeper)| {
            let named = sleeper.prospects().flat_map(Prospect::named);
            let anyone = sleeper.anyone();
            let named = named.filter(|run| self.sleepers.contains_key(*run));
            let runs = named.cloned().collect();
            (run.clone(), WaitsOn { runs, anyone })
        });
        let mut left: BTreeMap<RunId, WaitsOn> = waits.collect();
        let senders = left.keys().filter(|run| self.has(run, Need::MaySend));
        let mut senders = senders.count();
        let mut open = Vec::new();
        if senders == 0 {
            open.extend(forget_senders(&mut left));
        }
        let alone = left.iter().filter(|(_, waits)| waits.is_for_nobody());
        open.extend(alone.map(|(run, _)| run.clone()));
        // Each goes once, and is taken from those that wait for it.
        while let Some(run) = open.pop() {
            if left.remove(&run).is_none() {
                continue;
            }
            let waiting = self.waiting_on.get(&run).into_iter().flatten();
            let alone = waiting.filter(|other| {
                let waits = left.get_mut(*other);
                waits.is_some_and(|waits| waits.runs.remove(&run) && waits.is_for_nobody())
            });
            open.extend(alone.cloned());
            let is_sender = self.has(&run, Need::MaySend);
            senders -= usize::from(is_sender);
            if is_sender && senders == 0 {
                open.extend(forget_senders(&mut left));
            }
        }
        left
    }

    /// Returns true when a run has what something needs, or waits for anyone who has.
    fn is_about(&self, need: Need, run: &RunId, waits: &WaitsOn) -> bool {
        waits.anyone == Some(need) || self.has(run, need)
    }

    /// Takes out whoever is connected with this run, in order.
    fn take_group(
        &self,
        left: &mut BTreeMap<RunId, WaitsOn>,
        first: RunId,
        mut needs: BTreeSet<Need>,
    ) -> BTreeSet<RunId> {
        let mut group = BTreeSet::new();
        let mut open = vec![first];
        while let Some(run) = open.pop() {
            let Some(waits) = left.remove(&run) else {
                continue;
            };
            // Who waits for anyone is connected with all who have what that needs, and so are they.
            needs.retain(|need| {
                let is_connected = self.is_about(*need, &run, &waits);
                let others = left.iter().filter(|_| is_connected);
                let others = others.filter(|(run, waits)| self.is_about(*need, run, waits));
                open.extend(others.map(|(run, _)| run.clone()));
                !is_connected
            });
            open.extend(waits.runs);
            open.extend(self.waiting_on.get(&run).into_iter().flatten().cloned());
            group.insert(run);
        }
        group
    }
}

fn orphan(state: &State, run: &RunId, wake: &WakeName) -> Entry {
    let author = Author::engine(state.lineage_of(run)).caused_by(wake.registered);
    author.last_entry(Body::WakeOrphaned(WakeOrphaned {
        registered: wake.registered,
        wake_id: wake.wake_id.clone(),
    }))
}
