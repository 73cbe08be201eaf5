//! Reading requests: paths, queries, JSON bodies and headers, each refusal naming the field.

mod body;
mod json;
mod meter;
mod metered;
mod short;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};
use heronry_api::{Key, Refusal};
use heronry_types::{ContentRef, Cursor, Id, IdKind, IdempotencyKey, Trace};
use heronry_wire::{IDEMPOTENCY_HEADER, Problem, ProblemKind, Unreadable};
use serde::de::DeserializeOwned;

use crate::problems::ProblemAnswer;

pub(crate) use body::{BodyLane, BodyRoom, HeldRoom, ShareExceeded, read_content};
pub(crate) use json::Json;

/// Fields that hold a cursor wherever they stand.
const CURSOR_FIELDS: [&str; 3] = ["after", "only", "since"];

/// A query.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ProblemAnswer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemAnswer> {
        let text = query_of(parts);
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
        serde_path_to_error::deserialize(reader)
            .map(Self)
            .map_err(|error| unreadable(&error.path().to_string(), &error.inner().to_string()))
    }
}

/// The parameters of a path, decoded.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = ProblemAnswer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ProblemAnswer> {
        // Decoders take a `%` that starts no escape, or no text, for something else than was meant.
        for (field, text) in [("path", parts.uri.path()), ("query", query_of(parts))] {
            if !is_encoded_text(text) {
                let why = "not percent-encoded UTF-8; write % itself as %25";
                return Err(unreadable(field, why));
            }
        }
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| unreadable("path", "the path is not percent-encoded UTF-8"))?;
        let owned = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self(owned.collect()))
    }
}

impl Params {
    /// Returns the text of a parameter; empty when the route has none of that name.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// Returns the text of a parameter that the route may have.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads a parameter that is an id.
    pub(crate) fn id<K: IdKind>(&self, name: &'static str) -> Result<Id<K>, ProblemAnswer> {
        Id::parse(self.text(name)).map_err(|error| invalid(name, &error.to_string()))
    }

    /// Reads a parameter that is a cursor.
    pub(crate) fn cursor(&self, name: &'static str) -> Result<Cursor, ProblemAnswer> {
        cursor(self.text(name), name)
    }

    /// Reads a parameter that is a reference to a body.
    pub(crate) fn content_ref(&self, name: &'static str) -> Result<ContentRef, ProblemAnswer> {
        ContentRef::parse(self.text(name)).map_err(|error| invalid(name, &error.to_string()))
    }

    /// Reads a parameter that is the id of something new, which every later path has to name.
    pub(crate) fn chosen_id<K: IdKind>(&self, name: &'static str) -> Result<Id<K>, ProblemAnswer> {
        let id = self.id(name)?;
        id.check_path()
            .map_err(|error| invalid(name, &error.to_string()))?;
        Ok(id)
    }
}

/// The name of the idempotency key in refusals, wherever the key stands in a request.
const KEY_FIELD: &str = "idempotency_key";

fn query_of(parts: &Parts) -> &str {
    parts.uri.query().unwrap_or_default()
}

/// Returns true when every `%` of a text starts an escape, and all of it decodes to UTF-8.
fn is_encoded_text(text: &str) -> bool {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return std::str::from_utf8(&decoded).is_ok(),
            [b'%', high, low, rest @ ..] => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(*high), digit(*low)) else {
                    return false;
                };
                decoded.extend(u8::try_from(high * 16 + low));
                rest
            }
            [b'%', ..] => return false,
            [plain, rest @ ..] => {
                decoded.push(*plain);
                rest
            }
        };
    }
}

/// Returns the idempotency key and the trace that stand in the headers.
pub(crate) fn key(headers: &HeaderMap) -> Result<Key, ProblemAnswer> {
    Ok(Key {
        key: header_key(headers)?,
        trace: trace(headers),
    })
}

