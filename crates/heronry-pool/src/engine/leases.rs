//! Leases of members: until when each may be silent. This is not recorded; only that it was lost is.

use std::collections::BTreeSet;

use heronry_journal::{Body, Noun, Record, RosterRecord};
use heronry_store::KeyedMap;
use heronry_types::{Generation, Millis, RunId, Timestamp};

use crate::{
    State,
    command::Speaker,
    decide::{back_entry, left_entries, lost_entry},
    engine::{Engine, matching::MatchTurn},
    state::Member,
};

/// The highest number of members that one append loses, and of those that leave in it.
const MEMBERS_MAX: usize = 64;

/// The lease of one member.
#[derive(Clone, Copy, Debug)]
struct Lease {
    term: Millis,
    /// The time when it ends. `None` while the member is lost.
    until: Option<Timestamp>,
    /// Its place in the order: at its end or before. Being heard of does not move it.
    placed: Timestamp,
}

/// The lease of a member that begins.
#[derive(Clone, Copy, Debug)]
struct Begun {
    term: Millis,
    /// Its end; absent for one that cannot end.
    until: Option<Timestamp>,
}

/// The leases of the members that have one.
#[derive(Debug, Default)]
pub(super) struct Leases {
    by_run: KeyedMap<RunId, Lease>,
    order: BTreeSet<(Timestamp, RunId)>,
}

impl Leases {
    /// Returns true when a lease can end.
    pub(super) fn watches(&self) -> bool {
        !self.order.is_empty()
    }

    /// Returns when to look at the leases next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Returns when the first lease should have ended, among those missed by more than this much.
    pub(super) fn missed(&self, now: Timestamp, by: Millis) -> Option<Timestamp> {
        self.order
            .iter()
            .take_while(|(at, _)| now.since(*at) > by)
            .filter_map(|(_, run)| self.by_run.get(run)?.until)
            .find(|until| now.since(*until) > by)
    }

    /// Starts the lease of a member, from now on or anew; a lost member has one that cannot end.
    fn start(&mut self, run: &RunId, Begun { term, until }: Begun) {
        self.forget(run);
        let placed = until.unwrap_or_default();
        if until.is_some() {
            self.order.insert((placed, run.clone()));
        }
        let lease = Lease {
            term,
            until,
            placed,
        };
        self.by_run.insert(run.clone(), lease);
    }

    fn forget(&mut self, run: &RunId) {
        if let Some(lease) = self.by_run.remove(run) {
            self.order.remove(&(lease.placed, run.clone()));
        }
    }

    /// Returns whether the lease of a member cannot end; nothing for a member without one.
    fn stands_still(&self, run: &RunId) -> Option<bool> {
        Some(self.by_run.get(run)?.until.is_none())
    }

    /// Lets a member be looked at again whose lease has ended.
    fn look_again(&mut self, run: &RunId) {
        if let Some(lease) = self.by_run.get(run) {
            self.order.insert((lease.placed, run.clone()));
        }
    }

    fn renew(&mut self, run: &RunId, now: Timestamp) {
        if let Some(lease) = self.by_run.get_mut(run) {
            let again = now.after(lease.term);
            lease.until = lease.until.map(|until| until.max(again));
        }
    }

    /// Begins every lease that can end again.
    fn renew_all(&mut self, now: Timestamp) {
        let watched: Vec<_> = std::mem::take(&mut self.order).into_iter().collect();
        for (_, run) in watched {
            if let Some(lease) = self.by_run.get_mut(&run) {
                let again = now.after(lease.term);
                lease.until = Some(again);
                lease.placed = again;
                self.order.insert((again, run));
            }
        }
    }

    /// Walks the members to look at now: their leases have ended, or were renewed since.
    fn due(&self, now: Timestamp) -> impl Iterator<Item = &RunId> + '_ {
        let due = self.order.iter().take_while(move |(at, _)| *at <= now);
        due.map(|(_, run)| run)
    }

    /// Returns the first members whose leases have ended; those that were heard of are placed anew.
    fn ended(&mut self, now: Timestamp) -> Vec<RunId> {
        let mut ended = Vec::new();
        while ended.len() < MEMBERS_MAX && self.next().is_some_and(|at| at <= now) {
            let Some((_, run)) = self.order.pop_first() else {
                break;
            };
            let Some(lease) = self.by_run.get_mut(&run) else {
                continue;
            };
            match lease.until {
                Some(until) if until > now => {
                    lease.placed = until;
                    self.order.insert((until, run));
                }
                Some(_) | None => ended.push(run),
            }
        }
        ended
    }
}

impl Engine {
    /// Returns when something is due next; a time that has passed when something is due already.
    pub fn next_due(&self, now: Timestamp) -> Option<Timestamp> {
        let deadline = self.state.deadlines.next(now);
        let others = [self.leases.next(), self.suspicion.next()];
        others.into_iter().chain([deadline]).flatten().min()
    }

