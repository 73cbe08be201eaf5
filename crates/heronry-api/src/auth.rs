//! Tokens that requests show: how they are read and compared. Nothing here is ever shown by `Debug`.

use std::fmt;

use heronry_runtime::{Joining, MemberClaim};
use heronry_wire::{ProofKey, Prove};

/// The operator's token. Only hashes of it are kept.
#[derive(Clone)]
pub struct OperatorToken {
    hash: blake3::Hash,
    proof_key: ProofKey,
}

impl OperatorToken {
    /// Returns the token of this text, without the white space around it.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        Self {
            hash: blake3::hash(text.as_bytes()),
            proof_key: ProofKey::of(text),
        }
    }

    /// Compares in constant time. An empty text is never the token, whatever the file held.
    fn is(&self, shown: &str) -> bool {
        !shown.is_empty() && self.hash == blake3::hash(shown.as_bytes())
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(hidden)")
    }
}

/// The rights of a request without a token.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Anonymous {
    /// It has no rights: it is refused.
    #[default]
    Refused,
    /// It has every right of an operator. For tests on loopback only.
    ActsAsOperator,
}

/// The proof of an operator. The tokens of members are the runtime's.
#[derive(Debug)]
pub struct Auth {
    operator: OperatorToken,
    anonymous: Anonymous,
}

/// The token that a question for a proof names.
pub(crate) enum NamedToken {
    /// The operator's.
    Operator,
    /// A member's.
    Member(Joining),
    /// None that this server could have made.
    Nobody,
}

/// The token that a request showed.
#[derive(Debug)]
pub(crate) enum ShownToken {
    /// The operator's token, or nothing where nothing is enough.
    Operator,
    /// A member token that can be read; [`Runtime::has_minted`](heronry_runtime::Runtime::has_minted) says
    /// whether it is genuine.
    Member(MemberClaim),
    /// Nothing that can be believed.
    Nothing,
}

impl Auth {
    /// Returns an `Auth` that accepts this operator's token.
    pub fn new(operator: OperatorToken) -> Self {
        Self {
            operator,
            anonymous: Anonymous::Refused,
        }
    }

    /// Sets the rights of a request without a token.
    #[must_use]
    pub fn with_anonymous(mut self, anonymous: Anonymous) -> Self {
        self.anonymous = anonymous;
        self
    }

    /// Reads which token a question for a proof names.
    pub(crate) fn named(question: &Prove) -> NamedToken {
        if question.names_operator() {
            return NamedToken::Operator;
        }
        Joining::parse(&question.name).map_or(NamedToken::Nobody, NamedToken::Member)
    }

    /// Returns the key of the operator's token for proofs.
    pub(crate) fn operator_proof_key(&self) -> &ProofKey {
        &self.operator.proof_key
    }

    /// Reads what a request showed; `None` when it showed nothing at all.
    pub(crate) fn read(&self, shown: Option<&str>) -> ShownToken {
        let Some(shown) = shown else {
            return match self.anonymous {
                Anonymous::ActsAsOperator => ShownToken::Operator,
                Anonymous::Refused => ShownToken::Nothing,
            };
        };
        if self.operator.is(shown) {
            return ShownToken::Operator;
        }
        MemberClaim::parse(shown).map_or(ShownToken::Nothing, ShownToken::Member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_operator_token_is_the_operator() {
        let auth = Auth::new(OperatorToken::new("secret\n"));
        assert!(matches!(auth.read(Some("secret")), ShownToken::Operator));
        for shown in [
            "",
            "Secret",
            "secret2",
            "secre",
            "hm1",
            "hm1..",
            "hm1.e30.e30",
        ] {
            assert!(
                matches!(auth.read(Some(shown)), ShownToken::Nothing),
                "{shown}"
            );
        }
        assert!(matches!(auth.read(None), ShownToken::Nothing));
        let hollow = Auth::new(OperatorToken::new(" \n"));
        assert!(matches!(hollow.read(Some("")), ShownToken::Nothing));
        let open = auth.with_anonymous(Anonymous::ActsAsOperator);
        assert!(matches!(open.read(None), ShownToken::Operator));
        assert!(matches!(open.read(Some("wrong")), ShownToken::Nothing));
    }

    #[test]
    fn debug_shows_no_token() {
        let shown = format!("{:?}", Auth::new(OperatorToken::new("secret")));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
