//! Flipped bits are typed errors, never wrong values.

use futures::executor::block_on;
use heronry_store::{StoreError, StoreErrorKind};
use heronry_testkit::{
    embedded::Image,
    recovery::{RecoveryWriter, read_back},
    sample,
};
use heronry_types::Position;

use crate::{disk::StoreDirectory, image::LogImage};

/// Five chunks of two records, each with a content, in a closed store.
fn store() -> Image {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    for _ in 0..5 {
        writer.write(2).unwrap();
    }
    drop(writer);
    folder.image()
}

/// Reads everything that was written, and checks each value that is read.
fn read_all(folder: &StoreDirectory) -> Result<(), StoreError> {
    read_back(folder.open(), 5).unwrap().map_or(Ok(()), Err)
}

/// Checks that the store is read rightly, or that the error says what it is.
fn check_damaged(image: &Image, what: &str) -> bool {
    let Err(error) = read_all(&StoreDirectory::put(image)) else {
        return false;
    };
    let kind = error.kind();
    let is_typed = matches!(
        kind,
        StoreErrorKind::Corrupt
            | StoreErrorKind::NotAStore
            | StoreErrorKind::NewerSchema
            | StoreErrorKind::NotFound
    );
    assert!(is_typed, "{what} is {kind:?}: {error}");
    true
}

#[test]
fn a_flip_anywhere_in_the_log_gives_no_wrong_value() {
    let good = store();
    read_all(&StoreDirectory::put(&good)).unwrap();
    let log = good.files["db"].clone().unwrap();
    let used = log.iter().rposition(|byte| *byte != 0).unwrap();
    let mut seen = 0;
    for at in (0..used).step_by(used / 150) {
        let mut image = good.clone();
        image.file("db")[at] ^= 0x10;
        seen += usize::from(check_damaged(&image, &format!("a flip at {at}")));
    }
    assert!(seen > 100, "{seen} flips were seen");
}

#[test]
fn a_log_that_is_cut_off_gives_no_wrong_value() {
    let good = store();
    let log = good.files["db"].clone().unwrap();
    let used = log.iter().rposition(|byte| *byte != 0).unwrap();
    for part in 0..20 {
        let mut image = good.clone();
        let cut = used * part / 20;
        image.file("db").truncate(cut);
        assert!(check_damaged(&image, "a cut"), "cut at {cut}");
    }
}

#[test]
fn a_log_of_before_is_seen() {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    writer.write(2).unwrap();
    drop(writer);
    let before = folder.image();
    let mut writer = RecoveryWriter::of(folder.open().unwrap()).unwrap();
    writer.write(2).unwrap();
    drop(writer);
    let mut mixed = folder.image();
    *mixed.file("db") = before.files["db"].clone().unwrap();
    assert!(check_damaged(&mixed, "a log of before"));
    let error = StoreDirectory::put(&mixed).open().unwrap_err().to_string();
    assert!(error.contains("was written up to"), "{error}");
    assert!(error.contains("pool pool-1, position 3"), "{error}");
}

#[test]
fn what_is_missing_is_seen_and_not_made_anew() {
    let good = store();
    for name in ["db", "conf", "blobs"] {
        let mut image = good.clone();
        image.files.remove(name).unwrap();
        let folder = StoreDirectory::put(&image);
        let error = folder.open().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "without {name}");
        assert!(folder.image() == image, "without {name}");
    }
    // Without its mark the store is one whose process ended out of order.
    let mut image = good;
    image.files.remove("mark").unwrap();
    read_all(&StoreDirectory::put(&image)).unwrap();
}

#[test]
fn large_bodies_lie_in_the_log() {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    for _ in 0..20 {
        writer.write_large(50, 700_000).unwrap();
        assert_eq!(folder.blobs(), 0);
    }
    let pool = sample::pool(1);
    let trim = sample::trim(&*writer.store.journal, &pool, Position(900), writer.token);
    block_on(trim).unwrap();
    for _ in 0..20 {
        writer.write(1).unwrap();
        assert_eq!(folder.blobs(), 0);
    }
}
