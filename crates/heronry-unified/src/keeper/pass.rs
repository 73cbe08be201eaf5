//! One pass: the plan is made, what is quick is done, and what was started beside the loop is waited for.

use std::{collections::BTreeMap, sync::Arc};

use heronry_pool::{
    Caller,
    decide::{
        Authority, ChangeMember, DeclareRoster, ROSTER_BATCH_MAX, RecordReconcile,
        RosterDeclaration, SpecifiedMember, SpecifyMembers,
    },
};
use heronry_runtime::CallError;
use heronry_types::{DeclaredEntry, Labels, MemberStanding, ReconcileStage, RunId};
use tokio::sync::oneshot;

use super::{
    Keeper,
    wiring::{WiringWork, new_alias},
};
use crate::{
    charge::{AfterStop, Charge, LiveProcess, StopWish},
    declare::Layers,
    kept::StandingAge,
    order::{OrderError, Respawn},
    plan::{Action, ProcessState, Setting, SupervisionRules, plan, sorted_topics},
    report::{FailureText, ReconcileReport},
    start::LifeEnd,
};

/// A pass that waits for its turn.
pub(super) struct WaitingPass {
    pub(super) layers: Option<Box<Layers>>,
    pub(super) respawn: Respawn,
    pub(super) reply: Option<oneshot::Sender<Result<ReconcileReport, OrderError>>>,
}

impl WaitingPass {
    pub(super) fn give_up(self, why: &OrderError) {
        if let Some(reply) = self.reply {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Err(why.clone()));
        }
    }
}

/// The result that a pass waits for of a charge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaited {
    Started,
    Restarted,
    Retired,
}

/// The pass that is under way.
pub(super) struct Pass {
    pub(super) report: ReconcileReport,
    awaited: BTreeMap<Charge, Awaited>,
    reply: Option<oneshot::Sender<Result<ReconcileReport, OrderError>>>,
}

impl Pass {
    pub(super) fn give_up(self, why: &OrderError) {
        if let Some(reply) = self.reply {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(Err(why.clone()));
        }
    }
}

impl Keeper {
    /// Plans, and begins a pass when there is something to do.
    pub(super) async fn look_again(&mut self) {
        let is_busy = self.pass.is_some() || self.closing.is_some() || self.is_fenced;
        if is_busy {
            return;
        }
        self.read_wiring().await;
        if plan(&self.roster, &self.actual()).is_empty() {
            return;
        }
        self.begin_pass(WaitingPass {
            layers: None,
            respawn: Respawn::Changed,
            reply: None,
        })
        .await;
    }

    /// Begins a pass, or lets it wait for the one that is under way.
    pub(super) async fn begin_pass(&mut self, asked: WaitingPass) {
        if self.pass.is_some() {
            self.waiting.push_back(asked);
            return;
        }
        if let Some(layers) = asked.layers {
            self.layers = *layers;
            self.roster = Arc::new(self.layers.effective(&self.parts.key));
        }
        self.read_wiring().await;
        let actual = self.actual();
        let mut actions = plan(&self.roster, &actual);
        if self.is_done() {
            // A job that is done starts nobody.
            actions.retain(|action| !matches!(action, Action::Start(_)));
        }
        if asked.respawn == Respawn::All {
            self.add_respawns(&mut actions);
        }
        let report = ReconcileReport {
            desired: self.roster.members.len() as u64,
            ..ReconcileReport::default()
        };
        self.pass = Some(Pass {
            report,
            awaited: BTreeMap::new(),
            reply: asked.reply,
        });
        self.note_edges(&actual);
        self.declare().await;
        self.carry_out(actions).await;
        self.note_rules();
        self.look_for_causes();
    }

    /// Adds a restart of everybody that runs and is as it should be.
    fn add_respawns(&self, actions: &mut Vec<Action>) {
        let runs = self.members.iter().filter(|(run, member)| {
            let declared = self.roster.members.get(*run);
            declared.is_some_and(|it| member.slot.state() == ProcessState::Of(it.digest))
        });
        actions.extend(runs.map(|(run, _)| Action::Restart(run.clone())));
    }

