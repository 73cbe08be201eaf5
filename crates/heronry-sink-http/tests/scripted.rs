//! A sink against a server that answers as a script says.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking"
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use heronry_event::{Envelope, Event, Identity, Stamp};
use heronry_runtime::{EventSink, SinkError, SinkFault};
use heronry_sink_http::{Endpoint, HttpSink};
use heronry_types::{
    Cursor, EntityKind, EntityRef, Epoch, EventKind, Millis, Payload, PoolId, Position, SourceKind,
    SourceRef, Timestamp,
};
use heronry_wire::ExportFormat;
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The treatment of the next request by the server.
#[derive(Clone, Copy, Debug)]
enum ScriptStep {
    Status(u16),
    /// Answers with a header.
    With(u16, &'static str),
    /// Reads the request, and closes the connection.
    Closes,
    /// Reads the request, and never answers.
    Hangs,
}

/// A request as it came.
#[derive(Clone, Debug)]
struct SeenRequest {
    head: String,
    body: String,
}

struct Scripted {
    endpoint: Endpoint,
    seen: Arc<Mutex<Vec<SeenRequest>>>,
}

impl Scripted {
    /// Starts a server that answers as the steps say, and 204 after them.
    async fn start(steps: impl IntoIterator<Item = ScriptStep>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let steps: VecDeque<_> = steps.into_iter().collect();
        tokio::spawn(accept(
            listener,
            Arc::clone(&seen),
            Arc::new(Mutex::new(steps)),
        ));
        let endpoint = Endpoint::parse(&format!("http://{address}/in?a=b")).unwrap();
        Self { endpoint, seen }
    }

    fn seen(&self) -> Vec<SeenRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the ids of the events of each request.
    fn ids(&self) -> Vec<Vec<u64>> {
        let positions = |seen: &SeenRequest| {
            let lines = seen.body.lines();
            lines.map(serde_json_position).collect::<Vec<_>>()
        };
        self.seen().iter().map(positions).collect()
    }
}

/// Returns the position of an event in its line.
fn serde_json_position(line: &str) -> u64 {
    let rest = line.split("\"position\":").nth(1).unwrap();
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

async fn accept(
    listener: TcpListener,
    seen: Arc<Mutex<Vec<SeenRequest>>>,
    steps: Arc<Mutex<VecDeque<ScriptStep>>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (seen, steps) = (Arc::clone(&seen), Arc::clone(&steps));
        tokio::spawn(async move { serve(stream, &seen, &steps).await });
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<SeenRequest>>,
    steps: &Mutex<VecDeque<ScriptStep>>,
) {
    while let Some(request) = read(&mut stream).await {
        seen.lock().unwrap().push(request);
        let step = steps
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(ScriptStep::Status(204));
        let (status, header) = match step {
            ScriptStep::Status(status) => (status, ""),
            ScriptStep::With(status, header) => (status, header),
            ScriptStep::Closes => return,
            ScriptStep::Hangs => std::future::pending().await,
        };
        let answer = format!("HTTP/1.1 {status} X\r\n{header}content-length: 0\r\n\r\n");
        let answer = if status == 204 {
            answer.replace("content-length: 0\r\n", "")
        } else {
            answer
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<SeenRequest> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                let body = body.to_owned();
                return Some(SeenRequest { head, body });
            }
        }
        let mut more = [0; 4_096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
        }
    }
}

fn event(position: u64) -> Event {
    let pool = PoolId::parse("review").unwrap();
    let cursor = Cursor::new(Epoch([7; 16]), Position(position));
    let envelope = Envelope::new(
        Stamp::new(cursor, Timestamp::from_millis(0)),
        EventKind::AgentPoolRunJoined,
        Identity::new(pool.clone()),
        EntityRef::new(EntityKind::AgentPool, pool.retype()),
        SourceRef::new(SourceKind::Sdk, pool.retype()),
    );
    Event::new(envelope, Payload::EnvelopeOnly)
}

fn events(positions: std::ops::Range<u64>) -> Vec<Event> {
    positions.map(event).collect()
}

/// Posts four events, and returns what became of it with the requests that came.
async fn post(
    steps: impl IntoIterator<Item = ScriptStep>,
) -> (Result<(), SinkError>, Vec<Vec<u64>>) {
    let server = Scripted::start(steps).await;
    let sink = HttpSink::new(server.endpoint.clone()).with_answer_time(Duration::from_millis(500));
    let end = sink.append_batch(&events(1..5)).await;
    (end, server.ids())
}

async fn check_transient(step: ScriptStep, retry_after: Option<Millis>) {
    let (end, ids) = post([step]).await;
    let error = end.unwrap_err();
    assert_eq!(
        error.fault,
        SinkFault::Transient { retry_after },
        "{step:?}"
    );
    assert_eq!(ids, [[1, 2, 3, 4]], "{step:?}: it is not tried again here");
}

async fn check_permanent(step: ScriptStep) {
    let (end, ids) = post([step]).await;
    let error = end.unwrap_err();
    assert_eq!(error.fault, SinkFault::Permanent, "{step:?}");
    assert_eq!(ids.len(), 1, "{step:?}");
}

#[tokio::test]
async fn o21_a_batch_is_taken_with_any_2xx() {
    for status in [200, 201, 202, 204] {
        let (end, ids) = post([ScriptStep::Status(status)]).await;
        end.unwrap();
        assert_eq!(ids, [[1, 2, 3, 4]]);
    }
}

#[tokio::test]
async fn o21_what_may_pass_is_transient_and_the_endpoint_says_when() {
    for status in [408, 429, 500, 502, 503, 504] {
        check_transient(ScriptStep::Status(status), None).await;
    }
    check_transient(
        ScriptStep::With(503, "retry-after: 7\r\n"),
        Some(Millis::from_secs(7)),
    )
    .await;
    check_transient(
        ScriptStep::With(503, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n"),
        None,
    )
    .await;
    check_transient(ScriptStep::Closes, None).await;
    check_transient(ScriptStep::Hangs, None).await;
    // Nobody listens.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let sink = HttpSink::new(Endpoint::parse(&format!("http://{address}/")).unwrap());
    let error = sink.append_batch(&events(1..2)).await.unwrap_err();
    assert_eq!(error.fault, SinkFault::Transient { retry_after: None });
}

#[tokio::test]
async fn o21_a_redirect_is_not_followed_and_refused_for_good_as_every_other_4xx() {
    for status in [400, 401, 403, 404, 409, 415, 422] {
        check_permanent(ScriptStep::Status(status)).await;
    }
    let other = Scripted::start([]).await;
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}\r\n", other.endpoint);
        check_permanent(ScriptStep::With(status, location.leak())).await;
    }
    assert_eq!(other.seen().len(), 0, "nothing was sent elsewhere");
}

