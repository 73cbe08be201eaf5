//! The tables of a database, and the rows that one transaction writes to them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::{PlacedKey, Rows, Table};
use sled::{
    Db, IVec, Transactional, Tree,
    transaction::{ConflictableTransactionError, TransactionalTree},
};

use crate::{
    failure::{failed, failed_transaction},
    fragment::{Gather, Missing, count_of, key_of, read_key, split},
};

const COMMIT: &str = "commit";

/// The tables of a database. Every one maps bytes to bytes; the keys are those of
/// [`heronry_store_embedded::row_keys`], each with the number of a fragment behind it.
#[derive(Debug)]
pub(crate) struct Trees {
    pools: Tree,
    journal: Tree,
    packs: Tree,
    contents: Tree,
    snapshots: Tree,
    cursors: Tree,
    keys: Tree,
    projections: Tree,
    baselines: Tree,
}

impl Trees {
    /// Opens every table, and makes those that are missing.
    pub(crate) fn make(db: &Db) -> sled::Result<Self> {
        let open = |table: Table| db.open_tree(table.name());
        Ok(Self {
            pools: open(Table::Pools)?,
            journal: open(Table::Journal)?,
            packs: open(Table::Packs)?,
            contents: open(Table::Contents)?,
            snapshots: open(Table::Snapshots)?,
            cursors: open(Table::Cursors)?,
            keys: open(Table::Keys)?,
            projections: open(Table::Projections)?,
            baselines: open(Table::Baselines)?,
        })
    }

    /// Opens every table, and makes later ones that are missing; nothing when a first one is.
    pub(crate) fn open(db: &Db) -> sled::Result<Option<Self>> {
        let present: HashSet<_> = db.tree_names().into_iter().collect();
        if Table::FIRST
            .iter()
            .all(|table| present.contains(table.name().as_bytes()))
        {
            return Self::make(db).map(Some);
        }
        Ok(None)
    }

    pub(crate) fn of(&self, table: Table) -> &Tree {
        match table {
            Table::Pools => &self.pools,
            Table::Journal => &self.journal,
            Table::Packs => &self.packs,
            Table::Contents => &self.contents,
            Table::Snapshots => &self.snapshots,
            Table::Cursors => &self.cursors,
            Table::Keys => &self.keys,
            Table::Projections => &self.projections,
            Table::Baselines => &self.baselines,
        }
    }
}

/// A row that readers do not see, as table and key.
pub(crate) type HiddenRow = (Table, Vec<u8>);

/// The changes of a transaction: fragments that are written, and `None` for those that are removed.
type Changes = BTreeMap<Vec<u8>, Option<IVec>>;

/// A transaction that is being filled. Nothing is written before it is applied.
pub(crate) struct Writing<'a> {
    trees: &'a Trees,
    pools: Changes,
    journal: Changes,
    packs: Changes,
    contents: Changes,
    snapshots: Changes,
    cursors: Changes,
    keys: Changes,
    projections: Changes,
    baselines: Changes,
    /// Packs that are written anew. A new one lies above the gate.
    packs_anew: Vec<Vec<u8>>,
}

impl<'a> Writing<'a> {
    pub(crate) fn new(trees: &'a Trees) -> Self {
        Self {
            trees,
            pools: Changes::new(),
            journal: Changes::new(),
            packs: Changes::new(),
            contents: Changes::new(),
            snapshots: Changes::new(),
            cursors: Changes::new(),
            keys: Changes::new(),
            projections: Changes::new(),
            baselines: Changes::new(),
            packs_anew: Vec::new(),
        }
    }

    fn changes(&mut self, table: Table) -> &mut Changes {
        match table {
            Table::Pools => &mut self.pools,
            Table::Journal => &mut self.journal,
            Table::Packs => &mut self.packs,
            Table::Contents => &mut self.contents,
            Table::Snapshots => &mut self.snapshots,
            Table::Cursors => &mut self.cursors,
            Table::Keys => &mut self.keys,
            Table::Projections => &mut self.projections,
            Table::Baselines => &mut self.baselines,
        }
    }

