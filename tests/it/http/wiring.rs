//! Edges, aliases, labels and wired pools, over HTTP.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    r23_edges_are_wired_listed_by_pages_and_unwired
    r25_only_operators_change_the_wiring_and_members_look_at_it
    r26_what_is_no_edge_is_refused_before_anything_is_changed
    r27_a_wired_pool_delivers_to_neighbours_and_the_receipt_names_the_others
    r28_an_alias_is_set_shown_sent_to_and_removed
    r44_labels_are_put_shown_and_cleared
}

const MESSAGES: &str = "/v1/pools/p/messages";
const EDGES: &str = "/v1/pools/p/edges";
const ALIASES: &str = "/v1/pools/p/aliases";

async fn put(server: &Server, token: &str, path: &str, body: Value) -> Value {
    server
        .call(token, &format!("PUT {path}"), body)
        .await
        .is(200)
}

async fn wire(server: &Server, a: &str, b: &str) -> Value {
    put(server, OPERATOR, &format!("{EDGES}/{a}/{b}"), Value::Null).await
}

fn position(cursor: &Value) -> u64 {
    let text = cursor.as_str().unwrap();
    text.rsplit('-').next().unwrap().parse().unwrap()
}

async fn r23_edges_are_wired_listed_by_pages_and_unwired(server: Server) {
    server.with_pair().await;
    let wired = wire(&server, "b", "a").await;
    assert_eq!(position(&wired["cursor"]), 4);
    // The other way round it is the same edge.
    let again = wire(&server, "a", "b").await;
    assert_eq!(again["cursor"], wired["cursor"]);
    wire(&server, "a", "x%2Fy").await;
    let page = server
        .get(OPERATOR, &format!("{EDGES}?limit=1"))
        .await
        .is(200);
    let edge = json!({
        "a": "a", "b": "b", "managed_by": "operator", "standing": "wired", "cursor": wired["cursor"],
    });
    assert_eq!(page["edges"], json!([edge]));
    assert_eq!(page["next"], json!({"a": "a", "b": "b"}));
    let rest = server
        .get(OPERATOR, &format!("{EDGES}?after_a=a&after_b=b"))
        .await;
    let rest = rest.is(200);
    assert_eq!(rest["edges"][0]["b"], "x/y");
    assert!(rest.get("next").is_none());
    let unwire = format!("DELETE {EDGES}/a/b");
    for _ in 0..2 {
        let unwired = server.call(OPERATOR, &unwire, Value::Null).await.is(200);
        assert_eq!(position(&unwired["cursor"]), 6);
    }
    let left = server.get(OPERATOR, EDGES).await.is(200);
    assert_eq!(left["edges"].as_array().unwrap().len(), 1);
}

async fn r25_only_operators_change_the_wiring_and_members_look_at_it(server: Server) {
    let (a, _) = server.with_pair().await;
    wire(&server, "a", "b").await;
    let head = server.head().await;
    let edge = format!("{EDGES}/a/b");
    let alias = format!("{ALIASES}/x/*");
    for line in [
        format!("PUT {edge}"),
        format!("DELETE {edge}"),
        format!("DELETE {alias}"),
    ] {
        let refused = server.call(&a, &line, Value::Null).await;
        refused.refused(403, "operator-only");
    }
    let (line, to) = (format!("PUT {alias}"), json!({"to": to_run("b")}));
    let refused = server.call(&a, &line, to).await;
    refused.refused(403, "operator-only");
    for path in ["/v1/pools/p/labels", "/v1/pools/p/members/a/labels"] {
        let line = format!("PUT {path}");
        let refused = server.call(&a, &line, json!({"labels": {}})).await;
        refused.refused(403, "operator-only");
        server.get(&a, path).await.is(200);
    }
    assert_eq!(server.head().await, head);
    let listed = server.get(&a, EDGES).await.is(200);
    assert_eq!(listed["edges"][0]["a"], "a");
    server.get(&a, ALIASES).await.is(200);
}

async fn r26_what_is_no_edge_is_refused_before_anything_is_changed(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    for ends in ["a/a", "a/%20a", "%20/b"] {
        let line = format!("PUT {EDGES}/{ends}");
        let refused = server.call(OPERATOR, &line, Value::Null).await;
        refused.refused(400, "invalid-request");
    }
    for query in ["after_a=a", "after_b=b", "after_a=a&after_b=a", "limit=0"] {
        let refused = server.get(OPERATOR, &format!("{EDGES}?{query}")).await;
        refused.refused(400, "invalid-request");
    }
    let alias = format!("PUT {ALIASES}/x/*");
    let of_alias = json!({"to": {"type": "alias", "recipient": "y"}});
    let refused = server.call(OPERATOR, &alias, of_alias).await;
    refused.refused(400, "invalid-request");
    assert_eq!(server.head().await, head);
}

