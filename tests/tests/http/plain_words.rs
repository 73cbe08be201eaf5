//! Refusals speak of requests, and never of the types that read them.

use serde_json::{Value, json};

use crate::support::{OPERATOR, Server};

/// Words that only those who know our types understand.
const INNER: [&str; 12] = [
    "enum ", "struct ", "variant", "untagged", "u64", "u32", "i64", "f64", "sequence", "serde",
    "`", "unit",
];

/// The longest refusal, in bytes: it names a field, what is wrong, and a few names.
const DETAIL_BYTES_MAX: usize = 500;

/// Values of every type.
fn values() -> Vec<Value> {
    let long = "x".repeat(5_000);
    let mut values = vec![
        json!(null),
        json!(true),
        json!(7),
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
fn check(reply: &crate::support::Reply, asked: &str) -> usize {
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

#[tokio::test]
async fn a_refusal_speaks_of_requests_alone_and_is_short() {
    let server = Server::on_memory();
    server.with_pair().await;
    let contract = server.get(OPERATOR, "/openapi.json").await.is(200);
    let mut refused = 0;
    for (path, methods) in contract["paths"].as_object().unwrap() {
        let filled = path.replace("{pool}", "p").replace("{run}", "a");
        let filled = filled
            .replace("{id}", "m")
            .replace('{', "")
            .replace('}', "");
        for (method, operation) in methods.as_object().unwrap() {
            let line = format!("{} {filled}", method.to_uppercase());
            let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let name = body.as_str().and_then(|it| it.rsplit('/').next());
            let schema = name.map(|name| &contract["components"]["schemas"][name]["properties"]);
            let fields = schema.and_then(Value::as_object);
            for field in fields
                .into_iter()
                .flat_map(|it| it.keys())
                .map(String::as_str)
            {
                for value in values() {
                    let asked = json!({field: value});
                    let reply = server.call(OPERATOR, &line, asked.clone()).await;
                    refused += check(&reply, &format!("{line} {asked}"));
                }
            }
            if name.is_some() {
                for asked in [json!({"no_such_field": 1}), json!([]), json!("x")] {
                    let reply = server.call(OPERATOR, &line, asked.clone()).await;
                    refused += check(&reply, &format!("{line} {asked}"));
                }
            }
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            for name in parameters
                .filter(|it| it["in"] == "query")
                .map(|it| &it["name"])
            {
                for value in ["x", "-1", "", "1.5", "99999999999999999999999"] {
                    let asked = format!("{line}?{}={value}", name.as_str().unwrap());
                    let reply = server.call(OPERATOR, &asked, Value::Null).await;
                    refused += check(&reply, &asked);
                }
            }
        }
    }
    assert!(refused > 300, "{refused} refusals");
}
