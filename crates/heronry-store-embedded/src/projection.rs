//! Rows of projections: for each projection a row with its size, and a row for each of its rows.
//!
//! The row with the size: checksum, layout (1 byte: 1), rows (8), bytes (8), big-endian. It is there as
//! long as the projection has rows. Another row: checksum, layout (1 byte: 1), value.

use std::{ops::ControlFlow, sync::Arc};

use heronry_store::{
    ConsumerError, ConsumerId, PROJECTION_KEY_BYTES_MAX, ProjectionRow, ProjectionSize, RowChanges,
    RowRange, StoreError, judge_size_after,
    runs::{KeyRange, Order},
};
use heronry_types::PoolId;

use crate::{
    CHECKSUM_BYTES, Database, Rows, Table, before::Before, corrupt, readable::Readable, row_keys,
    seal, unseal,
};

const LAYOUT: u8 = 1;
const READ: &str = "read a projection";

/// The place of the projection of one consumer.
pub(crate) struct ProjectionPlace<'a> {
    pub(crate) pool: &'a PoolId,
    pub(crate) consumer: &'a ConsumerId,
    /// The key of the row with its size, with which the keys of all its rows begin.
    pub(crate) prefix: Vec<u8>,
}

impl ProjectionPlace<'_> {
    fn damaged(&self) -> StoreError {
        let Self { pool, consumer, .. } = self;
        let detail = format!(
            "pool {pool}, consumer {consumer}: its projection is damaged; forget the consumer and begin anew"
        );
        corrupt(READ, detail)
    }

    /// Returns the key above every row of it.
    fn end(&self) -> Vec<u8> {
        [&self.prefix[..], &[u8::MAX; PROJECTION_KEY_BYTES_MAX + 1]].concat()
    }

    /// Returns the value of a stored row.
    fn value<'r>(&self, key: &[u8], row: &'r [u8]) -> Result<&'r [u8], StoreError> {
        let opened = unseal(key, row).and_then(<[u8]>::split_first);
        match opened {
            Some((layout, value)) if *layout == LAYOUT => Ok(value),
            Some(_) | None => Err(self.damaged()),
        }
    }

    fn size(&self, row: Option<Vec<u8>>) -> Result<ProjectionSize, StoreError> {
        let Some(row) = row else {
            return Ok(ProjectionSize::default());
        };
        let (numbers, rest) = self.value(&self.prefix, &row)?.as_chunks::<8>();
        let count = |bytes: &[u8; 8]| usize::try_from(u64::from_be_bytes(*bytes)).ok();
        match (numbers, rest) {
            ([rows, bytes], []) => count(rows).zip(count(bytes)),
            _ => None,
        }
        .map(|(rows, bytes)| ProjectionSize { rows, bytes })
        .ok_or_else(|| self.damaged())
    }
}

/// The reason why rows were not written.
pub(crate) enum Unwritten {
    /// A rule refuses them, and the transaction goes on without them.
    Refused(ConsumerError),
    /// The transaction failed.
    Failed(StoreError),
}

