//! Walking the rows of a database.

use std::collections::HashSet;

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::{KeyRange, Order, Reading, See, Table};
use sled::{IVec, Tree};

use crate::{
    failure::failed,
    fragment::{Gather, Missing, key_of, read_key},
    rows::{HiddenRow, Trees},
};

/// The rows of a database as they stand, without those that are to be hidden.
pub(crate) struct Reader<'a> {
    pub(crate) trees: &'a Trees,
    /// Contents that were written, or written anew, and not synced yet.
    pub(crate) hidden: &'a HashSet<HiddenRow>,
    /// The name of the operation, for errors.
    pub(crate) op: &'static str,
}

impl Reading for Reader<'_> {
    fn walk(
        &self,
        table: Table,
        range: KeyRange<'_>,
        order: Order,
        see: &mut See<'_>,
    ) -> Result<(), StoreError> {
        match order {
            Order::Ascending => self.ascend(table, range, see),
            Order::Descending => self.descend(table, range, see),
        }
        .map(drop)
    }
}

/// The end of a walk over rows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Walked {
    ToTheEnd,
    AsFarAsWanted,
}

impl Reader<'_> {
    fn ascend(
        &self,
        table: Table,
        KeyRange { from, to }: KeyRange<'_>,
        see: &mut See<'_>,
    ) -> Result<Walked, StoreError> {
        let mut gather = Gather::default();
        let range = key_of(from, 0)..=key_of(to, u16::MAX);
        for fragment in self.trees.of(table).range(range) {
            let (key, value) = fragment.map_err(|error| failed(self.op, error))?;
            // Behind the fragments of a name there may be those of a longer one.
            let (row, _) = read_key(&key).ok_or_else(|| self.torn(&key))?;
            if row > to || self.is_hidden(table, row) {
                continue;
            }
            let row = gather
                .take(&key, &value)
                .map_err(|Missing| self.torn(&key))?;
            if row.is_some_and(|(key, value)| see(key, value).is_break()) {
                return Ok(Walked::AsFarAsWanted);
            }
        }
        gather.finish().map_err(|Missing| self.torn(to))?;
        Ok(Walked::ToTheEnd)
    }

    fn descend(
        &self,
        table: Table,
        KeyRange { from, to }: KeyRange<'_>,
        see: &mut See<'_>,
    ) -> Result<Walked, StoreError> {
        let tree = self.trees.of(table);
        let from = key_of(from, 0);
        let mut last = last_in(tree, from.as_slice()..=key_of(to, u16::MAX).as_slice());
        while let Some(key) = last.map_err(|error| failed(self.op, error))? {
            let (row, _) = read_key(&key).ok_or_else(|| self.torn(&key))?;
            if row <= to && self.ascend(table, KeyRange::one(row), see)? == Walked::AsFarAsWanted {
                return Ok(Walked::AsFarAsWanted);
            }
            last = last_in(tree, from.as_slice()..key_of(row, 0).as_slice());
        }
        Ok(Walked::ToTheEnd)
    }

    fn is_hidden(&self, table: Table, row: &[u8]) -> bool {
        matches!(table, Table::Contents | Table::Packs)
            && !self.hidden.is_empty()
            && self.hidden.contains(&(table, row.to_vec()))
    }

    fn torn(&self, key: &[u8]) -> StoreError {
        let detail = format!("a fragment of the row {key:02x?} is missing");
        StoreError::new(StoreErrorKind::Corrupt, self.op, detail)
    }
}

/// Returns the last key in a range.
fn last_in<'a>(
    tree: &Tree,
    range: impl std::ops::RangeBounds<&'a [u8]>,
) -> sled::Result<Option<IVec>> {
    let last = tree.range::<&[u8], _>(range).next_back().transpose()?;
    Ok(last.map(|(key, _)| key))
}
