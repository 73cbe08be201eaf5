//! Pools: opening, showing, listing, settings.

use serde_json::{Value, json};

use heronry_tests::server::{OPERATOR, Server, on_every_store};

on_every_store! {
    p1_a_pool_is_created_once_and_opened_again
    p1_another_configuration_is_a_conflict_that_names_the_fields
    p1_settings_change_from_the_version_that_was_read
    a_limit_over_its_ceiling_or_without_an_effect_is_refused_by_name
    a_filter_longer_than_the_pool_takes_is_over_its_limit
    a_pool_that_is_not_there_is_not_found
}

async fn p1_a_pool_is_created_once_and_opened_again(server: Server) {
    let config = json!({"limits": {"members_max": 3}});
    let created = server
        .call(OPERATOR, "PUT /v1/pools/p", config.clone())
        .await
        .is(201);
    assert_eq!(created["head"], created["cursor"]);
    assert!(
        created["head"].as_str().unwrap().ends_with("-1"),
        "{created}"
    );
    assert!(
        created["floor"].as_str().unwrap().ends_with("-0"),
        "{created}"
    );
    assert_eq!(created["policies"], "self_asserted");
    assert_eq!(created["settings"], json!({"limits": {"members_max": 3}}));
    let opened = server
        .call(OPERATOR, "PUT /v1/pools/p", config)
        .await
        .is(200);
    assert_eq!(opened, created);
    let bare = server
        .call(OPERATOR, "PUT /v1/pools/p", Value::Null)
        .await
        .is(200);
    assert_eq!(bare, created, "absent fields are not compared");
    let mut shown = server.get(OPERATOR, "/v1/pools/p").await.is(200);
    shown["cursor"] = created["cursor"].clone();
    assert_eq!(shown, created);
    let list = server.get(OPERATOR, "/v1/pools").await.is(200);
    assert_eq!(list, json!({"pools": [{"pool": "p"}]}));
}

async fn p1_another_configuration_is_a_conflict_that_names_the_fields(server: Server) {
    server
        .open(json!({"wake_policy": {"payload": "refs"}}))
        .await;
    let head = server.head().await;
    let other = json!({"wake_policy": {"payload": "summary"}, "limits": {"policies_max": 1}});
    let problem = server
        .call(OPERATOR, "PUT /v1/pools/p", other)
        .await
        .refused(409, "config-conflict");
    assert_eq!(problem["fields"], json!(["wake_policy.payload", "limits"]));
    assert_eq!(server.head().await, head);
}

async fn p1_settings_change_from_the_version_that_was_read(server: Server) {
    server.open(json!({})).await;
    let patch = json!({"expected_version": 1, "limits": {"policies_max": 5}});
    let line = "PATCH /v1/pools/p/settings";
    let changed = server.call(OPERATOR, line, patch.clone()).await.is(200);
    assert_eq!(changed["settings_version"], 2);
    assert_eq!(changed["settings"]["limits"]["policies_max"], 5);
    assert!(changed["durability"].is_string());
    let stale = server
        .call(OPERATOR, line, patch)
        .await
        .refused(409, "settings-conflict");
    assert_eq!(stale["settings_version"], 2);
}

async fn a_limit_over_its_ceiling_or_without_an_effect_is_refused_by_name(server: Server) {
    let put = async |limits: Value| {
        let body = json!({"limits": limits});
        server.call(OPERATOR, "PUT /v1/pools/p", body).await
    };
    let over = put(json!({"filter_text_bytes_max": 16_385})).await;
    let over = over.refused(400, "limit-exceeded");
    assert_eq!(over["field"], "limits.filter_text_bytes_max");
    assert_eq!(
        (&over["limit"], &over["max"], &over["actual"]),
        (
            &json!("filter_text_bytes_max"),
            &json!(16_384),
            &json!(16_385)
        )
    );
    let under = put(json!({"command_queue_max": 15})).await;
    let under = under.refused(400, "limit-exceeded");
    assert_eq!(
        (&under["field"], &under["min"]),
        (&json!("limits.command_queue_max"), &json!(16))
    );
    let tags = put(json!({"tags_max": 257})).await;
    assert_eq!(
        tags.refused(400, "limit-exceeded")["field"],
        "limits.tags_max"
    );
    server
        .get(OPERATOR, "/v1/pools/p")
        .await
        .refused(404, "pool-not-found");

    put(json!({"filter_text_bytes_max": 16_384})).await.is(201);
    let head = server.head().await;
    for (limits, slug) in [
        (json!({"content_bytes_max": u64::MAX}), "limit-exceeded"),
        (json!({"tags_max": 257}), "limit-exceeded"),
    ] {
        let patch = json!({"expected_version": 1, "limits": limits});
        let reply = server.call(OPERATOR, "PATCH /v1/pools/p/settings", patch);
        reply.await.refused(400, slug);
    }
    assert_eq!(server.head().await, head);
}

async fn a_filter_longer_than_the_pool_takes_is_over_its_limit(server: Server) {
    let limits = json!({"limits": {"filter_text_bytes_max": 10}});
    server.open(limits).await;
    let a = server.join("a").await;
    for (filter, status) in [("terminal ", 9), ("terminal  ", 10), ("terminal   ", 11)]
        .map(|(filter, bytes)| (filter, if bytes > 10 { 400 } else { 201 }))
    {
        let key = format!("k{}", filter.len());
        let wake = json!({"filter": filter, "idempotency_key": key});
        let reply = server.post(&a, "/v1/pools/p/wakes", wake).await;
        let path = format!("/v1/pools/p/events?filter={}", filter.replace(' ', "%20"));
        let page = server.get(&a, &path).await;
        if status == 201 {
            reply.is(201);
            page.is(200);
            continue;
        }
        for reply in [reply, page] {
            let problem = reply.refused(400, "limit-exceeded");
            assert_eq!(
                (&problem["limit"], &problem["max"], &problem["actual"]),
                (&json!("filter_text_bytes_max"), &json!(10), &json!(11))
            );
        }
    }
}

async fn a_pool_that_is_not_there_is_not_found(server: Server) {
    for path in ["/v1/pools/p", "/v1/pools/p/members", "/v1/pools/p/events"] {
        server
            .get(OPERATOR, path)
            .await
            .refused(404, "pool-not-found");
    }
    let long = "x".repeat(513);
    let invalid = server.get(OPERATOR, &format!("/v1/pools/{long}")).await;
    assert_eq!(invalid.refused(400, "invalid-request")["field"], "pool");
    let control = server.get(OPERATOR, "/v1/pools/a%0Ab").await;
    assert_eq!(control.refused(400, "invalid-request")["field"], "pool");
    let encoded = json!({});
    server
        .call(OPERATOR, "PUT /v1/pools/a%2Fb%20c", encoded)
        .await
        .is(201);
    let list = server.get(OPERATOR, "/v1/pools").await.is(200);
    assert_eq!(list["pools"][0]["pool"], "a/b c");
}
