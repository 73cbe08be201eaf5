//! The memory that one request may take: three times the bytes of its body, whatever they say.
//!
//! Everything runs on the thread of the test, whose allocations are counted; an allocation that
//! grows counts as the old one and the new one, both.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::{convert::Infallible, fmt::Write, sync::LazyLock};

use axum::{
    body::{Body, Bytes},
    http::header,
};
use serde_json::{Value, json};

use heronry_tests::server::{HttpReply, OPERATOR, Server, request};

/// The largest body of JSON, as the server says it.
const JSON_BYTES_MAX: usize = 7 * 1024 * 1024;
/// The memory that a body may take, itself included, as a multiple of its bytes.
const FACTOR: u64 = 3;
/// The bytes that a request takes beside its body.
const BESIDE: u64 = 128 * 1024;
/// The size of the pieces in which bodies arrive.
const PIECE: usize = 64 * 1024;

/// The smallest event, and the comma behind it.
const EVENT: &str = "{\"kind\":\"run_lost\"},";

/// A value that is hard to read.
struct HardValue {
    name: &'static str,
    head: &'static str,
    /// Repeated as often as fits.
    repeated: &'static str,
    tail: &'static str,
}

const fn shape(
    name: &'static str,
    head: &'static str,
    repeated: &'static str,
    tail: &'static str,
) -> HardValue {
    HardValue {
        name,
        head,
        repeated,
        tail,
    }
}

/// The values that each field of each route is given. The last one of a list is what is not closed.
const SHAPES: [HardValue; 17] = [
    shape("escaped text", "\"", "\\n", "\""),
    shape("a text and an escape", "\"\\n", "aaaaaaaa", "\\n\""),
    shape("deep lists", "", "[", ""),
    shape("deep objects", "", "{\"any_of\":[", ""),
    shape("deep conditions", "[", "{\"any_of\":[", ""),
    shape("numbers", "[", "0,", "0]"),
    shape("empty texts", "[", "\"\",", "\"\"]"),
    shape("short texts", "[", "\"1@2\",", "\"1@2\"]"),
    shape(
        "cursors",
        "[",
        "\"00000000000000000000000000000001-1\",",
        "\"\"]",
    ),
    shape("empty lists", "[", "[],", "[]]"),
    shape("empty objects", "[", "{},", "{}]"),
    shape("events", "[", EVENT, "{\"kind\":\"run_lost\"}]"),
    shape(
        "events with references",
        "[",
        "{\"kind\":\"run_lost\",\"payload\":{\"type\":\"refs\",\"refs\":[]},\"correlation\":{\"a\":\"b\"}},",
        "{\"kind\":\"run_lost\"}]",
    ),
    shape(
        "policies",
        "[",
        "{\"kind\":\"host\",\"id\":\"p\"},",
        "{\"kind\":\"host\",\"id\":\"p\"}]",
    ),
    shape("text of control characters", "\"", "\u{7f}", "\""),
    shape("conditions", "[", "{\"filter\":\"\"},", "\"\"]"),
    shape("tagged", "{\"type\":\"run\",\"x\":[", "0,", "0]}"),
];

/// A body in the pieces in which it arrives: some of them once, one of them again and again.
struct Pieces {
    first: Vec<u8>,
    repeated: Vec<u8>,
    times: usize,
    last: Vec<u8>,
}

impl Pieces {
    /// A body that is as long as it may be.
    fn of(first: &str, repeated: &str, last: &str) -> Self {
        let (first, last) = (first.as_bytes().to_vec(), last.as_bytes().to_vec());
        let repeated = repeated.repeat(PIECE / repeated.len()).into_bytes();
        let times = (JSON_BYTES_MAX - first.len() - last.len()) / repeated.len();
        Self {
            first,
            repeated,
            times,
            last,
        }
    }

    fn len(&self) -> usize {
        self.first.len() + self.repeated.len() * self.times + self.last.len()
    }

    /// The pieces, each made when it is asked for, as a connection makes them.
    fn stream(&self) -> Body {
        let (repeated, times, last) = (self.repeated.clone(), self.times, self.last.clone());
        let pieces = std::iter::once(self.first.clone())
            .chain(std::iter::repeat_n(repeated, times))
            .chain([last]);
        let pieces = pieces.map(|piece| Ok::<_, Infallible>(Bytes::from(piece)));
        Body::from_stream(futures::stream::iter(pieces))
    }
}

