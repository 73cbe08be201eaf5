//! The state of a store after a crash, or a failure, at any operation.

use std::{ops::RangeInclusive, sync::Arc};

use heronry_testkit::{
    embedded::{DeviceRecorder, Image},
    recovery::{self, Acknowledged, Countdown, PoolRemains, RecoveryWriter},
    sample,
};

use crate::disk::StoreDirectory;

/// Opens the store, and checks that it holds whole commits up to one of these heads.
fn check_holds(folder: &StoreDirectory, heads: RangeInclusive<u64>) {
    recovery::check_whole(&folder.open().unwrap(), heads, sample::body).unwrap();
}

/// The directory before every operation of some commits.
struct DirectoryHistory {
    moments: Vec<Image>,
    acknowledged: Acknowledged,
}

fn history(commits: u64) -> DirectoryHistory {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    let recorder = DeviceRecorder::of(folder.store());
    let mut writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    let mut acknowledged = Acknowledged::default();
    for _ in 0..commits {
        let head = writer.write(2).unwrap();
        acknowledged.note(recorder.count(), head);
    }
    drop(writer);
    let moments = recorder.moments().into_iter();
    let mut moments: Vec<_> = moments.map(|moment| moment.image).collect();
    moments.push(folder.image());
    DirectoryHistory {
        moments,
        acknowledged,
    }
}

#[test]
fn a_kill_before_any_operation_keeps_what_was_acknowledged() {
    let history = history(6);
    assert!(history.moments.len() > 12);
    for (operation, image) in history.moments.iter().enumerate() {
        let acknowledged = history.acknowledged.after(operation);
        check_holds(&StoreDirectory::put(image), acknowledged..=acknowledged + 2);
    }
}

#[test]
fn a_second_crash_within_the_recovery_loses_nothing() {
    let history = history(3);
    // A crash while the last commit was written, and then one before every operation of the recovery.
    let operation = history.moments.len() / 2;
    let first = StoreDirectory::put(&history.moments[operation]);
    let acknowledged = history.acknowledged.after(operation);
    let recorder = DeviceRecorder::of(first.store());
    drop(first.open_watched(recorder.clone()).unwrap());
    let moments = recorder.moments();
    assert!(moments.len() >= 3, "{}", moments.len());
    for image in moments.into_iter().map(|moment| moment.image) {
        check_holds(
            &StoreDirectory::put(&image),
            acknowledged..=acknowledged + 2,
        );
    }
}

#[test]
fn a_failure_while_closing_loses_nothing() {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    let hook = Countdown::to(usize::MAX);
    let recorder = DeviceRecorder::of(folder.store());
    let mut writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    writer.write(2).unwrap();
    let before = recorder.count();
    drop(writer);
    let closing = recorder.count() - before;
    assert!(closing >= 2, "closing syncs {closing} times");
    assert!(!hook.has_failed());
    for number in 0..closing {
        let folder = StoreDirectory::new();
        drop(folder.open_or_create().unwrap());
        let hook = Countdown::to(before + number);
        let mut writer =
            RecoveryWriter::of(folder.open_watched(Arc::new(hook.clone())).unwrap()).unwrap();
        writer.write(2).unwrap();
        drop(writer);
        assert!(hook.has_failed(), "operation {number} of closing");
        check_holds(&folder, 2..=2);
    }
}

#[test]
fn a_kill_before_any_operation_of_a_deletion_leaves_all_or_nothing() {
    let folder = StoreDirectory::new();
    let mut writer = RecoveryWriter::of(folder.open_or_create().unwrap()).unwrap();
    for _ in 0..3 {
        writer.write(2).unwrap();
    }
    drop(writer);
    let recorder = DeviceRecorder::of(folder.store());
    let writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    let mut deleted = 0;
    writer.delete(|| deleted = recorder.count()).unwrap();
    let mut left = Vec::new();
    for image in recorder.moments().into_iter().map(|moment| moment.image) {
        let folder = StoreDirectory::put(&image);
        // What is left of it is removed after the next opening, or after the one that follows.
        drop(folder.open().unwrap());
        left.push(recovery::check_whole_or_deleted(folder.open().unwrap(), 6).unwrap());
    }
    assert_eq!(left.first(), Some(&PoolRemains::Whole));
    assert!(
        left[deleted..]
            .iter()
            .all(|left| *left == PoolRemains::Nothing)
    );
    assert!(left.len() - deleted > 5, "nothing was removed in pieces");
}
