//! Deciding: rules that read the state and say what to record, or why not.

mod ack;
mod cancel;
mod configure;
mod dead;
mod delivery;
mod demand;
mod draft;
mod effects;
mod erase;
mod events;
mod extend;
mod fetch;
mod guard;
mod heartbeat;
mod join;
mod leave;
mod lost;
mod names;
mod prior;
mod query;
mod reference;
mod release;
mod reply;
mod resolve;
mod retire;
mod scan;
mod send;
mod settle;
mod stall;
mod store;
mod suspend;
mod tick;
mod wake;

use heronry_store::{ClaimEntry, ClaimKey};
use heronry_types::{Durability, Epoch, Position, RunId, Timestamp};

pub use ack::{Ack, ClaimSet};
pub use cancel::CancelMessage;
pub use configure::{Configure, Create};
pub use dead::Replay;
pub use demand::{Demand, SMALL_BYTES};
pub use draft::Draft;
pub use effects::{AttemptEffect, IntendEffect, ListEffects, ReportEffect};
pub use erase::{EraseContent, ErasureAccess};
pub use events::AppendEvents;
pub use extend::Extend;
pub use fetch::{Fetch, Peek, Select};
pub use heartbeat::{Heartbeat, Speaker};
pub use join::{ChangeMember, Join, JoinNew};
pub use leave::{EndRun, Leave};
pub(crate) use lost::{back_entry, left_entries, lost_entry};
pub use names::Names;
pub use query::{
    AdmitReader, CheckCursor, CheckStanding, ContentAccess, DescribePool, ExplainWake, FindMessage,
    FindWake, FirstUse, ListAuthors, ListDeadLetters, ListMembers, ListWakes, StateDigest, SumUp,
    Viewer, Viewing,
};
pub use reference::ReferenceAccess;
pub use release::{Release, ReleaseUnanswered};
pub use retire::Retire;
pub use scan::{FinishScan, Scanned};
pub use send::{Content, Expiry, Send, SendRequest};
pub(crate) use stall::{Acting, ByItself, Need, Prospect, Prospects, Sight, Walk, has, of_nobody};
pub use store::{AdmitBody, ContentShare, StoreContent, counted_bytes};
pub use suspend::{Resume, Suspend, Suspending};
pub(crate) use suspend::{acting_entry, resumed_entry};
pub(crate) use tick::{due_entries, due_entries_of_contents};
pub use wake::{CancelWake, RegisterWake, ScanRequest, WakeEvents, WakeRequest};

use crate::{
    Minter, Rejection, State,
    engine::{Earlier, Found, Heard, WakeCosts},
};

/// What a decision may know beside the state and the command.
#[derive(Clone, Copy, Debug)]
pub struct Cx<'a> {
    /// The pool's time.
    pub now: Timestamp,
    /// What was decided before under the command's names.
    pub prior: Prior,
    /// What the earlier events gave that the command asked to be looked through.
    pub scan: &'a Found,
    /// Derives references and ids.
    pub minter: &'a Minter,
    /// The command's names.
    pub names: Option<&'a Names>,
    /// What was decided before under names that the command asked for.
    pub earlier: Earlier<'a>,
    /// The times when members were last heard of, for refusals that say so.
    pub heard: &'a Heard,
    /// What the wakes that wait cost.
    pub costs: &'a WakeCosts,
}

/// What was decided before under a command's names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Prior {
    /// Under its idempotency key.
    pub key: Option<ClaimEntry>,
    /// Under its message or wake id.
    pub id: Option<ClaimEntry>,
}

/// What a rule decided.
#[derive(Debug)]
pub enum Decision {
    /// These records are to be appended.
    Write(Draft),
    /// These records are to be appended; they are about this earlier one, and so is the answer.
    Amend(Draft, Position),
    /// The command repeats the one that was recorded here: nothing is appended.
    Repeat(Position),
    /// Nothing is to be appended.
    Nothing,
}

/// How a command came out, for its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Applied {
    /// The first record of the decision, the one that it amends or repeats, or the head when nothing
    /// was recorded.
    pub first: Position,
    /// Whether records were appended.
    pub how: How,
    /// The pool's time.
    pub now: Timestamp,
    /// How safely the store keeps records.
    pub durability: Durability,
}

/// Whether a command's records were appended by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum How {
    /// Records were appended.
    Written,
    /// An earlier command did the same.
    Repeated,
    /// There was nothing to append.
    Unchanged,
}

/// Which lane of the queue a command takes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Lane {
    /// The common lane.
    Common,
    /// The lane that is kept free for commands which relieve the pool.
    Reserved,
    /// No lane: the command always gets in, before all others. It finishes what was admitted before, so
    /// that its number is bounded by that.
    Owed,
}

/// What a command has to do with wakes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AboutWakes {
    /// It may read or end wakes, or change what their waiters see: triggers of earlier events are
    /// recorded before it is decided.
    Perhaps,
    /// It does not: it is decided while triggers of earlier events are still being recorded.
    Nothing,
}

/// A use case: one rule, and the answer to who asked.
pub trait Command: std::marker::Send + 'static {
    /// What the caller gets.
    type Answer: std::marker::Send + 'static;

    /// Which lane of the queue it takes.
    fn lane(&self) -> Lane {
        Lane::Common
    }

    /// Returns the run on whose behalf it is, for fair shares of the reserved lane.
    fn run(&self) -> Option<&RunId> {
        None
    }

    /// Returns what it has to do with wakes.
    fn about_wakes(&self) -> AboutWakes;

    /// Returns about how many records it stages: the measure of how long others wait for it.
    fn burden(&self) -> usize {
        1
    }

    /// Returns about how many bytes it stores that grow with what is asked: a body, or long events.
    fn bytes(&self) -> usize {
        0
    }

    /// Returns what it asks of the store.
    fn demand(&self) -> Demand {
        Demand::of(self.burden(), self.bytes())
    }

    /// Returns who is heard of by this command, so that its lease is renewed.
    fn speaker(&self) -> Option<Speaker<'_>> {
        None
    }

    /// Adds when members were last heard of, which is nowhere recorded.
    fn add_last_seen(_answer: &mut Self::Answer, _heard: &Heard) {}

    /// Returns the names to look up before deciding.
    ///
    /// They follow from the command and the timeline alone, so they are derived before the queue.
    fn names(&self, _epoch: Epoch, _minter: &Minter) -> Option<Names> {
        None
    }

    /// Returns further names that the decision needs to know of, which follow from the state.
    fn asks(&self, _state: &State) -> Vec<ClaimKey> {
        Vec::new()
    }

    /// Returns what earlier events to look for before deciding.
    ///
    /// # Errors
    /// [`Rejection`] when the cursor to look from is not valid.
    fn scan(&self, _state: &State) -> Result<Option<ScanRequest>, Rejection> {
        Ok(None)
    }

    /// Returns what to do when nobody took the answer, nor another that hands the same over.
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
    fn answer(&self, state: &State, applied: Applied) -> Result<Self::Answer, Rejection>;
}
