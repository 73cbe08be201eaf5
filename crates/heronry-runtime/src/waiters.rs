//! Who waits for what: calls that block are woken by the record they wait for, never by time alone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_journal::{Body, MessageAccepted, Record};
use heronry_pool::State;
use heronry_types::{Generation, Position, RunId};
use tokio::sync::Notify;

/// What a call waits for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum WaitKey {
    /// Copies that can be claimed, or a change of the member itself.
    Inbox(RunId),
    /// The end of the wake with this registration.
    Wake(Position),
    /// That this suspended run goes on.
    Resumed(RunId),
    /// A change of the message with this acceptance.
    Message(Position),
    /// Any departure: it may end copies of any message.
    Departure,
    /// Nothing: it only says that a run waits, as this generation or in its name.
    Presence(RunId, Option<Generation>),
}

/// Who waits for what.
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
        let inbox = || self.wake_of_run(record, WaitKey::Inbox);
        let message = |accepted: Position| self.wake(&WaitKey::Message(accepted));
        match &record.entry.body {
            Body::MessageDelivered(body) => {
                let recipients = body.recipients.0.iter();
                recipients.for_each(|run| self.wake(&WaitKey::Inbox(run.clone())));
                message(body.accepted);
            }
            Body::MessageFetched(body) => {
                if !body.undeliverable.is_empty() {
                    inbox(); // there may be more behind what could not be handed over
                }
                self.wake_copies(&record.entry.body);
            }
            Body::MessageReleased(_) | Body::MessageReplayed(_) => {
                inbox();
                self.wake_copies(&record.entry.body);
            }
            Body::MessageAcked(_) | Body::MessageDeadLettered(_) => {
                self.wake_copies(&record.entry.body);
            }
            Body::MessageAccepted(body) => self.wake_answered(body),
            Body::MessageResponded(body) => message(body.message.accepted),
            Body::MessageTimedOut(body) => message(body.message.accepted),
            Body::MessageUnsatisfiable(body) => message(body.message.accepted),
            Body::MessageFailed(body) => message(body.message.accepted),
            Body::MessageExpired(body) => message(body.message.accepted),
            Body::MessageCancelled(body) => message(body.message.accepted),
            Body::MessageSettled(body) => message(body.message.accepted),
            Body::MemberTakenOver(_) | Body::MemberLeft(_) | Body::RunEnded(_) => {
                inbox();
                self.wake(&WaitKey::Departure);
            }
            Body::RunResumed(_) => self.wake_of_run(record, WaitKey::Resumed),
            Body::WakeFailed(body) => self.wake(&WaitKey::Wake(body.registered)),
            Body::WakeTriggered(body) => self.wake(&WaitKey::Wake(body.registered)),
            Body::WakeTimedOut(body) => self.wake(&WaitKey::Wake(body.registered)),
            Body::WakeCancelled(body) => self.wake(&WaitKey::Wake(body.registered)),
            Body::PoolCreated(_)
            | Body::PoolConfigured(_)
            | Body::EpochStarted(_)
            | Body::PoolResumed(_)
            | Body::RunLost(_)
            | Body::RunSuspended(_)
            | Body::DeadlockSuspected(_)
            | Body::WakeOrphaned(_)
            | Body::MemberJoined(_)
            | Body::MemberChanged(_)
            | Body::ApplicationEvent(_)
            | Body::EffectIntended(_)
            | Body::EffectAttempted(_)
            | Body::EffectCompleted(_)
            | Body::EffectResultRefused(_)
            | Body::ContentErased(_)
            | Body::ContentStored(_)
            | Body::MessageExtended(_)
            | Body::WakeRegistered(_)
            | Body::ConditionRegistered(_)
            | Body::WakeScanned(_) => {}
        }
    }

    /// Wakes who waits for something of the run that a record is about.
    fn wake_of_run(&self, record: &Record, key: fn(RunId) -> WaitKey) {
        if let Some(run) = &record.entry.lineage.run {
            self.wake(&key(run.clone()));
        }
    }

    /// Wakes who waits for the message that this one replies to.
    fn wake_answered(&self, body: &MessageAccepted) {
        if let Some(of) = body.answering() {
            self.wake(&WaitKey::Message(of.accepted));
        }
    }

    /// Wakes who waits for a message of which a call names a copy.
    fn wake_copies(&self, body: &Body) {
        let message = |accepted: Position| self.wake(&WaitKey::Message(accepted));
        if let Body::MessageFetched(body) = body {
            let copies = body.copies.iter();
            copies.for_each(|copy| message(copy.copy.accepted));
            let undeliverable = body.undeliverable.iter();
            undeliverable.for_each(|gone| message(gone.copy.accepted));
        } else if let Body::MessageReplayed(body) = body {
            message(body.copy.accepted);
        } else if let Body::MessageAcked(body) = body {
            let claims = body.claims.iter();
            claims.for_each(|(claim, _)| message(claim.accepted));
        } else if let Body::MessageReleased(body) = body {
            let claims = body.claims.iter();
            claims.for_each(|(claim, _)| message(claim.accepted));
        } else if let Body::MessageDeadLettered(body) = body {
            let copies = body.copies.iter();
            copies.for_each(|copy| message(copy.copy.accepted));
        }
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
