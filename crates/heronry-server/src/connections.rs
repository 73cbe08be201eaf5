//! The connections of a server: taken, bounded, and ended.

mod bodies;
mod crowd;
mod limits;
mod linger;
mod listener;
mod pace;
mod transport;

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
    response::Response,
};
use heronry_api::Stop;
use heronry_store::Clock;
use heronry_types::Millis;
use hyper::{
    body::Incoming,
    server::conn::http1::Builder,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use bodies::BodyLate;
pub(crate) use crowd::Guest;
pub use limits::ConnectionLimits;
pub use listener::Listener;

use self::{
    bodies::{AnswerBody, RequestBody, Rest},
    crowd::{Crowd, Full},
    linger::Lingering,
    pace::{Pace, Watchdog},
    transport::{Duplex, Transport},
};
use crate::hosts::Hosts;

/// The time for which nothing is accepted after a connection could not be.
const ACCEPT_AGAIN_AFTER: Millis = Millis(100);

/// The connections of a server.
#[derive(Debug)]
pub(crate) struct Connections {
    router: Router,
    crowd: Arc<Crowd>,
    limits: ConnectionLimits,
    clock: Arc<dyn Clock>,
    stop: Stop,
    /// Ends every connection at once.
    cut: CancellationToken,
    tasks: TaskTracker,
    places: Places,
    refusals: Places,
    /// The places of connections that linger after their answer.
    lingering: Places,
    overfull: ReportedCondition,
    failing: ReportedCondition,
}

/// A flag that is set while a condition lasts that the log has reported.
#[derive(Debug, Default)]
struct ReportedCondition(AtomicBool);

impl ReportedCondition {
    /// Returns true the first time since it was over.
    fn begins(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }

    /// Returns true when it had begun.
    fn ends(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// The places that connections take. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    max: u32,
}

impl Places {
    /// Returns so many places, all of them free.
    pub(crate) fn new(max: u32) -> Self {
        // More places than a semaphore can count are as good as all that it can.
        let count = usize::try_from(max).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))),
            max,
        }
    }

    /// Returns how many there are.
    pub(crate) fn max(&self) -> u64 {
        u64::from(self.max)
    }

    /// Returns how many are taken.
    pub(crate) fn taken(&self) -> u64 {
        self.max()
            .saturating_sub(self.free.available_permits() as u64)
    }
}

/// The terms on which one connection is served.
struct Terms {
    router: Router,
    hosts: Arc<Hosts>,
    /// The guest whose connection it is; `None` when the guest is only told that there are too many
    /// connections.
    guest: Option<Arc<Guest>>,
    limits: ConnectionLimits,
    keep_alive: KeepAlive,
    lingering: Places,
    /// Given back when the connection ends.
    _place: OwnedSemaphorePermit,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum KeepAlive {
    Yes,
    No,
}

impl Connections {
    /// Returns no connections yet, to be served by these routes until `stop`.
    pub(crate) fn new(
        router: Router,
        (limits, places): (ConnectionLimits, Places),
        clock: Arc<dyn Clock>,
        stop: Stop,
    ) -> Self {
        Self {
            router,
            crowd: Crowd::new(limits),
            limits,
            clock,
            stop,
            cut: CancellationToken::new(),
            tasks: TaskTracker::new(),
            places,
            refusals: Places::new(ConnectionLimits::REFUSALS_MAX),
            lingering: Places::new(limits.lingering_max()),
            overfull: ReportedCondition::default(),
            failing: ReportedCondition::default(),
        }
    }