    /// Returns true when the transaction changes nothing.
    pub(crate) fn is_clean(&self) -> bool {
        self.pools.is_empty()
            && self.journal.is_empty()
            && self.packs.is_empty()
            && self.contents.is_empty()
            && self.snapshots.is_empty()
            && self.cursors.is_empty()
            && self.keys.is_empty()
            && self.projections.is_empty()
            && self.baselines.is_empty()
    }

    /// Returns the rows of contents that it writes, and those of packs that it writes anew.
    pub(crate) fn contents(&self) -> HashSet<HiddenRow> {
        let contents = self.contents.keys().filter_map(|key| read_key(key));
        let contents = contents.map(|(row, _)| (Table::Contents, row.to_vec()));
        let packs = self.packs_anew.iter();
        contents
            .chain(packs.map(|row| (Table::Packs, row.clone())))
            .collect()
    }

    /// Hands the transaction to sled, which keeps all of it or nothing. A flush and a sync make it last.
    ///
    /// Where a device fails to read while sled takes it up, sled has taken up the first tables and not
    /// the later ones. So the journal comes last: without its chunk nothing of a commit is seen.
    pub(crate) fn apply(&self) -> Result<(), StoreError> {
        let Trees {
            pools,
            journal,
            packs,
            contents,
            snapshots,
            cursors,
            keys,
            projections,
            baselines,
        } = self.trees;
        (
            packs,
            contents,
            snapshots,
            projections,
            cursors,
            keys,
            baselines,
            pools,
            journal,
        )
            .transaction(
                |(
                    packs,
                    contents,
                    snapshots,
                    projections,
                    cursors,
                    keys,
                    baselines,
                    pools,
                    journal,
                )| {
                    write(pools, &self.pools)?;
                    write(journal, &self.journal)?;
                    write(packs, &self.packs)?;
                    write(contents, &self.contents)?;
                    write(snapshots, &self.snapshots)?;
                    write(projections, &self.projections)?;
                    write(cursors, &self.cursors)?;
                    write(keys, &self.keys)?;
                    write(baselines, &self.baselines)
                },
            )
            .map_err(|error| failed_transaction(COMMIT, error))
    }

    /// Removes every fragment of one row, whether the row is whole or not.
    fn remove_fragments(&mut self, table: Table, row: &[u8]) -> Result<(), StoreError> {
        let of_row = |key: &[u8]| read_key(key).is_some_and(|(of, _)| of == row);
        let range = key_of(row, 0)..=key_of(row, u16::MAX);
        for key in self.trees.of(table).range(range.clone()).keys() {
            let key = key.map_err(|error| failed(COMMIT, error))?;
            if of_row(&key) {
                self.changes(table).insert(key.to_vec(), None);
            }
        }
        let changes = self.changes(table).range_mut(range);
        changes
            .filter(|(key, _)| of_row(key))
            .for_each(|(_, change)| *change = None);
        Ok(())
    }

    /// Returns the first fragment of a row as the transaction sees it.
    fn first_of(&mut self, table: Table, row: &[u8]) -> Result<Option<IVec>, StoreError> {
        let key = key_of(row, 0);
        if let Some(change) = self.changes(table).get(&key) {
            return Ok(change.clone());
        }
        let tree = self.trees.of(table);
        tree.get(key).map_err(|error| failed(COMMIT, error))
    }
}

fn write(
    tree: &TransactionalTree,
    changes: &Changes,
) -> Result<(), ConflictableTransactionError<()>> {
    for (key, value) in changes {
        match value {
            Some(value) => tree.insert(key.as_slice(), value.clone())?,
            None => tree.remove(key.as_slice())?,
        };
    }
    Ok(())
}

