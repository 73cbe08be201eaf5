//! The settings of a server of this process: the bounds of its connections, the least free
//! space for its store, and the reaction when its store closes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use heronry_runtime::layers::Meter;
use heronry_server::{
    ConnectionLimits, DiskProbe, DiskSpace, DiskWatch, StoreWatch, WhenStoreCloses,
};

use super::StoreChoice;

/// The number of free bytes on the store's file system below which a server warns: 256 MiB.
pub(crate) const DISK_FREE_BYTES_MIN: u64 = 256 * 1024 * 1024;

/// The settings of a server of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerSettings {
    /// The bounds of its connections.
    pub(crate) connections: ConnectionLimits,
    /// The number of free bytes on the store's file system below which the server warns.
    pub(crate) disk_free_bytes_min: u64,
    /// The reaction when its store closes.
    pub(crate) when_closed: WhenStoreCloses,
    /// The reaction to a store that was rolled back.
    pub(crate) rollback: Rollback,
}

/// The reaction to a store that was rolled back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Rollback {
    /// Its pools go on in a new epoch, and the log says so.
    #[default]
    GoOn,
    /// The server does not start.
    Refuse,
    /// An operator says that the store was restored: every pool goes on in a new epoch.
    Declared,
}

/// Options for a store that was restored from a copy, or that lost its end.
#[derive(Clone, Copy, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "two flags of the command line, of which one is taken"
)]
pub(crate) struct RollbackArgs {
    /// Do not start on a store that was rolled back (exit code 6), instead of going on in a new epoch
    #[arg(long)]
    strict: bool,
    /// Say that the store was restored from a copy: every pool goes on in a new epoch. Needed where the
    /// copy has the mark beside the store, too, as an image of the disk does; once, at the first start
    #[arg(long, conflicts_with = "strict")]
    restored: bool,
}

impl RollbackArgs {
    /// Returns the reaction that is asked for, else the one of the configuration file.
    pub(crate) fn or(self, otherwise: Rollback) -> Rollback {
        match (self.strict, self.restored) {
            (_, true) => Rollback::Declared,
            (true, false) => Rollback::Refuse,
            (false, false) => otherwise,
        }
    }
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            connections: ConnectionLimits::default(),
            disk_free_bytes_min: DISK_FREE_BYTES_MIN,
            when_closed: WhenStoreCloses::End,
            rollback: Rollback::GoOn,
        }
    }
}

impl ServerSettings {
    /// Returns how the server watches a store that exists.
    pub(crate) fn watch(&self, store: &StoreChoice, meter: Option<Meter>) -> StoreWatch {
        let disk = match store {
            StoreChoice::Redb(path) | StoreChoice::Sled(path) => Some(DiskWatch {
                probe: Arc::new(FileSystemOf(path.clone())),
                free_bytes_min: self.disk_free_bytes_min,
            }),
            StoreChoice::Memory => None,
        };
        StoreWatch {
            place: store.to_string(),
            when_closed: self.when_closed,
            disk,
            meter,
        }
    }
}

/// The file system that a path is on.
#[derive(Debug)]
struct FileSystemOf(PathBuf);

impl DiskProbe for FileSystemOf {
    fn space(&self) -> io::Result<DiskSpace> {
        let found = rustix::fs::statvfs(&self.0)?;
        Ok(DiskSpace {
            // What only the superuser may write is nobody's here.
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        })
    }

    fn store_bytes(&self) -> io::Result<u64> {
        bytes_of(&self.0)
    }
}

/// Returns the bytes of a file, or of all files in a folder.
fn bytes_of(place: &Path) -> io::Result<u64> {
    let found = fs::symlink_metadata(place)?;
    if !found.is_dir() {
        return Ok(found.len());
    }
    let entries = fs::read_dir(place)?;
    entries.map(|entry| bytes_of(&entry?.path())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_has_space_and_a_place_that_is_not_there_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let space = FileSystemOf(folder.path().to_owned()).space().unwrap();
        assert!(space.free_bytes <= space.total_bytes && space.total_bytes > 0);
        let gone = FileSystemOf(folder.path().join("gone")).space();
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_store_has_the_bytes_of_its_file_or_of_all_files_in_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        fs::write(&file, [0; 10]).unwrap();
        fs::create_dir(folder.path().join("blobs")).unwrap();
        fs::write(folder.path().join("blobs/1"), [0; 32]).unwrap();
        assert_eq!(FileSystemOf(file).store_bytes().unwrap(), 10);
        let whole = FileSystemOf(folder.path().to_owned());
        assert_eq!(whole.store_bytes().unwrap(), 42);
    }

    #[test]
    fn a_store_in_memory_has_no_disk_to_watch() {
        let settings = ServerSettings::default();
        assert!(settings.watch(&StoreChoice::Memory, None).disk.is_none());
        let watch = settings.watch(&StoreChoice::Redb("/x".into()), None);
        assert_eq!(watch.disk.unwrap().free_bytes_min, DISK_FREE_BYTES_MIN);
        assert_eq!(watch.place, "redb:/x");
    }
}
