//! Listing members, page by page.

use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    members_are_listed_page_by_page_in_order_of_their_runs
    a_page_of_members_has_a_limit_and_any_start
    a9_a_member_that_is_silent_is_lost_and_a_heartbeat_brings_it_back
    p3_a_lease_is_changed_by_the_member_and_has_a_limit
    p3_a_join_says_which_live_run_it_took_over
    p3_a_new_join_refuses_a_live_run
}

const MEMBERS: &str = "/v1/pools/p/members";

async fn page(server: &Server, token: &str, query: &str) -> (Vec<String>, Option<String>) {
    let page = server
        .get(token, &format!("{MEMBERS}{query}"))
        .await
        .is(200);
    assert!(page["as_of"].is_string(), "{page}");
    let runs = page["members"].as_array().unwrap().iter();
    let runs = runs.map(|member| member["run_id"].as_str().unwrap().to_owned());
    let next = page
        .get("next")
        .map(|next| next.as_str().unwrap().to_owned());
    (runs.collect(), next)
}

async fn members_are_listed_page_by_page_in_order_of_their_runs(server: Server) {
    server.open(json!({})).await;
    for run in ["e", "a", "c/1", "b", "d"] {
        server.join(run).await;
    }
    let b = server.join("b2").await;
    let all = ["a", "b", "b2", "c/1", "d", "e"];
    assert_eq!(
        page(&server, OPERATOR, "").await,
        (all.map(str::to_owned).to_vec(), None)
    );
    for limit in 1..=7 {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let (runs, next) = page(&server, &b, &format!("?limit={limit}{after}")).await;
            assert!(runs.len() <= limit);
            found.extend(runs);
            let Some(next) = next else { break };
            assert_eq!(found.last(), Some(&next));
            after = format!("&after={}", next.replace('/', "%2F"));
        }
        assert_eq!(found, all, "pages of {limit}");
    }
}

async fn a_page_of_members_has_a_limit_and_any_start(server: Server) {
    server.open(json!({"limits": {"page_items_max": 2}})).await;
    for run in ["a", "c", "e"] {
        server.join(run).await;
    }
    let runs = |runs: &[&str]| runs.iter().map(|run| (*run).to_owned()).collect::<Vec<_>>();
    let first = page(&server, OPERATOR, "").await;
    assert_eq!(first, (runs(&["a", "c"]), Some("c".to_owned())));
    // Who left since is a start as good as any.
    assert_eq!(
        page(&server, OPERATOR, "?after=b").await.0,
        runs(&["c", "e"])
    );
    assert_eq!(
        page(&server, OPERATOR, "?after=e").await,
        (Vec::new(), None)
    );
    let over = server.get(OPERATOR, &format!("{MEMBERS}?limit=3")).await;
    let over = over.refused(400, "limit-exceeded");
    assert_eq!(
        (&over["limit"], &over["max"], &over["actual"]),
        (&json!("page_items_max"), &json!(2), &json!(3))
    );
    let none = server.get(OPERATOR, &format!("{MEMBERS}?limit=0")).await;
    assert_eq!(none.refused(400, "invalid-request")["field"], "limit");
}

async fn join(server: &Server, run: &str, lease_ms: u64) -> String {
    let body = json!({"run_id": run, "agent_id": run, "lease_ms": lease_ms});
    let joined = server.post(OPERATOR, MEMBERS, body).await.is(201);
    joined["member_token"].as_str().unwrap().to_owned()
}

/// The member `a`, and how many are lost.
async fn seen(server: &Server) -> (Value, Value) {
    let members = server.get(OPERATOR, MEMBERS).await.is(200)["members"].clone();
    let pool = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    (members[0].clone(), pool["lost_members"].clone())
}

/// Lets time pass while the engine runs.
async fn pass(server: &Server, seconds: u64) {
    for _ in 0..seconds {
        server.clock.advance(Millis::from_secs(1));
        server.head().await;
    }
}

