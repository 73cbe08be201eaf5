//! Dead letters.

use heronry_wire::{Changed, DeadLetterList, DeadLetterName, DeadLettersQuery};
use http::Method;

use crate::{ClientError, PoolClient};

impl PoolClient {
    /// Lists a page of the dead letters; the next one is after its `next`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn dead_letters(
        &self,
        query: &DeadLettersQuery,
    ) -> Result<DeadLetterList, ClientError> {
        let request = self.request(Method::GET, &["dead-letters"])?.query(query)?;
        self.server.json(request).await
    }

    /// Gives a run a new copy of a message whose copy is dead. Only operators do so.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `not-dead` when the copy is not dead, as after a replay.
    pub async fn replay(&self, letter: &DeadLetterName) -> Result<Changed, ClientError> {
        let cursor = letter.cursor.to_string();
        let under = ["dead-letters", &cursor, letter.run_id.as_str(), "replay"];
        self.server.json(self.request(Method::POST, &under)?).await
    }
}
