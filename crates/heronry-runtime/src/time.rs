//! Pool time: it never decreases, and it does not trust a clock that jumps.

use std::sync::Arc;

use heronry_store::{Clock, Reading};
use heronry_types::{Millis, Timestamp};

/// A store this much ahead of the wall clock at opening makes the clock suspect.
const AHEAD_AT_OPEN_MAX: Millis = Millis::from_secs(60);
/// A jump of the wall clock this large while running makes the clock suspect.
const JUMP_MAX: Millis = Millis::from_secs(5 * 60);
/// The time for which a suspect clock must hold before deadlines fire on it.
const HOLD: Millis = Millis::from_secs(60);

/// The permission to decide deadlines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deadlines {
    /// Deadlines may be decided.
    Fire,
    /// The clock is suspect until this monotonic time.
    Hold(Millis),
}

/// Pool time: the wall clock where it was last believed, plus monotonic time since.
#[derive(Debug)]
pub(crate) struct PoolTime {
    clock: Arc<dyn Clock>,
    /// Pool time at `anchor`.
    base: Timestamp,
    anchor: Reading,
    suspicion: Option<Suspicion>,
}

/// The suspicion of a clock that jumped.
#[derive(Clone, Copy, Debug)]
struct Suspicion {
    /// The reading of the clock at its last observed jump.
    seen: Reading,
    /// The monotonic time until which the clock has to hold.
    until: Millis,
}

impl Suspicion {
    fn of(seen: Reading) -> Self {
        let until = Millis(seen.monotonic.0.saturating_add(HOLD.0));
        Self { seen, until }
    }
}

/// Returns true when the wall moved otherwise than time has passed between two readings.
fn jumped(from: Reading, to: Reading) -> bool {
    let expected = from.wall.after(elapsed(from, to));
    expected.since(to.wall).max(to.wall.since(expected)) > JUMP_MAX
}

fn elapsed(from: Reading, to: Reading) -> Millis {
    Millis(to.monotonic.0.saturating_sub(from.monotonic.0))
}

impl PoolTime {
    /// Starts pool time; `last` is the time of the last record.
    pub(crate) fn start(clock: Arc<dyn Clock>, last: Timestamp) -> Self {
        let anchor = clock.now();
        let ahead = last.since(anchor.wall) > AHEAD_AT_OPEN_MAX;
        Self {
            clock,
            base: if ahead { last } else { anchor.wall },
            anchor,
            suspicion: ahead.then(|| Suspicion::of(anchor)),
        }
    }

    /// Returns the pool time, and whether deadlines may be decided at it.
    ///
    /// A clock that has held is believed: pool time follows it forward, and goes on from where it
    /// is when the clock was put back.
    pub(crate) fn now(&mut self) -> (Timestamp, Deadlines) {
        let reading = self.clock.now();
        let now = self.base.after(elapsed(self.anchor, reading));
        let from = self
            .suspicion
            .map_or(self.anchor, |suspicion| suspicion.seen);
        if jumped(from, reading) {
            self.suspicion = Some(Suspicion::of(reading));
        }
        match self.suspicion {
            None => (now, Deadlines::Fire),
            Some(suspicion) if reading.monotonic < suspicion.until => {
                (now, Deadlines::Hold(suspicion.until))
            }
            Some(_) => {
                self.suspicion = None;
                self.base = now.max(reading.wall);
                self.anchor = reading;
                (self.base, Deadlines::Fire)
            }
        }
    }

    /// Completes when pool time has reached `at`, or when a suspect clock has held.
    pub(crate) async fn reach(&self, at: Timestamp) {
        let monotonic = match self.suspicion {
            Some(suspicion) => suspicion.until,
            None => Millis(
                self.anchor
                    .monotonic
                    .0
                    .saturating_add(at.since(self.base).0),
            ),
        };
        self.clock.alarm(monotonic).await;
    }
}
