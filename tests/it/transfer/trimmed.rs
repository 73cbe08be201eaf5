//! Pools whose journal was trimmed: they go along with the keys of what is gone.

use std::{io, sync::Arc};

use async_trait::async_trait;
use heronry_journal::Baseline;
use heronry_pool::{Rejection, decide::SendRequest};
use heronry_runtime::{Holding, OpenError, Pool, Runtime, RuntimeOptions, TrimTo};
use heronry_store::{
    ContentsLayer, CursorsLayer, CustodyLayer, JournalLayer, KeyHash, KeyName, KeysLayer,
    LEASE_TERM, Layer, Layered, LeasesLayer, ProjectionsLayer, SnapshotsLayer, Store, StoreError,
};
use heronry_testkit::sample;
use heronry_tests::{StoreKind, World, body, key, message, pool, run};
use heronry_transfer::{self as transfer, Bodies, Export, Pools, RestoredTimeline, TransferError};
use heronry_types::{Address, PoolId, Position};
use serde_json::Value;

use crate::{
    between_every_two_stores,
    story::{Left, carrier, check_empty, route, story},
};

between_every_two_stores! {
    o23_a_backup_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone
    s8_a_copy_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone
    s8_a_moved_trimmed_pool_answers_for_the_keys_of_what_is_gone
    s8_an_import_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone
    o18_a_trimmed_pool_without_its_keys_is_not_opened_and_a_copy_of_it_goes_on
}

/// Lets the story happen, and trims pool `p` behind the message that was finished.
async fn trimmed_story(world: &World) -> Left {
    let left = story(world).await;
    let p = world.runtime.find(&pool("p")).await.unwrap();
    let upto = TrimTo::Upto(p.cursor(Position(15)));
    let trimmed = p.trim(upto, Holding::Overridden).await.unwrap();
    assert!(trimmed.floor.position > Position(10), "{trimmed:?}");
    check_keys(world, &p, &left).await;
    check_live_bodies(&p, &left).await;
    drop(p);
    world.runtime.shutdown().await;
    left
}

/// Returns the request that the story sent under an id, with this text.
fn said(id: &str, text: &str) -> SendRequest {
    let to = Address::Run {
        run_id: run("scout"),
    };
    let mut request = SendRequest::new(to, body(text), key(id));
    request.message_id = Some(message(id));
    request
}

/// Checks that the key of a trimmed message is not free, and that one of a kept message repeats.
async fn check_keys(world: &World, p: &Pool, left: &Left) {
    let repeat = world.send(p, &left.lead, said("said-0", "said-0"));
    let refusal = world.refused(p, repeat).await;
    let is_trimmed = matches!(refusal, Rejection::CursorTrimmed { .. });
    assert!(is_trimmed, "{refusal:?}");
    let other = world.send(p, &left.lead, said("said-0", "something else"));
    let refusal = world.refused(p, other).await;
    let is_conflict = matches!(refusal, Rejection::IdempotencyConflict { .. });
    assert!(is_conflict, "{refusal:?}");
    let live = world.send(p, &left.lead, said("said-5", "said-5")).await;
    assert!(live.unwrap().repeated);
}

/// Checks that every body is there, but for the one of the finished message, which nobody reads any more.
async fn check_live_bodies(p: &Pool, left: &Left) {
    for (content_ref, body) in &left.bodies[1..] {
        let found = p.body(left.lead.clone(), *content_ref).await.unwrap();
        assert_eq!(&found.body, body);
    }
}

/// Checks that pool `p` is at its new place with its baseline, its bodies and its keys, also when it is
/// opened another time.
async fn check_arrived(from: &World, to: World, left: &Left) {
    let name = pool("p");
    let [before, after] = [from, &to].map(|world| world.store().journal.baseline(&name));
    assert_eq!(before.await.unwrap(), after.await.unwrap());
    let mut world = to;
    for _ in 0..2 {
        let p = world.runtime.find(&name).await.unwrap();
        check_keys(&world, &p, left).await;
        check_live_bodies(&p, left).await;
        drop(p);
        world = world.restart().await;
    }
}

async fn o23_a_backup_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone(
    from: World,
    to: World,
) {
    let left = trimmed_story(&from).await;
    let by = carrier(&to, 77);
    let backup = transfer::back_up(from.store(), to.store(), &by);
    assert_eq!(backup.await.unwrap().len(), 2);
    let third = World::new(StoreKind::Memory).await;
    let by = carrier(&third, 78);
    let new = RestoredTimeline::New;
    let restored = transfer::restore(to.store(), third.store(), &by, new).await;
    restored.unwrap();
    check_arrived(&from, third, &left).await;
    check_arrived(&from, to, &left).await;
}

