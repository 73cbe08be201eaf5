//! One request: its parts, and the rule for its repeat.

use std::time::Duration;

use form_urlencoded::Serializer;
use http::{Method, header};
use http_body_util::Full;
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use crate::{ClientError, Endpoint, retry::Repeat};

/// The longest time for an answer that the server does not hold back on purpose.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// The characters that are written as `%xx` in a segment of a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request that can be sent more than once.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    path: String,
    query: String,
    body: Option<SentBody>,
    accept: &'static str,
    headers: Vec<(&'static str, String)>,
    repeat: Repeat,
    answer_time: Duration,
}

#[derive(Debug)]
struct SentBody {
    media_type: String,
    bytes: Bytes,
}

impl Request {
    /// Returns a request to the path of these segments, each percent-encoded.
    pub(crate) fn new(method: Method, segments: &[&str]) -> Result<Self, ClientError> {
        // Paths drop such a segment even when it is encoded: the request would name another thing.
        if let Some(found) = segments.iter().find(|s| matches!(**s, "." | "..")) {
            return Err(ClientError::Path {
                found: (*found).to_owned(),
            });
        }
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, ENCODED));
        }
        let repeat = match method {
            Method::GET => Repeat::Harmless,
            _ => Repeat::Harmful,
        };
        Ok(Self {
            method,
            path,
            query: String::new(),
            body: None,
            accept: "application/json",
            headers: Vec::new(),
            repeat,
            answer_time: ANSWER_TIME,
        })
    }

    /// Adds a body.
    pub(crate) fn json(self, body: &impl Serialize) -> Result<Self, ClientError> {
        let bytes = serde_json::to_vec(body).map_err(|source| ClientError::Decode {
            route: self.route(),
            source: source.into(),
        })?;
        Ok(self.bytes("application/json", bytes))
    }

    /// Adds a body of this media type.
    pub(crate) fn bytes(mut self, media_type: &str, bytes: Vec<u8>) -> Self {
        self.body = Some(SentBody {
            media_type: media_type.to_owned(),
            bytes: bytes.into(),
        });
        self
    }

    /// Adds the query: the part behind the question mark.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self, ClientError> {
        let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Decode {
            route: self.route(),
            source,
        };
        let fields = match serde_json::to_value(query) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(unreadable("a query is an object".into())),
            Err(source) => return Err(unreadable(source.into())),
        };
        let mut pairs = Serializer::new(self.query);
        for (name, value) in fields {
            match value.as_str() {
                Some(text) => pairs.append_pair(&name, text),
                None => pairs.append_pair(&name, &value.to_string()),
            };
        }
        self.query = pairs.finish();
        Ok(self)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Asks for another media type than JSON.
    pub(crate) fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }

    /// Says that a second request is harmless.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Harmless;
        self
    }

    /// Gives the server this much more time, because it was asked to wait.
    pub(crate) fn held_for(mut self, wait: Option<Duration>) -> Self {
        self.answer_time = ANSWER_TIME.saturating_add(wait.unwrap_or_default());
        self
    }

    /// Returns the method and path, for messages.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn repeat(&self) -> Repeat {
        self.repeat
    }

    /// Returns the longest time for the head of the answer.
    pub(crate) fn answer_time(&self) -> Duration {
        self.answer_time
    }

    /// Returns the request as it is sent to this endpoint.
    pub(crate) fn build(
        &self,
        endpoint: &Endpoint,
    ) -> Result<http::Request<Full<Bytes>>, ClientError> {
        let mark = if self.query.is_empty() { "" } else { "?" };
        let authority = endpoint.address.authority();
        let mut builder = http::Request::builder()
            .method(self.method.clone())
            .uri(format!(
                "http://{authority}{}{mark}{}",
                self.path, self.query
            ))
            .header(header::ACCEPT, self.accept);
        if let Some(token) = &endpoint.token {
            builder = builder.header(header::AUTHORIZATION, token.header()?);
        }
        for (name, value) in &self.headers {
            builder = builder.header(*name, value);
        }
        let bytes = match &self.body {
            Some(body) => {
                builder = builder.header(header::CONTENT_TYPE, &body.media_type);
                body.bytes.clone()
            }
            None => Bytes::new(),
        };
        let built = builder.body(Full::new(bytes));
        built.map_err(|source| ClientError::Decode {
            route: self.route(),
            source: source.into(),
        })
    }
}
