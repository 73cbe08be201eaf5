//! Pool time: it never decreases, and it does not trust a clock that jumps.

use std::sync::Arc;

use heronry_store::Clock;
use heronry_types::{Millis, Timestamp};

/// A store this much ahead of the wall clock at opening makes the clock suspect.
const AHEAD_AT_OPEN_MAX: Millis = Millis::from_secs(60);
/// A jump of the wall clock this large while running makes the clock suspect.
const JUMP_MAX: Millis = Millis::from_secs(5 * 60);
/// How long a suspect clock must hold before deadlines fire on it.
const HOLD: Millis = Millis::from_secs(60);

/// Whether deadlines may be decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deadlines {
    /// They may.
    Fire,
    /// The clock is suspect until this monotonic time.
    Hold(Millis),
}

/// Pool time: the wall clock where it was first read, plus monotonic time since.
#[derive(Debug)]
pub(crate) struct PoolTime {
    clock: Arc<dyn Clock>,
    base: Timestamp,
    base_monotonic: Millis,
    suspect_until: Option<Millis>,
}

impl PoolTime {
    /// Starts pool time; `last` is the time of the last record.
    pub(crate) fn start(clock: Arc<dyn Clock>, last: Timestamp) -> Self {
        let reading = clock.now();
        let suspect = last.since(reading.wall) > AHEAD_AT_OPEN_MAX;
        let hold_end = Millis(reading.monotonic.0.saturating_add(HOLD.0));
        Self {
            clock,
            base: reading.wall,
            base_monotonic: reading.monotonic,
            suspect_until: suspect.then_some(hold_end),
        }
    }

    /// Returns the pool time, and whether deadlines may be decided at it.
    pub(crate) fn now(&mut self) -> (Timestamp, Deadlines) {
        let reading = self.clock.now();
        let elapsed = Millis(reading.monotonic.0.saturating_sub(self.base_monotonic.0));
        let now = self.base.after(elapsed);
        let jumped = now.since(reading.wall).max(reading.wall.since(now)) > JUMP_MAX;
        match self.suspect_until {
            None if jumped => {
                self.suspect_until = Some(Millis(reading.monotonic.0.saturating_add(HOLD.0)));
            }
            Some(until) if reading.monotonic >= until => {
                self.suspect_until = None;
                self.base = reading.wall;
                self.base_monotonic = reading.monotonic;
                return (reading.wall, Deadlines::Fire);
            }
            None | Some(_) => {}
        }
        (
            now,
            self.suspect_until.map_or(Deadlines::Fire, Deadlines::Hold),
        )
    }

    /// Completes when pool time has reached `at`, or when a suspect clock has held.
    pub(crate) async fn reach(&self, at: Timestamp) {
        let monotonic = match self.suspect_until {
            Some(until) => until,
            None => Millis(self.base_monotonic.0.saturating_add(at.since(self.base).0)),
        };
        self.clock.alarm(monotonic).await;
    }
}
