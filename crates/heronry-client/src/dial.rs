//! Connections: one is handed out only when who answers has proved that it knows the token.

use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use heronry_wire::{Problem, Proof, ProofKey, Prove};
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::{Endpoint, ServerAddress, Token};

/// The largest answer to the question for a proof, in bytes.
const PROOF_BYTES_MAX: usize = 4_096;

/// The reasons why a connection cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// Nobody listens, or the connection broke.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Nobody answered in time.
    #[error("no answer within {} ms", time.as_millis())]
    Silent { time: Duration },
    /// The server says that it cannot answer now.
    #[error("it is not ready: {detail}")]
    NotReady { detail: String },
    /// The program that answers does not speak this API.
    #[error("the answer to the question for a proof is none (status {status})")]
    Foreign { status: u16 },
    /// The program that answers does not know the token.
    #[error("it does not know the token")]
    Unproven,
    /// The socket is another user's.
    #[error("the socket belongs to user {uid}")]
    OtherUser { uid: u32 },
}

/// Connects to one endpoint. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    endpoint: Endpoint,
    /// The longest time to set up a connection, the proof included.
    time: Duration,
    /// True once a connection was set up; shared with the client.
    reached: Arc<AtomicBool>,
}

/// A connection that a token may be sent over.
pub(crate) struct Link(Box<dyn Stream>);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Dialer {
    pub(crate) fn new(endpoint: Endpoint, time: Duration, reached: Arc<AtomicBool>) -> Self {
        Self {
            endpoint,
            time,
            reached,
        }
    }

    async fn dial(self) -> Result<TokioIo<Link>, DialError> {
        let Endpoint { address, token } = &self.endpoint;
        let dialled = async {
            let Dialled { link, place } = match address {
                ServerAddress::Tcp { host, port } => tcp(host, *port).await?,
                ServerAddress::Unix(path) => unix(path).await?,
            };
            match token {
                Some(token) => prove(link, &place, token).await,
                None => Ok(link),
            }
        };
        let link = tokio::time::timeout(self.time, dialled).await;
        let link = link.map_err(|_| DialError::Silent { time: self.time })??;
        self.reached.store(true, Ordering::Relaxed);
        Ok(TokioIo::new(link))
    }
}

/// A connection that is not proved yet, and the place that it leads to.
struct Dialled {
    link: Link,
    place: Peer,
}

/// The place that a connection leads to.
struct Peer {
    /// The address that a proof is asked for.
    address: String,
    /// The process that listens there, where the system tells.
    pid: Option<u32>,
}

async fn tcp(host: &str, port: u16) -> Result<Dialled, DialError> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let address = stream.peer_addr()?.to_string();
    Ok(Dialled {
        link: Link(Box::new(stream)),
        place: Peer { address, pid: None },
    })
}

/// Connects to a socket of this user.
#[cfg(unix)]
async fn unix(path: &std::path::Path) -> Result<Dialled, DialError> {
    let stream = tokio::net::UnixStream::connect(path).await?;
    let peer = stream.peer_cred()?;
    let uid = peer.uid();
    if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        return Err(DialError::OtherUser { uid });
    }
    // A process that this one cannot see, as in another container, has the number 0.
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
    Ok(Dialled {
        link: Link(Box::new(stream)),
        place: Peer {
            address: Prove::SOCKET.to_owned(),
            pid: pid.filter(|pid| *pid != 0),
        },
    })
}

#[cfg(not(unix))]
async fn unix(_: &std::path::Path) -> Result<Dialled, DialError> {
    Err(io::Error::from(io::ErrorKind::Unsupported).into())
}

/// Asks the program that listens for a proof that it knows the token, and gives the connection back.
async fn prove(link: Link, place: &Peer, token: &Token) -> Result<Link, DialError> {
    let address = place.address.as_str();
    let mut nonce = [0; 32];
    getrandom::fill(&mut nonce).map_err(|error| io::Error::other(error.to_string()))?;
    let question = Prove::new(nonce, address, token.reveal());
    let (sender, mut connection) = http1::handshake(TokioIo::new(link)).await.map_err(broken)?;
    let mut asked = pin!(ask(sender, &question, address));
    // The connection moves the bytes while the answer is waited for.
    let answer = poll_fn(|cx| {
        if let Poll::Ready(answer) = asked.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        match connection.poll_without_shutdown(cx) {
            // What was asked is told of the end by the connection itself.
            Poll::Ready(_) => asked.as_mut().poll(cx),
            Poll::Pending => Poll::Pending,
        }
    })
    .await?;
    // The answer of another process was handed on by the one that listens.
    let is_of_another = place.pid.is_some_and(|pid| pid != answer.pid);
    if is_of_another || !ProofKey::of(token.reveal()).accepts(&question, &answer) {
        return Err(DialError::Unproven);
    }
    let parts = connection.into_parts();
    if !parts.read_buf.is_empty() {
        return Err(DialError::Foreign { status: 200 });
    }
    Ok(parts.io.into_inner())
}

fn host_of(address: &str) -> &str {
    if address == Prove::SOCKET {
        return "localhost";
    }
    address
}

async fn ask(
    mut sender: SendRequest<Full<Bytes>>,
    question: &Prove,
    address: &str,
) -> Result<Proof, DialError> {
    // Three texts: writing them as JSON cannot fail.
    let body = serde_json::to_vec(question).unwrap_or_default();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v1/prove")
        .header(header::HOST, host_of(address))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status().as_u16();
    let foreign = || DialError::Foreign { status };
    let body: Limited<Incoming> = Limited::new(response.into_body(), PROOF_BYTES_MAX);
    let bytes = body.collect().await.map_err(|_| foreign())?.to_bytes();
    match status {
        200 => serde_json::from_slice(&bytes).map_err(|_| foreign()),
        500.. => {
            let problem: Problem = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
            let detail = problem.to_string();
            Err(DialError::NotReady { detail })
        }
        _ => Err(foreign()),
    }
}

fn broken(error: hyper::Error) -> DialError {
    if error.is_parse() {
        return DialError::Foreign { status: 0 };
    }
    DialError::Io(io::Error::other(error))
}

impl tower_service::Service<Uri> for Dialer {
    type Response = TokioIo<Link>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Link>, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    /// Every request of one client goes to the one endpoint, whatever it names.
    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().dial())
    }
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Link {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
