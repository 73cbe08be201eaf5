//! Named consumers, over HTTP.

use heronry_runtime::{ConsumerSpec, Pool};
use heronry_types::{PoolId, PoolSpec};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    s7_a_consumer_is_claimed_committed_listed_and_forgotten
    s7_who_is_refused_is_told_why
    s7_the_metrics_tell_how_far_consumers_are_behind
    o23_an_export_has_the_consumers_of_its_pool_where_they_are_asked_for
}

const CONSUMERS: &str = "/v1/pools/p/consumers";

async fn pool(server: &Server) -> Pool {
    let id = PoolId::parse("p").unwrap();
    let opened = server.runtime.open(&id, PoolSpec::default()).await;
    opened.unwrap().pool
}

async fn claim(server: &Server, name: &str, body: Value) -> Value {
    let path = format!("{CONSUMERS}/{name}/claim");
    server.post(OPERATOR, &path, body).await.is(200)
}

async fn s7_a_consumer_is_claimed_committed_listed_and_forgotten(server: Server) {
    server.with_pair().await;
    let head = server.head().await;
    let claimed = claim(&server, "a%2Fb", json!({})).await;
    assert!(claimed["cursor"].as_str().unwrap().ends_with("-0"));
    let listed = server.get(OPERATOR, CONSUMERS).await.is(200);
    let [consumer] = &listed["consumers"].as_array().unwrap()[..] else {
        panic!("{listed}");
    };
    assert_eq!(consumer["name"], "a/b");
    assert_eq!(consumer["state"], "idle");
    assert_eq!(consumer["generation"], claimed["generation"]);
    assert_eq!(consumer["filter"], claimed["filter"]);
    assert_eq!(consumer["hold_for_ms"], 604_800_000);
    let records = head.as_str().unwrap().rsplit('-').next().unwrap();
    assert_eq!(consumer["lag"].to_string(), records);
    let commit = json!({"generation": claimed["generation"], "cursor": head});
    let path = format!("{CONSUMERS}/a%2Fb/commit");
    for _ in 0..2 {
        let committed = server.post(OPERATOR, &path, commit.clone()).await.is(200);
        assert_eq!(committed["cursor"], head);
    }
    let listed = server.get(OPERATOR, CONSUMERS).await.is(200);
    assert_eq!(listed["consumers"][0]["lag"], 0);
    assert!(listed["consumers"][0]["committed_at"].is_string());
    let forget = format!("DELETE {CONSUMERS}/a%2Fb");
    let gone = server.call(OPERATOR, &forget, Value::Null).await.is(200);
    assert_eq!(gone["name"], "a/b");
    let again = server.call(OPERATOR, &forget, Value::Null).await;
    again.refused(404, "consumer-not-found");
    let none = server.post(OPERATOR, &path, commit).await;
    none.refused(404, "consumer-not-found");
}

