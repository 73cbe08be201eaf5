//! The keys port: which requests were decided before.

use std::fmt;

use async_trait::async_trait;
use heronry_journal::{ChunkHash, RequestHash};
use heronry_types::{Epoch, IdempotencyKey, MessageId, PoolId, Position, RunId, SourceId, WakeId};

use crate::{FencingToken, StoreError};

/// A name that is unique for each pool and run.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyName {
    /// An idempotency key; sends, wakes and event batches share one space.
    Key(IdempotencyKey),
    /// The id of a message.
    Message(MessageId),
    /// The id of a wake.
    Wake(WakeId),
    /// The last record of a batch of a source, by the idempotency key of the batch.
    BatchEnd(IdempotencyKey),
}

/// The key of a name: the first 16 bytes of a BLAKE3 hash over the kind of name, the run and the name.
///
/// Two names that anybody could find do not share one, so the names themselves are not kept. `Debug`
/// shows too little of it to tell a name by.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyHash(u128);

impl KeyHash {
    /// Returns the key of a run's name.
    pub fn new(run: &RunId, name: &KeyName) -> Self {
        let (kind, name) = match name {
            KeyName::Key(id) => (1, id.as_str()),
            KeyName::Message(id) => (2, id.as_str()),
            KeyName::Wake(id) => (3, id.as_str()),
            KeyName::BatchEnd(id) => (5, id.as_str()),
        };
        Self::hashed(kind, run.as_str(), name)
    }

    /// Returns the key of what was recorded of a foreign source, which belongs to no run.
    pub fn of_source(source: &SourceId, key: &IdempotencyKey) -> Self {
        Self::hashed(4, source.as_str(), key.as_str())
    }

    fn hashed(kind: u8, of: &str, name: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[kind]);
        hasher.update(of.as_bytes());
        // No text has this byte.
        hasher.update(&[0xff]);
        hasher.update(name.as_bytes());
        let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] =
            *hasher.finalize().as_bytes();
        Self(u128::from_be_bytes(first))
    }

    /// Returns the bits, in whose order entries are listed.
    pub fn bits(self) -> u128 {
        self.0
    }

    /// Returns the key with these bits, as [`bits`](Self::bits) returned them.
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash(#{:06x})", self.0 >> 104)
    }
}

/// The decision that was made under a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyEntry {
    /// The first record of the decision.
    pub first: Position,
    /// The hash of the request.
    pub request_hash: RequestHash,
}

/// The size of a [`KeyedEntry`] in bytes.
pub const KEYED_ENTRY_BYTES: usize = 40;

/// An entry, with the key that it stands under.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyedEntry {
    /// The key.
    pub key: KeyHash,
    /// The decision that was made under the key.
    pub entry: KeyEntry,
}

impl KeyedEntry {
    /// Returns the entry under a key.
    pub fn new(key: KeyHash, entry: KeyEntry) -> Self {
        Self { key, entry }
    }

    /// Returns the bits of the key (16 bytes), the first position (8) and the hash of the request (16);
    /// numbers are big-endian.
    pub fn to_bytes(self) -> [u8; KEYED_ENTRY_BYTES] {
        let mut bytes = [0; KEYED_ENTRY_BYTES];
        let (key, rest) = bytes.split_at_mut(16);
        let (first, request) = rest.split_at_mut(8);
        key.copy_from_slice(&self.key.bits().to_be_bytes());
        first.copy_from_slice(&self.entry.first.0.to_be_bytes());
        request.copy_from_slice(&self.entry.request_hash.0);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8; KEYED_ENTRY_BYTES]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (first, rest) = rest.split_first_chunk()?;
        let entry = KeyEntry {
            first: Position(u64::from_be_bytes(*first)),
            request_hash: RequestHash(rest.try_into().ok()?),
        };
        Some(Self::new(
            KeyHash::from_bits(u128::from_be_bytes(*key)),
            entry,
        ))
    }
}

/// The place up to which a projection has followed a journal, and the chain that it followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// The timeline.
    pub epoch: Epoch,
    /// The last position that it holds.
    pub position: Position,
    /// The hash of the chunk that ends there.
    pub hash: ChunkHash,
}

/// A projection of the journal: from idempotency keys and host-chosen ids to the decisions made
/// under them.
///
/// Keys of kept records may be dropped and folded again; the journal is the truth. Those of trimmed records
/// stand nowhere else.
///
/// Contract; each rule has a conformance case of the same name in `heronry-testkit`:
/// 1. *a run is found with its checkpoint*: both are there, or neither.
/// 2. *runs add up*, and *a key that comes again has its last entry*.
/// 3. *answers come in the order of the questions*, one for each.
/// 4. *apart*: keys of one pool are not found in another.
/// 5. *clearing forgets one pool*.
/// 6. *a stale token puts nothing*.
/// 7. *a checkpoint after reopening is one that was put*, with its keys; or there is none, and no
///    key either.
/// 8. *sealed* and *fail-stop*: as in [`Journal`](crate::Journal).
/// 9. *many runs are as one*: *the last entry counts however many runs there are*.
/// 10. *keys are found while runs are put*.
/// 11. *what was cleared stays forgotten*.
/// 12. *many runs after reopening are all there or none*.
/// 13. *a put that failed is there whole or not at all*.
/// 14. *every key is listed once with its last entry*, in pages of any length, and *an unknown pool lists none*.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Adds a run of keys, in any order, and moves the checkpoint, both or neither.
    ///
    /// # Errors
    /// The store's failure; a stale token is [`StoreErrorKind::Closed`](crate::StoreErrorKind::Closed). Where damage was
    /// found it is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt) until the keys are [cleared](Self::clear): a
    /// run on top of what is left would say that there is no more.
    async fn put_run(
        &self,
        pool: &PoolId,
        run: Vec<KeyedEntry>,
        checkpoint: Checkpoint,
        token: FencingToken,
    ) -> Result<(), StoreError>;

    /// Looks keys up; one answer for each key, in order.
    ///
    /// # Errors
    /// The store's failure.
    async fn find(
        &self,
        pool: &PoolId,
        keys: &[KeyHash],
    ) -> Result<Vec<Option<KeyEntry>>, StoreError>;

    /// Returns at most `limit` entries after a key, in the order of [`KeyHash::bits`]; from the lowest on
    /// without one. Each key comes once, with its last entry. Nothing follows the last page, which is shorter
    /// than `limit`.
    ///
    /// Keys that are put between two pages may be on the later one, or on neither.
    ///
    /// # Errors
    /// The store's failure; damage is [`StoreErrorKind::Corrupt`](crate::StoreErrorKind::Corrupt).
    async fn list(
        &self,
        pool: &PoolId,
        after: Option<KeyHash>,
        limit: usize,
    ) -> Result<Vec<KeyedEntry>, StoreError>;

    /// Returns how far the projection has followed the journal; nothing when it is empty.
    ///
    /// # Errors
    /// The store's failure.
    async fn checkpoint(&self, pool: &PoolId) -> Result<Option<Checkpoint>, StoreError>;

    /// Drops everything about a pool. What it had of records that are kept is folded again.
    ///
    /// # Errors
    /// The store's failure.
    async fn clear(&self, pool: &PoolId) -> Result<(), StoreError>;
}
