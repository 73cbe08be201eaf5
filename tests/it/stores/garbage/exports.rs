//! Garbage for import: what is read has every hash of the export, or nothing is written.

use std::{io, sync::Arc};

use heronry_store::Store;
use heronry_testkit::{ManualClock, SeededIds};
use heronry_tests::{StoreKind, World, pool};
use heronry_transfer::{self as transfer, Bodies, Carrier, Pools};
use heronry_types::Position;
use proptest::test_runner::TestRunner;

use heronry_tests::garbage::garbage;
use heronry_tests::{store_folder::StoreFolder, tries::cases};

fn carrier() -> Carrier {
    Carrier {
        clock: Arc::new(ManualClock::default()),
        ids: Arc::new(SeededIds::new(3)),
        owner: "a test that carries".to_owned(),
    }
}

async fn hashes(store: &Store) -> Vec<String> {
    let pool = pool("p");
    let page = store.journal.read(&pool, Position::ZERO, usize::MAX).await;
    let chunks = page.unwrap().chunks;
    chunks
        .iter()
        .map(|chunk| chunk.hash().to_string())
        .collect()
}

#[tokio::test]
async fn a_spoilt_export_is_refused_whole_or_has_every_hash() {
    let world = World::new(StoreKind::Memory).await;
    let p = world.pool().await;
    let lead = world.join(&p, "lead").await;
    world.join(&p, "scout").await;
    world.say(&p, &lead, ("scout", "m")).await;
    world.runtime.shutdown().await;
    let mut lines = Vec::new();
    let export = transfer::export(world.store(), &Pools::All, Bodies::Included, &mut lines);
    export.await.unwrap();
    let known = hashes(world.store()).await;
    let lines = String::from_utf8(lines).unwrap();
    let read = TestRunner::new(cases(150)).run(&garbage(&[lines]), |lines| {
        futures::executor::block_on(check(&lines, &known));
        Ok(())
    });
    read.unwrap();
}

#[tokio::test]
async fn what_a_refusal_repeats_of_an_export_is_one_line() {
    let world = World::new(StoreKind::Memory).await;
    world.pool().await;
    world.runtime.shutdown().await;
    let mut lines = Vec::new();
    let export = transfer::export(world.store(), &Pools::All, Bodies::Included, &mut lines);
    export.await.unwrap();
    let lines = String::from_utf8(lines).unwrap();
    let spoilt = lines.replace("in_scope", r"in\n_scope\u001b");
    assert_ne!(spoilt, lines);
    let store = StoreFolder::new(StoreKind::Memory).open().unwrap();
    let spoilt = || Ok(io::Cursor::new(spoilt.as_bytes()));
    let refused = transfer::import(&store, spoilt, &carrier()).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains(r"in\n_scope\u{1b}"), "{text}");
}

/// Imports lines: all of it is there, or nothing.
async fn check(lines: &str, known: &[String]) {
    let store = StoreFolder::new(StoreKind::Memory).open().unwrap();
    match transfer::import(&store, || Ok(io::Cursor::new(lines.as_bytes())), &carrier()).await {
        Ok(pools) if pools.is_empty() => {}
        Ok(_) => {
            // What follows the imported chunks is the start of a new timeline.
            let found = hashes(&store).await;
            assert!(found.starts_with(known), "another journal was believed");
        }
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            assert_eq!(store.journal.pools().await.unwrap(), []);
        }
    }
}