    /// Declares each layer that is not declared so already.
    async fn declare(&mut self) {
        if self.applied == Some(self.roster.digest()) {
            return;
        }
        for layer in self.layers.digests(&self.parts.key) {
            let declare = DeclareRoster {
                by: Authority::Steward(self.parts.steward),
                expected: None,
                declared: RosterDeclaration {
                    layer: layer.layer,
                    digest: layer.digest,
                    members: layer.members,
                    content: None,
                },
            };
            match self.parts.pool.call(declare).await {
                Ok(declared) => self.revision = declared.revision,
                Err(error) => {
                    self.trouble(&error, "the roster was not declared");
                    return;
                }
            }
        }
        self.applied = Some(self.roster.digest());
        for member in self.members.values_mut() {
            member.settled = StandingAge::Earlier;
        }
        for module in self.modules.values_mut() {
            module.is_given_up = false;
        }
    }

    async fn carry_out(&mut self, actions: Vec<Action>) {
        let mut batch = PlannedWork::default();
        for action in actions {
            match action {
                Action::StopModule(id) => self.stop_module(Charge::Module(id), AfterStop::Retire),
                Action::RestartModule(id) => {
                    self.stop_module(Charge::Module(id), AfterStop::Restart);
                }
                Action::StartModule(id) => batch.started.push(Charge::Module(id)),
                Action::Retire(run) => batch.retired.push(run),
                Action::Forget(run) => batch.forgotten.push(run),
                Action::Specify(run) => batch.specified.push(run),
                Action::Change { run, settings } => batch.changed.push((run, settings)),
                Action::Restart(run) => batch.restarted.push(run),
                Action::Sleep(run) => batch.asleep.push(run),
                Action::Start(run) => batch.started.push(Charge::Member(run)),
                Action::SetPeering(rule) => batch.wiring.peering = Some(rule),
                Action::Unwire(edge) => batch.wiring.unwired.push(edge),
                Action::Prune(edge) => batch.wiring.pruned.push(edge),
                Action::Wire(edge) => batch.wiring.wired.push(edge),
                Action::Heal(edge) => batch.wiring.healed.push(edge),
                Action::RemoveAlias(alias) => batch.wiring.removed.push(alias),
                Action::SetAlias { alias, to } => batch.wiring.set.push(new_alias(alias, to)),
            }
        }
        self.carry_out_batch(batch).await;
    }

    async fn carry_out_batch(&mut self, batch: PlannedWork) {
        for runs in batch.forgotten.chunks(ROSTER_BATCH_MAX) {
            self.forget(runs.to_vec()).await;
        }
        for run in batch.retired {
            self.begin_retiring(run).await;
        }
        self.specify(batch.specified).await;
        // Whoever starts finds its edges.
        self.wire(batch.wiring).await;
        for (run, settings) in batch.changed {
            self.change(run, &settings).await;
        }
        self.put_to_sleep(batch.asleep).await;
        let mut started = batch.started;
        for run in batch.restarted {
            started.extend(self.begin_restarting(run));
        }
        for charge in &started {
            let result = match self.awaits(charge) {
                Some(Awaited::Restarted) => Awaited::Restarted,
                Some(Awaited::Started | Awaited::Retired) | None => Awaited::Started,
            };
            self.wait_for(charge.clone(), result);
        }
        self.start_all(started).await;
    }

    fn wait_for(&mut self, charge: Charge, result: Awaited) {
        if let Some(pass) = &mut self.pass {
            pass.awaited.insert(charge, result);
        }
    }

    fn awaits(&self, charge: &Charge) -> Option<Awaited> {
        self.pass.as_ref()?.awaited.get(charge).copied()
    }

    fn stop_module(&mut self, charge: Charge, after: AfterStop) {
        let Some(slot) = self.slot_mut(&charge) else {
            return;
        };
        if slot.stop(StopWish::Ask, after) {
            let result = match after {
                AfterStop::Restart => Awaited::Restarted,
                AfterStop::Retire | AfterStop::Rest | AfterStop::Close => Awaited::Retired,
            };
            self.wait_for(charge, result);
        }
    }

    async fn begin_retiring(&mut self, run: RunId) {
        let Some(member) = self.members.get_mut(&run) else {
            return;
        };
        if member.slot.stop(StopWish::Ask, AfterStop::Retire) {
            self.stands(&run, MemberStanding::Retiring, None);
            self.wait_for(Charge::Member(run), Awaited::Retired);
            return;
        }
        self.retire(&run).await;
        if let Some(pass) = &mut self.pass {
            pass.report.retired.push(run);
        }
    }

