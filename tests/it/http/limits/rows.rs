//! Rows of limits and the requests that they refuse.

use futures::{FutureExt, future::LocalBoxFuture};
use heronry_types::LimitName;
use serde_json::{Value, json};

use super::scene::LimitScene;
use heronry_tests::server::{HttpReply, OPERATOR, to_run};

/// One way to reach a limit.
pub(super) struct LimitRow {
    pub(super) limit: LimitName,
    /// The name of this way, among several to the same limit.
    pub(super) what: &'static str,
    /// The value that the limit is set to: small.
    pub(super) max: u64,
    /// Asks for so much; called with one below the limit, with the limit, and with one above it.
    pub(super) ask: for<'a> fn(&'a mut LimitScene<'_>, u64) -> LocalBoxFuture<'a, HttpReply>,
    /// Status and slug.
    pub(super) refusal: (u16, &'static str),
}

const OVER: (u16, &str) = (400, "limit-exceeded");
const BUSY: (u16, &str) = (429, "busy");
const LARGE: (u16, &str) = (413, "too-large");

macro_rules! rows {
    ($($limit:ident $what:literal at $max:literal is $refusal:expr, $scene:ident $n:ident => $ask:expr;)*) => {
        &[$(LimitRow {
            limit: LimitName::$limit,
            what: $what,
            max: $max,
            ask: |$scene, $n| async move { $ask }.boxed_local(),
            refusal: $refusal,
        }),*]
    };
}

pub(super) const ROWS: &[LimitRow] = rows! {
    MembersMax "join" at 3 is OVER, scene n => scene.ask_to_join(&format!("m{n}"), json!({})).await;
    TopicsPerMemberMax "join" at 3 is OVER, scene n => {
        scene.ask_to_join(&format!("m{n}"), json!({"topics": names("t", n)})).await
    };
    TopicsPerMemberMax "change" at 3 is OVER, scene n => {
        scene.say("PATCH /members/a", json!({"topics": names("t", n)})).await
    };
    RecipientsPerMessageMax "topic" at 3 is OVER, scene n => {
        let runs = names(&format!("m{n}-"), n);
        to_topic(scene, n, &runs).await
    };
    RecipientIdsBytesMax "topic" at 12 is OVER, scene n => {
        let runs = [format!("{n}aaa"), padded(&n.to_string(), n - 5)];
        to_topic(scene, n, &runs).await
    };
    InboxDepthMax "send" at 2 is (429, "inbox-full"), scene n => {
        // One sender fills half of it at the most.
        let token = scene.join(&format!("s{n}"), json!({})).await;
        scene.call(&token, "POST /messages", message(&json!({}))).await
    };
    LiveWakesPerRunMax "register" at 2 is OVER, scene n => {
        scene.say("POST /wakes", wake(n, &json!({}))).await
    };
    LiveWakesPerPoolMax "register" at 2 is OVER, scene n => {
        let token = scene.join(&format!("w{n}"), json!({})).await;
        scene.call(&token, "POST /wakes", wake(n, &json!({}))).await
    };
    WakeCostPerRunMax "register" at 2 is OVER, scene n => {
        // Each costs one value.
        scene.say("POST /wakes", wake(n, &json!({"filter": "kind == 'run_failed'"}))).await
    };
    WakeCostPerPoolMax "register" at 2 is OVER, scene n => {
        let token = scene.join(&format!("w{n}"), json!({})).await;
        scene.call(&token, "POST /wakes", wake(n, &json!({"filter": "terminal"}))).await
    };
    FilterTextBytesMax "register" at 20 is OVER, scene n => {
        let filter = json!({"filter": format!("{}'", padded("run=='", n - 1))});
        scene.say("POST /wakes", wake(n, &filter)).await
    };
    FilterTextBytesMax "events" at 20 is OVER, scene n => {
        let filter = format!("{}%27", padded("run==%27", n + 1));
        scene.say(&format!("GET /events?filter={filter}"), Value::Null).await
    };
    BodyInlineBytesMax "send" at 10 is LARGE, scene n => {
        let body = json!({"body": padded("", n), "idempotency_key": format!("k{n}")});
        scene.say("POST /messages", message(&body)).await
    };
    ContentBytesMax "put" at 10 is LARGE, scene n => scene.put(usize::try_from(n).unwrap()).await;
    CorrelationEntriesMax "send" at 3 is OVER, scene n => {
        let entries = names("c", n).into_iter().map(|name| (name, json!("v")));
        let correlation: serde_json::Map<_, _> = entries.collect();
        let more = json!({"correlation": correlation, "idempotency_key": format!("k{n}")});
        scene.say("POST /messages", message(&more)).await
    };
    CorrelationEntriesMax "report" at 3 is OVER, scene n => {
        let entries = names("c", n).into_iter().map(|name| (name, json!("v")));
        let correlation: serde_json::Map<_, _> = entries.collect();
        report(scene, n, json!({"correlation": correlation})).await
    };
    TagsMax "report" at 3 is OVER, scene n => report(scene, n, json!({"tags": names("t", n)})).await;
    PoliciesMax "join" at 3 is OVER, scene n => {
        let policies = names("p", n).into_iter().map(|id| json!({"kind": "host", "id": id}));
        let policies: Vec<Value> = policies.collect();
        scene.ask_to_join(&format!("m{n}"), json!({"policies": policies})).await
    };
    PageItemsMax "events" at 3 is OVER, scene n => get(scene, &format!("/events?limit={n}")).await;
    PageItemsMax "members" at 3 is OVER, scene n => get(scene, &format!("/members?limit={n}")).await;
    PageItemsMax "wakes" at 3 is OVER, scene n => get(scene, &format!("/wakes?limit={n}")).await;
    PageItemsMax "dead letters" at 3 is OVER, scene n => {
        get(scene, &format!("/dead-letters?limit={n}")).await
    };
    PageItemsMax "look" at 3 is OVER, scene n => {
        get(scene, &format!("/members/a/inbox?max={n}")).await
    };
    PageItemsMax "receive" at 3 is OVER, scene n => receive(scene, json!({"max": n})).await;
    PageItemsMax "ack" at 3 is OVER, scene n => {
        let mut claims = Vec::new();
        for number in 0..n {
            claims.push(scene.claim(&format!("k{n}-{number}")).await);
        }
        scene.say("POST /members/a/inbox/ack", json!({"claims": claims})).await
    };
    PageItemsMax "report" at 3 is OVER, scene n => {
        let events: Vec<Value> = (0..n).map(|_| json!({"kind": "tool_started"})).collect();
        let batch = json!({"idempotency_key": format!("k{n}"), "events": events});
        scene.say("POST /events", batch).await
    };
    LongPollMsMax "receive" at 1_000 is OVER, scene n => {
        // There is something to receive, so nobody waits.
        let more = json!({"idempotency_key": format!("k{n}")});
        scene.say("POST /messages", message(&more)).await.is(201);
        receive(scene, json!({"wait_ms": n})).await
    };
    LongPollMsMax "events" at 1_000 is OVER, scene n => get(scene, &format!("/events?wait_ms={n}")).await;
    LongPollMsMax "wake" at 1_000 is OVER, scene n => {
        let over = json!({"filter": "true", "since": "start", "wait_ms": n});
        scene.say("POST /wakes", wake(n, &over)).await
    };
    ClaimMsMax "receive" at 1_000 is OVER, scene n => receive(scene, json!({"claim_ms": n})).await;
    ClaimMsMax "extend" at 1_000 is OVER, scene n => {
        let claim = briefly(scene, n).await;
        let body = json!({"claims": [claim], "claim_ms": n});
        scene.say("POST /members/a/inbox/extend", body).await
    };
    ClaimMsMax "release" at 1_000 is OVER, scene n => {
        let claim = briefly(scene, n).await;
        let body = json!({"claims": [claim], "delay_ms": n});
        scene.say("POST /members/a/inbox/release", body).await
    };
    // A quarter of the places is kept for what relieves the pool.
    CommandQueueMax "look" at 16 is (429, "busy"), scene n => scene.look_at_once(n - 4).await;
    SubscriptionsMax "stream" at 2 is BUSY, scene _n => scene.stream(OPERATOR).await;
    SubscriptionsMax "stream of a member" at 2 is BUSY, scene n => {
        let token = scene.join(&format!("m{n}"), json!({})).await;
        scene.stream(&token).await
    };
    SubscriptionsPerRunMax "stream" at 2 is BUSY, scene _n => {
        let token = scene.a.clone();
        scene.stream(&token).await
    };
    LongPollsMax "receive" at 2 is BUSY, scene n => {
        let run = format!("m{n}");
        let token = scene.join(&run, json!({})).await;
        let line = format!("POST /members/{run}/inbox/receive");
        scene.wait(&token, &line, json!({"wait_ms": 1_000})).await
    };
    LongPollsMax "events of an operator" at 2 is BUSY, scene _n => {
        scene.wait(OPERATOR, "GET /events?from=head&wait_ms=1000", Value::Null).await
    };
    LongPollsPerRunMax "receive" at 2 is BUSY, scene _n => {
        let token = scene.a.clone();
        let body = json!({"wait_ms": 1_000});
        scene.wait(&token, "POST /members/a/inbox/receive", body).await
    };
    LongPollsPerRunMax "events" at 2 is BUSY, scene _n => {
        let token = scene.a.clone();
        scene.wait(&token, "GET /events?from=head&wait_ms=1000", Value::Null).await
    };
    LongPollsPerRunMax "wake" at 2 is BUSY, scene n => {
        let token = scene.a.clone();
        let body = wake(n, &json!({"filter": "run == \"nobody\"", "wait_ms": 1_000}));
        scene.wait(&token, "POST /wakes", body).await
    };
    LongPollsPerRunMax "send" at 2 is BUSY, scene n => {
        let token = scene.a.clone();
        let key = format!("k{n}");
        let body = message(&json!({"wait_ms": 1_000, "idempotency_key": key}));
        scene.wait(&token, "POST /messages", body).await
    };
    BytesUnderWayMax "content" at 20_000 is OVER, scene n => {
        scene.put(usize::try_from(n).unwrap()).await
    };
    BytesUnderWayPerRunMax "content" at 20_000 is OVER, scene n => {
        scene.put(usize::try_from(n).unwrap()).await
    };
    UnnamedContentBytesPerRunMax "content" at 20_000 is OVER, scene n => {
        scene.put_briefly(usize::try_from(n).unwrap()).await
    };
    UnnamedContentBytesMax "content" at 20_000 is OVER, scene n => {
        scene.put_briefly(usize::try_from(n).unwrap()).await
    };
    NoteBytesMax "ack" at 10 is OVER, scene n => {
        let claim = scene.claim(&format!("k{n}")).await;
        let body = json!({"claims": [claim], "note": padded("", n)});
        scene.say("POST /members/a/inbox/ack", body).await
    };
    NoteBytesMax "end" at 10 is OVER, scene n => {
        let run = format!("m{n}");
        let token = scene.join(&run, json!({})).await;
        let body = json!({"state": "failed", "note": padded("", n)});
        scene.call(&token, &format!("POST /members/{run}/state"), body).await
    };
    LeaseMsMax "join" at 1_000 is OVER, scene n => {
        scene.ask_to_join(&format!("m{n}"), json!({"lease_ms": n})).await
    };
    LeaseMsMax "change" at 1_000 is OVER, scene n => {
        scene.say("PATCH /members/a", json!({"lease_ms": n})).await
    };
};

/// So many names.
fn names(prefix: &str, count: u64) -> Vec<String> {
    (1..=count)
        .map(|number| format!("{prefix}{number}"))
        .collect()
}

/// A text of so many bytes.
fn padded(start: &str, bytes: u64) -> String {
    let more = usize::try_from(bytes).unwrap() - start.len();
    format!("{start}{}", "x".repeat(more))
}

/// Some fields, and those that stand in for them.
fn with(mut fields: Value, more: &Value) -> Value {
    let more = more.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(more);
    fields
}

fn message(more: &Value) -> Value {
    with(
        json!({"to": to_run("a"), "body": "-", "idempotency_key": "k"}),
        more,
    )
}

fn wake(number: u64, more: &Value) -> Value {
    let never = r#"kind == "run_failed""#;
    with(
        json!({"filter": never, "idempotency_key": format!("w{number}")}),
        more,
    )
}

async fn get(scene: &mut LimitScene<'_>, path: &str) -> HttpReply {
    scene.say(&format!("GET {path}"), Value::Null).await
}

async fn receive(scene: &mut LimitScene<'_>, body: Value) -> HttpReply {
    scene.say("POST /members/a/inbox/receive", body).await
}

/// Claims one message for half a second.
async fn briefly(scene: &mut LimitScene<'_>, number: u64) -> Value {
    let more = json!({"idempotency_key": format!("k{number}")});
    scene.say("POST /messages", message(&more)).await.is(201);
    let taken = receive(scene, json!({"max": 1, "claim_ms": 500})).await;
    taken.is(200)["items"][0]["claim"].clone()
}

/// Joins these runs with a topic of their own, and sends one message to all of them.
async fn to_topic(scene: &mut LimitScene<'_>, number: u64, runs: &[String]) -> HttpReply {
    let topic = format!("t{number}");
    for run in runs {
        scene.join(run, json!({"topics": [topic]})).await;
    }
    let to =
        json!({"to": {"type": "topic", "topic_id": topic}, "body": "x", "idempotency_key": topic});
    scene.say("POST /messages", message(&to)).await
}

/// Reports one event with further fields.
async fn report(scene: &mut LimitScene<'_>, number: u64, more: Value) -> HttpReply {
    let event = with(json!({"kind": "tool_started"}), &more);
    let batch = json!({"idempotency_key": format!("k{number}"), "events": [event]});
    scene.say("POST /events", batch).await
}