impl From<ConsumerError> for Unwritten {
    fn from(refusal: ConsumerError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Unwritten {
    fn from(fault: StoreError) -> Self {
        Self::Failed(fault)
    }
}

fn encode(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut row = vec![0; CHECKSUM_BYTES];
    row.push(LAYOUT);
    row.extend_from_slice(value);
    seal(key, row)
}

/// Writes changes of rows, unless the projection would be larger than a store takes.
pub(crate) fn write(
    rows: &mut dyn Rows,
    before: &Before,
    place: &ProjectionPlace<'_>,
    changes: RowChanges,
) -> Result<(), Unwritten> {
    if changes.is_empty() {
        return Ok(());
    }
    let refused = |error: StoreError| Unwritten::Refused(error.into());
    let found = rows.get(Table::Projections, &place.prefix)?;
    let size = place.size(found).map_err(refused)?;
    let size = judge_size_after(size, &changes, |key| {
        let key = row_keys::projected(&place.prefix, key);
        let Some(row) = rows.get(Table::Projections, &key)? else {
            return Ok(None);
        };
        let value = place.value(&key, &row).map_err(refused)?;
        Ok::<_, Unwritten>(Some(value.len()))
    })?;
    for (key, value) in changes {
        let key = row_keys::projected(&place.prefix, &key);
        let row = value.map(|value| encode(&key, &value));
        before.replace(rows, (Table::Projections, &key), row.as_deref())?;
    }
    let numbers = [size.rows, size.bytes].map(|number| (number as u64).to_be_bytes());
    let row = (size.rows > 0).then(|| encode(&place.prefix, numbers.as_flattened()));
    before.replace(rows, (Table::Projections, &place.prefix), row.as_deref())?;
    Ok(())
}

/// Removes every row of a projection, damaged ones included.
pub(crate) fn remove(
    rows: &mut dyn Rows,
    before: &Before,
    place: &ProjectionPlace<'_>,
) -> Result<(), StoreError> {
    let keys = rows.keys(Table::Projections, &place.prefix, &place.end())?;
    for key in keys {
        before.replace(rows, (Table::Projections, &key), None)?;
    }
    Ok(())
}

/// Reads the value of a row.
pub(crate) fn get<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    place: &ProjectionPlace<'_>,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    let key = row_keys::projected(&place.prefix, key);
    let before = &readable.before;
    let rows = before.read(database, READ, Table::Projections, KeyRange::one(&key))?;
    let row = rows.get(&key);
    row.map(|row| place.value(&key, row).map(<[u8]>::to_vec))
        .transpose()
}

/// Reads rows in the order of their keys.
pub(crate) fn scan<D: Database>(
    database: Arc<D>,
    readable: &Readable,
    place: &ProjectionPlace<'_>,
    range: RowRange<'_>,
) -> Result<Vec<ProjectionRow>, StoreError> {
    // The row with the size comes first, and is none of the rows that are asked for.
    let after = range
        .after
        .map(|key| row_keys::projected(&place.prefix, key));
    let after = after.unwrap_or_else(|| place.prefix.clone());
    let end = place.end();
    let mut page = range.page();
    let mut failed = None;
    database.read(READ, |rows| {
        let table = readable.before.view(Table::Projections);
        let keys = KeyRange::new(&after, &end);
        table.walk(rows, keys, Order::Ascending, &mut |stored, row| {
            if stored == after {
                return ControlFlow::Continue(());
            }
            let key = row_keys::read_projected(&place.prefix, stored);
            let value = key
                .ok_or_else(|| place.damaged())
                .and_then(|key| Ok((key, place.value(stored, row)?)));
            match value {
                Ok((key, value)) => page.push(&key, value),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })
    })?;
    failed.map_or_else(|| Ok(page.into_rows()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row_keys::PoolNo;

    #[test]
    fn a_row_is_read_back_and_damage_or_misplacement_is_seen() {
        let (pool, consumer) = (PoolId::parse("p").unwrap(), ConsumerId::parse("c").unwrap());
        let place = ProjectionPlace {
            pool: &pool,
            consumer: &consumer,
            prefix: row_keys::projection(PoolNo(1), &consumer),
        };
        let row = encode(b"key", b"value");
        assert_eq!(place.value(b"key", &row).unwrap(), b"value");
        assert!(place.value(b"other", &row).is_err());
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(place.value(b"key", &flipped).is_err(), "bit {bit}");
        }
        for cut in 0..row.len() {
            assert!(place.value(b"key", &row[..cut]).is_err(), "cut at {cut}");
        }
        let numbers = [3_u64, 40].map(u64::to_be_bytes);
        let size = encode(&place.prefix, numbers.as_flattened());
        let expected = ProjectionSize { rows: 3, bytes: 40 };
        assert_eq!(place.size(Some(size)).unwrap(), expected);
        let short = encode(&place.prefix, &numbers[0]);
        assert!(place.size(Some(short)).is_err());
    }
}
