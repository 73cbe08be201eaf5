//! The output of members: cut, capped, kept in a log, and shown with the name of its member.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use super::screen::Screen;
use heronry_types::counted;

use crate::{
    bounded_line::{BoundedLine, TakenPart},
    files::{FileError, Folder},
    text::add,
};

/// The longest line that is kept, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 8 * 1024;
/// The most output of one member that is kept and shown, in bytes.
pub(super) const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The destination of one member's output.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    run: Arc<str>,
    path: Arc<Path>,
    screen: Screen,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug)]
struct Log {
    file: File,
    /// The number of bytes that are still kept; `None` once the cap was reached.
    room: Option<u64>,
}

impl Sink {
    /// Opens a log to add to; one of an earlier run of the same job is continued.
    pub(crate) fn open(
        (logs, name): (&Folder, &str),
        run: &str,
        screen: Screen,
    ) -> Result<Self, FileError> {
        let path = logs.path().join(name);
        let file = logs.add_to(name)?;
        Ok(Self {
            run: Arc::from(run),
            path: Arc::from(path),
            screen,
            log: Arc::new(Mutex::new(Log {
                file,
                room: Some(OUTPUT_BYTES_MAX),
            })),
        })
    }

    /// Returns where the log is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps and shows everything that a member prints on one of its streams.
    pub(crate) async fn drain(self, stream: impl AsyncRead + Unpin) {
        let mut lines = OutputLines::new(stream);
        while let Some(line) = lines.next().await {
            self.keep(&text_of(&line));
        }
    }

    fn keep(&self, line: &str) {
        // A poisoned lock means that another stream's task panicked between two whole lines.
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(room) = log.room else { return };
        log.room = room.checked_sub(line.len() as u64 + 1);
        let line = match log.room {
            Some(_) => line,
            None => "[heronry: output is capped here; the rest is dropped]",
        };
        // The job goes on without its log when the disk is full.
        let _ = writeln!(log.file, "{line}");
        drop(log);
        self.screen.member_line(&self.run, line);
    }
}

/// Returns the text of a line, with a notice when it is cut.
fn text_of(line: &BoundedLine) -> String {
    let mut text = String::from_utf8_lossy(&line.kept).into_owned();
    if line.cut > 0 {
        let cut = counted(line.cut, "byte");
        add(
            &mut text,
            format_args!(" [heronry: the line is cut here; {cut} more]"),
        );
    }
    text
}

/// Lines of a stream, cut at [`LINE_BYTES_MAX`].
#[derive(Debug)]
struct OutputLines<R> {
    stream: BufReader<R>,
    is_ended: bool,
}

impl<R: AsyncRead + Unpin> OutputLines<R> {
    fn new(stream: R) -> Self {
        Self {
            stream: BufReader::new(stream),
            is_ended: false,
        }
    }

    /// Returns the next line; nothing at the end, or when the stream fails.
    async fn next(&mut self) -> Option<BoundedLine> {
        let mut line = BoundedLine::default();
        while !self.is_ended {
            let taken = match self.stream.fill_buf().await {
                Ok(part) => line.take(part, LINE_BYTES_MAX),
                Err(_) => TakenPart {
                    used: 0,
                    is_whole: false,
                },
            };
            self.is_ended = taken.used == 0;
            self.stream.consume(taken.used);
            if taken.is_whole {
                return Some(line);
            }
        }
        (!line.kept.is_empty()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8]) -> Vec<String> {
        let mut lines = OutputLines::new(text);
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            found.push(text_of(&line));
        }
        found
    }

    #[tokio::test]
    async fn lines_are_cut_at_their_limit_and_the_next_one_is_whole() {
        let kept = "x".repeat(LINE_BYTES_MAX);
        let found = lines(format!("a\n\n{kept}\n{kept}y\n{kept}yz\nb").as_bytes()).await;
        let cut = |what: &str| format!("{kept} [heronry: the line is cut here; {what} more]");
        let expected = ["a", "", &kept, &cut("1 byte"), &cut("2 bytes"), "b"];
        assert_eq!(found, expected);
        assert!(lines(b"").await.is_empty());
    }

    #[test]
    fn output_is_capped_with_a_notice() {
        let folder = crate::files::private_temp();
        let path = folder.path().join("a.log");
        let logs = Folder::private(folder.path()).unwrap();
        let sink = Sink::open((&logs, "a.log"), "a", Screen::silent()).unwrap();
        sink.log.lock().unwrap().room = Some(8);
        for line in ["1234", "56", "7", "8"] {
            sink.keep(line);
        }
        let kept = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            kept,
            "1234\n56\n[heronry: output is capped here; the rest is dropped]\n"
        );
    }
}
