//! The contract document, and serving on a real listener.

use std::collections::BTreeSet;

use heronry_server::{Auth, OperatorToken, ServeError, ServerConfig, TokenKey, serve};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use crate::support::{OPERATOR, Server};

/// Routes that the contract must name.
const SERVED: [&str; 16] = [
    "PUT /v1/pools/{pool}",
    "GET /v1/pools",
    "PATCH /v1/pools/{pool}/settings",
    "POST /v1/pools/{pool}/members",
    "DELETE /v1/pools/{pool}/members/{run}",
    "POST /v1/pools/{pool}/messages",
    "GET /v1/pools/{pool}/messages/{id}",
    "POST /v1/pools/{pool}/members/{run}/inbox/receive",
    "GET /v1/pools/{pool}/members/{run}/inbox",
    "POST /v1/pools/{pool}/wakes",
    "DELETE /v1/pools/{pool}/wakes/{id}",
    "GET /v1/pools/{pool}/events",
    "PUT /v1/pools/{pool}/contents",
    "POST /v1/filters/compile",
    "GET /healthz",
    "GET /openapi.json",
];

#[tokio::test]
async fn the_contract_names_every_route_and_only_schemas_that_it_has() {
    let contract = Server::on_memory().get("", "/openapi.json").await.is(200);
    assert!(
        contract["openapi"].as_str().unwrap().starts_with("3.1"),
        "{}",
        contract["openapi"]
    );
    let mut operations = BTreeSet::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.insert(format!("{} {path}", method.to_uppercase()));
            assert!(
                operation["responses"]["default"].is_object(),
                "{method} {path}"
            );
        }
    }
    for line in SERVED {
        assert!(
            operations.contains(line),
            "{line} is missing in {operations:?}"
        );
    }
    let text = contract.to_string();
    let schemas = contract["components"]["schemas"].as_object().unwrap();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            schemas.contains_key(name),
            "{name} is referred to and missing"
        );
    }
    let send = &schemas["SendMessage"];
    assert!(
        send["required"]
            .as_array()
            .unwrap()
            .contains(&Value::from("to")),
        "{send}"
    );
    assert_eq!(
        send["properties"]["expires_in_ms"]["type"]
            .as_array()
            .unwrap()[0],
        "integer"
    );
}

#[tokio::test]
async fn every_route_of_the_contract_is_served() {
    let server = Server::on_memory();
    let contract = server.get("", "/openapi.json").await.is(200);
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace(['{', '}'], "");
            let line = format!("{} {path}", method.to_uppercase());
            let reply = server.call(OPERATOR, &line, Value::Null).await;
            assert!(
                !reply.text.contains("/problems/not-found"),
                "{line}: {}",
                reply.text
            );
            assert_ne!(reply.status, 405, "{line}");
        }
    }
}

/// Sends raw HTTP and returns everything until the other side closes.
async fn raw(address: std::net::SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn a_real_server_serves_until_it_is_told_to_stop_and_ends_its_streams() {
    let server = Server::on_memory();
    server.open(serde_json::json!({})).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let auth = Auth::new(OperatorToken::new(OPERATOR), TokenKey::from_bytes([5; 32]));
    let (stop, stopped) = oneshot::channel::<()>();
    let config = ServerConfig {
        listener,
        runtime: server.runtime.clone(),
        auth,
    };
    let serving = tokio::spawn(serve(config, async {
        stopped.await.unwrap();
    }));
    let health = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert!(raw(address, &health).await.starts_with("HTTP/1.1 200"));
    let foreign = "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert!(raw(address, foreign).await.starts_with("HTTP/1.1 421"));
    let follow = format!(
        "GET /v1/pools/p/events HTTP/1.1\r\nHost: localhost:{}\r\nAuthorization: Bearer {OPERATOR}\r\n\
         Accept: text/event-stream\r\n\r\n",
        address.port()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(follow.as_bytes()).await.unwrap();
    let mut text = String::new();
    while !text.contains("caught_up") {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).await.unwrap();
        assert!(count > 0, "the stream ended early: {text}");
        text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    stop.send(()).unwrap();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(
        text.contains("event: closed") && text.contains("shutdown"),
        "{text}"
    );
    serving.await.unwrap().unwrap();
    assert!(
        TcpStream::connect(address).await.is_err(),
        "nobody listens any more"
    );
}

#[tokio::test]
async fn a_listener_that_is_open_to_other_machines_is_refused() {
    let server = Server::on_memory();
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let auth = Auth::new(OperatorToken::new(OPERATOR), TokenKey::from_bytes([5; 32]));
    let config = ServerConfig {
        listener,
        runtime: server.runtime.clone(),
        auth,
    };
    let refused = serve(config, std::future::pending()).await.unwrap_err();
    assert!(
        matches!(refused, ServeError::NotLoopback { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_for_tests_may_go_without_a_token() {
    let mut server = Server::on_memory();
    let auth = Auth::new(OperatorToken::new(OPERATOR), TokenKey::from_bytes([5; 32]))
        .with_anonymous(heronry_server::Anonymous::ActsAsOperator);
    let (router, _) = heronry_server::router(
        server.runtime.clone(),
        auth,
        "127.0.0.1:7171".parse().unwrap(),
    );
    server.router = router;
    server
        .call("", "PUT /v1/pools/p", serde_json::json!({}))
        .await
        .is(201);
    server
        .get("wrong", "/v1/pools/p")
        .await
        .refused(401, "unauthorized");
}
