//! The steps of a history in which an append fails: what it records is there as a whole or not at all, and
//! the same command again tells which.

use heronry_pool::decide::{AppendEvents, Command, SendMessage};
use heronry_runtime::{BodyError, CallError};
use heronry_store::CommitOutcome;
use heronry_testkit::AppendFault;
use heronry_tests::run;

use super::{
    messages::said,
    play::Play,
    reports,
    steps::{AppendFate, Letter, Listing, RUNS, Wait, Who},
};

/// A command of a history whose append fails.
#[derive(Clone, Copy, Debug)]
pub(super) enum FailingCommand {
    Send(Who, Letter),
    TakeOver(usize, Listing),
    Report(Who, u8, u8),
    Wait(Who, Wait),
    /// Of a body, counted from the newest, by an operator.
    Erase(usize),
}

fn is_unknown(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Stopped {
            outcome: CommitOutcome::Unknown,
            ..
        }
    )
}

impl Play {
    /// A command that would be recorded is not known to be, and the engine crashes of that.
    pub(super) async fn fail(&mut self, what: FailingCommand, kept: AppendFate) {
        self.catch_up().await;
        self.settle_scans().await;
        match what {
            FailingCommand::Send(who, letter) => self.fail_send(who, letter, kept).await,
            FailingCommand::TakeOver(who, listing) => self.fail_take_over(who, listing, kept).await,
            FailingCommand::Report(who, under, count) => {
                self.fail_report(who, (under, count), kept).await;
            }
            FailingCommand::Wait(who, wait) => self.fail_wait(who, wait, kept).await,
            FailingCommand::Erase(number) => self.fail_erase(number, kept).await,
        }
    }

    fn arm(&self, kept: AppendFate) {
        self.world().faults.fail_next_append(match kept {
            AppendFate::All => AppendFault::UnknownKept,
            AppendFate::Nothing => AppendFault::UnknownNotKept,
        });
    }

    /// Has a command fail, and asks again after the crash.
    async fn again<C: Command + Clone + Sync>(&mut self, command: C, kept: AppendFate) -> C::Answer
    where
        C::Answer: std::fmt::Debug + Sync,
    {
        self.arm(kept);
        let failed = self.pool().call(command.clone()).await.unwrap_err();
        assert!(is_unknown(&failed), "{failed}");
        self.crash().await;
        self.pool().call(command).await.unwrap()
    }

    async fn fail_send(&mut self, who: Who, letter: Letter, kept: AppendFate) {
        let name = (who.run, letter.key.to_string());
        if self.asked.contains_key(&name) || self.refused(who, letter).is_some() {
            return;
        }
        let send = SendMessage::new(self.caller(who), run(RUNS[who.run]), Self::request(letter));
        let retry = self.again(send, kept).await;
        assert_eq!(retry.repeated, kept == AppendFate::All);
        self.note_sent(name, said(letter), &retry.receipt);
    }

    async fn fail_take_over(&mut self, who: usize, listing: Listing, kept: AppendFate) {
        if self.ledger.end_of(&run(RUNS[who])).is_some() {
            return;
        }
        let instance = self.next_instance();
        let join = self.joining(who, listing, instance);
        let joined = self.again(join, kept).await;
        assert_eq!(joined.repeated, kept == AppendFate::All);
        self.note_joined(who, joined.generation);
    }

    async fn fail_report(&mut self, who: Who, (under, count): (u8, u8), kept: AppendFate) {
        let caller = self.caller(who);
        let name = (who.run, under.to_string());
        if self.asked.contains_key(&name) || self.barred(&caller).is_some() {
            return;
        }
        let events = reports::events(under, count);
        let key = heronry_tests::key(&name.1);
        let batch = AppendEvents::new(caller, run(RUNS[who.run]), events, key);
        let appended = self.again(batch, kept).await;
        assert_eq!(appended.repeated, kept == AppendFate::All);
        let said = reports::said(count);
        self.asked.insert(name, (said, appended.first));
    }

    async fn fail_wait(&mut self, who: Who, wait: Wait, kept: AppendFate) {
        let name = (who.run, wait.key.to_string());
        if self.asked.contains_key(&name) || self.wake_refused(who, wait).is_some() {
            return;
        }
        let (register, said) = self.registering(who, wait);
        let registered = self.again(register, kept).await;
        assert_eq!(registered.repeated, kept == AppendFate::All);
        self.note_registered(who, (name, said), registered.wake.wake_id)
            .await;
    }

    async fn fail_erase(&mut self, number: usize, kept: AppendFate) {
        let Some(content_ref) = self.not_erased(number) else {
            return;
        };
        self.arm(kept);
        let erased = self
            .pool()
            .erase_body(heronry_pool::Caller::Operator, content_ref);
        let failed = erased.await.unwrap_err();
        assert!(
            matches!(&failed, BodyError::Call(error) if is_unknown(error)),
            "{failed}"
        );
        self.crash().await;
        self.read().await;
        let erased_at = self.ledger.content(content_ref).erased_at;
        assert_eq!(erased_at.is_some(), kept == AppendFate::All);
        // With the record goes the body, and without it the body stays.
        self.fetch_body(None, number).await;
        self.erase(None, number).await;
        self.fetch_body(None, number).await;
    }
}
