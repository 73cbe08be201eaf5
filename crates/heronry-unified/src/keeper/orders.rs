//! Orders of whoever has the runtime.

use heronry_types::RunId;

use super::{Keeper, pass::WaitingPass};
use crate::{
    charge::{AfterStop, Charge, Process, StopWish},
    kept::KeptMember,
    order::{Order, OrderError},
    phase::RuntimePhase,
    plan::{MembershipState, plan},
    report::MemberStatus,
};

impl Keeper {
    // Whoever asked may have stopped waiting for the answer: then nobody needs it.
    pub(super) async fn take_order(&mut self, order: Order) {
        match order {
            Order::Reconcile {
                layers,
                respawn,
                reply,
            } => {
                let waiting = WaitingPass {
                    layers,
                    respawn,
                    reply: Some(reply),
                };
                match self.check_acting() {
                    Ok(()) => self.begin_pass(waiting).await,
                    Err(error) => waiting.give_up(&error),
                }
            }
            Order::Plan { layers, reply } => {
                self.read_wiring().await;
                let actual = self.actual();
                let planned = match layers {
                    None => plan(&self.roster, &actual),
                    Some(layers) => plan(&layers.effective(&self.parts.key), &actual),
                };
                let _ = reply.send(Ok(planned));
            }
            Order::Start { run, reply } => {
                let started = self.start_by_hand(run).await;
                let _ = reply.send(started);
            }
            Order::Stop { run, reply } => {
                let _ = reply.send(self.stop_by_hand(&run));
            }
            Order::Standings { reply } => {
                let _ = reply.send(Ok(self.statuses()));
            }
            Order::Layers { reply } => {
                let _ = reply.send(Ok(self.layers.clone()));
            }
            Order::Causes { causes, reply } => {
                let has_acted = match self.check_acting() {
                    Ok(()) => self.take_causes(causes).await,
                    Err(_) => false,
                };
                let _ = reply.send(has_acted);
            }
            Order::LookedUpTo { question } => self.looked_up_to(question).await,
            Order::CheckWiring => self.check_wiring().await,
            Order::CheckSteward => self.check_steward().await,
            Order::Serve => {
                if self.check_acting().is_ok() {
                    self.enter(RuntimePhase::Serve);
                }
            }
            Order::Close { closing, reply } => self.close(closing, reply),
        }
    }

    /// Heals what was changed. What this runtime did itself is looked at once, however many records it was.
    async fn check_wiring(&mut self) {
        if self.wiring_read != Some(self.parts.pool.head()) {
            self.look_again().await;
        }
    }

    /// Looks who is the steward.
    async fn check_steward(&mut self) {
        if self.closing.is_some() {
            return;
        }
        match crate::reading::describe(&self.parts).await {
            Ok(view) => {
                let is_ours = view
                    .steward
                    .is_some_and(|it| it.token == self.parts.steward);
                if !is_ours {
                    self.fenced();
                }
            }
            Err(error) => self.trouble(&error, "it cannot be told who the steward is"),
        }
    }

    fn check_acting(&self) -> Result<(), OrderError> {
        if self.is_fenced {
            return Err(OrderError::Fenced);
        }
        if self.closing.is_some() {
            return Err(OrderError::Stopped);
        }
        Ok(())
    }

    async fn start_by_hand(&mut self, run: RunId) -> Result<(), OrderError> {
        self.check_acting()?;
        if !self.roster.members.contains_key(&run) {
            return Err(OrderError::NotDeclared(run));
        }
        let member = self.members.entry(run.clone()).or_default();
        if member.membership == MembershipState::Ended {
            return Err(OrderError::RunEnded(run));
        }
        match &mut member.slot.process {
            Process::Live(live) => {
                // A stop that is under way is followed by a start.
                if live.after == Some(AfterStop::Rest) {
                    live.after = Some(AfterStop::Restart);
                }
                return Ok(());
            }
            Process::None | Process::Due { .. } => {}
        }
        member.slot.restarts.clear();
        self.start_all(vec![Charge::Member(run)]).await;
        Ok(())
    }

    fn stop_by_hand(&mut self, run: &RunId) -> Result<(), OrderError> {
        self.check_acting()?;
        let Some(member) = self.members.get_mut(run) else {
            return Err(OrderError::NotDeclared(run.clone()));
        };
        let was_due = matches!(member.slot.process, Process::Due { .. });
        if !member.slot.stop(StopWish::Ask, AfterStop::Rest) && was_due {
            self.falls_asleep(run, Some("stopped".to_owned()));
        }
        Ok(())
    }

    pub(super) fn statuses(&self) -> Vec<MemberStatus> {
        let roster = &self.roster.members;
        let status = |(run, member): (&RunId, &KeptMember)| member.status(run, roster.get(run));
        let kept = self.members.iter();
        let kept = kept.filter(|(run, it)| it.specified.is_some() || roster.contains_key(*run));
        kept.map(status).collect()
    }
}
