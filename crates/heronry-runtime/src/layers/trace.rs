//! A layer that writes each call of a store to the log.

use heronry_store::Store;
use tracing::{Level, Span, debug, debug_span, enabled};

use super::observe::{EndedCall, Observed, Observer, StoreCall};

/// Returns a store each of whose calls is a span of level `debug`, and an event when it has ended: its port and
/// operation, the pool, the items (records, contents or keys) and bytes that it wrote or read, its
/// outcome (`ok`, `refused` or `failed`), and the error.
///
/// Nothing is measured or written while nobody listens at that level. The calls that wait for
/// something to happen are not shown. No event holds a body or a key.
pub fn traced(store: Store) -> Store {
    Observed::over(store, Tracing)
}

struct Tracing;

impl Observer for Tracing {
    type Begun = ();

    fn measures(&self) -> bool {
        enabled!(Level::DEBUG)
    }

    fn span(&self, call: &StoreCall<'_>) -> Span {
        debug_span!(
            "store",
            port = call.operation.port,
            operation = call.operation.name,
            pool = call.pool.map(heronry_types::PoolId::as_str),
        )
    }

    fn begin(&self) {}

    fn end(&self, (): (), ended: &EndedCall<'_>) {
        let EndedCall {
            call,
            outcome,
            error,
        } = ended;
        debug!(
            port = call.operation.port,
            operation = call.operation.name,
            pool = call.pool.map(heronry_types::PoolId::as_str),
            items = call.size.map(|size| size.items),
            bytes = call.size.map(|size| size.bytes),
            outcome = outcome.name(),
            error = error.map(tracing::field::display),
            "store called"
        );
    }
}
