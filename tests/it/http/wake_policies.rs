//! Policies of wakes over HTTP.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    w1_a_wake_carries_policies_that_its_run_holds
    w1_a_wake_goes_with_a_policy_that_its_run_does_not_hold_any_more
}

const WAKES: &str = "/v1/pools/p/wakes";
const MEMBERS: &str = "/v1/pools/p/members";

fn policy(id: &str) -> Value {
    json!({"kind": "host", "id": id})
}

/// Joins `a`, which holds these policies, as an instance; returns its token.
async fn join(server: &Server, instance: &str, policies: &Value) -> String {
    let body = json!({
        "run_id": "a", "agent_id": "a", "instance": instance, "policies": policies
    });
    let joined = server.post(OPERATOR, MEMBERS, body).await.is(201);
    joined["member_token"].as_str().unwrap().to_owned()
}

fn asked(name: &str, policies: &Value) -> Value {
    let filter = "kind == \"run_message_accepted\"";
    json!({"filter": filter, "wake_id": name, "idempotency_key": name, "policies": policies})
}

async fn w1_a_wake_carries_policies_that_its_run_holds(server: Server) {
    server.open(json!({})).await;
    let versioned = json!({"kind": "privacy", "id": "pii", "version": "2"});
    let held = json!([policy("team"), versioned]);
    let a = join(&server, "one", &held).await;
    let made = server.post(&a, WAKES, asked("w", &held)).await.is(201);
    let carried = made["policies"].as_array().unwrap();
    assert_eq!(carried.len(), 2);
    assert!(carried.contains(&policy("team")) && carried.contains(&versioned));
    let again = asked("w", &json!([versioned, policy("team")]));
    assert_eq!(server.post(&a, WAKES, again).await.is(200), made);
    for path in ["w", "w/explain"] {
        let found = server.get(&a, &format!("{WAKES}/{path}")).await.is(200);
        assert_eq!(found["policies"], made["policies"], "{path}");
    }
    let page = "/v1/pools/p/events?filter=kind%20%3D%3D%20%22wake_condition_registered%22";
    let page = server.get(OPERATOR, page).await.is(200);
    assert_eq!(page["events"][0]["policies"], made["policies"]);
    let plain = server.post(&a, WAKES, asked("plain", &json!([]))).await;
    assert_eq!(plain.is(201)["policies"], Value::Null, "none are not shown");

    let before = server.head().await;
    let older = json!({"kind": "privacy", "id": "pii", "version": "1"});
    for lacked in [policy("secret"), older] {
        let other = asked("x", &json!([policy("team"), lacked]));
        let refused = server.post(&a, WAKES, other).await.refused(403, "policy");
        assert_eq!(refused["policy"], lacked);
    }
    let unknown = asked("x", &json!([{"kind": "wishful", "id": "x"}]));
    server.post(&a, WAKES, unknown).await.is(400);
    assert_eq!(server.head().await, before, "nothing is journaled");
}

async fn w1_a_wake_goes_with_a_policy_that_its_run_does_not_hold_any_more(server: Server) {
    server.open(json!({})).await;
    let a = join(&server, "one", &json!([policy("team"), policy("public")])).await;
    for name in ["team", "public"] {
        let asked = asked(name, &json!([policy(name)]));
        server.post(&a, WAKES, asked).await.is(201);
    }
    let path = format!("{WAKES}/team?wait_ms=50000");
    let waiting = server.get(OPERATOR, &path);
    let fewer = json!([policy("public")]);
    let joining = join(&server, "two", &fewer);
    let (told, a) = tokio::join!(waiting, joining);
    let told = told.is(200);
    assert_eq!(
        (&told["status"], &told["reason"]),
        (&json!("cancelled"), &json!("policy"))
    );
    let list = server.get(&a, WAKES).await.is(200);
    let names: Vec<&Value> = list["wakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["wake_id"])
        .collect();
    assert_eq!(names, ["public"]);
}
