//! Effects, over HTTP.

use heronry_pool::{
    Caller,
    decide::{IntendEffect, LeavePool},
};
use heronry_runtime::Pool;
use heronry_types::{PoolId, PoolSpec, RunId};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    j6_effects_without_a_result_are_listed_and_resolved_by_an_operator
    a_page_of_effects_goes_on_after_its_next
}

const EFFECTS: &str = "/v1/pools/p/effects";

async fn pool(server: &Server) -> Pool {
    let id = PoolId::parse("p").unwrap();
    let opened = server.runtime.open(&id, PoolSpec::default()).await;
    opened.unwrap().pool
}

/// Intends an effect for a run; nobody says how it ended.
async fn begun(pool: &Pool, run: &str, what: &str) -> String {
    let run = RunId::parse(run).unwrap();
    let intend = IntendEffect::new(Caller::Operator, run, what.to_owned(), None);
    let started = pool.call(intend).await.unwrap();
    started.effect.effect.to_string()
}

async fn j6_effects_without_a_result_are_listed_and_resolved_by_an_operator(server: Server) {
    let (a, _) = server.with_pair().await;
    let pool = pool(&server).await;
    let effect = begun(&pool, "a", "publish").await;
    let others = begun(&pool, "b", "withdraw").await;
    let list = server.get(&a, EFFECTS).await.is(200);
    let shown = json!({
        "effect": effect, "run_id": "a", "what": "publish", "standing": "pending", "attempts": 1,
    });
    assert_eq!(list["effects"], json!([shown]));
    let all = server.get(OPERATOR, EFFECTS).await.is(200);
    assert_eq!(all["effects"].as_array().unwrap().len(), 2);
    let foreign = server.get(&a, &format!("{EFFECTS}?run=b")).await;
    foreign.refused(403, "sender-mismatch");

    let run = RunId::parse("b").unwrap();
    let caller = Caller::Operator;
    pool.call(LeavePool { caller, run }).await.unwrap();
    let orphan = server
        .get(OPERATOR, &format!("{EFFECTS}?run=b"))
        .await
        .is(200);
    assert_eq!(orphan["effects"][0]["standing"], "unsafe_pending");
    let resolve = format!("{EFFECTS}/{others}/resolve");
    let result = json!({"outcome": "failed", "note": "nothing was sent"});
    let by_member = server.post(&a, &resolve, result.clone()).await;
    by_member.refused(403, "operator-only");
    let changed = server
        .post(OPERATOR, &resolve, result.clone())
        .await
        .is(200);
    assert!(changed["cursor"].is_string() && changed["durability"].is_string());
    let again = server.post(OPERATOR, &resolve, result).await;
    again.is(200);
    let other = json!({"outcome": "succeeded"});
    let other = server.post(OPERATOR, &resolve, other).await;
    other.refused(409, "effect-finished");
    let none = format!("{EFFECTS}/{}/resolve", list["as_of"].as_str().unwrap());
    let none = server
        .post(OPERATOR, &none, json!({"outcome": "failed"}))
        .await;
    none.refused(404, "effect-not-found");
    let nowhere = format!("{EFFECTS}/x/resolve");
    let malformed = server
        .post(OPERATOR, &nowhere, json!({"outcome": "failed"}))
        .await;
    assert_eq!(malformed.refused(400, "cursor-invalid")["field"], "id");
}

async fn a_page_of_effects_goes_on_after_its_next(server: Server) {
    let (a, _) = server.with_pair().await;
    let pool = pool(&server).await;
    let first = begun(&pool, "a", "one").await;
    begun(&pool, "b", "not its own").await;
    let second = begun(&pool, "a", "two").await;
    let page = server.get(&a, &format!("{EFFECTS}?limit=1")).await.is(200);
    assert_eq!(
        (&page["effects"][0]["effect"], &page["next"]),
        (&json!(first), &json!(first))
    );
    let rest = server
        .get(&a, &format!("{EFFECTS}?limit=1&after={first}"))
        .await
        .is(200);
    assert_eq!(
        (&rest["effects"][0]["effect"], &rest["next"]),
        (&json!(second), &Value::Null)
    );
    let none = server.get(&a, &format!("{EFFECTS}?limit=0")).await;
    assert_eq!(none.refused(400, "invalid-request")["field"], "limit");
}
