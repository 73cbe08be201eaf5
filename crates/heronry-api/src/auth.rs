//! Tokens: how they are made, read and compared. Nothing here is ever shown by `Debug`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heronry_types::{Epoch, Generation, PoolId, RunId};
use heronry_wire::{MemberToken, ProofKey, Prove};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};

/// The form of member tokens that this build makes and reads.
const MEMBER_TOKEN_FORM: &str = "hm1";

/// The purpose of the key of member tokens, which is derived from the secret that is kept.
const MAC_KEY_CONTEXT: &str = "heronry 2026-11 member tokens of pool, epoch, run and generation";

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

/// The key that member tokens are made with, derived from a secret of 256 bits that other keys are
/// derived from, too.
pub struct TokenKey(SecretBox<[u8; 32]>);

impl TokenKey {
    /// Returns the key that follows from a secret with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let derived = blake3::derive_key(MAC_KEY_CONTEXT, &bytes);
        Self(SecretBox::new(Box::new(derived)))
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(hidden)")
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

/// The secrets that prove a caller: the operator's token and the key of the members' tokens.
#[derive(Debug)]
pub struct Auth {
    operator: OperatorToken,
    key: TokenKey,
    anonymous: Anonymous,
}

/// The content of a member token, and the hash that proves it.
#[derive(Clone, Debug)]
pub(crate) struct MemberClaim {
    pub(crate) pool: PoolId,
    pub(crate) run: RunId,
    pub(crate) generation: Generation,
    mac: blake3::Hash,
}

/// The readable part of a member token.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clear {
    pub(crate) pool: PoolId,
    run: RunId,
    pub(crate) generation: Generation,
}

/// The token that a question for a proof names.
pub(crate) enum NamedToken {
    /// The operator's.
    Operator,
    /// A member's.
    Member(Clear),
    /// None that this server could have made.
    Nobody,
}

/// The epoch in which tokens are checked that name no pool of this server. No pool has it, so that
/// no token is good in it; checking it takes as long as any other.
pub(crate) const EPOCH_OF_NO_POOL: Epoch = Epoch([0; 16]);

/// The token that a request showed.
#[derive(Debug)]
pub(crate) enum ShownToken {
    /// The operator's token, or nothing where nothing is enough.
    Operator,
    /// A member token that can be read; [`Auth::proves`] says whether it is genuine.
    Member(MemberClaim),
    /// Nothing that can be believed.
    Nothing,
}

/// One joining of a run, for which a member token is made.
#[derive(Clone, Copy, Debug)]
pub struct Joining<'a> {
    /// The pool that the run joined.
    pub pool: &'a PoolId,
    /// The run.
    pub run: &'a RunId,
    /// The generation that the joining began.
    pub generation: Generation,
}

