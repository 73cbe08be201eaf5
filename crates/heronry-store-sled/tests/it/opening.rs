//! Opening a store: the places that are opened, and those that are refused and left as they are.

use std::fs;

use futures::executor::block_on;
use heronry_store::{ConsumerCursor, ConsumerId, FilterFingerprint, StoreErrorKind};
use heronry_store_embedded::row_keys;
use heronry_testkit::{embedded::Image, sample};
use heronry_types::{Cursor, Position};

use crate::{disk::StoreDirectory, image::LogImage};

fn closed_store() -> Image {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    writer.write(2).unwrap();
    drop(writer);
    folder.image()
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    let folder = StoreDirectory::new();
    let db = sled::open(folder.store()).unwrap();
    db.insert("dear", "somebody").unwrap();
    drop(db);
    folder.check_refused(StoreErrorKind::NotAStore);
}

/// Changes the format record of a store, at an offset behind its magic and checksum, and mends
/// the checksum.
fn with_record(at: usize, bytes: &[u8]) -> StoreDirectory {
    let mut image = closed_store();
    let record = image.file("heronry");
    let magic = b"heronry sled\n".len();
    record[magic + 4 + at..][..bytes.len()].copy_from_slice(bytes);
    let row = heronry_store_embedded::seal(&record[..magic], record[magic..].to_vec());
    record.truncate(magic);
    record.extend_from_slice(&row);
    StoreDirectory::put(&image)
}

#[test]
fn a_newer_format_is_refused_with_not_a_byte_written() {
    let folder = with_record(0, &2_u32.to_be_bytes());
    folder.check_refused(StoreErrorKind::NewerSchema);
    let error = folder.open().unwrap_err().to_string();
    assert!(error.contains("format 2"), "{error}");
}

#[test]
fn newer_chunks_are_refused_with_not_a_byte_written() {
    let folder = with_record(4, &9_u16.to_be_bytes());
    folder.check_refused(StoreErrorKind::NewerSchema);
}

#[test]
fn a_damaged_record_is_refused_with_not_a_byte_written() {
    with_record(0, &0_u32.to_be_bytes()).check_refused(StoreErrorKind::Corrupt);
    let mut image = closed_store();
    image.file("heronry")[15] ^= 1;
    StoreDirectory::put(&image).check_refused(StoreErrorKind::Corrupt);
}

/// Returns a store after a change to one row, by its key and the number of its fragment.
fn changed(table: &str, key: &[u8], value: Option<&[u8]>) -> StoreDirectory {
    let folder = StoreDirectory::put(&closed_store());
    let config = sled::Config::new().path(folder.store());
    let db = config.segment_size(2 * 1024 * 1024).open().unwrap();
    let tree = db.open_tree(table).unwrap();
    match value {
        Some(value) => tree.insert(key, value).unwrap(),
        None => tree.remove(key).unwrap(),
    }
    .unwrap();
    drop((tree, db));
    wait_unlocked(&folder);
    folder
}

/// Waits until no thread of a database that was dropped holds its file any more: sled's own
/// threads let go of it a little later.
fn wait_unlocked(folder: &StoreDirectory) {
    let db = fs::File::open(folder.store().join("db")).unwrap();
    db.lock().unwrap();
}

#[test]
fn damage_that_opening_meets_is_refused() {
    let pool = sample::pool(1);
    let row = [pool.as_str().as_bytes(), &[0, 0]].concat();
    let place = row_keys::placed(row_keys::PoolNo(1), Position(1));
    let chunk = [&place[..], &[0, 0]].concat();
    let mut bytes = sample::commit(None, 2).chunks.remove(0).bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    bytes.splice(0..0, [0, 1]);
    for (table, key, value) in [
        ("pools", &row, Some(&[0, 1, 9, 9, 9][..])),
        ("pools", &row, Some(&[])),
        ("pools", &row, None),
        ("journal", &chunk, Some(&bytes)),
        ("journal", &chunk, Some(&[0, 2, 9])),
        ("journal", &chunk, None),
    ] {
        let folder = changed(table, key, value);
        let error = folder.open().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{table}: {error}");
    }
}

#[test]
fn a_newer_chunk_is_refused() {
    let place = row_keys::placed(row_keys::PoolNo(1), Position(1));
    let mut bytes = sample::commit(None, 2).chunks.remove(0).bytes().to_vec();
    // The version of the chunk format stands behind the four bytes of the magic. What follows it in
    // another format is not what follows it in this one.
    bytes[4] = 9;
    bytes[40] ^= 1;
    bytes.splice(0..0, [0, 1]);
    let folder = changed("journal", &[&place[..], &[0, 0]].concat(), Some(&bytes));
    let error = folder.open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NewerSchema, "{error}");
}

#[test]
fn later_tables_that_are_missing_are_made() {
    let folder = StoreDirectory::put(&closed_store());
    let config = sled::Config::new().path(folder.store());
    let db = config.segment_size(2 * 1024 * 1024).open().unwrap();
    // So a build from before them left the store.
    for table in ["snapshots", "cursors"] {
        assert!(db.drop_tree(table).unwrap(), "{table}");
    }
    drop(db);
    wait_unlocked(&folder);
    for cursors in 0..2 {
        let (store, pool) = (folder.open().unwrap(), sample::pool(1));
        assert_eq!(block_on(store.snapshots.latest(&pool)).unwrap(), None);
        let found = block_on(store.cursors.list(&pool)).unwrap();
        assert_eq!(found.len(), cursors);
        let at = ConsumerCursor::new(
            Cursor::new(sample::EPOCH, Position(1)),
            FilterFingerprint([1; 32]),
        );
        let name = ConsumerId::parse("a").unwrap();
        let expected = found.first().map(|it| it.cursor);
        block_on(store.cursors.commit(&pool, &name, expected, at)).unwrap();
    }
}

#[test]
fn a_store_that_another_program_uses_is_locked() {
    let folder = StoreDirectory::put(&closed_store());
    let config = sled::Config::new().path(folder.store());
    let db = config.segment_size(2 * 1024 * 1024).open().unwrap();
    let error = folder.open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Locked, "{error}");
    drop(db);
}

#[test]
fn an_empty_directory_is_as_good_as_none() {
    let folder = StoreDirectory::put(&Image::of_empty_directory());
    assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotFound);
    let store = folder.open_or_create().unwrap();
    assert_eq!(block_on(store.journal.pools()).unwrap(), []);
    drop(store);
    folder.open().unwrap();
}
