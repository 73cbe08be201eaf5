//! The clock and the randomness of the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use heronry_store::{Clock, IdSource, Reading};
use heronry_types::{Millis, Timestamp};
use tokio::time::Instant;

/// The machine's clock. Make it inside a tokio runtime with timers.
#[derive(Clone, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Returns a clock whose monotonic time starts here.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    pub fn new() -> Self {
        Self {
            started: Instant::from_std(std::time::Instant::now()),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    fn elapsed(&self) -> Duration {
        std::time::Instant::now().duration_since(self.started.into_std())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else asks"
    )]
    fn now(&self) -> Reading {
        let wall = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => millis(before.duration()).saturating_neg(),
        };
        let monotonic = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        Reading {
            wall: Timestamp::from_millis(wall),
            monotonic: Millis(monotonic),
        }
    }

    fn alarm(&self, at: Millis) -> BoxFuture<'static, ()> {
        // One millisecond more than asked for: a timer that rounds down would ring too early.
        let after = Duration::from_millis(at.0.saturating_add(1));
        match self.started.checked_add(after) {
            Some(deadline) => Box::pin(tokio::time::sleep_until(deadline)),
            None => Box::pin(std::future::pending()),
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The machine's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    fn draw(&self) -> [u8; 16] {
        let mut bits = [0; 16];
        #[expect(
            clippy::expect_used,
            reason = "a machine without randomness must not hand out ids"
        )]
        getrandom::fill(&mut bits).expect("the operating system gives random bytes");
        bits
    }
}
