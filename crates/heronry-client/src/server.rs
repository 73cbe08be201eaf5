//! A server as a client sees it: found anew for each attempt, and asked again where that is harmless.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use heronry_wire::{PROBLEM_MEDIA_TYPE, Problem};
use http::{Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::{
    ClientError, Endpoint, Locate, LocateError,
    dial::{DialError, Dialer},
    exchange::Request,
    retry::{Attempt, Contact, Patience, Tried, pause},
};

/// The longest time that an unused connection is kept: shorter than servers keep theirs.
const IDLE_TIME: Duration = Duration::from_secs(20);

/// The longest time to set up a connection, however patient the client is.
const DIAL_TIME_MAX: Duration = Duration::from_secs(5);
/// The time that every connection gets to be set up.
const DIAL_TIME_MIN: Duration = Duration::from_millis(100);

/// The longest time for the body of an answer to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);

/// A server that is found anew for each attempt. Cheap to clone; clones share connections.
#[derive(Clone)]
pub(crate) struct LocatedServer {
    locate: Arc<dyn Locate>,
    shared: Arc<SharedConnections>,
    patience: Patience,
}

/// The state that all clones of a client share.
#[derive(Default)]
struct SharedConnections {
    channel: Mutex<Option<Channel>>,
    /// True once a connection was set up.
    reached: Arc<AtomicBool>,
}

/// The connections to one endpoint.
#[derive(Clone)]
struct Channel {
    endpoint: Endpoint,
    http: legacy::Client<Dialer, Full<Bytes>>,
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub(crate) struct ServerAnswer {
    pub(crate) response: Response<Incoming>,
    url: String,
}

impl LocatedServer {
    pub(crate) fn new(locate: Arc<dyn Locate>) -> Self {
        Self {
            locate,
            shared: Arc::default(),
            patience: Patience::default(),
        }
    }

    pub(crate) fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        // The patience bounds how connections are set up, too.
        self.shared = Arc::default();
        self
    }

    /// Returns the address of the server as text; the last known one when it cannot be found.
    pub(crate) fn url(&self) -> String {
        let last = || self.lock().as_ref().map(|it| it.endpoint.clone());
        let endpoint = self.locate.locate().ok().or_else(last);
        endpoint.map_or_else(String::new, |it| it.address.to_string())
    }

    /// Sends a request, again where that is harmless, and returns a good answer.
    pub(crate) async fn send(&self, request: &Request) -> Result<ServerAnswer, ClientError> {
        let begun = Instant::now();
        let mut failing_since = None;
        let mut attempts = 0;
        loop {
            let failed = match self.attempt(request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            attempts += 1;
            let contact = self.contact();
            // Nobody was there from the beginning; a server that was there is gone from now on.
            let since = *failing_since.get_or_insert_with(|| match contact {
                Contact::Never => begun,
                Contact::Before => Instant::now(),
            });
            let failing_for = since.elapsed();
            let tried = Tried {
                attempts,
                failing_for,
                contact,
            };
            match self.patience.pause(&failed, tried, request.repeat()) {
                Some(length) => pause(length).await,
                None => return Err(failed.into_error()),
            }
        }
    }

    /// Sends a request and reads its answer as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<T, ClientError> {
        let bytes = self.send(&request).await?.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Decode {
            route: request.route(),
            source: source.into(),
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Channel>> {
        let channel = self.shared.channel.lock();
        channel.unwrap_or_else(PoisonError::into_inner)
    }

    fn contact(&self) -> Contact {
        if self.shared.reached.load(Ordering::Relaxed) {
            Contact::Before
        } else {
            Contact::Never
        }
    }

    /// Returns the connections to where the server is now.
    fn channel(&self) -> Result<Channel, ClientError> {
        let endpoint = self.locate.locate().map_err(|error| {
            let may_come = matches!(error, LocateError::NotYet(_));
            let detail = error.to_string();
            ClientError::NotFound { detail, may_come }
        })?;
        let mut known = self.lock();
        match &*known {
            Some(channel) if channel.endpoint == endpoint => Ok(channel.clone()),
            Some(_) | None => {
                let time = self.patience.first.clamp(DIAL_TIME_MIN, DIAL_TIME_MAX);
                let reached = Arc::clone(&self.shared.reached);
                let dialer = Dialer::new(endpoint.clone(), time, reached);
                let channel = Channel::to(endpoint, dialer);
                *known = Some(channel.clone());
                Ok(channel)
            }
        }
    }

    async fn attempt(&self, request: &Request) -> Result<ServerAnswer, Attempt> {
        let channel = self.channel().map_err(Attempt::Unsent)?;
        let url = channel.endpoint.address.to_string();
        let built = request.build(&channel.endpoint).map_err(Attempt::Unsent)?;
        let asked = timeout(request.answer_time(), channel.http.request(built));
        let Ok(answered) = asked.await else {
            return Err(Attempt::Unknown(ClientError::Timeout { url }));
        };
        let response = answered.map_err(|error| failed(url.clone(), error))?;
        let is_good = response.status().is_success();
        let answer = ServerAnswer { response, url };
        if is_good {
            return Ok(answer);
        }
        Err(Attempt::Answered(answer.problem().await))
    }
}

impl Channel {
    fn to(endpoint: Endpoint, dialer: Dialer) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .build(dialer);
        Self { endpoint, http }
    }
}

impl ServerAnswer {
    /// Returns the media type of the body.
    pub(crate) fn media_type(&self) -> Option<&str> {
        let value = self.response.headers().get(header::CONTENT_TYPE)?;
        value.to_str().ok()
    }

    /// Reads the whole body.
    pub(crate) async fn bytes(self) -> Result<Bytes, ClientError> {
        let Self { response, url } = self;
        match timeout(BODY_TIME, response.into_body().collect()).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) => Err(unreachable(url, error)),
            Err(_) => Err(ClientError::Timeout { url }),
        }
    }

    /// Reads the next part of the body; nothing at its end.
    pub(crate) async fn part(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.response.body_mut().frame().await {
            let frame = frame.map_err(|error| unreachable(self.url.clone(), error))?;
            if let Ok(bytes) = frame.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    async fn problem(self) -> ClientError {
        let status = self.response.status().as_u16();
        let is_problem = self
            .media_type()
            .is_some_and(|value| value.starts_with(PROBLEM_MEDIA_TYPE));
        let url = self.url.clone();
        let foreign = || ClientError::Foreign { url, status };
        if !is_problem {
            return foreign();
        }
        match self.bytes().await {
            Ok(bytes) => serde_json::from_slice::<Problem>(&bytes)
                .map_or_else(|_| foreign(), |it| ClientError::Refused(Box::new(it))),
            Err(error) => error,
        }
    }
}

/// Returns the point that a request without an answer reached.
fn failed(url: String, error: legacy::Error) -> Attempt {
    if !error.is_connect() {
        return Attempt::Unknown(unreachable(url, error));
    }
    Attempt::Unsent(match dial_error(&error) {
        Some(DialError::Foreign { status }) => ClientError::Foreign {
            url,
            status: *status,
        },
        Some(DialError::Unproven | DialError::OtherUser { .. }) => ClientError::Unproven {
            url,
            source: error.into(),
        },
        Some(DialError::Io(_) | DialError::Silent { .. } | DialError::NotReady { .. }) | None => {
            unreachable(url, error)
        }
    })
}

fn dial_error(error: &legacy::Error) -> Option<&DialError> {
    let mut cause = error.source();
    while let Some(deeper) = cause {
        if let Some(found) = deeper.downcast_ref() {
            return Some(found);
        }
        cause = deeper.source();
    }
    None
}

fn unreachable(url: String, error: impl Into<Box<dyn Error + Send + Sync>>) -> ClientError {
    let source = error.into();
    ClientError::Unreachable { url, source }
}

impl fmt::Debug for LocatedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("locate", &self.locate)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