    /// Stops a member that is to be started again. Returns it when it can be started at once.
    fn begin_restarting(&mut self, run: RunId) -> Option<Charge> {
        let member = self.members.get_mut(&run)?;
        let is_running = member.slot.stop(StopWish::Ask, AfterStop::Restart);
        let charge = Charge::Member(run);
        self.wait_for(charge.clone(), Awaited::Restarted);
        (!is_running).then_some(charge)
    }

    async fn specify(&mut self, runs: Vec<RunId>) {
        let is_relabelled = |run: &&RunId| {
            let known = self.members.get(*run).map(|it| &it.labels);
            let declared = self.roster.members.get(*run).map(|it| &it.spec.labels);
            known.or(Some(&Labels::default())) != declared
        };
        let relabelled: Vec<RunId> = runs.iter().filter(is_relabelled).cloned().collect();
        for runs in runs.chunks(ROSTER_BATCH_MAX) {
            let declared = runs.iter().filter_map(|run| self.roster.members.get(run));
            let specified = declared.map(|member| SpecifiedMember {
                run: member.spec.run.clone(),
                digest: Some(member.digest),
                labels: member.spec.labels.clone(),
                layer: member.layer,
                why: None,
            });
            let specify = SpecifyMembers {
                steward: self.parts.steward,
                specified: specified.collect(),
            };
            match self.parts.pool.call(specify).await {
                Ok(_) => runs.iter().for_each(|run| self.is_specified(run)),
                Err(error) => self.fail_all(runs, ReconcileStage::Change, &error),
            }
        }
        self.set_labels(&relabelled).await;
    }

    /// Notes that a member's spec is recorded.
    fn is_specified(&mut self, run: &RunId) {
        if let Some(declared) = self.roster.members.get(run) {
            let member = self.members.entry(run.clone()).or_default();
            member.specified = Some(declared.digest);
            member.layer = Some(declared.layer);
            member.labels = declared.spec.labels.clone();
        }
    }

    fn fail_all(&mut self, runs: &[RunId], stage: ReconcileStage, error: &CallError) {
        for run in runs {
            self.fail(run, stage, error);
        }
    }

    async fn change(&mut self, run: RunId, settings: &[Setting]) {
        let Some(declared) = self.roster.members.get(&run).cloned() else {
            return;
        };
        if settings.contains(&Setting::Topics) {
            let change = ChangeMember {
                caller: Caller::Operator,
                run: run.clone(),
                topics: Some(declared.spec.topics.clone()),
                lease: None,
            };
            if let Err(error) = self.parts.pool.call(change).await {
                self.fail(&run, ReconcileStage::Change, &error);
                return;
            }
            if let Some(member) = self.members.get_mut(&run) {
                member.topics = sorted_topics(&declared.spec.topics);
            }
        }
        if let Some(pass) = &mut self.pass {
            pass.report.changed.push(run);
        }
    }

    /// Notes by which rules members are looked after from here on.
    fn note_rules(&mut self) {
        for (run, declared) in &self.roster.members {
            if let Some(member) = self.members.get_mut(run) {
                member.rules = Some(SupervisionRules {
                    restart: declared.spec.restart,
                    idle_after: declared.spec.idle_after,
                });
            }
        }
    }

    pub(super) fn fail(&mut self, run: &RunId, stage: ReconcileStage, error: &CallError) {
        if crate::parts::is_fenced(error) {
            self.fenced();
            return;
        }
        let failure = FailureText {
            kind: "refused",
            message: self.parts.note(&error.to_string()),
        };
        if let Some(pass) = &mut self.pass {
            pass.report
                .fail(DeclaredEntry::Run(run.clone()), stage, &failure);
        }
    }

    /// Notes in the pass that a charge is ready.
    pub(super) fn pass_started(&mut self, charge: &Charge) {
        let Some(pass) = &mut self.pass else {
            return;
        };
        let result = pass.awaited.get(charge).copied();
        match (result, charge) {
            (None | Some(Awaited::Retired), _) => return,
            (Some(Awaited::Started), Charge::Member(run)) => pass.report.started.push(run.clone()),
            (Some(Awaited::Restarted), Charge::Member(run)) => {
                pass.report.restarted.push(run.clone());
            }
            (Some(Awaited::Started | Awaited::Restarted), Charge::Module(id)) => {
                pass.report.modules_started.push(id.clone());
            }
        }
        pass.awaited.remove(charge);
    }

