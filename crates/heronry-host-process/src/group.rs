//! A process group that is signalled only while its number is its own.

use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

/// A process group, named by its leader.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Pid,
    /// True until the leader is reaped: from then on its number can name another group.
    is_own: Mutex<bool>,
}

impl ProcessGroup {
    /// Names the group of a leader that is not reaped yet.
    pub(crate) fn of(leader: Pid) -> Self {
        Self {
            leader,
            is_own: Mutex::new(true),
        }
    }

    /// Returns the number of the group.
    pub(crate) fn number(&self) -> u32 {
        self.leader.as_raw_nonzero().get().unsigned_abs()
    }

    /// Signals the group; one without a process left needs no signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // A flag is whole, whoever panicked.
        let is_own = self.is_own.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_own {
            let _ = kill_process_group(self.leader, signal);
        }
    }

    /// Kills what is left of the group. It is not signalled any more after that, so the leader can be
    /// reaped.
    pub(crate) fn close(&self) {
        self.signal(Signal::KILL);
        *self.is_own.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }
}
