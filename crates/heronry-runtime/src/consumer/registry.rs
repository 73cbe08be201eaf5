//! The holders of a pool's consumers in this process.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_journal::ConsumerReset;
use heronry_store::ConsumerId;

/// The activity of a consumer in this process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ConsumerActivity {
    /// Nobody in this process holds the consumer.
    Idle,
    /// A holder in this process has it.
    Held,
    /// Its export stopped at a permanent refusal, and waits to be resumed.
    Parked {
        /// The refusal.
        why: String,
    },
}

/// The holders of a pool's consumers in this process.
#[derive(Debug, Default)]
pub(crate) struct Holders {
    state: Mutex<HoldersState>,
}

#[derive(Debug, Default)]
struct HoldersState {
    held: BTreeMap<ConsumerId, Holding>,
    /// The resets of consumers that are stale, of which the pool was told last, so that each is told once.
    told: HashMap<ConsumerId, ConsumerReset>,
    /// The locks of the consumers that somebody claims or forgets.
    turns: HashMap<ConsumerId, Arc<tokio::sync::Mutex<()>>>,
}

/// One holder.
#[derive(Clone, Debug)]
struct Holding {
    generation: u64,
    activity: ConsumerActivity,
    /// Rings when the holder is to look up: it was taken over, or it is to go on.
    bell: Arc<tokio::sync::Notify>,
}

impl Holders {
    fn lock(&self) -> MutexGuard<'_, HoldersState> {
        // Each change is one insertion or removal, so a panic elsewhere leaves no half of one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the generation that holds a consumer in this process.
    pub(crate) fn holder(&self, name: &ConsumerId) -> Option<u64> {
        self.lock().held.get(name).map(|it| it.generation)
    }

    /// Returns the activity of a consumer.
    pub(crate) fn activity(&self, name: &ConsumerId) -> ConsumerActivity {
        let state = self.lock();
        let held = state.held.get(name);
        held.map_or(ConsumerActivity::Idle, |it| it.activity.clone())
    }

    /// Notes that a claim was kept, and tells the holder of before.
    fn hold(&self, name: &ConsumerId, generation: u64) -> Arc<tokio::sync::Notify> {
        let bell = Arc::new(tokio::sync::Notify::new());
        let holding = Holding {
            generation,
            activity: ConsumerActivity::Held,
            bell: Arc::clone(&bell),
        };
        if let Some(before) = self.lock().held.insert(name.clone(), holding) {
            before.bell.notify_one();
        }
        bell
    }

    /// Notes that a claim of somebody outside was kept: nobody in this process holds the consumer.
    pub(super) fn lose(&self, name: &ConsumerId) {
        if let Some(before) = self.lock().held.remove(name) {
            before.bell.notify_one();
        }
    }

    /// Rings the bell of a parked holder. Returns false when there is none.
    pub(crate) fn resume(&self, name: &ConsumerId) -> bool {
        let mut state = self.lock();
        let Some(holding) = state.held.get_mut(name) else {
            return false;
        };
        let is_parked = matches!(holding.activity, ConsumerActivity::Parked { .. });
        if is_parked {
            holding.activity = ConsumerActivity::Held;
            holding.bell.notify_one();
        }
        is_parked
    }

    /// Returns true when the pool was not told of this reset yet.
    pub(super) fn is_news(&self, reset: &ConsumerReset) -> bool {
        self.lock().told.get(&reset.consumer) != Some(reset)
    }

    /// Notes that the pool was told of a reset.
    pub(super) fn told(&self, reset: ConsumerReset) {
        self.lock().told.insert(reset.consumer.clone(), reset);
    }

    /// Notes that a consumer is gone, or not stale any more: its next reset is news.
    pub(super) fn forget_told(&self, name: &ConsumerId) {
        self.lock().told.remove(name);
    }

    /// Returns the lock of those who claim or forget a consumer.
    pub(super) fn turn(&self, name: &ConsumerId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.lock().turns.entry(name.clone()).or_default())
    }

    /// Forgets the lock of a consumer that nobody claims or forgets any more.
    pub(super) fn end_turn(&self, name: &ConsumerId) {
        let mut state = self.lock();
        // It is shared only under the lock of this state, so nobody comes to wait for it meanwhile.
        let is_unused = |turn: &Arc<_>| Arc::strong_count(turn) == 1;
        if state.turns.get(name).is_some_and(is_unused) {
            state.turns.remove(name);
        }
    }
}

/// A consumer that is held in this process. Dropping it gives the consumer up.
#[derive(Debug)]
pub(crate) struct ConsumerHold {
    holders: Arc<Holders>,
    name: ConsumerId,
    generation: u64,
    bell: Arc<tokio::sync::Notify>,
}

impl ConsumerHold {
    /// Holds a consumer whose claim was kept.
    pub(super) fn of(holders: &Arc<Holders>, name: &ConsumerId, generation: u64) -> Self {
        Self {
            bell: holders.hold(name, generation),
            holders: Arc::clone(holders),
            name: name.clone(),
            generation,
        }
    }

    /// Returns true while no other holder in this process has it.
    pub(super) fn is_held(&self) -> bool {
        self.holders.holder(&self.name) == Some(self.generation)
    }

    /// Notes that the export of the consumer is parked, and returns a future that completes when it is
    /// resumed, or lost to another holder.
    pub(super) fn park(&self, why: String) -> impl Future<Output = ()> + use<> {
        let bell = Arc::clone(&self.bell);
        let mut state = self.holders.lock();
        if let Some(holding) = state.held.get_mut(&self.name)
            && holding.generation == self.generation
        {
            holding.activity = ConsumerActivity::Parked { why };
        }
        async move { bell.notified().await }
    }
}

impl Drop for ConsumerHold {
    fn drop(&mut self) {
        let mut state = self.holders.lock();
        let holder = state.held.get(&self.name);
        if holder.is_some_and(|it| it.generation == self.generation) {
            state.held.remove(&self.name);
        }
    }
}
