//! Health of a server and of its store, and the end of the server when the store has closed.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heronry_server::{
    Auth, ConnectionLimits, DiskProbe, DiskSpace, DiskWatch, Keepers, Listener, OperatorToken,
    ServeError, ServerConfig, StoreWatch, WhenStoreCloses, serve,
};
use heronry_store::{Store, StoreErrorKind};
use heronry_testkit::{AppendFault, FaultStore, Faults, Faulty};
use heronry_tests::canary::said;
use heronry_types::Millis;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    the_status_shows_the_store_and_every_pool_to_an_operator_alone
}

/// The longest wait of a test for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(20);

fn failing() -> (Server, Faults) {
    let memory = Store::of(Arc::new(heronry_store_memory::MemoryStore::new()));
    let Faulty { store, faults } = FaultStore::over(memory);
    (Server::over(store), faults)
}

/// A server that listens.
struct Serving {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    async fn of(server: &Server, store: StoreWatch) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = ServerConfig {
            keepers: Keepers::default(),
            listeners: vec![Listener::Tcp(listener)],
            runtime: server.runtime.clone(),
            auth: Auth::new(OperatorToken::new(OPERATOR)),
            limits: ConnectionLimits::default(),
            store,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = tokio::spawn(serve(config, async {
            // A test that ends without a word stops its server as well.
            let _ = stopped.await;
        }));
        Self {
            address,
            stop,
            ended,
        }
    }

    /// Sends a request of the operator's, and returns the whole answer.
    async fn ask(&self, line: &str, body: &str) -> String {
        self.ask_with(line, ("Connection: close\r\n", body)).await
    }

    /// Sends a request of the operator's with these lines, and returns what comes until the connection
    /// closes.
    async fn ask_with(&self, line: &str, (lines, body): (&str, &str)) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let (host, length) = (self.address, body.len());
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {OPERATOR}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{lines}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
        read.expect("it is answered").unwrap();
        answer
    }

    async fn end(self) -> Result<(), ServeError> {
        let ended = tokio::time::timeout(PATIENCE, self.ended).await;
        ended.expect("the server ends").unwrap()
    }
}

fn message() -> String {
    let to = json!({"type": "run", "run_id": "b"});
    json!({"from": "a", "to": to, "body": said("k"), "idempotency_key": "k"}).to_string()
}

