//! Stopping everything, in order: members while the pool answers them, then modules, then the stewardship.

use heronry_host::StopMeans;
use heronry_pool::decide::ReleaseSteward;
use heronry_types::{RunEnd, RunId, RunsUntil};
use tokio::sync::oneshot;

use super::Keeper;
use crate::{
    charge::{AfterStop, Charge, ChargeSlot, StopWish},
    kept::runs_until,
    order::{Closing, OrderError},
    phase::RuntimePhase,
    plan::MembershipState,
    report::{NotStopped, ShutdownReport, StewardshipAfter},
};

/// The part of a shutdown that is under way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ClosingPart {
    Members,
    Modules,
}

/// A shutdown that is under way.
pub(super) struct ClosingDown {
    closing: Closing,
    part: ClosingPart,
    report: ShutdownReport,
    replies: Vec<oneshot::Sender<ShutdownReport>>,
}

impl Keeper {
    /// Begins to stop everything. A second order only makes it faster.
    pub(super) fn close(&mut self, closing: Closing, reply: oneshot::Sender<ShutdownReport>) {
        let wish = match closing {
            Closing::AtOnce => StopWish::Kill,
            Closing::Done | Closing::Interrupted => StopWish::Ask,
        };
        if let Some(under_way) = &mut self.closing {
            under_way.replies.push(reply);
            if closing == Closing::AtOnce {
                under_way.closing = closing;
                self.stop_part(wish);
            }
            return;
        }
        self.enter(RuntimePhase::Stopping);
        if let Some(pass) = self.pass.take() {
            pass.give_up(&OrderError::Stopped);
        }
        for waiting in self.waiting.drain(..) {
            waiting.give_up(&OrderError::Stopped);
        }
        self.closing = Some(ClosingDown {
            closing,
            part: ClosingPart::Members,
            report: ShutdownReport::default(),
            replies: vec![reply],
        });
        self.stop_part(wish);
    }

    /// Asks what belongs to the present part to end.
    fn stop_part(&mut self, wish: StopWish) {
        let Some(under_way) = &self.closing else {
            return;
        };
        let stop = |slot: &mut ChargeSlot| {
            slot.stop(wish, AfterStop::Close);
        };
        match under_way.part {
            ClosingPart::Members => self
                .members
                .values_mut()
                .map(|it| &mut it.slot)
                .for_each(stop),
            ClosingPart::Modules => self
                .modules
                .values_mut()
                .map(|it| &mut it.slot)
                .for_each(stop),
        }
    }

    /// Takes the next step of a shutdown, when the last one is done; returns true when nothing is left.
    pub(super) async fn is_closed(&mut self) -> bool {
        loop {
            let Some(under_way) = &mut self.closing else {
                return false;
            };
            let part = under_way.part;
            let is_live = |slot: &ChargeSlot| slot.live().is_some();
            let is_any_live = match part {
                ClosingPart::Members => self.members.values().any(|it| is_live(&it.slot)),
                ClosingPart::Modules => self.modules.values().any(|it| is_live(&it.slot)),
            };
            if is_any_live {
                return false;
            }
            match part {
                ClosingPart::Members => {
                    under_way.part = ClosingPart::Modules;
                    let wish = match under_way.closing {
                        Closing::AtOnce => StopWish::Kill,
                        Closing::Done | Closing::Interrupted => StopWish::Ask,
                    };
                    self.complete_the_rest().await;
                    self.stop_part(wish);
                }
                ClosingPart::Modules => {
                    self.say().await;
                    self.finish_closing().await;
                    return true;
                }
            }
        }
    }

    async fn finish_closing(&mut self) {
        let Some(mut under_way) = self.closing.take() else {
            return;
        };
        let report = &mut under_way.report;
        report.stewardship = if self.is_fenced {
            StewardshipAfter::Lost
        } else if report.not_stopped.is_empty() {
            let steward = self.parts.steward;
            match self.parts.pool.call(ReleaseSteward { steward }).await {
                Ok(_) => StewardshipAfter::Released,
                Err(error) => {
                    report.troubles.push(error.to_string());
                    StewardshipAfter::Kept
                }
            }
        } else {
            StewardshipAfter::Kept
        };
        report.standings = self.statuses();
        self.enter(RuntimePhase::Stopped);
        for reply in under_way.replies {
            // Whoever asked may have stopped waiting.
            let _ = reply.send(under_way.report.clone());
        }
    }

    /// A member was stopped because the runtime stops. Once a job is done, that completes its run.
    pub(super) async fn closed_member(&mut self, run: &RunId) {
        let is_done = self
            .closing
            .as_ref()
            .is_some_and(|it| it.closing == Closing::Done);
        if is_done && self.is_to_complete(run) {
            self.end_run(run, RunEnd::Completed, None).await;
        }
    }

    /// Completes the runs of members that had no process when the job was done.
    async fn complete_the_rest(&mut self) {
        let runs: Vec<RunId> = self.members.keys().cloned().collect();
        for run in runs {
            self.closed_member(&run).await;
        }
    }

    /// Returns true for members that run until they are stopped, and have not ended.
    fn is_to_complete(&self, run: &RunId) -> bool {
        let declared = self.roster.members.get(run);
        let is_helper =
            |it: &crate::RosterMember| it.is_eager() && runs_until(it) == RunsUntil::Stopped;
        let is_member = self
            .members
            .get(run)
            .is_some_and(|it| it.membership == MembershipState::Member && !it.is_broken());
        !self.is_fenced && is_member && declared.is_some_and(is_helper)
    }

    /// Notes in the report that something was stopped.
    pub(super) fn note_stopped(&mut self, charge: &Charge, means: StopMeans) {
        let Some(under_way) = &mut self.closing else {
            return;
        };
        let report = &mut under_way.report;
        if means == StopMeans::Killed {
            report.killed.push(charge.to_string());
        }
        match charge {
            Charge::Member(run) => report.members.push(run.clone()),
            Charge::Module(module) => report.modules.push(module.clone()),
        }
    }

    /// Notes in the report that something could not be stopped.
    pub(super) fn note_not_stopped(&mut self, charge: &Charge, why: String) {
        let name = charge.to_string();
        if let Some(under_way) = &mut self.closing {
            under_way.report.not_stopped.push(NotStopped { name, why });
        }
    }
}
