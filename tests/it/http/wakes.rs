//! Waiting for events.

use heronry_types::Millis;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a_wake_is_registered_found_listed_and_given_up
    wakes_are_listed_by_pages
    a38_explain_says_what_failed_and_who_could_still_do_it
    a38_explain_names_the_latest_event_that_came_too_early_and_the_cursor_that_counts_it
    a_wake_says_where_it_begins
    a_wake_triggers_by_the_event_that_it_names
    a_call_waits_until_the_wake_ends
    a_call_that_gives_up_does_not_end_the_wake
    a_wake_that_looks_back_triggers_at_once
    a_filter_that_is_not_valid_names_every_error
    a_filter_is_checked_without_being_used
    a_wake_times_out_and_says_so
    a_wait_that_the_end_of_the_membership_cuts_answers_with_the_wake
    a_key_or_id_of_another_wake_is_a_conflict
    a36_a_wake_waits_for_any_of_all_of_or_a_count
    a36_a_condition_that_is_none_says_what_is_wrong
    a39_a_waiter_gets_what_resume_with_says_and_never_a_body
    a39_a_summary_carries_what_events_say_of_themselves_as_far_as_the_pool_shows_it
}

const WAKES: &str = "/v1/pools/p/wakes";
const ACCEPTED: &str = "kind == \"run_message_accepted\"";

fn wake(key: &str, more: &Value) -> Value {
    let mut wake = json!({"filter": ACCEPTED, "idempotency_key": key});
    wake.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    wake
}

