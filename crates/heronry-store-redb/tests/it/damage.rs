//! Flipped bits are typed errors, never wrong values.

use futures::executor::block_on;
use heronry_store::{
    Checkpoint, FencingToken, KEYED_ENTRY_BYTES, KeyedEntry, LEASE_TERM, ReadError, Store,
    StoreError, StoreErrorKind,
};
use heronry_store_embedded::row_keys;
use heronry_testkit::{recovery::read_back, sample};
use heronry_types::Position;

use crate::disk::StoreDirectory;

/// Five chunks of two records, each with a content, in a closed file.
fn file() -> Vec<u8> {
    let folder = StoreDirectory::new();
    let mut writer = folder.writer();
    for _ in 0..5 {
        writer.write(2).unwrap();
    }
    drop(writer);
    folder.bytes()
}

/// Reads everything that was written, and checks each value that is read.
fn read_all(folder: &StoreDirectory) -> Result<(), StoreError> {
    read_back(folder.open(), 5).unwrap().map_or(Ok(()), Err)
}

#[test]
fn a_chunk_of_another_history_in_a_valid_place_is_seen() {
    let folder = StoreDirectory::put(&file());
    let first = sample::commit(None, 2).chunks.remove(0);
    let before = heronry_store::Head {
        epoch: sample::EPOCH,
        head: first.last(),
        floor: Position(1),
        last_hash: first.header().previous,
    };
    // The second chunk, valid by itself, as it would follow another first one.
    let other = sample::commit(Some(before), 2).chunks.remove(0);
    let database = redb::Database::open(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let journal = redb::TableDefinition::<&[u8], &[u8]>::new("journal");
    let key = row_keys::placed(row_keys::PoolNo(1), other.first());
    transaction
        .open_table(journal)
        .unwrap()
        .insert(key.as_slice(), &**other.bytes())
        .unwrap();
    transaction.commit().unwrap();
    drop(database);

    let (store, pool) = (folder.open().unwrap(), sample::pool(1));
    let read = store.journal.read(&pool, Position::ZERO, usize::MAX);
    let ReadError::Store(error) = block_on(read).unwrap_err() else {
        panic!("damage was taken for something else");
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(
        error.to_string().contains("pool pool-1, position 3"),
        "{error}"
    );
}

/// Keys under which something was decided at the first position, in their order.
fn keys() -> Vec<KeyedEntry> {
    let keyed = (1..=9).map(|number| {
        let mut bytes = [0; KEYED_ENTRY_BYTES];
        (bytes[0], bytes[23]) = (number, 1);
        KeyedEntry::from_bytes(&bytes).unwrap()
    });
    keyed.collect()
}

fn own(store: &Store) -> FencingToken {
    let (leases, pool) = (&store.leases, sample::pool(1));
    block_on(leases.acquire(&pool, "a test", sample::time(0), LEASE_TERM)).unwrap()
}

fn put(store: &Store, run: Vec<KeyedEntry>, token: FencingToken) -> Result<(), StoreError> {
    let pool = sample::pool(1);
    let head = block_on(store.journal.head(&pool)).unwrap().unwrap();
    let checkpoint = Checkpoint {
        epoch: head.epoch,
        position: head.head,
        hash: head.last_hash,
    };
    block_on(store.keys.put_run(&pool, run, checkpoint, token))
}

/// A run on top of keys that are given up would say that there are no others.
#[test]
fn nothing_is_put_on_top_of_damaged_keys_until_they_are_begun_anew() {
    let folder = StoreDirectory::put(&file());
    let store = folder.open().unwrap();
    put(&store, keys(), own(&store)).unwrap();
    drop(store);
    let database = redb::Database::open(folder.file()).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<&[u8], &[u8]>::new("claims");
    {
        let mut table = transaction.open_table(table).unwrap();
        let rows = redb::ReadableTable::iter(&table).unwrap();
        let rows =
            rows.map(|row| row.map(|(key, row)| (key.value().to_vec(), row.value().to_vec())));
        let rows: Vec<_> = rows.collect::<Result<_, _>>().unwrap();
        // The block is a checksum, a byte, a hash and nine entries.
        let is_block = |row: &Vec<u8>| row.len() == 4 + 1 + 16 + 9 * KEYED_ENTRY_BYTES;
        let (key, mut row) = rows.into_iter().find(|(_, row)| is_block(row)).unwrap();
        *row.last_mut().unwrap() ^= 1;
        table.insert(key.as_slice(), row.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);

    let (store, pool) = (folder.open().unwrap(), sample::pool(1));
    let token = own(&store);
    let asked: Vec<_> = keys().iter().map(|keyed| keyed.key).collect();
    let listed = block_on(store.keys.list(&pool, None, 9)).unwrap_err();
    assert_eq!(listed.kind(), StoreErrorKind::Corrupt);
    let found = block_on(store.keys.find(&pool, &asked)).unwrap_err();
    assert_eq!(found.kind(), StoreErrorKind::Corrupt);
    let refused = put(&store, keys(), token).unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
    assert_eq!(block_on(store.keys.checkpoint(&pool)).unwrap(), None);
    block_on(store.keys.clear(&pool)).unwrap();
    put(&store, keys(), token).unwrap();
    assert_eq!(block_on(store.keys.list(&pool, None, 99)).unwrap(), keys());
}

fn find(file: &[u8], part: &[u8]) -> Vec<usize> {
    let starts = 0..file.len() - part.len();
    starts
        .filter(|at| &file[*at..*at + part.len()] == part)
        .collect()
}

#[test]
fn a_flip_anywhere_in_a_chunk_or_a_body_is_seen() {
    let good = file();
    read_all(&StoreDirectory::put(&good)).unwrap();
    let mut head = None;
    for _ in 0..5 {
        let chunk = sample::commit(head, 2).chunks.remove(0);
        for at in (0..chunk.bytes().len()).step_by(41) {
            check_flip(&good, chunk.bytes(), at);
        }
        let number = chunk.first().0 - 1;
        let body = sample::body(number).bytes;
        for at in (0..body.len()).step_by(17) {
            check_flip(&good, &body, at);
        }
        head = Some(heronry_store::Head {
            epoch: sample::EPOCH,
            head: chunk.last(),
            floor: Position(1),
            last_hash: chunk.hash(),
        });
    }
}

/// Flips one bit of every copy of a part that the file has; redb keeps older ones beside the last.
fn check_flip(good: &[u8], part: &[u8], at: usize) {
    let copies = find(good, part);
    assert!(!copies.is_empty(), "the part is not in the file");
    let mut file = good.to_vec();
    for copy in copies {
        file[copy + at] ^= 1 << (at % 8);
    }
    let error = read_all(&StoreDirectory::put(&file)).unwrap_err();
    let kind = error.kind();
    let typed = matches!(kind, StoreErrorKind::Corrupt | StoreErrorKind::NewerSchema);
    assert!(typed, "a flip at {at} is {kind:?}: {error}");
}

#[test]
fn a_flip_anywhere_in_the_file_gives_no_wrong_value() {
    let good = file();
    let used = good.iter().rposition(|byte| *byte != 0).unwrap();
    let step = used / 150;
    for at in (0..used).step_by(step) {
        let mut file = good.clone();
        file[at] ^= 0x10;
        // What is read is right, or the error says what it is.
        if let Err(error) = read_all(&StoreDirectory::put(&file)) {
            let kind = error.kind();
            assert!(
                matches!(
                    kind,
                    StoreErrorKind::Corrupt
                        | StoreErrorKind::NotAStore
                        | StoreErrorKind::NewerSchema
                        | StoreErrorKind::Io
                ),
                "a flip at {at} is {kind:?}: {error}"
            );
        }
    }
}

#[test]
fn a_file_that_is_cut_off_gives_no_wrong_value() {
    let good = file();
    for part in 1..20 {
        let cut = good.len() * part / 20;
        assert!(
            read_all(&StoreDirectory::put(&good[..cut])).is_err(),
            "cut at {cut}"
        );
    }
}
