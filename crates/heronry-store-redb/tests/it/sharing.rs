//! Many pools share one transaction and one sync.

use std::{io, sync::Arc};

use futures::{FutureExt, executor::block_on, future::join_all};
use heronry_store::Guard;
use heronry_store_redb::{DiskHook, DiskOp};
use heronry_testkit::{SyncGate, sample};
use heronry_types::Position;

use crate::disk::StoreDirectory;

#[derive(Clone, Debug, Default)]
struct Gated(SyncGate);

impl DiskHook for Gated {
    fn before(&self, op: DiskOp<'_>) -> io::Result<()> {
        if let DiskOp::Sync = op {
            return self.0.before_sync();
        }
        Ok(())
    }
}

#[test]
fn appends_that_queue_up_behind_a_sync_share_the_next_one() {
    let folder = StoreDirectory::new();
    let gate = Gated::default();
    let store = folder.open_watched(Arc::new(gate.clone())).unwrap();
    let pools: Vec<_> = (0..64).map(sample::pool).collect();
    let acquire = |pool| {
        store
            .leases
            .acquire(pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
    };
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
