//! Trims over HTTP: what is still needed is kept unless it is forced, and a trim goes by cursor or by age.

use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    s8_a_trim_that_a_consumer_holds_is_refused_and_a_forced_one_is_not
    s8_a_trim_by_age_drops_what_is_older
    s8_a_trim_says_one_of_two_things_and_is_the_operators
}

const TRIM: &str = "/v1/pools/p/trim";

fn position(cursor: &Value) -> u64 {
    let (_, position) = cursor.as_str().unwrap().rsplit_once('-').unwrap();
    position.parse().unwrap()
}

async fn floor(server: &Server) -> Value {
    server.get(OPERATOR, "/v1/pools/p").await.is(200)["floor"].clone()
}

async fn s8_a_trim_that_a_consumer_holds_is_refused_and_a_forced_one_is_not(server: Server) {
    let (a, _) = server.with_pair().await;
    let claim = "/v1/pools/p/consumers/audit/claim";
    let claimed = server.post(OPERATOR, claim, json!({})).await.is(200);
    let held_at = server.head().await;
    let commit = json!({"generation": claimed["generation"], "cursor": held_at});
    let path = "/v1/pools/p/consumers/audit/commit";
    server.post(OPERATOR, path, commit).await.is(200);
    server.tell(&a, "b", "k1").await.is(201);
    let upto = server.head().await;
    server.tell(&a, "b", "k2").await.is(201);
    let before = floor(&server).await;
    let refused = server.post(OPERATOR, TRIM, json!({"upto": upto})).await;
    let refused = refused.refused(409, "trim-held");
    assert_eq!(refused["held_by"], "consumer");
    assert_eq!(refused["consumer"], "audit");
    assert_eq!(refused["floor"], held_at);
    assert_eq!(floor(&server).await, before, "nothing was dropped");
    let as_far = json!({"upto": refused["floor"]});
    let trimmed = server.post(OPERATOR, TRIM, as_far).await.is(200);
    assert_eq!(trimmed["floor"], held_at, "what it names can go");
    let forced = json!({"upto": upto, "force": true});
    let trimmed = server.post(OPERATOR, TRIM, forced).await.is(200);
    assert_eq!(trimmed["floor"], upto);
    assert_eq!(trimmed["head"], server.head().await);
    // Who was behind is told.
    let stale = server.post(OPERATOR, claim, json!({})).await;
    stale.refused(410, "cursor-trimmed");
    let after = format!("/v1/pools/p/events?after={}", held_at.as_str().unwrap());
    let page = server.get(OPERATOR, &after).await;
    page.refused(410, "cursor-trimmed");
}

async fn s8_a_trim_by_age_drops_what_is_older(server: Server) {
    let (a, _) = server.with_pair().await;
    server.tell(&a, "b", "k1").await.is(201);
    let old = server.head().await;
    server.clock.advance(Millis::from_secs(3_600));
    server.tell(&a, "b", "k2").await.is(201);
    let by_age = |age_ms: u64| json!({"age_ms": age_ms});
    let kept = server.post(OPERATOR, TRIM, by_age(7_200_000)).await.is(200);
    assert_eq!(position(&kept["floor"]), 0, "all of it is younger");
    let trimmed = server.post(OPERATOR, TRIM, by_age(1_800_000)).await.is(200);
    assert_eq!(trimmed["floor"], old);
    assert_eq!(floor(&server).await, old);
}

async fn s8_a_trim_says_one_of_two_things_and_is_the_operators(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    for body in [json!({}), json!({"upto": head, "age_ms": 1})] {
        let refused = server.post(OPERATOR, TRIM, body).await;
        refused.refused(400, "invalid-request");
    }
    let by_member = server.post(&a, TRIM, json!({"upto": head})).await;
    by_member.refused(403, "operator-only");
    assert_eq!(position(&floor(&server).await), 0);
}
