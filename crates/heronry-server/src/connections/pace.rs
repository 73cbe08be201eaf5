//! The pace of a connection: the thing that it is waiting for, and since when.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use heronry_store::Clock;
use heronry_types::Millis;

use super::limits::ConnectionLimits;

/// The thing that a connection reads next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    /// Its first request, of which nothing has arrived.
    Opened { since: Millis },
    /// The rest of a request head.
    Head { since: Millis },
    /// Nothing: a request is being answered.
    Answering,
    /// Another request, of which nothing has arrived.
    Idle { since: Millis },
}

#[derive(Debug)]
struct PaceState {
    phase: Phase,
    /// The time since which the peer takes nothing of the bytes to write.
    blocked_since: Option<Millis>,
    ending: Ending,
}

/// The way in which a connection is to end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// Whenever its peer has no more requests.
    Usual,
    /// A request was answered before its body had arrived: its peer may still send.
    Early,
    /// The server stops: nobody is waited for any longer than its answer takes.
    Stopped,
}

/// The pace of one connection: written by its transport and its requests, read by its task.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    state: Arc<Mutex<PaceState>>,
    clock: Arc<dyn Clock>,
}

impl Pace {
    /// Returns the pace of a connection that begins now.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let since = clock.now().monotonic;
        let state = PaceState {
            phase: Phase::Opened { since },
            blocked_since: None,
            ending: Ending::Usual,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
        }
    }

    /// The state is whole at every point, so a panic elsewhere cannot have left it half changed.
    fn lock(&self) -> MutexGuard<'_, PaceState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.clock.now().monotonic
    }

    /// Bytes of the peer arrived.
    pub(super) fn received(&self) {
        let mut state = self.lock();
        match state.phase {
            Phase::Opened { since } => state.phase = Phase::Head { since },
            Phase::Idle { .. } => state.phase = Phase::Head { since: self.now() },
            Phase::Head { .. } | Phase::Answering => {}
        }
    }

    /// A whole request head arrived.
    pub(super) fn requested(&self) {
        self.lock().phase = Phase::Answering;
    }

    /// The request is answered before its body has arrived.
    pub(super) fn answered_early(&self) {
        let mut state = self.lock();
        if state.ending == Ending::Usual {
            state.ending = Ending::Early;
        }
    }

    /// The server stops.
    pub(super) fn stopped(&self) {
        self.lock().ending = Ending::Stopped;
    }

    /// The whole answer was handed over to be written.
    pub(super) fn answered(&self) {
        self.lock().phase = Phase::Idle { since: self.now() };
    }

    /// The peer took bytes.
    pub(super) fn written(&self) {
        let mut state = self.lock();
        state.blocked_since = None;
        if let Phase::Idle { since } = &mut state.phase {
            *since = self.now();
        }
    }

    /// The peer takes no bytes.
    pub(super) fn blocked(&self) {
        let mut state = self.lock();
        state.blocked_since.get_or_insert_with(|| self.now());
    }

    /// Returns true when something of a request may still be on its way: a body that nobody reads, or
    /// the rest of a head that was refused.
    pub(super) fn is_broken_off(&self) -> bool {
        let state = self.lock();
        match state.ending {
            Ending::Usual => matches!(state.phase, Phase::Head { .. }),
            Ending::Early => true,
            Ending::Stopped => false,
        }
    }

    /// Returns true when the server stops.
    pub(super) fn is_stopped(&self) -> bool {
        self.lock().ending == Ending::Stopped
    }

    /// Returns true when nothing of a first request has arrived.
    pub(super) fn is_untouched(&self) -> bool {
        matches!(self.lock().phase, Phase::Opened { .. })
    }

    /// Returns when the connection has kept the server waiting for too long, if nothing happens.
    fn deadline(&self, limits: &ConnectionLimits) -> Option<Millis> {
        let state = self.lock();
        let after = |since: Millis, limit: Millis| Millis(since.0.saturating_add(limit.0));
        let reading = match state.phase {
            Phase::Opened { since } | Phase::Head { since } => Some(after(since, limits.head)),
            Phase::Answering => None,
            Phase::Idle { since } => Some(after(since, limits.idle)),
        };
        let writing = state
            .blocked_since
            .map(|since| after(since, limits.write_stall));
        reading.into_iter().chain(writing).min()
    }
}

