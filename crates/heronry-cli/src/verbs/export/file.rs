//! A file that events are added to, each once and one a line.

use std::{
    collections::{HashSet, VecDeque},
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use heronry_event::Event;
use heronry_runtime::{EventSink, SinkError};
use heronry_wire::ExportFormat;
use rustix::fs::{FlockOperation, flock};
use serde::Deserialize;

use crate::{failure::Failure, files::Folder};

/// The most bytes at the end of a file in which events are looked for that it has.
const TAIL_BYTES: u64 = 16 * 1024 * 1024;
/// The most ids of events that are known to be in the file.
const IDS_MAX: usize = 65_536;
/// The beginning of each line, in either form.
const BEGINNINGS: [&[u8]; 2] = [b"{\"id\":\"", b"{\"specversion\":\"1.0\",\"id\":\""];

/// A file that events are added to. Each batch is on the device when it is acknowledged.
pub(super) struct FileSink {
    path: PathBuf,
    format: ExportFormat,
    state: Mutex<FileState>,
}

struct FileState {
    file: File,
    /// The length up to which the file holds whole lines.
    length: u64,
    ids: KnownIds,
}

/// The ids of the last events of the file.
#[derive(Default)]
struct KnownIds {
    known: HashSet<String>,
    order: VecDeque<String>,
}

#[derive(Deserialize)]
struct LineId {
    id: String,
}

impl KnownIds {
    fn insert(&mut self, id: String) {
        if self.known.insert(id.clone()) {
            self.order.push_back(id);
        }
        while self.order.len() > IDS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

impl FileSink {
    /// Opens a file of this user alone, and makes it when it is missing. A last line that a crash has
    /// cut is removed.
    pub(super) fn open(path: &Path, format: ExportFormat) -> Result<Self, Failure> {
        let failed = |doing| move |error: io::Error| Failure::file(doing, path, &error);
        let (folder, name) = Folder::of(path)?;
        let mut file = folder.open(name)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Failure::failed(format_args!(
                "another export writes to {}; stop it, or name another file",
                path.display()
            )));
        }
        let length = file.metadata().map_err(failed("look at"))?.len();
        let start = length.saturating_sub(TAIL_BYTES);
        let mut tail = Vec::new();
        file.seek(SeekFrom::Start(start)).map_err(failed("read"))?;
        file.read_to_end(&mut tail).map_err(failed("read"))?;
        let Some(found) = read_tail(&tail, TailStart::at(start)) else {
            return Err(Failure::failed(format_args!(
                "{} holds something else than exported events; name another file",
                path.display()
            )));
        };
        let whole = start.saturating_add(found.whole as u64);
        if whole < length {
            file.set_len(whole)
                .map_err(failed("cut the last line of"))?;
        }
        file.seek(SeekFrom::Start(whole)).map_err(failed("write"))?;
        Ok(Self {
            path: path.to_owned(),
            format,
            state: Mutex::new(FileState {
                file,
                length: whole,
                ids: found.ids,
            }),
        })
    }

    fn write(&self, events: &[Event]) -> Result<(), SinkError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = Vec::new();
        let mut written = Vec::new();
        for event in events {
            let id = event.envelope.id().to_string();
            if state.ids.known.contains(&id) {
                continue;
            }
            let line = self.format.line(event);
            let line = line.map_err(|error| SinkError::permanent(error.to_string()))?;
            lines.extend_from_slice(line.as_bytes());
            lines.push(b'\n');
            written.push(id);
        }
        if written.is_empty() {
            return Ok(());
        }
        if let Err(error) = state.append(&lines) {
            let detail = format!("cannot write {}: {error}", self.path.display());
            return Err(SinkError::transient(detail));
        }
        for id in written {
            state.ids.insert(id);
        }
        Ok(())
    }
}

impl FileState {
    /// Adds whole lines, and waits for the device. What was written in part is cut off again.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        // Somebody else may have emptied or shortened the file, as a rotation of logs does: it goes on at the end.
        self.length = self.length.min(self.file.metadata()?.len());
        // An attempt before may have left a part that could not be cut off.
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::Start(self.length))?;
        self.file.write_all(lines)?;
        self.file.sync_data()?;
        self.length = self.length.saturating_add(lines.len() as u64);
        Ok(())
    }
}

