//! The client against a server that says exactly what each case needs.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use heronry_client::{
    Client, ClientError, Endpoint, Locate, LocateError, Patience, ServerAddress, Token,
};
use heronry_event::StreamItem;
use heronry_types::{Address, IdempotencyKey, PoolId, RunId};
use heronry_wire::{EventsQuery, ProblemKind, ProofKey, Prove, SendMessage};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

const EPOCH: &str = "07070707070707070707070707070707";

/// Answers one connection after the other with these bytes, and returns what each one asked. Each
/// connection is first asked to prove that it knows the token, and does.
async fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            prove(&mut socket, "secret").await;
            asked.push(read_head(&mut socket).await);
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
        asked
    });
    (url, served)
}

async fn read_head(socket: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap().to_lowercase()
}

/// Answers the question for a proof as a server that knows this token.
async fn prove(socket: &mut TcpStream, token: &str) {
    let here = socket.local_addr().unwrap().to_string();
    prove_as(socket, (token, &here), 7).await;
}

/// Answers the question for a proof as a process with this number.
async fn prove_as(
    socket: &mut (impl AsyncRead + AsyncWrite + Unpin),
    (token, here): (&str, &str),
    pid: u32,
) {
    let head = read_head(socket).await;
    assert!(head.starts_with("post /v1/prove "), "{head}");
    assert!(!head.contains("authorization"), "{head}");
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.lines().next().unwrap().parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    let question: Prove = serde_json::from_slice(&body).unwrap();
    assert_eq!(question.address, here);
    assert!(question.names_operator(), "{question:?}");
    let proof = ProofKey::of(token).answer(&question, pid).unwrap();
    let proof = serde_json::to_string(&proof).unwrap();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{proof}",
        proof.len()
    );
    socket.write_all(answer.as_bytes()).await.unwrap();
}

fn stream(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
}

