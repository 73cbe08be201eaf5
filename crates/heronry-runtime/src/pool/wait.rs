//! Calls that wait: they are woken by the record they wait for.

use std::future::Future;

use heronry_pool::{
    Caller, Received, Rejection,
    decide::{FetchMessages, FindMessage, FindWake, Heartbeat},
};
use heronry_types::{
    Cursor, Millis, Receipt, ReceiptUntil, RunId, RunState, WakeId, WakeStatus, WakeView,
};

use super::Pool;
use crate::{
    CallError,
    waiters::{Interest, WaitKey},
};

impl Pool {
    /// Claims copies; waits up to `wait` for the first one when there are none.
    ///
    /// # Errors
    /// [`CallError`]. Dropping the call never loses a copy: a copy that was claimed and could not
    /// be handed over is given back, uncounted.
    pub async fn receive(&self, fetch: FetchMessages, wait: Millis) -> Result<Received, CallError> {
        let until = self.deadline(wait);
        let interest = self.interest(WaitKey::Inbox(fetch.run.clone()));
        loop {
            let mut notified = std::pin::pin!(interest.notified());
            notified.as_mut().enable();
            let received = self.call(fetch.clone()).await?;
            if !received.items.is_empty() || wait.0 == 0 {
                return Ok(received);
            }
            let present = self.present((&fetch.caller, Some(&fetch.run)));
            if self.within(until, (notified, present)).await == Waited::TimeIsUp {
                return Ok(received);
            }
        }
    }

    /// Returns where a wake stands; waits up to `wait` for its end. When its run is suspended for it
    /// and goes on for another reason, that ends the waiting, too. What it says is
    /// [summed up](Self::summed_up) when it asked for that.
    ///
    /// Ending the call never ends the wake.
    ///
    /// # Errors
    /// [`CallError`], when there is no such wake among others.
    pub async fn wait_wake(
        &self,
        caller: Caller,
        run: Option<RunId>,
        wake_id: WakeId,
        wait: Millis,
    ) -> Result<WakeView, CallError> {
        let find = FindWake {
            caller,
            run,
            wake_id,
        };
        let found = self.wake_as_it_stands(&find, wait).await?;
        Ok(self.summed_up(find.caller, found).await)
    }

    async fn wake_as_it_stands(
        &self,
        find: &FindWake,
        wait: Millis,
    ) -> Result<WakeView, CallError> {
        let until = self.deadline(wait);
        let found = self.call(find.clone()).await?;
        if found.status != WakeStatus::Registered || wait.0 == 0 {
            return Ok(found);
        }
        let stood = found.run_state;
        // While it waits, the cursor of a wake is its registration.
        let interest = self.interest(WaitKey::Wake(found.cursor.position));
        let resumed = self.interest(WaitKey::Resumed(found.run_id));
        loop {
            let mut on_end = std::pin::pin!(interest.notified());
            let mut on_resumed = std::pin::pin!(resumed.notified());
            on_end.as_mut().enable();
            on_resumed.as_mut().enable();
            let found = self.call(find.clone()).await?;
            let goes_on = stood == Some(RunState::Suspended) && found.run_state != stood;
            if found.status != WakeStatus::Registered || goes_on {
                return Ok(found);
            }
            let either = async {
                tokio::select! { () = on_end => {} () = on_resumed => {} }
            };
            let present = self.present((&find.caller, find.run.as_ref()));
            if self.within(until, (either, present)).await == Waited::TimeIsUp {
                return Ok(found);
            }
        }
    }

    /// Returns the receipt of a message; waits up to `wait` until the receipt has changed as asked.
    /// A message that is over is not waited for.
    ///
    /// # Errors
    /// [`CallError`], when there is no such message among others.
    pub async fn wait_receipt(
        &self,
        find: FindMessage,
        change: impl Into<ReceiptChange>,
        wait: Millis,
    ) -> Result<Receipt, CallError> {
        let receipt = self.call(find.clone()).await?;
        self.wait_receipt_after(find, receipt, change, wait).await
    }

