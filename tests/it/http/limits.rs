//! Every limit by its name: one below it, at it, and one above it.
//!
//! A limit that has no row here fails [`every_limit_has_its_row`].

mod acts;
mod rows;
mod scene;

use std::collections::BTreeSet;

use heronry_types::{LimitName, Vocabulary};
use serde_json::json;

use heronry_tests::server::{Server, on_every_store};

use acts::ACTS;
use rows::ROWS;
use scene::LimitScene;

on_every_store! {
    l_each_limit_is_refused_by_name_one_above_it_and_never_before
    l_what_a_limit_ends_ends_at_it_and_not_before
}

#[test]
fn every_limit_has_its_row() {
    let refusing = ROWS.iter().map(|row| row.limit);
    let tried: BTreeSet<LimitName> = refusing.chain(ACTS.iter().map(|act| act.limit)).collect();
    let all = LimitName::ALL.iter().copied();
    let missing: Vec<_> = all.filter(|limit| !tried.contains(limit)).collect();
    assert!(missing.is_empty(), "nothing here reaches {missing:?}");
}

async fn l_each_limit_is_refused_by_name_one_above_it_and_never_before(server: Server) {
    for (number, row) in ROWS.iter().enumerate() {
        let mut scene =
            LimitScene::open(&server, &format!("p{number}"), (row.limit, row.max)).await;
        let what = format!("{} {}", row.limit, row.what);
        for within in [row.max - 1, row.max] {
            let reply = (row.ask)(&mut scene, within).await;
            assert!(reply.status.is_success(), "{what} {within}: {}", reply.text);
        }
        let reply = (row.ask)(&mut scene, row.max + 1).await;
        let (status, slug) = row.refusal;
        let refused = reply.refused(status, slug);
        assert_eq!(refused["limit"], json!(row.limit.to_string()), "{what}");
        assert_eq!(refused["max"], json!(row.max), "{what}");
        if let Some(actual) = refused.get("actual") {
            assert_eq!(*actual, json!(row.max + 1), "{what}");
        }
        assert_eq!(
            scene.state().await,
            scene.before,
            "{what}: a refusal changes nothing"
        );
    }
}

async fn l_what_a_limit_ends_ends_at_it_and_not_before(server: Server) {
    for (number, act) in ACTS.iter().enumerate() {
        for (number, max) in [2, 3, 4].into_iter().map(|max| (number * 10 + max, max)) {
            let limit = (act.limit, max as u64 * act.unit);
            let mut scene = LimitScene::open(&server, &format!("q{number}"), limit).await;
            (act.check)(&mut scene, max as u64 * act.unit).await;
        }
    }
}
