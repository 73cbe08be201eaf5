//! The identity of a caller, and the routes that are open to it.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heronry_api::{Identity, Refusal};
use heronry_wire::UNREAD_HEADER;

use crate::{
    app::SharedApp,
    connections::Guest,
    extract::{BodyLane, HeldRoom, Params, bearer},
    problems::ProblemAnswer,
    under_way,
};

/// The callers to whom a route is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OpenTo {
    /// Everyone, without a token.
    Everyone,
    /// Operators.
    Operators,
    /// Operators, and members of the pool that the path names, where it names one.
    Members,
}

impl OpenTo {
    /// Checks that a route whose path names this pool is open to who asks.
    fn check(self, identity: &Identity, pool: Option<&str>) -> Result<(), Refusal> {
        match (self, identity) {
            (Self::Operators, _) => identity.check_operator(),
            (Self::Everyone, _) | (Self::Members, Identity::Operator) => Ok(()),
            (Self::Members, Identity::Member { pool: own, .. }) => {
                if pool.is_none_or(|pool| pool == own.id().as_str()) {
                    Ok(())
                } else {
                    Err(Refusal::pool_not_found())
                }
            }
        }
    }
}

/// The authenticated caller of a request.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated(pub(crate) Identity);

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = ProblemAnswer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemAnswer> {
        let found = parts.extensions.get().cloned();
        found.ok_or_else(|| Refusal::unauthorized().into())
    }
}

/// Authenticates a request, and checks that the route is open to who asks.
pub(crate) async fn authorise(
    State((app, open_to)): State<(SharedApp, OpenTo)>,
    params: Result<Params, ProblemAnswer>,
    request: Request,
    next: Next,
) -> Response {
    let identity = match bearer(request.headers()) {
        Ok(shown) => app.api.identify(shown).await,
        Err(()) => Err(Refusal::unauthorized()),
    };
    let identity = match identity {
        Ok(identity) => identity,
        Err(refusal) => return ProblemAnswer::from(refusal).into_response(),
    };
    if let Some(guest) = request.extensions().get::<Arc<Guest>>()
        && let Err(full) = guest.is_of(&identity.party())
    {
        let close = [(header::CONNECTION, "close")];
        return (close, full.refusal()).into_response();
    }
    // Who has no token is not told either that the path cannot be read.
    let open = params.and_then(|params| Ok(open_to.check(&identity, params.find("pool"))?));
    let answer = if let Err(refused) = open {
        refused.into_response()
    } else {
        match under_way::receive(&app, &identity, request) {
            Ok((mut request, received)) => {
                let authenticated = Authenticated(identity.clone());
                request.extensions_mut().insert(authenticated);
                let held = identity.own_run().is_none().then(|| {
                    let held = HeldRoom::nothing_of(&app.bodies, BodyLane::Operators);
                    let held = Arc::new(held);
                    request.extensions_mut().insert(Arc::clone(&held));
                    held
                });
                let answer = next.run(request).await;
                drop((held, received));
                under_way::send(&app, &identity, answer)
            }
            Err(refusal) => ProblemAnswer::from(refusal).into_response(),
        }
    };
    with_unread(&identity, answer).await
}

/// Tells a member how many copies wait in its inbox.
async fn with_unread(identity: &Identity, mut answer: Response) -> Response {
    if let Some(unread) = identity.unread().await {
        answer.headers_mut().insert(
            HeaderName::from_static(UNREAD_HEADER),
            HeaderValue::from(unread),
        );
    }
    answer
}
