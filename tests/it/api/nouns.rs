//! Members, contents, effects, dead letters, pools and streams.

use heronry_api::{
    Recording,
    content::{self, UploadRequest},
    dead, effect,
    event::{self, EventWatch, WatchItem},
    filter, member, pool,
};
use heronry_event::StreamItem;
use heronry_tests::canary::said;
use heronry_types::{Cursor, IdempotencyKey, RunState};
use heronry_wire::ProblemKind;
use serde_json::json;

use crate::scene::{Scene, request};

#[tokio::test]
async fn a_body_is_stored_once_under_its_key_fetched_and_erased() {
    let scene = Scene::new().await;
    let a = scene.a().await;
    let bytes = said("a body").into_bytes();
    let store = async || {
        let upload = UploadRequest {
            media_type: Some("text/plain".to_owned()),
            key: IdempotencyKey::parse("k").ok(),
            run: None,
        };
        let upload = upload.admit(&a).await.unwrap();
        assert!(upload.bytes_max() > 0);
        upload.store(bytes.clone()).await.unwrap()
    };
    let stored = store().await;
    assert_eq!(stored.recording, Recording::Now);
    let again = store().await;
    assert_eq!(again.recording, Recording::Before);
    let content_ref = stored.answer.content_ref;
    assert_eq!(again.answer.content_ref, content_ref);
    let operator = scene.operator().await;
    let fetched = content::fetch(&operator, content_ref).await.unwrap();
    assert_eq!(fetched.bytes.as_ref(), bytes.as_slice());
    let refusal = content::fetch(&scene.b().await, content_ref).await;
    assert_eq!(refusal.unwrap_err().kind(), ProblemKind::ContentMissing);
    let erased = content::erase(&a, content_ref).await.unwrap();
    assert_eq!(erased.size_bytes, bytes.len() as u64);
    let refusal = content::fetch(&operator, content_ref).await;
    assert_eq!(refusal.unwrap_err().kind(), ProblemKind::ContentErased);
}

#[tokio::test]
async fn a_member_says_how_it_stands_and_leaves() {
    let scene = Scene::new().await;
    let (b, run) = (scene.b().await, || "b".parse().unwrap());
    member::heartbeat(&b, run()).await.unwrap();
    let no_end = request(json!({"state": "suspended"}));
    let refusal = member::set_state(&b, run(), no_end).await.unwrap_err();
    assert_eq!(refusal.kind(), ProblemKind::InvalidRequest);
    let suspended = request(json!({"state": "suspended", "forever": true}));
    let stood = member::set_state(&b, run(), suspended).await.unwrap();
    assert_eq!(stood.state, RunState::Suspended);
    let list = member::list(&scene.a().await, request(json!({}))).await;
    let states: Vec<_> = list.unwrap().members.iter().map(|it| it.state).collect();
    assert_eq!(states, [RunState::Active, RunState::Suspended]);
    member::leave(&b, run()).await.unwrap();
    let refusal = member::heartbeat(&b, run()).await.unwrap_err();
    assert_eq!(refusal.kind(), ProblemKind::NotAMember);
    assert_eq!(b.identity().unread().await, Some(0));
}

#[tokio::test]
async fn what_is_not_there_is_neither_resolved_nor_replayed() {
    let scene = Scene::new().await;
    let operator = scene.operator().await;
    let head: Cursor = pool::show(&operator).await.unwrap().head;
    let done = request(json!({"outcome": "succeeded"}));
    let refusal = effect::resolve(&operator, head, done).await.unwrap_err();
    assert_eq!(refusal.kind(), ProblemKind::EffectNotFound);
    let replayed = dead::replay(&operator, "b".parse().unwrap(), head).await;
    assert_eq!(
        replayed.unwrap_err().kind(),
        ProblemKind::DeadLetterNotFound
    );
    let b = scene.b().await;
    let letters = dead::list(&b, request(json!({}))).await.unwrap();
    assert!(letters.dead_letters.is_empty());
    let effects = effect::list(&b, request(json!({}))).await.unwrap();
    assert!(effects.effects.is_empty());
}

#[tokio::test]
async fn a_member_sees_its_own_pool_and_has_a_filter_checked() {
    let scene = Scene::new().await;
    let b = scene.b().await;
    let list = pool::list(&scene.api, b.identity()).await.unwrap();
    let pools: Vec<_> = list.pools.iter().map(|it| it.pool.as_str()).collect();
    assert_eq!(pools, ["p"]);
    let body = request(json!({"filter": "kind == \"run_failed\""}));
    let compiled = filter::compile(&scene.api, b.identity(), &body).await;
    assert!(!compiled.unwrap().normal_form.is_empty());
}

/// Reads a stream to its end, and stops the process at the first event.
async fn read_to_end(scene: &Scene, watch: &mut EventWatch) -> Vec<&'static str> {
    let mut names = Vec::new();
    while let Some(said) = watch.next().await {
        if let WatchItem::Items(items) = said {
            names.extend(items.iter().map(StreamItem::name));
        }
        if names.len() == 2 {
            scene.api.stop().stop();
        }
    }
    names
}

#[tokio::test]
async fn a_stream_replays_follows_and_ends_with_the_switch() {
    let scene = Scene::new().await;
    let query = request(json!({"filter": "kind == \"run_message_accepted\""}));
    let mut watch = event::watch(scene.b().await, &query, None).await.unwrap();
    assert_eq!(scene.api.streams().total(), 1);
    let sent = async { scene.send("1", json!({})).await.unwrap() };
    let (names, _) = tokio::join!(read_to_end(&scene, &mut watch), sent);
    assert_eq!(names, ["caught_up", "run_message_accepted", "closed"]);
    drop(watch);
    assert_eq!(scene.api.streams().total(), 0);
}
