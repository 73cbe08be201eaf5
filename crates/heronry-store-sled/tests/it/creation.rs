//! A crash anywhere in creation leaves no store, or an empty one.

use std::{fs, path::PathBuf};

use futures::executor::block_on;
use heronry_store::StoreErrorKind;
use heronry_store_sled::SledStore;

use heronry_testkit::recovery::Countdown;

use crate::{
    disk::{Recorder, StoreDirectory},
    image::Image,
};

fn check_empty_store_can_be_had(folder: &StoreDirectory) {
    let store = folder.open_or_create().unwrap();
    assert_eq!(block_on(store.journal.pools()).unwrap(), []);
    drop(store);
    assert!(!folder.creating().exists());
    folder.open().unwrap();
}

#[test]
fn a_failure_of_any_operation_leaves_no_store_or_an_empty_one() {
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
        if folder.store().exists() {
            // The failure came after the creation, when the new store was opened.
            folder.open().unwrap();
        } else {
            assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
        }
        check_empty_store_can_be_had(&folder);
        number += 1;
    }
    assert!(number > 4, "only {number} operations were failed");
}

/// Everything that a creation leaves in the temporary directory, before each operation.
fn leftovers() -> Vec<Image> {
    let folder = StoreDirectory::new();
    let recorder = Recorder::of(folder.creating());
    drop(folder.open_watched(recorder.clone()).unwrap());
    let moments = recorder.moments().into_iter();
    let images = moments.map(|(_, image)| image);
    let mut leftovers: Vec<_> = images.filter(|image| !image.files.is_empty()).collect();
    // Files may be there in part, and those that came last not at all.
    let whole = leftovers.last().unwrap().clone();
    for name in whole.files.keys().filter(|name| *name != "heronry") {
        let mut part = whole.clone();
        part.files.remove(name);
        leftovers.push(part);
    }
    for file in ["db", "conf", "heronry", "mark"] {
        let mut part = whole.clone();
        part.file(file).truncate(3);
        leftovers.push(part);
    }
    leftovers
}

#[test]
fn a_kill_at_any_moment_leaves_a_leftover_that_is_removed() {
    let leftovers = leftovers();
    assert!(leftovers.len() > 10);
    for leftover in leftovers {
        let folder = StoreDirectory::new();
        leftover.put(&folder.creating());
        assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
        assert!(!folder.creating().exists(), "opening removes the leftover");
        leftover.put(&folder.creating());
        check_empty_store_can_be_had(&folder);
    }
}

#[test]
fn a_leftover_beside_a_store_is_removed_at_opening() {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    fs::create_dir(folder.creating()).unwrap();
    drop(folder.open().unwrap());
    assert!(!folder.creating().exists());
    leftovers()[0].put(&folder.creating());
    drop(folder.open().unwrap());
    assert!(!folder.creating().exists());
}

#[test]
fn an_empty_directory_is_as_good_as_none() {
    let folder = StoreDirectory::new();
    fs::create_dir(folder.store()).unwrap();
    assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
    check_empty_store_can_be_had(&folder);
}

#[test]
fn what_is_there_already_is_left_as_it_is() {
    let folder = StoreDirectory::new();
    fs::create_dir(folder.store()).unwrap();
    fs::write(folder.store().join("letters"), b"somebody's").unwrap();
    let before = folder.image();
    let error = SledStore::create(folder.store()).unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    assert!(folder.image() == before);
    assert!(!folder.creating().exists());

    let store = folder.path().join("other");
    fs::write(&store, b"a file").unwrap();
    let error = SledStore::create(&store).unwrap_err();
    assert!(error.to_string().contains("already"), "{error}");
    assert_eq!(fs::read(&store).unwrap(), b"a file");
}

#[test]
fn a_creation_that_is_under_way_elsewhere_is_left_alone() {
    let folder = StoreDirectory::new();
    fs::create_dir(folder.creating()).unwrap();
    let record = folder.creating().join("heronry");
    fs::write(&record, b"half a store").unwrap();
    let other = fs::File::open(&record).unwrap();
    other.lock().unwrap();
    let error = SledStore::create(folder.store()).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked);
    assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
    assert_eq!(fs::read(&record).unwrap(), b"half a store");
    drop(other);
    check_empty_store_can_be_had(&folder);
}

#[cfg(unix)]
#[test]
fn files_and_directories_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = StoreDirectory::new();
    let store = folder.path().join("a/b/heronry.sled");
    drop(SledStore::create(&store).unwrap());
    // sled makes a file of its own when it opens.
    drop(SledStore::open(&store).unwrap());
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for directory in ["a", "a/b", "a/b/heronry.sled", "a/b/heronry.sled/blobs"] {
        assert_eq!(mode(&folder.path().join(directory)), 0o700, "{directory}");
    }
    let mut files = 0;
    for entry in fs::read_dir(&store).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{path:?}");
            files += 1;
        }
    }
    assert!(files >= 4, "{files} files");
}
