//! A store that fails where a test asks it to.

mod ports;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use heronry_store::{
    CommitOutcome, Doorbells, FencingToken, Layered, Store, StoreError, StoreErrorKind,
};
use heronry_types::{PoolId, Position};

use crate::gate::{Gate, Hold};

/// A store that fails where a test asks it to, and then is as a real one is after a failed sync.
#[derive(Debug)]
pub struct FaultStore {
    inner: Store,
    plan: Arc<Plan>,
}

/// The control of a [`FaultStore`]: the faults that a test asks for, and counts of calls. All
/// clones are the same store's.
#[derive(Clone, Debug)]
pub struct Faults {
    inner: Store,
    plan: Arc<Plan>,
}

/// A store whose faults a test controls.
#[derive(Debug)]
pub struct Faulty {
    /// The store, to be used as any other.
    pub store: Store,
    /// The control of its faults.
    pub faults: Faults,
}

/// The way in which an append fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AppendFault {
    /// The sync fails and nothing was kept. The caller is told "unknown"; the store is closed.
    UnknownNotKept,
    /// The sync fails and all of it was kept. The caller is told "unknown"; the store is closed.
    UnknownKept,
    /// Another writer took the pool: the append is refused as fenced. The store goes on.
    Fenced,
    /// Another writer wrote first: the append is refused as a conflict. The store goes on.
    Conflict,
    /// The store has a bug: the append panics, and nothing was kept. The store goes on.
    Panics,
}

#[derive(Debug, Default)]
struct Plan {
    appends: AtomicU64,
    reads: AtomicU64,
    content_reads: AtomicU64,
    fails_next_read: AtomicBool,
    gate: Arc<Gate>,
    read_gate: Arc<Gate>,
    key_runs: AtomicU64,
    key_gate: Arc<Gate>,
    bells: Doorbells,
    state: Mutex<PlanState>,
}

#[derive(Debug)]
struct PlanState {
    /// The cause that a failing sync reports.
    cause: StoreErrorKind,
    /// Appends that fail, by their number from 1.
    failing: Vec<(u64, AppendFault)>,
    fails_next: Option<AppendFault>,
    closed: bool,
    leases: Vec<(PoolId, FencingToken)>,
}

impl Default for PlanState {
    fn default() -> Self {
        Self {
            cause: StoreErrorKind::Io,
            failing: Vec::new(),
            fails_next: None,
            closed: false,
            leases: Vec::new(),
        }
    }
}

impl FaultStore {
    /// Wraps a store, and returns the wrapped one with the control of its faults.
    pub fn over(inner: Store) -> Faulty {
        let plan = Arc::new(Plan::default());
        let faults = Faults {
            inner: inner.clone(),
            plan: Arc::clone(&plan),
        };
        let store = Store::of(Arc::new(Layered(Self { inner, plan })));
        Faulty { store, faults }
    }
}

impl Faults {
    /// Fails the append with this number, counted from 1 since the store was wrapped.
    pub fn fail_append(&self, number: u64, fault: AppendFault) {
        self.plan.lock().failing.push((number, fault));
    }

    /// Sets the cause that the failing sync reports; [`StoreErrorKind::Io`] unless this is called.
    pub fn fail_because(&self, cause: StoreErrorKind) {
        self.plan.lock().cause = cause;
    }

    /// Fails the next append that is written, one that is held included.
    pub fn fail_next_append(&self, fault: AppendFault) {
        self.plan.lock().fails_next = Some(fault);
    }

    /// Holds appends before they are written, as a slow sync does, until the hold is dropped.
    pub fn hold_appends(&self) -> Hold {
        Gate::hold(&self.plan.gate)
    }

    /// Holds pages of journals before they are read, as a slow disk does, until the hold is dropped.
    pub fn hold_reads(&self) -> Hold {
        Gate::hold(&self.plan.read_gate)
    }

    /// Holds runs of keys before they are put, as a slow disk does, until the hold is dropped.
    pub fn hold_keys(&self) -> Hold {
        Gate::hold(&self.plan.key_gate)
    }

    /// Returns the number of runs of keys that were put.
    pub fn key_runs(&self) -> u64 {
        self.plan.key_runs.load(Ordering::Acquire)
    }

    /// Fails the next page of a journal that is read, as a bad disk does. The store goes on.
    pub fn fail_next_read(&self) {
        self.plan.fails_next_read.store(true, Ordering::Release);
    }

    /// Returns the number of appends that were asked for.
    pub fn appends(&self) -> u64 {
        self.plan.appends.load(Ordering::Acquire)
    }

    /// Returns the number of pages of a journal that were asked for.
    pub fn reads(&self) -> u64 {
        self.plan.reads.load(Ordering::Acquire)
    }

    /// Returns the number of contents that were asked for.
    pub fn content_reads(&self) -> u64 {
        self.plan.content_reads.load(Ordering::Acquire)
    }

    /// Returns the number of times that somebody became the owner of a pool, as everybody does who opens one.
    pub fn ownerships(&self) -> u64 {
        self.plan.lock().leases.len() as u64
    }

    /// Returns true after a failed sync.
    pub fn is_closed(&self) -> bool {
        self.plan.lock().closed
    }

    /// Closes this store and wraps what it kept anew, as a new process would open it: nobody owns
    /// a pool, and keys are to be folded again.
    ///
    /// # Errors
    /// The failure of the store underneath.
    pub async fn reopen(&self) -> Result<Faulty, StoreError> {
        let leases = {
            let mut state = self.plan.lock();
            state.closed = true;
            std::mem::take(&mut state.leases)
        };
        self.plan.bells.close();
        for (pool, token) in leases {
            self.inner.leases.release(&pool, token).await?;
            // Keys of trimmed records cannot be folded again.
            let head = self.inner.journal.head(&pool).await?;
            if head.is_none_or(|head| head.floor == Position::ZERO.next()) {
                self.inner.keys.clear(&pool).await?;
            }
        }
        Ok(FaultStore::over(self.inner.clone()))
    }
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, PlanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses everything after a failed sync.
    fn check_open(&self, op: &'static str) -> Result<(), StoreError> {
        if self.lock().closed {
            return Err(self.closed(op));
        }
        Ok(())
    }

    fn closed(&self, op: &'static str) -> StoreError {
        let detail = "the store was closed, because the test failed a sync";
        StoreError::closed(op, self.lock().cause, detail)
    }

    fn failed_sync(&self) -> heronry_store::AppendError {
        let cause = self.lock().cause;
        heronry_store::AppendError::Store {
            outcome: CommitOutcome::Unknown,
            error: StoreError::new(cause, "commit", "the test failed this sync"),
        }
    }

    /// Returns the fault of the append with this number, and closes the store when its sync fails.
    fn fault_of(&self, number: u64) -> Option<AppendFault> {
        let mut state = self.lock();
        let planned = state
            .failing
            .iter()
            .find(|(failing, _)| *failing == number)
            .map(|(_, fault)| *fault);
        let fault = state.fails_next.take().or(planned)?;
        state.closed |= matches!(
            fault,
            AppendFault::UnknownKept | AppendFault::UnknownNotKept
        );
        if state.closed {
            self.bells.close();
        }
        Some(fault)
    }
}
