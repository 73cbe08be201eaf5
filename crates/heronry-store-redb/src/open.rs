//! Creating and opening the file.

use std::{fs::File, io::ErrorKind, sync::Arc};

use heronry_store::{StoreError, StoreErrorKind};
use heronry_store_embedded::{
    Purpose, WriterPools,
    files::{FileAccess, failed_io},
    guarded, load,
};
use redb::{Database, DatabaseError, ReadableDatabase, StorageError, TableError};

use crate::{
    DiskHook,
    disk::{Disk, Locking, SharedDisk},
    failure::{failed, kind_of},
    file::RedbFile,
    place::RedbPath,
    rows::{FORMAT, FORMAT_KEY, FORMAT_VERSION, Writing, create_tables},
};

const CREATE: &str = "create the store";
const OPEN: &str = "open the store";

/// The most bytes of the file that are held in memory.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// The hook that sees the operations of a store while it is created and used.
pub(crate) type Hook = Option<Arc<dyn DiskHook>>;

/// Creates an empty store. A crash anywhere leaves no store, or this one.
pub(crate) fn create(place: &RedbPath, hook: &Hook) -> Result<(), StoreError> {
    let file = place.begin_creation(CREATE)?;
    let working = file
        .try_clone()
        .map_err(|error| place.failed(CREATE, error))?;
    let end = fill(working, hook).and_then(|()| place.finish_creation(&file, CREATE));
    if end.is_err() {
        // The error that is reported matters more than one about what it left behind.
        let _ = std::fs::remove_file(place.creating());
    }
    end
}

/// Writes the format record and the tables, and closes the file.
fn fill(file: File, hook: &Hook) -> Result<(), StoreError> {
    let disk = Disk::new(file, Locking::ByCreator, hook.clone());
    let disk = SharedDisk(Arc::new(disk.map_err(|error| failed(CREATE, error))?));
    let write = || -> Result<(), redb::Error> {
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(disk)?;
        let transaction = database.begin_write()?;
        create_tables(&transaction)?;
        transaction.commit()?;
        Ok(())
    };
    write().map_err(|error| failed(CREATE, error))
}

/// Opens a store that is there. Until all of it that opening reads is known to be good, and not
/// newer than this build, nothing is written.
pub(crate) fn open(
    place: &RedbPath,
    hook: &Hook,
    purpose: Purpose,
) -> Result<(RedbFile, WriterPools), StoreError> {
    let access = FileAccess::for_purpose(purpose);
    let locking = match access {
        FileAccess::Read => Locking::Shared,
        FileAccess::ReadWrite => {
            let removed = place.remove_leftover();
            removed.map_err(|error| place.failed(OPEN, error))?;
            Locking::ByStore
        }
    };
    let file = place.open_file(OPEN, access)?;
    // Some damage makes redb panic, and closing the file then may make it panic again. So what
    // reads is caught by itself, and the file is closed while nothing unwinds.
    guarded(OPEN, || {
        let disk = Disk::new(file, locking, hook.clone());
        let disk = Arc::new(disk.map_err(|error| failed(OPEN, error))?);
        disk.hold_writes();
        let mut database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(SharedDisk(Arc::clone(&disk)))
            .map_err(|error| unopened(place, error))?;
        guarded(OPEN, || check_format(place, &mut database))?;
        let file = RedbFile(database);
        let pools = guarded(OPEN, || admit((place, purpose), &file, &disk))?;
        Ok((file, pools))
    })
}

/// Checks what opening reads, ends what a failed sync may have left open, and lets writes through. A
/// file that is looked at keeps its bytes: redb repairs what it finds damaged by going back a commit.
fn admit(
    (place, purpose): (&RedbPath, Purpose),
    file: &RedbFile,
    disk: &Disk,
) -> Result<WriterPools, StoreError> {
    let pools = load(&file.snapshot(OPEN)?, purpose)?;
    match purpose {
        Purpose::Read => {}
        Purpose::Use | Purpose::Move => {
            // Still in memory: the file is left as it is when a row of that transaction is damaged.
            rewrite_last(place, &file.0)?;
            disk.let_through()
                .map_err(|error| place.failed(OPEN, error))?;
        }
    }
    Ok(pools)
}

fn unopened(place: &RedbPath, error: DatabaseError) -> StoreError {
    let at = place.path().display();
    if let DatabaseError::Storage(StorageError::Io(error)) = error {
        if error.kind() == ErrorKind::InvalidData {
            let detail = format!("{at}: this is not a Heronry store");
            return StoreError::new(StoreErrorKind::NotAStore, OPEN, detail).with_source(error);
        }
        return failed_io(OPEN, at, error);
    }
    let error = redb::Error::from(error);
    let kind = kind_of(&error);
    let what = if kind == StoreErrorKind::Locked {
        "another process has it open; stop that process, or choose another place".to_owned()
    } else {
        error.to_string()
    };
    StoreError::new(kind, OPEN, format!("{at}: {what}")).with_source(error)
}

fn check_format(place: &RedbPath, database: &mut Database) -> Result<(), StoreError> {
    let at = place.path().display();
    let refuse = |kind, what: String| Err(StoreError::new(kind, OPEN, format!("{at}: {what}")));
    match read_format(database) {
        Ok(Some(FORMAT_VERSION)) => Ok(()),
        // The number has no checksum of its own, and the pages of redb have.
        Ok(Some(found)) if found > FORMAT_VERSION => match database.check_integrity() {
            Ok(true) => refuse(
                StoreErrorKind::NewerSchema,
                format!(
                    "it has format {found}, and this build reads up to {FORMAT_VERSION}; use a newer build"
                ),
            ),
            Ok(false) | Err(DatabaseError::Storage(StorageError::Corrupted(_))) => refuse(
                StoreErrorKind::Corrupt,
                format!("its file is damaged, and says that it has format {found}; restore a copy"),
            ),
            Err(error) => Err(unopened(place, error)),
        },
        Ok(Some(found)) => refuse(
            StoreErrorKind::Corrupt,
            format!("there is no format {found}"),
        ),
        Ok(None) => refuse(
            StoreErrorKind::NotAStore,
            "this is not a Heronry store".to_owned(),
        ),
        Err(error) => Err(failed(OPEN, error)),
    }
}

/// Reads the format record; nothing when the file is some other program's.
fn read_format(database: &Database) -> Result<Option<u32>, redb::Error> {
    let table = match database.begin_read()?.open_table(FORMAT) {
        Ok(table) => table,
        Err(TableError::Storage(error)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let row = table.get(FORMAT_KEY)?;
    let version = row.and_then(|row| row.value().try_into().ok());
    Ok(version.map(u32::from_be_bytes))
}

/// Writes every row of the last transaction again and syncs it, before anybody reads them.
///
/// If that transaction's sync failed and the machine did not restart since, its rows are read from
/// the page cache, whether or not they reached the disk.
fn rewrite_last(place: &RedbPath, database: &Database) -> Result<(), StoreError> {
    let failed = |error: redb::Error| failed(OPEN, error);
    let transaction = database
        .begin_write()
        .map_err(|error| failed(error.into()))?;
    let mut rows = Writing::open(&transaction).map_err(failed)?;
    if !rows.rewrite_last().map_err(failed)? {
        let at = place.path().display();
        let detail = format!("{at}: rows of the last commit are missing");
        return Err(StoreError::new(StoreErrorKind::Corrupt, OPEN, detail));
    }
    rows.finish().map_err(failed)?;
    transaction.commit().map_err(|error| failed(error.into()))
}
