//! Bytes under way: large bodies of a member's requests, and of the answers that it has not read yet.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::Response,
};
use heronry_api::{Holder, Identity, Refusal, Share};
use heronry_types::{LimitExceeded, LimitName, Limits};
use hyper::body::{Frame, SizeHint};

use crate::{app::App, extract::ShareExceeded};

/// Bodies of at most so many bytes are not counted.
const BYTES_SMALL: u64 = 16 * 1024;

/// The bytes of one request, which are under way until it is answered.
pub(crate) struct Received(#[expect(dead_code, reason = "held, not read")] Option<SharedBytes>);

type SharedBytes = Arc<Mutex<Share>>;

/// Takes what the body of a request needs of its member's share: what it says that it has, or what
/// arrives. Operators are not counted.
pub(crate) fn receive(
    app: &App,
    identity: &Identity,
    request: Request,
) -> Result<(Request, Received), Refusal> {
    let Some((holder, limits)) = of_member(identity) else {
        return Ok((request, Received(None)));
    };
    let refused = |exceeded| Refusal::of_share(exceeded, "wait until others are answered and read");
    app.bytes.check_run(&holder, &limits).map_err(refused)?;
    let take = |amount| -> Result<SharedBytes, Refusal> {
        let share = app.bytes.take(&holder, &limits, amount).map_err(refused)?;
        Ok(Arc::new(Mutex::new(share)))
    };
    match request.body().size_hint().exact() {
        Some(..=BYTES_SMALL) => Ok((request, Received(None))),
        Some(size) => {
            fits_alone(&limits, size)?;
            Ok((request, Received(Some(take(size)?))))
        }
        None => {
            let share = take(0)?;
            let counted = Arc::clone(&share);
            let request = request.map(|body| {
                let (share, limits) = (counted, Arc::clone(&limits));
                Body::new(Growing {
                    body,
                    share,
                    limits,
                })
            });
            Ok((request, Received(Some(share))))
        }
    }
}

/// Counts the body of an answer for its member until it is sent, or nobody wants it any more. An answer
/// is never taken back for that: whoever has too much under way is refused the next request.
pub(crate) fn send(app: &App, identity: &Identity, answer: Response) -> Response {
    let size = answer.body().size_hint().exact().unwrap_or(0);
    let holder = of_member(identity).filter(|_| size > BYTES_SMALL);
    let Some((holder, _)) = holder else {
        return answer;
    };
    let share = app.bytes.take_anyway(&holder, size);
    answer.map(|body| {
        Body::new(Counted {
            body,
            _share: share,
        })
    })
}

/// Checks that a body can ever be taken: waiting would not help one that is larger than a whole share.
fn fits_alone(limits: &Limits, size: u64) -> Result<(), LimitExceeded> {
    let of_whom = [
        LimitName::BytesUnderWayPerRunMax,
        LimitName::BytesUnderWayMax,
    ];
    for limit in of_whom {
        let max = limits.get(limit);
        if size > max {
            return Err(LimitExceeded::new(limit, max, size));
        }
    }
    Ok(())
}

fn of_member(identity: &Identity) -> Option<(Holder, Arc<Limits>)> {
    match identity {
        Identity::Operator => None,
        Identity::Member { pool, run, .. } => {
            let (id, run) = (pool.id().clone(), Some(run.clone()));
            Some((Holder { pool: id, run }, pool.limits()))
        }
    }
}

/// The body of a request that does not say how long it is.
struct Growing {
    body: Body,
    share: SharedBytes,
    limits: Arc<Limits>,
}

/// The body of an answer.
struct Counted {
    body: Body,
    _share: Share,
}

impl HttpBody for Growing {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        let found = Pin::new(&mut self.body).poll_frame(cx);
        let Poll::Ready(Some(Ok(frame))) = found else {
            return found.map_err(Into::into);
        };
        let size = frame.data_ref().map_or(0, Bytes::len);
        // A share is whole at every point, so a panic elsewhere cannot have left it half changed.
        let mut share = self.share.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = share.grow(&self.limits, size as u64);
        Poll::Ready(Some(match grown {
            Ok(()) => Ok(frame),
            Err(exceeded) => Err(ShareExceeded(exceeded).into()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl HttpBody for Counted {
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
