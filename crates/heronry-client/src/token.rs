//! The token that a client shows.

use std::fmt;

use heronry_wire::MemberToken;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::ClientError;

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

impl Token {
    /// Returns the value of the `Authorization` header.
    pub(crate) fn header(&self) -> Result<HeaderValue, ClientError> {
        let value = HeaderValue::from_str(&format!("Bearer {}", self.reveal()));
        let mut value = value.map_err(|_| ClientError::NotFound {
            detail: "the token holds characters that no header can carry".to_owned(),
            may_come: false,
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.reveal() == other.reveal()
    }
}

impl Eq for Token {}

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
