//! The rules of a journal about the roster.

use std::collections::{BTreeMap, VecDeque};

use heronry_journal::{
    MemberSpecified, MemberStandingChanged, ModuleStandingChanged, Record, RosterDeclared,
    RosterRecord, RuntimeErrorRecorded, StewardTaken,
};
use heronry_types::{
    Actor, Digest, Generation, InstanceId, Labels, MemberStanding, ModuleId, ModuleStanding,
    Position, RosterLayer, RunId, RuntimeErrorId, SOURCE_WINDOW, StewardToken,
};

use super::{Ledger, copies::Slot, run_of};

/// The most modules whose standings are kept.
const MODULES_MAX: usize = 1_024;

/// The steward as the journal shows it.
#[derive(Debug)]
struct Keeper {
    token: StewardToken,
    instance: InstanceId,
    owner: u64,
}

/// A member as it was specified.
#[derive(Debug, Eq, PartialEq)]
struct Spec {
    digest: Digest,
    labels: Labels,
    layer: RosterLayer,
    why: Option<String>,
}

/// The standing of a member, its reason, and the joining that stands so.
type Stands = (MemberStanding, Option<String>, Option<Generation>);

/// The roster as the journal shows it.
#[derive(Debug, Default)]
pub(super) struct Rota {
    keeper: Option<Keeper>,
    revision: u64,
    declared: BTreeMap<RosterLayer, Digest>,
    /// True in a timeline that began elsewhere, until something is declared.
    is_held: bool,
    rows: BTreeMap<RunId, (Spec, Option<Stands>)>,
    modules: BTreeMap<ModuleId, (ModuleStanding, Option<String>, Position)>,
    errors: VecDeque<RuntimeErrorId>,
    /// The members that fell dormant and were not suspended, and when: they hold no older claim.
    fallen: BTreeMap<RunId, Position>,
}

impl Ledger {
    pub(super) fn of_roster(&mut self, record: &Record, body: RosterRecord<'_>) {
        assert_eq!(record.entry.actor, Actor::Operator, "operators keep a pool");
        match body {
            RosterRecord::StewardTaken(body) => self.steward_taken(record, body),
            RosterRecord::StewardReleased(body) => {
                let gone = self.rota.keeper.take().map(|keeper| keeper.token);
                assert_eq!(gone, Some(body.steward), "the present one goes");
            }
            RosterRecord::RosterDeclared(body) => self.roster_declared(body),
            RosterRecord::MemberSpecified(body) => self.member_specified(record, body),
            RosterRecord::MemberStandingChanged(body) => self.stands(record, body),
            RosterRecord::ModuleStandingChanged(body) => self.module_stands(record, body),
            RosterRecord::Reconciled(body) => {
                assert!(self.rota.keeper.is_some(), "a steward reconciles");
                let told = body.failures.len() as u64;
                assert!(told <= body.counts.failed, "no more are told than failed");
            }
            RosterRecord::RuntimeErrorRecorded(body) => self.runtime_error(body),
        }
    }

    /// Returns the stewardship that holds.
    pub fn steward(&self) -> Option<StewardToken> {
        self.rota.keeper.as_ref().map(|keeper| keeper.token)
    }

    /// Returns true when a run is specified in the roster.
    pub fn is_specified(&self, run: &RunId) -> bool {
        self.rota.rows.contains_key(run)
    }

    /// Returns true when a member has no process and is started by a cause: it cannot be lost.
    pub fn is_dormant(&self, run: &RunId) -> bool {
        let stands = self.rota.rows.get(run).and_then(|(_, it)| it.as_ref());
        stands.is_some_and(|(standing, _, generation)| {
            *standing == MemberStanding::Dormant
                && generation.is_some()
                && *generation == self.generation(run)
        })
    }

    /// A timeline begins in another place.
    pub(super) fn roster_begins_elsewhere(&mut self, record: &Record) {
        let runs: Vec<RunId> = self.rota.rows.keys().cloned().collect();
        for run in runs {
            let why = Some("new_timeline".to_owned());
            let stands = (MemberStanding::Dormant, why, self.generation(&run));
            self.set_stands(record, &run, stands);
        }
        self.rota.keeper = None;
        self.rota.is_held = !self.rota.declared.is_empty();
    }

    fn steward_taken(&mut self, record: &Record, body: &StewardTaken) {
        let before = self.rota.keeper.as_ref();
        assert_eq!(body.replaced, before.map(|it| it.token), "it says whom");
        let same = before.is_some_and(|it| it.owner == body.owner && it.instance == body.instance);
        assert!(!same, "the steward does not take it again");
        self.rota.keeper = Some(Keeper {
            token: StewardToken(record.position),
            instance: body.instance.clone(),
            owner: body.owner,
        });
    }

