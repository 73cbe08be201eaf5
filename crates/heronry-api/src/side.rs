//! Work for requests that takes time: small work is done at once, other work beside the pools with
//! a permit.

use std::{io, thread};

use heronry_event::filter::{CompileErrors, Filter};
use heronry_runtime::Party;
use heronry_wire::ProblemKind;
use serde::Serialize;

use crate::{Api, Refusal};

/// The most bytes of a filter that is compiled at once.
pub(crate) const FILTER_BYTES_SMALL: usize = 256;

/// The bytes of JSON after which the thread that writes them gives way to what answers others.
const GIVES_WAY: usize = 32 * 1024;

/// The most items that are written at once.
const ITEMS_SMALL: usize = 16;

impl Api {
    /// Compiles a filter for somebody.
    pub(crate) async fn compile(&self, party: &Party, text: &str) -> Result<Filter, CompileErrors> {
        if text.len() <= FILTER_BYTES_SMALL {
            return Filter::compile(text);
        }
        let text = text.to_owned();
        // The thread gives way between the slices, too.
        let compile = move || Filter::compile_in_slices(&text, thread::yield_now);
        self.runtime().side_work().run(party, compile).await
    }

    /// Writes so many items for somebody: few at once, more beside the pools with a permit.
    pub async fn write<T: Send + 'static>(
        &self,
        party: &Party,
        items: usize,
        write: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        if items <= ITEMS_SMALL {
            return write();
        }
        self.runtime().side_work().run(party, write).await
    }
}

/// Writes an answer as JSON, and gives way to other threads while it does.
///
/// # Errors
/// [`Refusal`] `internal` when a part of the answer cannot be written as JSON.
pub fn to_json<T: Serialize>(answer: &T) -> Result<Vec<u8>, Refusal> {
    let mut written = GivingWay::new(thread::yield_now);
    serde_json::to_writer(&mut written, answer)
        .map_err(|error| Refusal::of(ProblemKind::Internal, error.to_string()))?;
    Ok(written.bytes)
}

/// Bytes that are written by a thread which gives way now and then.
struct GivingWay<F> {
    bytes: Vec<u8>,
    since: usize,
    give_way: F,
}

impl<F: FnMut()> GivingWay<F> {
    fn new(give_way: F) -> Self {
        Self {
            bytes: Vec::new(),
            since: 0,
            give_way,
        }
    }
}

impl<F: FnMut()> io::Write for GivingWay<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        self.since += bytes.len();
        if self.since >= GIVES_WAY {
            self.since = 0;
            (self.give_way)();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_written_with_a_pause_after_every_32_kib_and_a_short_one_without() {
        let pauses = |items: usize| {
            let answer = vec!["x".repeat(1_000); items];
            let mut pauses = 0;
            let mut written = GivingWay::new(|| pauses += 1);
            serde_json::to_writer(&mut written, &answer).unwrap();
            assert_eq!(written.bytes, serde_json::to_vec(&answer).unwrap());
            pauses
        };
        assert_eq!(pauses(16), 0);
        assert_eq!(pauses(1_000), 30);
    }
}
