//! Rows of consumers' cursors: one row for each consumer.
//!
//! A row: checksum, layout (1 byte: 2), epoch (16), position (8), fingerprint of the filter (32),
//! generation (8), time of the commit in milliseconds since 1970, signed (8; the smallest number for
//! none), milliseconds for which it holds (8). Numbers are big-endian. Rows of layout 1 end after the
//! fingerprint, and are read forever.

use std::{collections::BTreeMap, sync::Arc};

use heronry_types::{Cursor, Epoch, Millis, PoolId, Position, Timestamp};

use crate::row_keys::{self, PoolNo};
use crate::{
    CHECKSUM_BYTES, Database, Rows, Table, corrupt,
    pool::WriterPool,
    projection::{self, ProjectionPlace, Unwritten},
    readable::Readable,
    seal, unseal,
};
use heronry_store::runs::KeyRange;
use heronry_store::{
    ConsumerCursor, ConsumerError, ConsumerId, ConsumerStanding, ConsumerStep, CursorMove,
    FilterFingerprint, RowChanges, StoreError, Tenure, judge_cursor,
};

const LAYOUT: u8 = 2;
/// The layout of rows without a tenure.
const LAYOUT_FIRST: u8 = 1;
/// Stands for no time of a commit.
const NO_TIME: i64 = i64::MIN;
const READ: &str = "read cursors";

/// A change of a consumer's row.
#[derive(Debug)]
pub(crate) struct CursorEdit {
    pub(crate) consumer: ConsumerId,
    pub(crate) change: CursorChange,
    pub(crate) readable: Arc<Readable>,
}

#[derive(Debug)]
pub(crate) enum CursorChange {
    /// The consumer moves, and rows of its projection change.
    Move {
        step: ConsumerStep,
        rows: RowChanges,
    },
    Delete,
}

impl CursorEdit {
    pub(crate) fn op(&self) -> &'static str {
        match &self.change {
            CursorChange::Move { rows, .. } if rows.is_empty() => "commit a cursor",
            CursorChange::Move { .. } => "commit a projection",
            CursorChange::Delete => "delete a cursor",
        }
    }

    /// Returns about how many bytes it writes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.change {
            CursorChange::Move { rows, .. } => {
                let sizes = rows
                    .iter()
                    .map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len));
                sizes.sum()
            }
            CursorChange::Delete => 0,
        }
    }

    /// Writes or removes the row and those of the projection, unless the commit is refused.
    pub(crate) fn run(
        self,
        rows: &mut dyn Rows,
        pool: Option<(&PoolId, &WriterPool)>,
    ) -> Result<Result<(), ConsumerError>, StoreError> {
        let Some((name, pool)) = pool else {
            return Ok(match self.change {
                CursorChange::Move { .. } => Err(ConsumerError::NoPool),
                CursorChange::Delete => Ok(()),
            });
        };
        let key = row_keys::consumer(pool.no, &self.consumer);
        let before = &self.readable.before;
        let place = ProjectionPlace {
            pool: name,
            consumer: &self.consumer,
            prefix: row_keys::projection(pool.no, &self.consumer),
        };
        match self.change {
            CursorChange::Delete => {
                before.replace(rows, (Table::Cursors, &key), None)?;
                projection::remove(rows, before, &place).map(Ok)
            }
            CursorChange::Move {
                step,
                rows: changes,
            } => {
                let judged = judge(rows, pool, &place, &key, step)?;
                if let Err(refusal) = judged {
                    return Ok(Err(refusal));
                }
                match projection::write(rows, before, &place, changes) {
                    Ok(()) => {}
                    Err(Unwritten::Refused(refusal)) => return Ok(Err(refusal)),
                    Err(Unwritten::Failed(fault)) => return Err(fault),
                }
                let row = encode(&key, step.next);
                before
                    .replace(rows, (Table::Cursors, &key), Some(&row))
                    .map(Ok)
            }
        }
    }
}

/// Judges a step of a consumer.
fn judge(
    rows: &mut dyn Rows,
    pool: &WriterPool,
    place: &ProjectionPlace<'_>,
    key: &[u8],
    step: ConsumerStep,
) -> Result<Result<(), ConsumerError>, StoreError> {
    let found = match rows.get(Table::Cursors, key)? {
        None => None,
        Some(row) => match decode(key, &row) {
            Some(found) => Some(found),
            None => return Ok(Err(damaged(place.pool, place.consumer).into())),
        },
    };
    let head = pool.there().map(|journal| journal.head.head);
    let (from, to) = range(pool.no);
    let consumers = || rows.count(Table::Cursors, &from, &to);
    let asked = CursorMove {
        found,
        expected: step.expected,
        next: step.next,
    };
    Ok(judge_cursor(head, asked, consumers))
}

/// Writes where the consumers of a pool stand that an append shows.
pub(crate) fn bring(
    rows: &mut dyn Rows,
    readable: &Readable,
    no: PoolNo,
    consumers: &[ConsumerStanding],
) -> Result<(), StoreError> {
    for ConsumerStanding { consumer, cursor } in consumers {
        let key = row_keys::consumer(no, consumer);
        let row = encode(&key, *cursor);
        let before = &readable.before;
        before.replace(rows, (Table::Cursors, &key), Some(&row))?;
    }
    Ok(())
}

