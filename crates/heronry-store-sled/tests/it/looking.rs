//! Looking at a store leaves it as it is, damaged or not; and so does opening one that is damaged.

use std::{fs, sync::Arc};

use futures::executor::block_on;
use heronry_store::{Store, StoreError, StoreErrorKind};
use heronry_store_sled::SledStore;
use heronry_testkit::{
    Harm, HarmedFile, Outcomes,
    embedded::Image,
    recovery::{self, RecoveryWriter, read_back},
    sample,
};
use heronry_types::Position;

use crate::{disk::StoreDirectory, image::LogImage};

/// The size of a segment of sled's log, in bytes.
const SEGMENT: usize = 2 * 1024 * 1024;
const COMMITS: u64 = 40;

fn look(folder: &StoreDirectory) -> Result<Store, StoreError> {
    let store = SledStore::open_to_read(folder.store())?;
    Ok(Store::of(Arc::new(store)))
}

/// Fills a store that was opened before, so that its log has some that sled's list of pages knows of,
/// and some that it does not.
fn written(folder: &StoreDirectory) -> RecoveryWriter {
    let mut writer = folder.writer();
    for _ in 0..COMMITS / 2 {
        writer.write(2).unwrap();
    }
    drop(writer);
    let mut writer = RecoveryWriter::of(folder.open().unwrap()).unwrap();
    for _ in 0..COMMITS / 2 {
        writer.write(2).unwrap();
    }
    writer
}

fn stopped() -> Image {
    let folder = StoreDirectory::new();
    drop(written(&folder));
    folder.image()
}

fn killed() -> Image {
    let folder = StoreDirectory::new();
    let writer = written(&folder);
    let image = folder.image();
    drop(writer);
    image
}

/// Returns the names of the files and, of each, how many bytes are used.
fn used(image: &Image) -> (Vec<String>, Vec<usize>) {
    let files = image.files.iter();
    let files = files.filter_map(|(name, bytes)| Some((name.clone(), bytes.as_ref()?)));
    files
        .map(|(name, bytes)| {
            let used = bytes.iter().rposition(|byte| *byte != 0);
            (name, used.map_or(0, |at| at + 1))
        })
        .unzip()
}

/// Harms an image in many ways, and hands each over with what was done.
fn harm(good: &Image, mut see: impl FnMut(&Image, &str)) {
    let (names, lengths) = used(good);
    for HarmedFile { file, harm } in Harm::to_files(&lengths, SEGMENT) {
        let mut image = good.clone();
        harm.apply(image.file(&names[file]));
        see(&image, &format!("{}: {harm:?}", names[file]));
    }
}

/// Looks at a store and reads all of it, and checks that not a byte of it changed.
fn check_looking(image: &Image) -> Option<StoreError> {
    let folder = StoreDirectory::put(image);
    let found = read_back(look(&folder), COMMITS).unwrap();
    assert!(folder.image() == *image, "looking has changed the store");
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "something was left beside the store");
    found
}

/// Takes harm back, and nothing else: files that were not harmed stay as they are now.
fn put_back(now: &Image, harmed: &Image, good: &Image, what: &str) -> Image {
    let mut mended = now.clone();
    let files = good.files.iter();
    for (name, bytes) in files.filter(|(name, bytes)| harmed.files[*name] != **bytes) {
        assert!(
            now.files[name] == harmed.files[name],
            "{what}: {name} changed"
        );
        mended.files.insert(name.clone(), bytes.clone());
    }
    mended
}

/// Prints a figure.
#[expect(clippy::print_stdout, reason = "a test reports its figures")]
fn report(line: &str) {
    println!("{line}");
}