fn answer(status: &str, media_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn client(url: &str) -> Client {
    Client::new(url, Some(Token::new("secret\n"))).unwrap()
}

fn pool() -> PoolId {
    PoolId::parse("a/b c").unwrap()
}

fn hello() -> SendMessage {
    let to = Address::Run {
        run_id: RunId::parse("scanner").unwrap(),
    };
    SendMessage::new(to, IdempotencyKey::parse("first").unwrap())
}

#[tokio::test]
async fn a_broken_stream_is_resumed_at_the_last_cursor() {
    let first = format!(
        "id: {EPOCH}-4\nevent: caught_up\ndata: {{\"head\":\"{EPOCH}-4\"}}\n\nid: {EPOCH}-9\n\n"
    );
    let second = "event: closed\ndata: {\"reason\":\"left\"}\n\n";
    let (url, served) = serve(vec![stream(&first), stream(second)]).await;
    let mut reader = client(&url).pool(&pool()).follow(EventsQuery::default());
    assert!(matches!(
        reader.next().await.unwrap(),
        StreamItem::CaughtUp { .. }
    ));
    assert!(matches!(
        reader.next().await.unwrap(),
        StreamItem::Closed { .. }
    ));
    assert_eq!(reader.cursor().unwrap().to_string(), format!("{EPOCH}-9"));
    let asked = served.await.unwrap();
    assert!(!asked[0].contains("last-event-id"), "{}", asked[0]);
    assert!(
        asked[1].contains(&format!("last-event-id: {EPOCH}-9")),
        "{}",
        asked[1]
    );
    assert!(
        asked[1].contains("authorization: bearer secret\r\n"),
        "{}",
        asked[1]
    );
    assert!(
        asked[1].starts_with("get /v1/pools/a%2fb%20c/events "),
        "{}",
        asked[1]
    );
}

#[tokio::test]
async fn a_problem_is_typed_and_other_answers_are_foreign() {
    let problem =
        r#"{"type":"/problems/fenced","title":"t","status":409,"detail":"d","generation":7}"#;
    let (url, served) = serve(vec![
        answer("409 Conflict", "application/problem+json", problem),
        answer("404 Not Found", "text/html", "<html>"),
    ])
    .await;
    let pool = client(&url).pool(&pool());
    let error = pool.send(&hello()).await.unwrap_err();
    assert!(error.is(ProblemKind::Fenced), "{error}");
    assert_eq!(error.problem().unwrap().number("generation"), Some(7));
    let error = pool.send(&hello()).await.unwrap_err();
    assert!(
        matches!(error, ClientError::Foreign { status: 404, .. }),
        "{error}"
    );
    served.await.unwrap();
}

#[tokio::test]
async fn a_keyed_send_is_tried_again_when_its_answer_is_lost() {
    let busy = r#"{"type":"/problems/busy","title":"t","status":429,"retry_after_ms":1}"#;
    let refused = r#"{"type":"/problems/policy","title":"t","status":403}"#;
    let (url, served) = serve(vec![
        String::new(),
        answer("429 Too Many Requests", "application/problem+json", busy),
        answer("403 Forbidden", "application/problem+json", refused),
    ])
    .await;
    let error = client(&url).pool(&pool()).send(&hello()).await.unwrap_err();
    assert!(error.is(ProblemKind::Policy), "{error}");
    assert_eq!(served.await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_send_without_a_key_is_not_tried_again_when_its_answer_is_lost() {
    let (url, served) = serve(vec![String::new()]).await;
    let mut send = hello();
    send.idempotency_key = None;
    let error = client(&url).pool(&pool()).send(&send).await.unwrap_err();
    assert!(error.is_unreachable(), "{error}");
    assert_eq!(served.await.unwrap().len(), 1);
}

#[tokio::test]
async fn ids_that_urls_drop_are_refused() {
    let pool = client("http://127.0.0.1:1").pool(&PoolId::parse("..").unwrap());
    let error = pool.view().await.unwrap_err();
    assert!(matches!(error, ClientError::Path { .. }), "{error}");
    for url in [
        "",
        "127.0.0.1:7171",
        "https://127.0.0.1",
        "ftp://x",
        "unix:",
    ] {
        let error = Client::new(url, None).unwrap_err();
        assert!(matches!(error, ClientError::Url { .. }), "{url}");
    }
}

/// Reads all that comes over the next connection, answers with these bytes, and returns what came.
async fn overhear(listener: &TcpListener, answer: &str) -> String {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut heard = vec![0; 4_096];
    let length = socket.read(&mut heard).await.unwrap();
    socket.write_all(answer.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut rest = Vec::new();
    // A client that hangs up has nothing more to say.
    let _ = socket.read_to_end(&mut rest).await;
    heard.truncate(length);
    heard.extend(rest);
    String::from_utf8_lossy(&heard).to_lowercase()
}

fn proof_of(token: &str) -> String {
    let question = Prove::new([0; 32], "127.0.0.1:1", token);
    let proof = ProofKey::of(token).answer(&question, 7).unwrap();
    answer(
        "200 OK",
        "application/json",
        &serde_json::to_string(&proof).unwrap(),
    )
}

#[tokio::test]
async fn a_token_is_not_sent_to_who_does_not_know_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = [
        (answer("404 Not Found", "text/html", "<html>"), "foreign"),
        (answer("200 OK", "application/json", "{}"), "foreign"),
        (
            answer("200 OK", "text/plain", &"x".repeat(9_000)),
            "foreign",
        ),
        ("220 mail\r\n".to_owned(), "foreign"),
        (proof_of("another token"), "unproven"),
        (proof_of("secret"), "unproven"),
    ];
    for (answer, expected) in answers {
        let client = client(&url);
        let (heard, failed) = tokio::join!(overhear(&listener, &answer), client.pools());
        let failed = failed.unwrap_err();
        let is_foreign = matches!(failed, ClientError::Foreign { .. });
        let is_unproven = matches!(failed, ClientError::Unproven { .. });
        let expected = (expected == "foreign", expected == "unproven");
        assert_eq!((is_foreign, is_unproven), expected, "{answer}: {failed}");
        assert!(
            heard.contains("/v1/prove") && !heard.contains("secret"),
            "{heard}"
        );
        assert!(!heard.contains("authorization"), "{heard}");
    }
}

#[tokio::test]
async fn another_program_that_takes_the_port_later_is_not_shown_the_token_either() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let patience = Patience {
        first: Duration::ZERO,
        again: Some(Duration::ZERO),
    };
    let client = client(&url).with_patience(patience);
    let none =
        answer("200 OK", "application/json", r#"{"pools":[]}"#).replace("close", "keep-alive");
    let first = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        prove(&mut socket, "secret").await;
        read_head(&mut socket).await;
        socket.write_all(none.as_bytes()).await.unwrap();
        // The process ends: its idle connection with it.
    };
    let ((), listed) = tokio::join!(first, client.pools());
    assert!(listed.unwrap().pools.is_empty());
    let other = answer("200 OK", "application/json", "{}");
    let (heard, failed) = tokio::join!(overhear(&listener, &other), client.pools());
    assert!(failed.is_err());
    assert!(!heard.contains("authorization"), "{heard}");
}

/// Finds nothing at first, then a server, then the same server at another place.
#[derive(Debug)]
struct Moving {
    looks: Mutex<Vec<Result<Endpoint, LocateError>>>,
}

impl Locate for Moving {
    fn locate(&self) -> Result<Endpoint, LocateError> {
        let mut looks = self.looks.lock().unwrap();
        if looks.len() > 1 {
            return looks.remove(0);
        }
        looks.first().unwrap().clone()
    }
}

#[tokio::test]
async fn the_server_is_looked_up_at_every_attempt() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let left: ServerAddress = format!("http://{}", gone.local_addr().unwrap())
        .parse()
        .unwrap();
    drop(gone);
    let none = answer("200 OK", "application/json", r#"{"pools":[]}"#);
    let (url, served) = serve(vec![none]).await;
    let endpoint = |address: ServerAddress| Endpoint {
        address,
        token: Some(Token::new("secret")),
    };
    let looks = vec![
        Err(LocateError::NotYet("no token yet".to_owned())),
        Ok(endpoint(left)),
        Ok(endpoint(url.parse().unwrap())),
    ];
    let looks = Mutex::new(looks);
    let client = Client::located(Arc::new(Moving { looks }));
    assert!(client.pools().await.unwrap().pools.is_empty());
    served.await.unwrap();
}

#[tokio::test]
async fn what_can_never_be_found_ends_a_call_at_once_and_what_is_not_there_by_its_time() {
    for error in [
        LocateError::Unusable("the token file is a folder".to_owned()),
        LocateError::NotYet("no token yet".to_owned()),
    ] {
        let looks = Mutex::new(vec![Err(error.clone())]);
        let patience = Patience {
            first: Duration::from_millis(120),
            again: None,
        };
        let client = Client::located(Arc::new(Moving { looks })).with_patience(patience);
        let failed = client.pools().await.unwrap_err();
        assert_eq!(failed.to_string(), error.to_string());
        assert_eq!(
            failed.is_unreachable(),
            matches!(error, LocateError::NotYet(_))
        );
    }
}

/// Returns the text that a server at a socket hears after it has proved that it knows the token, as
/// this process.
#[cfg(unix)]
async fn heard_at_a_socket(pid: u32) -> (String, Result<(), ClientError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heronry.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let none = answer("200 OK", "application/json", r#"{"pools":[]}"#);
    let served = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        prove_as(&mut socket, ("secret", Prove::SOCKET), pid).await;
        let mut head = vec![0; 4_096];
        let length = socket.read(&mut head).await.unwrap();
        // Whoever hangs up is not answered.
        let _ = socket.write_all(none.as_bytes()).await;
        head.truncate(length);
        String::from_utf8_lossy(&head).to_lowercase()
    };
    let client = client(&format!("unix:{}", path.display()));
    let (head, listed) = tokio::join!(served, client.pools());
    (head, listed.map(|_| ()))
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_is_reached_over_a_socket_of_the_same_user() {
    let (head, listed) = heard_at_a_socket(std::process::id()).await;
    listed.unwrap();
    assert!(head.starts_with("get /v1/pools http/1.1\r\n"), "{head}");
    assert!(head.contains("host: localhost\r\n"), "{head}");
    assert!(head.contains("authorization: bearer secret\r\n"), "{head}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_proof_that_another_process_gave_is_none_at_a_socket() {
    let (head, listed) = heard_at_a_socket(std::process::id() + 1).await;
    let failed = listed.unwrap_err();
    assert!(matches!(failed, ClientError::Unproven { .. }), "{failed}");
    assert_eq!(head, "");
}

#[tokio::test]
async fn a_program_that_never_answers_holds_a_call_no_longer_than_its_patience() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let patience = Patience {
        first: Duration::from_millis(300),
        again: None,
    };
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It is accepted by the system, and nobody ever reads.
    let failed = client(&url)
        .with_patience(patience)
        .pools()
        .await
        .unwrap_err();
    let cause = format!("{:?}", std::error::Error::source(&failed).unwrap());
    assert!(
        failed.is_unreachable() && cause.contains("300ms"),
        "{failed}: {cause}"
    );
}
