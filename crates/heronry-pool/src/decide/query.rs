//! Questions: they record nothing, and are answered in sequence with everything else.

mod dead;
mod explain;
mod lists;
mod run_end;
mod sum_up;
mod view;

use heronry_store::KeyName;
use heronry_types::{ContentRef, Epoch, MessageId, Position, Receipt, RunId, WakeId, WakeView};

pub use dead::ListDeadLetters;
pub use explain::{ExplainWake, ListAuthors};
pub use lists::{DescribePool, ListMembers, ListWakes, StateDigest};
pub use run_end::FindRunEnd;
pub use sum_up::SumUp;
pub use view::{AdmitReader, CheckCursor, CheckStanding, Viewer, Viewing};

use crate::{
    Caller, Minter, Rejection, State, answer,
    command::{AboutWakes, Applied, Command, Cx, Decision, Names, Profile, Speaker},
    decide::guard,
    state::{MessageAt, WakeAt},
};

/// Asks what became of a message.
#[derive(Clone, Debug)]
pub struct FindMessage {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that sent it.
    pub from: RunId,
    /// The message.
    pub message_id: MessageId,
}

impl Command for FindMessage {
    type Answer = Receipt;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn names(&self, _: Epoch, _: &Minter) -> Option<Names> {
        let id = KeyName::Message(self.message_id.clone());
        Some(Names::new(&self.from, None, Some(id)))
    }

    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::reader(state, &self.caller, &self.from)?;
        cx.prior
            .id
            .map(|found| Decision::Repeat(found.first))
            .ok_or(Rejection::MessageNotFound)
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Receipt, Rejection> {
        answer::receipt(state, applied.first, applied.durability)
            .ok_or_else(|| state.no_message(applied.first))
    }
}

/// Asks where a wake stands.
#[derive(Clone, Debug)]
pub struct FindWake {
    /// The authenticated caller.
    pub caller: Caller,
    /// The run that waits. An operator may leave it out where that is unambiguous.
    pub run: Option<RunId>,
    /// The wake.
    pub wake_id: WakeId,
}

impl Command for FindWake {
    type Answer = WakeView;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Perhaps).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        let run = self.caller.run_or_own(self.run.as_ref());
        if let Some(run) = run {
            guard::reader(state, &self.caller, run)?;
        }
        let mut found = state
            .wakes
            .of_id(&self.wake_id)
            .filter(|it| run.is_none_or(|run| it.wake.run == *run));
        match (found.next(), found.next()) {
            (None, _) => Err(Rejection::WakeNotFound),
            (Some(WakeAt { registered, .. }), None) => Ok(Decision::Repeat(registered)),
            (Some(_), Some(_)) => Err(Rejection::Ambiguous),
        }
    }

    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<WakeView, Rejection> {
        let wake = state
            .wakes
            .get(applied.first)
            .ok_or(Rejection::WakeNotFound)?;
        Ok(answer::wake_view(state, applied.first, wake))
    }
}

/// Asks whether the caller may fetch a body, and where to look for it.
#[derive(Clone, Debug)]
pub struct ContentAccess {
    /// The authenticated caller.
    pub caller: Caller,
    /// The body.
    pub content_ref: ContentRef,
}

/// The first message that refers to a body: a body that came with a message came with that one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstUse {
    /// Its acceptance.
    pub accepted: Position,
    /// The size of the body in bytes.
    pub bytes: u64,
}

impl FirstUse {
    /// Returns the first of the messages that refer to a body, oldest first.
    pub(super) fn of(of_content: &[MessageAt<'_>]) -> Option<Self> {
        let first = of_content.first()?;
        Some(Self {
            accepted: first.accepted,
            bytes: first.message.accepted.body_bytes,
        })
    }
}

impl Command for ContentAccess {
    /// The first message that refers to it. Absent only for operators: none does.
    type Answer = Option<FirstUse>;

    fn profile(&self) -> Profile<'_> {
        Profile::new(AboutWakes::Nothing).spoken_by(Speaker::Asking(&self.caller))
    }

    fn decide(&self, state: &State, _: &Cx<'_>) -> Result<Decision, Rejection> {
        guard::present(state, &self.caller)?;
        Ok(Decision::Nothing)
    }

    fn answer(&self, state: &State, _: Applied<'_>) -> Result<Option<FirstUse>, Rejection> {
        let of_content = state.messages.of_content(self.content_ref);
        let first = FirstUse::of(&of_content);
        match &self.caller {
            Caller::Operator => Ok(first),
            Caller::Member { run, .. } => of_content
                .iter()
                .any(|it| it.message.sender() == Some(run) || it.message.index_of(run).is_some())
                .then_some(first)
                .ok_or(Rejection::ContentMissing),
        }
    }
}
