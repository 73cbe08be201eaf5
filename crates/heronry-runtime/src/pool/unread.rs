//! The number of copies that a member has not read, told by the answers to its calls.

use std::sync::{Mutex, MutexGuard, PoisonError};

use heronry_pool::{Caller, Engine, decide::Speaker};

use super::Pool;

/// The number of copies that one member has not read, as the last answer to a call of it told.
#[derive(Debug)]
pub(crate) struct Unread {
    of: Caller,
    told: Mutex<Option<u64>>,
}

impl Unread {
    /// A number is whole at every point, so a panic elsewhere cannot have left it half changed.
    fn told(&self) -> MutexGuard<'_, Option<u64>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number in the state that a command was decided on, when the member was heard of by it.
    pub(crate) fn count(&self, engine: &Engine, speaker: Option<Speaker<'_>>) -> Option<u64> {
        let own = speaker.and_then(Speaker::own_run);
        let is_heard = own.is_some() && own == self.of.own_run();
        is_heard.then(|| engine.unread_of(&self.of))
    }

    /// Keeps the number that came with an answer.
    pub(crate) fn tell(&self, count: u64) {
        *self.told() = Some(count);
    }

    fn forget(&self) {
        *self.told() = None;
    }
}

impl Pool {
    /// Returns a handle of the same pool for the calls of one member: their answers tell how many copies
    /// it has not read, without a call of its own. The clones of the handle share what was told.
    #[must_use]
    pub fn telling_unread(&self, of: Caller) -> Self {
        let told = Mutex::default();
        Self {
            unread: Some(std::sync::Arc::new(Unread { of, told })),
            ..self.clone()
        }
    }

    /// Returns how many copies the member of this handle has not read, as the last answer told; 0 for a
    /// joining that is not the present one. `None` when no answer told since the handle was made, or since
    /// a call of it waited, and for a handle of no member.
    pub fn told_unread(&self) -> Option<u64> {
        *self.unread.as_ref()?.told()
    }

    /// Says that what was told is not the newest any more: a call waits.
    pub(crate) fn forget_unread(&self) {
        if let Some(unread) = &self.unread {
            unread.forget();
        }
    }
}
