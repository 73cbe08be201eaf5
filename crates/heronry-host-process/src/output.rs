//! The output of what runs: lines are cut, kept in a log, and told to an observer.

use std::sync::{Arc, Mutex, PoisonError};

use heronry_host::HostedSubject;
use heronry_types::counted;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    sync::watch,
};

use crate::{BoundedLine, TakenPart, log::Log};

/// The longest line that is kept, in bytes.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
/// The most output of one start that observers are told, in bytes.
pub const SHOWN_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The line that observers are told when they are told no more.
const CAPPED: &str = "[heronry: output is capped here; the rest is in its log alone]";

/// Is told the lines that are printed.
///
/// 1. A line has no line end, is at most [`LINE_BYTES_MAX`] long and a mark, and may have any other
///    character.
/// 2. It is called for one line of a subject at a time, and holds up its output alone.
pub trait OutputObserver: Send + Sync {
    /// Takes a line that the subject printed.
    fn line(&self, subject: &HostedSubject, line: &str);
}

/// The destination of the output of one start.
#[derive(Clone)]
pub(crate) struct Output {
    subject: Arc<HostedSubject>,
    observer: Option<Arc<dyn OutputObserver>>,
    kept: Arc<Mutex<KeptOutput>>,
    /// True once a line was printed.
    has_printed: watch::Sender<bool>,
}

#[derive(Debug)]
struct KeptOutput {
    log: Log,
    /// The number of bytes that observers are still told; `None` once they are told no more.
    room: Option<u64>,
}

impl Output {
    /// Returns the destination of a start's output.
    pub(crate) fn new(
        subject: HostedSubject,
        log: Log,
        observer: Option<Arc<dyn OutputObserver>>,
    ) -> Self {
        Self {
            subject: Arc::new(subject),
            observer,
            kept: Arc::new(Mutex::new(KeptOutput {
                log,
                room: Some(SHOWN_BYTES_MAX),
            })),
            has_printed: watch::Sender::new(false),
        }
    }

    /// Returns a view of whether a line was printed.
    pub(crate) fn has_printed(&self) -> watch::Receiver<bool> {
        self.has_printed.subscribe()
    }

    /// Keeps and tells everything that is printed on one stream.
    pub(crate) async fn drain(self, stream: impl AsyncRead + Unpin) {
        let mut lines = OutputLines::new(stream);
        while let Some(line) = lines.next().await {
            self.keep(&text_of(&line));
        }
    }

    fn keep(&self, line: &str) {
        // A poisoned lock means that another stream's task panicked between two whole lines.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // What runs goes on without its log when the disk is full.
        let _ = kept.log.add(line);
        if let (Some(observer), Some(room)) = (&self.observer, kept.room) {
            kept.room = room.checked_sub(line.len() as u64 + 1);
            observer.line(&self.subject, kept.room.map_or(CAPPED, |_| line));
        }
        self.has_printed.send_replace(true);
    }
}

/// Returns the text of a line, with a mark when it is cut.
fn text_of(line: &BoundedLine) -> String {
    let text = String::from_utf8_lossy(&line.kept);
    if line.cut == 0 {
        return text.into_owned();
    }
    let cut = counted(line.cut, "byte");
    format!("{text} [heronry: the line is cut here; {cut} more]")
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
    use heronry_types::{ModuleId, PoolId};

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

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl OutputObserver for Told {
        fn line(&self, _: &HostedSubject, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[test]
    fn what_observers_are_told_is_capped_with_a_notice_and_the_log_goes_on() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.log");
        let module = HostedSubject::Module {
            pool: PoolId::parse("p").unwrap(),
            module: ModuleId::parse("m").unwrap(),
            acts_as: None,
        };
        let told = Arc::new(Told::default());
        let log = Log::open(&path, 1_000).unwrap();
        let output = Output::new(module, log, Some(Arc::clone(&told) as _));
        output.kept.lock().unwrap().room = Some(8);
        let printed = output.has_printed();
        assert!(!*printed.borrow());
        for line in ["1234", "56", "7", "8"] {
            output.keep(line);
        }
        assert!(*printed.borrow());
        assert_eq!(*told.0.lock().unwrap(), ["1234", "56", CAPPED]);
        let kept = std::fs::read_to_string(path).unwrap();
        assert_eq!(kept, "1234\n56\n7\n8\n");
    }
}
