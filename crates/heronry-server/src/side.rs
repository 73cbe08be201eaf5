//! Work for requests that takes time: done beside the pools with a permit, and what is small at once.

use std::thread;

use heronry_event::filter::{CompileErrors, Filter};
use heronry_runtime::Party;

use crate::{app::App, identity::Identity};

/// A filter of at most so many bytes is compiled at once.
const FILTER_BYTES_SMALL: usize = 256;

/// So many items are written as JSON at once.
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
