//! Bodies of one exchange: a request's, which has to arrive in time, and an answer's, whose end is noted.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use futures::future::BoxFuture;
use heronry_store::Clock;
use heronry_types::Millis;
use hyper::body::{Frame, Incoming, SizeHint};

use super::pace::Pace;

/// The body of a request did not arrive in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the body did not arrive within {} ms", limit.0)]
pub(crate) struct BodyLate {
    /// The longest time that it may take.
    pub(crate) limit: Millis,
}

/// The body of a request, which has to arrive in time.
pub(super) struct RequestBody {
    incoming: Incoming,
    clock: Arc<dyn Clock>,
    limit: Millis,
    deadline: Millis,
    /// Set when something of the body is waited for.
    alarm: Option<BoxFuture<'static, ()>>,
}

impl RequestBody {
    /// Returns a body whose time begins now.
    pub(super) fn new(incoming: Incoming, clock: Arc<dyn Clock>, limit: Millis) -> Self {
        let deadline = Millis(clock.now().monotonic.0.saturating_add(limit.0));
        Self {
            incoming,
            clock,
            limit,
            deadline,
            alarm: None,
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
        let found = Pin::new(&mut self.incoming).poll_frame(cx);
        if let Poll::Ready(frame) = found {
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
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
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
