//! Nothing happens for who has no token: no pool is opened, nothing is recorded, nothing is kept.

use std::{path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use heronry_store::Store;
use heronry_testkit::{FaultStore, Faults, Faulty};
use heronry_wire::Prove;
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server};

/// A server on whose store one pool is open, and another one was left with work under way, so that
/// opening it records that it goes on.
struct StrangerScene {
    server: Server,
    faults: Faults,
    /// A token of a member of the pool that is open.
    member: String,
}

/// The visible traces of anything that was done.
#[derive(Debug, Eq, PartialEq)]
struct Trace {
    open_pools: u64,
    ownerships: u64,
    appends: u64,
    reads: u64,
    heads: Vec<Option<heronry_store::Head>>,
}

impl StrangerScene {
    async fn over(store: Store) -> Self {
        let Faulty { store, faults } = FaultStore::over(store);
        let first = Server::over(store);
        for pool in ["open", "cold"] {
            let path = format!("/v1/pools/{pool}");
            first
                .call(OPERATOR, &format!("PUT {path}"), json!({}))
                .await
                .is(201);
            let join = json!({"run_id": "a", "agent_id": "a", "lease_ms": 60_000});
            first
                .post(OPERATOR, &format!("{path}/members"), join)
                .await
                .is(201);
        }
        first.runtime.shutdown().await;
        let Faulty { store, faults } = faults.reopen().await.unwrap();
        let server = Server::over(store);
        let join = json!({"run_id": "b", "agent_id": "b"});
        let joined = server.post(OPERATOR, "/v1/pools/open/members", join).await;
        let member = joined.is(201)["member_token"].as_str().unwrap().to_owned();
        Self {
            server,
            faults,
            member,
        }
    }

    async fn trace(&self) -> Trace {
        let mut heads = Vec::new();
        for pool in ["open", "cold", "none"] {
            let pool = pool.parse().unwrap();
            heads.push(self.server.store.journal.head(&pool).await.unwrap());
        }
        Trace {
            open_pools: self.server.runtime.open_pools().await,
            ownerships: self.faults.ownerships(),
            appends: self.faults.appends(),
            reads: self.faults.reads(),
            heads,
        }
    }

    /// Tokens for a pool that nobody was given: another hash, another pool, run or generation.
    fn forged(&self, pool: &str) -> Vec<String> {
        let (_, mac) = self.member.rsplit_once('.').unwrap();
        let mut flipped = URL_SAFE_NO_PAD.decode(mac).unwrap();
        flipped[0] ^= 1;
        let macs = [
            mac.to_owned(),
            URL_SAFE_NO_PAD.encode(flipped),
            URL_SAFE_NO_PAD.encode([0; 32]),
        ];
        let mut tokens = Vec::new();
        for generation in [1_u64, 2, 3, 4, u64::MAX] {
            for run in ["a", "ghost"] {
                let clear =
                    format!(r#"{{"pool":"{pool}","run":"{run}","generation":{generation}}}"#);
                let clear = URL_SAFE_NO_PAD.encode(clear);
                tokens.extend(macs.iter().map(|mac| format!("hm1.{clear}.{mac}")));
            }
        }
        tokens
    }
}

fn routes(pool: &str) -> Vec<(String, Value)> {
    vec![
        (format!("GET /v1/pools/{pool}"), Value::Null),
        (
            format!("POST /v1/pools/{pool}/members/a/heartbeat"),
            Value::Null,
        ),
        (format!("POST /v1/pools/{pool}/messages"), json!({})),
        ("GET /v1/pools".to_owned(), Value::Null),
        ("POST /v1/filters/compile".to_owned(), json!({})),
    ]
}

async fn check_forged_tokens(scene: &StrangerScene) {
    let before = scene.trace().await;
    assert_eq!(before.open_pools, 1, "one pool is open");
    let mut answers = Vec::new();
    for pool in ["open", "cold", "none"] {
        for token in scene.forged(pool) {
            for (line, body) in routes(pool) {
                let reply = scene.server.call(&token, &line, body).await;
                reply.refused(401, "unauthorized");
                answers.push((reply.text, reply.headers));
            }
            let question = Prove::new([7; 32], "127.0.0.1:7171", &token);
            let question = serde_json::to_value(question).unwrap();
            scene.server.post("", "/v1/prove", question).await.is(200);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for every cause: {answers:?}");
    assert_eq!(scene.trace().await, before, "nothing was done");
}

fn memory() -> Store {
    Store::of(Arc::new(heronry_store_memory::MemoryStore::new()))
}

#[tokio::test]
async fn before_the_401_nothing_happens() {
    let scene = StrangerScene::over(memory()).await;
    check_forged_tokens(&scene).await;
    // The scene is one in which opening would show: who may open the pool has that recorded.
    let before = scene.trace().await;
    scene.server.get(OPERATOR, "/v1/pools/cold").await.is(200);
    let after = scene.trace().await;
    assert!(after.open_pools > before.open_pools, "{after:?}");
    assert!(after.ownerships > before.ownerships, "{after:?}");
    assert!(after.appends > before.appends, "{after:?}");
}

#[tokio::test]
async fn before_the_401_no_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store.redb");
    let adapter = heronry_store_redb::RedbStore::open_or_create(&file).unwrap();
    let scene = StrangerScene::over(Store::of(Arc::new(adapter))).await;
    let bytes = |file: &Path| std::fs::read(file).unwrap();
    let before = bytes(&file);
    check_forged_tokens(&scene).await;
    assert!(bytes(&file) == before, "the file of the store changed");
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "no other file was made");
}

#[tokio::test]
async fn a_forged_token_costs_the_memory_of_no_pool() {
    let scene = StrangerScene::over(memory()).await;
    let before = scene.server.runtime.open_pools().await;
    for number in 0..1_000 {
        let pool = format!("pool-{number}");
        let forged = scene.forged(&pool);
        let line = format!("GET /v1/pools/{pool}");
        let reply = scene.server.call(&forged[0], &line, Value::Null).await;
        reply.refused(401, "unauthorized");
    }
    assert_eq!(scene.server.runtime.open_pools().await, before);
}
