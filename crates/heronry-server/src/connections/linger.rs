//! A lingering close: for a while the bytes that a peer still sends are taken and thrown away, so
//! that the peer sees the answer that refused it. A socket that is closed with unread bytes resets
//! the connection, and a peer that writes all of a body before it reads would see that instead.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use heronry_store::Clock;
use heronry_types::Millis;
use tokio::{
    io::{AsyncRead, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// The most bytes that are thrown away.
const LINGER_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest time without a byte of the peer.
const LINGER_STALL: Millis = Millis::from_secs(2);
/// The most bytes that are read at once.
const PIECE_BYTES: usize = 8 * 1024;

/// The terms on which a connection lingers: how many may at once, and for how long at the most.
#[derive(Clone, Debug)]
pub(super) struct Lingering {
    places: Arc<Semaphore>,
    clock: Arc<dyn Clock>,
    time: Millis,
}

/// A connection that was answered, and whose peer still sends.
pub(super) struct Linger {
    _place: OwnedSemaphorePermit,
    clock: Arc<dyn Clock>,
    /// The end, whatever arrives.
    end: Millis,
    /// The end, when nothing arrives until then.
    stalled: Millis,
    room: u64,
    /// The alarm that is set, and for when. It may be earlier than what it is for, never later.
    alarm: Option<(Millis, BoxFuture<'static, ()>)>,
}

impl Lingering {
    /// Returns terms of at most this time, with places that other connections share.
    pub(super) fn new(places: Arc<Semaphore>, clock: Arc<dyn Clock>, time: Millis) -> Self {
        Self {
            places,
            clock,
            time,
        }
    }

    /// Begins to linger, where there is a place for that.
    pub(super) fn begin(&self) -> Option<Linger> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let now = self.clock.now().monotonic;
        let end = Millis(now.0.saturating_add(self.time.0));
        Some(Linger {
            _place: place,
            clock: Arc::clone(&self.clock),
            end,
            stalled: stalled_after(now).min(end),
            room: LINGER_BYTES_MAX,
            alarm: None,
        })
    }
}

fn stalled_after(now: Millis) -> Millis {
    Millis(now.0.saturating_add(LINGER_STALL.0))
}

impl Linger {
    /// Completes when the peer sends no more, or has had what there is for it.
    pub(super) fn poll_over<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut bytes = [0; PIECE_BYTES];
        loop {
            let mut piece = ReadBuf::new(&mut bytes);
            let read: Poll<io::Result<()>> = Pin::new(&mut *stream).poll_read(cx, &mut piece);
            let count = piece.filled().len() as u64;
            match read {
                Poll::Ready(Ok(())) if count > 0 && count <= self.room => self.room -= count,
                // It has ended, broke off, or sent more than anybody throws away for it.
                Poll::Ready(Ok(()) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return self.poll_late(cx),
            }
            let now = self.clock.now().monotonic;
            if now >= self.end {
                return Poll::Ready(());
            }
            self.stalled = stalled_after(now).min(self.end);
        }
    }

    /// Completes when nothing has arrived for too long.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.clock.now().monotonic < self.stalled {
            let at = self.stalled;
            let (_, alarm) = match self.alarm.take_if(|(set, _)| *set <= at) {
                Some(set) => self.alarm.insert(set),
                None => self.alarm.insert((at, self.clock.alarm(at))),
            };
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.alarm = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use heronry_testkit::ManualClock;
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    struct Peers {
        clock: ManualClock,
        lingering: Lingering,
        linger: Linger,
        here: DuplexStream,
        there: DuplexStream,
    }

    impl Peers {
        fn new() -> Self {
            let clock = ManualClock::default();
            let places = Arc::new(Semaphore::new(1));
            let time = Millis::from_secs(5);
            let lingering = Lingering::new(places, Arc::new(clock.clone()), time);
            let linger = lingering.begin().unwrap();
            let (here, there) = duplex(1024 * 1024);
            Self {
                clock,
                lingering,
                linger,
                here,
                there,
            }
        }

        fn is_over(&mut self) -> bool {
            let over = std::future::poll_fn(|cx| self.linger.poll_over(&mut self.here, cx));
            over.now_or_never().is_some()
        }

        fn send(&mut self, bytes: usize) {
            let sent = vec![b' '; bytes];
            let sent = self.there.write_all(&sent).now_or_never();
            sent.unwrap().unwrap();
        }
    }

    #[test]
    fn it_is_over_when_the_peer_has_sent_all() {
        let mut peers = Peers::new();
        assert!(!peers.is_over());
        peers.send(700_000);
        assert!(!peers.is_over());
        peers.there.shutdown().now_or_never().unwrap().unwrap();
        assert!(peers.is_over());
    }

    #[test]
    fn a_peer_that_stalls_or_goes_on_for_too_long_is_not_waited_for() {
        let mut peers = Peers::new();
        for _ in 0..3 {
            assert!(!peers.is_over());
            peers.clock.advance(Millis(LINGER_STALL.0 - 500));
            peers.send(1);
            assert!(!peers.is_over());
        }
        // Of its five seconds it has had four and a half.
        peers.clock.advance(Millis(499));
        assert!(!peers.is_over(), "too early");
        peers.clock.advance(Millis(1));
        assert!(peers.is_over(), "too late");
        let mut silent = Peers::new();
        silent.clock.advance(Millis(LINGER_STALL.0 - 1));
        assert!(!silent.is_over(), "too early");
        silent.clock.advance(Millis(1));
        assert!(silent.is_over(), "too late");
    }

    #[test]
    fn a_peer_that_sends_without_an_end_is_taken_so_much_of_and_no_more() {
        let mut peers = Peers::new();
        let piece = 512 * 1024;
        for _ in 0..LINGER_BYTES_MAX / piece {
            peers.send(usize::try_from(piece).unwrap());
            assert!(!peers.is_over());
        }
        peers.send(1);
        assert!(peers.is_over());
    }

    #[test]
    fn as_many_linger_as_there_are_places() {
        let peers = Peers::new();
        assert!(peers.lingering.begin().is_none());
        drop(peers.linger);
        assert!(peers.lingering.begin().is_some());
    }
}
