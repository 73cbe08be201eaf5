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
    events: VecDeque<(SharedEvent, usize)>,
    bytes: usize,
    /// The last position that was delivered.
    reached: Position,
    link: Link,
    reader: Option<Waker>,
}

/// The most that waits in a mailbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct MailboxRoom {
    pub(super) events: usize,
    pub(super) bytes: usize,
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
        events: impl Iterator<Item = (SharedEvent, usize)>,
        room: MailboxRoom,
        then: Link,
    ) -> (Link, Option<Waker>) {
        let mut contents = self.lock();
        contents.link = match then {
            Link::Behind(after) => Link::Behind(after.max(contents.reached)),
            Link::Attached | Link::Closed { .. } | Link::Stopped => then,
        };
        for (event, bytes) in events {
            let position = event.envelope.id().position;
            let is_full = contents.events.len() >= room.events
                || (!contents.events.is_empty() && contents.bytes + bytes > room.bytes);
            if is_full {
                contents.link = Link::Behind(position.previous());
                break;
            }
            contents.reached = position;
            contents.bytes += bytes;
            contents.events.push_back((event, bytes));
        }
        (contents.link, contents.reader.take())
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
            taken.extend(contents.events.drain(..count).map(|(event, size)| {
                bytes += size;
                T::from(event)
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
        if let Some((event, _)) = contents.events.front() {
            return event.envelope.id().position.previous();
        }
        match contents.link {
            Link::Attached | Link::Stopped => matched.max(self.since),
            Link::Behind(after) => after,
            Link::Closed { at, .. } => at,
        }
    }
}
