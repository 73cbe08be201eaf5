//! The tail of a pool: one task reads, decodes and projects each record once for all readers near the
//! head, and wakes only those that it concerns.
//!
//! It is there while somebody follows. A reader that falls behind goes on with its own read of the
//! store, and is attached again when it is near.

mod following;
mod mailbox;
mod ring;

#[cfg(test)]
mod model;

use std::{
    collections::VecDeque,
    future::poll_fn,
    ops::ControlFlow,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use heronry_event::SharedEvent;
use heronry_types::Position;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
};

use super::{
    sight::ReadRequest,
    slice::{Missed, ReadPlace},
};
use crate::{Party, Pool, pool::WeakPool};
use following::{Attached, Following};
use mailbox::Mailbox;
use ring::TailEvent;

pub(super) use mailbox::Link;

/// The most bytes that the tail reads from the store at once.
const READ_BYTES: usize = 256 * 1024;
/// The most records before the head that are looked at where they are noticed: handing them to a thread
/// would cost more.
const NEAR: u64 = 64;

/// The room for events that are kept in one place.
#[derive(Clone, Copy, Debug)]
struct EventRoom {
    /// The most events.
    events: usize,
    /// The most bytes of the records that they are made of.
    bytes: usize,
}

/// The sizes of a pool's tail. No stream depends on them: a reader that is further behind reads for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailSize {
    /// The room of the ring.
    ring: EventRoom,
    /// The room for what waits for one reader.
    mailbox: EventRoom,
}

impl TailSize {
    /// Returns the sizes of a ring of so many events, of which half may wait for one reader.
    pub(crate) fn of(events: usize) -> Self {
        Self {
            ring: EventRoom {
                events,
                bytes: 1024 * 1024,
            },
            mailbox: EventRoom {
                events: (events / 2).max(1),
                bytes: 256 * 1024,
            },
        }
    }
}

/// The tail of a pool. It costs nothing while nobody follows.
#[derive(Debug)]
pub(crate) struct Tail {
    present: Mutex<TailState>,
    /// Rings when the last reader has gone.
    deserted: Notify,
    size: TailSize,
}

#[derive(Debug)]
struct TailState {
    following: Option<Following>,
    /// The number of times that somebody began to follow.
    round: u64,
}

impl Tail {
    pub(crate) fn of(size: TailSize) -> Self {
        Self {
            present: Mutex::new(TailState {
                following: None,
                round: 0,
            }),
            deserted: Notify::new(),
            size,
        }
    }

    /// A panic while the lock is held ends the tail: its readers go on by themselves.
    fn lock(&self) -> MutexGuard<'_, TailState> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Attaches a reader that has looked at everything up to a position, when somebody follows already and
    /// it is near.
    pub(super) fn join(
        pool: &Pool,
        asked: &Arc<ReadRequest>,
        since: Position,
    ) -> Option<Attachment> {
        let tail = pool.shared().tail();
        let attached = tail.lock().following.as_mut()?.attach(asked, since)?;
        Some(Attachment::of(pool, attached))
    }

    /// Attaches a reader that has looked at everything up to the head. Nothing when it is not near any
    /// more.
    pub(super) fn join_at_head(
        pool: &Pool,
        asked: &Arc<ReadRequest>,
        since: Position,
    ) -> Option<Attachment> {
        let tail = pool.shared().tail();
        let mut present = tail.lock();
        let size = tail.size;
        let begins = present.following.is_none();
        let following = present
            .following
            .get_or_insert_with(|| Following::at(since, size));
        let attached = following.attach(asked, since)?;
        if begins {
            present.round += 1;
            let run = TailRun {
                pool: pool.downgrade(),
                tail: Arc::clone(tail),
                head: pool.shared().head.clone(),
                round: present.round,
            };
            tokio::spawn(run.follow(since));
        }
        drop(present);
        Some(Attachment::of(pool, attached))
    }

    fn detach(&self, attached: &Attached) {
        let mut present = self.lock();
        let Some(following) = &mut present.following else {
            return;
        };
        following.detach(attached);
        if following.is_empty() {
            present.following = None;
            self.deserted.notify_waiters();
        }
    }

    /// Takes the readers of a round out, when it still goes on.
    fn take(&self, round: u64) -> Option<Following> {
        let mut present = self.lock();
        let is_present = present.round == round;
        is_present.then(|| present.following.take()).flatten()
    }
}

/// A reader's place near the head. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Attachment {
    pool: Pool,
    attached: Attached,
}

impl Attachment {
    fn of(pool: &Pool, attached: Attached) -> Self {
        let pool = pool.clone();
        Self { pool, attached }
    }

    /// Moves at most `most` events into `taken`; without any, says how the reader goes on.
    pub(super) fn poll_take<T: From<SharedEvent>>(
        &self,
        cx: &mut Context<'_>,
        most: usize,
        taken: &mut VecDeque<T>,
    ) -> Poll<Link> {
        self.mailbox().poll_take(cx, most, taken)
    }

