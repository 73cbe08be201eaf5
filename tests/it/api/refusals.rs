//! Refusals: who may not, what cannot be read, and what the rules say no to.

use heronry_api::{Access, Key, Refusal, inbox, member, message, pool};
use heronry_types::{Millis, PoolId};
use heronry_wire::ProblemKind;
use serde_json::{Value, json};

use crate::scene::{Scene, key, request, to_b};

/// Checks the kind of a refusal and the field that it names.
#[track_caller]
fn check<T>(found: Result<T, Refusal>, kind: ProblemKind, field: Option<&str>) -> Refusal {
    let Err(refusal) = found else {
        panic!("not refused");
    };
    let problem = refusal.problem();
    assert_eq!(
        (refusal.kind(), problem.text("field")),
        (kind, field),
        "{problem:?}"
    );
    assert_eq!(problem.kind(), Some(kind));
    refusal
}

#[tokio::test]
async fn a_token_opens_the_doors_that_it_is_for() {
    let scene = Scene::new().await;
    for shown in [None, Some(""), Some("operator"), Some("hm1.e30.e30")] {
        check(
            scene.api.identify(shown).await,
            ProblemKind::Unauthorized,
            None,
        );
    }
    let token = scene.token_of_a();
    let altered = format!("{}A", &token[..token.len() - 1]);
    if altered != token {
        check(
            scene.api.identify(Some(&altered)).await,
            ProblemKind::Unauthorized,
            None,
        );
    }
    let member = scene.api.identify(Some(token)).await.unwrap();
    let other = "q".parse().unwrap();
    let opened = Access::open(&scene.api, &member, &other).await;
    check(opened, ProblemKind::PoolNotFound, None);
}

#[tokio::test]
async fn what_is_an_operators_is_refused_to_a_member() {
    let scene = Scene::new().await;
    let a = scene.a().await;
    let only = ProblemKind::OperatorOnly;
    let join = request(json!({"run_id": "c", "agent_id": "c"}));
    check(member::join(&a, join).await, only, None);
    let settings = request(json!({"expected_version": 0}));
    check(pool::configure(&a, settings).await, only, None);
    let id: PoolId = "p".parse().unwrap();
    let exported = pool::export(
        &scene.api,
        a.identity(),
        &id,
        heronry_wire::ExportQuery::default(),
    );
    check(exported.await.map(drop), only, None);
    let opened = pool::open(&scene.api, a.identity(), id, request(json!({})));
    check(opened.await, only, None);
}

#[tokio::test]
async fn a_member_acts_as_its_own_run_alone_and_an_operator_names_one() {
    let scene = Scene::new().await;
    let (a, operator) = (scene.a().await, scene.operator().await);
    let receive = inbox::receive(&a, "b".parse().unwrap(), request(json!({})));
    check(receive.await, ProblemKind::SenderMismatch, None);
    let sent = message::send(&a, request(to_b(json!({"from": "b"}))), key("1"));
    check(sent.await, ProblemKind::SenderMismatch, None);
    let sent = message::send(&operator, request(to_b(json!({}))), key("1"));
    check(sent.await, ProblemKind::InvalidRequest, Some("from"));
    let named = request(to_b(json!({"from": "a"})));
    message::send(&operator, named, key("1")).await.unwrap();
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_names_its_field() {
    let scene = Scene::new().await;
    let a = scene.a().await;
    let invalid = ProblemKind::InvalidRequest;
    let send = async |more: Value| message::send(&a, request(to_b(more)), key("1")).await;
    let neither = send(json!({"body": null})).await;
    let refusal = check(neither, invalid, Some("body"));
    let fields = json!(["body", "body_base64", "content_ref"]);
    assert_eq!(refusal.problem().members["fields"], fields);
    check(
        send(json!({"body_base64": "AA=="})).await,
        invalid,
        Some("body_base64"),
    );
    check(
        send(json!({"media_type": "text"})).await,
        invalid,
        Some("media_type"),
    );
    let twice = json!({"expires_in_ms": 1, "expires_at": "2027-01-01T00:00:00Z"});
    check(send(twice).await, invalid, Some("expires_in_ms"));
    check(
        send(json!({"idempotency_key": "2"})).await,
        invalid,
        Some("idempotency_key"),
    );
    let none = message::send(&a, request(to_b(json!({}))), Key::default()).await;
    check(none, invalid, Some("idempotency_key"));
    let long = check(
        send(json!({"wait_ms": 86_400_000})).await,
        ProblemKind::LimitExceeded,
        None,
    );
    assert_eq!(long.problem().text("limit"), Some("long_poll_ms_max"));
    assert!(
        scene.receive(json!({})).await.unwrap().items.is_empty(),
        "nothing was sent"
    );
}

#[tokio::test]
async fn a_rejection_is_the_refusal_with_its_members() {
    let scene = Scene::new().await;
    let first = scene.send("1", json!({})).await.unwrap();
    let other = scene.send("1", json!({"body": "something else"})).await;
    let conflict = check(
        other,
        ProblemKind::IdempotencyConflict,
        Some("idempotency_key"),
    );
    let cursor = conflict.problem().cursor("first_cursor");
    assert_eq!(cursor, Some(first.answer.cursor));
    let page = scene.receive(json!({"claim_ms": 1_000})).await.unwrap();
    scene.clock.advance(Millis(1_001));
    let claim = page.items[0].claim.clone().unwrap();
    let ack = request(json!({"claims": [claim]}));
    let acked = inbox::ack(&scene.b().await, "b".parse().unwrap(), ack).await;
    let lapsed = check(acked, ProblemKind::ClaimLapsed, None);
    assert_eq!(lapsed.problem().members["claims"], json!([claim.0]));
}
