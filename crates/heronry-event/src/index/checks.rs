//! The checks of filters that are not about features, each kept once.

use std::{collections::BTreeMap, sync::Arc};

use super::slot;
use super::slots::Slots;
use crate::{Envelope, filter::Check};

/// A check that filters make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct CheckId(u32);

impl CheckId {
    pub(super) fn from_number(number: u32) -> Self {
        Self(number)
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }
}

#[derive(Clone)]
struct KeptCheck {
    check: Arc<Check>,
    mentions: u32,
}

/// The checks that filters make. A check goes when no filter makes it any more.
#[derive(Clone, Default)]
pub(super) struct Checks {
    ids: BTreeMap<Arc<Check>, CheckId>,
    kept: Slots<KeptCheck>,
}

impl Checks {
    /// Returns the id of a check, which is named once more until it is [released](Self::release).
    pub(super) fn name(&mut self, check: Check) -> CheckId {
        if let Some(id) = self.ids.get(&check) {
            if let Some(kept) = self.kept.get_mut(id.0 as usize) {
                kept.mentions += 1;
            }
            return *id;
        }
        let check = Arc::new(check);
        let id = CheckId(slot(self.kept.insert(KeptCheck {
            check: Arc::clone(&check),
            mentions: 1,
        })));
        self.ids.insert(check, id);
        id
    }

    /// Takes one mention back.
    pub(super) fn release(&mut self, id: CheckId) {
        let Some(kept) = self.kept.get_mut(id.0 as usize) else {
            return;
        };
        kept.mentions -= 1;
        if kept.mentions == 0
            && let Some(kept) = self.kept.remove(id.0 as usize)
        {
            self.ids.remove(&kept.check);
        }
    }

    /// Returns true when the envelope passes a check.
    pub(super) fn hold(&self, id: CheckId, envelope: &Envelope) -> bool {
        let kept = self.kept.get(id.0 as usize);
        kept.is_some_and(|kept| kept.check.holds(envelope))
    }
}
