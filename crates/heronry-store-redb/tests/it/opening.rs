//! Opening a store: the files that are opened, and those that are refused and left as they are.

use std::fs;

use futures::executor::block_on;
use heronry_store::{ConsumerCursor, ConsumerId, FilterFingerprint, StoreErrorKind};
use heronry_store_embedded::row_keys;
use heronry_testkit::sample;
use heronry_types::{Cursor, Position};
use redb::{Database, ReadableDatabase, TableDefinition, TableHandle};

use crate::disk::StoreDirectory;

type RawTable = TableDefinition<'static, &'static [u8], &'static [u8]>;

#[test]
fn an_empty_directory_is_no_store() {
    let folder = StoreDirectory::new();
    fs::create_dir(folder.file()).unwrap();
    folder.check_refused(StoreErrorKind::NotAStore);
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    let folder = StoreDirectory::new();
    let other = TableDefinition::<u64, u64>::new("letters");
    let database = Database::create(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(other).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    let crashed = StoreDirectory::put(&folder.bytes());
    drop(database);
    folder.check_refused(StoreErrorKind::NotAStore);
    crashed.check_refused(StoreErrorKind::NotAStore);
}

/// Returns a store after a change to one row: closed in order, and as a crash left it.
fn changed(table: &'static str, key: &[u8], value: &[u8]) -> [StoreDirectory; 2] {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    writer.write(2).unwrap();
    drop(writer);
    let database = Database::open(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let definition = RawTable::new(table);
    transaction
        .open_table(definition)
        .unwrap()
        .insert(key, value)
        .unwrap();
    transaction.commit().unwrap();
    let crashed = StoreDirectory::put(&folder.bytes());
    drop(database);
    [folder, crashed]
}

#[test]
fn a_newer_format_is_refused_with_not_a_byte_written() {
    for folder in changed("format", b"heronry", &2_u32.to_be_bytes()) {
        folder.check_refused(StoreErrorKind::NewerSchema);
        let error = folder.open().unwrap_err().to_string();
        assert!(error.contains("format 2"), "{error}");
        assert!(error.contains("heronry.redb"), "{error}");
    }
}

#[test]
fn a_flip_in_a_version_is_damage_and_no_newer_build() {
    let good = StoreDirectory::new();
    let mut writer = good.writer();
    writer.write(2).unwrap();
    drop(writer);
    let good = good.bytes();
    let chunk = sample::commit(None, 2).chunks.remove(0);
    for (stored, at, bytes) in [(&b"heronry"[..], 7, 4), (&chunk.bytes()[..], 4, 2)] {
        let copies = good.windows(stored.len()).enumerate();
        let copies = copies.filter(|(_, window)| *window == stored);
        let copies: Vec<_> = copies.map(|(copy, _)| copy + at).collect();
        assert!(!copies.is_empty());
        for bit in 0..bytes * 8 {
            let mut file = good.clone();
            for copy in &copies {
                file[copy + bit / 8] ^= 1 << (bit % 8);
            }
            StoreDirectory::put(&file).check_refused(StoreErrorKind::Corrupt);
        }
    }
}

#[test]
fn a_newer_chunk_is_refused_with_not_a_byte_written() {
    let chunk = sample::commit(None, 2).chunks.remove(0);
    let mut bytes = chunk.bytes().to_vec();
    // The version of the chunk format stands behind the four bytes of the magic. What follows it in
    // another format is not what follows it in this one.
    bytes[4] = 9;
    bytes[40] ^= 1;
    let key = row_keys::placed(row_keys::PoolNo(1), Position(1));
    for folder in changed("journal", &key, &bytes) {
        folder.check_refused(StoreErrorKind::NewerSchema);
    }
}

#[test]
fn damage_that_opening_meets_is_refused_with_not_a_byte_written() {
    let mut chunk = sample::commit(None, 2).chunks.remove(0).bytes().to_vec();
    let last = chunk.len() - 1;
    chunk[last] ^= 1;
    let key = row_keys::placed(row_keys::PoolNo(1), Position(1));
    for folder in changed("journal", &key, &chunk) {
        folder.check_refused(StoreErrorKind::Corrupt);
        let error = folder.open().unwrap_err().to_string();
        assert!(error.contains("pool pool-1, position 2"), "{error}");
    }
    for folder in changed("pools", sample::pool(1).as_str().as_bytes(), &[0; 16]) {
        folder.check_refused(StoreErrorKind::Corrupt);
    }
    for folder in changed("format", b"heronry", &0_u32.to_be_bytes()) {
        folder.check_refused(StoreErrorKind::Corrupt);
    }
}

#[test]
fn a_missing_row_of_the_last_commit_is_refused() {
    for folder in changed("last", b"rows", b"not such a row") {
        assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
}

/// Returns the names of the tables of a closed store.
fn tables(folder: &StoreDirectory) -> Vec<String> {
    let database = Database::open(folder.file()).unwrap();
    let transaction = database.begin_read().unwrap();
    let tables = transaction.list_tables().unwrap();
    tables.map(|table| table.name().to_owned()).collect()
}

#[test]
fn later_tables_are_made_when_they_are_written_to() {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    writer.write(2).unwrap();
    drop(writer);
    let first = ["contents", "format", "journal", "last", "packs", "pools"];
    assert_eq!(tables(&folder), first);

    let writer = folder.writer();
    let (store, pool) = (&writer.store, sample::pool(1));
    assert_eq!(block_on(store.cursors.list(&pool)).unwrap(), []);
    assert_eq!(block_on(store.snapshots.latest(&pool)).unwrap(), None);
    let at = ConsumerCursor::new(
        Cursor::new(sample::EPOCH, Position(1)),
        FilterFingerprint([1; 32]),
    );
    let name = ConsumerId::parse("a").unwrap();
    block_on(store.cursors.commit(&pool, &name, None, at)).unwrap();
    drop(writer);
    let with_cursors = [
        "contents", "cursors", "format", "journal", "last", "packs", "pools",
    ];
    assert_eq!(tables(&folder), with_cursors);
    let store = folder.open().unwrap();
    assert_eq!(block_on(store.cursors.get(&pool, &name)).unwrap(), Some(at));
}
