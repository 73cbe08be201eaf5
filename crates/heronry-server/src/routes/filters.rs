//! Compiling a filter without using it.

use axum::{extract::State, routing::MethodFilter};
use heronry_api::filter;
use heronry_wire::{CompileFilter, CompiledFilter};

use super::Route;
use crate::{
    app::SharedApp, extract::Json, identity::Authenticated, openapi::routes::filters as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/filters/compile",
            "Check a filter.",
            compile,
        )
        .contract(described::compile_filter),
    ]
}

async fn compile(
    State(app): State<SharedApp>,
    Authenticated(identity): Authenticated,
    Json(body): Json<CompileFilter>,
) -> Result<Json<CompiledFilter>, ProblemAnswer> {
    Ok(Json(filter::compile(&app.api, &identity, &body).await?))
}