/// Bodies that are hard to read, all of them in one field.
fn bodies(field: &str) -> Vec<(&'static str, Pieces)> {
    let shapes = SHAPES.iter().map(|shape| {
        let first = format!("{{\"{field}\":{}", shape.head);
        let last = format!("{}}}", shape.tail);
        (shape.name, Pieces::of(&first, shape.repeated, &last))
    });
    let key = Pieces::of(&format!("{{\"{field}\":{{\""), "k", "\":1}}");
    let more = [("a long key", key), ("many keys", many_keys(field))];
    shapes.chain(more).collect()
}

/// Entries of an object, each with another key.
static KEYS: LazyLock<String> = LazyLock::new(|| {
    let mut keys = String::new();
    let mut number = 0_u32;
    while keys.len() + 64 < JSON_BYTES_MAX {
        write!(keys, "\"{number:x}\":\"\",").unwrap();
        number += 1;
    }
    keys
});

/// A body of many keys in one field.
fn many_keys(field: &str) -> Pieces {
    Pieces {
        first: format!("{{\"{field}\":{{").into_bytes(),
        repeated: KEYS.clone().into_bytes(),
        times: 1,
        last: b"\"\":\"\"}}".to_vec(),
    }
}

/// The routes that read JSON, by the contract, with the names of their fields.
async fn json_routes(server: &Server) -> Vec<(String, Vec<String>)> {
    let contract = server.get(OPERATOR, "/openapi.json").await.is(200);
    let mut routes = Vec::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(name) = schema.as_str().and_then(|it| it.rsplit('/').next()) else {
                continue;
            };
            let fields = contract["components"]["schemas"][name]["properties"].as_object();
            let path = path.replace("{pool}", "p").replace("{run}", "a");
            let path = path.replace(['{', '}'], "");
            let line = format!("{} {path}", method.to_uppercase());
            routes.push((line, fields.unwrap().keys().cloned().collect()));
        }
    }
    routes
}

/// Sends a body, and checks what was in memory at the most until it was answered.
fn check(
    tokio: &tokio::runtime::Runtime,
    server: &Server,
    (line, name): (&str, &str),
    body: &Pieces,
) -> HttpReply {
    let mut asked = request(OPERATOR, line, &Value::Null);
    let json = "application/json".parse().unwrap();
    asked.headers_mut().insert(header::CONTENT_TYPE, json);
    let mut answer = None;
    let measured = allocation_counter::measure(|| {
        *asked.body_mut() = body.stream();
        answer = Some(tokio.block_on(server.send(asked)));
    });
    let (answer, bytes) = (answer.unwrap(), body.len() as u64);
    assert!(answer.status.is_client_error(), "{line} {name}: {answer:?}");
    assert!(answer.text.len() < 4_096, "{line} {name}: {}", answer.text);
    let max = bytes * FACTOR + BESIDE;
    assert!(
        measured.bytes_max <= max,
        "{line}, {name}: {} bytes in memory for {bytes}, and may be {max}: {}",
        measured.bytes_max,
        answer.text
    );
    answer
}

fn scene() -> (tokio::runtime::Runtime, Server, Vec<(String, Vec<String>)>) {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let server = Server::on_memory();
    let routes = tokio.block_on(async {
        server.with_pair().await;
        json_routes(&server).await
    });
    (tokio, server, routes)
}

/// Sends every field of every route each of the bodies that `asks` wants for the numbers of the route,
/// the field and the body.
fn walk(asks: impl Fn(usize, usize, usize) -> bool) {
    let (tokio, server, routes) = scene();
    assert!(routes.len() > 12, "{routes:?}");
    for (route, (line, fields)) in routes.iter().enumerate() {
        let fields = fields.iter().map(String::as_str).chain(["no_such_field"]);
        for (number, field) in fields.enumerate() {
            let bodies = bodies(field).into_iter().enumerate();
            for (_, (shape, body)) in bodies.filter(|(body, _)| asks(route, number, *body)) {
                let name = format!("{field}: {shape}");
                check(&tokio, &server, (line, &name), &body);
            }
        }
    }
}

