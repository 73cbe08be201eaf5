//! The reach of the latest message to several members.

use std::sync::{Arc, Mutex, PoisonError};

use heronry_journal::Recipients;
use heronry_types::{Address, Policies, RunId};

use crate::state::member::MemberSlot;

/// The members that a message reaches: the runs in order, and where each of them stands.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) runs: Recipients,
    pub(crate) slots: Box<[MemberSlot]>,
}

/// The arguments from which a reach follows, beside the members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Aim {
    pub(crate) to: Address,
    /// The sender, when it is left out.
    pub(crate) without: Option<RunId>,
    pub(crate) policies: Policies,
}

/// The reach of the latest message to several members: the next one mostly reaches the same.
///
/// No part of the state: it follows from the members, and is forgotten whenever they change.
#[derive(Debug, Default)]
pub(super) struct LatestReach(Mutex<Option<(Aim, Arc<Reach>)>>);

impl Clone for LatestReach {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl LatestReach {
    /// Returns whom an aim reaches, as `find` says unless it is known.
    pub(super) fn of(&self, aim: Aim, find: impl FnOnce(&Aim) -> Reach) -> Arc<Reach> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, reach)) = &*latest
            && *of == aim
        {
            return Arc::clone(reach);
        }
        let reach = Arc::new(find(&aim));
        *latest = Some((aim, Arc::clone(&reach)));
        reach
    }

    /// Returns the reach that these recipients are of, when it is known.
    pub(super) fn with(&mut self, runs: &Recipients) -> Option<Arc<Reach>> {
        let latest = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (_, reach) = latest.as_ref()?;
        Arc::ptr_eq(&reach.runs.0, &runs.0).then(|| Arc::clone(reach))
    }

    pub(super) fn forget(&mut self) {
        *self.0.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