    /// Notes in the pass that a charge did not start.
    pub(super) fn pass_failed(&mut self, charge: &Charge, live: &LiveProcess, end: &LifeEnd) {
        let failure = match end {
            LifeEnd::NotStarted(failure) if live.after.is_none() => failure,
            LifeEnd::NotStarted(_)
            | LifeEnd::RunEnded(_)
            | LifeEnd::Fenced
            | LifeEnd::GivenUp
            | LifeEnd::Ended(_)
            | LifeEnd::Stopped { .. }
            | LifeEnd::NotStopped(_) => return,
        };
        let of = match charge {
            Charge::Member(run) => DeclaredEntry::Run(run.clone()),
            Charge::Module(module) => DeclaredEntry::Module(module.clone()),
        };
        let text = FailureText {
            kind: failure.kind,
            message: self.parts.note(&failure.message),
        };
        if let Some(pass) = &mut self.pass
            && pass.awaited.remove(charge).is_some()
        {
            pass.report.fail(of, failure.stage, &text);
        }
    }

    /// Notes in the pass that a life is over, once what follows from it is done.
    pub(super) fn pass_over(&mut self, charge: &Charge) {
        let is_live = self
            .slot_mut(charge)
            .is_some_and(|slot| slot.live().is_some());
        let Some(pass) = &mut self.pass else {
            return;
        };
        match (pass.awaited.get(charge).copied(), charge) {
            (None, _) => return,
            (Some(Awaited::Started | Awaited::Restarted), _) if is_live => return,
            (Some(Awaited::Retired), Charge::Member(run)) => pass.report.retired.push(run.clone()),
            (Some(Awaited::Retired), Charge::Module(id)) => {
                pass.report.modules_stopped.push(id.clone());
            }
            (Some(Awaited::Restarted), Charge::Member(run)) => {
                pass.report.restarted.push(run.clone());
            }
            (Some(Awaited::Restarted), Charge::Module(id)) => {
                pass.report.modules_started.push(id.clone());
            }
            (Some(Awaited::Started), _) => {}
        }
        pass.awaited.remove(charge);
    }

    /// Finishes the pass when nothing is waited for any more, and begins the next one.
    pub(super) async fn finish_pass(&mut self) {
        loop {
            if self
                .pass
                .as_ref()
                .is_none_or(|pass| !pass.awaited.is_empty())
            {
                return;
            }
            let Some(mut pass) = self.pass.take() else {
                return;
            };
            let report = &mut pass.report;
            report.revision = self.revision;
            let counts = report.counts();
            let acted = [
                counts.changed,
                counts.started,
                counts.restarted,
                counts.dormant,
            ];
            let acted: u64 = acted.iter().sum::<u64>().saturating_add(counts.failed);
            report.retained = report.desired.saturating_sub(acted);
            self.record(&pass.report).await;
            self.tell_of(pass);
            let Some(next) = self.waiting.pop_front() else {
                return;
            };
            self.begin_pass(next).await;
            self.say().await;
        }
    }

    async fn record(&mut self, report: &ReconcileReport) {
        if report.is_unchanged() || self.is_fenced {
            return;
        }
        let record = RecordReconcile {
            steward: self.parts.steward,
            revision: report.revision,
            counts: report.counts(),
            failures: report.failures.clone(),
        };
        if let Err(error) = self.parts.pool.call(record).await {
            self.trouble(&error, "a reconcile was not recorded");
        }
    }

    /// Calls the hooks, beside the loop, and answers whoever asked for the pass behind them.
    fn tell_of(&self, pass: Pass) {
        let parts = Arc::clone(&self.parts);
        tokio::spawn(async move {
            parts.hooks.after_pass(&parts, &pass.report).await;
            if let Some(reply) = pass.reply {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(Ok(pass.report));
            }
        });
    }
}

/// The actions of a plan, by what is done about them.
#[derive(Default)]
struct PlannedWork {
    forgotten: Vec<RunId>,
    retired: Vec<RunId>,
    specified: Vec<RunId>,
    changed: Vec<(RunId, Vec<Setting>)>,
    asleep: Vec<RunId>,
    restarted: Vec<RunId>,
    started: Vec<Charge>,
    wiring: WiringWork,
}
