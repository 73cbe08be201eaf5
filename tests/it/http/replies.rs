//! Replies, over HTTP.

use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{Server, on_every_store};

on_every_store! {
    a26_a_receipt_shows_the_contract_and_the_replies_so_far
    a26_a_late_reply_is_marked_in_the_inbox
    a26_more_replies_than_can_count_are_refused_with_both_numbers
    a27_a_contract_that_is_over_is_timed_out_in_the_receipt
    a_contract_that_cannot_be_read_is_refused
    a_question_is_answered_by_the_call_that_sends_it
    a_question_that_is_not_over_in_time_is_shown_as_it_stands_and_goes_on
}

const MESSAGES: &str = "/v1/pools/p/messages";

/// Returns a message that asks everybody else for replies; its id and its key are `id`.
fn asking(id: &str, contract: &Value) -> Value {
    json!({
        "message_id": id, "to": {"type": "pool", "pool_id": "p"}, "body": "who is free?",
        "response_contract": contract, "idempotency_key": id,
    })
}

fn reply(id: &str, to: &str, of: &str) -> Value {
    json!({
        "message_id": id, "to": {"type": "run", "run_id": to}, "body": "I am",
        "reply_to": of, "idempotency_key": id,
    })
}

async fn receipt(server: &Server, token: &str, id: &str) -> Value {
    server.get(token, &format!("{MESSAGES}/{id}")).await.is(200)
}

