//! The token that a client shows.

use std::fmt;

use heronry_wire::MemberToken;
use secrecy::{ExposeSecret, SecretString};

/// An operator or member token. `Debug` never shows it; its memory is wiped.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Returns the token of this text; white space around it is dropped.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(SecretString::from(text.as_ref().trim()))
    }

    /// Returns the text, for the `Authorization` header.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&MemberToken> for Token {
    fn from(token: &MemberToken) -> Self {
        Self::new(token.reveal())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}
