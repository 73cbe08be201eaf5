//! Many pools share one transaction and one sync.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{FutureExt, executor::block_on, future::join_all};
use heronry_store::{ContentPlace, Guard, ReadError};
use heronry_store_sled::{DiskHook, DiskOp};
use heronry_testkit::{SyncGate, sample};
use heronry_types::Position;

use crate::disk::{Folder, Writer};

#[derive(Clone, Debug, Default)]
struct Gated(SyncGate);

impl DiskHook for Gated {
    fn before(&self, op: DiskOp) -> io::Result<()> {
        match op {
            DiskOp::Sync => self.0.before_sync(),
            DiskOp::Write | _ => Ok(()),
        }
    }
}
#[test]
fn appends_that_queue_up_behind_a_sync_share_the_next_one() {
    let folder = Folder::new();
    let gate = Gated::default();
    let store = folder.open_watched(Arc::new(gate.clone())).unwrap();
    let pools: Vec<_> = (0..64).map(sample::pool).collect();
    let acquire = |pool| store.leases.acquire(pool, "a test", sample::time(0));
    let tokens = block_on(join_all(pools.iter().map(acquire)));
    let mut appends: Vec<_> = pools
        .iter()
        .zip(tokens)
        .map(|(pool, token)| {
            let guard = Guard {
                expected_head: Position::ZERO,
                token: token.unwrap(),
            };
            let commit = sample::commit(None, 1);
            store.journal.append(pool, commit, guard)
        })
        .collect();

    let hold = gate.0.hold();
    assert!(appends[0].as_mut().now_or_never().is_none());
    hold.wait_reached().unwrap();
    let before = gate.0.syncs();
    for append in &mut appends[1..] {
        assert!(append.as_mut().now_or_never().is_none());
    }
    hold.release();
    for end in block_on(join_all(appends)) {
        assert_eq!(end.unwrap().head, Position(1));
    }
    assert_eq!(gate.0.syncs() - before, 1, "63 appends, one sync");
}

#[test]
fn a_content_by_itself_is_shown_after_its_sync() {
    let folder = Folder::new();
    let gate = Gated::default();
    let Writer { store, token, .. } =
        Writer::of(folder.open_watched(Arc::new(gate.clone())).unwrap());
    let pool = sample::pool(1);
    let is_there = || {
        let name = sample::content_ref(1);
        let found = store.contents.get(&pool, name, ContentPlace::Alone);
        block_on(found).unwrap().is_some()
    };
    let hold = gate.0.hold();
    let body = sample::body(1);
    let mut put = store
        .contents
        .put(&pool, sample::content_ref(1), body, token);
    assert!(put.as_mut().now_or_never().is_none());
    hold.wait_reached().unwrap();
    assert!(!is_there(), "it is shown before it lasts");
    hold.release();
    block_on(put).unwrap();
    assert!(is_there());
}

#[test]
fn reads_beside_trims_are_whole_or_say_that_it_was_trimmed() {
    let folder = Folder::new();
    let mut writer = Writer::of(folder.open_or_create().unwrap());
    let commits = 300;
    for _ in 0..commits {
        writer.write(1).unwrap();
    }
    let pool = sample::pool(1);
    let journal = Arc::clone(&writer.store.journal);
    let is_done = AtomicBool::new(false);
    let (mut whole, mut trimmed) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for before in 1..=commits {
                let trim = journal.trim(&pool, Position(before), writer.token);
                assert_eq!(block_on(trim).unwrap().floor, Position(before));
            }
            is_done.store(true, Ordering::Release);
        });
        while !is_done.load(Ordering::Acquire) {
            let head = block_on(journal.head(&pool)).unwrap().unwrap();
            let after = head.floor.previous();
            match block_on(journal.read(&pool, after, usize::MAX)) {
                Ok(page) => {
                    assert_eq!(page.chunks.last().unwrap().last(), Position(commits));
                    whole += 1;
                }
                Err(ReadError::Trimmed { floor, .. }) => {
                    assert!(floor > head.floor);
                    trimmed += 1;
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    assert!(whole > 0, "{whole} whole pages, {trimmed} were trimmed");
}
