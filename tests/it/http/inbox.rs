//! Claiming copies, and saying what became of them.

use heronry_tests::canary::said;
use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    a_receive_claims_and_a_repeat_gets_the_same_claims
    looking_claims_nothing
    an_answer_carries_no_more_bodies_than_there_is_room_for
    an_ack_ends_the_copy_and_a_repeat_changes_nothing
    up_to_covers_earlier_claims_of_the_same_receive
    a_released_copy_comes_back_with_another_attempt
    a_lapsed_claim_is_named
    a_claim_that_was_never_given_is_not_found
    a_receive_waits_for_a_first_copy
    a_receive_gives_up_when_its_time_is_over
    waits_and_pages_over_their_limits_are_refused
    a_receive_takes_only_the_messages_that_it_names_and_leaves_the_others
    claims_are_extended_and_those_that_were_acknowledged_are_left_out
    a_waiting_receive_ends_when_the_server_stops
}

const INBOX: &str = "/v1/pools/p/members/b/inbox";

async fn receive(server: &Server, token: &str, body: Value) -> Value {
    server
        .post(token, &format!("{INBOX}/receive"), body)
        .await
        .is(200)
}

async fn a_receive_claims_and_a_repeat_gets_the_same_claims(server: Server) {
    let (a, b) = server.with_pair().await;
    for key in ["1", "2", "3"] {
        server.tell(&a, "b", key).await.is(201);
    }
    let first = receive(&server, &b, json!({"receive_id": "r", "max": 2})).await;
    let items = first["items"].as_array().unwrap();
    assert_eq!((items.len(), &first["unread"]), (2, &json!(1)));
    let item = &items[0];
    assert_eq!((&item["from"], &item["attempt"]), (&json!("a"), &json!(1)));
    assert_eq!(
        item["claim_expires_at"], "2026-11-20T08:01:00.000Z",
        "60 s unless said otherwise"
    );
    assert_eq!(item["importance"], "queue");
    assert_eq!(item["body"], Value::Null, "bodies come when asked for");
    let position = |cursor: &Value| {
        cursor
            .as_str()
            .unwrap()
            .split_once('-')
            .unwrap()
            .1
            .to_owned()
    };
    let claim = format!(
        "{}@{}",
        position(&item["cursor"]),
        position(&first["cursor"])
    );
    assert_eq!(item["claim"], claim);
    let again = receive(&server, &b, json!({"receive_id": "r", "max": 2})).await;
    assert_eq!(again["items"], first["items"]);
    let rest = receive(&server, &b, json!({"max": 9, "claim_ms": 1_000})).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        rest["items"][0]["claim_expires_at"],
        "2026-11-20T08:00:01.000Z"
    );
}

async fn looking_claims_nothing(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "hello").await.is(201);
    let head = server.head().await;
    let page = server
        .get(&b, &format!("{INBOX}?max=5&bodies=true"))
        .await
        .is(200);
    assert_eq!(
        (&page["unread"], &page["items"][0]["body"]),
        (&json!(1), &json!(said("hello")))
    );
    assert_eq!(page["items"][0]["claim"], Value::Null);
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn an_answer_carries_no_more_bodies_than_there_is_room_for(server: Server) {
    server
        .open(json!({"limits": {"content_bytes_max": 6}}))
        .await;
    let (a, b) = (server.join("a").await, server.join("b").await);
    for key in ["four", "more", "last"] {
        let message = json!({"to": to_run("b"), "body": key, "idempotency_key": key});
        let sent = server.post(&a, "/v1/pools/p/messages", message).await;
        sent.is(201);
    }
    let taken = receive(&server, &b, json!({"max": 3, "bodies": true})).await;
    let bodies: Vec<&Value> = (0..3).map(|index| &taken["items"][index]["body"]).collect();
    assert_eq!(bodies, [&json!("four"), &json!("more"), &Value::Null]);
    let last = taken["items"][2]["content_ref"].as_str().unwrap();
    let fetched = server
        .get(&b, &format!("/v1/pools/p/contents/{last}"))
        .await;
    assert_eq!(fetched.text, "last");
}

