//! Bodies that were erased: a copy, a move and an import carry what is left of them.

use std::{io, path::Path};

use heronry_pool::{
    Caller, Rejection,
    decide::{SendRequest, StateDigest},
};
use heronry_runtime::{BodyError, CallError, Pool};
use heronry_store::Tombstone;
use heronry_tests::{World, canary, key, pool, run};
use heronry_transfer::{self as transfer, Bodies, Pools};
use heronry_types::{Address, Body, ContentRef, Millis};

use crate::{
    between_every_two_stores,
    story::{carrier, route},
};

between_every_two_stores! {
    what_is_left_of_erased_bodies_is_copied
    what_is_left_of_erased_bodies_is_moved
    what_is_left_of_erased_bodies_is_exported_and_imported
    a_body_that_no_message_names_is_copied_and_expires_there
    a_body_that_no_message_names_is_exported_and_imported_and_expires_there
}

/// Returns the text of an erased body, which is larger than a fragment of a store.
fn secret() -> String {
    "the heron waits at dawn ".repeat(1_000)
}

const KEPT: &str = "the heron is fed at noon";

struct LeftBodies {
    lead: Caller,
    kept: ContentRef,
    erased: Vec<(ContentRef, Tombstone)>,
}

/// A pool with a body that stays, one that rode and one by itself that were erased.
async fn story(world: &World) -> LeftBodies {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "child").await;
    let say = async |name: &str, text: &str| {
        let request = World::to_run("child", name, text);
        world.send(&pool, &lead, request).await.unwrap().receipt
    };
    let riding = say("k1", &secret()).await.content_ref;
    let kept = say("k2", KEPT).await.content_ref;
    let alone = pool.store_body(lead.clone(), Body::text(secret())).await;
    let alone = alone.unwrap().content_ref;
    let content = pool.stored(lead.clone(), alone).await.unwrap();
    let to = Address::Run {
        run_id: run("child"),
    };
    let request = SendRequest::new(to, content, key("k3"));
    world.send(&pool, &lead, request).await.unwrap();
    let mut erased = Vec::new();
    for content_ref in [riding, alone] {
        let left = pool.erase_body(lead.clone(), content_ref).await.unwrap();
        erased.push((content_ref, left));
    }
    world.check_replay(&pool).await;
    world.runtime.shutdown().await;
    LeftBodies { lead, kept, erased }
}

async fn check(world: &World, left: &LeftBodies) {
    let p: Pool = world.runtime.find(&pool("p")).await.unwrap();
    for (content_ref, tombstone) in &left.erased {
        let error = p.body(left.lead.clone(), *content_ref).await.unwrap_err();
        let BodyError::Call(CallError::Rejected(rejection)) = error else {
            panic!("refused otherwise: {error:?}");
        };
        let erased_at = tombstone.erased_at;
        assert_eq!(rejection, Rejection::ContentErased { erased_at });
        let again = p.erase_body(Caller::Operator, *content_ref).await.unwrap();
        assert_eq!(&again, tombstone);
    }
    let kept = p.body(left.lead.clone(), left.kept).await.unwrap();
    assert_eq!(&*kept.body.bytes, canary::said(KEPT).as_bytes());
    world.check_replay(&p).await;
}

/// Checks that no file of a store has the erased body.
async fn check_files(world: World) {
    world.runtime.shutdown().await;
    if let Some(place) = world.file() {
        let place = place.as_path();
        assert!(holds(place, KEPT) && !holds(place, &secret()[..24]));
    }
}

/// Returns true when a file, or one below a directory, has these bytes.
fn holds(place: &Path, text: &str) -> bool {
    if place.is_dir() {
        let mut below = std::fs::read_dir(place).unwrap();
        return below.any(|entry| holds(&entry.unwrap().path(), text));
    }
    let bytes = std::fs::read(place).unwrap();
    bytes.windows(text.len()).any(|it| it == text.as_bytes())
}

async fn what_is_left_of_erased_bodies_is_copied(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    assert_eq!(copied.unwrap()[0].contents, 3);
    check(&to, &left).await;
    check_files(to).await;
}

async fn what_is_left_of_erased_bodies_is_moved(from: World, to: World) {
    let left = story(&from).await;
    let by = carrier(&to, 77);
    let moved = transfer::move_all(from.store(), to.store(), &route(), &by).await;
    assert_eq!(moved.unwrap()[0].contents, 3);
    check(&to, &left).await;
    check_files(to).await;
}

async fn what_is_left_of_erased_bodies_is_exported_and_imported(from: World, to: World) {
    let left = story(&from).await;
    let mut lines = Vec::new();
    let exported = transfer::export(from.store(), &Pools::All, Bodies::Included, &mut lines);
    assert_eq!(exported.await.unwrap()[0].contents, 3);
    let text = String::from_utf8(lines.clone()).unwrap();
    let contents = text
        .lines()
        .filter(|line| line.starts_with(r#"{"content""#));
    let contents: Vec<&str> = contents.collect();
    assert_eq!(contents.len(), 3);
    let erased = contents.iter().filter(|line| line.contains("erased"));
    assert_eq!(erased.count(), 2);
    let kept = contents.iter().filter(|line| line.contains("body_base64"));
    assert_eq!(kept.count(), 1);
    let by = carrier(&to, 78);
    let imported = transfer::import(to.store(), || Ok(io::Cursor::new(&lines)), &by).await;
    assert_eq!(imported.unwrap()[0].contents, 3);
    check(&to, &left).await;
    check_files(to).await;
}

/// A pool with a body that no message names.
async fn unnamed(world: &World) -> ContentRef {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let stored = pool.store_body(lead, Body::text(secret())).await.unwrap();
    world.check_replay(&pool).await;
    world.runtime.shutdown().await;
    stored.content_ref
}

/// Checks that the body is kept for the rest of its time, and not longer.
async fn check_unnamed(world: &World, content_ref: ContentRef) {
    let p: Pool = world.runtime.find(&pool("p")).await.unwrap();
    let read = || p.body(Caller::Operator, content_ref);
    assert_eq!(read().await.unwrap().body, Body::text(secret()));
    world.clock.advance(Millis(24 * 3_600_000));
    p.call(StateDigest).await.unwrap();
    let error = read().await.unwrap_err();
    assert!(error.to_string().contains("was erased"), "{error}");
    world.check_replay(&p).await;
}

async fn a_body_that_no_message_names_is_copied_and_expires_there(from: World, to: World) {
    let content_ref = unnamed(&from).await;
    let by = carrier(&to, 77);
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    assert_eq!(copied.unwrap()[0].contents, 1);
    check_unnamed(&to, content_ref).await;
}

async fn a_body_that_no_message_names_is_exported_and_imported_and_expires_there(
    from: World,
    to: World,
) {
    let content_ref = unnamed(&from).await;
    let mut lines = Vec::new();
    let exported = transfer::export(from.store(), &Pools::All, Bodies::Included, &mut lines);
    assert_eq!(exported.await.unwrap()[0].contents, 1);
    let by = carrier(&to, 78);
    let imported = transfer::import(to.store(), || Ok(io::Cursor::new(&lines)), &by).await;
    assert_eq!(imported.unwrap()[0].contents, 1);
    check_unnamed(&to, content_ref).await;
}
