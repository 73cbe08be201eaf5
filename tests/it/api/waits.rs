//! Calls that wait.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use heronry_api::{BeforeWaiting, inbox};
use heronry_types::{Millis, ReceiptUntil};
use heronry_wire::ProblemKind;
use serde_json::json;

use crate::scene::{Scene, request};

const WAIT: Millis = Millis(1_000);

#[tokio::test]
async fn a_receive_waits_for_a_first_copy_and_no_longer_than_it_was_told() {
    let scene = Scene::new().await;
    let ask = || scene.receive(json!({"wait_ms": WAIT.0}));
    let goes_by = async {
        scene.waits_for(WAIT).await;
        scene.clock.advance(WAIT);
    };
    let (page, ()) = tokio::join!(ask(), goes_by);
    assert!(page.unwrap().items.is_empty());
    let sent = async {
        scene.waits_for(WAIT).await;
        scene.send("1", json!({})).await.unwrap();
    };
    let (page, ()) = tokio::join!(ask(), sent);
    assert_eq!(page.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_send_that_waits_answers_with_the_end_of_its_message() {
    let scene = Scene::new().await;
    let send = scene.send("1", json!({"wait_ms": WAIT.0}));
    let worked = async {
        let page = scene.receive(json!({"wait_ms": WAIT.0})).await.unwrap();
        let ack = request(json!({"claims": [page.items[0].claim]}));
        let b = scene.b().await;
        inbox::ack(&b, "b".parse().unwrap(), ack).await.unwrap();
    };
    let (over, ()) = tokio::join!(send, worked);
    assert!(over.unwrap().answer.has_reached(ReceiptUntil::Ended));
}

#[tokio::test]
async fn the_switch_ends_a_wait_and_refuses_the_next() {
    let scene = Scene::new().await;
    let ask = || scene.receive(json!({"wait_ms": WAIT.0}));
    let stop = async {
        scene.waits_for(WAIT).await;
        scene.api.stop().stop();
    };
    let (ended, ()) = tokio::join!(ask(), stop);
    assert_eq!(ended.unwrap_err().kind(), ProblemKind::ShuttingDown);
    let refusal = ask().await.unwrap_err();
    assert_eq!(refusal.kind(), ProblemKind::ShuttingDown);
}

/// The number of times that a request gave back what it held.
#[derive(Debug, Default)]
struct Releases(AtomicU64);

impl BeforeWaiting for Releases {
    fn release(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn what_a_surface_holds_for_a_request_is_given_back_before_it_waits() {
    let scene = Scene::new().await;
    scene.send("1", json!({})).await.unwrap();
    let releases = Arc::new(Releases::default());
    let door = scene.b().await;
    let door = door.with_before_waiting(Arc::clone(&releases) as _);
    let wait = request(json!({"wait_ms": WAIT.0}));
    let received = inbox::receive(&door, "b".parse().unwrap(), wait).await;
    assert_eq!(received.unwrap().into_page().items.len(), 1);
    assert_eq!(releases.0.load(Ordering::Relaxed), 1);
}