    /// Returns the receipt of a message, as [`wait_receipt`](Self::wait_receipt) does, for who has been told
    /// one of it.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn wait_receipt_after(
        &self,
        find: FindMessage,
        receipt: Receipt,
        change: impl Into<ReceiptChange>,
        wait: Millis,
    ) -> Result<Receipt, CallError> {
        let until = self.deadline(wait);
        let change = change.into();
        if change.is_in(&receipt) || wait.0 == 0 {
            return Ok(receipt);
        }
        let message = self.interest(WaitKey::Message(receipt.cursor.position));
        let departure = self.interest(WaitKey::Departure);
        loop {
            let mut on_message = std::pin::pin!(message.notified());
            let mut on_departure = std::pin::pin!(departure.notified());
            on_message.as_mut().enable();
            on_departure.as_mut().enable();
            let receipt = self.call(find.clone()).await?;
            if change.is_in(&receipt) {
                return Ok(receipt);
            }
            let either = async {
                tokio::select! { () = on_message => {} () = on_departure => {} }
            };
            let present = self.present((&find.caller, None));
            if self.within(until, (either, present)).await == Waited::TimeIsUp {
                return Ok(receipt);
            }
        }
    }

    fn interest(&self, key: WaitKey) -> Interest {
        self.shared().waiters.interest(key)
    }

    /// Says that a run waits while this is kept: it can be reached, so its lease does not end.
    fn present(&self, (caller, run): (&Caller, Option<&RunId>)) -> Option<Present> {
        let (run, generation) = match caller {
            Caller::Operator => (run?, None),
            Caller::Member { run, generation } => (run, Some(*generation)),
        };
        Some(Present {
            _interest: self.interest(WaitKey::Presence(run.clone(), generation)),
            heartbeat: Heartbeat {
                caller: caller.clone(),
                run: run.clone(),
            },
        })
    }

    /// Returns the monotonic time at which a wait is over.
    fn deadline(&self, wait: Millis) -> Millis {
        Millis(
            self.shared()
                .environment
                .clock
                .now()
                .monotonic
                .0
                .saturating_add(wait.0),
        )
    }

    async fn within(
        &self,
        until: Millis,
        (woken, present): (impl Future<Output = ()>, Option<Present>),
    ) -> Waited {
        self.forget_unread();
        tokio::select! {
            () = woken => Waited::Woken,
            () = self.shared().environment.clock.alarm(until) => {
                if let Some(present) = &present {
                    // It could be reached until now. Who may not renew, or not any more, is told by
                    // the next call.
                    let _ = self.call(present.heartbeat.clone()).await;
                }
                Waited::TimeIsUp
            }
        }
    }
}

/// The change of a message that a call waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptChange {
    /// Any change after this cursor.
    After(Cursor),
    /// The change with which the message comes to this point.
    Until(ReceiptUntil),
}

impl ReceiptChange {
    /// Returns true when a receipt shows the change, or that none is to come: the message is over.
    pub fn is_in(self, receipt: &Receipt) -> bool {
        match self {
            Self::After(seen) => receipt.is_over() || receipt.has_changed_since(seen),
            Self::Until(until) => receipt.has_reached(until),
        }
    }
}

impl From<Cursor> for ReceiptChange {
    fn from(seen: Cursor) -> Self {
        Self::After(seen)
    }
}

impl From<ReceiptUntil> for ReceiptChange {
    fn from(until: ReceiptUntil) -> Self {
        Self::Until(until)
    }
}

/// A run that waits.
struct Present {
    _interest: Interest,
    heartbeat: Heartbeat,
}

/// The end of a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Waited {
    Woken,
    TimeIsUp,
}

impl CallError {
    /// Returns the rejection, when the rules said no.
    pub fn rejection(&self) -> Option<&Rejection> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Busy { .. } | Self::Stopped { .. } => None,
        }
    }
}
