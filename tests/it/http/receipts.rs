//! Waiting until a receipt changes.

use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    m7_a_receipt_is_waited_for_and_every_change_ends_the_wait
    m7_a_receipt_that_does_not_change_in_time_is_shown_as_it_stands
    m7_a_wait_for_a_receipt_is_checked
    m7_a_message_that_is_over_is_not_waited_for
    m7_a_receipt_is_waited_for_until_the_replies_have_come
    m7_a_receipt_is_waited_for_until_the_last_copy_has_ended
    m7_a_point_to_wait_for_is_checked
}

const MESSAGES: &str = "/v1/pools/p/messages";

/// Claims the next copy of `b`.
async fn take(server: &Server, token: &str) -> Value {
    let path = "/v1/pools/p/members/b/inbox/receive";
    let page = server.post(token, path, json!({})).await.is(200);
    page["items"][0].clone()
}

async fn m7_a_receipt_is_waited_for_and_every_change_ends_the_wait(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    let mut seen = sent["as_of"].as_str().unwrap().to_owned();
    let mut claim = Value::Null;
    for step in ["claimed", "settled"] {
        let query = format!("{path}?wait_ms=20000&since={seen}");
        let waiting = server.get(&a, &query);
        let changing = async {
            server.waits_for(Millis(20_000)).await;
            if step == "claimed" {
                claim = take(&server, &b).await["claim"].clone();
            } else {
                let ack = json!({"claims": [claim]});
                let path = "/v1/pools/p/members/b/inbox/ack";
                server.post(&b, path, ack).await.is(200);
            }
        };
        let (receipt, ()) = tokio::join!(waiting, changing);
        let receipt = receipt.is(200);
        let last = receipt["timeline"].as_array().unwrap().last().unwrap();
        assert_eq!(last["state"], step);
        receipt["as_of"].as_str().unwrap().clone_into(&mut seen);
    }
    // What changed before it was asked for is answered at once, to an operator for the run as well.
    let start = sent["cursor"].as_str().unwrap();
    let query = format!("{path}?from=a&wait_ms=20000&since={start}");
    let receipt = server.get(OPERATOR, &query).await.is(200);
    assert_eq!(receipt["status"], "settled");
}

async fn m7_a_receipt_that_does_not_change_in_time_is_shown_as_it_stands(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    for wait in [49_999, 50_000] {
        let query = format!("{path}?wait_ms={wait}");
        let waiting = server.get(&a, &query);
        let moving = async {
            server.waits_for(Millis(wait)).await;
            server.clock.advance(Millis(wait));
        };
        let (receipt, ()) = tokio::join!(waiting, moving);
        let receipt = receipt.is(200);
        assert_eq!(receipt["status"], "delivered");
        assert_eq!(receipt["cursor"], sent["cursor"]);
    }
    let query = format!("{path}?wait_ms=20000");
    let waiting = server.get(&a, &query);
    let stopping = async {
        server.waits_for(Millis(20_000)).await;
        server.stop.stop();
    };
    let (reply, ()) = tokio::join!(waiting, stopping);
    reply.refused(503, "shutting-down");
}

async fn m7_a_wait_for_a_receipt_is_checked(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    let refused = server.get(&a, &format!("{path}?wait_ms=50001")).await;
    let refused = refused.refused(400, "limit-exceeded");
    assert_eq!(
        (&refused["limit"], &refused["max"], &refused["actual"]),
        (&json!("long_poll_ms_max"), &json!(50_000), &json!(50_001))
    );
    let cursor = sent["cursor"].as_str().unwrap();
    let refused = server.get(&a, &format!("{path}?since={cursor}")).await;
    assert_eq!(refused.refused(400, "invalid-request")["field"], "since");
    let (epoch, _) = cursor.split_once('-').unwrap();
    let wait = |since: &str| format!("{path}?wait_ms=1&since={since}");
    let ahead = server.get(&a, &wait(&format!("{epoch}-1000"))).await;
    ahead.refused(409, "cursor-ahead");
    let foreign = server
        .get(&a, &wait(&format!("{}-1", "0".repeat(32))))
        .await;
    foreign.refused(409, "cursor-foreign");
    let hidden = server.get(&b, &format!("{path}?wait_ms=1")).await;
    hidden.refused(404, "message-not-found");
}

