//! Bodies of one exchange: a request's, which has to arrive in time, and an answer's, whose end is noted.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use futures::{FutureExt, future::BoxFuture};
use heronry_store::Clock;
use heronry_types::Millis;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};

use super::pace::Pace;

/// The most bytes of an unread body that are taken so that the connection can go on.
const REST_BYTES_MAX: usize = 64 * 1024;
/// The most turns that the connection has to hand over a part of such a body.
const REST_TURNS: u32 = 4;

/// The body of a request did not arrive in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the body did not arrive within {} ms", limit.0)]
pub(crate) struct BodyLate {
    /// The longest time that it may take.
    pub(crate) limit: Millis,
}

/// The rest of a body that its request was answered without.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest(Arc<Mutex<Option<Incoming>>>);

impl Rest {
    /// Takes what arrived of the rest already, and returns whether that was all of it: then another
    /// request can follow on the connection. It waits for nothing.
    pub(super) async fn is_taken(&self) -> bool {
        let rest = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rest) = rest else {
            return true;
        };
        let mut room = REST_BYTES_MAX;
        loop {
            let piece = match arrived(&mut rest).await {
                Some(None) => return true,
                Some(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
                Some(Some(Err(_))) | None => return false,
            };
            let Some(left) = room.checked_sub(piece) else {
                return false;
            };
            room = left;
        }
    }

    /// Returns whether there is none: all of the body was read.
    pub(super) fn is_none(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// Keeps a body that nobody reads any more.
    fn keep(&self, rest: Incoming) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }
}

/// Returns the next piece of a body, or that it has ended; nothing when neither is there yet.
async fn arrived(body: &mut Incoming) -> Option<Option<Result<Frame<Bytes>, hyper::Error>>> {
    for _ in 0..REST_TURNS {
        if let Some(found) = body.frame().now_or_never() {
            return Some(found);
        }
        // The connection hands over what it has read when it has its turn.
        tokio::task::yield_now().await;
    }
    None
}

/// The body of a request, which has to arrive in time.
pub(super) struct RequestBody {
    /// Absent when all of it was read.
    incoming: Option<Incoming>,
    clock: Arc<dyn Clock>,
    limit: Millis,
    deadline: Millis,
    /// Set when something of the body is waited for.
    alarm: Option<BoxFuture<'static, ()>>,
    rest: Rest,
}

impl RequestBody {
    /// Returns a body whose time begins now; what nobody read of it when it is dropped is in `rest`.
    pub(super) fn new(
        incoming: Incoming,
        (clock, limit): (Arc<dyn Clock>, Millis),
        rest: Rest,
    ) -> Self {
        let deadline = Millis(clock.now().monotonic.0.saturating_add(limit.0));
        Self {
            incoming: Some(incoming).filter(|incoming| !incoming.is_end_stream()),
            clock,
            limit,
            deadline,
            alarm: None,
            rest,
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let unread = self.incoming.take();
        if let Some(unread) = unread.filter(|incoming| !incoming.is_end_stream()) {
            self.rest.keep(unread);
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let found = Pin::new(incoming).poll_frame(cx);
        if let Poll::Ready(frame) = found {
            if frame.is_none() {
                self.incoming = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let alarm = self.alarm.take();
        let mut alarm = alarm.unwrap_or_else(|| self.clock.alarm(self.deadline));
        if alarm.as_mut().poll(cx).is_ready() {
            let late = BodyLate { limit: self.limit };
            return Poll::Ready(Some(Err(late.into())));
        }
        self.alarm = Some(alarm);
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.incoming.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

/// The body of an answer. Dropped, it was handed over as a whole, or nobody wants it any more.
pub(super) struct AnswerBody {
    body: Body,
    pace: Pace,
}

impl AnswerBody {
    /// Returns the body of an answer on a connection of this pace.
    pub(super) fn new(body: Body, pace: Pace) -> Self {
        Self { body, pace }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.pace.answered();
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
