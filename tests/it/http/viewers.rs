//! O8 over HTTP: what a member sees of a pool with policies, in pages, streams and wakes.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    o8_a_member_sees_what_its_like_do_and_the_engine_and_an_operator_sees_both
    a55_who_may_not_read_events_does_not_wait_for_them
}

const EVENTS: &str = "/v1/pools/p/events";
/// `run == "out" || true`
const GREEDY: &str = "filter=run%20%3D%3D%20%22out%22%20%7C%7C%20true";
/// `run == "out"`
const OF_OUT: &str = "filter=run%20%3D%3D%20%22out%22";

/// A pool with a policy, a member that holds it and one that does not; both act.
async fn scene(server: &Server) -> (String, String) {
    let policy = json!({"kind": "host", "id": "inside"});
    server.open(json!({"policies": [policy]})).await;
    let body = json!({"run_id": "in", "agent_id": "in", "policies": [policy]});
    let joined = server.post(OPERATOR, "/v1/pools/p/members", body).await;
    let inside = joined.is(201)["member_token"].as_str().unwrap().to_owned();
    let outside = server.join("out").await;
    (inside, outside)
}

async fn both_act(server: &Server, (inside, outside): (&str, &str)) {
    for (token, name) in [(inside, "in"), (outside, "out")] {
        let sent = json!({"to": to_run(name), "body": "-", "idempotency_key": "k"});
        let sent = server.post(token, "/v1/pools/p/messages", sent).await;
        sent.is(201);
        let inbox = format!("/v1/pools/p/members/{name}/inbox");
        let taken = server
            .post(token, &format!("{inbox}/receive"), json!({}))
            .await;
        let claims = json!({"claims": [taken.is(200)["items"][0]["claim"]]});
        let acked = server.post(token, &format!("{inbox}/ack"), claims).await;
        acked.is(200);
        let events = json!([{"kind": "tool_completed"}]);
        let batch = json!({"idempotency_key": "report", "events": events});
        server.post(token, EVENTS, batch).await.is(201);
    }
}

/// Kind and run of each event.
fn seen(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let shown = events.iter();
    shown
        .map(|event| (text(&event["kind"]), text(&event["run"])))
        .collect()
}

/// Checks that a page and a stream show the same, and returns it.
async fn shown(server: &Server, token: &str, query: &str) -> Vec<(String, String)> {
    let page = server.get(token, &format!("{EVENTS}?{query}")).await;
    let paged = seen(page.is(200)["events"].as_array().unwrap());
    let stream = server.stream(token, &format!("?{query}")).await;
    let mut frames = { stream }.until("caught_up").await;
    frames.pop();
    let data: Vec<Value> = frames.into_iter().filter_map(|frame| frame.data).collect();
    assert_eq!(seen(&data), paged, "{query}");
    paged
}

async fn o8_a_member_sees_what_its_like_do_and_the_engine_and_an_operator_sees_both(
    server: Server,
) {
    let (inside, outside) = scene(&server).await;
    let waiting = |filter: &str, key: &str| {
        let wake = json!({"filter": filter, "wake_id": key, "idempotency_key": key});
        server.post(&inside, "/v1/pools/p/wakes", wake)
    };
    waiting(r#"run == "out" && family == "tool""#, "never")
        .await
        .is(201);
    waiting(r#"run == "out""#, "engine").await.is(201);
    both_act(&server, (&inside, &outside)).await;

    let by_in = [
        "agent_pool_run_joined",
        "run_message_accepted",
        "run_message_delivered",
        "run_message_fetched",
        "run_message_acked",
        "tool_completed",
    ];
    let of = |events: &[(String, String)], name: &str| -> Vec<String> {
        let of = events.iter().filter(|(_, run)| run == name);
        let kinds = of.map(|(kind, _)| kind.clone());
        kinds.filter(|kind| !kind.starts_with("wake_")).collect()
    };
    let member = shown(&server, &inside, "").await;
    let operator = shown(&server, OPERATOR, "").await;
    assert!(
        by_in
            .iter()
            .all(|kind| of(&member, "in").contains(&(*kind).to_owned()))
    );
    assert_eq!(of(&member, "in"), of(&operator, "in"));
    assert_eq!(
        of(&member, "out"),
        ["run_message_settled"],
        "the engine's own"
    );
    assert!(
        by_in
            .iter()
            .all(|kind| of(&operator, "out").contains(&(*kind).to_owned()))
    );
    // A filter narrows, and shows nothing more.
    assert_eq!(shown(&server, &inside, GREEDY).await, member);
    let narrow = shown(&server, &inside, OF_OUT).await;
    assert_eq!(of(&narrow, "out"), of(&member, "out"));
    assert_eq!(narrow.len(), 1);
    server.get(&outside, EVENTS).await.refused(403, "policy");

    let wake = |id: &str| {
        let (server, inside, path) = (&server, &inside, format!("/v1/pools/p/wakes/{id}"));
        async move { server.get(inside, &path).await.is(200) }
    };
    assert_eq!(wake("never").await["status"], "registered");
    assert_eq!(
        wake("engine").await["matches"][0]["kind"],
        "run_message_settled"
    );
}

async fn a55_who_may_not_read_events_does_not_wait_for_them(server: Server) {
    let (_, outside) = scene(&server).await;
    let head = server.head().await;
    let wake = json!({"filter": "true", "idempotency_key": "w", "run_id": "out"});
    // Nor does an operator have it wait.
    for token in [&outside, OPERATOR] {
        let refused = server.post(token, "/v1/pools/p/wakes", wake.clone()).await;
        let refused = refused.refused(403, "policy");
        assert_eq!(refused["policy"], json!({"kind": "host", "id": "inside"}));
    }
    assert_eq!(server.head().await, head);
}
