//! Member tokens: how they are minted, read and compared. Nothing secret here is ever shown by `Debug`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heronry_types::{Epoch, Generation, PoolId, RunId};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};

/// The form of member tokens that this build mints and reads.
const MEMBER_TOKEN_FORM: &str = "hm1";

/// The purpose of the key of member tokens, which is derived from the secret that is kept.
const MAC_KEY_CONTEXT: &str = "heronry 2026-11 member tokens of pool, epoch, run and generation";

/// The epoch of tokens that name no pool of the store. No pool has it, so that no token is good in it;
/// checking it takes as long as any other.
pub(crate) const EPOCH_OF_NO_POOL: Epoch = Epoch([0; 16]);

/// One joining of a run: the part of a member token that stands in the clear.
///
/// JSON: `pool`, `run`, `generation`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// The pool that the run joined.
    pub pool: PoolId,
    /// The run.
    pub run: RunId,
    /// The generation that the joining began.
    pub generation: Generation,
}

impl Joining {
    /// Returns the joining that the clear part of a token names: its JSON in base64url. Nothing, when it is
    /// not written as this build writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let joining: Self = serde_json::from_slice(&bytes).ok()?;
        // One joining has one token: JSON with other blanks, or another order, is none of ours.
        (serde_json::to_vec(&joining).ok()? == bytes).then_some(joining)
    }
}

/// The content of a member token that was shown: the joining that it names, and the hash that proves it.
#[derive(Clone)]
pub struct MemberClaim {
    joining: Joining,
    mac: blake3::Hash,
}

impl MemberClaim {
    /// Returns the claim of a token; nothing when it is no member token.
    /// [`Runtime::has_minted`](crate::Runtime::has_minted) says whether the claim is true.
    pub fn parse(token: &str) -> Option<Self> {
        let (clear, mac) = token
            .strip_prefix(MEMBER_TOKEN_FORM)?
            .strip_prefix('.')?
            .split_once('.')?;
        // Why a token cannot be read is nobody's business: every cause has the same answer.
        let joining = Joining::parse(clear)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        Some(Self {
            joining,
            mac: blake3::Hash::from_slice(&mac).ok()?,
        })
    }

    /// Returns the joining that it names.
    pub fn joining(&self) -> &Joining {
        &self.joining
    }
}

impl fmt::Debug for MemberClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemberClaim({:?}, hidden)", self.joining)
    }
}

/// A member token that was minted.
#[derive(Clone, Eq, PartialEq)]
pub struct MintedToken(String);

impl MintedToken {
    /// Returns the text of the token, which its member shows with each request.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MintedToken(hidden)")
    }
}

/// The key that member tokens are minted with.
pub(crate) struct TokenKey(SecretBox<[u8; 32]>);

impl TokenKey {
    /// Returns the key that follows from a secret of 256 bits; other keys are derived from it, too.
    pub(crate) fn derived_from(secret: &[u8; 32]) -> Self {
        let derived = blake3::derive_key(MAC_KEY_CONTEXT, secret);
        Self(SecretBox::new(Box::new(derived)))
    }

    /// Returns the token of a joining that is issued in this timeline. The same joining gets the same one.
    pub(crate) fn mint(&self, epoch: Epoch, joining: &Joining) -> MintedToken {
        // Three plain values: writing them as JSON cannot fail.
        let clear = serde_json::to_vec(joining).unwrap_or_default();
        let mac = self.mac(epoch, joining);
        MintedToken(format!(
            "{MEMBER_TOKEN_FORM}.{}.{}",
            URL_SAFE_NO_PAD.encode(clear),
            URL_SAFE_NO_PAD.encode(mac.as_bytes())
        ))
    }

    /// Returns true when this key made the claim in this timeline. Compares in constant time.
    pub(crate) fn proves(&self, claim: &MemberClaim, epoch: Epoch) -> bool {
        self.mac(epoch, &claim.joining) == claim.mac
    }

