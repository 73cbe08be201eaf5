//! The client against a server that says exactly what each case needs.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]

use heronry_client::{Client, ClientError, Token};
use heronry_event::StreamItem;
use heronry_types::{Address, IdempotencyKey, PoolId, RunId};
use heronry_wire::{EventsQuery, ProblemKind, SendMessage};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

const EPOCH: &str = "07070707070707070707070707070707";

/// Answers one connection after the other with these bytes, and returns what each one asked.
async fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            asked.push(String::from_utf8(head).unwrap().to_lowercase());
            socket.write_all(answer.as_bytes()).await.unwrap();
            socket.shutdown().await.unwrap();
        }
        asked
    });
    (url, served)
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
    for url in ["", "127.0.0.1:7171", "https://127.0.0.1", "ftp://x"] {
        let error = Client::new(url, None).unwrap_err();
        assert!(matches!(error, ClientError::Url { .. }), "{url}");
    }
}
