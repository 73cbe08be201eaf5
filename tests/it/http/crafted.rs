//! Pools that were made up so that their tokens look like those of another pool.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    a_token_of_a_pool_with_the_epoch_run_and_generation_of_another_is_nobody_there
}

/// Opens a pool with one member, and returns its epoch, and the member's generation and token.
async fn pool_with_a_member(server: &Server, pool: &str) -> (Value, Value, String) {
    let line = format!("PUT /v1/pools/{pool}");
    let opened = server.call(OPERATOR, &line, json!({})).await.is(201);
    let members = format!("/v1/pools/{pool}/members");
    let join = json!({"run_id": "a", "agent_id": "a"});
    let joined = server.post(OPERATOR, &members, join).await.is(201);
    let token = joined["member_token"].as_str().unwrap().to_owned();
    (opened["epoch"].clone(), joined["generation"].clone(), token)
}

/// Returns a token with another pool in its clear part, and the hash as it was.
fn renamed(token: &str, pool: &str) -> String {
    let [form, clear, mac] = *token.split('.').collect::<Vec<_>>() else {
        panic!("no member token: {token}");
    };
    let clear = String::from_utf8(URL_SAFE_NO_PAD.decode(clear).unwrap()).unwrap();
    let (_, rest) = clear.split_once(r#"","run""#).unwrap();
    let clear = format!(r#"{{"pool":"{pool}","run"{rest}"#);
    format!("{form}.{}.{mac}", URL_SAFE_NO_PAD.encode(clear))
}

async fn a_token_of_a_pool_with_the_epoch_run_and_generation_of_another_is_nobody_there(
    server: Server,
) {
    // Two stores under one key draw the same ids, as who crafts an export chooses them.
    let crafted = Server::on_memory();
    let (epoch, generation, victim) = pool_with_a_member(&server, "p").await;
    let (same_epoch, same_generation, forger) = pool_with_a_member(&crafted, "c").await;
    assert_eq!((&epoch, &generation), (&same_epoch, &same_generation));

    let as_victim = renamed(&forger, "p");
    assert_eq!(as_victim.split('.').nth(1), victim.split('.').nth(1));
    for (there, token, good, pool) in [
        (&server, as_victim, &victim, "p"),
        (&crafted, renamed(&victim, "c"), &forger, "c"),
    ] {
        let path = format!("/v1/pools/{pool}");
        there.get(&token, &path).await.refused(401, "unauthorized");
        there.get(good, &path).await.is(200);
        let path = format!("{path}/members/a/inbox/receive");
        let refused = there.post(&token, &path, json!({})).await;
        refused.refused(401, "unauthorized");
    }
}