    fn mac(&self, epoch: Epoch, joining: &Joining) -> blake3::Hash {
        let Joining {
            pool,
            run,
            generation: Generation(position),
        } = joining;
        let mut hasher = blake3::Hasher::new_keyed(self.0.expose_secret());
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

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use heronry_types::Position;

    use super::*;

    const EPOCH: Epoch = Epoch([7; 16]);

    fn key() -> TokenKey {
        TokenKey::derived_from(&[3; 32])
    }

    fn joining(pool: &str, run: &str, generation: u64) -> Joining {
        Joining {
            pool: pool.parse().unwrap(),
            run: run.parse().unwrap(),
            generation: Generation(Position(generation)),
        }
    }

    fn token() -> String {
        let token = key().mint(EPOCH, &joining("p", "r", 4));
        token.reveal().to_owned()
    }

    fn believed(key: &TokenKey, shown: &str, epoch: Epoch) -> bool {
        MemberClaim::parse(shown).is_some_and(|claim| key.proves(&claim, epoch))
    }

    #[test]
    fn a_member_token_proves_its_joining_in_its_timeline_alone() {
        assert!(believed(&key(), &token(), EPOCH));
        assert!(!believed(&key(), &token(), Epoch([8; 16])));
        let other = TokenKey::derived_from(&[4; 32]);
        assert!(!believed(&other, &token(), EPOCH));
    }

    #[test]
    fn the_hash_of_a_member_token_covers_pool_epoch_run_and_generation() {
        let mac = |epoch, pool: &str, run: &str, generation| {
            key().mac(epoch, &joining(pool, run, generation))
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
        assert_ne!(key().0.expose_secret(), &[3; 32], "the key is derived");
    }

    #[test]
    fn a_hash_without_the_pool_proves_nothing() {
        let token = token();
        let clear = token.rsplit_once('.').unwrap().0;
        let mut hasher = blake3::Hasher::new_keyed(key().0.expose_secret());
        hasher.update(&EPOCH.0);
        hasher.update(&4_u64.to_be_bytes());
        for text in ["p", "r"] {
            hasher.update(&1_u64.to_be_bytes());
            hasher.update(text.as_bytes());
        }
        let spelt =
            |hash: blake3::Hash| format!("{clear}.{}", URL_SAFE_NO_PAD.encode(hash.as_bytes()));
        assert_eq!(
            spelt(hasher.finalize()),
            token,
            "the hash is of these bytes"
        );
        let mut without = blake3::Hasher::new_keyed(key().0.expose_secret());
        without.update(&EPOCH.0);
        without.update(&4_u64.to_be_bytes());
        without.update(&1_u64.to_be_bytes());
        without.update(b"r");
        assert!(!believed(&key(), &spelt(without.finalize()), EPOCH));
    }

    #[test]
    fn no_byte_of_a_member_token_can_be_changed() {
        let token = token();
        for index in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            // Two spellings of the last base64 digit may mean the same bytes; the strict decoder refuses one.
            assert!(!believed(&key(), &changed, EPOCH), "{index}");
        }
    }

    #[test]
    fn another_spelling_of_a_member_token_is_nobody() {
        let token = token();
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
            assert!(!believed(&key(), &spelt(clear), EPOCH), "{clear}");
        }
    }

    #[test]
    fn debug_shows_neither_token_nor_hash_nor_key() {
        let token = token();
        let mac = token.rsplit_once('.').unwrap().1;
        let claim = MemberClaim::parse(&token).unwrap();
        let hash = claim.mac.to_hex();
        for shown in [
            format!("{:?}", key()),
            format!("{claim:?}"),
            format!("{:?}", MintedToken(token.clone())),
        ] {
            assert!(shown.contains("hidden"), "{shown}");
            assert!(
                !shown.contains(mac) && !shown.contains(hash.as_str()),
                "{shown}"
            );
        }
    }
}
