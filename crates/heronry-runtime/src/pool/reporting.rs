//! Taking in events that are reported, and counting those that were taken before.

use heronry_pool::{Appended, decide::AppendEvents};

use crate::{CallError, Pool};

impl Pool {
    /// Appends reported events: those that were not taken before, or none. Events of a source that were taken
    /// before are counted in [`SourceCounts::repeated`](crate::figures::SourceCounts::repeated).
    ///
    /// # Errors
    /// [`CallError`], as [`call`](Self::call) has it.
    pub async fn append_events(&self, append: AppendEvents) -> Result<Appended, CallError> {
        let appended = self.call(append).await?;
        self.shared().published.note_repeats(appended.already_taken);
        Ok(appended)
    }
}
