//! A store that several processes share: ownership is renewed, ends with its term, and fences.

use std::{future::Future, sync::Arc, time::Duration};

use heronry_pool::{Caller, decide::DescribePool};
use heronry_runtime::{CallError, OpenError, Pool, Runtime, RuntimeOptions, StopReason};
use heronry_store::{CommitOutcome, LEASE_TERM, LeaseError, Store};
use heronry_store_memory::MemoryStore;
use heronry_testkit::{ManualClock, SeededIds, SharedHub};
use heronry_tests::{World, pool, run};
use heronry_types::{Millis, PoolSpec};

/// Two processes that have one store open, each with a clock of its own, and the store's clock.
struct SharedScene {
    store_clock: ManualClock,
    clocks: [ManualClock; 2],
    runtimes: [Runtime; 2],
}

impl SharedScene {
    fn new() -> Self {
        let store_clock = ManualClock::default();
        let memory = Store::of(Arc::new(MemoryStore::new()));
        let hub = SharedHub::over(memory, store_clock.clone());
        let clocks = [ManualClock::default(), ManualClock::default()];
        let runtime = |(clock, name): (&ManualClock, u64)| {
            let options = RuntimeOptions::new([7; 32], format!("process {name}"))
                .with_clock(Arc::new(clock.clone()))
                .with_ids(Arc::new(SeededIds::new(name)));
            Runtime::new(hub.open(), options)
        };
        let runtimes = [runtime((&clocks[0], 1)), runtime((&clocks[1], 2))];
        Self {
            store_clock,
            clocks,
            runtimes,
        }
    }

    async fn open(&self, process: usize) -> Result<Pool, OpenError> {
        let opened = self.runtimes[process]
            .open(&pool("p"), PoolSpec::default())
            .await?;
        Ok(opened.pool)
    }

    /// Checks that the second process is told that the first one owns the pool.
    async fn check_owned(&self) {
        let error = self.open(1).await.unwrap_err();
        let OpenError::Lease(LeaseError::Owned { owner, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(owner, "process 1");
    }

    /// Moves the clock of the first process to its next renewal, and waits until that is done.
    async fn renew(&self) {
        let clock = &self.clocks[0];
        let every = Millis(LEASE_TERM.0 / 3);
        until(|| async { clock.next_alarm().is_some() }).await;
        let due = clock.next_alarm().unwrap();
        clock.advance(every);
        until(|| async { clock.next_alarm().is_some_and(|next| next > due) }).await;
    }
}

/// Waits for what must come: only a failure takes so long.
async fn until<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    let most = Duration::from_secs(60);
    tokio::time::timeout(most, waiting).await.unwrap();
}

async fn send(pool: &Pool, lead: &Caller, key: &str) -> Result<(), CallError> {
    use heronry_pool::decide::SendMessage;
    let request = World::to_run("lead", key, "-");
    let send = SendMessage::new(lead.clone(), run("lead"), request);
    pool.call(send).await.map(drop)
}

async fn join(pool: &Pool) -> Caller {
    let joined = pool.call(World::joining("lead")).await.unwrap();
    World::member("lead", joined.generation)
}

fn is_lost(error: &CallError) -> bool {
    let lost = StopReason::OwnershipLost;
    matches!(error, CallError::Stopped { outcome: CommitOutcome::None, why } if *why == lost)
}

#[tokio::test]
async fn an_owner_renews_its_lease_as_long_as_it_lives() {
    let scene = SharedScene::new();
    let owned = scene.open(0).await.unwrap();
    let lead = join(&owned).await;
    for round in 0..6 {
        scene.store_clock.advance(Millis(LEASE_TERM.0 / 3));
        scene.renew().await;
        scene.check_owned().await;
        send(&owned, &lead, &format!("k{round}")).await.unwrap();
    }
    // A release gives the pool away at once.
    scene.runtimes[0].shutdown().await;
    scene.open(1).await.unwrap();
}

#[tokio::test]
async fn a_silent_owner_loses_the_pool_and_its_next_append_is_fenced() {
    let scene = SharedScene::new();
    let owned = scene.open(0).await.unwrap();
    let lead = join(&owned).await;
    send(&owned, &lead, "before").await.unwrap();
    // The first process stands still while time goes on for the store.
    scene.store_clock.advance(Millis(LEASE_TERM.0 - 1));
    scene.check_owned().await;
    scene.store_clock.advance(Millis(1));
    let taken = scene.open(1).await.unwrap();
    let error = send(&owned, &lead, "late").await.unwrap_err();
    assert!(is_lost(&error), "{error:?}");
    // The second process has what was acknowledged, and goes on.
    send(&taken, &lead, "after").await.unwrap();
    let error = scene.open(0).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Lease(LeaseError::Owned { .. })),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_owner_that_finds_its_lease_lost_stops_without_an_append() {
    let scene = SharedScene::new();
    let owned = scene.open(0).await.unwrap();
    let lead = join(&owned).await;
    scene.store_clock.advance(LEASE_TERM);
    let taken = scene.open(1).await.unwrap();
    let caller = lead.clone();
    let describe = || {
        owned.call(DescribePool {
            caller: caller.clone(),
        })
    };
    describe().await.unwrap();
    scene.clocks[0].advance(Millis(LEASE_TERM.0 / 3));
    until(|| async { describe().await.is_err_and(|error| is_lost(&error)) }).await;
    send(&taken, &lead, "after").await.unwrap();
}
