//! The loop that keeps a pool: facts and orders come in, actions go out. What takes long runs beside it.

mod closing;
mod ends;
mod orders;
mod pass;
mod saying;
mod sleepers;
mod starts;
mod wiring;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use heronry_host::{HostedSubject, RecoveredIncarnation, Running, STOP_GRACE};
use heronry_types::{
    AliasName, Cursor, Digest, Edge, MemberStanding, Millis, ModuleId, Peering, RunId, RunsUntil,
};
use tokio::sync::{mpsc, watch};

use crate::{
    causes::CauseFinder,
    charge::{AfterStop, Charge, ChargeSlot, Process, StopWish},
    declare::{EffectiveRoster, Layers},
    kept::{KeptMember, KeptModule, StandingAge, runs_until},
    notice::Notice,
    order::{Order, OrderError},
    parts::RuntimeParts,
    phase::RuntimePhase,
    plan::{Actual, ActualAlias, ActualEdge, MembershipState},
    start::{Fact, LifeFact},
};
use closing::ClosingDown;
use pass::{Pass, WaitingPass};
use saying::Sayings;

/// The time after which the loop plans again, though nothing told it to.
const SAFETY_PASS: Millis = Millis::from_secs(30);

/// The signs that others see of a keeper, as they change.
#[derive(Debug)]
pub(crate) struct Signs {
    pub(crate) phase: watch::Sender<RuntimePhase>,
    /// True once every member that is waited for has ended.
    pub(crate) done: watch::Sender<bool>,
}

pub(crate) struct Keeper {
    pub(crate) parts: Arc<RuntimeParts>,
    pub(crate) layers: Layers,
    pub(crate) roster: Arc<EffectiveRoster>,
    /// The digest of the roster that was applied last.
    pub(crate) applied: Option<Digest>,
    pub(crate) revision: u64,
    pub(crate) members: BTreeMap<RunId, KeptMember>,
    pub(crate) modules: BTreeMap<ModuleId, KeptModule>,
    pub(crate) signs: Signs,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) facts: mpsc::Receiver<Fact>,
    /// The way on which lives tell their facts.
    pub(crate) tell: mpsc::Sender<Fact>,
    serial: u64,
    /// The cursor of the stewardship.
    began: Cursor,
    /// The way back to this loop.
    home: mpsc::WeakSender<Order>,
    /// The wiring of the pool, and the head at which it was read.
    edges: BTreeMap<Edge, ActualEdge>,
    aliases: BTreeMap<AliasName, ActualAlias>,
    peering: Peering,
    settings_version: u64,
    wiring_read: Option<Cursor>,
    finder: Option<CauseFinder>,
    /// Those for whom messages were left before; until everything up to the head was looked at.
    left_unread: Vec<RunId>,
    fell_asleep: Vec<RunId>,
    /// The question whether a job may end, and its answer.
    done_asked: Option<u64>,
    done_answered: Option<u64>,
    pass: Option<Pass>,
    waiting: VecDeque<WaitingPass>,
    sayings: Sayings,
    closing: Option<ClosingDown>,
    is_fenced: bool,
    safety_at: Millis,
}

/// The things that a keeper begins with.
pub(crate) struct KeeperStart {
    pub(crate) parts: Arc<RuntimeParts>,
    pub(crate) layers: Layers,
    pub(crate) roster: EffectiveRoster,
    pub(crate) applied: Option<Digest>,
    pub(crate) revision: u64,
    pub(crate) members: BTreeMap<RunId, KeptMember>,
    pub(crate) signs: Signs,
    pub(crate) orders: mpsc::Receiver<Order>,
    /// The way back to the loop.
    pub(crate) home: mpsc::WeakSender<Order>,
    /// The cursor of the stewardship.
    pub(crate) began: Cursor,
}

/// The most facts that wait for the loop; lives wait then.
const FACTS_WAITING: usize = 1_024;

impl Keeper {
    pub(crate) fn new(start: KeeperStart) -> Self {
        let (tell, facts) = mpsc::channel(FACTS_WAITING);
        let now = start.parts.clock.now().monotonic;
        let left = start.members.iter().filter(|(_, it)| it.had_unread);
        let left_unread = left.map(|(run, _)| run.clone()).collect();
        Self {
            parts: start.parts,
            layers: start.layers,
            roster: Arc::new(start.roster),
            applied: start.applied,
            revision: start.revision,
            members: start.members,
            modules: BTreeMap::new(),
            signs: start.signs,
            orders: start.orders,
            facts,
            tell,
            serial: 0,
            began: start.began,
            home: start.home,
            edges: BTreeMap::new(),
            aliases: BTreeMap::new(),
            peering: Peering::default(),
            settings_version: 0,
            wiring_read: None,
            finder: None,
            left_unread,
            fell_asleep: Vec::new(),
            done_asked: None,
            done_answered: None,
            pass: None,
            waiting: VecDeque::new(),
            sayings: Sayings::default(),
            closing: None,
            is_fenced: false,
            safety_at: Millis(now.0.saturating_add(SAFETY_PASS.0)),
        }
    }

