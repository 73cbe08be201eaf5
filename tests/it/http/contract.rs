//! The contract document, and serving on a real listener.

use heronry_server::{
    Auth, ConnectionLimits, Keepers, Listener, OperatorToken, ServeError, ServerConfig, StoreWatch,
    serve,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use heronry_tests::{
    contract::CONTRACT,
    server::{OPERATOR, Server, to_run},
};

#[tokio::test]
async fn w1_a_wake_with_policies_is_what_the_contract_says() {
    let server = Server::on_memory();
    let check = |name: &str, value: &Value| {
        CONTRACT.check(name, value).unwrap();
        assert!(value["policies"].is_array(), "{value}");
    };
    server.open(json!({})).await;
    let held = json!([{"kind": "host", "id": "team", "version": "2"}]);
    let join = json!({"run_id": "c", "agent_id": "c", "policies": held});
    let joined = server.post(OPERATOR, "/v1/pools/p/members", join).await;
    let c = joined.is(201)["member_token"].as_str().unwrap().to_owned();
    let wakes = "/v1/pools/p/wakes";
    let carrying = json!({
        "filter": "terminal", "wake_id": "w", "idempotency_key": "k", "policies": held
    });
    let made = server.post(&c, wakes, carrying).await.is(201);
    check("WakeChanged", &made);
    let path = format!("{wakes}/w");
    check("WakeView", &server.get(&c, &path).await.is(200));
    let explained = server.get(&c, &format!("{path}/explain")).await;
    check("WakeExplanation", &explained.is(200));
}

#[tokio::test]
async fn answers_are_what_the_contract_says() {
    let server = Server::on_memory();
    let check = |name: &str, value: &Value| CONTRACT.check(name, value).unwrap();
    let (a, b) = server.with_pair().await;
    let wakes = "/v1/pools/p/wakes";
    for (key, filter) in [("t", "kind == \"run_message_acked\""), ("w", "terminal")] {
        let wake = json!({"filter": filter, "idempotency_key": key, "timeout_ms": 5_000});
        check("WakeChanged", &server.post(&a, wakes, wake).await.is(201));
    }
    check("WakeList", &server.get(&a, wakes).await.is(200));
    let page = server.get(&a, &format!("{wakes}?limit=1")).await.is(200);
    assert!(page["next"].is_string());
    check("WakeList", &page);
    let wake = page["wakes"][0]["wake_id"].as_str().unwrap();
    let explained = server.get(&a, &format!("{wakes}/{wake}/explain")).await;
    check("WakeExplanation", &explained.is(200));
    let message = json!({
        "to": to_run("b"), "idempotency_key": "k", "body": "x", "message_id": "m",
        "correlation": {"k": "v"}, "expires_in_ms": 60_000
    });
    let sent = server.post(&a, "/v1/pools/p/messages", message).await;
    check("Receipt", &sent.is(201));
    let inbox = "/v1/pools/p/members/b/inbox";
    let claimed = server
        .post(&b, &format!("{inbox}/receive"), json!({}))
        .await;
    let claims = json!({"claims": [claimed.is(200)["items"][0]["claim"]]});
    server
        .post(&b, &format!("{inbox}/ack"), claims)
        .await
        .is(200);
    let nowhere = json!({"to": to_run("nobody"), "body": "x", "idempotency_key": "n"});
    let failed = server
        .post(&a, "/v1/pools/p/messages", nowhere)
        .await
        .is(201);
    assert_eq!(failed["status"], "failed");
    check("Receipt", &failed);
    let receipt = server.get(&a, "/v1/pools/p/messages/m").await.is(200);
    assert_eq!(receipt["recipients"][0]["outcome"], "done");
    check("Receipt", &receipt);
    for wake in server.get(OPERATOR, wakes).await.is(200)["wakes"]
        .as_array()
        .unwrap()
    {
        check("WakeView", wake);
    }
    // The check can fail.
    let mut other = receipt.clone();
    other["status"] = json!("lost");
    assert!(CONTRACT.check("Receipt", &other).is_err());
    let mut more = receipt;
    more["more"] = json!(1);
    assert!(CONTRACT.check("Receipt", &more).is_err());
}

#[tokio::test]
async fn what_a_send_says_is_named_to_its_leaves_and_the_server_takes_what_fits() {
    let server = Server::on_memory();
    let (a, _) = server.with_pair().await;
    let checked = [
        ("to", true, json!({"type": "run", "run_id": "b"})),
        ("to", true, json!({"type": "agent", "agent_id": "b"})),
        ("to", true, json!({"type": "topic", "topic_id": "t"})),
        ("to", true, json!({"type": "pool", "pool_id": "p"})),
        ("to", false, json!({"type": "run", "agent_id": "b"})),
        (
            "to",
            false,
            json!({"type": "run", "run_id": "b", "more": 1}),
        ),
        ("to", false, json!({"type": "run", "run_id": 7})),
        ("to", false, json!({"type": "somebody", "run_id": "b"})),
        ("to", false, json!({"run_id": "b"})),
        ("policies", true, json!([])),
        ("policies", false, json!([{"kind": "host"}])),
        ("policies", false, json!([{"kind": "nobody", "id": "x"}])),
        (
            "response_contract",
            true,
            json!({"expected_responses": 1, "from": ["b"]}),
        ),
        ("response_contract", true, Value::Null),
        ("response_contract", false, json!({"timeout_ms": 5})),
        (
            "response_contract",
            false,
            json!({"expected_responses": 1, "more": 1}),
        ),
    ];
    for (number, (field, good, value)) in checked.into_iter().enumerate() {
        let mut message = json!({
            "to": to_run("b"), "body": "x", "idempotency_key": format!("k{number}")
        });
        message[field] = value.clone();
        let fits = CONTRACT.check("SendMessage", &message);
        assert_eq!(fits.is_ok(), good, "{field}: {value}: {fits:?}");
        let reply = server.post(&a, "/v1/pools/p/messages", message).await;
        let status = if good { 201 } else { 400 };
        assert_eq!(reply.status, status, "{field}: {value}: {}", reply.text);
    }
}

#[tokio::test]
async fn events_and_streams_are_what_the_contract_says() {
    let server = Server::on_memory();
    let check = |name: &str, value: &Value| CONTRACT.check(name, value).unwrap();
    let events = &CONTRACT.document["paths"]["/v1/pools/{pool}/events"]["get"];
    let content = &events["responses"]["200"]["content"];
    assert!(content["application/json"].is_object(), "{content}");
    assert_eq!(content["text/event-stream"]["schema"]["type"], "string");

    let (a, b) = server.with_pair().await;
    let wake = json!({"filter": "kind == \"run_message_accepted\"", "idempotency_key": "t"});
    server.post(&a, "/v1/pools/p/wakes", wake).await.is(201);
    server.tell(&b, "a", "k").await.is(201);
    server.tell(&b, "nobody", "n").await.is(201);
    let page = server.get(OPERATOR, "/v1/pools/p/events").await.is(200);
    assert!(page["events"].as_array().unwrap().len() > 6, "{page}");
    check("EventPage", &page);
    let triggered = page["events"].as_array().unwrap().iter();
    let triggered = triggered.filter(|event| event["kind"] == "wake_condition_triggered");
    assert!(triggered.count() > 0, "{page}");
    let mut stream = server.stream(OPERATOR, "").await;
    for frame in stream.until("caught_up").await {
        check("StreamItem", &frame.data.unwrap());
    }
    server.stop.stop();
    let closed = stream.until("closed").await.pop().unwrap();
    check("StreamItem", &closed.data.unwrap());
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
    let auth = Auth::new(OperatorToken::new(OPERATOR));
    let (stop, stopped) = oneshot::channel::<()>();
    let config = ServerConfig {
        keepers: Keepers::default(),
        listeners: vec![Listener::Tcp(listener)],
        runtime: server.runtime.clone(),
        auth,
        limits: ConnectionLimits::default(),
        store: StoreWatch::default(),
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
    let auth = Auth::new(OperatorToken::new(OPERATOR));
    let config = ServerConfig {
        keepers: Keepers::default(),
        listeners: vec![Listener::Tcp(listener)],
        runtime: server.runtime.clone(),
        auth,
        limits: ConnectionLimits::default(),
        store: StoreWatch::default(),
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
    let auth = Auth::new(OperatorToken::new(OPERATOR))
        .with_anonymous(heronry_server::Anonymous::ActsAsOperator);
    let heronry_server::Routes { router, .. } = heronry_server::router(
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
