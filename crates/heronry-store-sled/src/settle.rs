//! Checks of a store before sled opens it. The log is read and checked, then everything that sled
//! would cut off is cut off.
//!
//! sled itself takes whatever it cannot read for the end of its log, a device that failed once
//! included, and writes zeros over the rest. Here reading ends before the first byte is written, and
//! sled finds a list of pages with which it has nothing to do.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use heronry_store_embedded::files::{private, sync_directory};

use crate::{
    disk::{DiskOp, Hook, see},
    format::SEGMENT_BYTES,
    log::{
        pages::Pages,
        recovery::{Recovery, Unrecovered},
        segment::read_segment,
        tip::Tip,
    },
    place::SledDirectory,
};

/// The names of sled's lists of pages, and of one that is not whole yet.
const LIST: &str = "snap.";
const UNFINISHED: &str = ".generating";

/// A log that was read, and found whole.
#[derive(Debug)]
pub(crate) struct Settled {
    /// Its end.
    pub(crate) tip: Tip,
    active: Option<Active>,
    list: Vec<u8>,
}

/// The segment that sled reads when it opens, as it must be afterwards.
#[derive(Debug)]
struct Active {
    offset: u64,
    bytes: Vec<u8>,
    used: usize,
}

/// A store whose log is about to be opened.
#[derive(Debug)]
pub(crate) struct Settling<'a> {
    pub(crate) place: &'a SledDirectory,
    pub(crate) db: &'a File,
    pub(crate) hook: &'a Hook,
}

impl Settling<'_> {
    /// Reads the log as sled would, and checks that nothing is missing from it that lasted. Not a
    /// byte is written.
    pub(crate) fn read(&self, lasting: Option<i64>) -> Result<Recovery, Unrecovered> {
        see(self.hook, DiskOp::Read)?;
        let listed = match self.lists()?.pop() {
            None => Pages::default(),
            Some(path) => {
                let list = fs::read(&path)?;
                Pages::decode(&list).ok_or_else(|| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    Unrecovered::Damaged(format!("the file {name} is damaged"))
                })?
            }
        };
        let recovery = Recovery::read(self.db, &self.place.blobs(), listed)?;
        recovery.check(self.db, lasting)?;
        Ok(recovery)
    }

    /// Cuts off what was not written to its end, and writes down where every page lies. A crash
    /// anywhere leaves what can be read again.
    pub(crate) fn settle(&self, recovery: &Recovery) -> Result<Settled, Unrecovered> {
        let list = recovery.pages.encode().ok_or_else(|| {
            Unrecovered::Damaged("its list of pages cannot be written".to_owned())
        })?;
        if let Some((offset, bytes)) = recovery.cut.end {
            self.clear(offset, bytes)?;
        }
        let stable = recovery.pages.stable.unwrap_or(0);
        if recovery.pages.stable > recovery.before {
            self.write_list(&list, stable)?;
        }
        for offset in &recovery.cut.segments {
            self.clear(*offset, SEGMENT_BYTES)?;
        }
        let active = match recovery.pages.active {
            None => None,
            Some(offset) => Some(Active {
                offset,
                bytes: read_segment(self.db, offset)?,
                used: crate::log::segment::within(stable),
            }),
        };
        Ok(Settled {
            tip: Tip {
                place: stable,
                segment: recovery.pages.active,
            },
            active,
            list,
        })
    }

    /// Writes zeros, and makes them last. What is zero already is left.
    fn clear(&self, offset: u64, bytes: usize) -> io::Result<()> {
        let mut found = vec![0; bytes];
        let length = crate::log::read_at(self.db, offset, &mut found)?;
        if length == bytes && found.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        see(self.hook, DiskOp::Write)?;
        found.fill(0);
        write_at(self.db, offset, &found)?;
        see(self.hook, DiskOp::Sync)?;
        self.db.sync_data()
    }

    /// Writes the list of pages, whole or not at all, and removes older ones.
    fn write_list(&self, list: &[u8], stable: i64) -> io::Result<()> {
        let directory = self.place.path();
        let name = format!("{LIST}{stable:016X}");
        let unfinished = directory.join(format!("{name}{UNFINISHED}"));
        let path = directory.join(name);
        see(self.hook, DiskOp::Write)?;
        let mut file = private(OpenOptions::new().write(true).create(true))
            .truncate(true)
            .open(&unfinished)?;
        file.write_all(list)?;
        see(self.hook, DiskOp::Sync)?;
        file.sync_all()?;
        see(self.hook, DiskOp::Write)?;
        fs::rename(&unfinished, &path)?;
        see(self.hook, DiskOp::Sync)?;
        sync_directory(directory)?;
        for older in self.lists()? {
            if older != path {
                see(self.hook, DiskOp::Write)?;
                fs::remove_file(older)?;
            }
        }
        Ok(())
    }

    /// Returns true when sled has left the log as it was when it opened.
    ///
    /// A device that fails while sled reads makes sled cut off everything that it could not read,
    /// and sled says nothing.
    pub(crate) fn is_kept(&self, settled: &Settled) -> io::Result<bool> {
        let Some(active) = &settled.active else {
            return Ok(true);
        };
        let found = read_segment(self.db, active.offset)?;
        Ok(found.get(..active.used) == active.bytes.get(..active.used))
    }

    /// Puts back the bytes that sled cut off, and returns the error that tells of it.
    pub(crate) fn put_back(&self, settled: &Settled) -> io::Error {
        let put_back = || {
            if let Some(active) = &settled.active {
                write_at(self.db, active.offset, &active.bytes)?;
                self.db.sync_data()?;
            }
            self.write_list(&settled.list, settled.tip.place)
        };
        put_back().err().unwrap_or_else(|| {
            io::Error::other("a part of the log could not be read as it was opened; open it again")
        })
    }

    /// Returns the lists of pages, the newest one last.
    fn lists(&self) -> io::Result<Vec<PathBuf>> {
        let (mut whole, _) = lists_in(self.place.path())?;
        whole.sort();
        Ok(whole)
    }
}

