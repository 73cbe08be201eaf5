//! Opening a store: the files that are opened, and those that are refused and left as they are.

use std::{env, fs, process::Command};

use futures::executor::block_on;
use heronry_store::{ConsumerCursor, ConsumerId, FilterFingerprint, StoreErrorKind};
use heronry_store_embedded::row_keys;
use heronry_store_redb::RedbStore;
use heronry_testkit::sample;
use heronry_types::{Cursor, Position};
use redb::{Database, ReadableDatabase, TableDefinition, TableHandle};

use crate::disk::StoreDirectory;

type RawTable = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// Checks that the file is refused as this, naming it, and not a byte of it changes.
fn check_refused(folder: &StoreDirectory, kind: StoreErrorKind) {
    let before = folder.bytes();
    for _ in 0..2 {
        let error = folder.open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(folder.open_or_create().unwrap_err().kind(), kind);
    }
    assert!(folder.bytes() == before, "the file was changed");
    assert!(!folder.creating().exists());
}

#[test]
fn what_is_not_a_store_is_refused_and_left_as_it_is() {
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    for bytes in [&b""[..], b"x", b"somebody's letters", &noise] {
        check_refused(&StoreDirectory::put(bytes), StoreErrorKind::NotAStore);
    }
    let folder = StoreDirectory::new();
    fs::create_dir(folder.file()).unwrap();
    assert_eq!(folder.open().unwrap_err().kind(), StoreErrorKind::NotAStore);
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
    check_refused(&folder, StoreErrorKind::NotAStore);
    check_refused(&crashed, StoreErrorKind::NotAStore);
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
        check_refused(&folder, StoreErrorKind::NewerSchema);
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
            check_refused(&StoreDirectory::put(&file), StoreErrorKind::Corrupt);
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
        check_refused(&folder, StoreErrorKind::NewerSchema);
    }
}

#[test]
fn damage_that_opening_meets_is_refused_with_not_a_byte_written() {
    let mut chunk = sample::commit(None, 2).chunks.remove(0).bytes().to_vec();
    let last = chunk.len() - 1;
    chunk[last] ^= 1;
    let key = row_keys::placed(row_keys::PoolNo(1), Position(1));
    for folder in changed("journal", &key, &chunk) {
        check_refused(&folder, StoreErrorKind::Corrupt);
        let error = folder.open().unwrap_err().to_string();
        assert!(error.contains("pool pool-1, position 2"), "{error}");
    }
    for folder in changed("pools", sample::pool(1).as_str().as_bytes(), &[0; 16]) {
        check_refused(&folder, StoreErrorKind::Corrupt);
    }
    for folder in changed("format", b"heronry", &0_u32.to_be_bytes()) {
        check_refused(&folder, StoreErrorKind::Corrupt);
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
    let at = ConsumerCursor {
        cursor: Cursor::new(sample::EPOCH, Position(1)),
        filter: FilterFingerprint([1; 32]),
    };
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

#[test]
fn a_place_without_a_store_is_said() {
    let error = StoreDirectory::new().open().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    let error = RedbStore::open("/nonexistent/place/heronry.redb").unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
}

#[test]
fn a_file_that_may_not_be_written_is_said() {
    let folder = StoreDirectory::new();
    drop(folder.open_or_create().unwrap());
    let mut permissions = fs::metadata(folder.file()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.file(), permissions).unwrap();
    check_refused(&folder, StoreErrorKind::ReadOnly);
}

/// The variables that tell the second process the path of the file, and the result that it must
/// find.
const FILE: &str = "HERONRY_TEST_FILE";
const EXPECTED: &str = "HERONRY_TEST_EXPECTED";

#[test]
fn a_second_process_is_refused() {
    if let (Some(file), Ok(expected)) = (env::var_os(FILE), env::var(EXPECTED)) {
        let found = RedbStore::open(&file).map_err(|error| (error.kind(), error.to_string()));
        match (expected.as_str(), found) {
            ("opened", Ok(_)) => {}
            ("locked", Err((StoreErrorKind::Locked, text))) => {
                assert!(text.contains(&*file.to_string_lossy()), "{text}");
            }
            (expected, found) => panic!("expected {expected}, found {found:?}"),
        }
        return;
    }
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    check_second_process(&folder, "locked");
    writer.write(1).unwrap();
    check_second_process(&folder, "locked");
    drop(writer);
    check_second_process(&folder, "opened");
}

fn check_second_process(folder: &StoreDirectory, expected: &str) {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", "opening::a_second_process_is_refused"])
        .env(FILE, folder.file())
        .env(EXPECTED, expected)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "expected {expected}: {text}");
}
