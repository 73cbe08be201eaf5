//! Proving that the server knows a token, before a client sends it.

use std::sync::Arc;

use axum::{Extension, extract::State, routing::MethodFilter};
use heronry_api::proof;
use heronry_wire::{Proof, Prove};

use super::Route;
use crate::{
    app::SharedApp,
    extract::{Json, invalid},
    hosts::Hosts,
    identity::OpenTo,
    openapi::routes::prove as described,
    problems::ProblemAnswer,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/prove",
            "Prove that the server knows a token, without the token.",
            prove,
        )
        .open_to(OpenTo::Everyone)
        .contract(described::prove_token),
    ]
}

async fn prove(
    State(app): State<SharedApp>,
    Extension(hosts): Extension<Arc<Hosts>>,
    Json(question): Json<Prove>,
) -> Result<Json<Proof>, ProblemAnswer> {
    // A program elsewhere would otherwise have its own questions answered here.
    if !hosts.is_bound_to(&question.address) {
        return Err(invalid(
            "address",
            "not where this server listens; give the IP address and port that were dialled",
        ));
    }
    Ok(Json(proof::prove(&app.api, &question).await?))
}
