//! Pools as the writer sees them: one transaction ahead of their readers.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use heronry_types::{PoolId, Position};

use crate::row_keys::{self, PoolNo};
use crate::{
    PoolRow, RowJournal, Rows, Table,
    readable::{JournalView, ReadablePool, View},
    summary::CursorsDigest,
};
use heronry_store::{
    Arrival, Commit, FencingToken, Head, Ownership, Reservation, StoreError, Timeline, runs::Runs,
    timelines_after,
};

/// A pool as the writer sees it.
#[derive(Clone, Debug)]
pub(crate) struct WriterPool {
    /// Its number in this store.
    pub(crate) no: PoolNo,
    /// The ownership of the pool.
    pub(crate) ownership: Ownership,
    /// The state of its journal.
    pub(crate) journal: WriterJournal,
    /// The sorted runs of its keys; `None` while it has no keys, or when they are damaged.
    pub(crate) keys: Option<Arc<Runs>>,
}

/// The state of a journal.
#[derive(Clone, Debug)]
pub(crate) enum WriterJournal {
    /// There is no journal.
    None,
    /// A part of the journal. The rest is to follow before anybody sees it.
    Arriving(JournalView),
    /// The whole journal.
    There(JournalView),
    /// The pool was deleted: rows of it may be left, and nobody sees them.
    Deleted,
}

/// The state of a pool's row, compared with the pool.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RowState {
    /// The row says what holds.
    Same,
    /// The row has to be written again.
    Changed,
}

impl WriterPool {
    /// Returns a pool that nobody owned and that has no journal.
    pub(crate) fn new(no: PoolNo) -> Self {
        Self {
            no,
            ownership: Ownership::free(FencingToken(0)),
            journal: WriterJournal::None,
            keys: None,
        }
    }

    /// Returns the pool as readers see it after the commit: not at all when it was deleted.
    pub(crate) fn view(&self) -> Option<ReadablePool> {
        let view = || ReadablePool {
            no: self.no,
            journal: self.there().cloned(),
            keys: self.keys.clone(),
        };
        match &self.journal {
            WriterJournal::None | WriterJournal::Arriving(_) | WriterJournal::There(_) => {
                Some(view())
            }
            WriterJournal::Deleted => None,
        }
    }

    /// Returns the journal that readers see.
    pub(crate) fn there(&self) -> Option<&JournalView> {
        match &self.journal {
            WriterJournal::There(journal) => Some(journal),
            WriterJournal::None | WriterJournal::Arriving(_) | WriterJournal::Deleted => None,
        }
    }

    /// Returns the journal that readers see.
    pub(crate) fn there_mut(&mut self) -> Option<&mut JournalView> {
        match &mut self.journal {
            WriterJournal::There(journal) => Some(journal),
            WriterJournal::None | WriterJournal::Arriving(_) | WriterJournal::Deleted => None,
        }
    }

    /// Returns where the journal ends, whether readers see it or not.
    pub(crate) fn head(&self) -> Option<Head> {
        match &self.journal {
            WriterJournal::There(journal) | WriterJournal::Arriving(journal) => Some(journal.head),
            WriterJournal::None | WriterJournal::Deleted => None,
        }
    }

    /// Returns the head that an append goes on from: what has arrived of a pool is started over by
    /// a first append.
    pub(crate) fn head_for(&self, expected: Position) -> Option<Head> {
        match &self.journal {
            WriterJournal::Arriving(_) if expected == Position::ZERO => None,
            WriterJournal::Arriving(_)
            | WriterJournal::There(_)
            | WriterJournal::None
            | WriterJournal::Deleted => self.head(),
        }
    }

    /// Removes what has arrived of a journal that is started over, with what rode with it.
    pub(crate) fn clear(&mut self, rows: &mut dyn Rows) -> Result<(), StoreError> {
        let WriterJournal::Arriving(_) = std::mem::replace(&mut self.journal, WriterJournal::None)
        else {
            return Ok(());
        };
        let next = PoolNo(self.no.0.saturating_add(1));
        let placed = [self.no, next].map(|no| row_keys::placed(no, Position::ZERO));
        rows.remove(Table::Journal, &placed[0], &placed[1])?;
        rows.remove(Table::Baselines, &placed[0], &placed[1])?;
        rows.remove(Table::Packs, &placed[0], &placed[1])
    }

    /// Takes over where an append led.
    pub(crate) fn follow(&mut self, head: Head, commit: &Commit) -> RowState {
        let before = std::mem::replace(&mut self.journal, WriterJournal::None);
        let (mut state, timelines) = match before {
            WriterJournal::None | WriterJournal::Deleted => (RowState::Changed, None),
            WriterJournal::There(journal) => (RowState::Same, Some(journal.timelines)),
            WriterJournal::Arriving(journal) => {
                let state = match commit.arrival {
                    Arrival::Part => RowState::Same,
                    Arrival::Whole => RowState::Changed,
                };
                (state, Some(journal.timelines))
            }
        };
        if commit.timeline == Timeline::Starts {
            state = RowState::Changed;
        }
        let timelines = match (timelines, state) {
            (Some(timelines), RowState::Same) => timelines,
            (timelines, _) => Arc::new(timelines_after(timelines.as_deref(), head, commit)),
        };
        let journal = JournalView { head, timelines };
        self.journal = match commit.arrival {
            Arrival::Part => WriterJournal::Arriving(journal),
            Arrival::Whole => WriterJournal::There(journal),
        };
        state
    }

    pub(crate) fn write_row(&self, rows: &mut dyn Rows, name: &PoolId) -> Result<(), StoreError> {
        let timelines = |journal: &JournalView| (*journal.timelines).clone();
        let journal = match &self.journal {
            WriterJournal::None => RowJournal::None,
            WriterJournal::There(journal) => RowJournal::There(timelines(journal)),
            WriterJournal::Arriving(journal) => RowJournal::Arriving(timelines(journal)),
            WriterJournal::Deleted => RowJournal::Deleted,
        };
        let row = PoolRow {
            no: self.no,
            token: self.ownership.token(),
            journal,
        };
        let key = name.as_str().as_bytes();
        rows.insert(Table::Pools, key, &row.encode(key))
    }
}

/// Everything as the writer sees it: the pools, and whether the store is sealed.
#[derive(Clone, Debug, Default)]
pub struct WriterPools {
    pub(crate) pools: HashMap<PoolId, WriterPool>,
    /// The pools that were deleted and of which rows may be left.
    pub(crate) deleted: VecDeque<PoolId>,
    /// The place where the pools went, when the store is sealed.
    pub(crate) moved_to: Option<String>,
    /// The pools that a move brings.
    pub(crate) reservation: Option<Arc<Reservation>>,
    /// The cursors of consumers as they were loaded.
    pub(crate) cursors: CursorsDigest,
}

impl WriterPools {
    /// Returns what readers see of it.
    pub(crate) fn view(&self) -> View {
        let pools = self.pools.iter();
        View {
            pools: pools
                .filter_map(|(name, pool)| Some((name.clone(), pool.view()?)))
                .collect(),
            moved_to: self.moved_to.clone(),
            reservation: self.reservation.clone(),
        }
    }
}
