//! The spans of the use cases.

use heronry_api::inbox;
use heronry_tests::{canary, log::ThreadLog};
use serde_json::json;

use crate::scene::{Scene, request};

#[tokio::test]
async fn a_use_case_is_a_span_that_names_its_pool_and_run_and_never_a_body() {
    let scene = Scene::new().await;
    let log = ThreadLog::begin();
    scene.send("1", json!({})).await.unwrap();
    scene.receive(json!({"bodies": true})).await.unwrap();
    let b = scene.b().await;
    let unknown = request(json!({"claims": ["1@2"]}));
    inbox::ack(&b, "b".parse().unwrap(), unknown)
        .await
        .unwrap_err();
    let text = log.text();
    for span in [
        "send{pool=p}: heronry_api::message: new",
        "receive{pool=p run=b}: heronry_api::inbox: new",
        "ack{pool=p run=b}: heronry_api::inbox: new",
    ] {
        assert!(text.contains(span), "{span} in\n{text}");
    }
    canary::check_bytes("the log", text.as_bytes());
}