#[test]
fn looking_at_a_damaged_store_leaves_it_as_it_is() {
    for (name, good) in [("stopped", stopped()), ("killed", killed())] {
        assert!(check_looking(&good).is_none());
        let mut outcomes = Outcomes::default();
        harm(&good, |image, what| {
            let found = check_looking(image);
            outcomes.note(what, found.as_ref()).unwrap();
        });
        report(&format!("sled, {name}, looked at: {outcomes:?}"));
        assert!(outcomes.refused > outcomes.without_effect / 4);
    }
}

#[test]
fn a_damaged_store_that_is_refused_is_whole_again_when_the_damage_is_put_back() {
    for (name, good) in [("stopped", stopped()), ("killed", killed())] {
        let mut outcomes = Outcomes::default();
        harm(&good, |image, what| {
            let folder = StoreDirectory::put(image);
            let opened = folder.open();
            let is_opened = opened.is_ok();
            let found = read_back(opened, COMMITS).unwrap();
            if !outcomes.note(what, found.as_ref()).unwrap() || is_opened {
                return;
            }
            let now = put_back(&folder.image(), image, &good, what);
            let mended = read_back(StoreDirectory::put(&now).open(), COMMITS).unwrap();
            assert!(mended.is_none(), "{what}: {mended:?}");
        });
        report(&format!("sled, {name}, opened: {outcomes:?}"));
    }
}

/// Fills a store until sled uses segments of its log again, and leaves it as a kill does.
fn killed_with_many_segments() -> Image {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    let pool = sample::pool(1);
    for commit in 0..COMMITS {
        writer.write(2).unwrap();
        let large = recovery::large(400_000, Position(commit));
        let name = sample::content_ref(1_000 + commit);
        let put = writer.store.contents.put(&pool, name, large, writer.token);
        block_on(put).unwrap();
    }
    let image = folder.image();
    drop(writer);
    let log = image.files["db"].as_ref().unwrap().len();
    assert!(log > 4 * SEGMENT, "the log has {log} bytes");
    image
}

#[test]
fn damage_in_any_segment_of_a_long_log_is_told_or_harms_nothing() {
    let good = killed_with_many_segments();
    assert!(check_looking(&good).is_none());
    let mut outcomes = Outcomes::default();
    let mut number = 0;
    harm(&good, |image, what| {
        number += 1;
        // Each is a copy of a large store.
        if number % 2 == 0 {
            let found = check_looking(image);
            outcomes.note(what, found.as_ref()).unwrap();
        }
    });
    report(&format!(
        "sled, killed, a long log, looked at: {outcomes:?}"
    ));
    assert!(outcomes.refused > outcomes.without_effect / 4);
}

#[test]
fn a_copy_of_a_look_that_was_killed_is_removed() {
    for look_again in [true, false] {
        let folder = StoreDirectory::put(&killed());
        let left = folder.path().join("heronry.sled.looking");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("db"), b"a part").unwrap();
        let store = if look_again {
            look(&folder)
        } else {
            folder.open()
        };
        assert!(read_back(store, COMMITS).unwrap().is_none());
        assert!(!left.exists());
    }
}

#[test]
fn a_list_of_pages_that_was_not_written_to_its_end_is_removed() {
    for (name, bytes) in [
        ("snap.0000000000FFFFFF.generating", &b""[..]),
        ("snap.0000000000000000.generating", b"a part of a list"),
        ("snap.7FFFFFFFFFFFFFFF.generating", &[0; 5_000]),
    ] {
        for good in [stopped(), killed()] {
            let mut image = good;
            image.files.insert(name.to_owned(), Some(bytes.to_vec()));
            assert!(check_looking(&image).is_none(), "{name}");
            let folder = StoreDirectory::put(&image);
            assert!(read_back(folder.open(), COMMITS).unwrap().is_none());
            assert!(!folder.store().join(name).exists());
        }
    }
}

#[test]
fn a_store_that_is_looked_at_is_locked() {
    let folder = StoreDirectory::put(&stopped());
    let looked_at = look(&folder).unwrap();
    let error = folder.open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked);
    drop(looked_at);
    folder.open().unwrap();
}
