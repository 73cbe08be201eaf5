//! The thread that a read is done on: a short one where it is asked for, a long one elsewhere.

use futures::{FutureExt, executor::block_on};
use heronry_store::{Guard, LEASE_TERM};
use heronry_testkit::sample;
use heronry_types::Position;

use crate::disk::StoreDirectory;

/// More than is read where it is asked for.
const RECORDS: u64 = 100;
/// The bytes of a large page.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

#[test]
fn a_short_read_ends_at_once_and_a_long_one_leaves_the_thread_that_asks() {
    let folder = StoreDirectory::new();
    let store = folder.open_or_create().unwrap();
    let (pool, now) = (sample::pool(1), sample::time(0));
    let acquire = store.leases.acquire(&pool, "a test", now, LEASE_TERM);
    let guard = Guard {
        expected_head: Position::ZERO,
        token: block_on(acquire).unwrap(),
    };
    let commit = sample::commit(None, RECORDS);
    let head = block_on(store.journal.append(&pool, commit, guard)).unwrap();
    let read = |after, bytes_max| store.journal.read(&pool, Position(after), bytes_max);

    // Those who follow the head, and those who want little.
    let near = read(RECORDS - 1, PAGE_BYTES)
        .now_or_never()
        .unwrap()
        .unwrap();
    let little = read(0, 1).now_or_never().unwrap().unwrap();
    // The other thread may be that quick, and is not each time.
    let elsewhere = (0..1_000).any(|_| read(0, PAGE_BYTES).now_or_never().is_none());
    assert!(elsewhere, "every long read ended at once");
    let long = block_on(read(0, PAGE_BYTES)).unwrap();
    for page in [near, little, long] {
        assert_eq!((page.chunks.len(), page.head), (1, head));
    }
}
