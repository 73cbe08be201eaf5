//! The tables of the file, and the rows that one transaction writes to them.

use heronry_store::StoreError;
use heronry_store_embedded::{CHECKSUM_BYTES, PlacedKey, Rows, Table, seal, unseal};
use redb::{ReadableTable, Table as OpenTable, TableDefinition, WriteTransaction};

use crate::failure::failed;

const COMMIT: &str = "commit";

/// Every table maps bytes to bytes; the keys are those of [`heronry_store_embedded::row_keys`].
pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Says what the file is, before anything else is believed.
pub(crate) const FORMAT: Definition = TableDefinition::new("format");
/// The one row of [`FORMAT`].
pub(crate) const FORMAT_KEY: &[u8] = b"heronry";
/// The format that this build writes.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Names the rows that the last transaction wrote.
const LAST: Definition = TableDefinition::new("last");
/// The row of [`LAST`] that names rows of the first tables.
const LAST_KEY: &[u8] = b"rows";
/// The row of [`LAST`] that names rows of later tables, which a build from before them cannot read.
const LAST_LATER_KEY: &[u8] = b"rows of later tables";
/// The row of [`LAST`] that names rows of keys, which came later still.
const LAST_KEYS_KEY: &[u8] = b"rows of claims";
/// The row of [`LAST`] that names rows of projections, which came later still.
const LAST_PROJECTIONS_KEY: &[u8] = b"rows of projections";
/// The row of [`LAST`] that names rows of baselines, the latest.
const LAST_BASELINES_KEY: &[u8] = b"rows of baselines";

/// The tables whose rows a row of [`LAST`] names: those that came together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Set {
    First,
    Later,
    Keys,
    Projections,
    Baselines,
}

impl Set {
    const ALL: [Self; 5] = [
        Self::First,
        Self::Later,
        Self::Keys,
        Self::Projections,
        Self::Baselines,
    ];

    fn of(table: Table) -> Self {
        match table {
            Table::Pools | Table::Journal | Table::Packs | Table::Contents => Self::First,
            Table::Snapshots | Table::Cursors => Self::Later,
            Table::Keys => Self::Keys,
            Table::Projections => Self::Projections,
            Table::Baselines => Self::Baselines,
        }
    }

    fn key(self) -> &'static [u8] {
        match self {
            Self::First => LAST_KEY,
            Self::Later => LAST_LATER_KEY,
            Self::Keys => LAST_KEYS_KEY,
            Self::Projections => LAST_PROJECTIONS_KEY,
            Self::Baselines => LAST_BASELINES_KEY,
        }
    }
}

pub(crate) fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// Creates the first tables, so that readers find them. The others are made when they are first
/// written to, in every store alike.
pub(crate) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    for table in Table::FIRST {
        transaction.open_table(definition(table))?;
    }
    transaction.open_table(LAST)?;
    let mut format = transaction.open_table(FORMAT)?;
    format.insert(FORMAT_KEY, FORMAT_VERSION.to_be_bytes().as_slice())?;
    Ok(())
}

type BytesTable<'t> = OpenTable<'t, &'static [u8], &'static [u8]>;

/// The tables of one write transaction, and which rows it wrote.
pub(crate) struct Writing<'t> {
    transaction: &'t WriteTransaction,
    pools: BytesTable<'t>,
    journal: BytesTable<'t>,
    packs: BytesTable<'t>,
    contents: BytesTable<'t>,
    snapshots: Option<BytesTable<'t>>,
    cursors: Option<BytesTable<'t>>,
    keys: Option<BytesTable<'t>>,
    projections: Option<BytesTable<'t>>,
    baselines: Option<BytesTable<'t>>,
    last: BytesTable<'t>,
    written: Vec<RowName>,
    removed: u64,
    /// The sets of tables whose rows were written or removed.
    changed: Vec<Set>,
}

/// Names a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RowName {
    pub(crate) table: Table,
    pub(crate) key: Vec<u8>,
}

