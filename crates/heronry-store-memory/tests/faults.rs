//! The fault-injecting store fails as a real one does: shown over the memory store.

#![cfg(test)]

use std::sync::Arc;

use futures::{FutureExt, executor::block_on};
use heronry_store::{AppendError, Commit, CommitOutcome, Guard, Head, Store, StoreErrorKind};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{AppendFault, FaultStore, Faulty, sample};
use heronry_types::Position;

fn faulty() -> Faulty {
    FaultStore::over(Store::of(Arc::new(MemoryStore::new())))
}

/// Owns the first pool, and names the guard of an honest writer.
async fn own(store: &Store) -> Result<Guard, heronry_store::LeaseError> {
    let pool = sample::pool(1);
    let token = store
        .leases
        .acquire(&pool, "a test", sample::time(0), heronry_store::LEASE_TERM)
        .await?;
    let head = store.journal.head(&pool).await?;
    Ok(Guard {
        expected_head: head.map_or(Position::ZERO, |head| head.head),
        token,
    })
}

async fn append(store: &Store, guard: Guard) -> Result<Head, AppendError> {
    let head = store.journal.head(&sample::pool(1)).await;
    let commit: Commit = sample::commit(head.ok().flatten(), 2);
    store.journal.append(&sample::pool(1), commit, guard).await
}

fn outcome(end: &Result<Head, AppendError>) -> Option<CommitOutcome> {
    match end {
        Err(AppendError::Store { outcome, .. }) => Some(*outcome),
        Ok(_) | Err(_) => None,
    }
}

/// Fails the first append, and checks what the caller is told and what a reopening finds.
fn check(fault: AppendFault, told: Option<CommitOutcome>, found: Option<u64>) {
    block_on(async {
        let Faulty { store, faults } = faulty();
        faults.fail_append(1, fault);
        let guard = own(&store).await.unwrap();
        assert_eq!(outcome(&append(&store, guard).await), told, "{fault:?}");
        assert_eq!(faults.is_closed(), told.is_some(), "{fault:?}");
        if faults.is_closed() {
            let later = append(&store, guard).await;
            assert_eq!(outcome(&later), Some(CommitOutcome::None), "{fault:?}");
            let error = store.journal.head(&sample::pool(1)).await.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Closed);
        }
        let Faulty { store, faults } = faults.reopen().await.unwrap();
        let head = store.journal.head(&sample::pool(1)).await.unwrap();
        assert_eq!(head.map(|head| head.head.0), found, "{fault:?}");
        let guard = own(&store).await.unwrap();
        append(&store, guard).await.unwrap();
        assert_eq!(faults.appends(), 1);
    });
}

#[test]
fn a_planned_fault_is_told_as_planned_and_found_after_reopening() {
    check(
        AppendFault::UnknownKept,
        Some(CommitOutcome::Unknown),
        Some(2),
    );
    check(
        AppendFault::UnknownNotKept,
        Some(CommitOutcome::Unknown),
        None,
    );
    check(AppendFault::Fenced, None, None);
    check(AppendFault::Conflict, None, None);
}

#[test]
fn a_held_append_shows_nothing_until_it_goes_on() {
    block_on(async {
        let Faulty { store, faults } = faulty();
        let guard = own(&store).await.unwrap();
        let hold = faults.hold_appends();
        let mut waiting = append(&store, guard).boxed();
        assert!((&mut waiting).now_or_never().is_none());
        hold.reached(1).await;
        let head = store.journal.head(&sample::pool(1)).await.unwrap();
        assert_eq!(head, None);
        hold.release();
        assert_eq!(waiting.await.unwrap().head, Position(2));
    });
}

#[test]
fn what_is_held_behind_a_failing_append_was_not_written() {
    block_on(async {
        let Faulty { store, faults } = faulty();
        let guard = own(&store).await.unwrap();
        let hold = faults.hold_appends();
        let mut first = append(&store, guard).boxed();
        let mut second = append(&store, guard).boxed();
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        hold.reached(2).await;
        faults.fail_next_append(AppendFault::UnknownNotKept);
        hold.release();
        assert_eq!(outcome(&first.await), Some(CommitOutcome::Unknown));
        assert_eq!(outcome(&second.await), Some(CommitOutcome::None));
    });
}
