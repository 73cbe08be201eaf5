//! A layer that shows each call of a store to an observer, and forwards it unchanged.

use std::fmt;

use heronry_store::{
    AppendError, ConsumerError, Layer, Layered, LeaseError, ReadError, RenewError, Store,
    StoreError,
};
use heronry_types::PoolId;
use tracing::{Instrument, Span};

use super::ports::Size;

/// An operation of a port of a store.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StoreOperation {
    /// The name of the port, as `journal`.
    pub port: &'static str,
    /// The name of the port's method, as `append`.
    pub name: &'static str,
}

/// The kind of a call's end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum CallOutcome {
    /// The call did what it was asked for.
    Ok,
    /// A rule of the port refused the call; the store is well.
    Refused,
    /// The store failed.
    Failed,
}

impl CallOutcome {
    /// Returns its name in logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A call of a store.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreCall<'a> {
    pub(super) operation: StoreOperation,
    /// The pool that it is about; none for one about the whole store.
    pub(super) pool: Option<&'a PoolId>,
    /// The size of what it writes; none for one that brings nothing, or when nobody asks.
    pub(super) size: Option<Size>,
}

/// A call that has ended.
pub(super) struct EndedCall<'a> {
    /// The call, with the size of what it wrote or read.
    pub(super) call: StoreCall<'a>,
    pub(super) outcome: CallOutcome,
    pub(super) error: Option<&'a dyn fmt::Display>,
}

/// Watches the calls of a store. A call that its caller gives up is begun, and never ended.
pub(super) trait Observer: Send + Sync + 'static {
    /// The part of a call that is kept from its beginning to its end.
    type Begun: Send;

    /// Returns true when it wants to know how large calls are.
    fn measures(&self) -> bool;

    /// Returns the span in which a call is made.
    fn span(&self, _call: &StoreCall<'_>) -> Span {
        Span::none()
    }

    /// Sees a call that begins.
    fn begin(&self) -> Self::Begun;

    /// Sees how a call ended.
    fn end(&self, begun: Self::Begun, ended: &EndedCall<'_>);
}

/// The layer that shows each call to an observer. Calls that wait for something to happen, and those
/// that answer at once, go on unseen.
pub(super) struct Observed<O> {
    pub(super) inner: Store,
    observer: O,
}

impl<O: Observer> Observed<O> {
    /// Returns a store whose calls an observer sees.
    pub(super) fn over(inner: Store, observer: O) -> Store {
        Store::of(std::sync::Arc::new(Layered(Self { inner, observer })))
    }

    /// Returns a size where the observer asks for it.
    pub(super) fn size(&self, size: impl FnOnce() -> Size) -> Option<Size> {
        self.observer.measures().then(size)
    }

    /// Makes a call that reads nothing of a size.
    pub(super) async fn call<T: Send, E: CallError>(
        &self,
        call: StoreCall<'_>,
        run: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let begun = self.observer.begin();
        let answer = run.instrument(self.observer.span(&call)).await;
        self.end(begun, call, &answer);
        answer
    }

    /// Makes a call whose answer has a size.
    pub(super) async fn read<T: Send + Sync, E: CallError>(
        &self,
        call: StoreCall<'_>,
        run: impl Future<Output = Result<T, E>> + Send,
        size: fn(&T) -> Size,
    ) -> Result<T, E> {
        let begun = self.observer.begin();
        let answer = run.instrument(self.observer.span(&call)).await;
        let found = match &answer {
            Ok(found) => self.size(|| size(found)),
            Err(_) => None,
        };
        let call = StoreCall {
            size: found,
            ..call
        };
        self.end(begun, call, &answer);
        answer
    }

    fn end<T, E: CallError>(&self, begun: O::Begun, call: StoreCall<'_>, answer: &Result<T, E>) {
        let (outcome, error) = match answer {
            Ok(_) => (CallOutcome::Ok, None),
            Err(error) => (error.outcome(), Some(error as &dyn fmt::Display)),
        };
        let ended = EndedCall {
            call,
            outcome,
            error,
        };
        self.observer.end(begun, &ended);
    }
}

impl<O: Observer> Layer for Observed<O> {
    fn inner(&self) -> &Store {
        &self.inner
    }
}

/// The error of a port: it tells a refusal from a failure of the store.
pub(super) trait CallError: fmt::Display + Send {
    fn outcome(&self) -> CallOutcome;
}

impl CallError for StoreError {
    fn outcome(&self) -> CallOutcome {
        CallOutcome::Failed
    }
}

impl CallError for AppendError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Conflict { .. } | Self::Fenced { .. } | Self::Discontinuous { .. } => {
                CallOutcome::Refused
            }
            Self::Store { .. } => CallOutcome::Failed,
        }
    }
}

impl CallError for ReadError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::NoPool | Self::Trimmed { .. } => CallOutcome::Refused,
            Self::Store(_) => CallOutcome::Failed,
        }
    }
}

impl CallError for LeaseError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Owned { .. } | Self::Reserved { .. } => CallOutcome::Refused,
            Self::Store(_) => CallOutcome::Failed,
        }
    }
}

impl CallError for RenewError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Lost { .. } => CallOutcome::Refused,
            Self::Store(_) => CallOutcome::Failed,
        }
    }
}

impl CallError for ConsumerError {
    fn outcome(&self) -> CallOutcome {
        match self {
            Self::Conflict { .. }
            | Self::Ahead { .. }
            | Self::NoPool
            | Self::TooMany { .. }
            | Self::TooLarge { .. }
            | Self::EmptyKey => CallOutcome::Refused,
            Self::Store(_) => CallOutcome::Failed,
        }
    }
}
