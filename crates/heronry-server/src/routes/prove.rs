//! Proving that the server knows a token, before a client sends it.

use std::sync::Arc;

use axum::{Extension, Json as Answer, extract::State, routing::MethodFilter};
use heronry_wire::{Proof, ProofKey, Prove};

use super::Route;
use crate::{
    app::Shared,
    auth::{Auth, Named},
    extract::{Json, invalid},
    guards::Hosts,
    identity::Access,
    openapi::routes::prove as described,
    problems::Refusal,
};

pub(super) fn rows() -> Vec<Route> {
    vec![
        Route::new(
            MethodFilter::POST,
            "/v1/prove",
            "Prove that the server knows a token, without the token.",
            prove,
        )
        .access(Access::Open)
        .contract(described::prove_token),
    ]
}

/// Answers every question in the same way, whether or not there is such a pool, run or token: only
/// who has the token can tell a good answer from another.
async fn prove(
    State(app): State<Shared>,
    Extension(hosts): Extension<Arc<Hosts>>,
    Json(question): Json<Prove>,
) -> Result<Answer<Proof>, Refusal> {
    // A program elsewhere would otherwise have its own questions answered here.
    if !hosts.is_bound_to(&question.address) {
        return Err(invalid(
            "address",
            "not where this server listens; give the IP address and port that were dialled",
        ));
    }
    let key = match Auth::named(&question) {
        Named::Operator => app.auth.operator_proof_key().clone(),
        Named::Member(named) => {
            let epoch = app.issued_in(&named.pool, named.generation).await?;
            app.auth.member_proof_key(epoch, &named)
        }
        Named::Nobody => ProofKey::of(&app.fresh_name("nobody-")),
    };
    let proof = key.answer(&question, std::process::id());
    let proof = proof.ok_or_else(|| invalid("nonce", "write 32 bytes as 64 hex digits"))?;
    Ok(Answer(proof))
}
