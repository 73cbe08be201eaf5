//! Sending, claiming and acknowledging.

use heronry_api::{Recording, inbox, message};
use heronry_types::ReceiptUntil;
use serde_json::json;

use crate::scene::{Scene, request};

#[tokio::test]
async fn a_message_is_sent_once_received_and_acknowledged() {
    let scene = Scene::new().await;
    let sent = scene.send("1", json!({})).await.unwrap();
    assert_eq!(sent.recording, Recording::Now);
    let again = scene.send("1", json!({})).await.unwrap();
    assert_eq!(again.recording, Recording::Before);
    assert_eq!(again.answer.cursor, sent.answer.cursor);
    let page = scene.receive(json!({"bodies": true})).await.unwrap();
    let [item] = page.items.as_slice() else {
        panic!("one copy, not {:?}", page.items.len());
    };
    assert_eq!(item.message_id, sent.answer.message_id);
    assert!(item.body.is_some(), "it was asked for");
    let ack = request(json!({"claims": [item.claim]}));
    let b = scene.b().await;
    inbox::ack(&b, "b".parse().unwrap(), ack).await.unwrap();
    let query = request(json!({}));
    let (a, id) = (scene.a().await, sent.answer.message_id);
    let receipt = message::receipt(&a, id, query).await.unwrap();
    assert!(receipt.has_reached(ReceiptUntil::Ended));
}

#[tokio::test]
async fn looking_claims_nothing_and_every_answer_tells_what_is_unread() {
    let scene = Scene::new().await;
    for under in ["1", "2"] {
        scene.send(under, json!({})).await.unwrap();
    }
    let b = scene.b().await;
    let run = "b".parse().unwrap();
    let found = inbox::peek(&b, run, request(json!({}))).await.unwrap();
    let page = found.into_page();
    assert_eq!(page.items.len(), 2);
    assert!(page.items.iter().all(|item| item.claim.is_none()));
    assert_eq!(b.identity().unread().await, Some(2));
    assert_eq!(scene.operator().await.identity().unread().await, None);
}
