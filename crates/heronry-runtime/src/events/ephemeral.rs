//! Events without a record: published to who follows, and never kept.

mod buffer;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Waker},
};

use heronry_event::{EphemeralEvent, Event, SharedEphemeral, index::FilterIndex};
use heronry_pool::{
    Caller,
    decide::{PublishEphemeral, Unrecorded},
};
use heronry_types::{
    Cursor, NewEvent, OverflowPolicy, Payload, Position, RunId, Trace, Visibility, WakePayload,
};
use slab::Slab;

use super::sight::{ReadRequest, is_reduced};
use crate::{CallError, Party, Pool};
use buffer::EphemeralBuffer;

pub(super) use buffer::NextEphemeral;

/// A reader's wish to see events without a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WantsEphemeral {
    policy: OverflowPolicy,
    buffer: usize,
}

impl WantsEphemeral {
    /// The number of events that may wait for a reader that names none.
    pub const BUFFER: usize = 64;
    /// The most events that may wait for a reader.
    pub const BUFFER_MAX: usize = 1_024;

    /// Returns the wish of a reader for which so many events may wait, at least one and at most
    /// [`BUFFER_MAX`](Self::BUFFER_MAX); what there is no room for is treated by a policy.
    pub fn new(policy: OverflowPolicy, buffer: usize) -> Self {
        let buffer = buffer.clamp(1, Self::BUFFER_MAX);
        Self { policy, buffer }
    }
}

/// The outcome of publishing events without a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EphemeralPublished {
    /// The number of the first event.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The number of events.
    pub count: u64,
    /// The record that they follow: the head when they were published.
    pub after: Cursor,
}

impl Pool {
    /// Publishes events that a member reports, without a record: they are shown to those who follow and asked
    /// for such events, once these have passed the present head. They wake nobody, move no cursor, and are
    /// gone afterwards. A repeat shows them again.
    ///
    /// # Errors
    /// [`CallError`], with the rejection of the first event that may not be published; none was then. Kinds
    /// that end something are refused, because they must be recorded.
    pub async fn publish_ephemeral(
        &self,
        caller: Caller,
        run: RunId,
        events: Vec<NewEvent>,
        trace: Option<Trace>,
    ) -> Result<EphemeralPublished, CallError> {
        let party = Party::of(self.id(), &caller);
        let command = PublishEphemeral::new(caller, run, events).with_trace(trace);
        let unrecorded = self.call(command).await?;
        let pool = self.clone();
        let publish = async move { pool.shared().ephemerals().publish(unrecorded) };
        Ok(self.side_work().step(&party, publish).await)
    }
}

/// The readers of a pool that see events without a record.
#[derive(Debug, Default)]
pub(crate) struct Ephemerals {
    present: Mutex<Audience>,
}

#[derive(Debug, Default)]
struct Audience {
    /// The number of the last event.
    last: u64,
    index: FilterIndex<usize>,
    readers: Slab<EphemeralReader>,
    found: Vec<usize>,
}

#[derive(Debug)]
struct EphemeralReader {
    asked: Arc<ReadRequest>,
    inbox: Arc<Inbox>,
}

/// The events without a record that wait for one reader.
#[derive(Debug)]
struct Inbox {
    contents: Mutex<InboxContents>,
}

#[derive(Debug)]
struct InboxContents {
    buffer: EphemeralBuffer,
    reader: Option<Waker>,
}

impl Inbox {
    /// A panic while the lock is held cannot leave the contents half changed: nothing in here panics.
    fn lock(&self) -> MutexGuard<'_, InboxContents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event in, and returns the reader when it waits.
    fn put(&self, event: SharedEphemeral, bytes: usize) -> Option<Waker> {
        let mut contents = self.lock();
        contents.buffer.push(event, bytes);
        contents.reader.take()
    }
}