    fn roster_declared(&mut self, body: &RosterDeclared) {
        if body.steward.is_some() {
            assert_eq!(body.steward, self.steward(), "the present one declares");
        }
        assert_eq!(body.revision, self.rota.revision + 1, "revisions are dense");
        let before = self.rota.declared.insert(body.layer, body.digest);
        let is_new = before != Some(body.digest) || self.rota.is_held;
        assert!(is_new, "what is declared is not declared again");
        (self.rota.revision, self.rota.is_held) = (body.revision, false);
    }

    fn member_specified(&mut self, record: &Record, body: &MemberSpecified) {
        assert!(self.rota.keeper.is_some(), "a steward specifies");
        let run = run_of(record);
        let was_dormant = self.is_dormant(&run);
        let before = self.rota.rows.remove(&run);
        let Some(digest) = body.digest else {
            assert!(before.is_some(), "who goes was specified");
            if was_dormant {
                self.seat(&run).heard = record.recorded_at;
            }
            return;
        };
        let spec = Spec {
            digest,
            labels: body.labels.clone(),
            layer: body.layer,
            why: body.why.clone(),
        };
        let (before, stands) = before.map_or((None, None), |(spec, stands)| (Some(spec), stands));
        assert!(before.as_ref() != Some(&spec), "nothing is said again");
        self.rota.rows.insert(run, (spec, stands));
    }

    fn stands(&mut self, record: &Record, body: &MemberStandingChanged) {
        assert!(
            self.rota.keeper.is_some(),
            "a steward says how members stand"
        );
        let run = run_of(record);
        assert_eq!(body.generation, self.generation(&run), "the present one");
        let stands = (body.standing, body.why.clone(), body.generation);
        let before = self.rota.rows.get(&run);
        let (_, before) = before.unwrap_or_else(|| panic!("{run} is specified"));
        assert!(before.as_ref() != Some(&stands), "nothing is said again");
        self.set_stands(record, &run, stands);
    }

    /// Notes how a member stands. Who falls dormant is not lost; who stands otherwise after that is heard of.
    fn set_stands(&mut self, record: &Record, run: &RunId, stands: Stands) {
        let was_dormant = self.is_dormant(run);
        if let Some((_, place)) = self.rota.rows.get_mut(run) {
            *place = Some(stands);
        }
        let is_dormant = self.is_dormant(run);
        if was_dormant && !is_dormant {
            self.seat(run).heard = record.recorded_at;
        } else if is_dormant && record.entry.lineage.run.is_some() {
            let (at, seat) = (record.position, self.seat(run));
            seat.lost_until = None;
            if seat.asleep.is_none() && !was_dormant {
                self.rota.fallen.insert(run.clone(), at);
            }
        }
    }

    /// Checks that who fell dormant has given back what it held.
    pub(super) fn check_dormant_at_rest(&mut self) {
        for (run, at) in std::mem::take(&mut self.rota.fallen) {
            let mut copies = self.letters.values().filter_map(|it| it.copies.get(&run));
            let holds = |slot| matches!(slot, Slot::Claimed(claim, _) if claim.fetched < at);
            let holds = copies.any(|copy| holds(copy.slot));
            assert!(!holds, "{run} gives back what it holds");
        }
    }

    fn module_stands(&mut self, record: &Record, body: &ModuleStandingChanged) {
        assert!(
            self.rota.keeper.is_some(),
            "a steward says how modules stand"
        );
        let modules = &mut self.rota.modules;
        if modules.len() >= MODULES_MAX && !modules.contains_key(&body.module) {
            let stopped = modules.iter();
            let stopped = stopped.filter(|(_, (it, ..))| *it == ModuleStanding::Stopped);
            let first = stopped.min_by_key(|(_, (.., at))| *at);
            let (first, _) = first.unwrap_or_else(|| panic!("there is room"));
            let first = first.clone();
            modules.remove(&first);
        }
        let stands = (body.standing, body.why.clone(), record.position);
        let before = modules.insert(body.module.clone(), stands);
        let same = before.is_some_and(|(it, why, _)| it == body.standing && why == body.why);
        assert!(!same, "nothing is said again");
    }

    fn runtime_error(&mut self, body: &RuntimeErrorRecorded) {
        let errors = &mut self.rota.errors;
        assert!(!errors.contains(&body.id), "an error is recorded once");
        errors.push_back(body.id.clone());
        if errors.len() > SOURCE_WINDOW {
            errors.pop_front();
        }
    }
}