async fn an_ack_ends_the_copy_and_a_repeat_changes_nothing(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "1").await.is(201);
    let taken = receive(&server, &b, json!({})).await;
    let ack = json!({"claims": [taken["items"][0]["claim"]]});
    let done = server
        .post(&b, &format!("{INBOX}/ack"), ack.clone())
        .await
        .is(200);
    assert!(done["cursor"].is_string() && done["durability"].is_string());
    let head = server.head().await;
    server.post(&b, &format!("{INBOX}/ack"), ack).await.is(200);
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn up_to_covers_earlier_claims_of_the_same_receive(server: Server) {
    let (a, b) = server.with_pair().await;
    for key in ["1", "2", "3"] {
        server.tell(&a, "b", key).await.is(201);
    }
    let taken = receive(&server, &b, json!({"max": 3})).await;
    let ack = json!({"up_to": taken["items"][1]["claim"]});
    server.post(&b, &format!("{INBOX}/ack"), ack).await.is(200);
    let release = json!({"claims": [taken["items"][2]["claim"]]});
    server
        .post(&b, &format!("{INBOX}/release"), release)
        .await
        .is(200);
    let left = receive(&server, &b, json!({"max": 3})).await;
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        left["items"][0]["message_id"],
        taken["items"][2]["message_id"]
    );
    for (body, field) in [
        (json!({}), "claims"),
        (json!({"claims": [], "up_to": "1@2"}), "up_to"),
        (json!({"up_to": "first"}), "up_to"),
        (json!({"claims": ["1@"]}), "claims"),
    ] {
        let refused = server.post(&b, &format!("{INBOX}/ack"), body).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], field);
    }
}

async fn a_released_copy_comes_back_with_another_attempt(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "1").await.is(201);
    let taken = receive(&server, &b, json!({})).await;
    let release = json!({"claims": [taken["items"][0]["claim"]], "delay_ms": 500});
    server
        .post(&b, &format!("{INBOX}/release"), release)
        .await
        .is(200);
    assert_eq!(
        receive(&server, &b, json!({})).await["items"],
        json!([]),
        "not before its delay"
    );
    server.clock.advance(Millis(500));
    let again = receive(&server, &b, json!({})).await;
    assert_eq!(again["items"][0]["attempt"], 2);
    let extend = json!({"claims": [again["items"][0]["claim"]], "claim_ms": 120_000});
    server
        .post(&b, &format!("{INBOX}/extend"), extend)
        .await
        .is(200);
    server.clock.advance(Millis(100_000));
    let ack = json!({"claims": [again["items"][0]["claim"]]});
    server.post(&b, &format!("{INBOX}/ack"), ack).await.is(200);
}

async fn a_lapsed_claim_is_named(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "1").await.is(201);
    let taken = receive(&server, &b, json!({"claim_ms": 1_000})).await;
    server.clock.advance(Millis(1_000));
    let again = receive(&server, &b, json!({})).await;
    assert_eq!(again["items"][0]["attempt"], 2);
    let claims = json!([taken["items"][0]["claim"]]);
    for (verb, body) in [
        ("ack", json!({"claims": claims})),
        ("release", json!({"claims": claims})),
        ("extend", json!({"claims": claims, "claim_ms": 5})),
    ] {
        let refused = server.post(&b, &format!("{INBOX}/{verb}"), body).await;
        assert_eq!(refused.refused(409, "claim-lapsed")["claims"], claims);
    }
}

async fn a_claim_that_was_never_given_is_not_found(server: Server) {
    let (_, b) = server.with_pair().await;
    let ack = json!({"claims": ["1@2"]});
    let refused = server.post(&b, &format!("{INBOX}/ack"), ack).await;
    assert_eq!(
        refused.refused(404, "claim-not-found")["claims"],
        json!(["1@2"])
    );
}

async fn a_receive_waits_for_a_first_copy(server: Server) {
    let (a, b) = server.with_pair().await;
    let waiting = receive(&server, &b, json!({"wait_ms": 20_000, "bodies": true}));
    let sending = async {
        server.waits_for(Millis(20_000)).await;
        server.tell(&a, "b", "now").await.is(201);
    };
    let (taken, ()) = tokio::join!(waiting, sending);
    assert_eq!(taken["items"][0]["body"], said("now"));
}

async fn a_receive_gives_up_when_its_time_is_over(server: Server) {
    let (_, b) = server.with_pair().await;
    let head = server.head().await;
    let waiting = receive(&server, &b, json!({"wait_ms": 20_000}));
    let moving = async {
        server.waits_for(Millis(20_000)).await;
        server.clock.advance(Millis(20_000));
    };
    let (taken, ()) = tokio::join!(waiting, moving);
    assert_eq!((&taken["items"], &taken["cursor"]), (&json!([]), &head));
}

