//! The names that a command claims.

use heronry_store::{ClaimKey, ClaimName};
use heronry_types::{IdempotencyKey, MessageId, RunId};

use crate::mint::Minted;

/// The names to look up before a command is decided, made before the queue.
#[derive(Clone, Debug)]
pub struct Names {
    key: Option<ClaimKey>,
    id: Option<ClaimKey>,
    message_id: Option<MessageId>,
    minted: Option<Minted>,
}

impl Names {
    /// Returns what a run's command claims or asks for: an idempotency key, the id of a message or
    /// wake, or both.
    pub fn new(run: &RunId, key: Option<IdempotencyKey>, id: Option<ClaimName>) -> Self {
        let claim = |name: &ClaimName| ClaimKey::new(run, name);
        Self {
            key: key.map(ClaimName::Key).as_ref().map(claim),
            id: id.as_ref().map(claim),
            message_id: match id {
                Some(ClaimName::Message(id)) => Some(id),
                Some(ClaimName::Key(_) | ClaimName::Wake(_)) | None => None,
            },
            minted: None,
        }
    }

    /// Keeps what was minted for the request, so that it is minted once.
    pub(crate) fn with_minted(mut self, minted: Minted) -> Self {
        self.minted = Some(minted);
        self
    }

    /// Returns the claim of the idempotency key.
    pub fn key(&self) -> Option<&ClaimKey> {
        self.key.as_ref()
    }

    /// Returns the claim of the message's or wake's id.
    pub fn id(&self) -> Option<&ClaimKey> {
        self.id.as_ref()
    }

    /// Walks the claims to look up.
    pub fn keys(&self) -> impl Iterator<Item = &ClaimKey> {
        [self.key(), self.id()].into_iter().flatten()
    }

    pub(crate) fn minted(&self) -> Option<Minted> {
        self.minted
    }

    pub(crate) fn message_id(&self) -> Option<&MessageId> {
        self.message_id.as_ref()
    }
}
