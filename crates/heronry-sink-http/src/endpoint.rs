//! The address that events are posted to.

use std::{fmt, str::FromStr};

use http::{Uri, uri::Scheme};

/// The address that events are posted to: an absolute `http` URL without a user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint(Uri);

/// The error of a text that is no address of an endpoint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The text is no absolute URL.
    #[error("not an absolute URL; write it as http://127.0.0.1:9000/events")]
    NotAUrl,
    /// The URL is of a scheme that is not spoken.
    #[error(
        "scheme is {found}, and http alone is spoken; for https put a proxy that terminates TLS on this machine"
    )]
    Scheme {
        /// The scheme.
        found: String,
    },
    /// The URL names a user.
    #[error("the URL names a user; put a token into a file instead")]
    User,
}

impl Endpoint {
    /// Reads an address.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let uri: Uri = text.parse().map_err(|_| EndpointError::NotAUrl)?;
        let scheme = uri.scheme().ok_or(EndpointError::NotAUrl)?;
        if *scheme != Scheme::HTTP {
            let found = scheme.to_string();
            return Err(EndpointError::Scheme { found });
        }
        let authority = uri.authority().ok_or(EndpointError::NotAUrl)?;
        if authority.as_str().contains('@') {
            return Err(EndpointError::User);
        }
        Ok(Self(uri))
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, EndpointError>) {
        let found = Endpoint::parse(text).map(|endpoint| endpoint.to_string());
        assert_eq!(found, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn an_endpoint_is_an_absolute_http_url_without_a_user() {
        check(
            "http://127.0.0.1:9000/events?a=b",
            Ok("http://127.0.0.1:9000/events?a=b"),
        );
        check("http://[::1]:9000/", Ok("http://[::1]:9000/"));
        let scheme = |found: &str| EndpointError::Scheme {
            found: found.to_owned(),
        };
        check("https://example.org/", Err(scheme("https")));
        check("ftp://example.org/", Err(scheme("ftp")));
        check("http://me:secret@example.org/", Err(EndpointError::User));
        for text in ["", "/events", "127.0.0.1", "http://", "http:///events"] {
            check(text, Err(EndpointError::NotAUrl));
        }
    }
}
