//! Holding and failing the syncs of a store that writes on a thread of its own.

use std::{
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The longest time that a test waits for a sync, before it is told that none came. A run that
/// passes never waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gate before every sync of a store: it counts syncs, holds them and fails them. Clones are the same gate.
///
/// An adapter's test calls [`before_sync`](Self::before_sync) from wherever its device can be
/// watched; conformance cases do the rest.
#[derive(Clone, Debug, Default)]
pub struct SyncGate {
    shared: Arc<SharedGate>,
}

#[derive(Debug, Default)]
struct SharedGate {
    state: Mutex<SyncState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SyncState {
    syncs: u64,
    waiting: usize,
    held: bool,
    /// The number of syncs that are still to fail.
    failures: u32,
}

/// No sync came while a test waited for one.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no sync came within 30 s; is the gate asked before every sync?")]
#[non_exhaustive]
pub struct NotReached;

impl SyncGate {
    /// Waits while syncs are held, and returns the result that the device is to report.
    ///
    /// # Errors
    /// The failure that a test asked for.
    pub fn before_sync(&self) -> io::Result<()> {
        let mut state = self.shared.lock();
        state.syncs += 1;
        state.waiting += 1;
        self.shared.changed.notify_all();
        let mut state = self
            .shared
            .changed
            .wait_while(state, |state| state.held)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        if state.failures > 0 {
            state.failures -= 1;
            return Err(io::Error::other("the test failed this sync"));
        }
        Ok(())
    }

    /// Holds syncs until the hold is dropped.
    pub fn hold(&self) -> HeldSyncs {
        self.shared.lock().held = true;
        HeldSyncs { gate: self.clone() }
    }

    /// Fails the next sync that goes on, one that is held included.
    pub fn fail_next(&self) {
        self.shared.lock().failures += 1;
    }

    /// Returns the number of syncs so far.
    pub fn syncs(&self) -> u64 {
        self.shared.lock().syncs
    }
}

impl SharedGate {
    fn lock(&self) -> MutexGuard<'_, SyncState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds syncs back; dropping it lets them go on.
#[derive(Debug)]
#[must_use = "dropping it lets the syncs go on"]
pub struct HeldSyncs {
    gate: SyncGate,
}

impl HeldSyncs {
    /// Blocks this thread until a sync is held.
    ///
    /// # Errors
    /// [`NotReached`] when none comes.
    pub fn wait_reached(&self) -> Result<(), NotReached> {
        let shared = &self.gate.shared;
        let (state, _) = shared
            .changed
            .wait_timeout_while(shared.lock(), PATIENCE, |state| state.waiting == 0)
            .unwrap_or_else(PoisonError::into_inner);
        if state.waiting == 0 {
            return Err(NotReached);
        }
        Ok(())
    }

    /// Lets the syncs go on.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for HeldSyncs {
    fn drop(&mut self) {
        self.gate.shared.lock().held = false;
        self.gate.shared.changed.notify_all();
    }
}
