//! Counts of what a host was asked, and the call at which its caller dies.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{self, Shared},
};

/// The calls of a host and of what it started, counted in one row.
#[derive(Clone, Debug)]
pub struct HostCalls {
    counted: Arc<Mutex<CountedCalls>>,
    killed: Shared<oneshot::Receiver<()>>,
}

#[derive(Debug)]
struct CountedCalls {
    made: Vec<String>,
    kill_at: Option<usize>,
    tell: Option<oneshot::Sender<()>>,
}

impl Default for HostCalls {
    fn default() -> Self {
        let (tell, killed) = oneshot::channel();
        Self {
            counted: Arc::new(Mutex::new(CountedCalls {
                made: Vec::new(),
                kill_at: None,
                tell: Some(tell),
            })),
            killed: killed.shared(),
        }
    }
}

impl HostCalls {
    /// Lets the call of this number, the first one being 1, and every later one never answer, as if the
    /// caller had been killed in it.
    pub fn kill_at(&self, number: usize) {
        self.counted().kill_at = Some(number);
    }

    /// Waits until the caller was killed. Whoever tests drops the caller then.
    pub async fn killed(&self) {
        if self.killed.clone().await.is_err() {
            future::pending::<()>().await;
        }
    }

    /// Returns the calls that were made, as `start RUN`, `stop RUN`, `kill RUN` and `recover POOL`.
    pub fn made(&self) -> VecDeque<String> {
        self.counted().made.iter().cloned().collect()
    }

    /// Returns the number of calls that were made.
    pub fn count(&self) -> usize {
        self.counted().made.len()
    }

    /// Notes a call; never answers when the caller dies in it.
    pub(super) async fn note(&self, call: String) {
        let dies = {
            let mut counted = self.counted();
            counted.made.push(call);
            let dies = counted.kill_at.is_some_and(|at| counted.made.len() >= at);
            if let Some(tell) = counted.tell.take_if(|_| dies) {
                // Nobody has to wait for it.
                let _ = tell.send(());
            }
            dies
        };
        if dies {
            future::pending::<()>().await;
        }
    }

    fn counted(&self) -> std::sync::MutexGuard<'_, CountedCalls> {
        // A count is whole, whoever panicked.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
