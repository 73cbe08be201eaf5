//! A command on its way through the pool, and its answer on the way back.

use std::sync::Arc;

use heronry_pool::{
    Caller, Engine, Rejection,
    decide::{AboutWakes, Command, Demand, Lane, Names, ReleaseUnanswered, ScanRequest, Speaker},
    engine::{Append, ArchivedMessage, LookedUp, Unanswered},
};
use heronry_store::{KeyHash, KeyedEntry};
use heronry_types::{Generation, RunId};
use tokio::sync::oneshot;

use crate::{CallError, pool::Unread};

/// A command that waits for its turn.
pub(crate) trait Job: Send + Sync {
    /// Returns the names that it claims or asks for.
    fn names(&self) -> Option<&Names>;

    /// Returns its lane, and the run whose turn it takes there: its member's, or in the lane that is kept
    /// free, where an operator may act for one, the run's that it names.
    fn turn(&self) -> (Lane, Option<&RunId>);

    /// Returns the member that asks, and as which generation; nothing for an operator, and for who joins.
    fn asker(&self) -> Option<(&RunId, Generation)>;

    /// Returns what it has to do with wakes.
    fn about_wakes(&self) -> AboutWakes;

    /// Returns about how many records it stages.
    fn burden(&self) -> usize;

    /// Returns its demand on the store.
    fn demand(&self) -> Demand;

    /// Returns about how many bytes the store writes for it.
    fn weight(&self) -> u64;

    /// Returns what earlier events to look for.
    fn scan(&self, engine: &Engine, found: &[KeyedEntry])
    -> Result<Option<ScanRequest>, Rejection>;

    /// Returns the further names that it needs looked up.
    fn asks(&self, engine: &Engine, found: &[KeyedEntry]) -> Vec<KeyHash>;

    /// Decides it; the answer is held back until the append is durable.
    fn run(
        self: Box<Self>,
        engine: &mut Engine,
        append: &mut Append,
        looked_up: LookedUp<'_>,
    ) -> Ran;

    /// Answers with a refusal that needs no gate of its own append.
    fn reject(self: Box<Self>, rejection: Rejection) -> Box<dyn GatedAnswer>;

    /// Answers at once that it was not dispatched.
    fn refuse(self: Box<Self>, error: CallError);
}

/// The result of deciding a command.
pub(crate) enum Ran {
    /// The command is decided.
    Answered(Box<dyn GatedAnswer>),
    /// The command is to be decided again when these messages are in memory.
    Again(Box<dyn Job>, Vec<ArchivedMessage>),
}

/// The fate of an answer. Each variant carries the release that undoes the hand-over of the answer
/// when nobody takes it.
#[derive(Debug)]
pub(crate) enum Handover {
    /// Somebody took the answer.
    Taken(Option<ReleaseUnanswered>),
    /// Nobody waits for the answer any more.
    Refused(Option<ReleaseUnanswered>),
}

/// An answer that waits for the append on which it was decided.
pub(crate) trait GatedAnswer: Send {
    /// Returns what is to be undone when nobody takes it.
    fn hands_over(&self) -> Option<ReleaseUnanswered>;

    /// Lets the answer out.
    fn release(self: Box<Self>) -> Handover;

    /// Says that the append failed.
    fn fail(self: Box<Self>, error: CallError);
}

/// A command with who waits for its answer, and its answer while that is held back.
pub(crate) struct Call<C: Command> {
    command: C,
    names: Option<Names>,
    reply: oneshot::Sender<Result<C::Answer, CallError>>,
    answer: Option<Result<C::Answer, CallError>>,
    /// The member for whom the call is made, to be told with the answer how much it has not read.
    unread: Option<Arc<Unread>>,
    /// The number that the member is told.
    told: Option<u64>,
}