/// Tells when a connection has kept the server waiting for too long.
pub(super) struct Watchdog {
    pace: Pace,
    limits: ConnectionLimits,
    /// The alarm that is set, and for when. It may be earlier than the deadline, never later.
    alarm: Option<(Millis, BoxFuture<'static, ()>)>,
}

impl Watchdog {
    /// Returns the watchdog of a connection.
    pub(super) fn new(pace: Pace, limits: ConnectionLimits) -> Self {
        Self {
            pace,
            limits,
            alarm: None,
        }
    }

    /// Completes when the connection has kept the server waiting for too long. It has to be asked
    /// after every step of the connection, by the connection's own task.
    pub(super) fn poll_overdue(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(deadline) = self.pace.deadline(&self.limits) else {
                return Poll::Pending;
            };
            if self.pace.now() >= deadline {
                return Poll::Ready(());
            }
            let (_, alarm) = match self.alarm.take_if(|(at, _)| *at <= deadline) {
                Some(set) => self.alarm.insert(set),
                None => self
                    .alarm
                    .insert((deadline, self.pace.clock.alarm(deadline))),
            };
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.alarm = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::Pin};

    use futures::FutureExt;
    use heronry_testkit::ManualClock;

    use super::*;

    struct Watched {
        clock: ManualClock,
        pace: Pace,
        watchdog: Watchdog,
    }

    impl Watched {
        fn new() -> Self {
            let clock = ManualClock::default();
            let pace = Pace::new(Arc::new(clock.clone()));
            let limits = ConnectionLimits {
                head: Millis(10),
                write_stall: Millis(30),
                idle: Millis(100),
                ..ConnectionLimits::default()
            };
            let watchdog = Watchdog::new(pace.clone(), limits);
            Self {
                clock,
                pace,
                watchdog,
            }
        }

        fn is_overdue(&mut self) -> bool {
            let mut overdue = poll_fn(|cx| self.watchdog.poll_overdue(cx));
            Pin::new(&mut overdue).now_or_never().is_some()
        }

        /// Sees the connection become overdue after this time, and not a millisecond earlier.
        #[track_caller]
        fn is_overdue_after(&mut self, span: u64) {
            assert!(!self.is_overdue());
            self.clock.advance(Millis(span - 1));
            assert!(!self.is_overdue(), "too early");
            self.clock.advance(Millis(1));
            assert!(self.is_overdue(), "too late");
        }
    }

    #[test]
    fn a_head_has_its_time_from_the_beginning_of_the_connection() {
        let mut watched = Watched::new();
        assert!(watched.pace.is_untouched());
        watched.clock.advance(Millis(4));
        watched.pace.received();
        assert!(!watched.pace.is_untouched());
        watched.is_overdue_after(6);
    }

    #[test]
    fn a_later_head_has_its_time_from_its_first_byte() {
        let mut watched = Watched::new();
        watched.pace.requested();
        watched.pace.answered();
        assert!(!watched.is_overdue());
        watched.clock.advance(Millis(99));
        watched.pace.received();
        watched.pace.received();
        watched.is_overdue_after(10);
    }

    #[test]
    fn an_answer_under_way_has_all_the_time_that_it_needs() {
        let mut watched = Watched::new();
        watched.pace.received();
        watched.pace.requested();
        watched.clock.advance(Millis(1_000_000));
        // What arrives meanwhile belongs to a later request.
        watched.pace.received();
        watched.clock.advance(Millis(1_000_000));
        assert!(!watched.is_overdue());
        watched.pace.answered();
        watched.is_overdue_after(100);
    }

    #[test]
    fn a_peer_that_takes_something_has_its_time_again() {
        let mut watched = Watched::new();
        watched.pace.requested();
        watched.pace.blocked();
        watched.clock.advance(Millis(29));
        watched.pace.blocked();
        assert!(!watched.is_overdue());
        watched.pace.written();
        watched.clock.advance(Millis(29));
        assert!(!watched.is_overdue());
        watched.pace.blocked();
        watched.is_overdue_after(30);
    }

    #[test]
    fn a_connection_is_idle_since_its_last_byte_was_taken() {
        let mut watched = Watched::new();
        watched.pace.requested();
        watched.pace.answered();
        watched.clock.advance(Millis(99));
        watched.pace.written();
        watched.is_overdue_after(100);
    }
}
