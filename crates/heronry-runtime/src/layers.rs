//! Layers over a store that watch its calls, and change nothing about them: a [`Meter`] counts and
//! times them, and [`traced`] writes each to the log.
//!
//! ```
//! use std::sync::Arc;
//! use heronry_runtime::{SystemClock, layers::{Meter, Metered, traced}};
//! use heronry_store::Store;
//!
//! fn watched(store: Store) -> Metered {
//!     Meter::over(traced(store), Arc::new(SystemClock::new()))
//! }
//! ```

mod meter;
mod observe;
mod ports;
mod trace;

pub use meter::{Meter, Metered, OperationFigures, StoreFigures};
pub use observe::StoreOperation;
pub use trace::traced;
