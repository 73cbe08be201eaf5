//! The names that a command stands under.

use heronry_store::{KeyHash, KeyName};
use heronry_types::{IdempotencyKey, MessageId, RunId, SourceId};

use crate::mint::Minted;

/// The names to look up before a command is decided, made before the queue.
#[derive(Clone, Debug)]
pub struct Names {
    key: Option<KeyHash>,
    id: Option<KeyHash>,
    message_id: Option<MessageId>,
    minted: Option<Minted>,
}

impl Names {
    /// Returns the names that a run's command stands under or asks for: an idempotency key, the id of a message or
    /// wake, or the end of a batch, or both.
    pub fn new(run: &RunId, key: Option<IdempotencyKey>, id: Option<KeyName>) -> Self {
        let hash = |name: &KeyName| KeyHash::new(run, name);
        Self {
            key: key.map(KeyName::Key).as_ref().map(hash),
            id: id.as_ref().map(hash),
            message_id: match id {
                Some(KeyName::Message(id)) => Some(id),
                Some(KeyName::Key(_) | KeyName::Wake(_) | KeyName::BatchEnd(_)) | None => None,
            },
            minted: None,
        }
    }

    /// Returns the names of a command that a foreign source has under an idempotency key.
    pub fn of_source(source: &SourceId, key: &IdempotencyKey) -> Self {
        Self {
            key: Some(KeyHash::of_source(source, key)),
            id: None,
            message_id: None,
            minted: None,
        }
    }

    /// Keeps what was minted for the request, so that it is minted once.
    pub(crate) fn with_minted(mut self, minted: Minted) -> Self {
        self.minted = Some(minted);
        self
    }

    /// Returns the hash of the idempotency key.
    pub fn key(&self) -> Option<&KeyHash> {
        self.key.as_ref()
    }

    /// Returns the hash of the message's or wake's id, or of the end of the batch.
    pub fn id(&self) -> Option<&KeyHash> {
        self.id.as_ref()
    }

    /// Walks the keys to look up.
    pub fn keys(&self) -> impl Iterator<Item = &KeyHash> {
        [self.key(), self.id()].into_iter().flatten()
    }

    pub(crate) fn minted(&self) -> Option<Minted> {
        self.minted
    }

    pub(crate) fn message_id(&self) -> Option<&MessageId> {
        self.message_id.as_ref()
    }
}