async fn s8_a_copy_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone(from: World, to: World) {
    let left = trimmed_story(&from).await;
    let by = carrier(&to, 77);
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    assert_eq!(copied.unwrap().len(), 2);
    check_arrived(&from, to, &left).await;
}

async fn s8_a_moved_trimmed_pool_answers_for_the_keys_of_what_is_gone(from: World, to: World) {
    let left = trimmed_story(&from).await;
    let by = carrier(&to, 77);
    for _ in 0..2 {
        let moved = transfer::move_all(from.store(), to.store(), &route(), &by).await;
        assert_eq!(moved.unwrap().len(), 2);
    }
    check_arrived(&from, to, &left).await;
}

async fn s8_an_import_of_a_trimmed_pool_answers_for_the_keys_of_what_is_gone(
    from: World,
    to: World,
) {
    let left = trimmed_story(&from).await;
    let lines = whole(from.store()).await;
    let by = carrier(&to, 77);
    // Keys of an attempt that came to nothing are not taken for its keys.
    let cut = transfer::receive(to.store(), || Ok(io::Cursor::new(&lines[1..])), &by).await;
    assert!(matches!(cut, Err(TransferError::Line { .. })), "{cut:?}");
    let imported = transfer::import(to.store(), || Ok(io::Cursor::new(&lines)), &by).await;
    assert_eq!(imported.unwrap().len(), 1);
    check_arrived(&from, to, &left).await;
}

async fn o18_a_trimmed_pool_without_its_keys_is_not_opened_and_a_copy_of_it_goes_on(
    from: World,
    to: World,
) {
    let left = trimmed_story(&from).await;
    let name = pool("p");
    from.store().keys.clear(&name).await.unwrap();
    let refused = from.runtime.find(&name).await.unwrap_err();
    let OpenError::KeysLost { floor } = refused else {
        panic!("{refused}");
    };
    let head = from.store().journal.head(&name).await.unwrap();
    assert_eq!(head.map(|head| head.floor), Some(floor));
    let by = carrier(&to, 77);
    // No other way carries it: who makes backups would not notice, and lose the last one that has the keys.
    let mut ends = vec![
        transfer::back_up(from.store(), to.store(), &by)
            .await
            .map(drop),
    ];
    ends.push(Export::open_whole(from.store(), &name).await.map(drop));
    for end in ends {
        let error = end.unwrap_err();
        assert!(matches!(error, TransferError::KeysLost { .. }), "{error}");
    }
    check_empty(to.store()).await;
    let copied = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    copied.unwrap();
    let p = to.runtime.find(&name).await.unwrap();
    let anew = to.send(&p, &left.lead, said("said-0", "said-0")).await;
    assert!(!anew.unwrap().repeated, "the key is free");
}

/// A store that has nothing for the records that it dropped, as that of an earlier build.
struct Baseless(Store);

impl Layer for Baseless {
    fn inner(&self) -> &Store {
        &self.0
    }
}

#[async_trait]
impl JournalLayer for Baseless {
    async fn baseline(&self, _: &PoolId) -> Result<Option<Baseline>, StoreError> {
        Ok(None)
    }
}

impl CustodyLayer for Baseless {}
impl ContentsLayer for Baseless {}
impl LeasesLayer for Baseless {}
impl KeysLayer for Baseless {}
impl SnapshotsLayer for Baseless {}
impl CursorsLayer for Baseless {}
impl ProjectionsLayer for Baseless {}

#[tokio::test]
async fn a_trimmed_pool_with_nothing_in_place_of_what_went_is_neither_opened_nor_carried() {
    let from = World::new(StoreKind::Memory).await;
    trimmed_story(&from).await;
    let name = pool("p");
    let head = from.store().journal.head(&name).await.unwrap().unwrap();
    let store = Store::of(Arc::new(Layered(Baseless(from.store().clone()))));
    let to = World::new(StoreKind::Memory).await;
    let by = carrier(&to, 77);
    let copied = transfer::copy(&store, to.store(), &Pools::All, &by).await;
    let error = copied.unwrap_err();
    let TransferError::Trimmed { pool, floor } = error else {
        panic!("{error}");
    };
    assert_eq!((pool, floor), (name.clone(), head.floor));
    check_empty(to.store()).await;
    // No snapshot may stand in for the baseline.
    let owned = store
        .leases
        .acquire(&name, "a test", sample::time(0), LEASE_TERM);
    let token = owned.await.unwrap();
    store.snapshots.delete(&name, token).await.unwrap();
    store.leases.release(&name, token).await.unwrap();
    let runtime = Runtime::new(store, RuntimeOptions::new([7; 32], "a test"));
    let refused = runtime.find(&name).await.unwrap_err();
    let is_trimmed = matches!(refused, OpenError::Trimmed { floor } if floor == head.floor);
    assert!(is_trimmed, "{refused}");
}

