//! The cause of a store's closing stands in the error of the call that closed it, and in those of
//! all later ones.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use futures::executor::block_on;
use heronry_store::{AppendError, Guard, StoreErrorKind};
use heronry_store_redb::{DiskHook, DiskOp};
use heronry_testkit::sample;
use heronry_types::Position;

use crate::disk::StoreDirectory;

/// Fails with the error of this number, unless it is 0: every change, or the next sync.
#[derive(Debug, Default)]
struct Failing {
    change: AtomicI32,
    sync: AtomicI32,
}

impl DiskHook for Failing {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        let number = match op {
            DiskOp::Sync => self.sync.load(Ordering::SeqCst),
            DiskOp::Read { .. } => 0,
            DiskOp::Write { .. } | DiskOp::SetLen(_) => self.change.load(Ordering::SeqCst),
        };
        match number {
            0 => Ok(()),
            number => Err(io::Error::from_raw_os_error(number)),
        }
    }
}

fn check(number: i32, expected: StoreErrorKind, arm: impl Fn(&Failing, i32)) {
    let folder = StoreDirectory::new();
    let hook = Arc::new(Failing::default());
    let store = folder.open_watched(hook.clone()).unwrap();
    let pool = sample::pool(1);
    let acquired =
        store
            .leases
            .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM);
    let guard = Guard {
        expected_head: Position::ZERO,
        token: block_on(acquired).unwrap(),
    };
    arm(&hook, number);
    let append = store.journal.append(&pool, sample::commit(None, 1), guard);
    let AppendError::Store { error, .. } = block_on(append).unwrap_err() else {
        panic!("the store did not fail");
    };
    assert_eq!(error.cause(), expected, "{error}");
    let later = block_on(store.journal.pools()).unwrap_err();
    assert_eq!(
        (later.kind(), later.cause()),
        (StoreErrorKind::Closed, expected)
    );
    let closed = block_on(store.journal.closed());
    assert_eq!(
        (closed.kind(), closed.cause()),
        (StoreErrorKind::Closed, expected)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_a_quota_a_read_only_file_system_and_a_bad_device_are_told_apart() {
    // ENOSPC, EDQUOT, EROFS and EIO, as Linux numbers them.
    for (number, expected) in [
        (28, StoreErrorKind::Full),
        (122, StoreErrorKind::Full),
        (30, StoreErrorKind::ReadOnly),
        (5, StoreErrorKind::Io),
    ] {
        check(number, expected, |hook, number| {
            hook.change.store(number, Ordering::SeqCst);
        });
        check(number, expected, |hook, number| {
            hook.sync.store(number, Ordering::SeqCst);
        });
    }
}
