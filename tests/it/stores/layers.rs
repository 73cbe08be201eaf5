//! The layers that watch the calls of a store: they change no answer, and count each call as it ended.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, executor::block_on};
use heronry_runtime::layers::{Meter, Metered, OperationFigures, StoreOperation, traced};
use heronry_store::{AppendError, Guard, LEASE_TERM, ReadError, Store, StoreError, StoreErrorKind};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{
    AppendFault, FaultStore, Faulty, ManualClock,
    conformance::{self, Capability, Failure, StorePlace, Subject, Verdict},
    sample,
};
use heronry_tests::log::ThreadLog;
use heronry_types::{Millis, Position};

fn memory() -> Store {
    Store::of(Arc::new(MemoryStore::new()))
}

fn watched(inner: Store) -> Metered {
    Meter::over(traced(inner), Arc::new(ManualClock::default()))
}

struct Watched;

impl Subject for Watched {
    fn offers(&self, _: Capability) -> bool {
        false
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn place(&self) -> Result<Box<dyn StorePlace>, Failure> {
        Ok(Box::new(Self))
    }
}

impl StorePlace for Watched {
    fn open(&self) -> Result<Store, StoreError> {
        Ok(watched(memory()).store)
    }
}

/// The figures of an operation.
fn figures(meter: &Meter, port: &'static str, name: &'static str) -> OperationFigures {
    let operation = StoreOperation { port, name };
    let all = meter.figures().operations;
    all.get(&operation).copied().unwrap_or_default()
}

fn counts(meter: &Meter, port: &'static str, name: &'static str) -> [u64; 3] {
    let found = figures(meter, port, name);
    [found.ok, found.refused, found.failed]
}

/// Owns the first pool, whose journal is empty.
async fn own(store: &Store) -> Guard {
    let pool = sample::pool(1);
    let acquired = store
        .leases
        .acquire(&pool, "a test", sample::time(0), LEASE_TERM);
    Guard {
        expected_head: Position::ZERO,
        token: acquired.await.unwrap(),
    }
}

#[test]
fn a_store_whose_calls_are_watched_passes_the_suite_of_the_store_beneath() {
    let certificate = conformance::certificate(&Watched).unwrap();
    assert_eq!(certificate.verdict, Verdict::Passed);
}

#[test]
fn calls_are_counted_by_operation_and_their_answers_are_those_of_the_store() {
    let inner = memory();
    let Metered { store, meter } = watched(inner.clone());
    assert!(meter.figures().operations.is_empty());
    let pool = sample::pool(1);
    block_on(async {
        let guard = own(&store).await;
        let commit = sample::commit(None, 3);
        let head = store.journal.append(&pool, commit, guard).await.unwrap();
        assert_eq!(inner.journal.head(&pool).await.unwrap(), Some(head));
        for _ in 0..2 {
            let page = store.journal.read(&pool, Position::ZERO, 1 << 20).await;
            let beneath = inner.journal.read(&pool, Position::ZERO, 1 << 20).await;
            let (page, beneath) = (page.unwrap(), beneath.unwrap());
            assert_eq!((page.chunks.len(), page.head), (1, beneath.head));
            assert_eq!(page.chunks[0].bytes(), beneath.chunks[0].bytes());
        }
        assert_eq!(store.keys.find(&pool, &[]).await.unwrap(), []);
    });
    assert_eq!(counts(&meter, "leases", "acquire"), [1, 0, 0]);
    assert_eq!(counts(&meter, "journal", "append"), [1, 0, 0]);
    assert_eq!(counts(&meter, "journal", "read"), [2, 0, 0]);
    assert_eq!(counts(&meter, "keys", "find"), [1, 0, 0]);
    // What was asked of the store beneath went past the meter.
    assert_eq!(counts(&meter, "journal", "head"), [0, 0, 0]);
    assert_eq!(meter.figures().operations.len(), 4);
}

#[test]
fn a_call_that_ends_in_an_error_counts_once_as_a_refusal_or_a_failure() {
    let Faulty { store, faults } = FaultStore::over(memory());
    let Metered { store, meter } = watched(store);
    let pool = sample::pool(1);
    block_on(async {
        let absent = store.journal.read(&pool, Position::ZERO, 1).await;
        assert!(matches!(absent, Err(ReadError::NoPool)));
        let guard = own(&store).await;
        for fault in [AppendFault::Fenced, AppendFault::UnknownNotKept] {
            faults.fail_next_append(fault);
            let append = store.journal.append(&pool, sample::commit(None, 1), guard);
            let error = append.await.unwrap_err();
            let is_failure = matches!(error, AppendError::Store { .. });
            assert_eq!(is_failure, fault == AppendFault::UnknownNotKept, "{error}");
        }
        let error = store.keys.find(&pool, &[]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Closed);
    });
    assert_eq!(counts(&meter, "journal", "read"), [0, 1, 0]);
    assert_eq!(counts(&meter, "journal", "append"), [0, 1, 1]);
    assert_eq!(counts(&meter, "keys", "find"), [0, 0, 1]);
    assert_eq!(figures(&meter, "journal", "append").calls(), 2);
}

#[test]
fn the_time_of_calls_adds_up_and_the_longest_is_kept() {
    let Faulty { store, faults } = FaultStore::over(memory());
    let clock = ManualClock::default();
    let Metered { store, meter } = Meter::over(store, Arc::new(clock.clone()));
    let pool = sample::pool(1);
    let mut guard = block_on(own(&store));
    let mut head = None;
    for took in [30, 70, 20] {
        let hold = faults.hold_appends();
        let mut append = store.journal.append(&pool, sample::commit(head, 1), guard);
        assert!((&mut append).now_or_never().is_none());
        clock.advance(Millis(took));
        drop(hold);
        let after = block_on(append).unwrap();
        guard.expected_head = after.head;
        head = Some(after);
    }
    // A call that is given up has not ended, and does not count.
    let hold = faults.hold_appends();
    let append = store.journal.append(&pool, sample::commit(head, 1), guard);
    assert!(append.now_or_never().is_none());
    drop(hold);
    let found = figures(&meter, "journal", "append");
    assert_eq!(found.ok, 3);
    assert_eq!(found.times.sum(), 120_000, "microseconds");
    assert_eq!(found.max, Duration::from_millis(70));
}

#[test]
fn a_traced_call_is_a_span_and_says_how_it_ended() {
    let log = ThreadLog::begin();
    let store = traced(memory());
    let pool = sample::pool(1);
    block_on(async {
        let guard = own(&store).await;
        let commit = sample::commit(None, 2);
        store.journal.append(&pool, commit, guard).await.unwrap();
        let commit = sample::commit(None, 2);
        store
            .journal
            .append(&pool, commit, guard)
            .await
            .unwrap_err();
    });
    let text = log.text();
    let span = format!("store{{port=\"journal\" operation=\"append\" pool=\"{pool}\"}}");
    assert_eq!(text.matches(&span).count(), 2, "{text}");
    for outcome in ["outcome=\"ok\"", "outcome=\"refused\""] {
        let says = |line: &str| line.contains("operation=\"append\"") && line.contains(outcome);
        assert!(text.lines().any(says), "{outcome} in\n{text}");
    }
}