#[async_trait]
impl EventSink for FileSink {
    async fn append_batch(&self, events: &[Event]) -> Result<(), SinkError> {
        self.write(events)
    }
}

/// The end of a file, as it was found.
struct Tail {
    /// The bytes up to the end of the last whole line.
    whole: usize,
    ids: KnownIds,
}

/// The place where the bytes of a tail begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum TailStart {
    /// The beginning of the file.
    Beginning,
    /// The middle of the file: the first line may be a part.
    Middle,
}

impl TailStart {
    fn at(offset: u64) -> Self {
        if offset == 0 {
            Self::Beginning
        } else {
            Self::Middle
        }
    }
}

/// Reads the end of a file; nothing when it holds something else than lines of events.
fn read_tail(tail: &[u8], start: TailStart) -> Option<Tail> {
    let is_cut = start == TailStart::Middle;
    let whole = tail.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |at| at.saturating_add(1));
    let (lines, rest) = tail.split_at_checked(whole)?;
    // A line that a crash cut begins as every line does, as far as it goes.
    let may_be_cut = |beginning: &[u8]| beginning.iter().zip(rest).all(|(a, b)| a == b);
    if whole == 0 && is_cut || !BEGINNINGS.iter().any(|it| may_be_cut(it)) {
        return None;
    }
    let mut ids = KnownIds::default();
    let lines = lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    for line in lines.skip(usize::from(is_cut)) {
        let LineId { id } = serde_json::from_slice(line).ok()?;
        ids.insert(id);
    }
    Some(Tail { whole, ids })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number of whole bytes, and the ids; nothing for what is refused.
    fn check(tail: &str, expected: Option<(usize, &[&str])>) {
        let found = read_tail(tail.as_bytes(), TailStart::Beginning);
        let found = found.map(|tail| (tail.whole, Vec::from(tail.ids.order)));
        let expected =
            expected.map(|(whole, ids)| (whole, ids.iter().map(|id| (*id).to_owned()).collect()));
        assert_eq!(found, expected, "{tail}");
    }

    #[test]
    fn the_end_of_a_file_is_cut_after_its_last_whole_line() {
        check("", Some((0, &[])));
        check("{\"id\":\"a\"}\n", Some((11, &["a"])));
        check("{\"id\":\"a\"}\n{\"id\":\"b\"", Some((11, &["a"])));
        check("{\"id\":\"a\"}\n{", Some((11, &["a"])));
        check("{\"i", Some((0, &[])));
        check("{\"specversion\":\"1.0\",\"id\":\"a\",\"x", Some((0, &[])));
    }

    #[test]
    fn a_file_of_somebody_else_is_not_cut() {
        check("dear diary", None);
        check("dear diary\n", None);
        check("{\"id\":\"a\"}\ndear diary", None);
        check("{\"name\":\"a\"}", None);
        check("{\"name\":\"a\"}\n", None);
    }

    #[test]
    fn a_file_that_somebody_empties_goes_on_at_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let sink = FileSink::open(&path, ExportFormat::JsonLines).unwrap();
        let append = |line: &str| sink.state.lock().unwrap().append(line.as_bytes()).unwrap();
        append("{\"id\":\"a\"}\n");
        std::fs::File::create(&path).unwrap();
        append("{\"id\":\"b\"}\n");
        append("{\"id\":\"c\"}\n");
        let found = std::fs::read_to_string(&path).unwrap();
        assert_eq!(found, "{\"id\":\"b\"}\n{\"id\":\"c\"}\n");
    }

    #[test]
    fn the_ids_that_are_known_are_bounded() {
        let mut ids = KnownIds::default();
        for number in 0..IDS_MAX + 2 {
            ids.insert(number.to_string());
        }
        assert_eq!((ids.known.len(), ids.order.len()), (IDS_MAX, IDS_MAX));
        assert!(!ids.known.contains("1") && ids.known.contains("2"));
    }
}
