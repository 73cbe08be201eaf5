//! A clock that stands still until a test moves it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{
    FutureExt,
    channel::oneshot,
    future::{BoxFuture, pending, ready},
};
use heronry_store::{Clock, Reading};
use heronry_types::{Millis, Timestamp};

/// A clock that stands still until a test moves it. All clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<ClockState>>,
}

#[derive(Debug)]
struct ClockState {
    reading: Reading,
    alarms: Vec<Alarm>,
}

#[derive(Debug)]
struct Alarm {
    at: Millis,
    bell: oneshot::Sender<()>,
}

impl ManualClock {
    /// Returns a clock whose wall shows this time.
    pub fn new(wall: Timestamp) -> Self {
        let reading = Reading {
            wall,
            monotonic: Millis(0),
        };
        let alarms = Vec::new();
        Self {
            state: Arc::new(Mutex::new(ClockState { reading, alarms })),
        }
    }

    /// Lets time pass, on the wall too, and fires the alarms that are due, the earliest first.
    pub fn advance(&self, span: Millis) {
        let mut state = self.lock();
        let now = Millis(state.reading.monotonic.0.saturating_add(span.0));
        state.reading = Reading {
            wall: state.reading.wall.after(span),
            monotonic: now,
        };
        let alarms = std::mem::take(&mut state.alarms);
        let (mut due, waiting): (Vec<_>, Vec<_>) =
            alarms.into_iter().partition(|alarm| alarm.at <= now);
        state.alarms = waiting;
        drop(state);
        due.sort_by_key(|alarm| alarm.at);
        for alarm in due {
            // Whoever gave the alarm up does not want to hear it.
            let _ = alarm.bell.send(());
        }
    }

    /// Sets the wall to another time while no time passes, as an operator or a faulty server does.
    pub fn jump_wall(&self, wall: Timestamp) {
        self.lock().reading.wall = wall;
    }

    /// Returns the time of the earliest alarm that somebody waits for; nothing when nobody waits.
    pub fn next_alarm(&self) -> Option<Millis> {
        let mut state = self.lock();
        state.alarms.retain(|alarm| !alarm.bell.is_canceled());
        state.alarms.iter().map(|alarm| alarm.at).min()
    }

    /// The state stays whole under a panic: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, ClockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    /// Returns a clock whose wall shows 2026-11-20T08:00:00Z.
    fn default() -> Self {
        Self::new(Timestamp::from_millis(1_795_161_600_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Reading {
        self.lock().reading
    }

    fn alarm(&self, at: Millis) -> BoxFuture<'static, ()> {
        let mut state = self.lock();
        if at <= state.reading.monotonic {
            return ready(()).boxed();
        }
        let (bell, rung) = oneshot::channel();
        state.alarms.push(Alarm { at, bell });
        rung.then(|rung| match rung {
            Ok(()) => ready(()).boxed(),
            // The clock is gone, so time stands still for good.
            Err(oneshot::Canceled) => pending().boxed(),
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_fire_when_the_clock_has_been_moved_far_enough() {
        let clock = ManualClock::default();
        let mut alarm = clock.alarm(Millis(100));
        assert_eq!(clock.next_alarm(), Some(Millis(100)));
        clock.advance(Millis(99));
        assert!((&mut alarm).now_or_never().is_none());
        clock.advance(Millis(1));
        assert!(alarm.now_or_never().is_some());
        assert_eq!(clock.next_alarm(), None);
        assert!(clock.alarm(Millis(100)).now_or_never().is_some());
    }

    #[test]
    fn a_jump_of_the_wall_fires_nothing() {
        let clock = ManualClock::default();
        let before = clock.now();
        let alarm = clock.alarm(Millis(1));
        clock.jump_wall(before.wall.after(Millis(1_000_000)));
        assert!(alarm.now_or_never().is_none());
        assert_eq!(clock.now().monotonic, before.monotonic);
        assert_eq!(clock.now().wall.since(before.wall), Millis(1_000_000));
    }

    #[test]
    fn clones_are_the_same_clock() {
        let clock = ManualClock::default();
        let other = clock.clone();
        clock.advance(Millis(5));
        assert_eq!(other.now(), clock.now());
        assert_eq!(
            Timestamp::parse("2026-11-20T08:00:00.005Z"),
            Ok(other.now().wall)
        );
    }
}
