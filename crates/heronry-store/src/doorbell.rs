//! The doorbell behind [`Journal::watch`](crate::Journal::watch), for adapters of one process.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::{
    channel::oneshot,
    future::{BoxFuture, FutureExt},
};
use heronry_types::{PoolId, Position};

use crate::{StoreError, StoreErrorKind};

/// The calls that wait until a pool has passed a position. They are rung after a head has become
/// readable.
///
/// The order that loses no ring: [`listen`](Self::listen), then look at the head, then wait.
#[derive(Debug, Default)]
pub struct Doorbells {
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
enum Waiting {
    Open(Open),
    Closed,
}

#[derive(Debug, Default)]
struct Open {
    pools: HashMap<PoolId, Vec<Listener>>,
    /// Dropped when the store closes, which completes whoever waits for that.
    closing: Vec<oneshot::Sender<Infallible>>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self::Open(Open::default())
    }
}

#[derive(Debug)]
struct Listener {
    after: Position,
    bell: oneshot::Sender<()>,
}

impl Doorbells {
    /// Begins to listen; the future completes when the pool's head has passed `after`.
    ///
    /// The future fails with [`StoreErrorKind::Closed`] when the store closes.
    pub fn listen(
        &self,
        pool: &PoolId,
        after: Position,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        let (bell, rung) = oneshot::channel();
        if let Waiting::Open(open) = &mut *self.lock() {
            let listeners = open.pools.entry(pool.clone()).or_default();
            // Those who gave up are swept out before the list would grow.
            if listeners.len() == listeners.capacity() {
                listeners.retain(|listener| !listener.bell.is_canceled());
            }
            listeners.push(Listener { after, bell });
        }
        rung.map(|rung| {
            rung.map_err(|_| {
                StoreError::new(StoreErrorKind::Closed, "watch", "the store was closed")
            })
        })
        .boxed()
    }

    /// Completes everyone who waits for a position below `head`.
    pub fn ring(&self, pool: &PoolId, head: Position) {
        let rung = match &mut *self.lock() {
            Waiting::Open(open) => open.pools.get_mut(pool).map(|listeners| {
                let (rung, waiting) = std::mem::take(listeners)
                    .into_iter()
                    .partition::<Vec<_>, _>(|listener| listener.after < head);
                *listeners = waiting;
                rung
            }),
            Waiting::Closed => None,
        };
        for listener in rung.into_iter().flatten() {
            // A listener that gave up has no use for the ring.
            let _ = listener.bell.send(());
        }
    }

    /// Completes when the store closes; at once when it has.
    pub fn closing(&self) -> BoxFuture<'static, ()> {
        let (bell, rung) = oneshot::channel();
        if let Waiting::Open(open) = &mut *self.lock() {
            open.closing.retain(|bell| !bell.is_canceled());
            open.closing.push(bell);
        }
        rung.map(|_: Result<Infallible, oneshot::Canceled>| ())
            .boxed()
    }

    /// Fails everyone who waits, and everyone who comes later.
    pub fn close(&self) {
        *self.lock() = Waiting::Closed;
    }

    /// The lists stay whole under a panic: each change is one call on a collection.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PoolId {
        PoolId::parse("p").unwrap()
    }

    #[test]
    fn a_ring_completes_those_that_the_head_has_passed() {
        let bells = Doorbells::default();
        let first = bells.listen(&pool(), Position(0));
        let mut second = bells.listen(&pool(), Position(5));
        bells.ring(&pool(), Position(5));
        assert!(first.now_or_never().unwrap().is_ok());
        assert!((&mut second).now_or_never().is_none());
        bells.ring(&pool(), Position(6));
        assert!(second.now_or_never().unwrap().is_ok());
    }

    #[test]
    fn closing_fails_present_and_later_listeners() {
        let bells = Doorbells::default();
        let present = bells.listen(&pool(), Position(0));
        bells.close();
        let later = bells.listen(&pool(), Position(0));
        for listener in [present, later] {
            let error = listener.now_or_never().unwrap().unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Closed);
        }
    }

    #[test]
    fn closing_completes_whoever_waits_for_it() {
        let bells = Doorbells::default();
        let mut present = bells.closing();
        assert!((&mut present).now_or_never().is_none());
        bells.close();
        assert!(present.now_or_never().is_some());
        assert!(bells.closing().now_or_never().is_some());
    }

    #[test]
    fn listeners_that_gave_up_are_swept_out() {
        let bells = Doorbells::default();
        for _ in 0..10_000 {
            drop(bells.listen(&pool(), Position(0)));
        }
        let Waiting::Open(open) = &*bells.lock() else {
            panic!("the doorbells were closed");
        };
        assert!(open.pools[&pool()].capacity() < 16);
    }
}
