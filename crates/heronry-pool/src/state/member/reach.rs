//! The reach of the latest message to several members.

use std::sync::{Arc, Mutex, PoisonError};

use heronry_journal::Recipients;
use heronry_types::{Address, Policies, RunId};

use crate::state::{Wiring, member::MemberSlot};

/// The members that a message reaches: the runs in order, and where each of them stands.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) runs: Recipients,
    pub(crate) slots: Box<[MemberSlot]>,
    /// The members that are addressed and have no edge with the sender. `None`: there are none.
    pub(crate) not_peered: Option<Recipients>,
}

/// The runs that a sender reaches at all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Among {
    /// Everybody.
    All,
    /// Those that have an edge with the sender, and the sender itself.
    Neighbours {
        /// The sender.
        of: RunId,
        /// The requester that is replied to: a reply reaches it in any case.
        requester: Option<RunId>,
    },
}

impl Among {
    /// Returns true when the sender reaches a run.
    pub(crate) fn has(&self, wiring: &Wiring, run: &RunId) -> bool {
        match self {
            Self::All => true,
            Self::Neighbours { of, requester } => {
                run == of || requester.as_ref() == Some(run) || wiring.are_wired(of, run)
            }
        }
    }
}

/// The arguments from which a reach follows, beside the members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Aim {
    pub(crate) to: Address,
    /// The sender, when it is left out.
    pub(crate) without: Option<RunId>,
    pub(crate) policies: Policies,
    pub(crate) among: Among,
}

/// The most reaches that are kept: senders that take turns have one each.
const KEPT_MAX: usize = 16;
/// The most runs in all reaches that are kept.
const KEPT_RUNS_MAX: usize = 65_536;

/// The reaches of the latest messages to several members, the latest last: the next one mostly reaches the same.
///
/// No part of the state: they follow from the members and the edges, and are forgotten whenever those change.
#[derive(Debug, Default)]
pub(super) struct LatestReach(Mutex<Vec<KeptReach>>);

/// A reach that is kept, and the arguments from which it follows.
#[derive(Debug)]
struct KeptReach {
    aim: Aim,
    reach: Arc<Reach>,
}

impl Clone for LatestReach {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl LatestReach {
    /// Returns whom an aim reaches, as `find` says unless it is known.
    pub(super) fn of(&self, aim: Aim, find: impl FnOnce(&Aim) -> Reach) -> Arc<Reach> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.iter().rfind(|known| known.aim == aim) {
            return Arc::clone(&known.reach);
        }
        let reach = Arc::new(find(&aim));
        let runs = |kept: &[KeptReach]| kept.iter().map(|it| it.reach.slots.len()).sum::<usize>();
        while kept.len() >= KEPT_MAX || (!kept.is_empty() && runs(&kept) > KEPT_RUNS_MAX) {
            kept.remove(0);
        }
        let known = Arc::clone(&reach);
        kept.push(KeptReach { aim, reach: known });
        reach
    }

    /// Returns the reach that these recipients are of, when it is known.
    pub(super) fn with(&mut self, runs: &Recipients) -> Option<Arc<Reach>> {
        let kept = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut kept = kept.iter().rev();
        let known = kept.find(|known| Arc::ptr_eq(&known.reach.runs.0, &runs.0))?;
        Some(Arc::clone(&known.reach))
    }

    pub(super) fn forget(&mut self) {
        let kept = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }
}