fn header_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ProblemAnswer> {
    // The guard has seen to it that there is one at the most.
    let Some(given) = headers.get(IDEMPOTENCY_HEADER) else {
        return Ok(None);
    };
    let text = given
        .to_str()
        .map_err(|_| invalid(KEY_FIELD, "the header is not ASCII; use the field"))?;
    let key = IdempotencyKey::parse(text);
    key.map(Some)
        .map_err(|error| invalid(KEY_FIELD, &error.to_string()))
}

/// Returns the W3C trace of a request. One that cannot be read is as good as absent, as W3C says.
/// Returns the W3C trace of a request, when it names one.
pub(crate) fn trace(headers: &HeaderMap) -> Option<Trace> {
    let mut values = headers.get_all("traceparent").iter();
    match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok()?.trim().parse().ok(),
        (None, _) | (Some(_), Some(_)) => None,
    }
}

/// Returns what stands behind `Bearer`; `Err` when the header is there and is something else.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => value.to_str().map_err(|_| ())?,
        (Some(_), Some(_)) => return Err(()),
    };
    let (scheme, token) = value.split_once(' ').ok_or(())?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(token.trim()))
    } else {
        Err(())
    }
}

/// Reads a cursor that stands in the path or in a header of this name.
pub(crate) fn cursor(text: &str, field: &str) -> Result<Cursor, ProblemAnswer> {
    Cursor::parse(text).map_err(|error| {
        let problem = Problem::new(ProblemKind::CursorInvalid, error.to_string());
        ProblemAnswer(problem.with("field", field))
    })
}

/// A field with a value that cannot be used.
pub(crate) fn invalid(field: &str, why: &str) -> ProblemAnswer {
    Refusal::invalid(field, why).into()
}

/// A request that cannot be read: the field is that of the path, or the one that the text names.
fn unreadable(path: &str, message: &str) -> ProblemAnswer {
    let Unreadable { field: named, why } = Unreadable::of(message);
    let is_named = named.is_some();
    let field = match (path, named) {
        ("." | "?", None) => return ProblemAnswer(Problem::new(ProblemKind::InvalidRequest, why)),
        ("." | "?", Some(name)) => name,
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => {
            path.to_owned()
        }
        (path, Some(name)) => format!("{path}.{name}"),
        (path, None) => path.to_owned(),
    };
    let list = field.split('[').next().unwrap_or_default();
    let kind = if !is_named && CURSOR_FIELDS.contains(&list) {
        ProblemKind::CursorInvalid
    } else {
        ProblemKind::InvalidRequest
    };
    ProblemAnswer(Problem::new(kind, format!("{field}: {why}")).with("field", field))
}

#[cfg(test)]
mod tests {
    use axum::{
        body::Body,
        extract::{FromRequest, Request},
    };
    use heronry_wire::{EventsQuery, RegisterWake, SendMessage};

    use super::*;

    /// Returns the kind of a refusal, and the field that it names.
    fn told(refusal: &ProblemAnswer) -> (Option<ProblemKind>, Option<&str>) {
        (refusal.0.kind(), refusal.0.text("field"))
    }

    async fn body<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> ProblemAnswer {
        let request = Request::new(Body::from(text.to_owned()));
        Json::<T>::from_request(request, &()).await.unwrap_err()
    }

    async fn query(text: &str) -> Result<EventsQuery, ProblemAnswer> {
        let uri = format!("/events?{text}");
        let (mut parts, ()) = Request::builder().uri(uri).body(()).unwrap().into_parts();
        let Query(query) = Query::from_request_parts(&mut parts, &()).await?;
        Ok(query)
    }