fn damaged(pool: &PoolId, consumer: &ConsumerId) -> StoreError {
    let detail = format!("pool {pool}, consumer {consumer}: its cursor is damaged; delete it");
    corrupt(READ, detail)
}

fn range(no: PoolNo) -> ([u8; 4], Vec<u8>) {
    let from = row_keys::pool(no);
    (from, [&from[..], &[u8::MAX]].concat())
}

fn encode(key: &[u8], next: ConsumerCursor) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    row.push(LAYOUT);
    row.extend_from_slice(&next.cursor.epoch.0);
    row.extend_from_slice(&next.cursor.position.0.to_be_bytes());
    row.extend_from_slice(&next.filter.0);
    let Tenure {
        generation,
        committed_at,
        hold_for,
    } = next.tenure;
    let committed_at = committed_at.map_or(NO_TIME, Timestamp::as_millis);
    row.extend_from_slice(&generation.to_be_bytes());
    row.extend_from_slice(&committed_at.to_be_bytes());
    row.extend_from_slice(&hold_for.0.to_be_bytes());
    seal(key, row)
}

/// Reads a row; nothing when it is damaged, or of another layout.
fn decode(key: &[u8], row: &[u8]) -> Option<ConsumerCursor> {
    let (layout, rest) = unseal(key, row)?.split_first()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (position, rest) = rest.split_first_chunk()?;
    let (filter, rest) = rest.split_first_chunk()?;
    let tenure = match (*layout, rest) {
        (LAYOUT_FIRST, []) => Tenure::default(),
        (LAYOUT, tenure) => decode_tenure(tenure)?,
        _ => return None,
    };
    Some(ConsumerCursor {
        cursor: Cursor::new(Epoch(*epoch), Position(u64::from_be_bytes(*position))),
        filter: FilterFingerprint(*filter),
        tenure,
    })
}

fn decode_tenure(bytes: &[u8]) -> Option<Tenure> {
    let (generation, rest) = bytes.split_first_chunk()?;
    let (committed_at, hold_for) = rest.split_first_chunk()?;
    let committed_at = i64::from_be_bytes(*committed_at);
    Some(Tenure {
        generation: u64::from_be_bytes(*generation),
        committed_at: (committed_at != NO_TIME).then(|| Timestamp::from_millis(committed_at)),
        hold_for: Millis(u64::from_be_bytes(hold_for.try_into().ok()?)),
    })
}

/// Reads where a consumer stands.
pub(crate) fn get<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    (name, no): (&PoolId, PoolNo),
    consumer: &ConsumerId,
) -> Result<Option<ConsumerCursor>, StoreError> {
    let key = row_keys::consumer(no, consumer);
    let rows = readable
        .before
        .read(database, READ, Table::Cursors, KeyRange::one(&key))?;
    let row = rows.get(&key);
    row.map(|row| decode(&key, row).ok_or_else(|| damaged(name, consumer)))
        .transpose()
}

/// Reads where every consumer of a pool stands.
pub(crate) fn list<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    (name, no): (&PoolId, PoolNo),
) -> Result<Vec<ConsumerStanding>, StoreError> {
    let (from, to) = range(no);
    let rows: BTreeMap<_, _> =
        readable
            .before
            .read(database, READ, Table::Cursors, KeyRange::new(&from, &to))?;
    let read = |(key, row): (Vec<u8>, Vec<u8>)| {
        let text = key
            .get(from.len()..)
            .and_then(|text| str::from_utf8(text).ok());
        let consumer = text.and_then(|text| ConsumerId::parse(text).ok());
        let consumer = consumer.ok_or_else(|| {
            let detail = format!("pool {name}: the name of a consumer is damaged");
            corrupt(READ, detail)
        })?;
        let cursor = decode(&key, &row).ok_or_else(|| damaged(name, &consumer))?;
        Ok(ConsumerStanding { consumer, cursor })
    };
    rows.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> ConsumerCursor {
        ConsumerCursor {
            cursor: Cursor::new(Epoch([1; 16]), Position(9)),
            filter: FilterFingerprint([2; 32]),
            tenure: Tenure {
                generation: 3,
                committed_at: Some(Timestamp::from_millis(4)),
                hold_for: Millis(5),
            },
        }
    }

    #[test]
    fn a_row_is_read_back_and_damage_or_misplacement_is_seen() {
        let free = ConsumerCursor::new(held().cursor, held().filter);
        for cursor in [held(), free] {
            let row = encode(b"key", cursor);
            assert_eq!(decode(b"key", &row), Some(cursor));
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

    #[test]
    fn a_row_from_before_tenures_is_read_as_one_that_nobody_has_held() {
        // The bytes that every build before tenures wrote for this consumer.
        let mut row = vec![0; CHECKSUM_BYTES];
        row.push(1);
        row.extend_from_slice(&[1; 16]);
        row.extend_from_slice(&9_u64.to_be_bytes());
        row.extend_from_slice(&[2; 32]);
        let row = seal(b"key", row);
        let free = ConsumerCursor::new(held().cursor, held().filter);
        assert_eq!(decode(b"key", &row), Some(free));
    }
}
