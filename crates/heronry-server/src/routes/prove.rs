//! Proving that the server knows a token, before a client sends it.

use std::sync::Arc;

use axum::{Extension, extract::State, routing::MethodFilter};
use heronry_wire::{Proof, ProofKey, Prove};

use super::Route;
use crate::{
    app::SharedApp,
    auth::{Auth, NamedToken},
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
    State(app): State<SharedApp>,
    Extension(hosts): Extension<Arc<Hosts>>,
    Json(question): Json<Prove>,
) -> Result<Json<Proof>, Refusal> {
    // A program elsewhere would otherwise have its own questions answered here.
    if !hosts.is_bound_to(&question.address) {
        return Err(invalid(
            "address",
            "not where this server listens; give the IP address and port that were dialled",
        ));
    }
    let key = match Auth::named(&question) {
        NamedToken::Operator => app.auth.operator_proof_key().clone(),
        NamedToken::Member(named) => {
            let epoch = app.issued_in(&named.pool, named.generation).await?;
            app.auth.member_proof_key(epoch, &named)
        }
        NamedToken::Nobody => ProofKey::of(&app.fresh_name("nobody-")),
    };
    let proof = key.answer(&question, std::process::id());
    let proof = proof.ok_or_else(|| invalid("nonce", "write 32 bytes as 64 hex digits"))?;
    Ok(Json(proof))
}
