//! A gate that futures wait at until a test opens it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;

/// A gate that is open until it is held.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<GateState>,
}

#[derive(Debug, Default)]
struct GateState {
    holds: usize,
    /// Those who wait at the gate.
    waiting: Vec<oneshot::Sender<()>>,
    /// Those who wait until so many wait at the gate.
    watching: Vec<(usize, oneshot::Sender<()>)>,
}

impl Gate {
    /// Waits while the gate is held.
    pub(crate) async fn pass(&self) {
        let opened = {
            let mut state = self.lock();
            if state.holds == 0 {
                return;
            }
            let (open, opened) = oneshot::channel();
            state.waiting.push(open);
            let count = state.waiting.len();
            let watching = std::mem::take(&mut state.watching);
            let (reached, rest) = watching
                .into_iter()
                .partition(|(wanted, _)| *wanted <= count);
            state.watching = rest;
            let reached: Vec<(usize, oneshot::Sender<()>)> = reached;
            for (_, bell) in reached {
                // Whoever stopped watching does not want to know.
                let _ = bell.send(());
            }
            opened
        };
        // A gate that is gone holds nobody.
        let _ = opened.await;
    }

    pub(crate) fn hold(gate: &Arc<Self>) -> Hold {
        gate.lock().holds += 1;
        Hold {
            gate: Arc::clone(gate),
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds appends back as a slow sync does; dropping it lets them go on.
#[derive(Debug)]
#[must_use = "dropping it lets the appends go on"]
pub struct Hold {
    gate: Arc<Gate>,
}

impl Hold {
    /// Completes when `count` appends are held.
    pub async fn reached(&self, count: usize) {
        let reached = {
            let mut state = self.gate.lock();
            if state.waiting.len() >= count {
                return;
            }
            let (bell, reached) = oneshot::channel();
            state.watching.push((count, bell));
            reached
        };
        // The gate lives as long as this hold.
        let _ = reached.await;
    }

    /// Returns how many are held whom somebody still waits for.
    pub fn waiting(&self) -> usize {
        let mut state = self.gate.lock();
        state.waiting.retain(|open| !open.is_canceled());
        state.waiting.len()
    }

    /// Lets the appends go on.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.holds -= 1;
        if state.holds == 0 {
            for open in std::mem::take(&mut state.waiting) {
                // Whoever gave up does not wait.
                let _ = open.send(());
            }
        }
    }
}
