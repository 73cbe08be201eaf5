//! What is checked before anything else: where the request was sent to, and by which page.

use std::net::SocketAddr;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use heronry_wire::{Problem, ProblemKind};

use crate::{app::Shared, problems::Refusal};

/// The hosts that the server answers to: the bound address and this machine's names of itself.
#[derive(Debug)]
pub(crate) struct Hosts(Vec<String>);

impl Hosts {
    /// Returns the hosts of a server that is bound to this address.
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
        Self(hosts)
    }

    fn has(&self, host: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(host))
    }

    /// A browser's page may call only when this server itself served it.
    fn has_origin(&self, origin: &str) -> bool {
        origin
            .strip_prefix("http://")
            .is_some_and(|host| self.has(host))
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let named = match (hosts.next(), hosts.next()) {
            (Some(host), None) => host.to_str().is_ok_and(|host| self.has(host)),
            (None, _) | (Some(_), Some(_)) => false,
        };
        let authority = uri.authority().is_none_or(|name| self.has(name.as_str()));
        if !named || !authority {
            return Err(Problem::new(
                ProblemKind::HostNotAllowed,
                format!("name this server as {} in Host", self.0.join(", ")),
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

/// Refuses requests to other hosts, of foreign pages, or with a body that is not JSON.
pub(crate) async fn guard(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let checked = app
        .hosts
        .check(request.uri(), request.headers())
        .and_then(|()| check_media_type(&request));
    let response = match checked {
        Ok(()) => next.run(request).await,
        Err(problem) => Refusal(problem).into_response(),
    };
    app.metrics.count(response.status());
    response
}

fn check_media_type(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    let raw = request.method() == Method::PUT && request.uri().path().ends_with("/contents");
    let empty = match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length.as_bytes() == b"0",
        None => !headers.contains_key(header::TRANSFER_ENCODING),
    };
    if raw || (empty && !headers.contains_key(header::CONTENT_TYPE)) {
        return Ok(());
    }
    let json = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if json || (safe && empty) {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::UnsupportedMediaType,
        "send the body as content-type: application/json",
    ))
}

fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Option<&str>, origin: Option<&str>) -> Option<ProblemKind> {
        let hosts = Hosts::of("127.0.0.1:7171".parse().unwrap());
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

    #[test]
    fn json_is_recognised_with_parameters_and_in_any_case() {
        assert!(is_json("application/json") && is_json("Application/JSON; charset=utf-8"));
        assert!(!is_json("text/plain") && !is_json("application/jsonp") && !is_json(""));
    }
}