async fn s7_who_is_refused_is_told_why(server: Server) {
    let (member, _) = server.with_pair().await;
    let by_member = server.get(&member, CONSUMERS).await;
    by_member.refused(403, "operator-only");
    let first = claim(&server, "c", json!({})).await;
    let second = claim(&server, "c", json!({})).await;
    let path = format!("{CONSUMERS}/c/commit");
    let stale = json!({"generation": first["generation"], "cursor": second["cursor"]});
    let fenced = server.post(OPERATOR, &path, stale).await;
    let fenced = fenced.refused(409, "consumer-fenced");
    assert_eq!(fenced["consumer_generation"], second["generation"]);

    let filter = json!({"filter": "kind == \"source_gap\""});
    let path_of_claim = format!("{CONSUMERS}/c/claim");
    let changed = server.post(OPERATOR, &path_of_claim, filter.clone()).await;
    let changed = changed.refused(409, "consumer-filter-changed");
    assert_eq!(changed["found_filter"], second["filter"]);
    let mut accepting = filter;
    accepting["on_filter_changed"] = json!("accept");
    let third = claim(&server, "c", accepting).await;
    assert_eq!(third["filter"], changed["asked_filter"]);

    let head = server.head().await;
    let commit = |cursor: &Value| json!({"generation": third["generation"], "cursor": cursor});
    server.post(OPERATOR, &path, commit(&head)).await.is(200);
    let behind = server.post(OPERATOR, &path, commit(&third["cursor"])).await;
    assert_eq!(behind.refused(409, "consumer-behind")["committed"], head);
    let (epoch, _) = head.as_str().unwrap().split_once('-').unwrap();
    let ahead = json!(format!("{epoch}-1000"));
    let ahead = server.post(OPERATOR, &path, commit(&ahead)).await;
    ahead.refused(409, "cursor-ahead");
    let foreign = json!(format!("{}-1", "9".repeat(32)));
    let foreign = server.post(OPERATOR, &path, commit(&foreign)).await;
    foreign.refused(409, "cursor-foreign");

    let pool = pool(&server).await;
    let spec = ConsumerSpec::new(
        "held".parse().unwrap(),
        heronry_event::filter::Filter::all(),
    );
    let holder = pool.consumer(spec).await.unwrap();
    let path_of_claim = format!("{CONSUMERS}/held/claim");
    let refused = server.post(OPERATOR, &path_of_claim, json!({})).await;
    let refused = refused.refused(409, "consumer-held");
    assert_eq!(refused["consumer_generation"], holder.generation());
    let path_of_resume = format!("{CONSUMERS}/held/resume");
    let resumed = server.post(OPERATOR, &path_of_resume, Value::Null).await;
    assert_eq!(resumed.is(200)["resumed"], false);
    claim(&server, "held", json!({"on_held": "take_over"})).await;
}

async fn s7_the_metrics_tell_how_far_consumers_are_behind(server: Server) {
    server.with_pair().await;
    claim(&server, "audit", json!({})).await;
    let head = server.head().await;
    let records = head
        .as_str()
        .unwrap()
        .rsplit('-')
        .next()
        .unwrap()
        .to_owned();
    let metrics = server.get(OPERATOR, "/metrics").await;
    let text = metrics.text;
    let sample = format!("heronry_consumer_lag_records{{pool=\"p\",consumer=\"audit\"}} {records}");
    assert!(text.contains(&sample), "{text}");
    let shown = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    assert_eq!(shown["consumers"][0]["name"], "audit");
    assert_eq!(shown["consumers"][0]["lag"].to_string(), records);
}

async fn o23_an_export_has_the_consumers_of_its_pool_where_they_are_asked_for(server: Server) {
    let (member, _) = server.with_pair().await;
    let claimed = claim(&server, "audit", json!({})).await;
    let head = server.head().await;
    let commit = json!({"generation": claimed["generation"], "cursor": head});
    let path = format!("{CONSUMERS}/audit/commit");
    server.post(OPERATOR, &path, commit).await.is(200);
    let consumers = async |query: &str| {
        let path = format!("/v1/pools/p/export{query}");
        let export = server.get(OPERATOR, &path).await;
        assert_eq!(export.status, 200);
        let lines = export.text.lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let consumers = lines.filter_map(|line| line.get("consumer").cloned());
        consumers.collect::<Vec<_>>()
    };
    assert!(consumers("").await.is_empty());
    assert!(consumers("?consumers=false").await.is_empty());
    let [audit] = &consumers("?consumers=true").await[..] else {
        panic!("one consumer");
    };
    assert_eq!(
        (&audit["consumer"], &audit["cursor"]),
        (&json!("audit"), &head)
    );
    assert_eq!(audit["filter"], claimed["filter"]);
    assert_eq!(audit["generation"], claimed["generation"]);
    let by_member = server
        .get(&member, "/v1/pools/p/export?consumers=true")
        .await;
    by_member.refused(403, "operator-only");
}
