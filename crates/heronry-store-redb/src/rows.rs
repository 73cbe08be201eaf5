//! The tables of the file, and what stands in their rows.

use heronry_store::{
    FencingToken,
    keys::{PLACED_BYTES, PoolNo, read_placed},
};
use heronry_types::{Epoch, Position};
use redb::{ReadableTable, Table, TableDefinition, WriteTransaction};

/// A key that names a position of a pool.
pub(crate) type PlacedKey = [u8; PLACED_BYTES];

/// Every table maps bytes to bytes; the keys are those of [`heronry_store::keys`].
pub(crate) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Says what the file is, before anything else is believed.
pub(crate) const FORMAT: Definition = TableDefinition::new("format");
/// The one row of [`FORMAT`].
pub(crate) const FORMAT_KEY: &[u8] = b"heronry";
/// The format that this build writes.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// Names the rows that the last transaction wrote.
const LAST: Definition = TableDefinition::new("last");
/// The one row of [`LAST`].
const LAST_KEY: &[u8] = b"rows";

/// A table that transactions write to. The numbers stand in the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum TableName {
    /// Pool id → number and token.
    Pools = 1,
    /// Pool number and first position → the bytes of a chunk.
    Journal = 2,
    /// Pool number and first position of a commit → all its contents.
    Packs = 3,
    /// Pool number and reference → a content that was stored by itself.
    Contents = 4,
}

impl TableName {
    const ALL: [Self; 4] = [Self::Pools, Self::Journal, Self::Packs, Self::Contents];

    pub(crate) fn definition(self) -> Definition {
        TableDefinition::new(match self {
            Self::Pools => "pools",
            Self::Journal => "journal",
            Self::Packs => "packs",
            Self::Contents => "contents",
        })
    }

    fn read(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|name| *name as u8 == number)
    }
}

/// Creates every table, so that readers find them.
pub(crate) fn create_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    for name in TableName::ALL {
        transaction.open_table(name.definition())?;
    }
    transaction.open_table(LAST)?;
    let mut format = transaction.open_table(FORMAT)?;
    format.insert(FORMAT_KEY, FORMAT_VERSION.to_be_bytes().as_slice())?;
    Ok(())
}

type BytesTable<'t> = Table<'t, &'static [u8], &'static [u8]>;

/// The tables of one write transaction, and which rows it wrote.
pub(crate) struct Rows<'t> {
    pools: BytesTable<'t>,
    journal: BytesTable<'t>,
    packs: BytesTable<'t>,
    contents: BytesTable<'t>,
    last: BytesTable<'t>,
    written: Vec<RowName>,
    removed: u64,
}

/// Names a row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RowName {
    pub(crate) table: TableName,
    pub(crate) key: Vec<u8>,
}

