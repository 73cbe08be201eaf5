//! The member token inside JSON.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heronry_types::{PoolId, RunId};
use serde::{Deserialize, Serialize};

use crate::ProofKey;

/// The token that a member shows with each request. `Debug` never shows it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberToken(String);

impl MemberToken {
    /// Returns the token of this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for the `Authorization` header.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// The member that a token names in the clear. Only a server can tell whether the token is genuine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct NamedMember {
    /// The pool.
    pub pool: PoolId,
    /// The run.
    pub run: RunId,
}

impl NamedMember {
    /// Returns the member that the text of a token names; nothing when it is no member token.
    pub fn of(token: &str) -> Option<Self> {
        // Whatever else a token is, it names no member.
        let clear = URL_SAFE_NO_PAD.decode(ProofKey::name_of(token)).ok()?;
        serde_json::from_slice(&clear).ok()
    }
}

impl fmt::Debug for MemberToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_token_names_its_member_and_no_other_text_does() {
        let clear = URL_SAFE_NO_PAD.encode(r#"{"pool":"p","run":"r","generation":4}"#);
        let member = NamedMember::of(&format!("hm1.{clear}.bWFj")).unwrap();
        assert_eq!((member.pool.as_str(), member.run.as_str()), ("p", "r"));
        for text in ["", "hm1", "hm1..", "hm1.e30.x", "operator", &clear] {
            assert_eq!(NamedMember::of(text), None, "{text}");
        }
    }
}