/// Returns the lines of pool `p` as a server sends them for a backup.
async fn whole(store: &Store) -> Vec<u8> {
    let mut export = Export::open_whole(store, &pool("p")).await.unwrap();
    let mut lines = Vec::new();
    while let Some(more) = export.next().await.unwrap() {
        lines.extend(more);
    }
    lines
}

#[tokio::test]
async fn keys_of_an_arrival_that_came_to_nothing_are_gone_when_the_pool_arrives() {
    let from = World::new(StoreKind::Memory).await;
    trimmed_story(&from).await;
    let to = World::new(StoreKind::Memory).await;
    let by = carrier(&to, 77);
    to.faults
        .fail_next_append(heronry_testkit::AppendFault::Conflict);
    let failed = transfer::copy(from.store(), to.store(), &Pools::All, &by).await;
    failed.unwrap_err();
    let left_behind = to.store().keys.list(&pool("p"), None, 9).await.unwrap();
    assert!(!left_behind.is_empty());
    // A pool of the same name begins: what was trimmed of the first one is not its past.
    let name = KeyName::Key(key("said-0"));
    let said_0 = KeyHash::new(&run("lead"), &name);
    let p = to.pool().await;
    let found = to.store().keys.find(p.id(), &[said_0]).await.unwrap();
    assert_eq!(found, [None]);
    let lead = to.join(&p, "lead").await;
    to.join(&p, "scout").await;
    let said = to.send(&p, &lead, said("said-0", "another")).await;
    assert!(!said.unwrap().repeated, "it was never sent here");
}

#[tokio::test]
async fn o18_lines_of_keys_that_are_damaged_missing_or_out_of_place_are_refused() {
    let from = World::new(StoreKind::Memory).await;
    trimmed_story(&from).await;
    let lines = String::from_utf8(whole(from.store()).await).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let at = lines.iter().position(|line| line.starts_with(r#"{"keys""#));
    let at = at.expect("there are keys");
    let mut flipped: Value = serde_json::from_str(lines[at]).unwrap();
    let text = flipped["keys"]["keys_base64"].as_str().unwrap();
    let first = if text.starts_with('A') { "B" } else { "A" };
    let text = format!("{first}{}", &text[1..]);
    flipped["keys"]["keys_base64"] = text.into();
    let flipped = flipped.to_string();
    let without: Vec<&str> = [&lines[..at], &lines[at + 1..]].concat();
    let doubled = [&lines[..=at], &lines[at..]].concat();
    let damaged = [&lines[..at], &[flipped.as_str()], &lines[at + 1..]].concat();
    let early = [&lines[at..=at], &lines[..at], &lines[at + 1..]].concat();
    let last = lines.len() - 1;
    let late = [&without[..last - 1], &lines[at..=at], &lines[last..]].concat();
    for (changed, why) in [
        (without, "not all there"),
        (doubled, "not all there"),
        (damaged, "digest"),
        (early, "right behind a baseline"),
        (late, "right behind a baseline"),
    ] {
        let text = changed.join("\n") + "\n";
        let to = World::new(StoreKind::Memory).await;
        let by = carrier(&to, 78);
        let refused = transfer::import(to.store(), || Ok(io::Cursor::new(&text)), &by).await;
        let error = refused.unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
        check_empty(to.store()).await;
        assert_eq!(to.faults.appends(), 0, "{why}: nothing was written");
        let verified = transfer::verify(io::Cursor::new(&text)).unwrap_err();
        assert_eq!(verified.to_string(), error.to_string());
    }
}

#[tokio::test]
async fn keys_go_along_without_bodies() {
    let from = World::new(StoreKind::Memory).await;
    trimmed_story(&from).await;
    let mut lines = Vec::new();
    let one = Pools::One(pool("p"));
    let exported = transfer::export(from.store(), &one, Bodies::LeftOut, &mut lines).await;
    exported.unwrap();
    assert!(String::from_utf8(lines).unwrap().contains(r#"{"keys""#));
}
