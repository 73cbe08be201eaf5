//! The identity of a caller.

use heronry_pool::{
    Caller,
    decide::{CheckStanding, PeekInbox},
};
use heronry_runtime::{Party, Pool};
use heronry_types::{Generation, RunId};
use heronry_wire::ProblemKind;

use crate::Refusal;

/// The authenticated caller.
#[derive(Clone, Debug)]
pub enum Identity {
    /// An operator.
    Operator,
    /// One joining of a run, in this pool alone.
    Member {
        /// The pool, by a handle for the calls of this member.
        pool: Pool,
        /// The run.
        run: RunId,
        /// The generation that the joining began.
        generation: Generation,
    },
}

impl Identity {
    /// Returns who asks, as the engine calls it.
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Operator => Caller::Operator,
            Self::Member {
                run, generation, ..
            } => Caller::Member {
                run: run.clone(),
                generation: *generation,
            },
        }
    }

    /// Returns for whom work is done beside the pools.
    pub fn party(&self) -> Party {
        match self {
            Self::Operator => Party::Operator,
            Self::Member { pool, .. } => Party::of(pool.id(), &self.caller()),
        }
    }

    /// Returns the run to act as: a member's own, or the one that an operator names in `field`.
    pub(crate) fn acting(
        &self,
        named: Option<RunId>,
        field: &'static str,
    ) -> Result<RunId, Refusal> {
        match (self, named) {
            (Self::Operator, Some(run)) => Ok(run),
            (Self::Operator, None) => Err(Refusal::invalid(
                field,
                "missing; an operator names the run",
            )),
            (Self::Member { run, .. }, None) => Ok(run.clone()),
            (Self::Member { run, .. }, Some(named)) if *run == named => Ok(named),
            (Self::Member { .. }, Some(_)) => Err(Refusal::of(
                ProblemKind::SenderMismatch,
                "a member token acts as its own run alone; leave the run out",
            )),
        }
    }

    /// Returns whose things a request is about: a member's own, or those of the run that an operator may
    /// name.
    pub(crate) fn whose(&self, named: Option<RunId>) -> Result<Option<RunId>, Refusal> {
        match self {
            Self::Operator => Ok(named),
            Self::Member { .. } => self.acting(named, "run").map(Some),
        }
    }

    /// Checks that who asks may still act: an operator always, a member while its joining is the present one.
    pub(crate) async fn check_standing(&self) -> Result<(), Refusal> {
        if let Self::Member { pool, .. } = self {
            let caller = self.caller();
            pool.call(CheckStanding { caller }).await?;
        }
        Ok(())
    }

    /// Checks that who asks is an operator.
    ///
    /// # Errors
    /// [`Refusal`] `operator-only` for a member.
    pub fn check_operator(&self) -> Result<(), Refusal> {
        match self {
            Self::Operator => Ok(()),
            Self::Member { .. } => Err(Refusal::of(
                ProblemKind::OperatorOnly,
                "this needs the operator's token",
            )),
        }
    }

    /// Returns the member's own run; nothing for an operator.
    pub fn own_run(&self) -> Option<&RunId> {
        match self {
            Self::Operator => None,
            Self::Member { run, .. } => Some(run),
        }
    }

    /// Returns how many copies wait in a member's inbox; nothing for an operator, and 0 for who is not a
    /// member any more.
    ///
    /// The answers to the calls of the request have told it, unless there was none, or one that waited
    /// since: then the pool is asked.
    pub async fn unread(&self) -> Option<u64> {
        let Self::Member { pool, run, .. } = self else {
            return None;
        };
        if let Some(told) = pool.told_unread() {
            return Some(told);
        }
        // As the member itself: an older generation has nothing to read of its successor's, and does
        // not renew its lease.
        let peek = PeekInbox {
            caller: self.caller(),
            run: run.clone(),
            max: 0,
        };
        // The count only accompanies an answer; who is not a member any more has nothing to read.
        let unread = pool.call(peek).await.map_or(0, |received| received.unread);
        Some(unread)
    }
}
