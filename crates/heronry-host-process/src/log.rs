//! The log of what runs: capped, with one older part beside it.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::folder;

/// The bytes after which a log is put aside as `NAME.1`, in place of the one that was put aside before.
pub const LOG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A log that lines are added to.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    bytes: u64,
    bytes_max: u64,
}

impl Log {
    /// Opens a log to add to; one that is there is continued.
    pub(crate) fn open(path: &Path, bytes_max: u64) -> io::Result<Self> {
        let file = folder::open(path, OpenOptions::new().append(true).create(true))?;
        Ok(Self {
            path: path.to_owned(),
            bytes: file.metadata()?.len(),
            file,
            bytes_max,
        })
    }

    /// Adds a line, and puts aside what was there when the line would not fit.
    pub(crate) fn add(&mut self, line: &str) -> io::Result<()> {
        let more = line.len() as u64 + 1;
        if self.bytes > 0 && self.bytes + more > self.bytes_max {
            let mut aside = self.path.clone().into_os_string();
            aside.push(".1");
            std::fs::rename(&self.path, aside)?;
            *self = Self::open(&self.path, self.bytes_max)?;
        }
        self.bytes += more;
        writeln!(self.file, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;

    use super::*;

    #[test]
    fn a_log_that_is_full_is_put_aside_once() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.log");
        let aside = place.path().join("a.log.1");
        let mut log = Log::open(&path, 8).unwrap();
        for line in ["123", "567"] {
            log.add(line).unwrap();
        }
        assert!(!aside.exists());
        log.add("a").unwrap();
        assert_eq!(read_to_string(&aside).unwrap(), "123\n567\n");
        // One that is opened again is continued.
        let mut log = Log::open(&path, 8).unwrap();
        log.add("a line that is longer than all of it").unwrap();
        assert_eq!(read_to_string(&aside).unwrap(), "a\n");
        let kept = read_to_string(&path).unwrap();
        assert_eq!(kept, "a line that is longer than all of it\n");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
