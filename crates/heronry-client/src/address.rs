//! The address where a server listens, as text and as a place to connect to.

use std::{fmt, path::PathBuf, str::FromStr};

use http::Uri;

use crate::ClientError;

/// The port of `http` URLs that name none.
const HTTP_PORT: u16 = 80;

/// The address where a server listens on this machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ServerAddress {
    /// A TCP port, written `http://127.0.0.1:7171`.
    Tcp {
        /// The host's name or IP address; an IPv6 address stands in brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix socket, written `unix:/run/heronry.sock`. Only Unix systems can reach it.
    Unix(PathBuf),
}

impl ServerAddress {
    /// Returns the host and port that requests name.
    pub(crate) fn authority(&self) -> String {
        match self {
            Self::Tcp { host, port } => format!("{host}:{port}"),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }
}

impl FromStr for ServerAddress {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        let refuse = || ClientError::Url {
            found: text.chars().take(200).collect(),
        };
        if let Some(path) = text.strip_prefix("unix:") {
            let is_named = !path.is_empty();
            return is_named
                .then(|| Self::Unix(PathBuf::from(path)))
                .ok_or_else(refuse);
        }
        let uri: Uri = text.parse().map_err(|_| refuse())?;
        let is_plain = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let (Some("http"), Some(authority), true) = (uri.scheme_str(), uri.authority(), is_plain)
        else {
            return Err(refuse());
        };
        let host = authority.host();
        let address = Self::Tcp {
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(HTTP_PORT),
        };
        // A port that is no number, or a user's name, would be dropped.
        let is_whole = authority.as_str() == host || authority.as_str() == address.authority();
        if host.is_empty() || !is_whole {
            return Err(refuse());
        }
        Ok(address)
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "http://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = text.parse::<ServerAddress>().ok();
        assert_eq!(
            found.map(|it| it.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn an_address_is_an_http_url_or_a_unix_socket() {
        check("http://127.0.0.1:7171", Some("http://127.0.0.1:7171"));
        check("http://localhost:7171/", Some("http://localhost:7171"));
        check("http://[::1]:7171", Some("http://[::1]:7171"));
        check("http://127.0.0.1", Some("http://127.0.0.1:80"));
        check("unix:/run/h.sock", Some("unix:/run/h.sock"));
        for text in [
            "",
            "unix:",
            "127.0.0.1:7171",
            "https://127.0.0.1",
            "ftp://x",
            "http://",
            "http://127.0.0.1:7171/v1",
            "http://127.0.0.1:7171?a=b",
            "http://127.0.0.1:99999",
            "http://somebody@127.0.0.1:7171",
        ] {
            check(text, None);
        }
    }
}