async fn m7_a_message_that_is_over_is_not_waited_for(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    let claim = take(&server, &b).await["claim"].clone();
    let ack = json!({"claims": [claim]});
    let ack_path = "/v1/pools/p/members/b/inbox/ack";
    server.post(&b, ack_path, ack).await.is(200);
    let now = server.get(&a, &path).await.is(200);
    // Nothing moves the clock: a call that waited would not come back.
    let since = now["as_of"].as_str().unwrap();
    for how in [
        String::new(),
        format!("&since={since}"),
        "&until=ended".to_owned(),
        "&until=acked".to_owned(),
        "&until=responded".to_owned(),
    ] {
        let receipt = server.get(&a, &format!("{path}?wait_ms=20000{how}")).await;
        assert_eq!(receipt.is(200)["status"], "settled", "{how}");
    }
}

/// Waits for `m` until a point, while `change` goes on.
async fn until(
    server: &Server,
    (token, point): (&str, &str),
    change: impl Future<Output = ()>,
) -> Value {
    let query = format!("{MESSAGES}/m?wait_ms=20000&until={point}");
    let waiting = server.get(token, &query);
    let changing = async {
        server.waits_for(Millis(20_000)).await;
        change.await;
    };
    let (receipt, ()) = tokio::join!(waiting, changing);
    receipt.is(200)
}

async fn m7_a_receipt_is_waited_for_until_the_replies_have_come(server: Server) {
    let (a, b) = server.with_pair().await;
    let c = server.join("c").await;
    let asking = json!({
        "message_id": "m", "to": {"type": "pool", "pool_id": "p"}, "body": "?",
        "idempotency_key": "m", "response_contract": {"expected_responses": 2},
    });
    server.post(&a, MESSAGES, asking).await.is(201);
    let reply = |id: &str| {
        json!({
            "message_id": id, "to": {"type": "run", "run_id": "a"}, "body": "!",
            "reply_to": "m", "idempotency_key": id,
        })
    };
    let receipt = until(&server, (&a, "responded"), async {
        server.post(&b, MESSAGES, reply("r1")).await.is(201);
        take(&server, &b).await;
        server.post(&c, MESSAGES, reply("r2")).await.is(201);
    });
    let receipt = receipt.await;
    assert_eq!(receipt["status"], "responded");
    assert_eq!(receipt["responses"].as_array().unwrap().len(), 2);
}

/// Claims and acknowledges everything in the inbox of a run.
async fn ack_all(server: &Server, (run, token): (&str, &str)) {
    let inbox = format!("/v1/pools/p/members/{run}/inbox");
    let receive = format!("{inbox}/receive");
    let page = server.post(token, &receive, json!({"max": 99})).await;
    let items = page.is(200)["items"].clone();
    let items = items.as_array().unwrap().iter();
    let claims: Vec<Value> = items.map(|item| item["claim"].clone()).collect();
    let ack = json!({"claims": claims});
    let done = server.post(token, &format!("{inbox}/ack"), ack).await;
    done.is(200);
}

async fn m7_a_receipt_is_waited_for_until_the_last_copy_has_ended(server: Server) {
    let (a, b) = server.with_pair().await;
    for point in ["ended", "acked"] {
        let token = server.join(point).await;
        let to = json!({"type": "pool", "pool_id": "p"});
        let wide = json!({"message_id": "m", "to": to, "body": "look", "idempotency_key": point});
        server.post(&token, MESSAGES, wide).await.is(201);
        let receipt = until(&server, (&token, point), async {
            ack_all(&server, ("a", &a)).await;
            ack_all(&server, ("b", &b)).await;
            // Who asked before is a recipient by now, and leaves.
            if point == "acked" {
                let leave = "DELETE /v1/pools/p/members/ended";
                server.call(OPERATOR, leave, Value::Null).await.is(200);
            }
        });
        let receipt = receipt.await;
        assert_eq!(receipt["status"], "settled", "{point}");
        let mut copies = receipt["recipients"].as_array().unwrap().iter();
        assert!(copies.all(|it| it["state"] != "queued" && it["state"] != "claimed"));
    }
}

async fn m7_a_point_to_wait_for_is_checked(server: Server) {
    let (a, _) = server.with_pair().await;
    let sent = server.tell(&a, "b", "k").await.is(201);
    let path = format!("{MESSAGES}/{}", sent["message_id"].as_str().unwrap());
    let since = sent["as_of"].as_str().unwrap();
    for (query, field) in [
        ("until=ended".to_owned(), "until"),
        (format!("wait_ms=1&until=ended&since={since}"), "since"),
        ("wait_ms=1&until=over".to_owned(), "until"),
    ] {
        let refused = server.get(&a, &format!("{path}?{query}")).await;
        let refused = refused.refused(400, "invalid-request");
        assert_eq!(refused["field"], field, "{query}");
    }
}
