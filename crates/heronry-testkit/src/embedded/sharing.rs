//! Many pools share one transaction and one sync.

use std::sync::Arc;

use futures::{executor::block_on, future::join_all};
use heronry_store::{Guard, LEASE_TERM};
use heronry_types::Position;

use super::{EmbeddedAdapter, EmbeddedPlace};
use crate::{
    SyncGate,
    conformance::{Failure, check_waits, same},
    sample,
};

/// The number of pools that append at once.
const POOLS: u64 = 64;

/// Appends to many pools that queue up behind a sync share the next one.
///
/// # Errors
/// [`Failure`] says in which way the adapter broke the rule.
pub fn appends_that_queue_up_behind_a_sync_share_the_next_one<A: EmbeddedAdapter>()
-> Result<(), Failure> {
    let place = EmbeddedPlace::<A>::new()?;
    let gate = SyncGate::default();
    let store = place.open_watched(Arc::new(gate.clone()))?;
    let mut guards = Vec::new();
    for pool in (0..POOLS).map(sample::pool) {
        let acquire = store
            .leases
            .acquire(&pool, "a test", sample::time(0), LEASE_TERM);
        let token = block_on(acquire)?;
        let expected_head = Position::ZERO;
        let guard = Guard {
            expected_head,
            token,
        };
        guards.push((pool, guard));
    }
    let append = |(pool, guard)| store.journal.append(pool, sample::commit(None, 1), guard);
    let mut appends = guards.iter().map(|(pool, guard)| append((pool, *guard)));

    let hold = gate.hold();
    let mut first = appends.next().ok_or_else(|| Failure::new("no pool"))?;
    check_waits("the first append", &mut first)?;
    hold.wait_reached()?;
    let before = gate.syncs();
    let mut queued: Vec<_> = appends.collect();
    for append in &mut queued {
        check_waits("a queued append", append)?;
    }
    hold.release();
    for end in block_on(join_all([first].into_iter().chain(queued))) {
        same("a head", &end?.head, &Position(1))?;
    }
    let syncs = gate.syncs() - before;
    same("syncs of the appends that queued up", &syncs, &1)
}
