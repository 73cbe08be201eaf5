//! A45: records of every schema are read from every store; those of the future are refused.

use std::sync::Arc;

use heronry_journal::{Chunk, ChunkHash, ChunkWriter};
use heronry_runtime::{OpenError, Runtime, RuntimeOptions};
use heronry_store::{Commit, Guard, Head, Store, StoreErrorKind, Timeline};
use heronry_testkit::{ManualClock, SeededIds, sample};
use heronry_tests::{Golden, StoreKind, pool};
use heronry_types::{PoolSpec, Position};
use serde_json::Value;

use heronry_tests::store_folder::StoreFolder;

/// Appends to pool `p`, as whoever owns it.
async fn append(store: &Store, commit: Commit) -> Head {
    let pool = pool("p");
    let token = store
        .leases
        .seize(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await;
    let head = store.journal.head(&pool).await.unwrap();
    let guard = Guard {
        expected_head: head.map_or(Position::ZERO, |head| head.head),
        token: token.unwrap(),
    };
    let head = store.journal.append(&pool, commit, guard).await.unwrap();
    store.leases.release(&pool, guard.token).await.unwrap();
    head
}

fn runtime(store: &Store) -> Runtime {
    let (clock, ids) = (ManualClock::default(), SeededIds::new(45));
    let options = RuntimeOptions::new([7; 32], "tests").with_clock(Arc::new(clock));
    Runtime::new(store.clone(), options.with_ids(Arc::new(ids)))
}

/// A chunk whose record was written by a newer build: only number and version can be read.
fn from_the_future(head: Head, record: &[u8]) -> Commit {
    let mut writer = ChunkWriter::new(head.epoch, head.head, head.last_hash, sample::time(9));
    writer.push_bytes(record).unwrap();
    Commit {
        chunks: writer.finish(),
        ..Commit::default()
    }
}

/// Records of a kind that is unknown, and of a version that is unknown.
const RECORDS: [&[u8]; 2] = [&[0x89, 0x18, 99, 0x01, 0x60], &[0x89, 0x01, 0x17, 0x60]];

async fn chunks(store: &Store) -> Vec<Arc<[u8]>> {
    let pool = pool("p");
    let page = store.journal.read(&pool, Position::ZERO, usize::MAX).await;
    let page = page.unwrap();
    page.chunks
        .iter()
        .map(|chunk| Arc::clone(chunk.bytes()))
        .collect()
}

async fn a45_a_record_from_the_future_is_refused_and_nothing_is_appended(kind: StoreKind) {
    for record in RECORDS {
        let place = StoreFolder::new(kind);
        let store = place.open().unwrap();
        let engine = runtime(&store);
        engine.open(&pool("p"), PoolSpec::default()).await.unwrap();
        engine.shutdown().await;
        let head = store.journal.head(&pool("p")).await.unwrap().unwrap();
        let head = append(&store, from_the_future(head, record)).await;
        let head = append(&store, sample::commit(Some(head), 1)).await;
        let before = chunks(&store).await;
        let opened = runtime(&store).open(&pool("p"), PoolSpec::default()).await;
        let at = head.head.previous();
        let is_newer = match opened.map(drop) {
            Err(OpenError::Newer { at: found, .. }) => found == at,
            Err(OpenError::Store(error)) => error.kind() == StoreErrorKind::NewerSchema,
            other => panic!("{other:?}"),
        };
        assert!(is_newer);
        assert_eq!(store.journal.head(&pool("p")).await.unwrap(), Some(head));
        assert_eq!(chunks(&store).await, before);
    }
}

/// A durable store whose last record is from the future is not opened, and not touched.
async fn a45_a_store_that_a_newer_build_wrote_to_last_is_refused_and_not_written(kind: StoreKind) {
    for record in RECORDS {
        let place = StoreFolder::new(kind);
        let store = place.open().unwrap();
        let head = append(&store, sample::commit(None, 2)).await;
        append(&store, from_the_future(head, record)).await;
        drop(store);
        let before = place.image();
        for _ in 0..2 {
            let error = place.open().unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::NewerSchema, "{error}");
            assert!(error.to_string().contains('3'), "{error}");
            let mut changed = place.image().changed(&before);
            // sled writes snapshots of its index when it opens, and nothing to its log.
            changed.retain(|name| !name.starts_with("store.sled/snap."));
            assert_eq!(changed, [""; 0], "bytes were written");
        }
    }
}