impl Rows for Writing<'_> {
    fn insert(&mut self, table: Table, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let fragments = split(value).ok_or_else(|| {
            let detail = format!("a row has {} bytes", value.len());
            StoreError::new(StoreErrorKind::TooLarge, COMMIT, detail)
        })?;
        let first = self.first_of(table, key)?;
        if first.is_none() {
            // A transaction that a device did not take up whole may have left later ones.
            self.remove_fragments(table, key)?;
        }
        let before = first.and_then(|first| count_of(&first));
        if table == Table::Packs && before.is_some() {
            self.packs_anew.push(key.to_vec());
        }
        let surplus = (0..before.unwrap_or(0)).skip(fragments.len());
        let removed = surplus.map(|number| (key_of(key, number), None));
        let written = (0..)
            .zip(fragments)
            .map(|(number, fragment)| (key_of(key, number), Some(fragment)));
        self.changes(table).extend(written.chain(removed));
        Ok(())
    }

    fn remove(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        // The later fragments of the first row stand behind `to` when `to` goes on from its name.
        if to.starts_with(from) {
            self.remove_fragments(table, from)?;
        }
        let (from, to) = (key_of(from, 0), key_of(to, 0));
        let range = from.as_slice()..to.as_slice();
        for key in self.trees.of(table).range(range).keys() {
            let key = key.map_err(|error| failed(COMMIT, error))?;
            self.changes(table).insert(key.to_vec(), None);
        }
        let changes = self.changes(table).range_mut(from..to);
        changes.for_each(|(_, change)| *change = None);
        Ok(())
    }

    /// A row whose fragments are not whole is an empty one, which no checksum bears out.
    fn get(&mut self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut fragments = Changes::new();
        let range = key_of(key, 0)..=key_of(key, u16::MAX);
        for fragment in self.trees.of(table).range(range.clone()) {
            let (name, value) = fragment.map_err(|error| failed(COMMIT, error))?;
            fragments.insert(name.to_vec(), Some(value));
        }
        let changes = self.changes(table).range(range);
        fragments.extend(changes.map(|(name, change)| (name.clone(), change.clone())));
        let of_row = |name: &[u8]| read_key(name).is_some_and(|(row, _)| row == key);
        let mut gather = Gather::default();
        let mut found = None;
        for (name, value) in &fragments {
            let Some(value) = value.as_ref().filter(|_| of_row(name)) else {
                continue;
            };
            found = match gather.take(name, value) {
                Ok(Some((_, row))) => Some(row.to_vec()),
                Ok(None) | Err(Missing) => Some(Vec::new()),
            };
        }
        Ok(found)
    }

    fn keys(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<Vec<Vec<u8>>, StoreError> {
        let range = key_of(from, 0)..=key_of(to, u16::MAX);
        let mut rows = BTreeSet::new();
        for key in self.trees.of(table).range(range.clone()).keys() {
            rows.insert(key.map_err(|error| failed(COMMIT, error))?.to_vec());
        }
        for (key, change) in self.changes(table).range(range) {
            match change {
                Some(_) => rows.insert(key.clone()),
                None => rows.remove(key),
            };
        }
        let rows = rows.iter().filter_map(|key| read_key(key));
        let rows = rows.filter(|(row, number)| *row >= from && *row <= to && *number == 0);
        Ok(rows.map(|(row, _)| row.to_vec()).collect())
    }

    fn count(&mut self, table: Table, from: &[u8], to: &[u8]) -> Result<usize, StoreError> {
        Ok(self.keys(table, from, to)?.len())
    }

    fn has(&mut self, table: Table, key: &[u8]) -> Result<bool, StoreError> {
        Ok(self.first_of(table, key)?.is_some())
    }

    fn last_key(
        &mut self,
        table: Table,
        from: &[u8],
        to: &[u8],
    ) -> Result<Option<PlacedKey>, StoreError> {
        let (from, to) = (key_of(from, 0), key_of(to, u16::MAX));
        let trees = self.trees;
        let changes = self.changes(table);
        let mut written = changes
            .range(from.clone()..=to.clone())
            .rev()
            .filter(|(_, change)| change.is_some());
        let mut last = written.next().map(|(key, _)| key.clone());
        for key in trees.of(table).range(from..=to).keys().rev() {
            let key = key.map_err(|error| failed(COMMIT, error))?;
            if changes.get(&*key).is_none_or(Option::is_some) {
                last = last.max(Some(key.to_vec()));
                break;
            }
        }
        let row = last.as_deref().and_then(read_key);
        Ok(row.and_then(|(row, _)| PlacedKey::try_from(row).ok()))
    }
}
