//! A crash anywhere in creation leaves no store, or an empty one.

use std::{fs, sync::Arc};

use futures::executor::block_on;
use heronry_store::StoreErrorKind;
use heronry_store_redb::RedbStore;

use heronry_testkit::recovery::Countdown;

use crate::disk::{Recorder, StoreDirectory, apply};

fn check_empty_store_can_be_had(folder: &StoreDirectory) {
    let store = folder.open_or_create().unwrap();
    assert_eq!(block_on(store.journal.pools()).unwrap(), []);
    drop(store);
    assert!(!folder.creating().exists());
    folder.open().unwrap();
}

#[test]
fn a_failure_of_any_operation_leaves_no_store() {
    let mut number = 0;
    loop {
        let folder = StoreDirectory::new();
        let hook = Countdown::to(number);
        let created = folder.open_failing(hook.clone());
        if !hook.has_failed() {
            assert!(created.is_ok());
            break;
        }
        drop(created);
        if folder.file().exists() {
            // The failure came after the creation, when the new store was opened.
            folder.open().unwrap();
        } else {
            assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
        }
        check_empty_store_can_be_had(&folder);
        number += 1;
    }
    assert!(number > 10, "creation has more than {number} operations");
}

#[test]
fn a_kill_after_any_operation_leaves_a_leftover_that_is_removed() {
    let folder = StoreDirectory::new();
    let recorder = Arc::new(Recorder::default());
    drop(folder.open_watched(recorder.clone()).unwrap());
    let changes = recorder.changes();
    for cut in 0..=changes.len() {
        let folder = StoreDirectory::new();
        let mut leftover = Vec::new();
        apply(&mut leftover, &changes[..cut]);
        fs::write(folder.creating(), &leftover).unwrap();
        assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
        assert!(!folder.creating().exists(), "opening removes the leftover");
        fs::write(folder.creating(), &leftover).unwrap();
        check_empty_store_can_be_had(&folder);
    }
}

#[test]
fn a_leftover_beside_a_store_is_removed_at_opening() {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    fs::write(folder.creating(), b"half a store").unwrap();
    drop(folder.open().unwrap());
    assert!(!folder.creating().exists());
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let folder = StoreDirectory::put(b"somebody's letters");
    let error = RedbStore::create(folder.file()).unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    assert_eq!(folder.bytes(), b"somebody's letters");
    assert!(!folder.creating().exists());
}

#[test]
fn a_creation_that_is_under_way_elsewhere_is_left_alone() {
    let folder = StoreDirectory::new();
    fs::write(folder.creating(), b"half a store").unwrap();
    let other = fs::File::open(folder.creating()).unwrap();
    other.lock().unwrap();
    let error = RedbStore::create(folder.file()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked);
    assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(fs::read(folder.creating()).unwrap(), b"half a store");
    drop(other);
    check_empty_store_can_be_had(&folder);
}

#[cfg(unix)]
#[test]
fn file_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = StoreDirectory::new();
    let file = folder.path().join("a/b/heronry.redb");
    drop(RedbStore::create(&file).unwrap());
    for (path, mode) in [("a", 0o700), ("a/b", 0o700), ("a/b/heronry.redb", 0o600)] {
        let found = fs::metadata(folder.path().join(path)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, mode, "{path}");
    }
}