async fn a9_a_member_that_is_silent_is_lost_and_a_heartbeat_brings_it_back(server: Server) {
    server.open(json!({})).await;
    let a = join(&server, "a", 10_000).await;
    let b = server.join("b").await;
    server.tell(&b, "a", "m").await.is(201);
    let wake = json!({"filter": "kind == \"run_lost\"", "idempotency_key": "w"});
    let wake = server.post(&b, "/v1/pools/p/wakes", wake).await.is(201);
    let (member, lost) = seen(&server).await;
    assert_eq!(member["lease_ms"], 10_000);
    assert_eq!(member["last_seen"], "2026-11-20T08:00:00.000Z");
    assert_eq!((&member["lost_until"], lost), (&Value::Null, json!(0)));

    pass(&server, 9).await;
    let head = server.head().await;
    let line = "/v1/pools/p/members/a/heartbeat";
    let renewed = server.post(&a, line, Value::Null).await.is(200);
    assert_eq!(
        (&renewed["cursor"], server.head().await),
        (&head, head.clone())
    );
    pass(&server, 9).await;
    assert_eq!(server.head().await, head, "its lease began again");
    pass(&server, 1).await;
    let (member, lost) = seen(&server).await;
    assert_eq!(member["last_seen"], "2026-11-20T08:00:09.000Z");
    assert_eq!(member["lost_until"], "2026-11-21T08:00:19.000Z");
    assert_eq!(lost, 1);
    let id = wake["wake_id"].as_str().unwrap();
    let woken = server.get(&b, &format!("/v1/pools/p/wakes/{id}")).await;
    let woken = woken.is(200);
    assert_eq!(woken["status"], "triggered");
    assert_eq!(woken["matches"][0]["kind"], "run_lost");

    server.post(&a, line, Value::Null).await.is(200);
    let (member, lost) = seen(&server).await;
    assert_eq!((&member["lost_until"], lost), (&Value::Null, json!(0)));
    let events = "/v1/pools/p/events?filter=run%20%3D%3D%20%22a%22";
    let events = server.get(OPERATOR, events).await.is(200)["events"].clone();
    let kinds = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["kind"]);
    let newest: Vec<_> = kinds.rev().take(2).collect();
    assert_eq!(newest, ["run_resumed", "run_lost"]);
    let other = server.post(&b, line, Value::Null).await;
    other.refused(403, "sender-mismatch");
}

async fn p3_a_lease_is_changed_by_the_member_and_has_a_limit(server: Server) {
    server
        .open(json!({"limits": {"lease_ms_max": 5_000}}))
        .await;
    let body = json!({"run_id": "a", "agent_id": "a", "lease_ms": 5_001});
    let over = server.post(OPERATOR, MEMBERS, body).await;
    let over = over.refused(400, "limit-exceeded");
    assert_eq!(over["limit"], "lease_ms_max");
    let a = server.join("a").await;
    let line = "PATCH /v1/pools/p/members/a";
    let lease = |lease: u64| json!({"lease_ms": lease});
    server.call(&a, line, lease(5_000)).await.is(200);
    assert_eq!(seen(&server).await.0["lease_ms"], 5_000);
    let over = server.call(&a, line, lease(5_001)).await;
    over.refused(400, "limit-exceeded");
    server
        .call(&a, line, json!({"topics": ["t"]}))
        .await
        .is(200);
    assert_eq!(seen(&server).await.0["lease_ms"], 5_000, "it is kept");
    server.call(&a, line, lease(0)).await.is(200);
    assert_eq!(seen(&server).await.0["lease_ms"], Value::Null);
    let nothing = server.call(&a, line, json!({})).await;
    nothing.refused(400, "invalid-request");
}

async fn p3_a_join_says_which_live_run_it_took_over(server: Server) {
    server.open(json!({})).await;
    let join = |instance: &str| json!({"run_id": "a", "agent_id": "a", "instance": instance});
    let first = server.post(OPERATOR, MEMBERS, join("one")).await.is(201);
    assert_eq!(first.get("taken_over"), None, "{first}");
    pass(&server, 3).await;
    let second = server.post(OPERATOR, MEMBERS, join("two")).await.is(201);
    let over = json!({"generation": first["generation"], "last_seen": "2026-11-20T08:00:00.000Z"});
    assert_eq!(second["taken_over"], over);
    let again = server.post(OPERATOR, MEMBERS, join("two")).await.is(200);
    assert_eq!(again, second, "the same instance gets the same answer");
    let fenced = first["member_token"].as_str().unwrap();
    server.get(fenced, MEMBERS).await.refused(409, "fenced");
}

async fn p3_a_new_join_refuses_a_live_run(server: Server) {
    server.open(json!({})).await;
    let new = json!({"run_id": "a", "agent_id": "a", "instance": "one", "new": true});
    let first = server.post(OPERATOR, MEMBERS, new.clone()).await.is(201);
    let head = server.head().await;
    pass(&server, 2).await;
    for instance in [json!("two"), Value::Null] {
        let mut other = json!({"run_id": "a", "agent_id": "b", "new": true});
        if !instance.is_null() {
            other["instance"] = instance;
        }
        let refused = server.post(OPERATOR, MEMBERS, other).await;
        let refused = refused.refused(409, "run-taken");
        assert_eq!(refused["generation"], first["generation"]);
        assert_eq!(refused["last_seen"], "2026-11-20T08:00:00.000Z");
    }
    let again = server.post(OPERATOR, MEMBERS, new).await.is(200);
    assert_eq!(again["member_token"], first["member_token"]);
    assert_eq!(server.head().await, head, "nothing is journaled");
    let token = first["member_token"].as_str().unwrap();
    server.get(token, MEMBERS).await.is(200);
}