    /// Takes what connects to a listener until the server stops.
    pub(crate) async fn accept(&self, listener: Listener, hosts: Arc<Hosts>) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.stopped() => return,
                accepted = listener.accept() => accepted,
            };
            tokio::select! {
                biased;
                () = self.stop.stopped() => return,
                () = self.take(accepted, &hosts) => {}
            }
        }
    }

    async fn take(&self, accepted: io::Result<Box<dyn Duplex>>, hosts: &Arc<Hosts>) {
        match accepted {
            Ok(stream) => {
                if self.failing.ends() {
                    tracing::info!("connections are accepted again");
                }
                self.admit(stream, hosts).await;
            }
            Err(error) if is_of_one_peer(&error) => {}
            Err(error) => {
                if self.failing.begins() {
                    tracing::error!(%error, "connections cannot be accepted; trying again");
                }
                let now = self.clock.now().monotonic;
                let again = Millis(now.0.saturating_add(ACCEPT_AGAIN_AFTER.0));
                self.clock.alarm(again).await;
            }
        }
    }

    /// Takes a place for a connection of which nobody knows whose it is.
    fn place(&self) -> Result<(OwnedSemaphorePermit, Guest), Full> {
        let place = Arc::clone(&self.places.free).try_acquire_owned();
        let place = place.map_err(|_| Full {
            limit: "connections_max",
            max: self.limits.connections_max,
        })?;
        Ok((place, self.crowd.enter()?))
    }

    /// Serves a connection, or tells it that there are too many as soon as somebody has the time.
    async fn admit(&self, stream: Box<dyn Duplex>, hosts: &Arc<Hosts>) {
        let terms = match self.place() {
            Ok((place, guest)) => {
                self.overfull.ends();
                Terms {
                    router: self.router.clone(),
                    hosts: Arc::clone(hosts),
                    guest: Some(Arc::new(guest)),
                    limits: self.limits,
                    keep_alive: KeepAlive::Yes,
                    lingering: self.lingering.clone(),
                    _place: place,
                }
            }
            Err(full) => {
                if self.overfull.begins() {
                    let Full { limit, max } = full;
                    let said = "connections are refused: as many as may be are open";
                    tracing::warn!(limit, max, "{said}");
                }
                // The semaphore is never closed; if it were, nobody would be there to be refused.
                let Ok(place) = Arc::clone(&self.refusals.free).acquire_owned().await else {
                    return;
                };
                Terms {
                    router: Router::new().fallback(async move || full.refusal()),
                    hosts: Arc::clone(hosts),
                    guest: None,
                    limits: self.limits.of_a_refusal(),
                    keep_alive: KeepAlive::No,
                    lingering: self.lingering.clone(),
                    _place: place,
                }
            }
        };
        let connection = converse(stream, terms, Arc::clone(&self.clock), self.stop.clone());
        let cut = self.cut.clone();
        self.tasks.spawn(async move {
            // A connection that is cut has been given all the time that there is.
            let _ = cut.run_until_cancelled(connection).await;
        });
    }

    /// Waits until every connection has ended, and cuts those that take too long.
    pub(crate) async fn drain(&self) {
        // Dropped half way, the connections do not outlive it.
        let cut = self.cut.clone().drop_guard();
        self.tasks.close();
        let now = self.clock.now().monotonic;
        let latest = Millis(now.0.saturating_add(self.limits.drain.0));
        tokio::select! {
            biased;
            () = self.tasks.wait() => return,
            () = self.clock.alarm(latest) => {}
        }
        tracing::warn!(
            connections = self.tasks.len(),
            "connections are cut: they did not end in time"
        );
        drop(cut);
        self.tasks.wait().await;
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        self.cut.cancel();
    }
}

