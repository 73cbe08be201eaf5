//! The log of one thread, as text.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use tracing::{Level, subscriber::DefaultGuard};
use tracing_subscriber::fmt::{self, MakeWriter, format::FmtSpan};

/// The log of the thread that made it, from level `debug` on, with the beginning of each span. It ends
/// when it is dropped.
#[derive(Debug)]
pub struct ThreadLog {
    text: LogText,
    _guard: DefaultGuard,
}

#[derive(Clone, Debug, Default)]
struct LogText(Arc<Mutex<Vec<u8>>>);

impl ThreadLog {
    /// Begins to keep the log of this thread.
    pub fn begin() -> Self {
        let text = LogText::default();
        let subscriber = fmt::Subscriber::builder()
            .with_max_level(Level::DEBUG)
            .with_span_events(FmtSpan::NEW)
            .with_ansi(false)
            .with_writer(text.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        Self {
            text,
            _guard: guard,
        }
    }

    /// Returns what was logged until now.
    pub fn text(&self) -> String {
        let text = self.text.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&text).into_owned()
    }
}

impl io::Write for LogText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogText {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
