//! Routes of the contract whose rule is not built yet: they say so by name.

use axum::routing::MethodFilter;
use heronry_wire::{Problem, ProblemKind};

use super::{At, Route};
use crate::{identity::Access, problems::Refusal};

pub(super) fn rows() -> Vec<Route> {
    vec![
        later(
            MethodFilter::DELETE,
            "/v1/pools/{pool}/contents/{ref}",
            "contents",
        ),
        later(MethodFilter::GET, "/v1/pools/{pool}/effects", "effects"),
        later(
            MethodFilter::POST,
            "/v1/pools/{pool}/effects/{id}/resolve",
            "resolve",
        )
        .access(Access::Operator),
    ]
}

fn later(filter: MethodFilter, path: &'static str, what: &'static str) -> Route {
    let refuse = move |at: At| async move {
        if let Err(refusal) = at.identity.check_standing().await {
            return refusal;
        }
        let detail = format!("{what} is not supported yet");
        Refusal(Problem::new(ProblemKind::NotSupported, detail).with("field", what))
    };
    Route::new(filter, path, "Not supported yet.", refuse)
}
