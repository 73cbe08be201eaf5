//! The proof of a token.

use heronry_wire::{Proof, Prove};

use crate::openapi::{Contract, Tag};

pub(crate) fn prove_token(contract: Contract) -> Contract {
    contract
        .named("proveToken", Tag::Server)
        .reads::<Prove>()
        .answers::<Proof>(200, "The proof.")
}