#[test]
fn no_json_body_takes_over_three_times_its_bytes() {
    walk(|route, field, body| match body {
        // They are slow to read, whatever the field.
        0 | 1 => field == 0 && route % 5 == body,
        _ => (field + body) % 6 == 0,
    });
}

#[test]
#[ignore = "every field with every body: minutes; in `cargo xtask prove`"]
fn no_field_of_a_json_body_takes_over_three_times_its_bytes() {
    walk(|_, _, _| true);
}

/// The body that once took 54 times its bytes.
#[test]
fn a_batch_of_too_many_events_is_refused_where_it_is_too_much() {
    let (tokio, server, _) = scene();
    let body = Pieces::of(
        "{\"run_id\":\"a\",\"events\":[",
        EVENT,
        "{\"kind\":\"run_lost\"}]}",
    );
    let head = tokio.block_on(server.head());
    let answer = check(
        &tokio,
        &server,
        ("POST /v1/pools/p/events", "events"),
        &body,
    );
    let refused = answer.refused(413, "too-large");
    let field = refused["field"].as_str().unwrap();
    assert!(field.starts_with("events["), "{refused}");
    assert_eq!(tokio.block_on(server.head()), head, "nothing is journaled");
}

/// The bytes that the store on memory keeps of it are counted, too.
#[test]
fn a_content_is_there_at_most_three_times() {
    let (tokio, server, _) = scene();
    let body = Pieces::of("{", "0123456789abcdef", "}");
    let mut asked = request(OPERATOR, "PUT /v1/pools/p/contents", &Value::Null);
    let mut answer = None;
    let measured = allocation_counter::measure(|| {
        *asked.body_mut() = body.stream();
        answer = Some(tokio.block_on(server.send(asked)));
    });
    let bytes = body.len() as u64;
    assert_eq!(answer.unwrap().is(201)["size_bytes"], bytes);
    assert!(
        measured.bytes_max <= bytes * FACTOR + BESIDE,
        "{measured:?}"
    );
}

#[test]
fn a_full_batch_of_small_events_is_read() {
    let (tokio, server, _) = scene();
    let event = json!({
        "kind": "tool_completed", "turn": "t", "attempt": "a", "message": "m", "topic": "t",
        "tags": ["a", "b"], "correlation": {"a": "b", "c": "d"},
        "related": [{"kind": "run", "id": "a"}, {"kind": "run", "id": "b"}],
        "payload": {"type": "summary", "summary": "done", "refs": [{"kind": "run", "id": "a"}]}
    });
    for event in [json!({"kind": "tool_denied"}), event] {
        let key = event["kind"].clone();
        let events = vec![event; 1_000];
        let body = json!({"run_id": "a", "events": events, "idempotency_key": key});
        let answer = tokio.block_on(server.post(OPERATOR, "/v1/pools/p/events", body));
        assert_eq!(answer.is(201)["count"], 1_000);
    }
}
/// Filters of the longest text that are hard to bring into their normal form, or to refuse.
fn hard_filters() -> [String; 7] {
    let pair = |number: usize| format!("(run==\"a{number}\"||agent==\"b{number}\")&&");
    [
        (0..400).map(pair).collect::<String>() + "terminal",
        "run==\"a\"||".repeat(1_400) + "terminal",
        "!".repeat(16_000) + "terminal",
        format!("{}terminal{}", "(".repeat(8_000), ")".repeat(8_000)),
        format!("run in [{}\"a\"]", "\"b\",".repeat(3_500)),
        "x==1||".repeat(2_500) + "terminal",
        "\u{20ac}".repeat(5_000),
    ]
}

#[test]
fn a_filter_takes_two_mebibytes_at_the_most_until_it_is_compiled_or_refused() {
    let (tokio, server, _) = scene();
    for filter in hard_filters() {
        let body = json!({"filter": filter});
        let asked = request(OPERATOR, "POST /v1/filters/compile", &body);
        let mut answer = None;
        let measured = allocation_counter::measure(|| {
            answer = Some(tokio.block_on(server.send(asked)));
        });
        let answer = answer.unwrap();
        assert!(answer.text.len() < 8_192, "{}", answer.text);
        assert!(measured.bytes_max <= 2 * 1024 * 1024, "{measured:?}");
    }
}