/// The name of a golden file, the raw bytes of its only record, and its JSON.
type GoldenRecord = (String, Vec<u8>, Value);

/// The golden files of records.
pub(crate) fn golden() -> Vec<GoldenRecord> {
    let mut found = Vec::new();
    for golden in Golden::records() {
        // One record: 84 bytes of header, and its checksum.
        let record = golden.bytes[88..].to_vec();
        found.push((golden.name, record, golden.json["records"][0].clone()));
    }
    found.sort_by_key(|(name, ..)| name.clone());
    found
}

async fn a45_every_golden_record_is_read_back_from_the_store(kind: StoreKind) {
    let is_start = |(name, ..): &GoldenRecord| name.contains("epoch-started");
    let (starts, others): (Vec<_>, Vec<_>) = golden().into_iter().partition(is_start);
    assert!(others.len() >= 20, "{}", others.len());
    assert!(!starts.is_empty());
    // A timeline is started once in a journal.
    for start in starts {
        let mut golden = others.clone();
        golden.push(start);
        check_read_back(kind, golden).await;
    }
}

async fn check_read_back(kind: StoreKind, golden: Vec<GoldenRecord>) {
    let place = StoreFolder::new(kind);
    let mut store = place.open().unwrap();
    let mut head: Option<Head> = None;
    let left = golden.last().unwrap().2["body"]["previous"]
        .as_str()
        .unwrap();
    let started = golden.last().unwrap().2["body"]["epoch"].as_str().unwrap();
    for (name, record, _) in &golden {
        let start = ChunkHash::START;
        let (at, hash) = head.map_or((Position::ZERO, start), |it| (it.head, it.last_hash));
        let starts = name.contains("epoch-started");
        let epoch = if starts { started } else { left };
        let mut writer = ChunkWriter::new(epoch.parse().unwrap(), at, hash, sample::time(1));
        writer.push_bytes(record).unwrap();
        let commit = Commit {
            chunks: writer.finish(),
            timeline: if starts {
                Timeline::Starts
            } else {
                Timeline::Continues
            },
            ..Commit::default()
        };
        head = Some(append(&store, commit).await);
    }
    if kind != StoreKind::Memory {
        drop(store);
        store = place.open().unwrap();
    }
    let read = chunks(&store).await;
    assert_eq!(read.len(), golden.len());
    for (bytes, (name, _, expected)) in read.into_iter().zip(golden) {
        let chunk = Chunk::decode(bytes).unwrap();
        let record = chunk.records().next().unwrap().unwrap();
        let found = serde_json::to_value(&record).unwrap();
        for part in [
            "kind",
            "number",
            "version",
            "lineage",
            "actor",
            "visibility",
            "body",
        ] {
            assert_eq!(found[part], expected[part], "{name}: {part}");
        }
    }
}

macro_rules! on_every_kind {
    ($($module:ident $kind:ident: $($name:ident)*;)*) => {$(
        mod $module {
            $(#[tokio::test] async fn $name() {
                super::$name(super::StoreKind::$kind).await;
            })*
        }
    )*};
}

on_every_kind! {
    memory Memory:
        a45_a_record_from_the_future_is_refused_and_nothing_is_appended
        a45_every_golden_record_is_read_back_from_the_store;
    redb Redb:
        a45_a_record_from_the_future_is_refused_and_nothing_is_appended
        a45_a_store_that_a_newer_build_wrote_to_last_is_refused_and_not_written
        a45_every_golden_record_is_read_back_from_the_store;
    sled Sled:
        a45_a_record_from_the_future_is_refused_and_nothing_is_appended
        a45_a_store_that_a_newer_build_wrote_to_last_is_refused_and_not_written
        a45_every_golden_record_is_read_back_from_the_store;
}
