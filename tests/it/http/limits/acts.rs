//! Limits that end something where they refuse nothing.

use futures::{FutureExt, future::LocalBoxFuture};
use heronry_pool::{Caller, Rejection, decide::IntendEffect};
use heronry_types::{LimitName, RunId};
use serde_json::{Value, json};

use super::scene::LimitScene;
use heronry_tests::server::to_run;

/// A limit that nobody can ask too much of.
pub(super) struct Act {
    pub(super) limit: LimitName,
    /// The unit of the limit in the test: its value is a multiple of this number.
    pub(super) unit: u64,
    /// Checks that it ends what it ends at its value, and not before.
    pub(super) check: for<'a> fn(&'a mut LimitScene<'_>, u64) -> LocalBoxFuture<'a, ()>,
}

pub(super) const ACTS: &[Act] = &[
    Act {
        limit: LimitName::AttemptsMax,
        unit: 1,
        check: |scene, attempts| attempts_end_in_a_dead_letter(scene, attempts).boxed_local(),
    },
    Act {
        limit: LimitName::LostKeepMsMax,
        unit: 500,
        check: |scene, span| a_lost_member_leaves(scene, span).boxed_local(),
    },
    Act {
        limit: LimitName::UnnamedContentKeepMsMax,
        unit: 500,
        check: |scene, span| a_body_expires_that_no_message_names(scene, span).boxed_local(),
    },
    Act {
        limit: LimitName::PendingEffectsPerRunMax,
        unit: 1,
        check: |scene, pending| effects_end_before_more_are_intended(scene, pending).boxed_local(),
    },
];

async fn attempts_end_in_a_dead_letter(scene: &mut LimitScene<'_>, attempts: u64) {
    let message = json!({"to": to_run("a"), "body": "-", "idempotency_key": "k"});
    let sent = scene.say("POST /messages", message).await.is(201);
    for attempt in 1..=attempts {
        let dead = scene.say("GET /dead-letters", Value::Null).await.is(200);
        assert_eq!(dead["dead_letters"], json!([]), "before attempt {attempt}");
        let taken = receive(scene).await;
        assert_eq!(taken["items"][0]["attempt"], attempt);
        scene.pass(1_000).await;
    }
    assert_eq!(receive(scene).await["items"], json!([]));
    let dead = scene.say("GET /dead-letters", Value::Null).await.is(200);
    let letters = dead["dead_letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["cursor"], sent["cursor"]);
    assert_eq!(letters[0]["attempt"], attempts);
}

async fn receive(scene: &mut LimitScene<'_>) -> Value {
    let body = json!({"max": 1, "claim_ms": 1_000});
    let taken = scene.say("POST /members/a/inbox/receive", body).await;
    taken.is(200)
}

async fn a_lost_member_leaves(scene: &mut LimitScene<'_>, span: u64) {
    scene.join("b", json!({"lease_ms": 1_000})).await;
    scene.pass(1_000).await;
    let is_member = |members: &Value| {
        let members = members["members"].as_array().unwrap();
        members.iter().any(|member| member["run_id"] == "b")
    };
    let lost = scene.order("GET /members", Value::Null).await.is(200);
    assert!(is_member(&lost), "it is lost, and keeps its place");
    scene.pass(span - 1).await;
    let kept = scene.order("GET /members", Value::Null).await.is(200);
    assert!(is_member(&kept), "not before {span} ms");
    scene.pass(1).await;
    let left = scene.order("GET /members", Value::Null).await.is(200);
    assert!(!is_member(&left), "at {span} ms");
}

async fn a_body_expires_that_no_message_names(scene: &mut LimitScene<'_>, span: u64) {
    let stored = scene.put(10).await.is(201);
    let content_ref = stored["content_ref"].as_str().unwrap();
    let line = format!("GET /contents/{content_ref}");
    scene.pass(span - 1).await;
    let kept = scene.order(&line, Value::Null).await;
    assert_eq!(kept.status.as_u16(), 200, "not before {span} ms");
    scene.pass(1).await;
    let erased = scene.order(&line, Value::Null).await;
    erased.refused(410, "content-erased");
}

/// Effects are intended from Rust alone: no request does so.
async fn effects_end_before_more_are_intended(scene: &mut LimitScene<'_>, pending: u64) {
    let run = RunId::parse("a").unwrap();
    let intend = || IntendEffect::new(Caller::Operator, run.clone(), "one".to_owned(), None);
    for _ in 0..pending {
        scene.pool.call(intend()).await.unwrap();
    }
    let before = scene.state().await;
    let refused = scene.pool.call(intend()).await.unwrap_err();
    let Some(Rejection::Limit(exceeded)) = refused.rejection() else {
        panic!("{refused:?}");
    };
    assert_eq!(exceeded.limit, LimitName::PendingEffectsPerRunMax);
    assert_eq!((exceeded.max, exceeded.actual), (pending, pending + 1));
    assert_eq!(scene.state().await, before, "a refusal changes nothing");
    let listed = scene.say("GET /effects", Value::Null).await.is(200);
    assert_eq!(listed["effects"].as_array().unwrap().len() as u64, pending);
}