    /// Keeps what runs from earlier when it is what the roster wants, and stops the rest.
    pub(crate) async fn adopt(&mut self, found: Vec<RecoveredIncarnation>) {
        let mut stopped = Vec::new();
        for RecoveredIncarnation {
            subject,
            mut running,
        } in found
        {
            match self.adoptable(&subject) {
                Some(run) => self.adopt_one(&run, running),
                None => stopped.push(async move {
                    let name = subject.name().to_owned();
                    (name, running.stop(STOP_GRACE).await)
                }),
            }
        }
        for (name, stopped) in futures::future::join_all(stopped).await {
            if let Err(fault) = stopped {
                let what = format!("{name} runs from earlier, and could not be stopped: {fault}");
                self.parts.notices.tell(&Notice::Trouble { what });
            }
        }
    }

    /// Returns the member whose present joining something is, when its spec is the declared one.
    fn adoptable(&self, subject: &HostedSubject) -> Option<RunId> {
        let HostedSubject::Member(incarnation) = subject else {
            return None;
        };
        let member = self.members.get(&incarnation.run)?;
        let declared = self.roster.members.get(&incarnation.run)?;
        let is_present = member.generation == Some(incarnation.generation);
        let is_same = member.specified == Some(declared.digest);
        (is_present && is_same).then(|| incarnation.run.clone())
    }

    fn adopt_one(&mut self, run: &RunId, running: Box<dyn Running>) {
        let process_id = running.process_id();
        let now = self.parts.clock.now().monotonic;
        let Some(life) = self.prepare(Charge::Member(run.clone())) else {
            return;
        };
        if let Some(live) = self.members.get_mut(run).and_then(|it| it.slot.live_mut()) {
            live.ready_at = Some(now);
            live.process_id = process_id;
        }
        self.stands(run, MemberStanding::Active, None);
        life.begin(Some(running));
    }

    /// Keeps the pool until everything has stopped.
    pub(crate) async fn keep(mut self) {
        loop {
            let due = self.parts.clock.alarm(self.next_due());
            tokio::select! {
                biased;
                fact = self.facts.recv() => self.take_facts(fact).await,
                order = self.orders.recv() => match order {
                    Some(order) => self.take_order(order).await,
                    // Whoever had the runtime has dropped it.
                    None => break,
                },
                () = due => self.start_due().await,
            }
            self.settle().await;
            if self.is_closed().await {
                break;
            }
        }
    }

    /// Takes a fact, and all that came with it.
    async fn take_facts(&mut self, first: Option<Fact>) {
        let mut next = first;
        while let Some(fact) = next {
            self.take_fact(fact).await;
            next = self.facts.try_recv().ok();
        }
    }

    /// Finishes what a turn of the loop began.
    async fn settle(&mut self) {
        self.say().await;
        self.look_at_sleepers().await;
        self.finish_pass().await;
        self.say().await;
        let is_over = self.is_done();
        if !is_over {
            self.done_asked = None;
        }
        let is_done = is_over && self.is_quiet();
        self.signs.done.send_if_modified(|done| {
            let is_news = *done != is_done;
            *done = is_done;
            is_news
        });
    }

    fn next_due(&self) -> Millis {
        let slots = self.members.values().map(|member| &member.slot);
        let slots = slots.chain(self.modules.values().map(|module| &module.slot));
        let due = slots.filter_map(|slot| match slot.process {
            Process::Due { at, .. } => Some(at),
            Process::None | Process::Live(_) => None,
        });
        due.min().unwrap_or(self.safety_at).min(self.safety_at)
    }

    /// Starts what is due, and plans when nothing told the loop to for long.
    async fn start_due(&mut self) {
        let now = self.parts.clock.now().monotonic;
        let mut due = Vec::new();
        let members = self
            .members
            .iter()
            .map(|(run, it)| (Charge::Member(run.clone()), &it.slot));
        let modules = self.modules.iter();
        let modules = modules.map(|(id, it)| (Charge::Module(id.clone()), &it.slot));
        for (charge, slot) in members.chain(modules) {
            if let Process::Due { at, .. } = slot.process
                && at <= now
            {
                due.push(charge);
            }
        }
        self.start_all(due).await;
        if self.safety_at <= now {
            self.safety_at = Millis(now.0.saturating_add(SAFETY_PASS.0));
            self.look_again().await;
        }
    }

