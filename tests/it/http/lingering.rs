//! Connections that were answered before their request had arrived: their peers see the answer.

use heronry_server::ConnectionLimits;
use heronry_types::Millis;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::connections::{PATIENCE, Serving, limits, rest, say, sees_the_end};
use heronry_tests::server::OPERATOR;

/// Writes a body of so many bytes and reads only then, as a simple client does.
async fn write_all_then_read(stream: &mut TcpStream, bytes: usize) -> String {
    let piece = vec![b' '; 64 * 1024];
    for _ in 0..bytes / piece.len() {
        let written = tokio::time::timeout(PATIENCE, stream.write_all(&piece)).await;
        written
            .expect("somebody reads")
            .expect("nobody resets the connection");
    }
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the connection ends")
        .expect("nobody resets the connection");
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn who_sends_all_of_a_refused_body_before_it_reads_sees_the_refusal() {
    const SENT: usize = 40 * 1024 * 1024;
    let serving = Serving::with(limits()).await;
    serving.server.open(serde_json::json!({})).await;
    let lines = format!("Content-Type: application/json\r\nContent-Length: {SENT}\r\n");
    let json = serving.head("PUT /v1/pools/p", &lines);
    let chunked = "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n";
    let chunked = serving.head("PUT /v1/pools/p/contents", chunked) + "4000000\r\n";
    for (head, status) in [
        (json.clone(), "413"),
        (json.replace(OPERATOR, "wrong"), "401"),
        (json.replace("/v1/pools/p", "/nowhere"), "404"),
        (chunked, "413"),
        (
            format!(
                "GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}",
                "y".repeat(SENT)
            ),
            "431",
        ),
    ] {
        let mut stream = serving.connect().await;
        say(&mut stream, &head[..head.len().min(8_000)]).await;
        let answer = write_all_then_read(&mut stream, SENT).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains("connection: close\r\n"), "{answer}");
    }
}

/// Writes until the other side has closed the connection.
async fn write_until_reset(stream: &mut TcpStream) {
    let written = async { while stream.write_all(b"x").await.is_ok() {} };
    tokio::time::timeout(PATIENCE, written).await.unwrap();
}

#[tokio::test]
async fn who_was_refused_and_stalls_is_not_waited_for() {
    let serving = Serving::with(ConnectionLimits::default()).await;
    let lines = "Content-Type: application/json\r\nContent-Length: 40000000\r\n";
    let head = serving.head("PUT /v1/pools/p", lines);
    let mut stream = serving.connect().await;
    say(&mut stream, &head).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    say(&mut stream, "a little more").await;
    serving.pass(Millis(2_000)).await;
    write_until_reset(&mut stream).await;
}

#[tokio::test]
async fn a_server_that_stops_waits_for_nobody_that_it_refused() {
    let serving = Serving::with(ConnectionLimits::default()).await;
    let lines = "Content-Type: application/json\r\nContent-Length: 40000000\r\n";
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("PUT /v1/pools/p", lines)).await;
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413 "));
    serving.stop.send(()).unwrap();
    sees_the_end(serving.ended).await;
}

#[tokio::test]
async fn a_connection_too_many_that_sends_a_body_sees_that_it_is() {
    let mut limits = limits();
    limits.connections_max = 0;
    let serving = Serving::with(limits).await;
    let lines = "Content-Type: application/json\r\nContent-Length: 7000000\r\n";
    let mut stream = serving.connect().await;
    say(&mut stream, &serving.head("PUT /v1/pools/p", lines)).await;
    let answer = write_all_then_read(&mut stream, 7_000_000).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}
