//! Waiting until a receipt changes.

use heronry_types::Millis;
use serde_json::{Value, json};

use crate::support::{OPERATOR, Server, on_every_store};

on_every_store! {
    m7_a_receipt_is_waited_for_and_every_change_ends_the_wait
    m7_a_receipt_that_does_not_change_in_time_is_shown_as_it_stands
    m7_a_wait_for_a_receipt_is_checked
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
