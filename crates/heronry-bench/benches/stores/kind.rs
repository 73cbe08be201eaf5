//! The stores that are measured, and how each is opened.

use std::{path::Path, sync::Arc};

use heronry_store::Store;
use heronry_store_memory::MemoryStore;
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;

use crate::bare::{Bare, BareMemory, BareRedb, BareSled};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Memory,
    Redb,
    Sled,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Redb, Self::Sled];

    pub(crate) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == word)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redb => "redb",
            Self::Sled => "sled",
        }
    }

    /// Returns how many times as fast as the bare store its sends are to be; nothing where no bar is set.
    pub(crate) fn bar(self, callers: usize) -> Option<f64> {
        match (self, callers) {
            (Self::Redb, 1) | (Self::Sled, _) => Some(0.5),
            (Self::Redb, 256) => Some(0.25),
            (Self::Redb | Self::Memory, _) => None,
        }
    }

    /// Opens the store in a folder, which is empty or has it.
    pub(crate) fn open(self, folder: &Path) -> Store {
        let place = folder.join("store");
        match self {
            Self::Memory => Store::of(Arc::new(MemoryStore::new())),
            Self::Redb => Store::of(Arc::new(RedbStore::open_or_create(place).unwrap())),
            Self::Sled => Store::of(Arc::new(SledStore::open_or_create(place).unwrap())),
        }
    }

    /// Opens the bare store in a folder, which is empty or has it.
    pub(crate) fn open_bare(self, folder: &Path) -> Box<dyn Bare> {
        match self {
            Self::Memory => Box::new(BareMemory::default()),
            Self::Redb => Box::new(BareRedb::open(folder)),
            Self::Sled => Box::new(BareSled::open(folder)),
        }
    }
}
