//! The problems that a route can answer: those of its kind, and its own.

use std::collections::{BTreeMap, BTreeSet};

use heronry_wire::ProblemKind::{
    self, Busy, ClaimLapsed, ClaimNotFound, CursorAhead, CursorForeign, CursorInvalid,
    CursorTrimmed, Fenced, HostNotAllowed, IdempotencyConflict, Internal, InvalidRequest,
    LimitExceeded, NotAMember, OperatorOnly, OriginNotAllowed, PoolDeleting, PoolNotFound,
    PoolOwned, RequestTimeout, RunEnded, SenderMismatch, ShuttingDown, StoreFenced, TooLarge,
    TooManyConnections, Unauthorized, UnsupportedMediaType,
};

use super::contract::KeyNeed;
use crate::{identity::OpenTo, routes::Route};

/// The problems of a route that takes a point of a pool's journal.
pub(super) const CURSORS: [ProblemKind; 4] =
    [CursorInvalid, CursorAhead, CursorForeign, CursorTrimmed];

/// The problems of a route that takes claims.
pub(super) const CLAIMS: [ProblemKind; 2] = [ClaimNotFound, ClaimLapsed];

/// The problems of every route: the request is not one, was sent elsewhere, or finds no place.
const ALWAYS: &[ProblemKind] = &[
    InvalidRequest,
    OriginNotAllowed,
    HostNotAllowed,
    Internal,
    TooManyConnections,
];

/// The problems of a route that something may be sent to.
const SENT_TO: &[ProblemKind] = &[UnsupportedMediaType];

/// The problems of a route that reads a body.
const WITH_BODY: &[ProblemKind] = &[RequestTimeout, TooLarge, Busy];

/// The problems of a route that asks who calls: a member token is looked up in its pool.
const WITH_TOKEN: &[ProblemKind] = &[Unauthorized, Busy, StoreFenced, PoolOwned, ShuttingDown];

/// The problems of a route of a pool.
const OF_POOL: &[ProblemKind] = &[PoolNotFound, PoolDeleting];

/// The problems of a route that is open to members.
const OF_MEMBERS: &[ProblemKind] = &[Fenced, RunEnded, NotAMember];

/// The problems of a route whose path names who acts.
const OF_RUN: &[ProblemKind] = &[SenderMismatch];

/// Returns the problems of a route by their statuses, in the order of the table of problems.
pub(super) fn of(route: &Route) -> BTreeMap<u16, Vec<ProblemKind>> {
    let contract = &route.contract;
    let is_of_pool = route.path.contains("{pool}");
    let kinds = [
        (true, ALWAYS),
        (!route.only_reads(), SENT_TO),
        (contract.body.is_some(), WITH_BODY),
        (contract.key != KeyNeed::None, &[IdempotencyConflict]),
        (route.open_to != OpenTo::Everyone, WITH_TOKEN),
        (route.open_to == OpenTo::Operators, &[OperatorOnly]),
        (is_of_pool, OF_POOL),
        (
            is_of_pool && (contract.body.is_some() || contract.query.is_some()),
            &[LimitExceeded],
        ),
        (route.open_to == OpenTo::Members, OF_MEMBERS),
        (route.path.contains("/members/{run}"), OF_RUN),
    ];
    let kinds = kinds.iter().filter(|(is_of_kind, _)| *is_of_kind);
    let kinds = kinds.flat_map(|(_, problems)| problems.iter());
    let kinds = kinds.map(|kind| (kind.status(), *kind));
    let all: Vec<_> = kinds.chain(contract.refusals.iter().copied()).collect();
    let mut found: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for known in ProblemKind::ALL {
        let statuses = all.iter().filter(|(_, kind)| kind == known);
        let statuses: BTreeSet<u16> = statuses.map(|(status, _)| *status).collect();
        for status in statuses {
            found.entry(status).or_default().push(*known);
        }
    }
    found
}
