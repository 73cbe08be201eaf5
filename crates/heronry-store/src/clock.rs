//! The only sources of time and of randomness.

use std::{fmt::Debug, time::Duration};

use futures::future::BoxFuture;
use heronry_types::{Millis, Timestamp};

/// One look at the clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The wall clock; it may jump.
    pub wall: Timestamp,
    /// Time since the clock was made; it never jumps and never decreases.
    pub monotonic: Millis,
}

/// The only source of time.
pub trait Clock: Debug + Send + Sync {
    /// Returns the present reading.
    fn now(&self) -> Reading;

    /// Returns the time since the clock was made, as finely as the clock can tell it; it never
    /// decreases. For measurements; what is decided is decided by [`now`](Self::now).
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now().monotonic.0)
    }

    /// Completes when monotonic time has reached `at`; at once when it has already.
    fn alarm(&self, at: Millis) -> BoxFuture<'static, ()>;
}

/// The only source of fresh identifiers.
pub trait IdSource: Debug + Send + Sync {
    /// Draws 128 unguessable bits.
    fn draw(&self) -> [u8; 16];
}