impl<C: Command> Call<C> {
    pub(crate) fn new(
        command: C,
        names: Option<Names>,
    ) -> (Self, oneshot::Receiver<Result<C::Answer, CallError>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                command,
                names,
                reply,
                answer: None,
                unread: None,
                told: None,
            },
            answer,
        )
    }

    /// Returns the call of which a member is told, with the answer, how much it has not read.
    pub(crate) fn telling(self, unread: Option<Arc<Unread>>) -> Self {
        Self { unread, ..self }
    }
}

impl<C: Command + Sync> Job for Call<C>
where
    C::Answer: Sync,
{
    fn names(&self) -> Option<&Names> {
        self.names.as_ref()
    }

    fn turn(&self) -> (Lane, Option<&RunId>) {
        let profile = self.command.profile();
        let run = match profile.lane {
            Lane::Reserved => profile.reserved_for,
            Lane::Common => profile.speaker.and_then(Speaker::own_run),
            Lane::Owed => None,
        };
        (profile.lane, run)
    }

    fn asker(&self) -> Option<(&RunId, Generation)> {
        let caller = match self.command.profile().speaker? {
            Speaker::Acting(caller, _) | Speaker::Present(caller, _) | Speaker::Asking(caller) => {
                caller
            }
            Speaker::Joining(..) => return None,
        };
        match caller {
            Caller::Operator => None,
            Caller::Member { run, generation } => Some((run, *generation)),
        }
    }

    fn about_wakes(&self) -> AboutWakes {
        self.command.profile().about_wakes
    }

    fn burden(&self) -> usize {
        self.command.profile().burden
    }

    fn demand(&self) -> Demand {
        self.command.profile().demand()
    }

    fn weight(&self) -> u64 {
        self.command.profile().weight() as u64
    }

    fn scan(
        &self,
        engine: &Engine,
        found: &[KeyedEntry],
    ) -> Result<Option<ScanRequest>, Rejection> {
        engine.scan_of(&self.command, self.names.as_ref(), found)
    }

    fn asks(&self, engine: &Engine, found: &[KeyedEntry]) -> Vec<KeyHash> {
        engine.asks_of(&self.command, self.names.as_ref(), found)
    }

    fn run(
        mut self: Box<Self>,
        engine: &mut Engine,
        append: &mut Append,
        looked_up: LookedUp<'_>,
    ) -> Ran {
        let answer = match append.run(engine, &self.command, self.names.as_ref(), looked_up) {
            Ok(answer) => Ok(answer),
            Err(Unanswered::Past(past)) => return Ran::Again(self, past),
            Err(Unanswered::Rejected(rejection)) => Err(rejection.into()),
        };
        self.answer = Some(answer);
        let unread = self.unread.as_ref();
        self.told = unread.and_then(|unread| unread.count(engine, self.command.profile().speaker));
        Ran::Answered(self)
    }

    fn reject(mut self: Box<Self>, rejection: Rejection) -> Box<dyn GatedAnswer> {
        self.answer = Some(Err(rejection.into()));
        self
    }

    fn refuse(self: Box<Self>, error: CallError) {
        // Whoever asked may have stopped waiting; then nobody needs to know.
        let _ = self.reply.send(Err(error));
    }
}

impl<C: Command + Sync> GatedAnswer for Call<C>
where
    C::Answer: Sync,
{
    fn hands_over(&self) -> Option<ReleaseUnanswered> {
        let answered = self.answer.as_ref()?.as_ref().ok()?;
        self.command.unanswered(answered)
    }

    fn release(self: Box<Self>) -> Handover {
        let unanswered = self.hands_over();
        let Self {
            reply,
            answer,
            unread,
            told,
            ..
        } = *self;
        if let (Some(unread), Some(told)) = (unread, told) {
            unread.tell(told);
        }
        let Some(answer) = answer else {
            return Handover::Refused(None);
        };
        match reply.send(answer) {
            Ok(()) => Handover::Taken(unanswered),
            Err(_) => Handover::Refused(unanswered),
        }
    }

    fn fail(self: Box<Self>, error: CallError) {
        // Whoever asked may have stopped waiting; then nobody needs to know.
        let _ = self.reply.send(Err(error));
    }
}
