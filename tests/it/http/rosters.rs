//! The roster over HTTP: whoever sees the pool sees who should run, how they stand, and the modules.

use heronry_pool::decide::{
    OnHeld, SetModuleStanding, SetStandings, SpecifiedMember, SpecifyMembers, StandingOf,
    TakeSteward,
};
use heronry_runtime::Pool;
use heronry_tests::server::{OPERATOR, Server, on_every_store};
use heronry_types::{
    Digest, Labels, MemberStanding, ModuleStanding, PoolSpec, RosterLayer, StewardToken,
};
use serde_json::{Value, json};

on_every_store! {
    u1_the_roster_is_shown_in_pages_with_its_steward
    u1_modules_are_listed_in_pages
    u1_a_pool_that_nobody_keeps_has_an_empty_roster
}

const ROSTER: &str = "/v1/pools/p/roster";
const MODULES: &str = "/v1/pools/p/modules";

async fn pool(server: &Server) -> Pool {
    let id = "p".parse().unwrap();
    let opened = server.runtime.open(&id, PoolSpec::default()).await;
    opened.unwrap().pool
}

async fn take(pool: &Pool) -> StewardToken {
    let take = TakeSteward {
        instance: "host".parse().unwrap(),
        owner: pool.owner().0,
        on_held: OnHeld::Refuse,
    };
    pool.call(take).await.unwrap().token
}

async fn specify(pool: &Pool, steward: StewardToken, runs: &[&str]) {
    let mut labels = Labels::new();
    labels.add("tier", "2").unwrap();
    let specified = runs.iter().map(|run| SpecifiedMember {
        run: run.parse().unwrap(),
        digest: Some(Digest([7; 32])),
        labels: labels.clone(),
        layer: RosterLayer::Declared,
        why: None,
    });
    let specified = specified.collect();
    let specify = SpecifyMembers { steward, specified };
    pool.call(specify).await.unwrap();
}

fn runs(page: &Value) -> Vec<&str> {
    let members = page["members"].as_array().unwrap().iter();
    members.map(|it| it["run_id"].as_str().unwrap()).collect()
}

async fn u1_the_roster_is_shown_in_pages_with_its_steward(server: Server) {
    let (a, _) = server.with_pair().await;
    let pool = pool(&server).await;
    let steward = take(&pool).await;
    specify(&pool, steward, &["a", "c", "sleeper"]).await;
    let standing = StandingOf {
        run: "a".parse().unwrap(),
        standing: MemberStanding::Broken,
        why: Some("5 restarts".to_owned()),
    };
    let standings = vec![standing];
    pool.call(SetStandings { steward, standings })
        .await
        .unwrap();
    for token in [OPERATOR, &a] {
        let page = server.get(token, ROSTER).await.is(200);
        assert_eq!(runs(&page), ["a", "c", "sleeper"]);
        assert_eq!(page["steward"]["instance"], "host");
        assert_eq!(page["steward"]["token"], steward.0.0);
        assert_eq!(
            (&page["revision"], &page["next"]),
            (&json!(0), &Value::Null)
        );
        let member = &page["members"][0];
        assert_eq!(member["standing"], "broken");
        assert_eq!(member["why"], "5 restarts");
        assert_eq!(member["labels"], json!({"tier": "2"}));
        assert_eq!(member["stands_in"], member["generation"]);
        assert_eq!(page["members"][1]["standing"], Value::Null);
        let first = server
            .get(token, &format!("{ROSTER}?limit=2"))
            .await
            .is(200);
        assert_eq!(
            (runs(&first), &first["next"]),
            (vec!["a", "c"], &json!("c"))
        );
        let next = format!("{ROSTER}?limit=2&after=c");
        let next = server.get(token, &next).await.is(200);
        assert_eq!(
            (runs(&next), &next["next"]),
            (vec!["sleeper"], &Value::Null)
        );
    }
    let refused = server.get(OPERATOR, &format!("{ROSTER}?limit=0")).await;
    assert_eq!(refused.refused(400, "invalid-request")["field"], "limit");
    let refused = server.get(OPERATOR, &format!("{ROSTER}?limit=1001")).await;
    refused.refused(400, "limit-exceeded");
    let members = server.get(OPERATOR, "/v1/pools/p/members").await.is(200);
    assert_eq!(members["members"][0]["standing"], "broken");
    assert_eq!(members["members"][1]["standing"], Value::Null);
    // A wait can tell how a member stands by its event.
    let filter = "kind%3D%3D%22member_standing%22";
    let events = format!("/v1/pools/p/events?filter={filter}");
    let events = server.get(OPERATOR, &events).await.is(200);
    let event = &events["events"][0];
    assert_eq!(event["correlation"]["standing"], "broken");
    assert_eq!(event["subject"]["id"], "a");
}

async fn u1_modules_are_listed_in_pages(server: Server) {
    let (a, _) = server.with_pair().await;
    let pool = pool(&server).await;
    let steward = take(&pool).await;
    for (module, standing) in [
        ("index", ModuleStanding::Healthy),
        ("mirror", ModuleStanding::Failed),
    ] {
        let set = SetModuleStanding {
            steward,
            module: module.parse().unwrap(),
            standing,
            why: None,
        };
        pool.call(set).await.unwrap();
    }
    let first = server.get(&a, &format!("{MODULES}?limit=1")).await.is(200);
    assert_eq!(first["modules"][0]["module"], "index");
    assert_eq!(first["modules"][0]["standing"], "healthy");
    assert_eq!(first["next"], "index");
    let next = server.get(&a, &format!("{MODULES}?after=index")).await;
    let next = next.is(200);
    assert_eq!(next["modules"][0]["module"], "mirror");
    assert_eq!(next["modules"].as_array().unwrap().len(), 1);
    assert_eq!(next["next"], Value::Null);
}

async fn u1_a_pool_that_nobody_keeps_has_an_empty_roster(server: Server) {
    server.with_pair().await;
    let page = server.get(OPERATOR, ROSTER).await.is(200);
    assert_eq!(page["steward"], Value::Null);
    assert_eq!(
        (&page["revision"], &page["layers"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(page["members"], json!([]));
    let modules = server.get(OPERATOR, MODULES).await.is(200);
    assert_eq!(modules["modules"], json!([]));
}
