//! The roster, and the modules beside its members.

use axum::routing::MethodFilter;
use heronry_api::roster;
use heronry_wire::{ModuleList, ModulesQuery, RosterList, RosterQuery};

use super::{PoolRequest, Route};
use crate::{
    extract::{Json, Query},
    openapi::routes::roster as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/roster",
            "Show the roster: its steward, its revision and a page of its members.",
            show,
        )
        .contract(described::show_roster),
        Route::new(
            MethodFilter::GET,
            "/v1/pools/{pool}/modules",
            "List the modules, and how they stand.",
            modules,
        )
        .contract(described::list_modules),
    ]
}

async fn show(
    request: PoolRequest,
    Query(query): Query<RosterQuery>,
) -> Result<Json<RosterList>, ProblemAnswer> {
    Ok(Json(roster::show(&request.access, query).await?))
}

async fn modules(
    request: PoolRequest,
    Query(query): Query<ModulesQuery>,
) -> Result<Json<ModuleList>, ProblemAnswer> {
    Ok(Json(roster::modules(&request.access, query).await?))
}
