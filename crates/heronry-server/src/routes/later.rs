//! Routes of the contract whose rule is not built yet: they say so by name.

use axum::routing::MethodFilter;
use heronry_wire::{Problem, ProblemKind};

use super::{At, Route};
use crate::problems::Refusal;

pub(super) fn rows() -> Vec<Route> {
    vec![later(
        MethodFilter::DELETE,
        "/v1/pools/{pool}/contents/{ref}",
        "contents",
    )]
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
