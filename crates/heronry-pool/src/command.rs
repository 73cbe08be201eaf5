//! Commands as such: what a use case is, what its rule may know, and what it decides.

mod decision;
mod demand;
mod draft;
mod heard;
mod keys;
mod names;
mod prior;
mod profile;
mod speaker;

use heronry_store::KeyHash;
use heronry_types::{Epoch, Timestamp};

pub use decision::{Applied, Decision, How};
pub(crate) use demand::RECORD_BYTES;
pub use demand::{Demand, SMALL_BURDEN, SMALL_BYTES};
pub use draft::Draft;
pub(crate) use draft::{Author, visibility};
pub use heard::Heard;
pub use keys::KnownKeys;
pub use names::Names;
pub use prior::Prior;
pub(crate) use prior::repeat;
pub use profile::{AboutWakes, Lane, Profile};
pub use speaker::Speaker;

use crate::{
    Minter, Rejection, State,
    decide::{FoundEvents, ReleaseUnanswered, ScanRequest, WakeCosts},
};

/// The facts that a decision may use beside the state and the command.
#[derive(Clone, Copy, Debug)]
pub struct Cx<'a> {
    /// The pool's time.
    pub now: Timestamp,
    /// The earlier decisions under the command's names.
    pub prior: Prior,
    /// The result of the look through earlier events that the command asked for.
    pub scan: &'a FoundEvents,
    /// The source of references and ids.
    pub minter: &'a Minter,
    /// The command's names.
    pub names: Option<&'a Names>,
    /// The earlier decisions under further names, those that the command asked for among them.
    pub earlier: KnownKeys<'a>,
    /// The times when members were last heard of, for refusals that say so.
    pub heard: &'a Heard,
    /// The costs of the wakes that wait.
    pub costs: &'a WakeCosts,
}

/// The things that a command needs looked up before it is decided, as far as they follow from the state.
#[derive(Debug, Default)]
pub struct Needs {
    /// The further names that its decision has to know of.
    pub names: Vec<KeyHash>,
    /// The earlier events to look through.
    pub scan: Option<ScanRequest>,
}

/// A use case: one rule, and the answer to who asked.
pub trait Command: Send + 'static {
    /// The answer to the caller.
    type Answer: Send + 'static;

    /// Returns the profile that the queue and the engine go by.
    fn profile(&self) -> Profile<'_>;

    /// Returns the names to look up before deciding.
    ///
    /// They follow from the command and the timeline alone, so they are derived before the queue.
    fn names(&self, _epoch: Epoch, _minter: &Minter) -> Option<Names> {
        None
    }

    /// Returns the things to look up before deciding, which follow from the state.
    ///
    /// # Errors
    /// [`Rejection`] when the cursor to look from is not valid.
    fn needs(&self, _state: &State) -> Result<Needs, Rejection> {
        Ok(Needs::default())
    }

    /// Returns the command that follows when nobody took the answer, nor another that hands the same over.
    fn unanswered(&self, _answer: &Self::Answer) -> Option<ReleaseUnanswered> {
        None
    }

    /// Decides. Pure: no I/O, no clock, no randomness.
    ///
    /// # Errors
    /// [`Rejection`] when the rules say no; nothing is recorded then.
    fn decide(&self, state: &State, cx: &Cx<'_>) -> Result<Decision, Rejection>;

    /// Answers from the state after the decision was applied.
    ///
    /// # Errors
    /// [`Rejection`] when what is asked for does not exist; only commands that record nothing do so.
    fn answer(&self, state: &State, applied: Applied<'_>) -> Result<Self::Answer, Rejection>;
}