    #[tokio::test]
    async fn a_body_that_cannot_be_read_names_the_field() {
        let invalid = Some(ProblemKind::InvalidRequest);
        let to = r#""to":{"type":"run","run_id":"a"}"#;
        for (text, field) in [
            (format!("{{{to},\"memebers\":1}}"), Some("memebers")),
            ("{}".to_owned(), Some("to")),
            (String::new(), Some("to")),
            (
                r#"{"to":{"type":"run","run_id":""}}"#.to_owned(),
                Some("to"),
            ),
            (
                format!("{{{to},\"expires_in_ms\":-1}}"),
                Some("expires_in_ms"),
            ),
            (format!("{{{to},\"message_id\":\"\"}}"), Some("message_id")),
            (
                format!("{{{to},\"policies\":[{{\"kind\":\"x\",\"id\":\"p\"}}]}}"),
                Some("policies[0].kind"),
            ),
            (format!("{{{to},{to}}}"), Some("to")),
            (format!("{{{to}}} x"), None),
            ("[".to_owned(), None),
            ("[]".to_owned(), None),
        ] {
            let refusal = body::<SendMessage>(&text).await;
            assert_eq!(told(&refusal), (invalid, field), "{text}: {:?}", refusal.0);
        }
    }

    #[tokio::test]
    async fn a_malformed_cursor_is_told_apart() {
        let invalid = Some(ProblemKind::CursorInvalid);
        let wake = body::<RegisterWake>(r#"{"since":"yesterday"}"#).await;
        assert_eq!(told(&wake), (invalid, Some("since")));
        let page = query("after=yesterday").await.unwrap_err();
        assert_eq!(told(&page), (invalid, Some("after")));
    }

    #[tokio::test]
    async fn a_query_that_cannot_be_read_names_the_field() {
        let invalid = Some(ProblemKind::InvalidRequest);
        for (text, field) in [
            ("memebers=1", "memebers"),
            ("limit=many", "limit"),
            ("limit=1&limit=2", "limit"),
            ("from=middle", "from"),
            ("view_run=", "view_run"),
        ] {
            let refusal = query(text).await.unwrap_err();
            assert_eq!(
                told(&refusal),
                (invalid, Some(field)),
                "{text}: {:?}",
                refusal.0
            );
        }
        let read = query("filter=kind%20%3D%3D%20%22a%22&limit=3")
            .await
            .unwrap();
        assert_eq!(read.filter.as_deref(), Some("kind == \"a\""));
        assert_eq!(read.limit, Some(3));
    }

    #[test]
    fn the_key_of_the_header_is_read() {
        let mut headers = HeaderMap::new();
        assert_eq!(key(&headers).unwrap().key, None);
        headers.insert(IDEMPOTENCY_HEADER, "k".parse().unwrap());
        let read = key(&headers).unwrap().key;
        assert_eq!(read.as_ref().map(IdempotencyKey::as_str), Some("k"));
        headers.insert(IDEMPOTENCY_HEADER, "".parse().unwrap());
        let refusal = key(&headers).unwrap_err();
        assert_eq!(refusal.0.text("field"), Some("idempotency_key"));
    }

    #[test]
    fn a_percent_sign_starts_an_escape_of_text() {
        for text in [
            "",
            "a",
            "a%2Fb",
            "%c3%bc",
            "%25zz",
            "gr\u{fc}n",
            "a=%20&b=+",
        ] {
            assert!(is_encoded_text(text), "{text}");
        }
        for text in [
            "%", "a%", "a%2", "%zz", "%2z", "%+1", "%ff", "%c3", "%c3%28",
        ] {
            assert!(!is_encoded_text(text), "{text}");
        }
    }

    #[test]
    fn only_one_bearer_header_is_a_token() {
        let mut headers = HeaderMap::new();
        assert_eq!(bearer(&headers), Ok(None));
        headers.insert(header::AUTHORIZATION, "bearer  t ".parse().unwrap());
        assert_eq!(bearer(&headers), Ok(Some("t")));
        headers.append(header::AUTHORIZATION, "Bearer t".parse().unwrap());
        assert_eq!(bearer(&headers), Err(()));
        headers.remove(header::AUTHORIZATION);
        headers.insert(header::AUTHORIZATION, "Basic t".parse().unwrap());
        assert_eq!(bearer(&headers), Err(()));
    }
}