impl<'t> Rows<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, redb::Error> {
        let open = |name: TableName| transaction.open_table(name.definition());
        Ok(Self {
            pools: open(TableName::Pools)?,
            journal: open(TableName::Journal)?,
            packs: open(TableName::Packs)?,
            contents: open(TableName::Contents)?,
            last: transaction.open_table(LAST)?,
            written: Vec::new(),
            removed: 0,
        })
    }

    fn table(&mut self, name: TableName) -> &mut BytesTable<'t> {
        match name {
            TableName::Pools => &mut self.pools,
            TableName::Journal => &mut self.journal,
            TableName::Packs => &mut self.packs,
            TableName::Contents => &mut self.contents,
        }
    }

    pub(crate) fn insert(
        &mut self,
        table: TableName,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), redb::Error> {
        self.table(table).insert(key, value)?;
        let key = key.to_vec();
        self.written.push(RowName { table, key });
        Ok(())
    }

    pub(crate) fn get(
        &mut self,
        table: TableName,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, redb::Error> {
        let row = self.table(table).get(key)?;
        Ok(row.map(|row| row.value().to_vec()))
    }

    /// Removes the rows of a table from one key up to, and without, another.
    pub(crate) fn remove(
        &mut self,
        table: TableName,
        from: &[u8],
        to: &[u8],
    ) -> Result<(), redb::Error> {
        let mut removed = 0;
        self.table(table).retain_in(from..to, |_, _| {
            removed += 1;
            false
        })?;
        self.removed += removed;
        Ok(())
    }

    /// Returns true when a table has a row.
    pub(crate) fn has(&mut self, table: TableName, key: &[u8]) -> Result<bool, redb::Error> {
        Ok(self.table(table).get(key)?.is_some())
    }

    /// Returns the last [placed](heronry_store::keys::placed) key in a range, and its position.
    pub(crate) fn last_key(
        &mut self,
        table: TableName,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<(PlacedKey, Position)>, redb::Error> {
        let Some(row) = self.table(table).range(from..=to)?.next_back() else {
            return Ok(None);
        };
        let (key, _) = row?;
        let key = PlacedKey::try_from(key.value()).ok();
        Ok(key.map(|key| (key, read_placed(key).1)))
    }

    /// Returns true when the transaction changes nothing.
    pub(crate) fn is_clean(&self) -> bool {
        self.written.is_empty() && self.removed == 0
    }

    /// Writes down which rows the transaction wrote: the first commit after the next opening
    /// writes them again, because a failed sync may have left them in the page cache alone.
    pub(crate) fn finish(mut self) -> Result<(), redb::Error> {
        let row = encode_last(&self.written);
        self.last.insert(LAST_KEY, row.as_slice())?;
        Ok(())
    }

    /// Returns the rows that the last transaction wrote; nothing when that row is damaged.
    pub(crate) fn last_written(&mut self) -> Result<Option<Vec<RowName>>, redb::Error> {
        let row = self.last.get(LAST_KEY)?;
        Ok(match row {
            None => Some(Vec::new()),
            Some(row) => decode_last(row.value()),
        })
    }
}

fn encode_last(rows: &[RowName]) -> Vec<u8> {
    let mut out = vec![0; CHECKSUM];
    for row in rows {
        out.push(row.table as u8);
        let length = u16::try_from(row.key.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&row.key);
    }
    seal(LAST_KEY, out)
}

fn decode_last(row: &[u8]) -> Option<Vec<RowName>> {
    let mut rest = unseal(LAST_KEY, row)?;
    let mut rows = Vec::new();
    while let Some((number, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk()?;
        let (key, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        rows.push(RowName {
            table: TableName::read(*number)?,
            key: key.to_vec(),
        });
        rest = after;
    }
    Some(rows)
}

/// A checksum at the front of a row. redb does not check pages when it reads them.
pub(crate) const CHECKSUM: usize = 4;

/// Fills the checksum, over key and row, into the first bytes of a row.
pub(crate) fn seal(key: &[u8], mut row: Vec<u8>) -> Vec<u8> {
    if let Some((checksum, rest)) = row.split_first_chunk_mut::<CHECKSUM>() {
        *checksum = crc32c::crc32c_append(crc32c::crc32c(key), rest).to_be_bytes();
    }
    row
}

/// Returns a row without its checksum; nothing when it is damaged.
pub(crate) fn unseal<'a>(key: &[u8], row: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, rest) = row.split_first_chunk::<CHECKSUM>()?;
    let computed = crc32c::crc32c_append(crc32c::crc32c(key), rest);
    (u32::from_be_bytes(*checksum) == computed).then_some(rest)
}

/// What stands in the row of a pool. Where its journal ends is read from the journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PoolRow {
    pub(crate) no: PoolNo,
    pub(crate) token: FencingToken,
    /// The epoch of its journal; nothing while it has none.
    pub(crate) epoch: Option<Epoch>,
}

impl PoolRow {
    pub(crate) fn encode(&self, key: &[u8]) -> Vec<u8> {
        let mut row = vec![0; CHECKSUM];
        row.extend_from_slice(&self.no.0.to_be_bytes());
        row.extend_from_slice(&self.token.0.to_be_bytes());
        row.extend(self.epoch.iter().flat_map(|epoch| epoch.0));
        seal(key, row)
    }

    /// Reads a row; nothing when it is damaged.
    pub(crate) fn decode(key: &[u8], row: &[u8]) -> Option<Self> {
        let (no, rest) = unseal(key, row)?.split_first_chunk()?;
        let (token, epoch) = rest.split_first_chunk()?;
        let epoch = match epoch {
            [] => None,
            epoch => Some(Epoch(epoch.try_into().ok()?)),
        };
        Some(Self {
            no: PoolNo(u32::from_be_bytes(*no)),
            token: FencingToken(u64::from_be_bytes(*token)),
            epoch,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_a_transaction_are_read_back_and_damage_is_seen() {
        let rows = vec![
            RowName {
                table: TableName::Journal,
                key: vec![1; 12],
            },
            RowName {
                table: TableName::Pools,
                key: b"a pool".to_vec(),
            },
        ];
        let row = encode_last(&rows);
        assert_eq!(decode_last(&row).unwrap(), rows);
        assert_eq!(decode_last(&encode_last(&[])).unwrap(), []);
        every_flip(&row, |flipped| assert!(decode_last(flipped).is_none()));
    }

    #[test]
    fn a_pool_row_is_read_back_and_damage_or_misplacement_is_seen() {
        for epoch in [None, Some(Epoch([0; 16]))] {
            let pool = PoolRow {
                no: PoolNo(7),
                token: FencingToken(9),
                epoch,
            };
            let row = pool.encode(b"p");
            assert_eq!(PoolRow::decode(b"p", &row), Some(pool));
            assert_eq!(PoolRow::decode(b"q", &row), None);
            every_flip(&row, |flipped| {
                assert!(PoolRow::decode(b"p", flipped).is_none());
            });
        }
    }

    fn every_flip(row: &[u8], check: impl Fn(&[u8])) {
        for bit in 0..row.len() * 8 {
            let mut flipped = row.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            check(&flipped);
        }
        (0..row.len()).for_each(|cut| check(&row[..cut]));
    }
}