async fn waits_and_pages_over_their_limits_are_refused(server: Server) {
    let (a, b) = server.with_pair().await;
    server.tell(&a, "b", "1").await.is(201);
    for (body, limit, max) in [
        (json!({"wait_ms": 50_001}), "long_poll_ms_max", 50_000),
        (json!({"max": 1_001}), "page_items_max", 1_000),
        (json!({"claim_ms": 43_200_001}), "claim_ms_max", 43_200_000),
    ] {
        let refused = server.post(&b, &format!("{INBOX}/receive"), body).await;
        let refused = refused.refused(400, "limit-exceeded");
        assert_eq!(
            (&refused["limit"], &refused["max"]),
            (&json!(limit), &json!(max))
        );
    }
    let largest = json!({"wait_ms": 50_000, "max": 1_000, "claim_ms": 43_200_000});
    assert_eq!(
        receive(&server, &b, largest).await["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let settings = json!({"expected_version": 1, "limits": {"page_items_max": 2}});
    let line = "PATCH /v1/pools/p/settings";
    server.call(OPERATOR, line, settings).await.is(200);
    let page = server.get(OPERATOR, "/v1/pools/p/events").await.is(200);
    assert_eq!(
        page["events"].as_array().unwrap().len(),
        2,
        "the usual size is within the limit"
    );
    server.get(OPERATOR, INBOX).await.is(200);
    server.get(OPERATOR, "/v1/pools/p/wakes").await.is(200);
    let page = server.get(OPERATOR, &format!("{INBOX}?max=3")).await;
    assert_eq!(
        page.refused(400, "limit-exceeded")["limit"],
        "page_items_max"
    );
}

async fn a_waiting_receive_ends_when_the_server_stops(server: Server) {
    let (_, b) = server.with_pair().await;
    let path = format!("{INBOX}/receive");
    let waiting = server.post(&b, &path, json!({"wait_ms": 20_000}));
    let stopping = async {
        server.waits_for(Millis(20_000)).await;
        server.stop.stop();
    };
    let (reply, ()) = tokio::join!(waiting, stopping);
    reply.refused(503, "shutting-down");
}

async fn a_receive_takes_only_the_messages_that_it_names_and_leaves_the_others(server: Server) {
    let (a, b) = server.with_pair().await;
    let mut sent = Vec::new();
    for key in ["1", "2", "3"] {
        let receipt = server.tell(&a, "b", key).await.is(201);
        sent.push(receipt["cursor"].clone());
    }
    let only = json!({"max": 9, "only": [sent[2], sent[1]]});
    let taken = receive(&server, &b, only.clone()).await;
    let cursors = |page: &Value| {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["cursor"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(cursors(&taken), sent[1..], "in their own order");
    assert_eq!(taken["unread"], 1);
    let head = server.head().await;
    assert_eq!(cursors(&receive(&server, &b, only).await).len(), 0);
    assert_eq!(server.head().await, head, "nothing is journaled");
    assert_eq!(
        cursors(&receive(&server, &b, json!({"max": 9})).await),
        sent[..1]
    );

    let (epoch, _) = sent[0].as_str().unwrap().split_once('-').unwrap();
    for (cursor, status, slug) in [
        (format!("{epoch}-1000"), 409, "cursor-ahead"),
        (format!("{}-1", "0".repeat(32)), 409, "cursor-foreign"),
        ("yesterday".to_owned(), 400, "cursor-invalid"),
    ] {
        let path = format!("{INBOX}/receive");
        let refused = server.post(&b, &path, json!({"only": [cursor]})).await;
        refused.refused(status, slug);
    }
}

async fn claims_are_extended_and_those_that_were_acknowledged_are_left_out(server: Server) {
    let (a, b) = server.with_pair().await;
    for key in ["1", "2"] {
        server.tell(&a, "b", key).await.is(201);
    }
    let taken = receive(&server, &b, json!({"max": 2})).await;
    let claims = [&taken["items"][0]["claim"], &taken["items"][1]["claim"]];
    let extend = json!({"claims": claims, "claim_ms": 120_000});
    let path = format!("{INBOX}/extend");
    let extended = server.post(&b, &path, extend.clone()).await.is(200);
    assert_eq!(extended["held"], json!(claims));
    assert!(extended["cursor"].is_string() && extended["durability"].is_string());
    server.clock.advance(Millis(119_999));
    let ack = json!({"claims": [claims[0]]});
    server.post(&b, &format!("{INBOX}/ack"), ack).await.is(200);
    let extended = server.post(&b, &path, extend.clone()).await.is(200);
    assert_eq!(extended["held"], json!([claims[1]]));
    let ack = json!({"claims": [claims[1]]});
    server.post(&b, &format!("{INBOX}/ack"), ack).await.is(200);
    let head = server.head().await;
    let extended = server.post(&b, &path, extend).await.is(200);
    assert_eq!(extended["held"], json!([]));
    assert_eq!(server.head().await, head, "nothing is journaled");
}