    /// Waits for events, as [`poll_take`](Self::poll_take) does.
    pub(super) async fn take(&self, most: usize, taken: &mut VecDeque<SharedEvent>) -> Link {
        poll_fn(|cx| self.poll_take(cx, most, taken)).await
    }

    /// Returns true when a position is matched; otherwise the reader, which has looked for events before, is
    /// woken when more is.
    pub(super) fn awaits(&self, position: Position) -> bool {
        let mut present = self.pool.shared().tail().lock();
        let following = present.following.as_mut();
        following.is_some_and(|following| following.awaits(&self.attached, position))
    }

    /// Returns how far the journal was looked through for this reader.
    pub(super) fn scanned_to(&self) -> Position {
        self.mailbox().scanned_to()
    }

    fn mailbox(&self) -> &Mailbox {
        &self.attached.mailbox
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.pool.shared().tail().detach(&self.attached);
    }
}

/// The task of a tail, from the first reader to the last. It keeps the pool only while it reads.
struct TailRun {
    pool: WeakPool,
    tail: Arc<Tail>,
    head: watch::Receiver<Position>,
    round: u64,
}

/// The end of a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum TailWait {
    /// There may be something to do.
    Over,
    /// Nobody follows any more.
    Deserted,
    /// The pool has stopped.
    Stopped,
}

/// The end of a slice of the tail.
enum TailSlice {
    /// It stands at this place.
    At(ReadPlace),
    /// Nobody follows any more.
    Deserted,
}

impl TailRun {
    /// Reads what comes, until nobody follows, the pool stops or the store fails.
    async fn follow(mut self, since: Position) {
        let mut place = ReadPlace::after(since);
        loop {
            self.head.borrow_and_update();
            match self.slice(place.clone()).await {
                Ok(TailSlice::At(reached)) => place = reached,
                Err(Missed::Head { .. }) => match self.wait().await {
                    TailWait::Over => {}
                    TailWait::Deserted => return,
                    TailWait::Stopped => return self.stop(),
                },
                // Each reader meets by itself what is gone, or broken.
                Ok(TailSlice::Deserted) | Err(Missed::Trimmed { .. } | Missed::Failed(_)) => return,
            }
        }
    }

    /// Looks at a slice when there is a permit.
    async fn slice(&self, place: ReadPlace) -> Result<TailSlice, Missed> {
        // Readers keep the pool; without them nobody follows.
        let Some(pool) = self.pool.upgrade() else {
            return Ok(TailSlice::Deserted);
        };
        let behind = pool.head().position.0.saturating_sub(place.after.0);
        let look = look(pool.clone(), self.round, place);
        let side_work = pool.side_work();
        if behind <= NEAR {
            return side_work.step(&Party::Operator, look).await;
        }
        let handle = Handle::current();
        side_work
            .run(&Party::Operator, move || handle.block_on(look))
            .await
    }

    /// Waits until there is more to read, or nobody follows.
    async fn wait(&mut self) -> TailWait {
        let tail = Arc::clone(&self.tail);
        let mut deserted = pin!(tail.deserted.notified());
        // From here on it is noticed.
        deserted.as_mut().enable();
        if !self.is_wanted() {
            return TailWait::Deserted;
        }
        tokio::select! {
            changed = self.head.changed() => changed.map_or(TailWait::Stopped, |()| TailWait::Over),
            () = deserted => if self.is_wanted() { TailWait::Over } else { TailWait::Deserted },
        }
    }

    fn is_wanted(&self) -> bool {
        let present = self.tail.lock();
        present.round == self.round && present.following.is_some()
    }

    fn stop(self) {
        let readers = self.tail.take(self.round);
        let stopped = readers.map(Following::stop);
        stopped.into_iter().flatten().for_each(Waker::wake);
    }
}

/// However it ends: whoever still follows goes on by itself.
impl Drop for TailRun {
    fn drop(&mut self) {
        let readers = self.tail.take(self.round);
        let left = readers.map(Following::break_off);
        left.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Reads a slice, projects it and delivers it.
async fn look(pool: Pool, round: u64, mut place: ReadPlace) -> Result<TailSlice, Missed> {
    place.fill(&pool, READ_BYTES).await?;
    let tail = pool.shared().tail();
    let most = match &tail.lock().following {
        Some(following) => following.slice(),
        None => return Ok(TailSlice::Deserted),
    };
    let mut events = Vec::new();
    place.walk(most, |record, bytes| {
        events.push(TailEvent::of(pool.timelines(), record, bytes));
        ControlFlow::Continue(())
    })?;
    let mut present = tail.lock();
    if present.round != round {
        return Ok(TailSlice::Deserted);
    }
    let Some(following) = &mut present.following else {
        return Ok(TailSlice::Deserted);
    };
    let awake = following.advance(events, place.after);
    drop(present);
    awake.into_iter().for_each(Waker::wake);
    Ok(TailSlice::At(place))
}
