//! Refusals speak of requests, and never of the types that read them.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server};

/// Words that only those who know our types understand.
const INNER: [&str; 16] = [
    "enum ",
    "struct ",
    "variant",
    "tagged",
    "u64",
    "u32",
    "i64",
    "f64",
    "sequence",
    "serde",
    "missing field",
    "unknown field",
    "duplicate field",
    "invalid type",
    "invalid value",
    "expected one of",
];

/// The longest refusal, in bytes: it names a field, what is wrong, and a few names.
const DETAIL_BYTES_MAX: usize = 500;

/// Values of every type.
fn values() -> Vec<Value> {
    let long = "x".repeat(5_000);
    let mut values = vec![
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!("x"),
    ];
    values.extend([
        json!(long),
        json!([]),
        json!([7]),
        json!({}),
        json!({"x": 7}),
    ]);
    values.extend([
        json!({"type": "room"}),
        json!([{"kind": "nothing"}]),
        json!({"type": "run"}),
    ]);
    values
}

/// Checks what a refusal says, if it is one of the reader's.
fn check(reply: &heronry_tests::server::HttpReply, asked: &str) -> usize {
    if reply.status != 400 {
        return 0;
    }
    let problem: Value = serde_json::from_str(&reply.text).unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.len() <= DETAIL_BYTES_MAX, "{asked}: {detail}");
    for word in INNER {
        assert!(!detail.contains(word), "{word:?} in {detail:?}; {asked}");
    }
    1
}

/// One operation of the contract: its method and path, the fields of its body, and its query.
struct Operation {
    line: String,
    fields: Vec<String>,
    queries: Vec<String>,
}

/// The operations of a contract, with their paths filled.
fn operations(contract: &Value) -> Vec<Operation> {
    let paths = contract["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (path, method, operation))
    });
    each.map(|(path, method, operation)| {
        let path = path.replace("{pool}", "p").replace("{run}", "a");
        let path = path.replace(['{', '}'], "");
        Operation {
            line: format!("{} {path}", method.to_uppercase()),
            fields: fields(contract, operation),
            queries: queries(operation),
        }
    })
    .collect()
}

fn fields(contract: &Value, operation: &Value) -> Vec<String> {
    let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let Some(name) = body.as_str().and_then(|it| it.rsplit('/').next()) else {
        return Vec::new();
    };
    let properties = contract["components"]["schemas"][name]["properties"].as_object();
    properties.unwrap().keys().cloned().collect()
}

fn queries(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let queries = parameters.filter(|it| it["in"] == "query");
    queries
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Every request that an operation is sent: its line and its body.
fn requests(operation: &Operation) -> Vec<(String, Value)> {
    let line = &operation.line;
    let mut requests = Vec::new();
    for field in &operation.fields {
        requests.extend(
            values()
                .into_iter()
                .map(|it| (line.clone(), json!({field: it}))),
        );
    }
    if !operation.fields.is_empty() {
        let others = [json!({"no_such_field": 1}), json!([]), json!("x")];
        requests.extend(others.map(|it| (line.clone(), it)));
    }
    for query in &operation.queries {
        let values = ["x", "-1", "", "1.5", "99999999999999999999999"];
        requests.extend(values.map(|it| (format!("{line}?{query}={it}"), Value::Null)));
    }
    requests
}

#[tokio::test]
async fn a_refusal_speaks_of_requests_alone_and_is_short() {
    let server = Server::on_memory();
    server.with_pair().await;
    let contract = server.get(OPERATOR, "/openapi.json").await.is(200);
    let mut refused = 0;
    for (line, body) in operations(&contract).iter().flat_map(requests) {
        let reply = server.call(OPERATOR, &line, body.clone()).await;
        refused += check(&reply, &format!("{line} {body}"));
    }
    assert!(refused > 300, "{refused} refusals");
}