async fn r27_a_wired_pool_delivers_to_neighbours_and_the_receipt_names_the_others(server: Server) {
    server.open(json!({"peering": "wired"})).await;
    let shown = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    assert_eq!(shown["settings"]["peering"], "wired");
    let (a, _) = (server.join("a").await, server.join("b").await);
    server.join("c").await;
    wire(&server, "a", "b").await;
    let all = json!({
        "message_id": "m", "to": {"type": "pool", "pool_id": "p"}, "body": "hello", "idempotency_key": "m",
    });
    let sent = server.post(&a, MESSAGES, all).await.is(201);
    assert_eq!(sent["recipients"][0]["run_id"], "b");
    assert_eq!(sent["not_peered"], json!(["c"]));
    let failed = server.tell(&a, "c", "alone").await.is(201);
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["reason"], "not_peered");
    let receipt = server.get(&a, &format!("{MESSAGES}/m")).await.is(200);
    assert_eq!(receipt["not_peered"], json!(["c"]));

    let patch = json!({"expected_version": 1, "peering": "open"});
    let patched = server
        .call(OPERATOR, "PATCH /v1/pools/p/settings", patch)
        .await;
    assert!(patched.is(200)["settings"].get("peering").is_none());
    let sent = server.tell(&a, "c", "open").await.is(201);
    assert_eq!(sent["status"], "delivered");
    assert!(sent.get("not_peered").is_none());
}

async fn r28_an_alias_is_set_shown_sent_to_and_removed(server: Server) {
    let (a, _) = server.with_pair().await;
    let alias = format!("{ALIASES}/member.b/*");
    let set = put(&server, OPERATOR, &alias, json!({"to": to_run("b")})).await;
    let shown = server.get(&a, &alias).await.is(200);
    let expected = json!({
        "recipient": "member.b", "to": to_run("b"), "managed_by": "operator", "cursor": set["cursor"],
    });
    assert_eq!(shown, expected);
    let listed = server.get(&a, ALIASES).await.is(200);
    assert_eq!(listed["aliases"], json!([expected]));
    let to = |recipient: &str, key: &str| {
        json!({
            "to": {"type": "alias", "recipient": recipient, "channel": "news"},
            "body": "hello", "idempotency_key": key,
        })
    };
    let receipt = server.post(&a, MESSAGES, to("member.b", "k")).await;
    let receipt = receipt.is(201);
    assert_eq!(receipt["recipients"][0]["run_id"], "b");
    let unknown = server.post(&a, MESSAGES, to("member.c", "l")).await;
    unknown.refused(404, "alias-not-found");
    let events = "/v1/pools/p/events?filter=kind%20%3D%3D%20%22run_message_accepted%22";
    let page = server.get(OPERATOR, events).await.is(200);
    let [accepted] = &page["events"].as_array().unwrap()[..] else {
        panic!("{page}");
    };
    assert_eq!(accepted["destination"]["id"], "b");
    assert_eq!(accepted["correlation"]["alias_recipient"], "member.b");
    assert_eq!(accepted["correlation"]["alias_channel"], "news");
    let remove = format!("DELETE {alias}");
    server.call(OPERATOR, &remove, Value::Null).await.is(200);
    server.get(&a, &alias).await.refused(404, "alias-not-found");
}

async fn r44_labels_are_put_shown_and_cleared(server: Server) {
    server.with_pair().await;
    let (of_pool, of_run) = ("/v1/pools/p/labels", "/v1/pools/p/members/a/labels");
    put(
        &server,
        OPERATOR,
        of_pool,
        json!({"labels": {"team": "red"}}),
    )
    .await;
    put(&server, OPERATOR, of_run, json!({"labels": {"tier": "1"}})).await;
    let labels = async |path| server.get(OPERATOR, path).await.is(200)["labels"].clone();
    assert_eq!(labels(of_pool).await, json!({"team": "red"}));
    assert_eq!(labels(of_run).await, json!({"tier": "1"}));
    put(&server, OPERATOR, of_run, json!({"labels": {}})).await;
    assert_eq!(labels(of_run).await, json!({}));
    assert_eq!(labels(of_pool).await, json!({"team": "red"}));
    let filter = "/v1/pools/p/events?filter=labels%5B%22team%22%5D%20%3D%3D%20%22red%22";
    server.join("c").await;
    server
        .call(OPERATOR, "PUT /v1/pools/p/edges/a/b", Value::Null)
        .await
        .is(200);
    let page = server.get(OPERATOR, filter).await.is(200);
    let shown = page["events"].as_array().unwrap().iter();
    let shown: Vec<_> = shown.map(|it| (&it["kind"], &it["labels"])).collect();
    let red = json!({"team": "red"});
    let changed = json!("agent_pool_labels_changed");
    assert_eq!(shown, [(&changed, &red), (&json!("edge_wired"), &red)]);
    let many: serde_json::Map<_, _> = (0..17).map(|n| (n.to_string(), json!("v"))).collect();
    let line = format!("PUT {of_pool}");
    let refused = server.call(OPERATOR, &line, json!({"labels": many})).await;
    refused.refused(400, "invalid-request");
}
