//! The bodies that are being stored by themselves, and that no record counts yet.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_pool::decide::{ContentShare, counted_bytes};
use heronry_types::RunId;

/// The number of bytes that the bodies count as while they are stored.
///
/// A body is in here from before it is admitted until its record is durable, so that however many are
/// stored at once, no share has more than its limit.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    sums: Mutex<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    all: u64,
    of_run: HashMap<RunId, u64>,
}

/// One body that is being stored; dropping this takes it out.
#[derive(Debug)]
pub(super) struct Entered {
    under_way: Arc<UnderWay>,
    share: ContentShare,
    counted: u64,
}

impl UnderWay {
    /// A panic while the lock is held cannot leave the sums half changed: each change is an addition.
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a body of this size.
    pub(super) fn enter(self: &Arc<Self>, run: Option<&RunId>, bytes: u64) -> Entered {
        let counted = counted_bytes(bytes);
        let mut sums = self.sums();
        let mut share = ContentShare {
            run: run.cloned(),
            under_way_of_run: 0,
            under_way: sums.all,
        };
        sums.all += counted;
        if let Some(run) = run {
            let sum = sums.of_run.entry(run.clone()).or_default();
            share.under_way_of_run = *sum;
            *sum += counted;
        }
        Entered {
            under_way: Arc::clone(self),
            share,
            counted,
        }
    }
}

impl Entered {
    /// Returns the share to ask for: beside the bodies that came before.
    pub(super) fn share(&self) -> &ContentShare {
        &self.share
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut sums = self.under_way.sums();
        sums.all -= self.counted;
        if let Some(run) = &self.share.run
            && let Some(sum) = sums.of_run.get_mut(run)
        {
            *sum -= self.counted;
            if *sum == 0 {
                sums.of_run.remove(run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_body_stands_beside_those_that_came_before_it_and_have_not_gone() {
        let under_way = Arc::<UnderWay>::default();
        let (one, other) = (RunId::parse("one").unwrap(), RunId::parse("other").unwrap());
        let beside = |entered: &Entered| {
            let share = entered.share();
            (share.under_way_of_run, share.under_way)
        };
        let first = under_way.enter(Some(&one), 10_000);
        assert_eq!(beside(&first), (0, 0));
        let second = under_way.enter(Some(&other), 1);
        assert_eq!(beside(&second), (0, 10_000));
        let nobodys = under_way.enter(None, 20_000);
        assert_eq!(beside(&nobodys), (0, 14_096));
        assert_eq!(beside(&under_way.enter(Some(&one), 1)), (10_000, 34_096));
        drop((first, second, nobodys));
        assert_eq!(beside(&under_way.enter(Some(&one), 1)), (0, 0));
        assert!(under_way.sums().of_run.is_empty());
    }
}
