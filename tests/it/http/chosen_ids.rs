//! Ids that no path can name: they are not chosen anew, and what a journal holds stays readable.

use heronry_tests::World;
use heronry_types::{PoolId, PoolSpec, RunId};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store, to_run};

on_every_store! {
    an_id_that_means_a_folder_is_refused_with_its_field
    a_journal_that_holds_such_an_id_still_opens_and_is_listed
}

async fn an_id_that_means_a_folder_is_refused_with_its_field(server: Server) {
    let (a, _) = server.with_pair().await;
    let head = server.head().await;
    for folder in [".", ".."] {
        let encoded = folder.replace('.', "%2E");
        let put = format!("PUT /v1/pools/{encoded}");
        let refused = server.call(OPERATOR, &put, Value::Null).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], "pool");
        let run = json!({"run_id": folder, "agent_id": "x"});
        let agent = json!({"run_id": "x", "agent_id": folder});
        let topics = json!({"run_id": "x", "agent_id": "x", "topics": ["t", folder]});
        let message = json!({"to": to_run("b"), "message_id": folder, "idempotency_key": "k"});
        let wake = json!({"filter": "true", "wake_id": folder, "idempotency_key": "k"});
        for (path, body, field) in [
            ("members", run, "run_id"),
            ("members", agent, "agent_id"),
            ("members", topics, "topics"),
            ("messages", message, "message_id"),
            ("wakes", wake, "wake_id"),
        ] {
            let token = if path == "members" { OPERATOR } else { &a };
            let path = format!("/v1/pools/p/{path}");
            let refused = server.post(token, &path, body).await;
            let problem = refused.refused(400, "invalid-request");
            assert_eq!(problem["field"], field, "{problem}");
            let why = format!("{folder:?} cannot stand in a path; choose another id");
            assert!(
                problem["detail"].as_str().unwrap().ends_with(&why),
                "{problem}"
            );
        }
        let line = "PATCH /v1/pools/p/members/a";
        let refused = server.call(&a, line, json!({"topics": [folder]})).await;
        assert_eq!(refused.refused(400, "invalid-request")["field"], "topics");
    }
    assert_eq!(server.head().await, head);
}

async fn a_journal_that_holds_such_an_id_still_opens_and_is_listed(server: Server) {
    let id = PoolId::parse("..").unwrap();
    let pool = server
        .runtime
        .open(&id, PoolSpec::default())
        .await
        .unwrap()
        .pool;
    let mut join = World::joining("x");
    join.run = RunId::parse(".").unwrap();
    pool.call(join).await.unwrap();
    drop(pool);
    server.runtime.shutdown().await;
    let again = Server::over(server.store.clone());
    let list = again.get(OPERATOR, "/v1/pools").await.is(200);
    assert_eq!(list, json!({"pools": [{"pool": ".."}]}));
    let members = again
        .get(OPERATOR, "/v1/pools/%2E%2E/members")
        .await
        .is(200);
    assert_eq!(members["members"][0]["run_id"], ".");
}
