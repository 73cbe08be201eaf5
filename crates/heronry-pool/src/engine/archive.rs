//! Finished messages leave memory, and are read again when a command asks for them.

use heronry_journal::Record;

use crate::{Rejection, State, apply::refold, engine::Engine};

pub use crate::state::ArchivedMessage;

/// The number of finished messages that stay in memory when nobody says otherwise.
pub const FINISHED_KEPT: usize = 1_024;

/// The reason why a command has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The rules say no; nothing is staged.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It asked for messages that have left memory; nothing is staged. Read their records,
    /// [recall](Engine::recall) them and run it again.
    #[error("it asks for {} messages that are not in memory", .0.len())]
    Past(Vec<ArchivedMessage>),
}

/// Records that are not those of the message that left memory.
#[derive(Debug, thiserror::Error)]
#[error("the records of the message accepted at {} are not those that it left with", .past.accepted)]
#[non_exhaustive]
pub struct ArchiveMismatch {
    /// The message.
    pub past: ArchivedMessage,
}

impl Engine {
    /// Lets the messages leave memory that finished at or before `until`, which the journal shows, all
    /// but the latest few. They are still known, by the positions of their records.
    pub fn forget_finished(&mut self, until: heronry_types::Position) {
        self.state.messages.forget(until, self.finished_kept);
        self.shown(until);
    }

    /// Makes room for the messages that the next command may ask for.
    pub fn make_room(&mut self) {
        self.state.messages.make_room();
    }

    /// Takes in a message that had left memory, from its records.
    ///
    /// # Errors
    /// [`ArchiveMismatch`] when they do not give the message that left.
    pub fn recall(
        &mut self,
        past: &ArchivedMessage,
        records: &[Record],
    ) -> Result<(), ArchiveMismatch> {
        let mut scratch = State::new(self.state.pool.clone(), self.state.epoch());
        let message = refold(&mut scratch, past.accepted, records);
        let is_it = message.is_some_and(|message| self.state.messages.recall(past, message));
        if is_it {
            Ok(())
        } else {
            let past = past.clone();
            Err(ArchiveMismatch { past })
        }
    }

    /// Forgets a message for good, because the journal was trimmed past its records.
    pub fn give_up(&mut self, past: &ArchivedMessage) {
        self.state.messages.give_up(past);
    }

    /// Checks that everything that was asked for is in memory.
    pub(super) fn is_in_memory(&mut self) -> Result<(), Unanswered> {
        let missed = self.state.messages.take_missed();
        if missed.is_empty() {
            Ok(())
        } else {
            Err(Unanswered::Past(missed))
        }
    }
}
