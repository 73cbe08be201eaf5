//! Orders to the loop that keeps a pool, and its answers.

use heronry_types::RunId;
use tokio::sync::oneshot;

use crate::{
    Action, Layers,
    causes::Cause,
    report::{MemberStatus, ReconcileReport, ShutdownReport},
};

/// The reason why an order was not carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// The runtime is being stopped, or has stopped.
    #[error("this runtime has stopped; build another one")]
    Stopped,
    /// Another steward has the pool.
    #[error("another steward has the pool; this runtime does nothing any more")]
    Fenced,
    /// The run is no member of the roster.
    #[error("run {run:?} is not in the roster; declare it first", run = .0.as_str())]
    NotDeclared(RunId),
    /// The run has ended, and cannot be started again.
    #[error("run {run:?} has ended; declare another run", run = .0.as_str())]
    RunEnded(RunId),
}

/// The members that a reconcile starts again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Respawn {
    /// Those whose spec has changed.
    Changed,
    /// All.
    All,
}

/// The way in which everything stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Closing {
    /// The job is done: members that run until they are stopped are complete.
    Done,
    /// Something else ends it: no run ends.
    Interrupted,
    /// At once: what runs is killed.
    AtOnce,
}

type OrderReply<T> = oneshot::Sender<Result<T, OrderError>>;

/// An order.
pub(crate) enum Order {
    Reconcile {
        /// The new layers; `None`: those that are known.
        layers: Option<Box<Layers>>,
        respawn: Respawn,
        reply: OrderReply<ReconcileReport>,
    },
    Plan {
        layers: Option<Box<Layers>>,
        reply: OrderReply<Vec<Action>>,
    },
    Start {
        run: RunId,
        reply: OrderReply<()>,
    },
    Stop {
        run: RunId,
        reply: OrderReply<()>,
    },
    Standings {
        reply: OrderReply<Vec<MemberStatus>>,
    },
    Layers {
        reply: OrderReply<Layers>,
    },
    /// Causes were found. The answer says whether one of them was a sleeper's.
    Causes {
        causes: Vec<Cause>,
        reply: oneshot::Sender<bool>,
    },
    /// Every cause up to the head was handed over, after this question.
    LookedUpTo {
        question: u64,
    },
    /// The pool had another steward recorded, or this one.
    CheckSteward,
    /// An edge, an alias or a setting of the pool has changed.
    CheckWiring,
    /// The first pass is over.
    Serve,
    Close {
        closing: Closing,
        reply: oneshot::Sender<ShutdownReport>,
    },
}
