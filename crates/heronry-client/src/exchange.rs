//! One request and its answer.

use std::time::Duration;

use heronry_wire::{PROBLEM_MEDIA_TYPE, Problem};
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    ClientError, Token,
    retry::{Attempt, Repeat, pause, pause_before_next},
};

/// How long an answer may take that the server does not hold back on purpose.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// How long a connection may take to come about.
const CONNECT_TIME: Duration = Duration::from_secs(5);

/// A server and the token that it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    http: reqwest::Client,
    base: Url,
    token: Option<Token>,
}

/// A request that can be sent more than once.
#[derive(Debug)]
pub(crate) struct Request {
    method: Method,
    url: Url,
    body: Option<(String, Vec<u8>)>,
    accept: &'static str,
    headers: Vec<(&'static str, String)>,
    repeat: Repeat,
    answer_time: Option<Duration>,
}

impl Server {
    pub(crate) fn new(url: &str, token: Option<Token>) -> Result<Self, ClientError> {
        let refuse = || ClientError::Url {
            found: url.chars().take(200).collect(),
        };
        let base = Url::parse(url).map_err(|_| refuse())?;
        if base.scheme() != "http" || base.host().is_none() {
            return Err(refuse());
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .build()
            .map_err(|_| refuse())?;
        Ok(Self { http, base, token })
    }

    /// Returns the URL without its trailing slash.
    pub(crate) fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Returns a request to the path of these segments, each percent-encoded.
    pub(crate) fn request(
        &self,
        method: Method,
        segments: &[&str],
    ) -> Result<Request, ClientError> {
        let mut url = self.base.clone();
        // URLs drop such a segment even when it is encoded: the request would name another thing.
        if let Some(found) = segments.iter().find(|s| matches!(**s, "." | "..")) {
            return Err(ClientError::Path {
                found: (*found).to_owned(),
            });
        }
        url.path_segments_mut()
            .map_err(|()| ClientError::Url {
                found: self.base.to_string(),
            })?
            .pop_if_empty()
            .extend(segments);
        let repeat = match method {
            Method::GET => Repeat::Harmless,
            _ => Repeat::Harmful,
        };
        Ok(Request {
            method,
            url,
            body: None,
            accept: "application/json",
            headers: Vec::new(),
            repeat,
            answer_time: Some(ANSWER_TIME),
        })
    }

    /// Sends a request, again where that is harmless, and returns a good answer.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response, ClientError> {
        let mut tries = 1;
        loop {
            let failed = match self.attempt(request).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            match pause_before_next(&failed, tries, request.repeat) {
                Some(length) => pause(length).await,
                None => return Err(failed.into_error()),
            }
            tries += 1;
        }
    }

    /// Sends a request and reads its answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<T, ClientError> {
        let response = self.send(&request).await?;
        let bytes = response.bytes().await.map_err(|e| self.broken(e))?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Decode {
            route: request.route(),
            source: source.into(),
        })
    }

    /// Returns what a connection that broke during the answer means.
    pub(crate) fn broken(&self, error: reqwest::Error) -> ClientError {
        if error.is_timeout() {
            return ClientError::Timeout {
                url: self.url().to_owned(),
            };
        }
        ClientError::Unreachable {
            url: self.url().to_owned(),
            source: error.without_url().into(),
        }
    }

    async fn attempt(&self, request: &Request) -> Result<Response, Attempt> {
        let sent = self.builder(request).send().await;
        let response = sent.map_err(|error| {
            let unsent = error.is_connect() || error.is_builder();
            let error = self.broken(error);
            if unsent {
                Attempt::Unsent(error)
            } else {
                Attempt::Unknown(error)
            }
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Attempt::Answered(self.problem(response).await))
    }

    fn builder(&self, request: &Request) -> RequestBuilder {
        let mut builder = self
            .http
            .request(request.method.clone(), request.url.clone())
            .header(header::ACCEPT, request.accept);
        if let Some(token) = &self.token {
            builder = builder.bearer_auth(token.reveal());
        }
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some((media_type, bytes)) = &request.body {
            builder = builder
                .header(header::CONTENT_TYPE, media_type)
                .body(bytes.clone());
        }
        match request.answer_time {
            Some(time) => builder.timeout(time),
            None => builder,
        }
    }

    async fn problem(&self, response: Response) -> ClientError {
        let status = response.status().as_u16();
        let media_type = response.headers().get(header::CONTENT_TYPE);
        let is_problem = media_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with(PROBLEM_MEDIA_TYPE));
        let foreign = || ClientError::Foreign {
            url: self.url().to_owned(),
            status,
        };
        if !is_problem {
            return foreign();
        }
        match response.bytes().await {
            Ok(bytes) => serde_json::from_slice::<Problem>(&bytes)
                .map_or_else(|_| foreign(), |it| ClientError::Refused(Box::new(it))),
            Err(error) => self.broken(error),
        }
    }
}

impl Request {
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
        self.body = Some((media_type.to_owned(), bytes));
        self
    }

    /// Adds what stands behind the question mark.
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
        if fields.is_empty() {
            return Ok(self);
        }
        let mut pairs = self.url.query_pairs_mut();
        for (name, value) in fields {
            let text = match value.as_str() {
                Some(text) => text.to_owned(),
                None => value.to_string(),
            };
            pairs.append_pair(&name, &text);
        }
        drop(pairs);
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
        let time = ANSWER_TIME.saturating_add(wait.unwrap_or_default());
        self.answer_time = Some(time);
        self
    }

    /// Lets the answer take as long as it takes.
    pub(crate) fn endless(mut self) -> Self {
        self.answer_time = None;
        self
    }

    /// Returns the method and path, for messages.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method, self.url.path())
    }
}
