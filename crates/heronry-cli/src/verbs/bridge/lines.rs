//! The lines of stdin, as items of a source. Memory is bounded whatever stands there.

use std::io::{self, BufRead};

use futures::{Stream, stream};
use heronry_host_process::BoundedLine;
use heronry_runtime::{MissingItem, SourceItem};
use heronry_types::{IdempotencyKey, NewSourceGap, SourceGapReason};
use tokio::sync::mpsc;

use super::{LineFormat, LinePlaces, parse};

/// The longest line that is read, in bytes.
const LINE_BYTES_MAX: usize = 256 * 1024;
/// The most lines that are read ahead of the bridge.
const AHEAD_MAX: usize = 16;

/// Reads stdin on a thread of its own, because a read of stdin cannot be given up.
pub(super) fn of_stdin(
    format: LineFormat,
    places: LinePlaces,
) -> impl Stream<Item = SourceItem> + Send + 'static {
    let (sender, receiver) = mpsc::channel(AHEAD_MAX);
    std::thread::spawn(move || {
        let mut lines = LineReader::new(io::stdin().lock(), format, places);
        // It ends when nobody takes the lines any more.
        while let Some(item) = lines.next_item() {
            if sender.blocking_send(item).is_err() {
                return;
            }
        }
    });
    stream::unfold(receiver, async |mut receiver| {
        let item = receiver.recv().await?;
        Some((item, receiver))
    })
}

/// Reads lines one after the other.
struct LineReader<R> {
    input: R,
    format: LineFormat,
    places: LinePlaces,
    number: u64,
    is_over: bool,
}

impl<R: BufRead> LineReader<R> {
    fn new(input: R, format: LineFormat, places: LinePlaces) -> Self {
        Self {
            input,
            format,
            places,
            number: 0,
            is_over: false,
        }
    }

    /// Returns the next item; `None` at the end.
    fn next_item(&mut self) -> Option<SourceItem> {
        while !self.is_over {
            match self.next_line() {
                Ok(None) => self.is_over = true,
                Ok(Some(line)) if line.cut > 0 => {
                    let bytes = line.bytes();
                    let note = format!(
                        "line {} has {bytes} bytes and may have {LINE_BYTES_MAX}",
                        self.number
                    );
                    return Some(self.missing(
                        SourceGapReason::TooLarge,
                        note,
                        &bytes.to_be_bytes(),
                    ));
                }
                Ok(Some(line)) if line.kept.trim_ascii().is_empty() => {}
                Ok(Some(line)) => return Some(self.parsed(&line.kept)),
                Err(error) => {
                    self.is_over = true;
                    let note = format!("stdin cannot be read behind line {}: {error}", self.number);
                    return Some(self.missing(SourceGapReason::CutOff, note, &[]));
                }
            }
        }
        None
    }

    /// Returns the item of a line, or the gap that stands for one that cannot be read.
    fn parsed(&self, line: &[u8]) -> SourceItem {
        let number = match self.places {
            LinePlaces::Said => None,
            LinePlaces::Numbers => Some(self.number),
        };
        match parse::item(line, self.format, number) {
            Ok(item) => item,
            Err(why) => {
                let note = format!("line {}: {why}", self.number);
                self.missing(SourceGapReason::Unreadable, note, line)
            }
        }
    }

    /// Reads to the end of a line; of one that is too long, the rest is passed over. `None` at the end of the input.
    fn next_line(&mut self) -> io::Result<Option<BoundedLine>> {
        let mut line = BoundedLine::default();
        loop {
            let part = self.input.fill_buf()?;
            let is_over = part.is_empty();
            if is_over && line.bytes() == 0 {
                return Ok(None);
            }
            let taken = line.take(part, LINE_BYTES_MAX);
            self.input.consume(taken.used);
            if taken.is_whole || is_over {
                self.number += 1;
                return Ok(Some(line));
            }
        }
    }

    /// Returns the notice of a line that cannot be taken. The same line at the same place is told once.
    fn missing(&self, reason: SourceGapReason, note: String, content: &[u8]) -> SourceItem {
        let hash = blake3::hash(content).to_hex();
        let key = format!(
            "line/{}/{}",
            self.number,
            hash.get(..16).unwrap_or_default()
        );
        let gap = NewSourceGap {
            missed: Some(1),
            note: Some(note),
            ..NewSourceGap::new(reason)
        };
        SourceItem::Missing(Box::new(MissingItem {
            gap,
            // A number and hex digits are a key; without one, the bridge chooses.
            key: IdempotencyKey::parse(key).ok(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &[u8]) -> Vec<SourceItem> {
        let mut reader = LineReader::new(
            io::BufReader::with_capacity(7, text),
            LineFormat::Auto,
            LinePlaces::Numbers,
        );
        std::iter::from_fn(move || reader.next_item()).collect()
    }

    fn shown(items: &[SourceItem]) -> Vec<String> {
        let show = |item: &SourceItem| match item {
            SourceItem::Event(event) => format!("{} at {}", event.event.kind, event.position),
            SourceItem::Lagged { missed } => format!("lagged {missed}"),
            SourceItem::Missing(missing) => missing.gap.reason.to_string(),
        };
        items.iter().map(show).collect()
    }

    #[test]
    fn a_line_is_an_event_at_its_number_and_what_cannot_be_read_is_told() {
        let text = b"{\"kind\":\"tool_started\"}\n\nnonsense\n{\"lagged\":3}\n\xff\n{\"kind\":\"tool_failed\"}";
        let found = shown(&items(text));
        let expected = [
            "tool_started at 1",
            "unreadable",
            "lagged 3",
            "unreadable",
            "tool_failed at 6",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_line_is_as_long_as_is_read_and_no_longer_one_hides_the_next() {
        let event = |bytes: usize| {
            let (head, tail) = (r#"{"kind":"tool_started","turn":""#, r#""}"#);
            let fill = bytes - head.len() - tail.len();
            format!("{head}{}{tail}\n", "x".repeat(fill))
        };
        let mut text = event(LINE_BYTES_MAX);
        text.push_str(&event(LINE_BYTES_MAX + 1));
        text.push_str(&event(10 * 1024 * 1024));
        text.push_str("{\"kind\":\"tool_failed\"}\n");
        let found = shown(&items(text.as_bytes()));
        // The turn of the first one is too long for an id, which is another fault.
        assert_eq!(
            found,
            ["unreadable", "too_large", "too_large", "tool_failed at 4"]
        );
    }
}
