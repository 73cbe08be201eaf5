//! A data directory that this process owns while its server runs.

use heronry_store::Clock;

use super::StoreChoice;
use crate::{
    data_dir::{Announced, DataDir, DataDirOwnership, Made, OwnerNote, ServerNote, StoreNote},
    failure::Failure,
    files::FileError,
};

/// A data directory that this process owns. One that was made for a server that did not start is
/// removed again.
#[derive(Debug)]
pub(crate) struct Owned {
    announced: Option<Announced>,
    store: Option<StoreNote>,
    ownership: DataDirOwnership,
    note: OwnerNote,
    data_dir: DataDir,
    made: Made,
}

impl Owned {
    /// Creates the data directory when it is missing, and takes it.
    pub(crate) fn take(
        data_dir: &mut DataDir,
        store: Option<&StoreChoice>,
        clock: &dyn Clock,
    ) -> Result<Self, Failure> {
        let made = data_dir.create()?;
        let usual = || StoreChoice::Redb(data_dir.store()).to_string();
        let note = OwnerNote {
            pid: std::process::id(),
            url: None,
            store: store.map_or_else(usual, ToString::to_string),
            started: clock.now().wall,
        };
        Ok(Self {
            announced: None,
            store: None,
            ownership: DataDirOwnership::take(data_dir.path(), &note)?,
            note,
            data_dir: data_dir.clone(),
            made,
        })
    }

    /// Says where the server is, for people and for commands.
    pub(crate) fn announce(&mut self, note: &ServerNote) -> Result<(), Failure> {
        self.note.url = Some(note.url.clone());
        self.ownership.say(&self.note)?;
        self.announced = Some(self.data_dir.announce(note)?);
        self.made = Made::Before;
        Ok(())
    }

    /// Writes the owner's name beside a store, for those who find the store locked.
    pub(crate) fn name_beside(&mut self, store: &StoreChoice) -> Result<(), FileError> {
        match store {
            StoreChoice::Redb(path) | StoreChoice::Sled(path) => {
                self.store = Some(StoreNote::write(path, &self.note)?);
            }
            StoreChoice::Memory => {}
        }
        Ok(())
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.made == Made::Now {
            self.data_dir.unmake();
        }
    }
}
