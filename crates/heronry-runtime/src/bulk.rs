//! Bulk: work that a store takes long for, so that others wait meanwhile. It takes turns, and gives way.
//!
//! Bodies that are stored by themselves are bulk, and commands that stage many records or bytes. One store
//! writes for all pools of a runtime, so there is one pace for all of them.

mod pace;

use std::{
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use heronry_store::Clock;
use heronry_types::Millis;
use tokio::sync::watch;

pub(crate) use pace::{Appends, Askers, BulkRequest};
use pace::{Later, Number, Pace};

/// The bulk of one runtime.
#[derive(Debug)]
pub(crate) struct Bulk {
    clock: Arc<dyn Clock>,
    pace: Mutex<Pace>,
    /// The bell that rings when a piece that waits may be due.
    ring: watch::Sender<()>,
}

impl Bulk {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            pace: Mutex::default(),
            ring: watch::Sender::default(),
        }
    }

    /// A panic while the lock is held cannot leave the pace half changed: nothing in there panics.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.clock.now().monotonic
    }

    /// Returns a place to wait at, which has no turn in the line yet.
    pub(crate) fn place(self: &Arc<Self>) -> BulkPlace {
        BulkPlace {
            bulk: Arc::clone(self),
            number: None,
            rung: self.ring.subscribe(),
            later: None,
        }
    }

    /// Waits for the turn of a piece, and begins it.
    pub(crate) async fn turn(self: &Arc<Self>, request: &BulkRequest) -> BulkPiece {
        let mut place = self.place();
        loop {
            if let Some(piece) = place.begin(request) {
                return piece;
            }
            place.may_begin().await;
        }
    }

    /// Notes the parties that ask for little.
    pub(crate) fn asked(&self, askers: &Askers) {
        if *askers != Askers::Nobody {
            let now = self.now();
            self.pace().asked(askers, now);
        }
    }

    /// Notes an append of a pool that answers these.
    pub(crate) fn appended(&self, askers: &Askers, of_pool: &mut Appends) {
        if *askers == Askers::Nobody {
            return;
        }
        let now = self.now();
        let may_be_due = self.pace().appended(askers, now, of_pool);
        if may_be_due {
            self.ring.send_replace(());
        }
    }
}

/// A question to the pace about a piece.
type Ask = fn(&mut Pace, Number, &BulkRequest, Millis) -> Result<(), Later>;

/// A place in the line of what waits for a share. Dropping it leaves the line.
#[derive(Debug)]
pub(crate) struct BulkPlace {
    bulk: Arc<Bulk>,
    /// The number of the piece that was asked for and is not begun.
    number: Option<Number>,
    rung: watch::Receiver<()>,
    later: Option<Later>,
}

impl BulkPlace {
    /// Asks whether a piece may begin. Otherwise it waits in the line from then on.
    pub(crate) fn ask(&mut self, request: &BulkRequest) {
        self.try_to(request, Pace::ask);
    }

    /// Begins a piece when it is its turn. Otherwise it waits in the line from then on.
    pub(crate) fn begin(&mut self, request: &BulkRequest) -> Option<BulkPiece> {
        let began = self.try_to(request, Pace::begin)?;
        self.number = None;
        if self.bulk.pace().has_line() {
            // The next one in the line may join.
            self.bulk.ring.send_replace(());
        }
        Some(BulkPiece {
            bulk: Arc::clone(&self.bulk),
            began,
        })
    }

    /// Asks the pace for something; returns the time when it says yes.
    fn try_to(&mut self, request: &BulkRequest, ask: Ask) -> Option<Millis> {
        self.rung.mark_unchanged();
        let now = self.bulk.now();
        let mut pace = self.bulk.pace();
        let number = *self.number.get_or_insert_with(|| pace.number());
        self.later = ask(&mut pace, number, request, now).err();
        self.later.is_none().then_some(now)
    }

    /// Returns true when it waits in the line.
    pub(crate) fn waits(&self) -> bool {
        self.later.is_some()
    }

    /// Leaves the line, and has the same place in it when it asks again.
    pub(crate) fn step_aside(&mut self) {
        self.later = None;
        let stood = self.number.is_some_and(|it| self.bulk.pace().leave(it));
        if stood {
            self.bulk.ring.send_replace(());
        }
    }

    /// Lets others pass, when its turn has come and what it is for cannot be done yet.
    pub(crate) fn let_pass(&mut self) {
        if !self.waits() {
            self.step_aside();
        }
    }

    /// Leaves the line.
    pub(crate) fn leave(&mut self) {
        self.step_aside();
        if let Some(number) = self.number.take() {
            self.bulk.pace().forget(number);
        }
    }

    /// Completes when it may be its turn; never, when it does not wait. May be dropped and asked again.
    pub(crate) async fn may_begin(&mut self) {
        let Some(Later(at)) = self.later else {
            return future::pending().await;
        };
        let alarm = self.bulk.clock.alarm(at);
        tokio::select! {
            () = alarm => {}
            // It rings as long as there is bulk to wait for: this place holds that.
            _ = self.rung.changed() => {}
        }
    }
}

impl Drop for BulkPlace {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A piece of bulk that is under way. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct BulkPiece {
    bulk: Arc<Bulk>,
    began: Millis,
}

impl Drop for BulkPiece {
    fn drop(&mut self) {
        let now = self.bulk.now();
        self.bulk.pace().end(self.began, now);
        self.bulk.ring.send_replace(());
    }
}
