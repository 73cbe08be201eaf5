//! A summary of a store's content, to be compared with its content at a later time.

use std::collections::HashMap;

use crate::{WriterPools, corrupt, pool::WriterPool};
use heronry_store::{Head, StoreError};

impl WriterPools {
    /// Returns a summary of who may write, and of where each journal stands.
    ///
    /// An adapter whose database takes a log that lost its end for one that was not written to its
    /// end keeps it when it closes.
    pub fn summary(&self) -> Vec<u8> {
        let mut pools: Vec<_> = self.pools.iter().collect();
        pools.sort_by_key(|(name, _)| *name);
        let mut out = Vec::new();
        push(&mut out, self.moved_to.as_deref().unwrap_or_default());
        for (name, pool) in pools {
            push(&mut out, name.as_str());
            out.extend_from_slice(&state_of(pool));
        }
        if let Some(state) = self.cursors.state() {
            push(&mut out, CURSORS);
            out.extend_from_slice(&state);
        }
        out
    }

    /// Checks that the store still holds the content that it had when a summary was taken.
    ///
    /// # Errors
    /// [`Corrupt`](heronry_store::StoreErrorKind::Corrupt), naming the pool and the position that is lost.
    pub fn check_summary(&self, op: &'static str, before: &[u8]) -> Result<(), StoreError> {
        let now = self.summary();
        if now == before {
            return Ok(());
        }
        let what = match (read(before), read(&now)) {
            (Some(before), Some(now)) => difference(&before, &now),
            (None, _) | (_, None) => "the summary of the store is malformed".to_owned(),
        };
        Err(corrupt(op, what))
    }
}

/// The name under which the cursors of consumers stand in a summary; no pool has it. A store without
/// consumers has no such entry.
const CURSORS: &str = "\0cursors";

/// A digest of every cursor of every consumer. A cursor cannot be folded again, so its loss must be seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct CursorsDigest {
    rows: u64,
    checksum: u32,
}

impl CursorsDigest {
    /// Takes in the next row, in the order of the keys.
    pub(crate) fn push(&mut self, key: &[u8], row: &[u8]) {
        self.rows += 1;
        self.checksum = [key, row].iter().fold(self.checksum, |checksum, part| {
            crc32c::crc32c_append(checksum, part)
        });
    }

    fn state(self) -> Option<Vec<u8>> {
        let mut state = self.checksum.to_be_bytes().to_vec();
        state.extend_from_slice(&self.rows.to_be_bytes());
        state.resize(STATE_BYTES, 0);
        (self.rows > 0).then_some(state)
    }
}

/// Pool number, token, head, floor, hash, epoch.
const STATE_BYTES: usize = 4 + 8 + 8 + 8 + 32 + 16;
type StateBytes = [u8; STATE_BYTES];

fn state_of(pool: &WriterPool) -> Vec<u8> {
    let mut state = Vec::with_capacity(STATE_BYTES);
    state.extend_from_slice(&pool.no.0.to_be_bytes());
    state.extend_from_slice(&pool.ownership.token().0.to_be_bytes());
    if let Some(Head {
        epoch,
        head,
        floor,
        last_hash,
    }) = pool.head()
    {
        state.extend_from_slice(&head.0.to_be_bytes());
        state.extend_from_slice(&floor.0.to_be_bytes());
        state.extend_from_slice(&last_hash.0);
        state.extend_from_slice(&epoch.0);
    }
    state.resize(STATE_BYTES, 0);
    state
}

fn head_of(state: &StateBytes) -> u64 {
    let (_, rest) = state.split_at(12);
    rest.first_chunk().copied().map_or(0, u64::from_be_bytes)
}

fn push(out: &mut Vec<u8>, text: &str) {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// Reads the pools of a summary.
fn read(summary: &[u8]) -> Option<Vec<(&str, StateBytes)>> {
    let (_, mut rest) = text(summary)?;
    let mut pools = Vec::new();
    while !rest.is_empty() {
        let (name, after) = text(rest)?;
        let (state, after) = after.split_first_chunk()?;
        pools.push((name, *state));
        rest = after;
    }
    Some(pools)
}

/// Says what a store has lost, from the pools that it had and those that it has.
fn difference(before: &[(&str, StateBytes)], now: &[(&str, StateBytes)]) -> String {
    let now: HashMap<_, _> = now.iter().copied().collect();
    for (name, had) in before {
        if *name == CURSORS && now.get(name) != Some(had) {
            return "cursors of consumers are not what they were when it was closed".to_owned();
        }
        let has = now.get(name).map_or(0, head_of);
        let had = head_of(had);
        if has < had {
            let lost = has + 1;
            return format!(
                "pool {name}, position {lost}: the store held up to {had} when it was closed, and holds up to {has}"
            );
        }
    }
    "the store does not hold what it held when it was closed".to_owned()
}

#[cfg(test)]
mod tests {
    use heronry_journal::ChunkHash;
    use heronry_types::{Epoch, PoolId, Position, Timelines};

    use super::*;
    use crate::row_keys::PoolNo;
    use crate::{pool::WriterJournal, readable::JournalView};
    use heronry_store::StoreErrorKind;

    fn pools(heads: &[u64]) -> WriterPools {
        let mut pools = WriterPools::default();
        for (no, head) in (1..).zip(heads) {
            let mut pool = WriterPool::new(PoolNo(no));
            if *head > 0 {
                let head = Head {
                    epoch: Epoch([7; 16]),
                    head: Position(*head),
                    floor: Position(1),
                    last_hash: ChunkHash([9; 32]),
                };
                let timelines = Timelines::of(head.epoch).into();
                pool.journal = WriterJournal::There(JournalView { head, timelines });
            }
            let name = PoolId::parse(format!("p{no}")).unwrap();
            pools.pools.insert(name, pool);
        }
        pools
    }

    #[track_caller]
    fn check(before: &WriterPools, now: &WriterPools, expected: Option<&str>) {
        let found = now.check_summary("open", &before.summary());
        match expected {
            None => found.unwrap(),
            Some(text) => {
                let error = found.unwrap_err();
                assert_eq!(error.kind(), StoreErrorKind::Corrupt);
                assert!(error.to_string().contains(text), "{error}");
            }
        }
    }

    #[test]
    fn a_store_that_lost_something_is_said_to_where() {
        let before = pools(&[3, 0, 5]);
        check(&before, &pools(&[3, 0, 5]), None);
        check(&before, &pools(&[3, 0, 2]), Some("pool p3, position 3: "));
        check(&before, &pools(&[3]), Some("pool p3, position 1: "));
        check(&before, &pools(&[3, 4, 5]), Some("does not hold"));
        let mut consumed = pools(&[3, 0, 5]);
        consumed.cursors.push(b"a consumer", b"a cursor");
        let mut further = pools(&[3, 0, 5]);
        further.cursors.push(b"a consumer", b"another");
        check(&consumed, &consumed, None);
        check(&consumed, &before, Some("cursors of consumers"));
        check(&consumed, &further, Some("cursors of consumers"));
        let mut moved = pools(&[3, 0, 5]);
        moved.moved_to = Some("elsewhere".to_owned());
        check(&before, &moved, Some("does not hold"));
        let error = before.check_summary("open", b"no summary").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}