    /// Returns true when a deadline is due at this time.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let deadlines = &self.state.deadlines;
        if self.has_backlog() && !self.is_little_behind() {
            // Wakes and members wait for that, and no command waits for them.
            return deadlines.due_of_contents(now).next().is_some();
        }
        let lease = self.leases.next().is_some_and(|at| at <= now);
        lease || deadlines.due(now).next().is_some()
    }

    pub(super) fn hear_waiting(&mut self, is_waiting: impl Fn(&RunId, Generation) -> bool) {
        let due = self.leases.due(self.now);
        let members = due.filter_map(|run| self.state.members.get(run));
        let waiting: Vec<RunId> = members
            .filter(|member| is_waiting(&member.run, member.generation))
            .map(|member| member.run.clone())
            .collect();
        for run in &waiting {
            self.leases.renew(run, self.now);
            self.heard.note(run, self.now);
        }
    }

    /// Starts the leases of the members that the journal tells of.
    pub(super) fn watch_leases(&mut self) {
        for member in self.state.members.iter() {
            if let Some(lease) = lease_of(&self.state, member, self.state.time) {
                self.leases.start(&member.run, lease);
            }
        }
    }

    /// A member is heard of: its lease begins again where it has one, and it is back if it was lost.
    pub(super) fn hear(&mut self, speaker: Option<Speaker<'_>>) {
        let Some((speaker, member)) = speaker.and_then(|by| Some((by, by.member(&self.state)?)))
        else {
            return;
        };
        self.heard.note(&member.run, self.now);
        if member.lease.is_none() {
            return;
        }
        let (run, is_lost) = (member.run.clone(), member.lost_until.is_some());
        if is_lost {
            let entry = back_entry(&self.state, speaker, member);
            self.stage_entry(entry);
            self.drain_triggers();
        }
        self.leases.renew(&run, self.now);
    }

    /// Keeps the leases as the records say.
    pub(super) fn note_lease(&mut self, record: &Record) {
        let run = record.entry.lineage.run.as_ref();
        if let Body::PoolResumed(_) = &record.entry.body {
            self.leases.renew_all(self.now);
        } else if let (Some(run), true) = (run, is_about_member(&record.entry.body)) {
            let member = self.state.members.get(run);
            let lease = member.and_then(|member| lease_of(&self.state, member, self.now));
            // What is said of the roster begins a lease only where it ends a pause, or pauses it.
            let is_of_roster = matches!(record.entry.body.noun(), Noun::Roster(_));
            if is_of_roster && self.leases.stands_still(run) == lease.map(|it| it.until.is_none()) {
                return;
            }
            match lease {
                Some(lease) => self.leases.start(run, lease),
                None => self.leases.forget(run),
            }
            // Who joins is heard of; and so is nobody else of whom these records tell.
            if matches!(
                record.entry.body,
                Body::MemberJoined(_) | Body::MemberTakenOver(_)
            ) {
                self.leases.renew(run, self.now);
            }
        }
    }

    /// Decides which members are lost, which suspended ones go on and which lost ones leave; returns
    /// true when there may be more.
    pub(super) fn tick_members(&mut self) -> bool {
        let lost = self.leases.ended(self.now);
        for run in &lost {
            if self.is_behind() {
                self.leases.look_again(run);
            } else if let Some(entry) = lost_entry(&self.state, run, self.now) {
                self.stage_entry(entry);
            }
        }
        if self.is_behind() {
            return true;
        }
        let resumed = self.tick_suspended();
        let due = self.state.deadlines.due(self.now);
        let leaving = due.filter_map(|due| due.leaver().cloned());
        let leaving: Vec<RunId> = leaving.take(MEMBERS_MAX).collect();
        for run in &leaving {
            // Who is left is still due.
            if self.is_behind() {
                break;
            }
            let mut entries = left_entries(&self.state, run);
            entries.retain(|entry| !self.triggers.has_decided(&entry.body));
            let turn = self.take_turns(MatchTurn::AtOnce);
            self.stage_all(entries);
            self.take_turns(turn);
        }
        !lost.is_empty() || !leaving.is_empty() || resumed
    }
}

/// Returns the lease of a member if it starts now; that of a lost, suspended or dormant member does not end.
/// `None` for a member without a lease.
fn lease_of(state: &State, member: &Member, now: Timestamp) -> Option<Begun> {
    let term = member.lease?;
    let stands_still = member.lost_until.is_some()
        || member.suspension.is_some()
        || state.roster.is_dormant(member);
    Some(Begun {
        term,
        until: (!stands_still).then(|| now.after(term)),
    })
}

/// Returns true when the record may start, end or change the lease of its run.
pub(super) fn is_about_member(body: &Body) -> bool {
    match body.noun() {
        Noun::Member(_)
        | Noun::Roster(RosterRecord::MemberSpecified(_) | RosterRecord::MemberStandingChanged(_)) => {
            true
        }
        Noun::Roster(
            RosterRecord::StewardTaken(_)
            | RosterRecord::StewardReleased(_)
            | RosterRecord::RosterDeclared(_)
            | RosterRecord::ModuleStandingChanged(_)
            | RosterRecord::Reconciled(_)
            | RosterRecord::RuntimeErrorRecorded(_),
        )
        | Noun::Pool(_)
        | Noun::Message(_)
        | Noun::Wake(_)
        | Noun::Effect(_)
        | Noun::Content(_)
        | Noun::Source(_)
        | Noun::Wiring(_)
        | Noun::Nothing(_) => false,
    }
}
