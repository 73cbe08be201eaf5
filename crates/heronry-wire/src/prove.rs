//! The proof of a server that it knows a token, given before the token is sent to it.
//!
//! A port may belong to another program by the time a client dials it. So a client first sends a
//! fresh nonce, the address it dialled and the name of its token, and sends the token itself only to
//! who answers with the hash that this token alone gives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The purpose of the key that a token gives for proofs.
const KEY_CONTEXT: &str = "heronry 2026-11 proof of a known token";
/// The name of the operator's token.
const OPERATOR: &str = "operator";
/// The form of member tokens: `hm1.<clear part>.<hash>`.
const MEMBER_TOKEN_FORM: &str = "hm1";

/// A question that only a server which knows a token answers rightly. The body of `POST /v1/prove`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(example = crate::examples::prove())
)]
pub struct Prove {
    /// Bits that nobody used before: 64 hex digits.
    pub nonce: String,
    /// The address that was dialled, as `127.0.0.1:7171`; `unix:` on a Unix socket.
    pub address: String,
    /// The name of the token: `operator`, or the clear part of a member token.
    pub name: String,
}

/// The answer to [`Prove`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proof {
    /// The process id of the server.
    pub pid: u32,
    /// The keyed BLAKE3 hash: 64 hex digits.
    pub proof: String,
}

/// The key that a token gives for proofs. `Debug` never shows it.
#[derive(Clone, Eq, PartialEq)]
pub struct ProofKey([u8; 32]);

impl ProofKey {
    /// Returns the key that belongs to a token: BLAKE3's key derivation over the token's text.
    pub fn of(token: &str) -> Self {
        Self(blake3::derive_key(KEY_CONTEXT, token.as_bytes()))
    }

    /// Returns the name under which a server finds a token: `operator`, or the clear part of a
    /// member token.
    pub fn name_of(token: &str) -> &str {
        let member = token
            .strip_prefix(MEMBER_TOKEN_FORM)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.split_once('.'));
        member.map_or(OPERATOR, |(clear, _)| clear)
    }

    /// Answers a question for the process `pid`; nothing when the nonce is not 64 hex digits.
    ///
    /// The hash is over the 32 bytes of the nonce, the process id (4 bytes, big-endian) and the
    /// address, in this order.
    pub fn answer(&self, question: &Prove, pid: u32) -> Option<Proof> {
        let proof = self.hash(question, pid)?.to_hex().to_string();
        Some(Proof { pid, proof })
    }

    /// Returns true when an answer is the one that this token alone gives. Compares in constant time.
    pub fn accepts(&self, question: &Prove, answer: &Proof) -> bool {
        let expected = self.hash(question, answer.pid);
        let shown = blake3::Hash::from_hex(&answer.proof);
        expected.is_some_and(|expected| shown.is_ok_and(|shown| shown == expected))
    }

    fn hash(&self, question: &Prove, pid: u32) -> Option<blake3::Hash> {
        let nonce = blake3::Hash::from_hex(&question.nonce).ok()?;
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(nonce.as_bytes());
        hasher.update(&pid.to_be_bytes());
        hasher.update(question.address.as_bytes());
        Some(hasher.finalize())
    }
}

impl Prove {
    /// The address that is named on a Unix socket. There the system tells which process listens, and
    /// the proof holds for that process alone.
    pub const SOCKET: &'static str = "unix:";

    /// Returns the question for a token, with 32 bytes that nobody used before.
    pub fn new(nonce: [u8; 32], address: impl fmt::Display, token: &str) -> Self {
        Self {
            nonce: blake3::Hash::from_bytes(nonce).to_hex().to_string(),
            address: address.to_string(),
            name: ProofKey::name_of(token).to_owned(),
        }
    }

    /// Returns true when the operator's token is named.
    pub fn names_operator(&self) -> bool {
        self.name == OPERATOR
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "a token of an operator";

    fn question() -> Prove {
        Prove::new([7; 32], "127.0.0.1:7171", TOKEN)
    }

    #[test]
    fn only_who_knows_the_token_can_answer() {
        let (key, question) = (ProofKey::of(TOKEN), question());
        let answer = key.answer(&question, 12).unwrap();
        assert!(key.accepts(&question, &answer));
        assert!(!ProofKey::of("another token").accepts(&question, &answer));
        let forged = ProofKey::of("another token").answer(&question, 12).unwrap();
        assert!(!key.accepts(&question, &forged));
    }

    #[test]
    fn an_answer_is_for_one_question_and_one_process() {
        let (key, asked) = (ProofKey::of(TOKEN), question());
        let answer = key.answer(&asked, 12).unwrap();
        let others = [
            Prove::new([8; 32], "127.0.0.1:7171", TOKEN),
            Prove::new([7; 32], "127.0.0.1:7172", TOKEN),
        ];
        for other in others {
            assert!(!key.accepts(&other, &answer), "{other:?}");
        }
        let pid = 13;
        let proof = answer.proof.clone();
        assert!(!key.accepts(&asked, &Proof { pid, proof }));
        for proof in ["", "00", &answer.proof.replace('a', "b")[1..]] {
            let proof = proof.to_owned();
            assert!(!key.accepts(&asked, &Proof { pid: 12, proof }));
        }
    }

    #[test]
    fn a_nonce_that_is_no_nonce_has_no_answer() {
        for nonce in ["", "07", "zz", &"0".repeat(63), &"0".repeat(66)] {
            let nonce = nonce.to_owned();
            let question = Prove {
                nonce,
                ..question()
            };
            assert_eq!(ProofKey::of(TOKEN).answer(&question, 1), None);
        }
    }

    #[test]
    fn a_member_token_is_named_by_its_clear_part() {
        assert_eq!(ProofKey::name_of("hm1.eyJ.c29"), "eyJ");
        for token in ["", "hm1", "hm1.eyJ", "hm1eyJ.c", "hm2.a.b", TOKEN] {
            assert_eq!(ProofKey::name_of(token), "operator", "{token}");
        }
        assert!(question().names_operator());
        assert_eq!(format!("{:?}", ProofKey::of(TOKEN)), "ProofKey(hidden)");
    }
}
