//! The snapshot of a pool: one row.
//!
//! A row: checksum, layout (1 byte: 1), version of the state (4), epoch (16), position (8), hash
//! of the chunk that ends there (32), state. Numbers are big-endian.

use std::sync::Arc;

use heronry_journal::ChunkHash;
use heronry_types::{Epoch, PoolId, Position};

use crate::row_keys::{self, PoolNo};
use crate::{
    CHECKSUM_BYTES, Database, Rows, Table, corrupt, pool::WriterPool, readable::Readable, seal,
    unseal,
};
use heronry_store::runs::KeyRange;
use heronry_store::{Checkpoint, FencingToken, Snapshot, StoreError, StoreErrorKind};

const LAYOUT: u8 = 1;
const READ: &str = "read a snapshot";

/// A change of a pool's snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotEdit {
    /// The row to write, without its checksum; nothing deletes it.
    pub(crate) row: Option<Vec<u8>>,
    pub(crate) token: FencingToken,
    pub(crate) readable: Arc<Readable>,
}

impl SnapshotEdit {
    pub(crate) fn op(&self) -> &'static str {
        match self.row {
            Some(_) => "put a snapshot",
            None => "delete a snapshot",
        }
    }

    /// Writes or removes the row, unless the token is stale.
    pub(crate) fn run(
        self,
        rows: &mut dyn Rows,
        pool: Option<&WriterPool>,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let op = self.op();
        let Some(pool) = pool else {
            let detail = "nobody ever acquired the pool";
            return Ok(Err(StoreError::new(StoreErrorKind::Closed, op, detail)));
        };
        if let Err(refusal) = pool.ownership.check_aside(self.token, op) {
            return Ok(Err(refusal));
        }
        let key = row_keys::pool(pool.no);
        let row = self.row.map(|row| seal(&key, row));
        let before = &self.readable.before;
        before
            .replace(rows, (Table::Snapshots, &key), row.as_deref())
            .map(Ok)
    }
}

/// Returns the row of a snapshot, without its checksum.
pub(crate) fn encode(snapshot: &Snapshot) -> Vec<u8> {
    let Snapshot { version, at, bytes } = snapshot;
    let mut row = Vec::with_capacity(CHECKSUM_BYTES + 61 + bytes.len());
    row.extend_from_slice(&[0; CHECKSUM_BYTES]);
    row.push(LAYOUT);
    row.extend_from_slice(&version.to_be_bytes());
    row.extend_from_slice(&at.epoch.0);
    row.extend_from_slice(&at.position.0.to_be_bytes());
    row.extend_from_slice(&at.hash.0);
    row.extend_from_slice(bytes);
    row
}

/// Reads a row; nothing when it is damaged, or of another layout.
fn decode(key: &[u8], row: &[u8]) -> Option<Snapshot> {
    let (layout, rest) = unseal(key, row)?.split_first()?;
    if *layout != LAYOUT {
        return None;
    }
    let (version, rest) = rest.split_first_chunk()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (position, rest) = rest.split_first_chunk()?;
    let (hash, bytes) = rest.split_first_chunk()?;
    Some(Snapshot {
        version: u32::from_be_bytes(*version),
        at: Checkpoint {
            epoch: Epoch(*epoch),
            position: Position(u64::from_be_bytes(*position)),
            hash: ChunkHash(*hash),
        },
        bytes: bytes.to_vec(),
    })
}

/// Reads the snapshot of a pool, whether or not it is of the pool's journal.
pub(crate) fn latest<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    (name, no): (&PoolId, PoolNo),
) -> Result<Option<Snapshot>, StoreError> {
    let key = row_keys::pool(no);
    let range = KeyRange::one(&key);
    let damaged = |error: &str| {
        let detail = format!("pool {name}: its snapshot is damaged ({error}); delete it");
        corrupt(READ, detail)
    };
    let rows = readable
        .before
        .read(database, READ, Table::Snapshots, range);
    let rows = rows.map_err(|error| {
        if error.kind() == StoreErrorKind::Corrupt {
            return damaged(&error.to_string()).with_source(error);
        }
        error
    })?;
    let row = rows.first_key_value();
    row.map(|(key, row)| decode(key, row).ok_or_else(|| damaged("its checksum differs")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_back_and_damage_or_misplacement_is_seen() {
        let snapshot = Snapshot {
            version: 3,
            at: Checkpoint {
                epoch: Epoch([1; 16]),
                position: Position(9),
                hash: ChunkHash([2; 32]),
            },
            bytes: b"a state".to_vec(),
        };
        let row = seal(b"key", encode(&snapshot));
        assert_eq!(decode(b"key", &row), Some(snapshot));
        assert_eq!(decode(b"other", &row), None);
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(b"key", &flipped), None, "bit {bit}");
        }
        for cut in 0..row.len() {
            assert_eq!(decode(b"key", &row[..cut]), None, "cut at {cut}");
        }
    }
}
