//! Calls that wait: a blocked call is woken by the record that it waits for, never by time alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_journal::{Record, Touch};
use heronry_pool::State;
use heronry_types::{Generation, Position, RunId};
use tokio::sync::Notify;

/// The thing that a call waits for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum WaitKey {
    /// Copies that can be claimed, or a change of the member itself.
    Inbox(RunId),
    /// The end of the wake with this registration.
    Wake(Position),
    /// The resumption of this suspended run.
    Resumed(RunId),
    /// A change of the message with this acceptance.
    Message(Position),
    /// Any departure: it may end copies of any message.
    Departure,
    /// Nothing: the key only shows that a run waits, as this generation or in its name.
    Presence(RunId, Option<Generation>),
}

/// The calls that wait, by the thing that they wait for.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    by_key: Mutex<HashMap<WaitKey, Arc<Notify>>>,
}

/// One call's interest in a key; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Interest {
    waiters: Arc<Waiters>,
    key: WaitKey,
    notify: Arc<Notify>,
}

impl Waiters {
    /// A panic while the lock is held cannot leave the map half changed: each change is one call.
    fn by_key(&self) -> MutexGuard<'_, HashMap<WaitKey, Arc<Notify>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Declares interest in a key. Ask for the present state only after [`Interest::notified`] is armed.
    pub(crate) fn interest(self: &Arc<Self>, key: WaitKey) -> Interest {
        let notify = Arc::clone(self.by_key().entry(key.clone()).or_default());
        Interest {
            waiters: Arc::clone(self),
            key,
            notify,
        }
    }

    /// Returns true when a call of this member waits for anything.
    pub(crate) fn is_waiting(&self, run: &RunId, generation: Generation) -> bool {
        let by_key = self.by_key();
        [Some(generation), None]
            .into_iter()
            .any(|by| by_key.contains_key(&WaitKey::Presence(run.clone(), by)))
    }

    /// Wakes every call that waits for this key.
    pub(crate) fn wake(&self, key: &WaitKey) {
        if let Some(notify) = self.by_key().get(key) {
            notify.notify_waiters();
        }
    }

    /// Wakes every call.
    pub(crate) fn wake_all(&self) {
        self.by_key()
            .values()
            .for_each(|notify| notify.notify_waiters());
    }

    /// Wakes every call that waits for what these records say.
    pub(crate) fn wake_by(&self, records: &[Record], state: &State) {
        if self.by_key().is_empty() {
            return;
        }
        for record in records {
            self.wake_by_record(record);
            for run in state.unblocked_by(record) {
                self.wake(&WaitKey::Inbox(run));
            }
        }
    }

    fn wake_by_record(&self, record: &Record) {
        let of_run = |key: fn(RunId) -> WaitKey| {
            if let Some(run) = &record.entry.lineage.run {
                self.wake(&key(run.clone()));
            }
        };
        record.entry.body.touches(|touch| match touch {
            Touch::Receipt(accepted) | Touch::Copy { accepted, .. } => {
                self.wake(&WaitKey::Message(accepted));
            }
            Touch::OwnInbox { has_more } => {
                if has_more {
                    of_run(WaitKey::Inbox);
                }
            }
            Touch::Recipients(recipients, _) => {
                let recipients = recipients.0.iter();
                recipients.for_each(|run| self.wake(&WaitKey::Inbox(run.clone())));
            }
            Touch::Departs => {
                of_run(WaitKey::Inbox);
                self.wake(&WaitKey::Departure);
            }
            Touch::Resumes => of_run(WaitKey::Resumed),
            Touch::WakeEnds(registered) => self.wake(&WaitKey::Wake(registered)),
            Touch::Message(_)
            | Touch::Claimed(_)
            | Touch::SentTo(_)
            | Touch::SentToAlias(_)
            | Touch::Topic(_)
            | Touch::ReplyTo(_)
            | Touch::Policies(_)
            | Touch::Reference(_)
            | Touch::Cause(_)
            | Touch::Run(_)
            | Touch::Wake(_)
            | Touch::Source(_)
            | Touch::Gap(_)
            | Touch::Reset(_)
            | Touch::Says(..)
            | Touch::Managed(_)
            | Touch::Alias(_)
            | Touch::Labels(_)
            | Touch::Reported(_) => {}
        });
    }
}

impl Interest {
    /// Returns what completes at the next wake after it was armed (`enable`d or polled).
    pub(crate) fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        let mut by_key = self.waiters.by_key();
        // Two references: the map's and this one. Nobody else can take one while the lock is held.
        if Arc::strong_count(&self.notify) <= 2 {
            by_key.remove(&self.key);
        }
    }
}