impl Ephemerals {
    /// A panic while the lock is held loses events that may be lost.
    fn lock(&self) -> MutexGuard<'_, Audience> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers events, and gives each to those whom it concerns.
    fn publish(&self, unrecorded: Unrecorded) -> EphemeralPublished {
        let mut audience = self.lock();
        let before = audience.last;
        let count = unrecorded.events.len() as u64;
        for event in unrecorded.events {
            audience.last += 1;
            audience.show(event, unrecorded.visibility);
        }
        EphemeralPublished {
            first: before + 1,
            last: before + count,
            count,
            after: unrecorded.after,
        }
    }
}

impl Audience {
    /// Gives an event to those whom it concerns.
    fn show(&mut self, event: Event, visibility: Visibility) {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        self.index.matches(&event.envelope, &mut found);
        if !found.is_empty() {
            let forms = Forms::of(self.last, event);
            let readers = found.iter().filter_map(|key| self.readers.get(*key));
            let is_hidden = visibility == Visibility::OutOfScope;
            for reader in readers.filter(|reader| !(is_hidden && reader.asked.is_scoped())) {
                let waits = reader
                    .inbox
                    .put(forms.shown(reader.asked.payload), forms.bytes);
                waits.into_iter().for_each(Waker::wake);
            }
        }
        self.found = found;
    }
}

/// The forms in which viewers see an event.
struct Forms {
    whole: SharedEphemeral,
    /// Without its payload.
    bare: SharedEphemeral,
    /// The size of the whole in bytes of JSON.
    bytes: usize,
}

impl Forms {
    fn of(number: u64, event: Event) -> Self {
        let bare = Event::new(event.envelope.clone(), Payload::EnvelopeOnly);
        let whole: SharedEphemeral = EphemeralEvent { number, event }.into();
        Self {
            bytes: whole.json().len(),
            bare: EphemeralEvent {
                number,
                event: bare,
            }
            .into(),
            whole,
        }
    }

    /// Returns the form with at most this much of the payload.
    fn shown(&self, most: WakePayload) -> SharedEphemeral {
        let is_reduced = is_reduced(&self.whole.event.payload, most);
        let form = if is_reduced { &self.bare } else { &self.whole };
        form.clone()
    }
}

/// A reader's place among those that see events without a record. Dropping it ends it.
#[derive(Debug)]
pub(super) struct EphemeralView {
    pool: Pool,
    key: usize,
    inbox: Arc<Inbox>,
}

impl EphemeralView {
    /// Shows a reader what is published from now on.
    pub(super) fn open(pool: &Pool, asked: &Arc<ReadRequest>, wants: WantsEphemeral) -> Self {
        let contents = InboxContents {
            buffer: EphemeralBuffer::new(wants.policy, wants.buffer),
            reader: None,
        };
        let inbox = Arc::new(Inbox {
            contents: Mutex::new(contents),
        });
        let mut audience = pool.shared().ephemerals().lock();
        let key = audience.readers.insert(EphemeralReader {
            asked: Arc::clone(asked),
            inbox: Arc::clone(&inbox),
        });
        audience.index.insert(key, &asked.query.filter);
        drop(audience);
        let pool = pool.clone();
        Self { pool, key, inbox }
    }

    /// Takes the next item that follows what the reader has passed.
    pub(super) fn next(&self, passed: Position) -> NextEphemeral {
        self.inbox.lock().buffer.next(passed)
    }

    /// Takes the next item, as [`next`](Self::next) does; without any, the reader is woken when one comes.
    pub(super) fn next_or_wake(&self, cx: &Context<'_>, passed: Position) -> NextEphemeral {
        let mut inbox = self.inbox.lock();
        let next = inbox.buffer.next(passed);
        if let NextEphemeral::After(_) | NextEphemeral::Nothing = next {
            inbox.reader = Some(cx.waker().clone());
        }
        next
    }
}

impl Drop for EphemeralView {
    fn drop(&mut self) {
        let mut audience = self.pool.shared().ephemerals().lock();
        audience.index.remove(self.key);
        audience.readers.try_remove(self.key);
    }
}
