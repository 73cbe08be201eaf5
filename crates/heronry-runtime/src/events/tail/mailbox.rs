//! The events that wait for one reader near the head.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
};

use heronry_event::{CloseReason, SharedEvent};
use heronry_types::Position;

use super::EventRoom;

/// The last position that a tail has matched against all its readers.
#[derive(Clone, Debug)]
pub(super) struct MatchedTo(Arc<AtomicU64>);

impl MatchedTo {
    pub(super) fn new(position: Position) -> Self {
        Self(Arc::new(AtomicU64::new(position.0)))
    }

    pub(super) fn get(&self) -> Position {
        Position(self.0.load(Ordering::Acquire))
    }

    /// Moves on. What was matched up to there is in the mailboxes by then.
    pub(super) fn reach(&self, position: Position) {
        self.0.store(position.0, Ordering::Release);
    }
}

/// The way in which a reader goes on when its mailbox is empty.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Link {
    /// More comes here.
    Attached,
    /// It goes on with its own read of the store after this position.
    Behind(Position),
    /// The viewer sees nothing after this position.
    Closed {
        /// The position of the record that closed the view.
        at: Position,
        /// The reason.
        reason: CloseReason,
    },
    /// The pool has stopped.
    Stopped,
}

/// The events that wait for one reader, in order.
#[derive(Debug)]
pub(super) struct Mailbox {
    contents: Mutex<MailboxContents>,
    matched: MatchedTo,
    /// The position after which the reader was attached.
    since: Position,
}

#[derive(Debug)]
struct MailboxContents {
    events: VecDeque<SizedEvent>,
    bytes: usize,
    /// The last position that was delivered.
    reached: Position,
    link: Link,
    reader: Option<Waker>,
}

/// An event that waits, and about how large its record is.
#[derive(Debug)]
pub(super) struct SizedEvent {
    pub(super) event: SharedEvent,
    /// The size in bytes.
    pub(super) bytes: usize,
}

/// The outcome of a delivery.
#[derive(Debug)]
pub(super) struct Delivery {
    /// The way in which the reader goes on behind it.
    pub(super) link: Link,
    /// The reader, when it waits.
    pub(super) reader: Option<Waker>,
}

impl Mailbox {
    pub(super) fn new(matched: MatchedTo, since: Position) -> Self {
        let contents = MailboxContents {
            events: VecDeque::new(),
            bytes: 0,
            reached: since,
            link: Link::Attached,
            reader: None,
        };
        Self {
            contents: Mutex::new(contents),
            matched,
            since,
        }
    }

    /// A panic while the lock is held cannot leave the contents half changed: nothing in here panics.
    fn lock(&self) -> MutexGuard<'_, MailboxContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts events in while there is room, and then what is said of how the reader goes on. Returns the
    /// reader when it waits.
    pub(super) fn deliver(
        &self,
        events: impl Iterator<Item = SizedEvent>,
        room: EventRoom,
        then: Link,
    ) -> Delivery {
        let mut contents = self.lock();
        contents.link = match then {
            Link::Behind(after) => Link::Behind(after.max(contents.reached)),
            Link::Attached | Link::Closed { .. } | Link::Stopped => then,
        };
        for next in events {
            let position = next.event.envelope.id().position;
            let is_full = contents.events.len() >= room.events
                || (!contents.events.is_empty() && contents.bytes + next.bytes > room.bytes);
            if is_full {
                contents.link = Link::Behind(position.previous());
                break;
            }
            contents.reached = position;
            contents.bytes += next.bytes;
            contents.events.push_back(next);
        }
        Delivery {
            link: contents.link,
            reader: contents.reader.take(),
        }
    }

    /// Takes the reader out, when it waits.
    pub(super) fn waker(&self) -> Option<Waker> {
        self.lock().reader.take()
    }

    /// Moves at most `most` events into `taken`; without any, says how the reader goes on. Pending while
    /// nothing waits and more is to come.
    pub(super) fn poll_take<T: From<SharedEvent>>(
        &self,
        cx: &mut Context<'_>,
        most: usize,
        taken: &mut VecDeque<T>,
    ) -> Poll<Link> {
        let mut contents = self.lock();
        let count = contents.events.len().min(most);
        if count > 0 {
            let mut bytes = 0;
            taken.extend(contents.events.drain(..count).map(|next| {
                bytes += next.bytes;
                T::from(next.event)
            }));
            contents.bytes -= bytes;
            return Poll::Ready(Link::Attached);
        }
        if contents.link == Link::Attached {
            contents.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(contents.link)
    }

    /// Returns how far the journal was looked through for this reader, before the first event that waits.
    pub(super) fn scanned_to(&self) -> Position {
        // In this order: what was matched up to here is in the mailbox, or was taken.
        let matched = self.matched.get();
        let contents = self.lock();
        if let Some(next) = contents.events.front() {
            return next.event.envelope.id().position.previous();
        }
        match contents.link {
            Link::Attached | Link::Stopped => matched.max(self.since),
            Link::Behind(after) => after,
            Link::Closed { at, .. } => at,
        }
    }
}