async fn a26_a_receipt_shows_the_contract_and_the_replies_so_far(server: Server) {
    let (a, b) = server.with_pair().await;
    let contract = json!({"expected_responses": 1, "timeout_ms": 600_000, "from": ["b"]});
    let sent = server
        .post(&a, MESSAGES, asking("m", &contract))
        .await
        .is(201);
    assert_eq!(sent["response_contract"], contract);
    assert_eq!(sent["responses"], Value::Null);
    assert!(sent["deadline"].is_string());
    let plain = server.tell(&a, "b", "k").await.is(201);
    let without = |name: &str| plain.get(name).is_none();
    assert!(without("response_contract") && without("deadline") && without("responses"));

    let replied = server
        .post(&b, MESSAGES, reply("r", "a", "m"))
        .await
        .is(201);
    let receipt = receipt(&server, &a, "m").await;
    assert_eq!(receipt["status"], "responded");
    let response = json!({
        "run_id": "b", "message_id": "r", "cursor": replied["cursor"],
        "content_ref": replied["content_ref"],
    });
    assert_eq!(receipt["responses"], json!([response]));
    let steps = receipt["timeline"].as_array().unwrap();
    let states: Vec<_> = steps
        .iter()
        .map(|step| step["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["accepted", "delivered", "replied", "responded"]);
    assert_eq!(steps[2]["run_id"], "b");
    let again = server
        .post(&a, MESSAGES, asking("m", &contract))
        .await
        .is(200);
    assert_eq!(again["status"], "responded", "the receipt as it stands now");
    let other = asking("m", &json!({"expected_responses": 1}));
    server
        .post(&a, MESSAGES, other)
        .await
        .refused(409, "idempotency-conflict");
}

async fn a26_a_late_reply_is_marked_in_the_inbox(server: Server) {
    let (a, b) = server.with_pair().await;
    let contract = json!({"expected_responses": 1});
    server
        .post(&a, MESSAGES, asking("m", &contract))
        .await
        .is(201);
    server
        .post(&b, MESSAGES, reply("r1", "a", "m"))
        .await
        .is(201);
    server
        .post(&b, MESSAGES, reply("r2", "a", "m"))
        .await
        .is(201);
    let path = "/v1/pools/p/members/a/inbox/receive";
    let taken = server.post(&a, path, json!({"max": 9})).await.is(200);
    let items = taken["items"].as_array().unwrap();
    let marks: Vec<_> = items
        .iter()
        .map(|item| (&item["reply_to"], &item["late"]))
        .collect();
    assert_eq!(
        marks,
        [(&json!("m"), &Value::Null), (&json!("m"), &json!(true))]
    );
}

async fn a26_more_replies_than_can_count_are_refused_with_both_numbers(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let refused = server
        .post(&a, MESSAGES, asking("m", &json!({"expected_responses": 2})))
        .await;
    let problem = refused.refused(409, "contract-unsatisfiable");
    assert_eq!(
        (&problem["expected"], &problem["eligible"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a27_a_contract_that_is_over_is_timed_out_in_the_receipt(server: Server) {
    let (a, _) = server.with_pair().await;
    let contract = json!({"expected_responses": 1, "timeout_ms": 1_000});
    server
        .post(&a, MESSAGES, asking("m", &contract))
        .await
        .is(201);
    server.clock.advance(Millis(999));
    assert_eq!(receipt(&server, &a, "m").await["status"], "delivered");
    server.clock.advance(Millis(1));
    assert_eq!(receipt(&server, &a, "m").await["status"], "timed_out");
}

async fn a_contract_that_cannot_be_read_is_refused(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    for contract in [
        json!({}),
        json!({"expected_responses": 0}),
        json!({"expected_responses": -1}),
        json!({"expected_responses": 1, "timeout": 5}),
        json!({"expected_responses": 1, "from": ["a\nb"]}),
    ] {
        let refused = server.post(&a, MESSAGES, asking("m", &contract)).await;
        let problem = refused.refused(400, "invalid-request");
        let field = problem["field"].as_str().unwrap();
        assert!(
            field.starts_with("response_contract"),
            "{contract}: {field}"
        );
    }
    let forever = json!({"expected_responses": 1, "timeout_ms": u64::MAX});
    let refused = server.post(&a, MESSAGES, asking("m", &forever)).await;
    let problem = refused.refused(400, "limit-exceeded");
    assert_eq!(problem["field"], "response_contract.timeout_ms");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

/// A question to everybody else that waits up to 20 s for its replies.
fn waiting(id: &str, contract: &Value) -> Value {
    let mut asked = asking(id, contract);
    asked["wait_ms"] = json!(20_000);
    asked
}

async fn a_question_is_answered_by_the_call_that_sends_it(server: Server) {
    let (a, b) = server.with_pair().await;
    let contract = json!({"expected_responses": 1, "timeout_ms": 60_000});
    let question = server.post(&a, MESSAGES, waiting("m", &contract));
    let replying = async {
        server.waits_for(Millis(20_000)).await;
        server
            .post(&b, MESSAGES, reply("r", "a", "m"))
            .await
            .is(201)
    };
    let (asked, replied) = tokio::join!(question, replying);
    let asked = asked.is(201);
    assert_eq!(asked["status"], "responded");
    assert_eq!(asked["responses"][0]["message_id"], "r");
    assert_eq!(asked["responses"][0]["content_ref"], replied["content_ref"]);
    // A repeat is answered at once, with and without waiting: the wait is not part of the request.
    for again in [waiting("m", &contract), asking("m", &contract)] {
        let again = server.post(&a, MESSAGES, again).await.is(200);
        assert_eq!(again["responses"], asked["responses"]);
    }
}

async fn a_question_that_is_not_over_in_time_is_shown_as_it_stands_and_goes_on(server: Server) {
    let (a, b) = server.with_pair().await;
    let contract = json!({"expected_responses": 1, "timeout_ms": 60_000});
    let mut too_long = asking("m", &contract);
    too_long["wait_ms"] = json!(50_001);
    let head = server.head().await;
    let refused = server.post(&a, MESSAGES, too_long).await;
    assert_eq!(
        refused.refused(400, "limit-exceeded")["limit"],
        "long_poll_ms_max"
    );
    assert_eq!(server.head().await, head, "nothing is sent");

    let question = server.post(&a, MESSAGES, waiting("m", &contract));
    let moving = async {
        server.waits_for(Millis(20_000)).await;
        server.clock.advance(Millis(20_000));
    };
    let (asked, ()) = tokio::join!(question, moving);
    let asked = asked.is(201);
    assert_eq!(asked["status"], "delivered");
    server
        .post(&b, MESSAGES, reply("r", "a", "m"))
        .await
        .is(201);
    assert_eq!(receipt(&server, &a, "m").await["status"], "responded");

    // A server that stops says what it has sent.
    let question = server.post(&a, MESSAGES, waiting("n", &contract));
    let stopping = async {
        server.waits_for(Millis(20_000)).await;
        server.stop.stop();
    };
    let (asked, ()) = tokio::join!(question, stopping);
    assert_eq!(asked.is(201)["status"], "delivered");
}
