//! Members that sleep until there is a cause.

use heronry_host::WokenBy;
use heronry_types::{MemberStanding, RunId, StartWhen};

use super::Keeper;
use crate::{
    causes::{Cause, CauseFinder, cursor_of},
    charge::{Charge, Process},
    plan::ProcessState,
    reading,
    start::after,
};

impl Keeper {
    /// Looks for causes as long as somebody is declared who is started by them.
    pub(super) fn look_for_causes(&mut self) {
        let is_woken = |when: StartWhen| match when {
            StartWhen::OnMessage | StartWhen::OnWake => true,
            StartWhen::Eager | StartWhen::Lazy => false,
        };
        let is_any = self
            .roster
            .members
            .values()
            .any(|it| is_woken(it.spec.start));
        match (is_any, &self.finder) {
            (false, _) => self.finder = None,
            (true, Some(_)) => {}
            (true, None) => {
                let parts = std::sync::Arc::clone(&self.parts);
                self.done_asked = None;
                self.finder = Some(CauseFinder::begin(parts, self.began, self.home.clone()));
            }
        }
    }

    /// Starts those who sleep and have a cause, once each. Returns true when one of the causes was a sleeper's.
    pub(super) async fn take_causes(&mut self, causes: Vec<Cause>) -> bool {
        let mut has_acted = false;
        let mut started = Vec::new();
        for cause in causes {
            if !self.is_cause(&cause) {
                continue;
            }
            has_acted = true;
            let Some(member) = self.members.get_mut(&cause.run) else {
                continue;
            };
            match (&member.slot.process, &member.slot.woken_by) {
                // It waits because it left something unread: this is new.
                (Process::Due { .. }, None) if member.standing == Some(MemberStanding::Dormant) => {
                    member.slot.process = Process::None;
                    member.slot.woken_by = Some(cause.woken_by);
                    started.push(cause.run);
                }
                (Process::Live(_) | Process::Due { .. }, _) => {
                    member.later_cause = Some(cause.woken_by);
                }
                (Process::None, Some(_)) => {}
                (Process::None, None) => {
                    member.slot.woken_by = Some(cause.woken_by);
                    started.push(cause.run);
                }
            }
        }
        let started = self.with_something_to_do(started).await;
        self.start_all(started.into_iter().map(Charge::Member).collect())
            .await;
        has_acted && !self.is_fenced
    }

    /// Returns true when a cause is one for which its run is started.
    fn is_cause(&self, cause: &Cause) -> bool {
        let Some(declared) = self.roster.members.get(&cause.run) else {
            return false;
        };
        match (declared.spec.start, &cause.woken_by) {
            (StartWhen::OnMessage, _) | (StartWhen::OnWake, WokenBy::Wake { .. }) => true,
            (StartWhen::OnWake, WokenBy::Message { .. })
            | (StartWhen::Eager | StartWhen::Lazy, _) => false,
        }
    }

    /// Leaves out those whose message is not there any more, because it was read before or has ended.
    async fn with_something_to_do(&mut self, runs: Vec<RunId>) -> Vec<RunId> {
        let mut busy = Vec::with_capacity(runs.len());
        for run in runs {
            let woken_by = self
                .members
                .get(&run)
                .and_then(|it| it.slot.woken_by.as_ref());
            let is_message = matches!(woken_by, Some(WokenBy::Message { .. }));
            if !is_message || self.unread(&run).await > 0 {
                busy.push(run);
            } else if let Some(member) = self.members.get_mut(&run) {
                member.slot.woken_by = None;
            }
        }
        busy
    }

    /// Returns the number of messages that wait for a member.
    async fn unread(&mut self, run: &RunId) -> u64 {
        match reading::member(&self.parts, run).await {
            Ok(view) => view.map_or(0, |view| view.unread),
            Err(error) => {
                self.trouble(&error, "it cannot be told what waits for a member");
                0
            }
        }
    }

    /// Looks at those who fell asleep in this turn of the loop: who has something to do is started again.
    pub(super) async fn look_at_sleepers(&mut self) {
        let asleep = std::mem::take(&mut self.fell_asleep);
        for run in asleep {
            if self.is_fenced || self.closing.is_some() {
                return;
            }
            self.look_at_sleeper(&run).await;
        }
    }

    async fn look_at_sleeper(&mut self, run: &RunId) {
        let Some(declared) = self.roster.members.get(run).cloned() else {
            return;
        };
        let Some(member) = self.members.get_mut(run) else {
            return;
        };
        // A cause that came while the process ran: it may not have seen it.
        let later = member.later_cause.take();
        let is_new = later.as_ref().is_some_and(|later| {
            let before = member.last_cause.map(|cursor| cursor.position);
            before < Some(cursor_of(later).position)
        });
        let unread = match declared.spec.start {
            StartWhen::OnMessage => self.unread(run).await,
            StartWhen::OnWake | StartWhen::Lazy | StartWhen::Eager => 0,
        };
        let is_by_wake = matches!(later, Some(WokenBy::Wake { .. }));
        let Some(member) = self.members.get_mut(run) else {
            return;
        };
        let Process::None = member.slot.process else {
            return;
        };
        if is_new && (is_by_wake || unread > 0) {
            member.slot.woken_by = later;
            self.start_all(vec![Charge::Member(run.clone())]).await;
        } else if unread > 0 {
            // It left what it was started for: not at once again.
            let pause = member
                .slot
                .restarts
                .pause(&declared.spec.restart, member.ran);
            let at = after(self.parts.clock.now().monotonic, pause);
            let digest = declared.digest;
            member.slot.process = Process::Due { at, digest };
        } else {
            member.slot.restarts.clear();
        }
    }

    /// Everything up to the head was looked at: whoever sleeps on messages that were left there earlier is
    /// started.
    pub(super) async fn looked_up_to(&mut self, question: u64) {
        let left = std::mem::take(&mut self.left_unread);
        let is_asleep = |run: &RunId| {
            let member = self.members.get(run);
            member.is_some_and(|it| it.slot.state() == ProcessState::None)
        };
        let left: Vec<RunId> = left.into_iter().filter(is_asleep).collect();
        self.fell_asleep.extend(left);
        self.look_at_sleepers().await;
        if self.done_asked == Some(question) {
            self.done_answered = Some(question);
        }
    }

    /// Returns true when nobody who sleeps has a cause that was not seen, as far as that was asked. Asks, when it
    /// was not.
    pub(super) fn is_quiet(&mut self) -> bool {
        let Some(finder) = &self.finder else {
            return true;
        };
        if let Some(asked) = self.done_asked {
            return self.done_answered == Some(asked);
        }
        self.done_asked = Some(finder.ask());
        false
    }
}