    async fn take_fact(&mut self, fact: Fact) {
        let now = self.parts.clock.now().monotonic;
        let Fact {
            charge,
            serial,
            told,
        } = fact;
        let Some(slot) = self.slot_mut(&charge) else {
            return;
        };
        let Some(live) = slot.live_mut().filter(|live| live.serial == serial) else {
            return;
        };
        match told {
            LifeFact::Joined(generation) => {
                if let Charge::Member(run) = &charge
                    && let Some(member) = self.members.get_mut(run)
                {
                    member.membership = MembershipState::Member;
                    member.generation = Some(generation);
                }
            }
            LifeFact::Ready { process_id } => {
                live.ready_at = Some(now);
                live.process_id = process_id;
                self.is_ready(&charge, process_id);
            }
            LifeFact::Over(end) => self.is_over(&charge, end).await,
        }
    }

    pub(crate) fn slot_mut(&mut self, charge: &Charge) -> Option<&mut ChargeSlot> {
        match charge {
            Charge::Member(run) => self.members.get_mut(run).map(|it| &mut it.slot),
            Charge::Module(id) => self.modules.get_mut(id).map(|it| &mut it.slot),
        }
    }

    /// Returns the pool as the plan needs it.
    fn actual(&self) -> Actual {
        let members = self.members.iter();
        let modules = self.modules.iter();
        Actual {
            roster: self.applied,
            members: members
                .map(|(run, it)| (run.clone(), it.actual()))
                .collect(),
            modules: modules.map(|(id, it)| (id.clone(), it.actual())).collect(),
            edges: self.edges.clone(),
            aliases: self.aliases.clone(),
            peering: self.peering,
        }
    }

    /// Returns true once every member that is waited for has ended, and nobody sleeps who has something to do.
    fn is_done(&self) -> bool {
        let mut awaited = self.roster.members.iter();
        let mut awaited = awaited
            .by_ref()
            .filter(|(_, it)| runs_until(it) == RunsUntil::Exited)
            .peekable();
        let is_any = awaited.peek().is_some();
        let is_over = |run: &RunId| {
            self.members
                .get(run)
                .is_some_and(|it| it.ended.is_some() && it.slot.live().is_none())
        };
        let sleepers = self.roster.members.iter().filter(|(_, it)| !it.is_eager());
        let is_busy = |run: &RunId| {
            self.members
                .get(run)
                .is_some_and(|it| match it.slot.process {
                    Process::None => false,
                    Process::Due { .. } | Process::Live(_) => true,
                })
        };
        is_any
            && awaited.all(|(run, _)| is_over(run))
            && !sleepers.into_iter().any(|(run, _)| is_busy(run))
    }

    /// Notes that another steward has the pool: from here on nothing is done. What runs is let go, for the other
    /// one to keep.
    pub(crate) fn fenced(&mut self) {
        if self.is_fenced {
            return;
        }
        self.is_fenced = true;
        self.enter(RuntimePhase::Fenced);
        let what = "another steward took the pool; this runtime does nothing any more".to_owned();
        self.parts.notices.tell(&Notice::Trouble { what });
        let members = self.members.values_mut().map(|it| &mut it.slot);
        let slots = members.chain(self.modules.values_mut().map(|it| &mut it.slot));
        for slot in slots {
            slot.stop(StopWish::LetGo, AfterStop::Close);
        }
        if let Some(pass) = self.pass.take() {
            pass.give_up(&OrderError::Fenced);
        }
        for waiting in self.waiting.drain(..) {
            waiting.give_up(&OrderError::Fenced);
        }
    }

    pub(crate) fn enter(&self, phase: RuntimePhase) {
        self.signs.phase.send_replace(phase);
        self.parts.notices.tell(&Notice::Phase(phase));
    }

    /// Says that a member stands so, from here on.
    fn stands(&mut self, run: &RunId, standing: MemberStanding, why: Option<String>) {
        let why = why.map(|why| self.parts.note(&why));
        if let Some(member) = self.members.get_mut(run) {
            member.standing = Some(standing);
            member.why.clone_from(&why);
            member.settled = StandingAge::Present;
            self.sayings.add(run, standing, why);
        }
    }
}
