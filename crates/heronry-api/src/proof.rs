//! Proving that the process knows a token, before a client sends it.

use heronry_wire::{Proof, ProofKey, Prove};
use tracing::instrument;

use crate::{Api, Auth, Refusal, auth::NamedToken};

/// Proves that this process knows the token that the question names, without the token. The surface has
/// checked before that the question names the address at which it was asked.
///
/// Every question is answered in the same way, whether or not there is such a pool, run or token: only
/// who has the token can tell a good answer from another.
///
/// # Errors
/// [`Refusal`] `invalid-request` for a nonce that cannot be read.
#[instrument(level = "debug", skip_all)]
pub async fn prove(api: &Api, question: &Prove) -> Result<Proof, Refusal> {
    let key = match Auth::named(question) {
        NamedToken::Operator => api.auth().operator_proof_key().clone(),
        NamedToken::Member(named) => {
            // The token that this process mints, or would mint, for what stands in the clear.
            ProofKey::of(api.runtime().mint_token(&named).await?.reveal())
        }
        NamedToken::Nobody => ProofKey::of(&api.fresh_name("nobody-")),
    };
    let proof = key.answer(question, std::process::id());
    proof.ok_or_else(|| Refusal::invalid("nonce", "write 32 bytes as 64 hex digits"))
}
