//! Headers that count once: of two, nobody could say which one was meant.

use axum::http::{HeaderMap, HeaderName, header};
use heronry_wire::{IDEMPOTENCY_HEADER, Problem, ProblemKind};

/// The headers that the server reads, or that say where a request ends, and of which there is one.
const SINGLE: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static(IDEMPOTENCY_HEADER),
    HeaderName::from_static("last-event-id"),
];

/// The lead of the names of the server's own headers, of each of which there is one.
const OWN: &str = "heronry-";

/// Refuses a request that says twice what counts once, even when it says the same.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let is_single = |name: &&HeaderName| SINGLE.contains(name) || name.as_str().starts_with(OWN);
    let is_double = |name: &&HeaderName| headers.get_all(*name).iter().nth(1).is_some();
    let Some(name) = headers.keys().filter(is_single).find(is_double) else {
        return Ok(());
    };
    let detail = format!("{name}: the header is there twice; send it once");
    Err(Problem::new(ProblemKind::InvalidRequest, detail).with("field", name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_once_is_said_once() {
        let own = HeaderName::from_static("heronry-anything");
        for name in SINGLE.into_iter().chain([own]) {
            let mut headers = HeaderMap::new();
            headers.append(&name, "a".parse().unwrap());
            assert!(check(&headers).is_ok(), "{name}");
            headers.append(&name, "a".parse().unwrap());
            let problem = check(&headers).unwrap_err();
            assert_eq!(problem.kind(), Some(ProblemKind::InvalidRequest));
            assert_eq!(problem.text("field"), Some(name.as_str()));
        }
        let mut headers = HeaderMap::new();
        for accept in ["text/event-stream", "application/json"] {
            headers.append(header::ACCEPT, accept.parse().unwrap());
        }
        assert!(check(&headers).is_ok());
    }
}
