//! A body that is damaged in the store: its item says so, and the others are handed over.

use std::{path::Path, sync::Arc};

use heronry_store::{Store, StoreError, StoreErrorKind};
use heronry_store_redb::RedbStore;
use heronry_store_sled::SledStore;
use heronry_testkit::flip_copies;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, to_run};

const MESSAGES: &str = "/v1/pools/p/messages";
const RECEIVE: &str = "/v1/pools/p/members/b/inbox/receive";
const DAMAGED: usize = 2;

/// Opens a store whose files another one may still be letting go of.
async fn reopened(open: impl Fn() -> Result<Store, StoreError>) -> Result<Store, StoreError> {
    for _ in 0..100_000 {
        match open() {
            Err(error) if error.kind() == StoreErrorKind::Locked => tokio::task::yield_now().await,
            opened => return opened,
        }
    }
    panic!("the store stays locked");
}

fn body(number: usize) -> String {
    let word = format!("the body of message {number} ");
    word.repeat(300)
}

/// Sends five messages, flips a bit in the body of the third, and has them received again and again:
/// so many bodies at least are to be whole. Returns false when the store tells the damage when it is
/// opened, and so takes no request.
async fn check(open: impl Fn() -> Result<Store, StoreError>, file: &Path, whole: usize) -> bool {
    let server = Server::over(open().unwrap());
    let (a, b) = server.with_pair().await;
    for number in 0..5 {
        let message =
            json!({"to": to_run("b"), "idempotency_key": number.to_string(), "body": body(number)});
        server.post(&a, MESSAGES, message).await.is(201);
    }
    // So that what was sent lies in a part of the store that opening does not read.
    for number in 0..12 {
        let large = "x".repeat(250_000 + number);
        let message =
            json!({"to": to_run("a"), "idempotency_key": format!("large-{number}"), "body": large});
        server.post(&a, MESSAGES, message).await.is(201);
    }
    server.runtime.shutdown().await;
    drop(server);
    drop(reopened(&open).await.unwrap());
    let stored = body(DAMAGED);
    let part = &stored.as_bytes()[stored.len() - 80..];
    assert!(flip_copies(file, part).unwrap() > 0);

    let opened = match reopened(&open).await {
        Ok(opened) => opened,
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
            return false;
        }
    };
    let server = Server::over(opened);
    for attempt in 1..=3 {
        let items = receive(&server, &b).await;
        for (number, item) in items.iter().enumerate() {
            assert_eq!(item["attempt"], json!(attempt), "{item}");
            check_item(&server, &b, (number, item)).await;
        }
        let others = items.iter().filter(|item| item["body"].is_string());
        assert!(others.count() >= whole, "{items:?}");
        let claims: Vec<_> = items.iter().map(|item| item["claim"].clone()).collect();
        let path = "/v1/pools/p/members/b/inbox/release";
        let release = json!({"claims": claims});
        server.post(&b, path, release).await.is(200);
    }
    let peeked = server
        .get(OPERATOR, "/v1/pools/p/members/b/inbox?max=5&bodies=true")
        .await
        .is(200);
    assert_eq!(peeked["items"][DAMAGED]["body_error"], "corrupt");
    true
}

async fn receive(server: &Server, token: &str) -> Vec<Value> {
    let ask = json!({"max": 5, "bodies": true});
    let page = server.post(token, RECEIVE, ask).await.is(200);
    let items = page["items"].as_array().unwrap().clone();
    assert_eq!(items.len(), 5, "{page}");
    items
}

/// Checks that an item has its body, or says that it is damaged, as asking for it by itself does.
async fn check_item(server: &Server, token: &str, (number, item): (usize, &Value)) {
    if item["body_error"] == Value::Null {
        assert_ne!(number, DAMAGED);
        assert_eq!(item["body"], json!(body(number)));
        return;
    }
    assert_eq!(item["body_error"], "corrupt");
    assert_eq!(item["body"], Value::Null);
    let content = item["content_ref"].as_str().unwrap();
    let path = format!("/v1/pools/p/contents/{content}");
    let problem = server.get(token, &path).await.refused(500, "internal");
    assert_eq!(problem["cause"], "corrupt", "{problem}");
}

#[tokio::test]
async fn on_redb_one_damaged_body_leaves_the_others_of_its_inbox_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.redb");
    let open = || RedbStore::open_or_create(&file).map(|store| Store::of(Arc::new(store)));
    assert!(check(open, &file, 4).await);
}

/// sled keeps several rows in one message of its log, and reads all of them or none. Where a body stands
/// is drawn anew with every store: in a part of the log that is read at an opening, the damage is told
/// then.
#[tokio::test]
async fn on_sled_one_damaged_body_leaves_its_inbox_alone() {
    for _ in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("store.sled");
        let open = || SledStore::open_or_create(&place).map(|store| Store::of(Arc::new(store)));
        if check(open, &place.join("db"), 0).await {
            return;
        }
    }
    panic!("every opening read the body");
}
