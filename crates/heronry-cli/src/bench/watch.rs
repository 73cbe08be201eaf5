//! Time as it passes on this machine.

use std::time::Instant;

/// A moment to measure from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a measurement is of the machine's own time"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the seconds since then.
    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }

    /// Returns the microseconds since then.
    pub(crate) fn micros(self) -> f64 {
        self.seconds() * 1e6
    }

    /// Returns the microseconds from an earlier moment to this one; none when it is not earlier.
    pub(crate) fn micros_after(self, earlier: Self) -> f64 {
        let passed = self.0.saturating_duration_since(earlier.0);
        passed.as_secs_f64() * 1e6
    }
}
