//! Dead letters.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a21_a_dead_letter_is_listed_and_replayed_by_an_operator
    what_is_not_dead_is_not_replayed
    a_page_of_dead_letters_goes_on_after_its_next
}

const INBOX: &str = "/v1/pools/p/members/b/inbox";
const DEAD: &str = "/v1/pools/p/dead-letters";

/// Sends a message to `b`, which releases it until it is dead; returns its acceptance.
async fn dead(server: &Server, a: &str, b: &str, key: &str) -> String {
    let sent = server.tell(a, "b", key).await.is(201);
    for _attempt in 1..=5 {
        let body = json!({});
        let taken = server.post(b, &format!("{INBOX}/receive"), body).await;
        let claims = json!({"claims": [taken.is(200)["items"][0]["claim"]]});
        let released = server.post(b, &format!("{INBOX}/release"), claims).await;
        released.is(200);
    }
    sent["cursor"].as_str().unwrap().to_owned()
}

async fn a21_a_dead_letter_is_listed_and_replayed_by_an_operator(server: Server) {
    let (a, b) = server.with_pair().await;
    let cursor = dead(&server, &a, &b, "k").await;
    let list = server.get(&b, DEAD).await.is(200);
    let letter = &list["dead_letters"][0];
    assert_eq!(
        (&letter["run_id"], &letter["from"], &letter["cursor"]),
        (&json!("b"), &json!("a"), &json!(cursor))
    );
    assert_eq!(
        (&letter["reason"], &letter["attempt"]),
        (&json!("released"), &json!(5))
    );
    assert_eq!(list["next"], Value::Null);
    let all = server.get(OPERATOR, DEAD).await.is(200);
    assert_eq!(all["dead_letters"], list["dead_letters"]);
    let of_a = server.get(&a, DEAD).await.is(200);
    assert_eq!(of_a["dead_letters"], json!([]));
    let other = server.get(&a, &format!("{DEAD}?run=b")).await;
    other.refused(403, "sender-mismatch");

    let replay = format!("{DEAD}/{cursor}/b/replay");
    let by_member = server.post(&b, &replay, json!({})).await;
    by_member.refused(403, "operator-only");
    let replayed = server.post(OPERATOR, &replay, json!({})).await.is(200);
    assert!(replayed["cursor"].is_string() && replayed["durability"].is_string());
    let body = json!({});
    let again = server.post(&b, &format!("{INBOX}/receive"), body).await;
    let item = &again.is(200)["items"][0];
    assert_eq!(
        (&item["cursor"], &item["attempt"]),
        (&json!(cursor), &json!(1))
    );
    let twice = server.post(OPERATOR, &replay, json!({})).await;
    assert_eq!(twice.refused(409, "not-dead")["state"], "claimed");
}

async fn what_is_not_dead_is_not_replayed(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let cursor = sent["cursor"].as_str().unwrap();
    let replay = |cursor: &str, run: &str| {
        let path = format!("{DEAD}/{cursor}/{run}/replay");
        let server = &server;
        async move { server.post(OPERATOR, &path, json!({})).await }
    };
    let queued = replay(cursor, "b").await;
    assert_eq!(queued.refused(409, "not-dead")["state"], "queued");
    let none = replay(cursor, "a").await;
    none.refused(404, "dead-letter-not-found");
    let malformed = replay("x", "b").await;
    assert_eq!(malformed.refused(400, "cursor-invalid")["field"], "cursor");
}

async fn a_page_of_dead_letters_goes_on_after_its_next(server: Server) {
    let (a, b) = server.with_pair().await;
    let first = dead(&server, &a, &b, "1").await;
    let second = dead(&server, &a, &b, "2").await;
    let page = server.get(&b, &format!("{DEAD}?limit=1")).await.is(200);
    assert_eq!(page["dead_letters"][0]["cursor"], json!(first));
    assert_eq!(page["next"], json!({"cursor": first, "run_id": "b"}));
    let rest = format!("{DEAD}?limit=1&after={first}&after_run=b");
    let rest = server.get(&b, &rest).await.is(200);
    assert_eq!(rest["dead_letters"][0]["cursor"], json!(second));
    assert_eq!(rest["next"], Value::Null);
    let half = server.get(&b, &format!("{DEAD}?after={first}")).await;
    assert_eq!(half.refused(400, "invalid-request")["field"], "after_run");
    let none = server.get(&b, &format!("{DEAD}?limit=0")).await;
    assert_eq!(none.refused(400, "invalid-request")["field"], "limit");
}
