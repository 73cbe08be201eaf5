//! Summaries of the events that triggered a wake: read beside the actor, on demand.

use heronry_journal::{Chunk, Record};
use heronry_pool::{Caller, decide::SumUp, project};
use heronry_types::{Payload, Position, WakeView};

use tokio::runtime::Handle;

use super::Pool;
use crate::Party;

/// The most bytes of one event's summary that are quoted.
const TEXT_BYTES_MAX: usize = 256;

impl Pool {
    /// Adds the summaries of the events to a wake that asked for them and was triggered: a line of
    /// at most 256 bytes for each of the first 16 events with a summary of their own, as far as the
    /// pool's wake policy lets its members see it. Any other wake stays as it is, and so does one
    /// that the caller may not see any more.
    pub async fn summed_up(&self, caller: Caller, mut wake: WakeView) -> WakeView {
        let Some(mut summary) = wake.summary.take() else {
            return wake;
        };
        let party = Party::of(self.id(), &caller);
        let ask = SumUp {
            caller,
            run: wake.run_id.clone(),
            wake_id: wake.wake_id.clone(),
        };
        let mut chunk = None;
        for position in self.call(ask).await.unwrap_or_default() {
            // The wake was triggered, whatever is left of its events.
            let line;
            (line, chunk) = self.line_of(position, chunk, &party).await;
            summary.extend(line);
        }
        wake.summary = Some(summary);
        wake
    }

    /// Returns the line that quotes an event, nothing when it says nothing of itself or cannot be
    /// read any more, and the chunk that was read last. The chunk is the one that was read before.
    async fn line_of(
        &self,
        position: Position,
        chunk: Option<Chunk>,
        party: &Party,
    ) -> (Option<String>, Option<Chunk>) {
        let has_it = move |chunk: &Chunk| (chunk.first()..=chunk.last()).contains(&position);
        let (pool, handle) = (self.clone(), Handle::current());
        let read = move || {
            let chunk = chunk.filter(has_it).or_else(|| {
                let journal = &pool.shared().environment.store.journal;
                let page = journal.read(pool.id(), position.previous(), 1);
                handle.block_on(page).ok()?.chunks.into_iter().next()
            });
            let record = chunk.as_ref().and_then(|chunk| {
                let mut records = chunk.records_after(position.previous());
                records.next()?.ok()
            });
            (record.and_then(|record| pool.quote(&record)), chunk)
        };
        self.side_work().run(party, read).await
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
