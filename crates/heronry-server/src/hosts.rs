//! The hosts that a server answers to, and the pages that may call it.

use std::net::SocketAddr;

use axum::http::{HeaderMap, Uri, header};
use heronry_wire::{Problem, ProblemKind, Prove};

/// The hosts that the server answers to on one of its listeners. Each request carries those of its
/// listener as an extension.
#[derive(Debug)]
pub(crate) struct Hosts {
    bound: Option<SocketAddr>,
    names: Vec<String>,
    pages: Pages,
}

/// The pages that may call.
#[derive(Debug)]
enum Pages {
    /// The pages that this server itself served.
    Own,
    /// None: no page can have come from here.
    None,
}

impl Hosts {
    /// Returns the hosts of a listener that is bound to this address: the address, and this machine's
    /// names of itself.
    pub(crate) fn of(bound: SocketAddr) -> Self {
        let port = bound.port();
        let mut hosts = vec![bound.to_string()];
        for name in ["localhost", "127.0.0.1", "[::1]"] {
            hosts.push(format!("{name}:{port}"));
            if port == 80 {
                hosts.push(name.to_owned());
            }
        }
        hosts.sort_unstable();
        hosts.dedup();
        Self {
            bound: Some(bound),
            names: hosts,
            pages: Pages::Own,
        }
    }

    /// Returns the hosts of a Unix socket, which has no address.
    #[cfg(unix)]
    pub(crate) fn of_a_socket() -> Self {
        Self {
            bound: None,
            names: vec!["localhost".to_owned()],
            pages: Pages::None,
        }
    }

    /// Returns true when a text is the very address that the listener is bound to.
    pub(crate) fn is_bound_to(&self, address: &str) -> bool {
        match self.bound {
            Some(bound) => bound.to_string() == address,
            None => address == Prove::SOCKET,
        }
    }

    fn has(&self, host: &str) -> bool {
        self.names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(host))
    }

    /// A browser's page may call only when this server itself served it.
    fn has_origin(&self, origin: &str) -> bool {
        match self.pages {
            Pages::Own => origin
                .strip_prefix("http://")
                .is_some_and(|host| self.has(host)),
            Pages::None => false,
        }
    }

    /// Checks that a request names this server, and that the page that sent it may call.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().is_ok_and(|host| self.has(host)),
            (None, _) | (Some(_), Some(_)) => false,
        };
        let authority = uri.authority().is_none_or(|name| self.has(name.as_str()));
        if !named || !authority {
            return Err(Problem::new(
                ProblemKind::HostNotAllowed,
                format!("name this server as {} in Host", self.names.join(", ")),
            ));
        }
        let foreign = |origin: &header::HeaderValue| {
            !origin.to_str().is_ok_and(|origin| self.has_origin(origin))
        };
        if headers.get_all(header::ORIGIN).iter().any(foreign) {
            return Err(Problem::new(
                ProblemKind::OriginNotAllowed,
                "pages of other origins are not served; call from a program, without Origin",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&str>, origin: Option<&str>) -> Option<ProblemKind> {
        check_on(&Hosts::of("127.0.0.1:7171".parse().unwrap()), host, origin)
    }

    fn check_on(hosts: &Hosts, host: Option<&str>, origin: Option<&str>) -> Option<ProblemKind> {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, host.parse().unwrap());
        }
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let uri = Uri::from_static("/v1/pools");
        hosts
            .check(&uri, &headers)
            .err()
            .and_then(|problem| problem.kind())
    }

    #[test]
    fn only_this_machines_names_are_hosts() {
        for host in [
            "127.0.0.1:7171",
            "localhost:7171",
            "LOCALHOST:7171",
            "[::1]:7171",
        ] {
            assert_eq!(check(Some(host), None), None, "{host}");
        }
        let refused = Some(ProblemKind::HostNotAllowed);
        for host in [
            "localhost",
            "localhost:80",
            "evil.example:7171",
            "127.0.0.1.evil:7171",
            "",
        ] {
            assert_eq!(check(Some(host), None), refused, "{host}");
        }
        assert_eq!(check(None, None), refused);
    }

    #[test]
    fn only_pages_of_this_server_are_served() {
        let host = Some("localhost:7171");
        assert_eq!(check(host, Some("http://localhost:7171")), None);
        let refused = Some(ProblemKind::OriginNotAllowed);
        for origin in [
            "null",
            "https://localhost:7171",
            "http://localhost:1",
            "http://evil.example",
        ] {
            assert_eq!(check(host, Some(origin)), refused, "{origin}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_unix_socket_is_localhost_alone_and_serves_no_page() {
        let socket = Hosts::of_a_socket();
        assert_eq!(check_on(&socket, Some("localhost"), None), None);
        assert_eq!(check_on(&socket, Some("LocalHost"), None), None);
        let refused = Some(ProblemKind::HostNotAllowed);
        for host in ["localhost:7171", "127.0.0.1", "127.0.0.1:7171", ""] {
            assert_eq!(check_on(&socket, Some(host), None), refused, "{host}");
        }
        assert_eq!(check_on(&socket, None, None), refused);
        let refused = Some(ProblemKind::OriginNotAllowed);
        for origin in ["http://localhost", "null"] {
            let found = check_on(&socket, Some("localhost"), Some(origin));
            assert_eq!(found, refused, "{origin}");
        }
    }
}
