//! A foreign runtime that a test scripts: it emits events, drops some, closes and starts again; and an intake that
//! fails as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::{
    Stream, StreamExt as _,
    channel::mpsc::{UnboundedSender, unbounded},
};
use heronry_pool::decide::SourceClaim;
use heronry_runtime::{
    AttachRequest, EventIntake, IntakeBatch, IntakeError, IntakeGap, SourceEvent, SourceHold,
    SourceItem, TakenIn,
};
use heronry_types::{EventKind, NewEvent, Payload, RunId, SourcePosition};

/// A foreign runtime. Its events are numbered from 1, and it keeps all of them.
#[derive(Clone, Debug, Default)]
pub struct ForeignRuntime {
    inner: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    log: Vec<SourceItem>,
    next: u64,
    listeners: Vec<UnboundedSender<SourceItem>>,
    lagged: u64,
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl ForeignRuntime {
    /// Emits an event of a run, or of the one that the bridge reports for, with a text.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn emit(&self, kind: EventKind, run: Option<&RunId>, text: &str) {
        let mut event = NewEvent::new(kind);
        event.payload = Payload::Summary {
            summary: text.to_owned(),
            refs: Vec::new(),
        };
        self.emit_event(run, event);
    }

    /// Emits an event.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn emit_event(&self, run: Option<&RunId>, event: NewEvent) {
        let mut inner = self.inner.lock().unwrap();
        inner.next += 1;
        let item = SourceItem::Event(Box::new(SourceEvent {
            position: SourcePosition::Number(inner.next),
            run: run.cloned(),
            event,
        }));
        if inner.lagged > 0 {
            inner.lagged -= 1;
            return;
        }
        inner.log.push(item.clone());
        inner
            .listeners
            .retain(|listener| listener.unbounded_send(item.clone()).is_ok());
    }

    /// Emits tool events with these texts.
    pub fn emit_all(&self, texts: impl IntoIterator<Item = String>) {
        for text in texts {
            self.emit(EventKind::ToolStarted, None, &text);
        }
    }

    /// Drops the next events, and tells its listeners how many.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn lag(&self, missed: u64) {
        let mut inner = self.inner.lock().unwrap();
        inner.lagged += missed;
        let item = SourceItem::Lagged { missed };
        inner
            .listeners
            .retain(|listener| listener.unbounded_send(item.clone()).is_ok());
    }

    /// Ends every stream. What it keeps, it keeps.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn close(&self) {
        self.inner.lock().unwrap().listeners.clear();
    }

    /// Returns how many streams are open.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn listeners(&self) -> usize {
        let mut inner = self.inner.lock().unwrap();
        inner.listeners.retain(|listener| !listener.is_closed());
        inner.listeners.len()
    }

    /// Returns a stream of everything that it keeps, and then of what it emits.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the runtime.
    pub fn replay(&self) -> impl Stream<Item = SourceItem> + Send + use<> {
        let (sender, receiver) = unbounded();
        let mut inner = self.inner.lock().unwrap();
        let log = inner.log.clone();
        inner.listeners.push(sender);
        futures::stream::iter(log).chain(receiver)
    }

    /// Returns a stream of what it emits from the moment on at which the stream is first polled.
    pub fn lazily(&self) -> impl Stream<Item = SourceItem> + Send + use<> {
        let runtime = self.clone();
        futures::stream::once(async move { runtime.live() }).flatten()
    }

    fn live(&self) -> impl Stream<Item = SourceItem> + Send + use<> {
        let (sender, receiver) = unbounded();
        self.inner.lock().unwrap().listeners.push(sender);
        receiver
    }
}

/// The way in which an intake fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntakeFault {
    /// Nothing was done.
    Before,
    /// It was done, and the answer was lost.
    After,
}

/// An intake that fails as it is told, and otherwise does what another one does.
#[derive(Clone, Debug)]
pub struct FlakyIntake<I> {
    inner: I,
    faults: Arc<Mutex<VecDeque<IntakeFault>>>,
}

#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
impl<I: EventIntake> FlakyIntake<I> {
    /// Returns the intake, whose next appends and gaps fail in this order.
    pub fn over(inner: I, faults: impl IntoIterator<Item = IntakeFault>) -> Self {
        Self {
            inner,
            faults: Arc::new(Mutex::new(faults.into_iter().collect())),
        }
    }

    /// Returns how many faults are still to come.
    ///
    /// # Panics
    /// Panics when another thread panicked while it used the intake.
    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    async fn try_once<T>(
        &self,
        call: impl Future<Output = Result<T, IntakeError>> + Send,
    ) -> Result<T, IntakeError> {
        let fault = self.faults.lock().unwrap().pop_front();
        let lost = || IntakeError::Transient {
            text: "the connection broke".to_owned(),
            retry_after: None,
        };
        match fault {
            None => call.await,
            Some(IntakeFault::Before) => Err(lost()),
            Some(IntakeFault::After) => {
                call.await?;
                Err(lost())
            }
        }
    }
}

#[async_trait]
impl<I: EventIntake> EventIntake for FlakyIntake<I> {
    async fn attach(&self, request: &AttachRequest) -> Result<SourceHold, IntakeError> {
        self.inner.attach(request).await
    }

    async fn append(&self, batch: &IntakeBatch) -> Result<TakenIn, IntakeError> {
        self.try_once(self.inner.append(batch)).await
    }

    async fn tell_gap(&self, gap: &IntakeGap) -> Result<TakenIn, IntakeError> {
        self.try_once(self.inner.tell_gap(gap)).await
    }

    async fn detach(&self, claim: &SourceClaim) -> Result<(), IntakeError> {
        self.inner.detach(claim).await
    }
}
