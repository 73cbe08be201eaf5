//! Posting batches of events, and what the answers mean.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use heronry_event::Event;
use heronry_runtime::{EventSink, SinkError};
use heronry_types::Millis;
use heronry_wire::ExportFormat;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use secrecy::{ExposeSecret, SecretString};

use crate::Endpoint;

/// The longest time to set up a connection.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// The longest time for an answer, unless it is set otherwise.
const ANSWER_TIME: Duration = Duration::from_secs(20);
/// The most bytes of an answer that are read; a connection with a longer one is closed.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A sink that posts batches of events to one HTTP endpoint.
pub struct HttpSink {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: Endpoint,
    format: ExportFormat,
    token: Option<SecretString>,
    answer_time: Duration,
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpSink({})", self.endpoint)
    }
}

/// The meaning of an answer.
enum Answer {
    Taken,
    TooLarge,
}

impl HttpSink {
    /// Returns a sink that posts JSON lines without a token.
    pub fn new(endpoint: Endpoint) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            endpoint,
            format: ExportFormat::default(),
            token: None,
            answer_time: ANSWER_TIME,
        }
    }

    /// Sets the form of the events.
    #[must_use]
    pub fn with_format(mut self, format: ExportFormat) -> Self {
        self.format = format;
        self
    }

    /// Sets the token, which goes out as `Authorization: Bearer`.
    #[must_use]
    pub fn with_token(mut self, token: SecretString) -> Self {
        self.token = Some(token);
        self
    }

    /// Sets the longest time for an answer.
    #[must_use]
    pub fn with_answer_time(mut self, answer_time: Duration) -> Self {
        self.answer_time = answer_time;
        self
    }

    fn request(&self, events: &[Event]) -> Result<Request<Full<Bytes>>, SinkError> {
        let refused = |error: &dyn fmt::Display| SinkError::permanent(error.to_string());
        let body = self.format.batch(events).map_err(|error| refused(&error))?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.endpoint.uri().clone())
            .header(header::CONTENT_TYPE, self.format.media_type());
        if let Some(token) = &self.token {
            let value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
            let mut value = value.map_err(|_| {
                SinkError::permanent("the token has a character that no header has")
            })?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Full::new(Bytes::from(body)));
        request.map_err(|error| refused(&error))
    }

    /// Posts events once.
    async fn post(&self, events: &[Event]) -> Result<Answer, SinkError> {
        let request = self.request(events)?;
        let answered = tokio::time::timeout(self.answer_time, self.client.request(request)).await;
        let Ok(answered) = answered else {
            let ms = self.answer_time.as_millis();
            return Err(SinkError::transient(format!(
                "{} gave no answer within {ms} ms",
                self.endpoint
            )));
        };
        let response = answered.map_err(|error| {
            SinkError::transient(format!("{} cannot be reached: {error}", self.endpoint))
        })?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        // A body that was read leaves the connection for the next batch; what it says is not used.
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect();
        drop(tokio::time::timeout(self.answer_time, body).await);
        self.judge(status, retry_after)
    }

    fn judge(&self, status: StatusCode, retry_after: Option<Millis>) -> Result<Answer, SinkError> {
        let detail = format!("{} answered {status}", self.endpoint);
        match status {
            status if status.is_success() => Ok(Answer::Taken),
            StatusCode::PAYLOAD_TOO_LARGE => Ok(Answer::TooLarge),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(later(retry_after, detail))
            }
            status if status.is_server_error() => Err(later(retry_after, detail)),
            _ => Err(SinkError::permanent(detail)),
        }
    }
}

fn later(retry_after: Option<Millis>, detail: String) -> SinkError {
    match retry_after {
        Some(retry_after) => SinkError::after(retry_after, detail),
        None => SinkError::transient(detail),
    }
}

/// Returns the time that an answer asks to wait, when it says so in seconds.
fn retry_after(headers: &http::HeaderMap) -> Option<Millis> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Millis::from_secs)
}

#[async_trait]
impl EventSink for HttpSink {
    async fn append_batch(&self, events: &[Event]) -> Result<(), SinkError> {
        // The parts that are left, the next one last.
        let mut left = vec![events];
        while let Some(part) = left.pop() {
            match self.post(part).await? {
                Answer::Taken => {}
                Answer::TooLarge if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    left.push(second);
                    left.push(first);
                }
                Answer::TooLarge => {
                    let id = part.first().map(|event| event.envelope.id().to_string());
                    let id = id.unwrap_or_default();
                    return Err(SinkError::permanent(format!(
                        "{} answered 413 to one event, {id}",
                        self.endpoint
                    )));
                }
            }
        }
        Ok(())
    }
}
