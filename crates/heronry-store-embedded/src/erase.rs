//! Erasing bodies: their rows are written anew, with tombstones in their place.

use heronry_types::Position;

use crate::row_keys::{self, PoolNo};
use crate::{
    Rows, Table,
    before::Before,
    corrupt,
    pack::{self, Pack},
};
use heronry_store::{ContentPlace, Erasure, NewContent, StoreError, Stored};

const ERASE: &str = "erase content";

/// The rows that an append leaves behind where it erases bodies.
#[derive(Debug, Default)]
pub(crate) struct Erased {
    rows: Vec<Replaced>,
}

/// A row that takes the place of another one.
#[derive(Debug)]
struct Replaced {
    table: Table,
    key: Vec<u8>,
    row: Vec<u8>,
}

impl Erased {
    /// Takes in one more erasure; where nothing is left to erase, nothing changes.
    ///
    /// # Errors
    /// A failure of the transaction; within that, a row that is damaged.
    pub(crate) fn add(
        &mut self,
        rows: &mut dyn Rows,
        no: PoolNo,
        erasure: &Erasure,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let (table, key) = match erasure.place {
            ContentPlace::Alone => (
                Table::Contents,
                row_keys::named(no, erasure.content_ref).to_vec(),
            ),
            ContentPlace::With(position) => match key_of_pack(rows, no, position)? {
                Some(key) => (Table::Packs, key),
                None => return Ok(Ok(())),
            },
        };
        let known = |it: &&mut Replaced| it.table == table && it.key == key;
        if let Some(known) = self.rows.iter_mut().find(known) {
            return Ok(left(&known.key, &known.row, erasure).map(|left| {
                known.row = left.unwrap_or_else(|| std::mem::take(&mut known.row));
            }));
        }
        let left = match rows.get(table, &key)? {
            Some(row) => left(&key, &row, erasure),
            None => Ok(alone(&key, erasure)),
        };
        Ok(left.map(|left| {
            let replaced = left.map(|row| Replaced { table, key, row });
            self.rows.extend(replaced);
        }))
    }

    /// Writes the rows; readers see those before until that is synced.
    pub(crate) fn write(&self, rows: &mut dyn Rows, before: &Before) -> Result<(), StoreError> {
        for Replaced { table, key, row } in &self.rows {
            before.replace(rows, (*table, key), Some(row))?;
        }
        Ok(())
    }
}

/// Returns the key of the row whose append may hold a position.
fn key_of_pack(
    rows: &mut dyn Rows,
    no: PoolNo,
    position: Position,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (from, to) = (
        row_keys::placed(no, Position::ZERO),
        row_keys::placed(no, position),
    );
    let last = rows.last_key(Table::Packs, &from, &to)?;
    Ok(last.map(|key| key.to_vec()))
}

/// Returns what is left of a row; nothing when it does not hold the body.
fn left(key: &[u8], row: &[u8], erasure: &Erasure) -> Result<Option<Vec<u8>>, StoreError> {
    let damaged = || corrupt(ERASE, "the index of contents is damaged");
    let pack = Pack::read(key, row).ok_or_else(damaged)?;
    if let ContentPlace::With(position) = erasure.place
        && pack.last() < position
    {
        return Ok(None);
    }
    let row = pack.without(erasure.content_ref, &erasure.tombstone, ERASE)?;
    Ok(row.map(|row| row.under(key)))
}

/// Returns the row of a tombstone where there was no body; it rides with no append.
fn alone(key: &[u8], erasure: &Erasure) -> Option<Vec<u8>> {
    if let ContentPlace::With(_) = erasure.place {
        return None;
    }
    let tombstone = Stored::Erased(erasure.tombstone.clone());
    let content = NewContent::of(erasure.content_ref, tombstone);
    Some(pack::encode(Position::ZERO, vec![content]).under(key))
}