#[tokio::test]
async fn a_server_whose_store_closes_tells_its_callers_why_and_ends() {
    for (cause, name, text) in [
        (
            StoreErrorKind::Full,
            "full",
            "no space is left on the device",
        ),
        (StoreErrorKind::ReadOnly, "read-only", "it is read-only"),
        (StoreErrorKind::Io, "io", "the device failed"),
    ] {
        let (server, faults) = failing();
        server.with_pair().await;
        let serving = Serving::of(&server, StoreWatch::default()).await;
        faults.fail_because(cause);
        faults.fail_next_append(AppendFault::UnknownNotKept);
        // Who wanted to go on with the connection is told that it closes.
        let line = "POST /v1/pools/p/messages";
        let answer = serving.ask_with(line, ("", &message())).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(
            answer.contains(&format!("\"cause\":\"{name}\"")),
            "{answer}"
        );
        assert!(answer.contains(text), "{answer}");
        let address = serving.address;
        let ended = serving.end().await.unwrap_err();
        let ServeError::StoreClosed(error) = ended else {
            panic!("{ended}");
        };
        assert_eq!(
            (error.kind(), error.cause()),
            (StoreErrorKind::Closed, cause)
        );
        assert!(
            TcpStream::connect(address).await.is_err(),
            "nobody listens any more"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_to_stay_stays_and_says_why_it_is_not_ready() {
    let (server, faults) = failing();
    server.with_pair().await;
    let store = StoreWatch {
        when_closed: WhenStoreCloses::Stay,
        ..StoreWatch::default()
    };
    let serving = Serving::of(&server, store).await;
    faults.fail_because(StoreErrorKind::Full);
    faults.fail_next_append(AppendFault::UnknownNotKept);
    serving.ask("POST /v1/pools/p/messages", &message()).await;
    let ready = serving.ask("GET /readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 503 "), "{ready}");
    assert!(ready.contains("\"cause\":\"full\""), "{ready}");
    assert!(ready.contains("no space is left on the device"), "{ready}");
    let healthy = serving.ask("GET /healthz", "").await;
    assert!(healthy.starts_with("HTTP/1.1 200 "), "{healthy}");
    let status = serving.ask("GET /v1/status", "").await;
    assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
    assert!(
        status.contains("\"cause\":\"full\"") && status.contains("\"pools\":[]"),
        "{status}"
    );
    assert!(!serving.ended.is_finished());
    let Serving { stop, ended, .. } = serving;
    stop.send(()).unwrap();
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    ended.expect("the server ends").unwrap().unwrap();
}

/// A disk of 1 000 bytes, of which a test says how many are free; with none, it does not say.
#[derive(Debug)]
struct ScriptedDisk(AtomicU64);

impl DiskProbe for ScriptedDisk {
    fn space(&self) -> io::Result<DiskSpace> {
        match self.0.load(Ordering::SeqCst) {
            0 => Err(io::Error::other("the test knows nothing")),
            free_bytes => Ok(DiskSpace {
                free_bytes,
                total_bytes: 1_000,
            }),
        }
    }

    fn store_bytes(&self) -> io::Result<u64> {
        self.space()
            .map(|space| space.total_bytes - space.free_bytes)
    }
}

#[tokio::test]
async fn readiness_and_status_warn_before_the_disk_is_full() {
    let server = Server::on_memory();
    let disk = Arc::new(ScriptedDisk(AtomicU64::new(100)));
    let probe: Arc<dyn DiskProbe> = disk.clone();
    let store = StoreWatch {
        place: "redb:/there".to_owned(),
        disk: Some(DiskWatch {
            probe,
            free_bytes_min: 100,
        }),
        ..StoreWatch::default()
    };
    let serving = Serving::of(&server, store).await;
    // As much as there should be is enough.
    assert!(
        serving
            .ask("GET /readyz", "")
            .await
            .ends_with("\r\n\r\nready\n")
    );
    disk.0.store(99, Ordering::SeqCst);
    let warned =
        "99 bytes are free on the file system of the store, less than 100 (disk_free_bytes_min)";
    // Half a minute later it is seen, without anybody asking for it.
    until(&server, &serving, |ready| ready.contains(warned)).await;
    let ready = serving.ask("GET /readyz", "").await;
    assert!(
        ready.starts_with("HTTP/1.1 200 "),
        "it can be written still: {ready}"
    );
    let status = serving.ask("GET /v1/status", "").await;
    let disk_of = "\"disk\":{\"free_bytes\":99,\"total_bytes\":1000,\"free_bytes_min\":100}";
    assert!(status.contains(disk_of), "{status}");
    assert!(status.contains("\"place\":\"redb:/there\""), "{status}");
    assert!(
        status.contains("\"connections\":{\"open\":1,\"max\":16384}"),
        "{status}"
    );
    disk.0.store(100, Ordering::SeqCst);
    until(&server, &serving, |ready| {
        ready.ends_with("\r\n\r\nready\n")
    })
    .await;
    disk.0.store(0, Ordering::SeqCst);
    let status = serving.ask("GET /v1/status", "").await;
    assert!(!status.contains("\"disk\""), "{status}");
}

/// Lets half minutes pass until the answer of `/readyz` is as it should be.
async fn until(server: &Server, serving: &Serving, is_right: impl Fn(&str) -> bool) {
    let seen = async {
        loop {
            server.clock.advance(Millis::from_secs(30));
            if is_right(&serving.ask("GET /readyz", "").await) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen)
        .await
        .expect("it is seen");
}

async fn the_status_shows_the_store_and_every_pool_to_an_operator_alone(server: Server) {
    let (a, _) = server.with_pair().await;
    server.tell(&a, "b", "k").await.is(201);
    server.clock.advance(Millis(1_500));
    let status = server.get(OPERATOR, "/v1/status").await.is(200);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["pid"], std::process::id());
    assert_eq!(status["started_at"], "2026-11-20T08:00:00.000Z");
    assert_eq!(status["uptime_ms"], 1_500);
    let kind = server.runtime.store_name();
    assert_eq!(status["store"]["kind"], kind);
    assert_eq!(status["store"].get("problem"), None);
    assert_eq!(status["pools_total"], 1);
    let pool = &status["pools"][0];
    assert_eq!(pool["pool"], "p");
    let figures = &pool["figures"];
    assert_eq!(figures["head"], server.head().await);
    let counts = [
        ("members", 2),
        ("lost_members", 0),
        ("suspended_members", 0),
        ("live_messages", 1),
        ("dead_letters", 0),
        ("live_wakes", 0),
        ("streams", 0),
        ("queued_commands", 0),
    ];
    for (name, count) in counts {
        assert_eq!(figures[name], count, "{name}");
    }
    server
        .get(&a, "/v1/status")
        .await
        .refused(403, "operator-only");
    server
        .get("", "/v1/status")
        .await
        .refused(401, "unauthorized");
}

#[tokio::test]
async fn the_status_counts_the_dead_the_lost_and_the_suspended() {
    let server = Server::on_memory();
    server.open(json!({})).await;
    let join = json!({"run_id": "lost", "agent_id": "lost", "lease_ms": 60_000});
    server
        .post(OPERATOR, "/v1/pools/p/members", join)
        .await
        .is(201);
    let (a, b) = (server.join("a").await, server.join("b").await);
    server.tell(&a, "b", "k").await.is(201);
    for attempt in 0..5 {
        let receive = json!({"receive_id": format!("r{attempt}")});
        let path = "/v1/pools/p/members/b/inbox";
        let page = server.post(&b, &format!("{path}/receive"), receive).await;
        let claim = page.is(200)["items"][0]["claim"].clone();
        let release = json!({"claims": [claim]});
        server
            .post(&b, &format!("{path}/release"), release)
            .await
            .is(200);
    }
    let wake = json!({"run_id": "a", "filter": "terminal", "idempotency_key": "w", "suspends_run": true, "timeout_ms": 600_000});
    server
        .post(OPERATOR, "/v1/pools/p/wakes", wake)
        .await
        .is(201);
    server.clock.advance(Millis(61_000));
    server.quiet().await;
    let status = server.get(OPERATOR, "/v1/status").await.is(200);
    let figures = &status["pools"][0]["figures"];
    let found = [
        "dead_letters",
        "lost_members",
        "suspended_members",
        "live_wakes",
    ];
    assert_eq!(
        found.map(|name| figures[name].clone()),
        [1, 1, 1, 1].map(Value::from),
        "{figures}"
    );
}

#[tokio::test]
async fn a_pool_that_cannot_be_looked_at_says_why_in_its_place() {
    let first = Server::on_memory();
    first.open(json!({})).await;
    let second = Server::over(first.store.clone());
    let status = second.get(OPERATOR, "/v1/status").await.is(200);
    let pool = &status["pools"][0];
    assert_eq!(pool["problem"]["type"], "/problems/pool-owned", "{pool}");
    assert_eq!(pool.get("figures"), None);
}