async fn a_wake_is_registered_found_listed_and_given_up(server: Server) {
    let (a, b) = server.with_pair().await;
    let asked = wake("k", &json!({"wake_id": "w", "timeout_ms": 60_000}));
    let made = server.post(&a, WAKES, asked.clone()).await.is(201);
    assert_eq!(
        (&made["wake_id"], &made["run_id"]),
        (&json!("w"), &json!("a"))
    );
    assert_eq!(
        (&made["status"], &made["matches"]),
        (&json!("registered"), &json!([]))
    );
    assert_eq!(made["deadline"], "2026-11-20T08:01:00.000Z");
    assert!(made["durability"].is_string());
    assert_eq!(server.post(&a, WAKES, asked).await.is(200), made);
    let found = server.get(&a, &format!("{WAKES}/w")).await.is(200);
    assert_eq!(found["cursor"], made["cursor"]);
    for (token, count) in [(a.as_str(), 1), (&b, 0), (OPERATOR, 1)] {
        let list = server.get(token, WAKES).await.is(200);
        assert_eq!(list["wakes"].as_array().unwrap().len(), count);
    }
    let gone = server
        .call(&a, &format!("DELETE {WAKES}/w"), Value::Null)
        .await
        .is(200);
    assert_eq!(
        (&gone["status"], &gone["reason"]),
        (&json!("cancelled"), &json!("requested"))
    );
    let head = server.head().await;
    let again = server
        .call(OPERATOR, &format!("DELETE {WAKES}/w"), Value::Null)
        .await
        .is(200);
    assert_eq!(
        again, gone,
        "an operator need not name the run of the only such wake"
    );
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn wakes_are_listed_by_pages(server: Server) {
    let (a, _) = server.with_pair().await;
    for name in ["w1", "w2", "w3"] {
        let asked = wake(name, &json!({"wake_id": name}));
        server.post(&a, WAKES, asked).await.is(201);
    }
    let names = |page: &Value| -> Vec<String> {
        let wakes = page["wakes"].as_array().unwrap().iter();
        wakes
            .map(|it| it["wake_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = server.get(&a, &format!("{WAKES}?limit=2")).await.is(200);
    assert_eq!(names(&first), ["w1", "w2"]);
    let next = first["next"].as_str().unwrap();
    let rest = server
        .get(&a, &format!("{WAKES}?limit=2&after={next}"))
        .await
        .is(200);
    assert_eq!(names(&rest), ["w3"]);
    assert_eq!(rest["next"], Value::Null);
    let of_b = server
        .get(OPERATOR, &format!("{WAKES}?run=b"))
        .await
        .is(200);
    assert_eq!(names(&of_b), [""; 0]);
    server
        .get(&a, &format!("{WAKES}?run=b"))
        .await
        .refused(403, "sender-mismatch");
    server
        .get(&a, &format!("{WAKES}?limit=0"))
        .await
        .refused(400, "invalid-request");
}

async fn a38_explain_says_what_failed_and_who_could_still_do_it(server: Server) {
    let (a, b) = server.with_pair().await;
    let asked = json!({
        "filter": format!("{ACCEPTED} && run == \"c\""), "idempotency_key": "k", "wake_id": "w"
    });
    server.post(&a, WAKES, asked).await.is(201);
    let message =
        json!({"to": {"type": "run", "run_id": "a"}, "idempotency_key": "k", "body": "x"});
    server
        .post(&b, "/v1/pools/p/messages", message)
        .await
        .is(201);
    let explained = server.get(&a, &format!("{WAKES}/w/explain")).await.is(200);
    assert_eq!(
        (&explained["status"], &explained["orphaned"]),
        (&json!("registered"), &json!(true))
    );
    let clause = &explained["clauses"][0];
    assert_eq!(clause["could"], json!({"count": 0, "runs": []}));
    assert_eq!(clause["closest"]["kind"], "run_message_accepted");
    let failed = json!([{"clause": "run == \"c\"", "seen": "\"b\""}]);
    assert_eq!(clause["closest"]["failed"], failed);
    server
        .get(&b, &format!("{WAKES}/w/explain"))
        .await
        .refused(404, "wake-not-found");
    let of_a = server
        .get(OPERATOR, &format!("{WAKES}/w/explain?run=a"))
        .await
        .is(200);
    assert_eq!(of_a, explained);
}

async fn a38_explain_names_the_latest_event_that_came_too_early_and_the_cursor_that_counts_it(
    server: Server,
) {
    let (a, b) = server.with_pair().await;
    server.tell(&b, "a", "first").await.is(201);
    let last = server.tell(&b, "a", "second").await.is(201);
    server
        .post(
            &a,
            WAKES,
            wake("k", &json!({"wake_id": "w", "timeout_ms": 0})),
        )
        .await
        .is(201);
    let explained = server.get(&a, &format!("{WAKES}/w/explain")).await.is(200);
    assert_eq!(explained["status"], "timed_out");
    let clause = &explained["clauses"][0];
    assert_eq!(clause["early"], 2);
    let early = &clause["latest_early"];
    assert_eq!(
        (&early["cursor"], &early["kind"]),
        (&last["cursor"], &json!("run_message_accepted"))
    );
    let again = wake("l", &json!({"since": early["since"], "timeout_ms": 60_000}));
    let found = server.post(&a, WAKES, again).await.is(201);
    let path = format!(
        "{WAKES}/{}?wait_ms=20000",
        found["wake_id"].as_str().unwrap()
    );
    let found = server.get(&a, &path).await.is(200);
    assert_eq!(found["matches"][0]["cursor"], last["cursor"]);
}

async fn a_wake_says_where_it_begins(server: Server) {
    let (a, b) = server.with_pair().await;
    let sent = server.tell(&b, "a", "k").await.is(201);
    let view = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    let since = [
        (json!("start"), &view["floor"]),
        (sent["cursor"].clone(), &sent["cursor"]),
    ];
    for (number, (since, expected)) in since.into_iter().enumerate() {
        let asked = json!({
            "filter": "run == \"nobody\"", "idempotency_key": format!("k{number}"), "since": since
        });
        let made = server.post(&a, WAKES, asked).await.is(201);
        assert_eq!(&made["since"], expected);
    }
    let made = server.post(&a, WAKES, wake("k", &json!({}))).await.is(201);
    assert_eq!(made["since"], made["cursor"], "its own registration");
    let listed = server.get(&a, WAKES).await.is(200);
    assert_eq!(listed["wakes"][2]["since"], made["since"]);
}

async fn a_wake_triggers_by_the_event_that_it_names(server: Server) {
    let (a, b) = server.with_pair().await;
    server
        .post(&a, WAKES, wake("k", &json!({"wake_id": "w"})))
        .await
        .is(201);
    let sent = server.tell(&b, "b", "m").await.is(201);
    let found = server.get(&a, &format!("{WAKES}/w")).await.is(200);
    assert_eq!(found["status"], "triggered");
    let expected =
        json!({"cursor": sent["cursor"], "id": sent["cursor"], "kind": "run_message_accepted"});
    assert_eq!(found["matches"], json!([expected]));
}

async fn a_call_waits_until_the_wake_ends(server: Server) {
    let (a, b) = server.with_pair().await;
    let waiting = server.post(&a, WAKES, wake("k", &json!({"wait_ms": 20_000})));
    let sending = async {
        server.waits_for(Millis(20_000)).await;
        server.tell(&b, "b", "m").await.is(201)
    };
    let (reply, sent) = tokio::join!(waiting, sending);
    let woken = reply.is(201);
    assert_eq!(woken["status"], "triggered");
    assert_eq!(woken["matches"][0]["cursor"], sent["cursor"]);
}

async fn a_call_that_gives_up_does_not_end_the_wake(server: Server) {
    let (a, _) = server.with_pair().await;
    server
        .post(&a, WAKES, wake("k", &json!({"wake_id": "w"})))
        .await
        .is(201);
    let path = format!("{WAKES}/w?wait_ms=20000");
    let waiting = server.get(&a, &path);
    let moving = async {
        server.waits_for(Millis(20_000)).await;
        server.clock.advance(Millis(20_000));
    };
    let (reply, ()) = tokio::join!(waiting, moving);
    assert_eq!(reply.is(200)["status"], "registered");
    let long = server.get(&a, &format!("{WAKES}/w?wait_ms=50001")).await;
    assert_eq!(
        long.refused(400, "limit-exceeded")["limit"],
        "long_poll_ms_max"
    );
}

async fn a_wake_that_looks_back_triggers_at_once(server: Server) {
    let (a, b) = server.with_pair().await;
    let before = server.head().await;
    let sent = server.tell(&b, "b", "m").await.is(201);
    for (key, since) in [("1", json!("start")), ("2", before)] {
        let made = server
            .post(&a, WAKES, wake(key, &json!({"since": since})))
            .await
            .is(201);
        assert_eq!(made["status"], "triggered");
        assert_eq!(made["matches"][0]["cursor"], sent["cursor"]);
    }
    let made = server
        .post(&a, WAKES, wake("3", &json!({"since": "head"})))
        .await
        .is(201);
    assert_eq!(made["status"], "registered");
}

async fn a_filter_that_is_not_valid_names_every_error(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let text = "knd == \"run_failed\" && kind == \"run_faild\"";
    let body = json!({"filter": text, "idempotency_key": "k"});
    let refused = server
        .post(&a, WAKES, body)
        .await
        .refused(400, "filter-invalid");
    let errors = refused["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2, "{refused}");
    assert_eq!(errors[0]["span"], json!({"start": 0, "end": 3}));
    assert!(errors[0]["message"].is_string());
    assert_eq!(errors[0]["suggestion"], "kind");
    let compiled = server
        .post(&a, "/v1/filters/compile", json!({"filter": text}))
        .await;
    assert_eq!(
        compiled.refused(400, "filter-invalid")["errors"],
        refused["errors"]
    );
    let missing = server
        .post(&a, WAKES, json!({"idempotency_key": "k"}))
        .await;
    assert_eq!(missing.refused(400, "invalid-request")["field"], "filter");
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a_filter_is_checked_without_being_used(server: Server) {
    let check = |text: &str| {
        let body = json!({"filter": text});
        let server = &server;
        async move {
            server
                .post(OPERATOR, "/v1/filters/compile", body)
                .await
                .is(200)
        }
    };
    let one = check("kind == \"run_failed\" || run == \"a\"").await;
    let other = check("run == \"a\" || kind in [\"run_failed\"]").await;
    assert!(one["fingerprint"].as_str().unwrap().starts_with("sha256:"));
    assert!(one["normal_form"].is_string() && one["cost"].is_object());
    assert_eq!(one, other, "the same meaning has the same form");
}

async fn a_wake_times_out_and_says_so(server: Server) {
    let (a, _) = server.with_pair().await;
    let at_once = server
        .post(&a, WAKES, wake("0", &json!({"timeout_ms": 0})))
        .await
        .is(201);
    assert_eq!(at_once["status"], "timed_out");
    let asked = wake("k", &json!({"timeout_ms": 5_000, "wait_ms": 20_000}));
    let waiting = server.post(&a, WAKES, asked);
    let moving = async {
        server.waits_for(Millis(5_000)).await;
        server.clock.advance(Millis(5_000));
    };
    let (reply, ()) = tokio::join!(waiting, moving);
    assert_eq!(reply.is(201)["status"], "timed_out");
}

async fn a_wait_that_the_end_of_the_membership_cuts_answers_with_the_wake(server: Server) {
    let (a, _) = server.with_pair().await;
    let rejoined = json!({"run_id": "b", "agent_id": "b", "instance": "other"});
    let b = server.join("b2").await;
    let asked = |key: &str| wake(key, &json!({"wake_id": key, "wait_ms": 20_000}));
    let until_it_waits = async || server.waits_for(Millis(20_000)).await;

    let leaving = async {
        until_it_waits().await;
        let line = "DELETE /v1/pools/p/members/a";
        server.call(&a, line, Value::Null).await.is(200);
    };
    let (reply, ()) = tokio::join!(server.post(&a, WAKES, asked("left")), leaving);
    let made = reply.is(201);
    assert_eq!(
        (&made["wake_id"], &made["status"], &made["reason"]),
        (&json!("left"), &json!("cancelled"), &json!("left"))
    );
    let shown = server.get(OPERATOR, &format!("{WAKES}/left")).await.is(200);
    assert_eq!(made["cursor"], shown["cursor"]);

    let ending = async {
        until_it_waits().await;
        let body = json!({"state": "completed"});
        let path = "/v1/pools/p/members/b2/state";
        server.post(&b, path, body).await.is(200);
    };
    let (reply, ()) = tokio::join!(server.post(&b, WAKES, asked("ended")), ending);
    assert_eq!(reply.is(201)["status"], "cancelled");

    let b = server.post(OPERATOR, "/v1/pools/p/members", rejoined).await;
    let b = b.is(201)["member_token"].as_str().unwrap().to_owned();
    let taking_over = async {
        until_it_waits().await;
        let body = json!({"run_id": "b", "agent_id": "b", "instance": "third"});
        server
            .post(OPERATOR, "/v1/pools/p/members", body)
            .await
            .is(201);
        server.clock.advance(Millis(20_000));
    };
    let (reply, ()) = tokio::join!(server.post(&b, WAKES, asked("taken")), taking_over);
    assert_eq!(reply.is(201)["status"], "registered");
}

async fn a_key_or_id_of_another_wake_is_a_conflict(server: Server) {
    let (a, _) = server.with_pair().await;
    let made = server
        .post(&a, WAKES, wake("k", &json!({"wake_id": "w"})))
        .await
        .is(201);
    let other = wake("k", &json!({"wake_id": "w", "timeout_ms": 5}));
    let conflict = server
        .post(&a, WAKES, other)
        .await
        .refused(409, "idempotency-conflict");
    assert_eq!(conflict["field"], "idempotency_key");
    let reused = wake("k2", &json!({"wake_id": "w"}));
    let conflict = server
        .post(&a, WAKES, reused)
        .await
        .refused(409, "idempotency-conflict");
    assert_eq!(conflict["field"], "wake_id");
    assert_eq!(conflict["first_cursor"], made["cursor"]);
}

async fn a36_a_wake_waits_for_any_of_all_of_or_a_count(server: Server) {
    let (a, b) = server.with_pair().await;
    let delivered = "kind == \"run_message_delivered\"";
    let count = json!({"n": 2, "filter": delivered, "distinct_by": "message"});
    let nested = json!([ACCEPTED, {"any_of": ["run == \"nobody\"", {"count": count}]}]);
    for (key, field, value) in [
        ("any", "any_of", json!([ACCEPTED, delivered])),
        ("all", "all_of", json!([ACCEPTED, delivered])),
        ("count", "count", count),
        ("nested", "all_of", nested),
    ] {
        let asked = json!({field: value, "wake_id": key, "idempotency_key": key});
        let made = server.post(&a, WAKES, asked.clone()).await.is(201);
        assert_eq!(made["status"], "registered");
        assert_eq!(server.post(&a, WAKES, asked).await.is(200), made);
    }
    let message = |key: &str| json!({"to": {"type": "run", "run_id": "a"}, "body": "x", "idempotency_key": key});
    let mut sent = Vec::new();
    for key in ["m1", "m2"] {
        let receipt = server.post(&b, "/v1/pools/p/messages", message(key)).await;
        sent.push(receipt.is(201));
    }
    let accepted = |at: usize| sent[at]["cursor"].clone();
    let delivered = |at: usize| sent[at]["timeline"][1]["cursor"].clone();
    for (wake, expected) in [
        ("any", vec![accepted(0)]),
        ("all", vec![accepted(0), delivered(0)]),
        ("count", vec![delivered(0), delivered(1)]),
        ("nested", vec![accepted(0), delivered(0), delivered(1)]),
    ] {
        let found = server.get(&a, &format!("{WAKES}/{wake}")).await.is(200);
        assert_eq!(found["status"], "triggered", "{wake}");
        let matches = found["matches"].as_array().unwrap().iter();
        let cursors: Vec<_> = matches.map(|it| it["cursor"].clone()).collect();
        assert_eq!(cursors, expected, "{wake}");
    }
}

async fn a36_a_condition_that_is_none_says_what_is_wrong(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    let many: Vec<_> = (0..65)
        .map(|number| format!("run == \"r{number}\""))
        .collect();
    let depth = (0..8).fold(json!("terminal"), |inner, _| json!({"any_of": [inner]}));
    for (mut asked, slug, member, value) in [
        (json!({}), "invalid-request", "field", json!("filter")),
        (
            json!({"filter": ACCEPTED, "any_of": [ACCEPTED]}),
            "invalid-request",
            "field",
            json!("filter"),
        ),
        (
            json!({"any_of": []}),
            "invalid-request",
            "field",
            json!("any_of"),
        ),
        (
            json!({"count": {"n": 0, "filter": ACCEPTED}}),
            "invalid-request",
            "field",
            json!("count.n"),
        ),
        (json!({"any_of": many}), "limit-exceeded", "max", json!(64)),
        (
            json!({"count": {"n": 1_001, "filter": ACCEPTED}}),
            "limit-exceeded",
            "max",
            json!(1_000),
        ),
        (
            json!({"any_of": [depth]}),
            "limit-exceeded",
            "max",
            json!(8),
        ),
    ] {
        asked["idempotency_key"] = json!("k");
        let refused = server.post(&a, WAKES, asked.clone()).await;
        assert_eq!(refused.refused(400, slug)[member], value, "{asked}");
    }
    let asked = json!({"all_of": [ACCEPTED, "knd == \"x\""], "idempotency_key": "k"});
    let refused = server.post(&a, WAKES, asked).await;
    let errors = refused.refused(400, "filter-invalid")["errors"].clone();
    assert_eq!(errors.as_array().unwrap().len(), 1);
    assert_eq!(server.head().await, head, "nothing is journaled");
}

async fn a39_a_waiter_gets_what_resume_with_says_and_never_a_body(server: Server) {
    let (a, b) = server.with_pair().await;
    let ways = [
        None,
        Some("matching_event_refs"),
        Some("summary"),
        Some("none"),
    ];
    for (number, way) in ways.iter().enumerate() {
        let count = json!({"n": 2, "filter": ACCEPTED});
        let (name, asked) = (format!("w{number}"), json!({"count": count}));
        let mut asked = asked;
        asked["wake_id"] = json!(name);
        asked["idempotency_key"] = json!(name);
        if let Some(way) = way {
            asked["resume_with"] = json!(way);
        }
        server.post(&a, WAKES, asked).await.is(201);
    }
    let mut accepted = Vec::new();
    for key in ["m1", "m2"] {
        let message = json!({"to": {"type": "run", "run_id": "a"}, "body": "a secret", "idempotency_key": key});
        let receipt = server
            .post(&b, "/v1/pools/p/messages", message)
            .await
            .is(201);
        accepted.push(receipt["cursor"].clone());
    }
    let refs: Vec<_> = accepted
        .iter()
        .map(|cursor| json!({"cursor": cursor, "id": cursor, "kind": "run_message_accepted"}))
        .collect();
    let first = accepted[0].as_str().unwrap();
    let line = format!("2 events, first run_message_accepted at {first}");
    for (number, (matches, summary)) in [
        (json!(refs), Value::Null),
        (json!(refs), Value::Null),
        (json!([]), json!(line)),
        (json!([]), Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let found = server.get(&a, &format!("{WAKES}/w{number}")).await.is(200);
        assert_eq!(found["status"], "triggered");
        assert_eq!((&found["matches"], &found["summary"]), (&matches, &summary));
        assert!(!found.to_string().contains("secret"));
    }
}

async fn a39_a_summary_carries_what_events_say_of_themselves_as_far_as_the_pool_shows_it(
    server: Server,
) {
    for (pool, payload) in [("p", "summary"), ("q", "envelope_only")] {
        let path = |rest: &str| format!("/v1/pools/{pool}/{rest}");
        let open = json!({"wake_policy": {"payload": payload}});
        let put = format!("PUT /v1/pools/{pool}");
        server.call(OPERATOR, &put, open).await.is(201);
        let join = json!({"run_id": "a", "agent_id": "a"});
        let joined = server.post(OPERATOR, &path("members"), join).await.is(201);
        let a = joined["member_token"].as_str().unwrap().to_owned();
        let payload = json!({"type": "summary", "summary": "found 3 faults"});
        let events = json!({
            "events": [{"kind": "tool_completed", "payload": payload}], "idempotency_key": "e"
        });
        let reported = server.post(&a, &path("events"), events).await.is(201);
        let cursor = reported["first"].as_str().unwrap();
        let mut line = format!("1 event, first tool_completed at {cursor}");
        if pool == "p" {
            line = format!("{line}\ntool_completed at {cursor}: found 3 faults");
        }
        let asked = json!({
            "filter": "kind == \"tool_completed\"", "wake_id": "w", "since": "start",
            "resume_with": "summary", "idempotency_key": "k"
        });
        let (wakes, wake) = (path("wakes"), path("wakes/w"));
        let answers = [
            server.post(&a, &wakes, asked.clone()).await.is(201),
            server.post(&a, &wakes, asked).await.is(200),
            server.get(&a, &wake).await.is(200),
            server.get(OPERATOR, &wake).await.is(200),
            server
                .call(&a, &format!("DELETE {wake}"), Value::Null)
                .await
                .is(200),
        ];
        for answer in answers {
            assert_eq!(answer["status"], "triggered");
            assert_eq!(answer["summary"], line);
        }
    }
}
