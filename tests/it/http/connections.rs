//! Connections of a real server: their bounds, and their end.

use std::{net::SocketAddr, time::Duration};

use heronry_server::{
    Auth, ConnectionLimits, Keepers, Listener, OperatorToken, ServeError, ServerConfig, StoreWatch,
    serve,
};
use heronry_types::Millis;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use heronry_tests::server::{OPERATOR, Server};

/// The longest wait of a test for something that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server that listens, on a clock that the test moves.
pub(crate) struct Serving {
    pub(crate) server: Server,
    address: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) ended: Ended,
}

/// Short bounds, none of which another alarm of the server can be taken for.
pub(crate) fn limits() -> ConnectionLimits {
    let mut limits = ConnectionLimits::default();
    limits.head = Millis(100);
    limits.body = Millis(200);
    limits.write_stall = Millis(300);
    limits.idle = Millis(400);
    limits.drain = Millis(500);
    limits
}

impl Serving {
    pub(crate) async fn with(limits: ConnectionLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::on(vec![Listener::Tcp(listener)], address, limits)
    }

    fn on(listeners: Vec<Listener>, address: SocketAddr, limits: ConnectionLimits) -> Self {
        let server = Server::on_memory();
        let (stop, ended) = started(&server, listeners, limits);
        Self {
            server,
            address,
            stop,
            ended,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection whose reader takes little before it has to read.
    async fn connect_narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// A request of the operator, whose head ends with these lines.
    pub(crate) fn head(&self, line: &str, more: &str) -> String {
        let host = self.address;
        format!("{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {OPERATOR}\r\n{more}\r\n")
    }

    /// Lets a time pass as soon as somebody waits for its end.
    pub(crate) async fn pass(&self, span: Millis) {
        self.server.waits_for(span).await;
        self.server.clock.advance(span);
    }
}

pub(crate) type Ended = JoinHandle<Result<(), ServeError>>;

/// Starts to serve, and returns what stops it.
fn started(
    server: &Server,
    listeners: Vec<Listener>,
    limits: ConnectionLimits,
) -> (oneshot::Sender<()>, Ended) {
    let config = ServerConfig {
        keepers: Keepers::default(),
        listeners,
        runtime: server.runtime.clone(),
        auth: Auth::new(OperatorToken::new(OPERATOR)),
        limits,
        store: StoreWatch::default(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(serve(config, async {
        // A test that ends without a word stops its server as well.
        let _ = stopped.await;
    }));
    (stop, ended)
}

pub(crate) async fn sees_the_end(server: Ended) {
    let ended = tokio::time::timeout(PATIENCE, server).await;
    ended.expect("the server ends").unwrap().unwrap();
}

pub(crate) async fn say(stream: &mut (impl AsyncWrite + Unpin), text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Reads until the text has been read.
async fn hear(stream: &mut (impl AsyncRead + Unpin), text: &str) -> String {
    let mut heard = String::new();
    let mut bytes = [0; 4_096];
    while !heard.contains(text) {
        let read = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await;
        let count = read
            .unwrap_or_else(|_| panic!("{text} is said; heard {heard}"))
            .unwrap();
        assert!(count > 0, "the connection ended before {text}: {heard}");
        heard.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    heard
}

/// Reads to the end of a connection, however it ends.
pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection that is cut may end as one that was reset.
    let _ = read.expect("the connection ends");
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn half_a_head_is_cut_after_its_time() {
    let serving = Serving::with(limits()).await;
    for head in ["", "G", "GET /healthz HTTP/1.1\r\nHost: 127"] {
        let mut stream = serving.connect().await;
        say(&mut stream, head).await;
        serving.pass(limits().head).await;
        assert_eq!(rest(&mut stream).await, "", "{head:?}");
    }
}

#[tokio::test]
async fn half_a_head_behind_an_answer_is_cut_after_its_own_time() {
    let serving = Serving::with(limits()).await;
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("GET /healthz", "")).await;
    hear(&mut stream, "ok\n").await;
    say(&mut stream, "GET /healthz HTTP/1.1\r\n").await;
    // The end of a head comes before the end of idleness.
    serving.pass(limits().head).await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn half_a_body_is_answered_with_408_after_its_time() {
    let serving = Serving::with(limits()).await;
    let lines = "Content-Type: application/json\r\nContent-Length: 500\r\n";
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("PUT /v1/pools/p", lines)).await;
    say(&mut stream, "{").await;
    serving.pass(limits().body).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/request-timeout"), "{answer}");
    assert!(answer.contains("\"max_ms\":200"), "{answer}");
}

#[tokio::test]
async fn a_refusal_that_does_not_wait_for_the_body_says_that_it_closes() {
    let serving = Serving::with(limits()).await;
    let wrong = |length: usize, more: &str| {
        let host = serving.address;
        format!(
            "PUT /v1/pools/p HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer wrong\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
        )
    };
    for (length, more) in [(500, ""), (2, "Expect: 100-continue\r\n")] {
        let mut stream = serving.connect().await;
        say(&mut stream, &wrong(length, more)).await;
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
    // A body over its limit is refused by what its head says.
    let lines = "Content-Type: application/json\r\nContent-Length: 7340033\r\n";
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("PUT /v1/pools/p", lines)).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_goes_on_behind_a_refusal_whose_body_is_there() {
    let serving = Serving::with(limits()).await;
    let mut stream = serving.connect().await;
    let host = serving.address;
    for length in [0, 2, 8_000, 30_000] {
        let head = format!(
            "PUT /v1/pools/p HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer wrong\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        say(&mut stream, &(head + &" ".repeat(length))).await;
        let answer = hear(&mut stream, "}").await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
        if answer.contains("connection: close\r\n") {
            // What the system had not handed over yet may be missed, but that is said.
            assert!(length > 8_000, "{length}: {answer}");
            return;
        }
        say(&mut stream, &serving.head("GET /healthz", "")).await;
        let healthy = hear(&mut stream, "ok\n").await;
        assert!(!healthy.contains("connection: close"), "{healthy}");
    }
}

#[tokio::test]
async fn bodies_of_several_requests_share_one_room() {
    let mut limits = limits();
    limits.bodies_bytes_max = 1_000;
    let serving = Serving::with(limits).await;
    let lines = |length: usize| {
        let lines = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        serving.head("PUT /v1/pools/p", &lines)
    };
    let mut first = serving.connect().await;
    say(&mut first, &lines(900)).await;
    say(&mut first, &" ".repeat(890)).await;
    // What has arrived of the first body is what the second one finds taken.
    let refused = loop {
        let mut second = serving.connect().await;
        say(&mut second, &lines(200)).await;
        say(&mut second, &format!("{}{{}}", " ".repeat(198))).await;
        let answer = hear(&mut second, "}").await;
        if !answer.starts_with("HTTP/1.1 20") {
            break answer;
        }
    };
    assert!(refused.starts_with("HTTP/1.1 429 "), "{refused}");
    assert!(refused.contains("retry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("/problems/busy"), "{refused}");
    assert!(refused.contains("bodies_bytes_max"), "{refused}");
    say(&mut first, &format!("{}{{}}", " ".repeat(8))).await;
    hear(&mut first, "HTTP/1.1 20").await;
    let mut third = serving.connect().await;
    say(&mut third, &lines(200)).await;
    say(&mut third, &format!("{}{{}}", " ".repeat(198))).await;
    hear(&mut third, "HTTP/1.1 200").await;
}

#[tokio::test]
async fn members_leave_a_quarter_of_the_room_for_bodies_to_operators() {
    let mut limits = limits();
    limits.bodies_bytes_max = 1_000;
    let serving = Serving::with(limits).await;
    let (a, b) = serving.server.with_pair().await;
    let ask = |token: &str, line: &str, length: usize| {
        let lines = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n");
        serving.head(line, &lines).replace(OPERATOR, token)
    };
    let send = "POST /v1/pools/p/messages";
    let mut first = serving.connect().await;
    say(&mut first, &ask(&a, send, 740)).await;
    say(&mut first, &" ".repeat(739)).await;
    let refused = loop {
        let mut second = serving.connect().await;
        say(&mut second, &ask(&b, send, 100)).await;
        say(&mut second, &format!("{}{{}}", " ".repeat(98))).await;
        let answer = hear(&mut second, "}").await;
        if answer.starts_with("HTTP/1.1 429 ") {
            break answer;
        }
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    };
    assert!(refused.contains("\"max\":750"), "{refused}");
    let mut operators = serving.connect().await;
    say(&mut operators, &ask(OPERATOR, "PUT /v1/pools/p", 200)).await;
    say(&mut operators, &format!("{}{{}}", " ".repeat(198))).await;
    hear(&mut operators, "HTTP/1.1 200").await;
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time() {
    let serving = Serving::with(limits()).await;
    let mut stream = serving.connect().await;
    for _ in 0..2 {
        say(&mut stream, &serving.head("GET /healthz", "")).await;
        hear(&mut stream, "ok\n").await;
    }
    serving.pass(limits().idle).await;
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn streams_and_long_polls_are_not_idle() {
    let serving = Serving::with(limits()).await;
    serving.server.open(serde_json::json!({})).await;
    let accept = "Accept: text/event-stream\r\n";
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("GET /v1/pools/p/events", accept)).await;
    hear(&mut stream, "caught_up").await;
    let mut poll = serving.connect().await;
    let line = "GET /v1/pools/p/events?from=head&wait_ms=50000";
    say(&mut poll, &serving.head(line, "")).await;
    // The poll begins now or a little later; after so many bookmarks its time is over.
    for _ in 0..8 {
        // Longer than every bound of a connection; a bookmark shows that the stream lives.
        serving.pass(Millis(15_000)).await;
        hear(&mut stream, "id:").await;
    }
    hear(&mut poll, "\"events\":[]").await;
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_cut_after_its_time() {
    let serving = Serving::with(limits()).await;
    serving.server.open(serde_json::json!({})).await;
    let body = "x".repeat(16 * 1_024 * 1_024);
    let length = format!(
        "Content-Length: {}\r\nContent-Type: text/plain\r\n",
        body.len()
    );
    let mut writer = serving.connect().await;
    say(
        &mut writer,
        &serving.head("PUT /v1/pools/p/contents", &length),
    )
    .await;
    say(&mut writer, &body).await;
    let stored = hear(&mut writer, "\"content_ref\":\"").await;
    let (_, content) = stored.split_once("\"content_ref\":\"").unwrap();
    let content = content.split('"').next().unwrap();
    drop(writer);
    let mut stream = serving.connect_narrow().await;
    let line = format!("GET /v1/pools/p/contents/{content}");
    say(&mut stream, &serving.head(&line, "")).await;
    serving.pass(limits().write_stall).await;
    // What was on its way arrives; the rest never does.
    assert!(rest(&mut stream).await.len() < body.len());
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_until_there_is_a_place() {
    let mut limits = limits();
    limits.connections_max = 2;
    let serving = Serving::with(limits).await;
    let ask = serving.head("GET /healthz", "");
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = serving.connect().await;
        say(&mut stream, &ask).await;
        assert!(hear(&mut stream, "ok\n").await.starts_with("HTTP/1.1 200 "));
        kept.push(stream);
    }
    let mut third = serving.connect().await;
    say(&mut third, &ask).await;
    let answer = rest(&mut third).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("/problems/too-many-connections"),
        "{answer}"
    );
    assert!(
        answer.contains("\"max\":2") && answer.contains("retry-after: 1"),
        "{answer}"
    );
    // Those that have a place are served as before; one that ends leaves its own.
    say(&mut kept[0], &ask).await;
    hear(&mut kept[0], "ok\n").await;
    drop(kept.pop());
    let ask = serving.head("GET /healthz", "Connection: close\r\n");
    let served = async {
        let mut answer = String::new();
        while !answer.starts_with("HTTP/1.1 200 ") {
            let mut next = serving.connect().await;
            say(&mut next, &ask).await;
            answer = rest(&mut next).await;
        }
    };
    tokio::time::timeout(PATIENCE, served).await.unwrap();
}

/// Opens a connection and asks with a token on it; returns it with the beginning of the answer.
async fn known(serving: &Serving, token: &str) -> (TcpStream, String) {
    let mut stream = serving.connect().await;
    let ask = serving.head("GET /v1/pools/p", "");
    say(&mut stream, &ask.replace(OPERATOR, token)).await;
    let answer = hear(&mut stream, "}").await;
    (stream, answer)
}

#[tokio::test]
async fn a_members_flood_of_connections_leaves_places_to_another_and_to_the_operator() {
    let mut limits = limits();
    limits.connections_max = 256;
    let serving = Serving::with(limits).await;
    let (a, b) = serving.server.with_pair().await;
    let mut flood = Vec::new();
    for _ in 0..limits.per_member_max() {
        let (stream, answer) = known(&serving, &a).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        flood.push(stream);
    }
    let (mut refused, answer) = known(&serving, &a).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    let answer = answer + &rest(&mut refused).await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(
        answer.contains("\"limit\":\"connections_per_run_max\""),
        "{answer}"
    );
    for token in [b.as_str(), OPERATOR] {
        let (_, answer) = known(&serving, token).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn connections_without_a_token_take_no_more_than_their_share() {
    let mut limits = limits();
    limits.connections_max = 256;
    let serving = Serving::with(limits).await;
    serving.server.open(serde_json::json!({})).await;
    let (mut kept, answer) = known(&serving, OPERATOR).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let mut strangers = Vec::new();
    let ask = serving.head("GET /healthz", "");
    for _ in 0..limits.strangers_max() {
        let mut stream = serving.connect().await;
        say(&mut stream, &ask).await;
        hear(&mut stream, "ok\n").await;
        strangers.push(stream);
    }
    let (mut refused, answer) = known(&serving, OPERATOR).await;
    let answer = answer + &rest(&mut refused).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("connections_without_token_max"), "{answer}");
    // Who has shown its token is none of them.
    say(&mut kept, &ask).await;
    hear(&mut kept, "ok\n").await;
    // One of them shows a token, and leaves its place to the next.
    say(&mut strangers[0], &serving.head("GET /v1/pools/p", "")).await;
    hear(&mut strangers[0], "}").await;
    let (_, answer) = known(&serving, OPERATOR).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn those_that_are_told_that_they_are_too_many_hold_nobody_up() {
    let mut limits = limits();
    limits.connections_max = 0;
    limits.head = Millis(5_000);
    let serving = Serving::with(limits).await;
    let mut silent = Vec::new();
    for _ in 0..=ConnectionLimits::REFUSALS_MAX {
        silent.push(serving.connect().await);
    }
    // A second is the longest that any of them is listened to.
    serving.pass(Millis(1_000)).await;
    let mut last = serving.connect().await;
    say(&mut last, &serving.head("GET /healthz", "")).await;
    assert!(rest(&mut last).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn a_server_that_stops_waits_no_longer_than_it_says_for_anybody() {
    let mut limits = ConnectionLimits::default();
    limits.head = Millis(50_000);
    limits.body = Millis(50_000);
    limits.drain = Millis(500);
    let serving = Serving::with(limits).await;
    serving.server.open(serde_json::json!({})).await;
    let mut head = serving.connect().await;
    say(&mut head, "GET /healthz HTTP/1.1\r\n").await;
    let lines = "Content-Type: application/json\r\nContent-Length: 500\r\n";
    let mut body = serving.connect().await;
    say(&mut body, &serving.head("PUT /v1/pools/q", lines)).await;
    serving.server.quiet().await;
    serving.stop.send(()).unwrap();
    serving.server.waits_for(limits.drain).await;
    serving.server.quiet().await;
    assert!(
        !serving.ended.is_finished(),
        "it waits for those that it has"
    );
    serving.server.clock.advance(limits.drain);
    sees_the_end(serving.ended).await;
    assert_eq!(
        (rest(&mut head).await, rest(&mut body).await),
        (String::new(), String::new())
    );
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_a_server_that_stops() {
    let serving = Serving::with(limits()).await;
    let _untouched = serving.connect().await;
    let mut idle = serving.connect().await;
    say(&mut idle, &serving.head("GET /healthz", "")).await;
    hear(&mut idle, "ok\n").await;
    serving.stop.send(()).unwrap();
    sees_the_end(serving.ended).await;
}

#[tokio::test]
async fn a_server_without_a_listener_is_refused() {
    let address = "127.0.0.1:1".parse().unwrap();
    let serving = Serving::on(Vec::new(), address, limits());
    let refused = serving.ended.await.unwrap().unwrap_err();
    assert!(matches!(refused, ServeError::NoListener), "{refused}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_and_an_address_are_served_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let socket = tokio::net::UnixListener::bind(&path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listeners = vec![Listener::Tcp(listener), Listener::Unix(socket)];
    let serving = Serving::on(listeners, address, limits());
    let ask =
        |host: &str| format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    for (host, status) in [
        ("localhost", "200"),
        ("127.0.0.1", "421"),
        ("evil.example", "421"),
    ] {
        let mut stream = tokio::net::UnixStream::connect(&path).await.unwrap();
        say(&mut stream, &ask(host)).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{host}: {answer}"
        );
    }
    let mut stream = serving.connect().await;
    say(&mut stream, &ask(&address.to_string())).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200 "));
    // Without a port the name is the socket's alone.
    let mut stream = serving.connect().await;
    say(&mut stream, &ask("localhost")).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 421 "));
    serving.stop.send(()).unwrap();
    sees_the_end(serving.ended).await;
}
