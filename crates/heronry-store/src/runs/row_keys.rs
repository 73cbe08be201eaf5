//! The keys of rows that runs lie in.
//!
//! All of one pool stand together: the manifest first, then runs by their number; of each run its
//! blocks, in the order of the hashes that they begin with, and then its filter.

use super::SortHash;

const BLOCK: u8 = 0;
const FILTER: u8 = 1;

/// The row keys of one pool's runs, in the order of their bytes. All of them begin with the number that
/// the pool has in its store.
#[derive(Clone, Copy, Debug)]
pub struct RunKeys(pub u32);

impl RunKeys {
    fn of_run(self, run: u64) -> Vec<u8> {
        let mut key = Vec::with_capacity(29);
        key.extend_from_slice(&self.0.to_be_bytes());
        key.extend_from_slice(&run.to_be_bytes());
        key
    }

    /// Returns the key of the manifest; no run has the number 0.
    pub(super) fn manifest(self) -> Vec<u8> {
        self.of_run(0)
    }

    /// Returns the key of the block that begins with a hash.
    pub(super) fn block(self, run: u64, from: SortHash) -> Vec<u8> {
        let mut key = self.of_run(run);
        key.push(BLOCK);
        key.extend_from_slice(&from.to_bytes());
        key
    }

    /// Returns the hash that the block under a key begins with.
    pub(super) fn begin_of(key: &[u8]) -> Option<SortHash> {
        let (_, from) = key.split_last_chunk()?;
        Some(SortHash::from_bytes(*from))
    }

    /// Returns the key of a segment of a filter.
    pub(super) fn segment(self, run: u64, segment: u32) -> Vec<u8> {
        let mut key = self.of_run(run);
        key.push(FILTER);
        key.extend_from_slice(&segment.to_be_bytes());
        key
    }

    /// Returns the keys from which on, and below which, all rows of a run stand.
    pub(super) fn run(self, run: u64) -> (Vec<u8>, Vec<u8>) {
        (self.of_run(run), self.of_run(run.saturating_add(1)))
    }

    /// Returns the keys from which on, and below which, all rows stand.
    pub(super) fn all(self) -> (Vec<u8>, Vec<u8>) {
        let next = self.0.saturating_add(1);
        (self.manifest(), RunKeys(next).manifest())
    }
}
