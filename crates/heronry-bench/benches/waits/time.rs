//! Time that this thread spent, so that whatever else the machine does counts little.

use rustix::time::{ClockId, clock_gettime};

/// A moment of this thread.
pub(crate) struct Moment(f64);

impl Moment {
    pub(crate) fn now() -> Self {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        Self(time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3)
    }

    /// Returns the microseconds since then.
    pub(crate) fn micros(&self) -> f64 {
        Self::now().0 - self.0
    }
}
