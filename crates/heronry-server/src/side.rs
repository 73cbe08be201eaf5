//! Work for requests that takes time: small work is done at once, other work beside the pools with
//! a permit.

use std::{io, thread};

use axum::{
    body::Bytes,
    http::header,
    response::{IntoResponse, Response},
};
use heronry_event::filter::{CompileErrors, Filter};
use heronry_runtime::Party;
use heronry_wire::ProblemKind;
use serde::Serialize;

use crate::{app::App, identity::Identity, problems::Refusal};

/// The most bytes of a filter that is compiled at once.
const FILTER_BYTES_SMALL: usize = 256;

/// The bytes of JSON after which the thread that writes them gives way to what answers others.
const GIVES_WAY: usize = 32 * 1024;

/// The most items that are written as JSON at once.
pub(crate) const ITEMS_SMALL: usize = 16;

/// Compiles a filter for somebody.
pub(crate) async fn compile(
    app: &App,
    identity: &Identity,
    text: &str,
) -> Result<Filter, CompileErrors> {
    if text.len() <= FILTER_BYTES_SMALL {
        return Filter::compile(text);
    }
    let text = text.to_owned();
    // The thread gives way between the slices, too.
    let compile = move || Filter::compile_in_slices(&text, thread::yield_now);
    app.runtime
        .side_work()
        .run(&identity.party(), compile)
        .await
}

/// Writes so many items for somebody.
pub(crate) async fn write<T: Send + 'static>(
    app: &App,
    party: &Party,
    (items, write): (usize, impl FnOnce() -> T + Send + 'static),
) -> T {
    if items <= ITEMS_SMALL {
        return write();
    }
    app.runtime.side_work().run(party, write).await
}

/// Writes an answer as JSON, and gives way while it does.
pub(crate) fn json<T: Serialize>(answer: &T) -> Response {
    let mut written = GivingWay::new(thread::yield_now);
    match serde_json::to_writer(&mut written, answer) {
        Ok(()) => {
            let json = [(header::CONTENT_TYPE, "application/json")];
            (json, Bytes::from(written.bytes)).into_response()
        }
        Err(error) => Refusal::of(ProblemKind::Internal, &error.to_string()).into_response(),
    }
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
