//! The identity of a caller, and the routes that are open to it.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderName, HeaderValue, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heronry_pool::{
    Caller,
    decide::{CheckStanding, PeekInbox},
};
use heronry_runtime::{OpenError, Party, Pool};
use heronry_types::{Generation, RunId};
use heronry_wire::{Problem, ProblemKind, UNREAD_HEADER};

use crate::{
    app::SharedApp,
    auth::{MemberClaim, ShownToken},
    connections::Guest,
    extract::{BodyLane, HeldRoom, Params, bearer, invalid},
    problems::Refusal,
    under_way,
};

/// The callers to whom a route is open.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    /// Everyone, without a token.
    Open,
    /// Operators.
    Operator,
    /// Operators, and members of the pool that the path names, where it names one.
    Member,
}

/// The authenticated caller.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// An operator.
    Operator,
    /// One joining of a run, in this pool alone.
    Member {
        pool: Pool,
        run: RunId,
        generation: Generation,
    },
}

impl Identity {
    /// Returns who asks, as the engine calls it.
    pub(crate) fn caller(&self) -> Caller {
        match self {
            Self::Operator => Caller::Operator,
            Self::Member {
                run, generation, ..
            } => Caller::Member {
                run: run.clone(),
                generation: *generation,
            },
        }
    }

    /// Returns for whom work is done beside the pools.
    pub(crate) fn party(&self) -> Party {
        match self {
            Self::Operator => Party::Operator,
            Self::Member { pool, .. } => Party::of(pool.id(), &self.caller()),
        }
    }

    /// Returns the run to act as: a member's own, or the one that an operator names in `field`.
    pub(crate) fn acting(
        &self,
        named: Option<RunId>,
        field: &'static str,
    ) -> Result<RunId, Refusal> {
        match (self, named) {
            (Self::Operator, Some(run)) => Ok(run),
            (Self::Operator, None) => Err(invalid(field, "missing; an operator names the run")),
            (Self::Member { run, .. }, None) => Ok(run.clone()),
            (Self::Member { run, .. }, Some(named)) if *run == named => Ok(named),
            (Self::Member { .. }, Some(_)) => Err(Refusal::of(
                ProblemKind::SenderMismatch,
                "a member token acts as its own run alone; leave the run out",
            )),
        }
    }

    /// Checks that who asks may still act: an operator always, a member while its joining is the present one.
    pub(crate) async fn check_standing(&self) -> Result<(), Refusal> {
        if let Self::Member { pool, .. } = self {
            let caller = self.caller();
            pool.call(CheckStanding { caller }).await?;
        }
        Ok(())
    }

    /// Returns the member's own run; nothing for an operator.
    pub(crate) fn own_run(&self) -> Option<&RunId> {
        match self {
            Self::Operator => None,
            Self::Member { run, .. } => Some(run),
        }
    }

    fn may_use(&self, access: Access, pool: Option<&str>) -> Result<(), Refusal> {
        let Self::Member { pool: own, .. } = self else {
            return Ok(());
        };
        match access {
            Access::Operator => Err(Refusal::of(
                ProblemKind::OperatorOnly,
                "this needs the operator's token",
            )),
            Access::Open => Ok(()),
            Access::Member if pool.is_none_or(|pool| pool == own.id().as_str()) => Ok(()),
            Access::Member => Err(pool_not_found()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get().cloned().ok_or_else(unauthorized)
    }
}

/// The one answer to every request whose token is missing or cannot be believed.
pub(crate) fn unauthorized() -> Refusal {
    Refusal::of(
        ProblemKind::Unauthorized,
        "send the operator's token or a member token as Authorization: Bearer",
    )
}

/// The one answer for pools that do not exist and those that the caller may not know of.
pub(crate) fn pool_not_found() -> Refusal {
    Refusal(Problem::new(
        ProblemKind::PoolNotFound,
        "no such pool; an operator opens it with PUT",
    ))
}

/// Authenticates a request, and checks that the route is open to who asks.
pub(crate) async fn authorise(
    State((app, access)): State<(SharedApp, Access)>,
    params: Result<Params, Refusal>,
    request: Request,
    next: Next,
) -> Response {
    let shown = bearer(request.headers()).map_or(ShownToken::Nothing, |shown| app.auth.read(shown));
    let identity = match authenticate(&app, shown).await {
        Ok(identity) => identity,
        Err(refusal) => return refusal.into_response(),
    };
    if let Some(guest) = request.extensions().get::<Arc<Guest>>()
        && let Err(full) = guest.is_of(&identity.party())
    {
        let close = [(header::CONNECTION, "close")];
        return (close, full.refusal()).into_response();
    }
    // Who has no token is not told either that the path cannot be read.
    let open = params.and_then(|params| identity.may_use(access, params.find("pool")));
    let answer = if let Err(refusal) = open {
        refusal.into_response()
    } else {
        match under_way::receive(&app, &identity, request) {
            Ok((mut request, received)) => {
                request.extensions_mut().insert(identity.clone());
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
            Err(refusal) => refusal.into_response(),
        }
    };
    with_unread(&identity, answer).await
}

async fn authenticate(app: &SharedApp, shown: ShownToken) -> Result<Identity, Refusal> {
    match shown {
        ShownToken::Operator => Ok(Identity::Operator),
        ShownToken::Nothing => Err(unauthorized()),
        ShownToken::Member(claim) => believe(app, claim).await,
    }
}

/// Checks the hash of a claim before anything is done for it: a token that this server did not make
/// opens no pool.
async fn believe(app: &SharedApp, claim: MemberClaim) -> Result<Identity, Refusal> {
    // The token outlives the timeline that it was issued in, and is of no other pool.
    let epoch = app.issued_in(&claim.pool, claim.generation).await?;
    if !app.auth.proves(&claim, epoch) {
        return Err(unauthorized());
    }
    let pool = match app.runtime.find(&claim.pool).await {
        Ok(pool) => pool,
        // It was deleted since: its tokens are as good as those of a pool that never was.
        Err(OpenError::NotFound) => return Err(unauthorized()),
        // The token is good; it is the store that cannot say more.
        Err(error) => return Err(error.into()),
    };
    Ok(Identity::Member {
        pool,
        run: claim.run,
        generation: claim.generation,
    })
}

/// Tells a member how many copies wait in its inbox.
async fn with_unread(identity: &Identity, mut answer: Response) -> Response {
    if let Identity::Member { pool, run, .. } = identity {
        // As the member itself: an older generation has nothing to read of its successor's, and does
        // not renew its lease.
        let peek = PeekInbox {
            caller: identity.caller(),
            run: run.clone(),
            max: 0,
        };
        // The count only accompanies an answer; who is not a member any more has nothing to read.
        let unread = pool.call(peek).await.map_or(0, |received| received.unread);
        answer.headers_mut().insert(
            HeaderName::from_static(UNREAD_HEADER),
            HeaderValue::from(unread),
        );
    }
    answer
}