/// The peer went away before it was accepted: nothing is wrong here.
fn is_of_one_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// Serves one connection until it ends, or keeps the server waiting for too long.
async fn converse(stream: Box<dyn Duplex>, terms: Terms, clock: Arc<dyn Clock>, stop: Stop) {
    let pace = Pace::new(Arc::clone(&clock));
    let (places, time) = (Arc::clone(&terms.lingering.free), terms.limits.linger);
    let lingering = Lingering::new(places, Arc::clone(&clock), time);
    let transport = TokioIo::new(Transport::new(stream, pace.clone(), lingering));
    let routes = TowerToHyperService::new(terms.router);
    let service = service_fn(|request: Request<Incoming>| {
        pace.requested();
        let clock = Arc::clone(&clock);
        let (rest, timing) = (Rest::default(), (clock, terms.limits.body));
        let asks_first = request.headers().contains_key(header::EXPECT);
        let body = |body| Body::new(RequestBody::new(body, timing, rest.clone()));
        let mut request = request.map(body);
        request.extensions_mut().insert(Arc::clone(&terms.hosts));
        if let Some(guest) = &terms.guest {
            request.extensions_mut().insert(Arc::clone(guest));
        }
        let answering = routes.call(request);
        let exchange = Exchange {
            rest,
            asks_first,
            keep_alive: terms.keep_alive,
        };
        let pace = pace.clone();
        async move {
            let response = answering.await?;
            let response = told_whether_it_closes(response, exchange, &pace).await;
            Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, pace)))
        }
    });
    let mut connection = pin!(
        Builder::new()
            .keep_alive(terms.keep_alive == KeepAlive::Yes)
            .header_read_timeout(None)
            .serve_connection(transport, service)
    );
    let mut watchdog = Watchdog::new(pace.clone(), terms.limits);
    let mut stopping = pin!(stop.stopped());
    let mut told = false;
    loop {
        tokio::select! {
            biased;
            () = &mut stopping, if !told => {
                if pace.is_untouched() {
                    return;
                }
                told = true;
                pace.stopped();
                connection.as_mut().graceful_shutdown();
            }
            // How a connection breaks off is its peer's affair.
            _ = connection.as_mut() => return,
            () = poll_fn(|cx| watchdog.poll_overdue(cx)) => {
                tracing::debug!("a connection is cut: it kept the server waiting for too long");
                return;
            }
        }
    }
}

/// A request that is being answered.
struct Exchange {
    /// The rest of its body.
    rest: Rest,
    /// True when the peer asks before it sends the body.
    asks_first: bool,
    keep_alive: KeepAlive,
}

/// Says in an answer that the connection closes, where not all of its request has arrived or no other
/// request is taken.
async fn told_whether_it_closes(
    mut response: Response,
    exchange: Exchange,
    pace: &Pace,
) -> Response {
    let Exchange {
        rest,
        asks_first,
        keep_alive,
    } = exchange;
    // Who asks before it sends the rest would take the reading of it for a yes.
    let is_whole = if asks_first {
        rest.is_none()
    } else {
        rest.is_taken().await
    };
    if !is_whole {
        pace.answered_early();
    }
    if !is_whole || keep_alive == KeepAlive::No {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use heronry_testkit::ManualClock;

    use super::*;

    fn connections(clock: &ManualClock) -> Connections {
        let limits = ConnectionLimits::default();
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let places = Places::new(limits.connections_max);
        Connections::new(Router::new(), (limits, places), clock, Stop::default())
    }

    #[test]
    fn without_a_descriptor_nothing_is_accepted_for_a_while() {
        let clock = ManualClock::default();
        let connections = connections(&clock);
        let hosts = Arc::new(Hosts::of("127.0.0.1:1".parse().unwrap()));
        // EMFILE, as Linux and the BSDs number it.
        let exhausted = Err(io::Error::from_raw_os_error(24));
        let mut taking = Box::pin(connections.take(exhausted, &hosts));
        assert!((&mut taking).now_or_never().is_none());
        clock.advance(Millis(ACCEPT_AGAIN_AFTER.0 - 1));
        assert!((&mut taking).now_or_never().is_none());
        clock.advance(Millis(1));
        assert!(taking.now_or_never().is_some());
        // A peer that went away holds nobody up.
        let gone = Err(io::ErrorKind::ConnectionAborted.into());
        assert!(connections.take(gone, &hosts).now_or_never().is_some());
        assert_eq!(clock.next_alarm(), None);
    }

    #[test]
    fn what_lasts_is_said_once_until_it_is_over() {
        let said = ReportedCondition::default();
        assert_eq!([said.begins(), said.begins()], [true, false]);
        assert_eq!([said.ends(), said.ends()], [true, false]);
        assert!(said.begins());
    }
}
