//! What is there after a crash, or a failure, at any operation.

use std::ops::RangeInclusive;

use futures::executor::block_on;
use heronry_store::{AppendError, ContentPlace, JournalExt, Outcome, Store, StoreErrorKind};
use heronry_testkit::sample;
use heronry_types::{Body, Position};

use crate::{
    disk::{FailAt, Folder, Recorder, Writer},
    image::Image,
};

/// Opens the store, and checks that it holds whole commits of two records each, with their
/// contents, up to a head that may be any of these.
fn check_holds(folder: &Folder, heads: RangeInclusive<u64>) -> u64 {
    check_whole(&folder.open().unwrap(), heads, sample::body)
}

/// Checks that a store holds whole commits of two records each, with these contents, up to a head
/// that may be any of these.
pub(crate) fn check_whole(
    store: &Store,
    heads: RangeInclusive<u64>,
    body: impl Fn(u64) -> Body,
) -> u64 {
    let pool = sample::pool(1);
    let head = block_on(store.journal.head(&pool)).unwrap();
    let (head, floor) = head.map_or((0, 1), |head| (head.head.0, head.floor.0));
    assert!(
        heads.contains(&head),
        "the head is {head}, not in {heads:?}"
    );
    assert_eq!(head % 2, 0, "half a commit is there");
    let mut after = Position(floor - 1);
    while after.0 < head {
        let page = block_on(store.journal.records(&pool, after, 0));
        let page = page.unwrap().unwrap();
        for record in &page.records {
            assert_eq!(record.entry, sample::entry(record.position.0));
        }
        let (name, at) = (sample::content_ref(after.0), ContentPlace::With(page.last));
        let content = block_on(store.contents.get(&pool, name, at)).unwrap();
        assert!(
            content.unwrap().body == body(after.0),
            "the body of {after}"
        );
        after = page.last;
    }
    head
}

/// The directory before every operation of some commits.
struct History {
    moments: Vec<Image>,
    /// How many operations there were when this head was acknowledged.
    acks: Vec<(usize, u64)>,
}

fn history(commits: u64) -> History {
    let folder = Folder::new();
    drop(folder.open_or_create().unwrap());
    let recorder = Recorder::of(folder.store());
    let mut writer = Writer::of(folder.open_watched(recorder.clone()).unwrap());
    let mut acks = vec![(0, 0)];
    for _ in 0..commits {
        let head = writer.write(2).unwrap();
        acks.push((recorder.count(), head.head.0));
    }
    drop(writer);
    let moments = recorder.moments().into_iter();
    let mut moments: Vec<_> = moments.map(|(_, image)| image).collect();
    moments.push(folder.image());
    History { moments, acks }
}

impl History {
    /// Returns the head that was acknowledged before an operation.
    fn acknowledged(&self, operation: usize) -> u64 {
        let before = self.acks.iter().filter(|(count, _)| *count <= operation);
        before.map(|(_, head)| *head).max().unwrap_or(0)
    }
}

#[test]
fn a_kill_before_any_operation_keeps_what_was_acknowledged() {
    let history = history(6);
    assert!(history.moments.len() > 12);
    for (operation, image) in history.moments.iter().enumerate() {
        let acknowledged = history.acknowledged(operation);
        check_holds(&Folder::put(image), acknowledged..=acknowledged + 2);
    }
}

#[test]
fn a_second_crash_within_the_recovery_loses_nothing() {
    let history = history(3);
    // A crash while the last commit was written, and then one before every operation of the recovery.
    let operation = history.moments.len() / 2;
    let first = Folder::put(&history.moments[operation]);
    let acknowledged = history.acknowledged(operation);
    let recorder = Recorder::of(first.store());
    drop(first.open_watched(recorder.clone()).unwrap());
    let moments = recorder.moments();
    assert!(moments.len() >= 3, "{}", moments.len());
    for (_, image) in moments {
        check_holds(&Folder::put(&image), acknowledged..=acknowledged + 2);
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
    assert!(number > 5, "only {number} operations were failed");
}

fn check_closed(store: &Store) {
    let error = block_on(store.journal.pools()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Closed);
}

#[test]
fn a_failure_while_closing_loses_nothing() {
    let folder = Folder::new();
    drop(folder.open_or_create().unwrap());
    let hook = FailAt::new(usize::MAX);
    let recorder = Recorder::of(folder.store());
    let mut writer = Writer::of(folder.open_watched(recorder.clone()).unwrap());
    writer.write(2).unwrap();
    let before = recorder.count();
    drop(writer);
    let closing = recorder.count() - before;
    assert!(closing >= 2, "closing syncs {closing} times");
    assert!(!hook.has_failed());
    for number in 0..closing {
        let folder = Folder::new();
        drop(folder.open_or_create().unwrap());
        let hook = FailAt::new(before + number);
        let mut writer = Writer::of(folder.open_watched(hook.clone()).unwrap());
        writer.write(2).unwrap();
        drop(writer);
        assert!(hook.has_failed(), "operation {number} of closing");
        check_holds(&folder, 2..=2);
    }
}
