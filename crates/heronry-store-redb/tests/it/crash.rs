//! The state of a store after a crash, or a failure, at any operation.

use std::{ops::RangeInclusive, sync::Arc};

use heronry_testkit::{
    recovery::{self, Acknowledged, PoolRemains, RecoveryWriter},
    sample,
};

use crate::disk::{Change, Recorder, StoreDirectory, apply};

/// The size of a large record in bytes.
const BYTES_LARGE: usize = 512 * 1024;

/// Opens the store, and checks that it holds whole commits up to one of these heads.
fn check_holds(folder: &StoreDirectory, heads: RangeInclusive<u64>) {
    recovery::check_whole(&folder.open().unwrap(), heads, sample::body).unwrap();
}

/// Commits after commits, and what the file was before, between and after them.
struct FileHistory {
    before: Vec<u8>,
    changes: Vec<Change>,
    acknowledged: Acknowledged,
}

fn history(commits: u64) -> FileHistory {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    let before = folder.bytes();
    let recorder = Arc::new(Recorder::default());
    let mut writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    let mut acknowledged = Acknowledged::default();
    for _ in 0..commits {
        let head = writer.write(2).unwrap();
        acknowledged.note(recorder.count(), head);
    }
    drop(writer);
    FileHistory {
        before,
        changes: recorder.changes(),
        acknowledged,
    }
}

impl FileHistory {
    fn image<'a>(&'a self, changes: impl IntoIterator<Item = &'a Change>) -> StoreDirectory {
        let mut file = self.before.clone();
        apply(&mut file, changes);
        StoreDirectory::put(&file)
    }
}

#[test]
fn a_kill_at_any_operation_keeps_what_was_acknowledged() {
    let history = history(6);
    for cut in 0..=history.changes.len() {
        let folder = history.image(&history.changes[..cut]);
        let acknowledged = history.acknowledged.after(cut);
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
        let acknowledged = history.acknowledged.after(sync);
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
    let acknowledged = history.acknowledged.after(cut);
    let recorder = Arc::new(Recorder::default());
    drop(first.open_watched(recorder.clone()).unwrap());
    let changes = recorder.changes();
    for cut in 0..=changes.len() {
        let mut file = before.clone();
        apply(&mut file, &changes[..cut]);
        check_holds(&StoreDirectory::put(&file), acknowledged..=acknowledged + 2);
    }
}

/// The deletion of a pool with these many commits, and when it was acknowledged.
fn deletion(commits: u64) -> (FileHistory, usize) {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    for _ in 0..commits {
        writer.write(2).unwrap();
    }
    drop(writer);
    let before = folder.bytes();
    let recorder = Arc::new(Recorder::default());
    let writer = RecoveryWriter::of(folder.open_watched(recorder.clone()).unwrap()).unwrap();
    let mut deleted = 0;
    writer.delete(|| deleted = recorder.count()).unwrap();
    let history = FileHistory {
        before,
        changes: recorder.changes(),
        acknowledged: Acknowledged::default(),
    };
    (history, deleted)
}

#[test]
fn a_kill_at_any_operation_of_a_deletion_leaves_all_or_nothing() {
    let (history, deleted) = deletion(3);
    let mut left = Vec::new();
    for cut in 0..=history.changes.len() {
        let folder = history.image(&history.changes[..cut]);
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
    assert!(left.len() - deleted > 10, "nothing was removed in pieces");
}

#[test]
fn the_room_of_deleted_pools_is_used_again() {
    let folder = StoreDirectory::new();
    let (mut written, mut sizes) = (0, Vec::new());
    for _ in 0..12 {
        let mut writer = folder.writer();
        for _ in 0..8 {
            writer.write_large(2, BYTES_LARGE).unwrap();
            written += 2 * BYTES_LARGE;
        }
        writer.delete(|| ()).unwrap();
        sizes.push(folder.bytes().len());
    }
    // The size of one round says little: the database grows in steps, and gives room back when it can.
    assert!(
        sizes.iter().all(|size| *size < written / 2),
        "the file grows: {sizes:?} of {written}"
    );
}
