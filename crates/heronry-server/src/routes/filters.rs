//! Compiling a filter without using it.

use axum::{extract::State, routing::MethodFilter};
use heronry_event::filter::CompileErrors;
use heronry_wire::{CompileFilter, CompiledFilter, Problem, ProblemKind};

use super::Route;
use crate::{
    app::SharedApp, extract::Json, identity::Identity, openapi::routes::filters as described,
    problems::Refusal, side,
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
    identity: Identity,
    Json(body): Json<CompileFilter>,
) -> Result<Json<CompiledFilter>, Refusal> {
    identity.check_standing().await?;
    let filter = side::compile(&app, &identity, &body.filter).await?;
    Ok(Json(CompiledFilter {
        fingerprint: *filter.fingerprint(),
        normal_form: filter.normal_form().to_owned(),
        cost: filter.cost(),
    }))
}

impl From<CompileErrors> for Refusal {
    fn from(errors: CompileErrors) -> Self {
        // Spans, texts and names: writing them as JSON cannot fail.
        let list = serde_json::to_value(&errors).unwrap_or_default();
        let problem = Problem::new(ProblemKind::FilterInvalid, errors.to_string());
        Self(problem.with("field", "filter").with("errors", list))
    }
}
