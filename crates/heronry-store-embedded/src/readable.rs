//! The view that may be read: nothing above the last commit whose sync succeeded.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use heronry_types::{PoolId, Position, Timelines};

use crate::row_keys::PoolNo;
use crate::{WriterPools, before::Before};
use heronry_store::{Doorbells, Head, Reservation, StoreError, StoreErrorKind, runs::Runs};

/// A pool as readers see it.
#[derive(Clone, Debug)]
pub(crate) struct ReadablePool {
    pub(crate) no: PoolNo,
    pub(crate) journal: Option<JournalView>,
    pub(crate) keys: Option<Arc<Runs>>,
}

/// A journal as readers see it.
#[derive(Clone, Debug)]
pub(crate) struct JournalView {
    pub(crate) head: Head,
    pub(crate) timelines: Arc<Timelines>,
}

impl ReadablePool {
    pub(crate) fn head(&self) -> Option<Head> {
        self.journal.as_ref().map(|journal| journal.head)
    }
}

/// Everything that readers see.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) pools: HashMap<PoolId, ReadablePool>,
    /// The place where the pools went, when the store is sealed.
    pub(crate) moved_to: Option<String>,
    /// The pools that a move brings.
    pub(crate) reservation: Option<Arc<Reservation>>,
}

/// The gate: the writer moves it after a commit, and readers look no further.
#[derive(Debug)]
pub(crate) struct Readable {
    state: RwLock<ReadableState>,
    bells: Doorbells,
    /// Rows that are replaced by the transaction that is under way.
    pub(crate) before: Before,
}

/// The reason why a store closed.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) kind: StoreErrorKind,
    pub(crate) text: String,
}

impl From<&StoreError> for Cause {
    fn from(error: &StoreError) -> Self {
        Self {
            kind: error.cause(),
            text: error.to_string(),
        }
    }
}

#[derive(Debug)]
enum ReadableState {
    Open(View),
    Closed(Cause),
}

impl Readable {
    pub(crate) fn new(view: View) -> Self {
        Self {
            state: RwLock::new(ReadableState::Open(view)),
            bells: Doorbells::default(),
            before: Before::default(),
        }
    }

    /// Looks at what is there.
    pub(crate) fn look<T>(
        &self,
        op: &'static str,
        look: impl FnOnce(&View) -> T,
    ) -> Result<T, StoreError> {
        // A panic elsewhere leaves the view whole: each change is one call.
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            ReadableState::Open(view) => Ok(look(view)),
            ReadableState::Closed(cause) => Err(closed(op, cause)),
        }
    }

    /// Returns a pool as readers see it.
    pub(crate) fn pool(
        &self,
        op: &'static str,
        pool: &PoolId,
    ) -> Result<Option<ReadablePool>, StoreError> {
        self.look(op, |view| view.pools.get(pool).cloned())
    }

    /// Moves the gate.
    pub(crate) fn publish(
        &self,
        moved: &HashMap<PoolId, Option<ReadablePool>>,
        pools: &WriterPools,
    ) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let ReadableState::Open(view) = &mut *state {
            for (name, moved) in moved {
                match moved {
                    Some(moved) => view.pools.insert(name.clone(), moved.clone()),
                    None => view.pools.remove(name),
                };
            }
            view.moved_to.clone_from(&pools.moved_to);
            view.reservation.clone_from(&pools.reservation);
        }
        drop(state);
        self.before.forget();
    }

    /// Wakes those who watch what was published.
    pub(crate) fn ring(&self, moved: &HashMap<PoolId, Option<ReadablePool>>) {
        for (name, view) in moved {
            let head = match view {
                Some(view) => view.head().map(|head| head.head),
                // Who waits for a pool that is gone finds that out when it looks.
                None => Some(Position(u64::MAX)),
            };
            if let Some(head) = head {
                self.bells.ring(name, head);
            }
        }
    }

    /// Closes the store for this process. The first cause stays.
    pub(crate) fn close(&self, cause: &Cause) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let ReadableState::Open(_) = &*state {
            *state = ReadableState::Closed(cause.clone());
        }
        drop(state);
        self.bells.close();
    }

    /// Returns the error of everything that comes after the store has closed.
    pub(crate) fn closed(&self, op: &'static str) -> StoreError {
        self.look(op, |_| ()).err().unwrap_or_else(|| {
            let text = "it was dropped".to_owned();
            closed(
                op,
                &Cause {
                    kind: StoreErrorKind::Closed,
                    text,
                },
            )
        })
    }

    /// Waits until the store has closed, and returns the error of everything that comes after.
    pub(crate) async fn until_closed(&self) -> StoreError {
        self.bells.closing().await;
        self.closed("go on")
    }

    pub(crate) async fn watch(&self, pool: &PoolId, after: Position) -> Result<(), StoreError> {
        let op = "watch the journal";
        let rung = self.bells.listen(pool, after);
        let head = self.pool(op, pool)?.and_then(|view| view.head());
        if head.is_some_and(|head| head.head > after) {
            return Ok(());
        }
        rung.await.map_err(|_| self.closed(op))
    }
}

fn closed(op: &'static str, Cause { kind, text }: &Cause) -> StoreError {
    let detail = format!("the store was closed, because {text}; open it again in a new process");
    StoreError::closed(op, *kind, detail)
}