impl<'t> Writing<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        let open = |table| transaction.open_table(definition(table));
        Ok(Self {
            transaction,
            pools: open(Table::Pools)?,
            journal: open(Table::Journal)?,
            packs: open(Table::Packs)?,
            contents: open(Table::Contents)?,
            snapshots: None,
            cursors: None,
            keys: None,
            projections: None,
            baselines: None,
            last: transaction.open_table(LAST)?,
            written: Vec::new(),
            removed: 0,
            // The first tables' row is written by every transaction.
            changed: vec![Set::First],
        })
    }

    fn table(&mut self, table: Table) -> Result<&mut BytesTable<'t>, redb::Error> {
        let later = match table {
            Table::Pools => return Ok(&mut self.pools),
            Table::Journal => return Ok(&mut self.journal),
            Table::Packs => return Ok(&mut self.packs),
            Table::Contents => return Ok(&mut self.contents),
            Table::Snapshots => &mut self.snapshots,
            Table::Cursors => &mut self.cursors,
            Table::Keys => &mut self.keys,
            Table::Projections => &mut self.projections,
            Table::Baselines => &mut self.baselines,
        };
        Ok(match later {
            Some(open) => open,
            None => later.insert(self.transaction.open_table(definition(table))?),
        })
    }

    /// Returns a table, for an operation of a transaction.
    fn table_to(&mut self, table: Table) -> Result<&mut BytesTable<'t>, StoreError> {
        self.table(table).map_err(|error| failed(COMMIT, error))
    }

    fn note_change(&mut self, table: Table) {
        let set = Set::of(table);
        if !self.changed.contains(&set) {
            self.changed.push(set);
        }
    }

    /// Returns true when the transaction changes nothing.
    pub(crate) fn is_clean(&self) -> bool {
        self.written.is_empty() && self.removed == 0
    }

    /// Writes down which rows the transaction wrote: the first commit after the next opening
    /// writes them again, because a failed sync may have left them in the page cache alone.
    pub(crate) fn finish(mut self) -> Result<(), redb::Error> {
        for set in self.changed {
            let rows = self.written.iter().filter(|row| Set::of(row.table) == set);
            let row = encode_last(set.key(), rows);
            self.last.insert(set.key(), row.as_slice())?;
        }
        Ok(())
    }

    /// Writes every row of the last transaction as it stands; false when one of them is missing.
    pub(crate) fn rewrite_last(&mut self) -> Result<bool, redb::Error> {
        let mut names = Vec::new();
        for set in Set::ALL {
            match self.named(set.key())? {
                Some(rows) => names.extend(rows),
                None => return Ok(false),
            }
        }
        for name in names {
            let table = self.table(name.table)?;
            let row = table.get(name.key.as_slice())?;
            let Some(row) = row.map(|row| row.value().to_vec()) else {
                return Ok(false);
            };
            table.insert(name.key.as_slice(), row.as_slice())?;
            self.note_change(name.table);
            self.written.push(name);
        }
        Ok(true)
    }

    /// Returns the rows that a row of [`LAST`] names; nothing when it is damaged.
    fn named(&self, key: &[u8]) -> Result<Option<Vec<RowName>>, redb::Error> {
        Ok(match self.last.get(key)? {
            None => Some(Vec::new()),
            Some(row) => decode_last(key, row.value()),
        })
    }
}

impl Rows for Writing<'_> {
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.table_to(table)?
            .insert(key, value)
            .map_err(|error| failed(COMMIT, error))?;
        self.note_change(table);
        let key = key.to_vec();
        self.written.push(RowName { table, key });
        Ok(())
    }

    fn remove(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let mut removed = 0;
        self.table_to(table)?
            .retain_in(from..to, |_, _| {
                removed += 1;
                false
            })
            .map_err(|error| failed(COMMIT, error))?;
        self.removed += removed;
        self.note_change(table);
        // What was written before in this transaction is not there to be written again.
        self.written
            .retain(|row| row.table != table || !(from..to).contains(&row.key.as_slice()));
        Ok(())
    }

    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.table_to(table)?.get(key);
        let row = row.map_err(|error| failed(COMMIT, error))?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    fn keys(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let rows = self.table_to(table)?.range(from..=to);
        let rows = rows.map_err(|error| failed(COMMIT, error))?;
        rows.map(|row| {
            let (key, _) = row.map_err(|error| failed(COMMIT, error))?;
            Ok(key.value().to_vec())
        })
        .collect()
    }

    fn count(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<usize, StoreError> {
        let rows = self.table_to(table)?.range(from..=to);
        Ok(rows.map_err(|error| failed(COMMIT, error))?.count())
    }

    fn has(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        let row = self.table_to(table)?.get(key);
        Ok(row.map_err(|error| failed(COMMIT, error))?.is_some())
    }

    fn last_key(
        &mut self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<PlacedKey>, StoreError> {
        let mut rows = self
            .table_to(table)?
            .range(from..=to)
            .map_err(|error| failed(COMMIT, error))?;
        let Some(row) = rows.next_back() else {
            return Ok(None);
        };
        let (key, _) = row.map_err(|error| failed(COMMIT, error))?;
        Ok(PlacedKey::try_from(key.value()).ok())
    }
}

fn encode_last<'r>(key: &[u8], rows: impl IntoIterator<Item = &'r RowName>) -> Vec<u8> {
    let mut out = vec![0; CHECKSUM_BYTES];
    for row in rows {
        out.push(row.table as u8);
        let length = u16::try_from(row.key.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&row.key);
    }
    seal(key, out)
}

fn decode_last(key: &[u8], row: &[u8]) -> Option<Vec<RowName>> {
    let mut rest = unseal(key, row)?;
    let mut rows = Vec::new();
    while let Some((number, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk()?;
        let (key, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        rows.push(RowName {
            table: Table::from_number(*number)?,
            key: key.to_vec(),
        });
        rest = after;
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_transaction_are_read_back_and_damage_is_seen() {
        let rows = vec![
            RowName {
                table: Table::Journal,
                key: vec![1; 12],
            },
            RowName {
                table: Table::Pools,
                key: b"a pool".to_vec(),
            },
        ];
        let row = encode_last(b"k", &rows);
        assert_eq!(decode_last(b"k", &row).unwrap(), rows);
        assert_eq!(decode_last(b"k", &encode_last(b"k", &[])).unwrap(), []);
        for bit in 0..row.len() * 8 {
            let mut flipped = row.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_last(b"k", &flipped).is_none(), "bit {bit}");
        }
        for cut in 0..row.len() {
            assert!(decode_last(b"k", &row[..cut]).is_none(), "cut at {cut}");
        }
    }
}
