//! What the events that triggered a wake say of themselves: read beside the actor, on demand.

use heronry_journal::{Chunk, Record};
use heronry_pool::{Caller, decide::SumUp, project};
use heronry_types::{Payload, Position, WakeView};

use super::Pool;

/// How many bytes of one event's summary are quoted at the most.
const TEXT_BYTES_MAX: usize = 256;

impl Pool {
    /// Adds what the events say of themselves to a wake that asked for a summary and was triggered:
    /// a line for each of the first 16 that have a summary of their own, at most 256 bytes of it, as
    /// far as the pool's wake policy lets its members see that. Any other wake stays as it is, and so
    /// does one that the caller may not see any more.
    pub async fn summed_up(&self, caller: Caller, mut wake: WakeView) -> WakeView {
        let Some(mut summary) = wake.summary.take() else {
            return wake;
        };
        let ask = SumUp {
            caller,
            run: wake.run_id.clone(),
            wake_id: wake.wake_id.clone(),
        };
        let mut chunk = None;
        for position in self.call(ask).await.unwrap_or_default() {
            // The wake was triggered, whatever is left of its events.
            if let Some(line) = self.line_of(position, &mut chunk).await {
                summary.push_str(&line);
            }
        }
        wake.summary = Some(summary);
        wake
    }

    /// Returns the line that quotes an event; nothing when it says nothing of itself, or cannot be
    /// read any more. The chunk is the one that was read last.
    async fn line_of(&self, position: Position, chunk: &mut Option<Chunk>) -> Option<String> {
        let has_it = |chunk: &Chunk| (chunk.first()..=chunk.last()).contains(&position);
        if !chunk.as_ref().is_some_and(has_it) {
            let journal = &self.shared().environment.store.journal;
            let page = journal.read(self.id(), position.previous(), 1).await;
            *chunk = page.ok()?.chunks.into_iter().next();
        }
        let mut records = chunk.as_ref()?.records_after(position.previous());
        let record = records.next()?.ok()?;
        self.quote(&record)
    }

    fn quote(&self, record: &Record) -> Option<String> {
        let Payload::Summary { summary, .. } = project(self.timelines(), record).payload else {
            return None;
        };
        let (kind, cursor) = (record.kind(), self.cursor(record.position));
        Some(format!("\n{kind} at {cursor}: {}", short(&summary)))
    }
}

/// Returns the beginning of a text, on one line.
fn short(text: &str) -> String {
    let most = text.len().min(TEXT_BYTES_MAX);
    let mut ends = (0..=most).rev().filter(|end| text.is_char_boundary(*end));
    let (begin, rest) = text.split_at(ends.next().unwrap_or_default());
    let breaks = |it: char| it.is_control() || matches!(it, '\u{2028}' | '\u{2029}');
    let plain = |it: char| if breaks(it) { ' ' } else { it };
    let mut line: String = begin.chars().map(plain).collect();
    if !rest.is_empty() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_summary_is_one_line_of_bounded_length() {
        let check = |text: &str, expected: &str| assert_eq!(short(text), expected);
        check("", "");
        check("two\nlines\r\u{1b}[1m", "two lines  [1m");
        let most = "x".repeat(TEXT_BYTES_MAX);
        check(&most[1..], &most[1..]);
        check(&most, &most);
        check(&format!("{most}x"), &format!("{most}…"));
        let wide = format!("{}é", &most[1..]);
        check(&wide, &format!("{}…", &most[1..]));
    }
}