#[tokio::test]
async fn o21_a_batch_that_is_too_large_is_split_down_to_one_event() {
    let too_large = ScriptStep::Status(413);
    let (end, ids) = post([too_large]).await;
    end.unwrap();
    assert_eq!(ids, [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4]]);
    let (end, ids) = post([too_large, too_large, ScriptStep::Status(200), too_large]).await;
    let error = end.unwrap_err();
    assert_eq!(error.fault, SinkFault::Permanent);
    assert!(error.detail.contains("-2"), "{error}");
    assert_eq!(ids, [vec![1, 2, 3, 4], vec![1, 2], vec![1], vec![2]]);
    // What fails on the way is told as it is, and the whole batch comes again.
    let (end, _) = post([too_large, ScriptStep::Status(200), ScriptStep::Status(503)]).await;
    assert_eq!(
        end.unwrap_err().fault,
        SinkFault::Transient { retry_after: None }
    );
}

#[tokio::test]
async fn the_token_goes_to_the_endpoint_and_into_no_text() {
    let server = Scripted::start([ScriptStep::Status(401)]).await;
    let sink = HttpSink::new(server.endpoint.clone()).with_token(SecretString::from("hush-hush"));
    let error = sink.append_batch(&events(1..2)).await.unwrap_err();
    let seen = &server.seen()[0];
    assert!(
        seen.head.starts_with("post /in?a=b http/1.1"),
        "{}",
        seen.head
    );
    assert!(
        seen.head.contains("authorization: bearer hush-hush"),
        "{}",
        seen.head
    );
    for text in [format!("{error:?}"), format!("{sink:?}")] {
        assert!(!text.contains("hush"), "{text}");
    }
}

#[tokio::test]
async fn a_batch_has_the_media_type_of_its_form() {
    for (format, media_type, beginning) in [
        (ExportFormat::JsonLines, "application/x-ndjson", "{\"id\":"),
        (
            ExportFormat::CloudEvents,
            "application/cloudevents-batch+json",
            "[{\"specversion\":\"1.0\",\"id\":",
        ),
    ] {
        let server = Scripted::start([]).await;
        let sink = HttpSink::new(server.endpoint.clone()).with_format(format);
        sink.append_batch(&events(1..3)).await.unwrap();
        let seen = &server.seen()[0];
        let header = format!("content-type: {media_type}");
        assert!(seen.head.contains(&header), "{}", seen.head);
        assert!(seen.body.starts_with(beginning), "{}", seen.body);
    }
}