/// Removes lists of pages that were not written to their end: a crash, or a full disk, left them, and
/// sled would take one for the newest.
pub(crate) fn remove_unfinished(place: &SledDirectory) -> io::Result<()> {
    let (_, unfinished) = lists_in(place.path())?;
    for path in unfinished {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Returns true for a list of pages that was not written to its end.
pub(crate) fn is_unfinished(name: &std::ffi::OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(LIST) && name.ends_with(UNFINISHED)
}

/// Returns the lists of pages in a directory that are whole, and those that are not.
fn lists_in(directory: &Path) -> io::Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let mut lists = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(LIST) {
            lists.push(entry.path());
        }
    }
    let is_whole = |path: &PathBuf| !path.file_name().is_some_and(is_unfinished);
    Ok(lists.into_iter().partition(is_whole))
}

fn write_at(db: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = db;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::config;

    /// Returns a database with some rows.
    fn database() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let db = config().path(directory.path()).open().unwrap();
        for key in 0..100_u32 {
            db.insert(key.to_be_bytes(), &[7; 1_000][..]).unwrap();
        }
        db.flush().unwrap();
        drop(db);
        directory
    }

    fn log(place: &SledDirectory) -> File {
        let mut options = OpenOptions::new();
        options.read(true).write(true).open(place.db()).unwrap()
    }

    #[test]
    fn what_sled_cuts_off_because_it_could_not_read_it_is_put_back() {
        let directory = database();
        let place = SledDirectory::new(directory.path());
        let db = log(&place);
        let settling = Settling {
            place: &place,
            db: &db,
            hook: &None,
        };
        let recovery = settling.read(None).unwrap();
        let settled = settling.settle(&recovery).unwrap();
        let before = fs::read(place.db()).unwrap();
        assert!(settling.is_kept(&settled).unwrap());
        // So sled leaves a segment that it could not read, and a list without it.
        settling.clear(0, SEGMENT_BYTES).unwrap();
        assert!(!settling.is_kept(&settled).unwrap());
        settling.put_back(&settled);
        assert!(fs::read(place.db()).unwrap().starts_with(&before));
        assert!(settling.is_kept(&settled).unwrap());
        assert_eq!(settling.read(None).unwrap().pages, recovery.pages);
    }

    #[test]
    fn a_log_that_was_settled_is_left_alone_by_the_next() {
        let directory = database();
        let place = SledDirectory::new(directory.path());
        let db = log(&place);
        let settling = Settling {
            place: &place,
            db: &db,
            hook: &None,
        };
        let first = settling.read(None).unwrap();
        assert!(first.pages.stable > first.before);
        settling.settle(&first).unwrap();
        let lists = settling.lists().unwrap();
        let second = settling.read(Some(first.end)).unwrap();
        assert_eq!(second.pages, first.pages);
        assert_eq!(second.pages.stable, second.before);
        settling.settle(&second).unwrap();
        assert_eq!(settling.lists().unwrap(), lists);
        let beyond = settling.read(Some(first.end + 1)).unwrap_err();
        assert!(matches!(beyond, Unrecovered::Damaged(_)));
    }
}