impl Auth {
    /// Returns an `Auth` that accepts this operator's token, and member tokens made with this key.
    pub fn new(operator: OperatorToken, key: TokenKey) -> Self {
        Self {
            operator,
            key,
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
        Clear::parse(&question.name).map_or(NamedToken::Nobody, NamedToken::Member)
    }

    /// Returns the key of the operator's token for proofs.
    pub(crate) fn operator_proof_key(&self) -> &ProofKey {
        &self.operator.proof_key
    }

    /// Returns the key for proofs of the member token that this server makes, or would make, for
    /// what stands in the clear.
    pub(crate) fn member_proof_key(&self, epoch: Epoch, named: &Clear) -> ProofKey {
        let joining = Joining {
            pool: &named.pool,
            run: &named.run,
            generation: named.generation,
        };
        ProofKey::of(self.member_token(epoch, joining).reveal())
    }

    /// Makes the token of one joining of a run. The same joining gets the same token.
    pub fn member_token(&self, epoch: Epoch, joining: Joining<'_>) -> MemberToken {
        let clear = Clear {
            pool: joining.pool.clone(),
            run: joining.run.clone(),
            generation: joining.generation,
        };
        // Three plain values: writing them as JSON cannot fail.
        let clear = serde_json::to_vec(&clear).unwrap_or_default();
        let mac = self.mac(epoch, joining);
        MemberToken::new(format!(
            "{MEMBER_TOKEN_FORM}.{}.{}",
            URL_SAFE_NO_PAD.encode(clear),
            URL_SAFE_NO_PAD.encode(mac.as_bytes())
        ))
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

    /// Returns true when this key made the claim in this timeline. Compares in constant time.
    pub(crate) fn proves(&self, claim: &MemberClaim, epoch: Epoch) -> bool {
        let joining = Joining {
            pool: &claim.pool,
            run: &claim.run,
            generation: claim.generation,
        };
        self.mac(epoch, joining) == claim.mac
    }

    fn mac(&self, epoch: Epoch, joining: Joining<'_>) -> blake3::Hash {
        let Joining {
            pool,
            run,
            generation: Generation(position),
        } = joining;
        let mut hasher = blake3::Hasher::new_keyed(self.key.0.expose_secret());
        hasher.update(&epoch.0);
        hasher.update(&position.0.to_be_bytes());
        // Each text stands behind its length, so that no other split of the same bytes has this hash.
        for text in [pool.as_str(), run.as_str()] {
            hasher.update(&(text.len() as u64).to_be_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize()
    }
}

impl Clear {
    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let clear: Self = serde_json::from_slice(&bytes).ok()?;
        // One joining has one token: JSON with other blanks, or another order, is none of ours.
        (serde_json::to_vec(&clear).ok()? == bytes).then_some(clear)
    }
}

impl MemberClaim {
    fn parse(text: &str) -> Option<Self> {
        let (clear, mac) = text
            .strip_prefix(MEMBER_TOKEN_FORM)?
            .strip_prefix('.')?
            .split_once('.')?;
        // Why a token cannot be read is nobody's business: every cause has the same answer.
        let clear = Clear::parse(clear)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        Some(Self {
            pool: clear.pool,
            run: clear.run,
            generation: clear.generation,
            mac: blake3::Hash::from_slice(&mac).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::Position;

    use super::*;

    const EPOCH: Epoch = Epoch([7; 16]);

    fn auth() -> Auth {
        Auth::new(
            OperatorToken::new("secret\n"),
            TokenKey::from_bytes([3; 32]),
        )
    }

    fn token(auth: &Auth) -> String {
        let (pool, run) = ("p".parse().unwrap(), "r".parse().unwrap());
        let joining = Joining {
            pool: &pool,
            run: &run,
            generation: Generation(Position(4)),
        };
        auth.member_token(EPOCH, joining).reveal().to_owned()
    }

    fn believed(auth: &Auth, shown: &str, epoch: Epoch) -> bool {
        match auth.read(Some(shown)) {
            ShownToken::Member(claim) => auth.proves(&claim, epoch),
            ShownToken::Operator | ShownToken::Nothing => false,
        }
    }

    #[test]
    fn a_member_token_proves_its_joining_in_its_timeline_alone() {
        let auth = auth();
        let token = token(&auth);
        assert!(believed(&auth, &token, EPOCH));
        assert!(!believed(&auth, &token, Epoch([8; 16])));
        let other = Auth::new(OperatorToken::new("secret"), TokenKey::from_bytes([4; 32]));
        assert!(!believed(&other, &token, EPOCH));
    }

    #[test]
    fn the_hash_of_a_member_token_covers_pool_epoch_run_and_generation() {
        let auth = auth();
        let mac = |epoch, pool: &str, run: &str, generation| {
            let (pool, run) = (pool.parse().unwrap(), run.parse().unwrap());
            let joining = Joining {
                pool: &pool,
                run: &run,
                generation: Generation(Position(generation)),
            };
            auth.mac(epoch, joining)
        };
        let one = mac(EPOCH, "p", "r", 4);
        assert_eq!(mac(EPOCH, "p", "r", 4), one);
        for other in [
            mac(Epoch([8; 16]), "p", "r", 4),
            mac(EPOCH, "q", "r", 4),
            mac(EPOCH, "p", "s", 4),
            mac(EPOCH, "p", "r", 5),
            mac(EPOCH, "pr", "r", 4),
            mac(EPOCH, "p", "rr", 4),
        ] {
            assert_ne!(other, one);
        }
        assert_ne!(mac(EPOCH, "ab", "c", 4), mac(EPOCH, "a", "bc", 4));
        let secret = [3; 32];
        assert_ne!(auth.key.0.expose_secret(), &secret, "the key is derived");
    }

    #[test]
    fn no_byte_of_a_member_token_can_be_changed() {
        let auth = auth();
        let token = token(&auth);
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // Two spellings of the last base64 digit may mean the same bytes; the strict decoder refuses one.
            assert!(!believed(&auth, &changed, EPOCH), "{index}");
        }
    }

    #[test]
    fn another_spelling_of_a_member_token_is_nobody() {
        let auth = auth();
        let token = token(&auth);
        let mac = token.rsplit_once('.').unwrap().1;
        let as_made = r#"{"pool":"p","run":"r","generation":4}"#;
        let spelt = |clear: &str| format!("hm1.{}.{mac}", URL_SAFE_NO_PAD.encode(clear));
        assert_eq!(spelt(as_made), token);
        for clear in [
            "{\"pool\":\"p\",\"run\":\"r\",\"generation\":4}\r",
            r#"{"pool":"p", "run":"r","generation":4}"#,
            r#"{"run":"r","pool":"p","generation":4}"#,
            r#"{"pool":"p","run":"\u0072","generation":4}"#,
        ] {
            assert!(!believed(&auth, &spelt(clear), EPOCH), "{clear}");
        }
    }

    #[test]
    fn only_the_exact_operator_token_is_the_operator() {
        let auth = auth();
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
        let hollow = Auth::new(OperatorToken::new(" \n"), TokenKey::from_bytes([3; 32]));
        assert!(matches!(hollow.read(Some("")), ShownToken::Nothing));
        let open = auth.with_anonymous(Anonymous::ActsAsOperator);
        assert!(matches!(open.read(None), ShownToken::Operator));
        assert!(matches!(open.read(Some("wrong")), ShownToken::Nothing));
    }

    #[test]
    fn debug_shows_neither_token_nor_key() {
        let shown = format!("{:?}", auth());
        assert!(!shown.contains("secret") && !shown.contains('3'), "{shown}");
    }
}
