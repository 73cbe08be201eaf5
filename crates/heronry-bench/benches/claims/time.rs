//! Time that the processor spent, so that whatever else the machine does counts little.

use rustix::time::{ClockId, clock_gettime};

/// A moment of all threads together.
pub(crate) struct Moment(ClockId, f64);

impl Moment {
    pub(crate) fn of_process() -> Self {
        Self(ClockId::ProcessCPUTime, micros_of(ClockId::ProcessCPUTime))
    }

    /// Returns the microseconds since then.
    pub(crate) fn micros(&self) -> f64 {
        micros_of(self.0) - self.1
    }
}

fn micros_of(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}
