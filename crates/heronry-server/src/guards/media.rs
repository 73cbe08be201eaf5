//! The form of the body of a request: JSON in UTF-8, and not compressed.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};
use heronry_wire::{Problem, ProblemKind};
use mime::Mime;

/// The form in which a route reads the body of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BodyForm {
    /// JSON in UTF-8, or nothing.
    Json,
    /// The bytes as they are, of any media type.
    Raw,
}

/// Refuses a body that a route would read as something else than it is.
pub(super) fn check(request: &Request, form: BodyForm) -> Result<(), Problem> {
    let headers = request.headers();
    let empty = match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length.as_bytes() == b"0",
        None => !headers.contains_key(header::TRANSFER_ENCODING),
    };
    if !empty {
        check_coding(headers)?;
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if form == BodyForm::Raw || (empty && (safe || !headers.contains_key(header::CONTENT_TYPE))) {
        return Ok(());
    }
    check_json(headers)
}

fn refuse(field: &str, detail: &str) -> Problem {
    Problem::new(ProblemKind::UnsupportedMediaType, detail).with("field", field)
}

/// Bodies are stored, counted and hashed as they arrive: one that is compressed would stay so.
fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let identity = |value: &header::HeaderValue| {
        value.to_str().is_ok_and(|text| {
            text.split(',')
                .all(|coding| coding.trim().eq_ignore_ascii_case("identity"))
        })
    };
    if headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .all(identity)
    {
        return Ok(());
    }
    Err(refuse(
        "content-encoding",
        "bodies are read as they are; send it uncompressed, without content-encoding",
    ))
}

fn check_json(headers: &HeaderMap) -> Result<(), Problem> {
    let named = headers.get(header::CONTENT_TYPE);
    let named = named.and_then(|value| value.to_str().ok()?.parse::<Mime>().ok());
    let Some(json) = named.filter(|named| named.essence_str() == "application/json") else {
        return Err(refuse(
            "content-type",
            "send the body as content-type: application/json",
        ));
    };
    // JSON between programs is UTF-8 (RFC 8259); a text in another charset would be read as another.
    if json
        .get_param(mime::CHARSET)
        .is_none_or(|charset| charset == mime::UTF_8)
    {
        return Ok(());
    }
    Err(refuse(
        "content-type",
        "JSON is read as UTF-8; send it in UTF-8, as content-type: application/json",
    ))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn refused(line: &str, headers: &[(&str, &str)]) -> Option<String> {
        refused_by(BodyForm::Json, line, headers)
    }

    fn refused_by(form: BodyForm, line: &str, headers: &[(&str, &str)]) -> Option<String> {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = axum::http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let problem = check(&request, form).err()?;
        assert_eq!(problem.kind(), Some(ProblemKind::UnsupportedMediaType));
        problem.text("field").map(str::to_owned)
    }

    const SIZE: (&str, &str) = ("content-length", "2");
    const JSON: (&str, &str) = ("content-type", "application/json");

    #[test]
    fn json_is_recognised_with_parameters_and_in_any_case() {
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; version=1",
        ] {
            let found = refused("POST /v1/pools", &[SIZE, ("content-type", json)]);
            assert_eq!(found, None, "{json}");
        }
        for other in [
            "text/plain",
            "application/jsonp",
            "",
            "application/json; charset=latin1",
            "application/json; charset=utf-16",
            "application/json; version=1; charset=\"iso-8859-1\"",
        ] {
            let found = refused("POST /v1/pools", &[SIZE, ("content-type", other)]);
            assert_eq!(found.as_deref(), Some("content-type"), "{other}");
        }
        let text = [SIZE, ("content-type", "text/plain")];
        for path in ["/v1/pools/p/contents", "/v1/pools/contents"] {
            let line = format!("PUT {path}");
            assert_eq!(refused_by(BodyForm::Raw, &line, &text), None, "{path}");
            assert!(refused(&line, &text).is_some(), "{path}");
        }
    }

    #[test]
    fn a_compressed_body_is_refused_on_every_route() {
        for coding in ["gzip", "br", "identity, gzip", "GZIP", "x"] {
            let coding = ("content-encoding", coding);
            for form in [BodyForm::Json, BodyForm::Raw] {
                let found = refused_by(form, "PUT /v1/pools/p", &[SIZE, JSON, coding]);
                assert_eq!(found.as_deref(), Some("content-encoding"), "{coding:?}");
            }
            let chunked = ("transfer-encoding", "chunked");
            assert!(refused("POST /v1/pools", &[chunked, JSON, coding]).is_some());
            assert_eq!(refused("GET /v1/pools", &[coding]), None);
        }
        let identity = ("content-encoding", "Identity");
        assert_eq!(refused("POST /v1/pools", &[SIZE, JSON, identity]), None);
    }

    #[test]
    fn no_body_needs_no_type() {
        assert_eq!(refused("POST /v1/pools", &[]), None);
        assert_eq!(refused("GET /v1/pools", &[("content-type", "x")]), None);
        assert!(refused("POST /v1/pools", &[("content-type", "text/plain")]).is_some());
    }
}
