//! Listing members, page by page.

use serde_json::json;

use crate::support::{OPERATOR, Server, on_every_store};

on_every_store! {
    members_are_listed_page_by_page_in_order_of_their_runs
    a_page_of_members_has_a_limit_and_any_start
}

const MEMBERS: &str = "/v1/pools/p/members";

async fn page(server: &Server, token: &str, query: &str) -> (Vec<String>, Option<String>) {
    let page = server
        .get(token, &format!("{MEMBERS}{query}"))
        .await
        .is(200);
    assert!(page["as_of"].is_string(), "{page}");
    let runs = page["members"].as_array().unwrap().iter();
    let runs = runs.map(|member| member["run_id"].as_str().unwrap().to_owned());
    let next = page
        .get("next")
        .map(|next| next.as_str().unwrap().to_owned());
    (runs.collect(), next)
}

async fn members_are_listed_page_by_page_in_order_of_their_runs(server: Server) {
    server.open(json!({})).await;
    for run in ["e", "a", "c/1", "b", "d"] {
        server.join(run).await;
    }
    let b = server.join("b2").await;
    let all = ["a", "b", "b2", "c/1", "d", "e"];
    assert_eq!(
        page(&server, OPERATOR, "").await,
        (all.map(str::to_owned).to_vec(), None)
    );
    for limit in 1..=7 {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let (runs, next) = page(&server, &b, &format!("?limit={limit}{after}")).await;
            assert!(runs.len() <= limit);
            found.extend(runs);
            let Some(next) = next else { break };
            assert_eq!(found.last(), Some(&next));
            after = format!("&after={}", next.replace('/', "%2F"));
        }
        assert_eq!(found, all, "pages of {limit}");
    }
}

async fn a_page_of_members_has_a_limit_and_any_start(server: Server) {
    server.open(json!({"limits": {"page_items_max": 2}})).await;
    for run in ["a", "c", "e"] {
        server.join(run).await;
    }
    let runs = |runs: &[&str]| runs.iter().map(|run| (*run).to_owned()).collect::<Vec<_>>();
    let first = page(&server, OPERATOR, "").await;
    assert_eq!(first, (runs(&["a", "c"]), Some("c".to_owned())));
    // Who left since is a start as good as any.
    assert_eq!(
        page(&server, OPERATOR, "?after=b").await.0,
        runs(&["c", "e"])
    );
    assert_eq!(
        page(&server, OPERATOR, "?after=e").await,
        (Vec::new(), None)
    );
    let over = server.get(OPERATOR, &format!("{MEMBERS}?limit=3")).await;
    let over = over.refused(400, "limit-exceeded");
    assert_eq!(
        (&over["limit"], &over["max"], &over["actual"]),
        (&json!("page_items_max"), &json!(2), &json!(3))
    );
    let none = server.get(OPERATOR, &format!("{MEMBERS}?limit=0")).await;
    assert_eq!(none.refused(400, "invalid-request")["field"], "limit");
}
