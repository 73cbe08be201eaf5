//! What is there after a crash, or a failure, at any operation.

use std::sync::Arc;

use futures::executor::block_on;
use heronry_store::{AppendError, ContentPlace, JournalExt, Outcome, StoreErrorKind};
use heronry_testkit::sample;
use heronry_types::Position;

use crate::disk::{Change, FailAt, Folder, Recorder, Writer, apply};

/// Opens the store, and checks that it holds whole commits of two records each, with their
/// contents, up to a head that may be any of these.
fn check_holds(folder: &Folder, heads: std::ops::RangeInclusive<u64>) -> u64 {
    let store = folder.open().unwrap();
    let pool = sample::pool(1);
    let head = block_on(store.journal.head(&pool)).unwrap();
    let head = head.map_or(0, |head| head.head.0);
    assert!(
        heads.contains(&head),
        "the head is {head}, not in {heads:?}"
    );
    assert_eq!(head % 2, 0, "half a commit is there");
    let mut after = Position::ZERO;
    while after.0 < head {
        let page = block_on(store.journal.records(&pool, after, 0));
        let page = page.unwrap().unwrap();
        for record in &page.records {
            assert_eq!(record.entry, sample::entry(record.position.0));
        }
        let (name, at) = (sample::content_ref(after.0), ContentPlace::With(page.last));
        let content = block_on(store.contents.get(&pool, name, at)).unwrap();
        assert_eq!(content.unwrap().body, sample::body(after.0));
        after = page.last;
    }
    head
}

/// Commits after commits, and what the file was before, between and after them.
struct History {
    before: Vec<u8>,
    changes: Vec<Change>,
    /// How many changes there were when this head was acknowledged.
    acks: Vec<(usize, u64)>,
}

fn history(commits: u64) -> History {
    let folder = Folder::new();
    drop(folder.open_or_create().unwrap());
    let before = folder.bytes();
    let recorder = Arc::new(Recorder::default());
    let mut writer = Writer::of(folder.open_watched(recorder.clone()).unwrap());
    let mut acks = vec![(0, 0)];
    for _ in 0..commits {
        let head = writer.write(2).unwrap();
        acks.push((recorder.count(), head.head.0));
    }
    drop(writer);
    History {
        before,
        changes: recorder.changes(),
        acks,
    }
}

impl History {
    /// Returns the head that was acknowledged when so many changes had happened.
    fn acknowledged(&self, changes: usize) -> u64 {
        let before = self.acks.iter().filter(|(count, _)| *count <= changes);
        before.map(|(_, head)| *head).max().unwrap_or(0)
    }

    fn image<'a>(&'a self, changes: impl IntoIterator<Item = &'a Change>) -> Folder {
        let mut file = self.before.clone();
        apply(&mut file, changes);
        Folder::put(&file)
    }
}

#[test]
fn a_kill_at_any_operation_keeps_what_was_acknowledged() {
    let history = history(6);
    for cut in 0..=history.changes.len() {
        let folder = history.image(&history.changes[..cut]);
        let acknowledged = history.acknowledged(cut);
        check_holds(&folder, acknowledged..=acknowledged + 2);
    }
}

#[test]
fn a_power_cut_keeps_what_was_acknowledged_whichever_writes_reached_the_disk() {
    let history = history(6);
    let syncs = history.changes.iter().enumerate();
    let syncs = syncs.filter(|(_, change)| matches!(change, Change::Sync));
    let mut synced = 0;
    let mut images = 0;
    for (sync, _) in syncs {
        // What was acknowledged before this sync had its own sync before `synced`.
        let acknowledged = history.acknowledged(sync);
        for kept in synced..sync {
            let lasting = &history.changes[..synced];
            let one = history.image(lasting.iter().chain(&history.changes[kept..=kept]));
            check_holds(&one, acknowledged..=acknowledged + 2);
            let others = lasting
                .iter()
                .chain(&history.changes[synced..kept])
                .chain(&history.changes[kept + 1..sync]);
            check_holds(&history.image(others), acknowledged..=acknowledged + 2);
            images += 2;
        }
        synced = sync + 1;
    }
    assert!(images > 50, "only {images} images were checked");
}

#[test]
fn a_second_crash_within_the_recovery_loses_nothing() {
    let history = history(3);
    // A crash while the last commit was written, and then one at every operation of the recovery.
    let cut = history.changes.len() / 2;
    let first = history.image(&history.changes[..cut]);
    let before = first.bytes();
    let acknowledged = history.acknowledged(cut);
    let recorder = Arc::new(Recorder::default());
    drop(first.open_watched(recorder.clone()).unwrap());
    let changes = recorder.changes();
    for cut in 0..=changes.len() {
        let mut file = before.clone();
        apply(&mut file, &changes[..cut]);
        check_holds(&Folder::put(&file), acknowledged..=acknowledged + 2);
    }
}

#[test]
fn a_failure_of_any_operation_closes_the_store_and_loses_nothing() {
    let mut number = 0;
    loop {
        let folder = Folder::new();
        let mut writer = Writer::of(folder.open_or_create().unwrap());
        writer.write(2).unwrap();
        drop(writer);
        let hook = FailAt::new(number);
        let opened = folder.open_watched(hook.clone());
        number += 1;
        let Ok(store) = opened else {
            assert!(hook.has_failed());
            check_holds(&folder, 2..=2);
            continue;
        };
        let pool = sample::pool(1);
        let acquire = store.leases.acquire(&pool, "a test", sample::time(0));
        let Ok(token) = block_on(acquire) else {
            assert!(hook.has_failed());
            check_closed(&store);
            drop(store);
            check_holds(&folder, 2..=2);
            continue;
        };
        let head = block_on(store.journal.head(&pool)).unwrap();
        let mut writer = Writer { store, token, head };
        match writer.write(2) {
            Ok(_) => {
                assert!(!hook.has_failed());
                break;
            }
            Err(AppendError::Store { outcome, .. }) => assert_eq!(outcome, Outcome::Unknown),
            Err(error) => panic!("failed otherwise: {error:?}"),
        }
        check_closed(&writer.store);
        drop(writer);
        check_holds(&folder, 2..=4);
    }
    assert!(number > 10, "only {number} operations were failed");
}

fn check_closed(store: &heronry_store::Store) {
    let error = block_on(store.journal.pools()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Closed);
}
