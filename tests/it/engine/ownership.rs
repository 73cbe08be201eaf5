//! Ownership: one runtime for each pool, and a writer that was fenced stops.

use std::{future::Future, time::Duration};

use heronry_event::{CloseReason, StreamItem};
use heronry_pool::decide::{DescribePool, FindMessage, Viewer};
use heronry_runtime::{CallError, Follow, OpenError, StopReason};
use heronry_store::{CommitOutcome, LeaseError, StoreErrorKind};
use heronry_testkit::AppendFault;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, pool, run};
use heronry_types::{Millis, PoolSpec};

on_every_store! {
    a50_a_second_runtime_on_a_live_pool_is_refused
    a50_a_fenced_writer_stops_and_its_callers_are_told
    a50_a_writer_that_meets_a_conflict_stops_and_never_tries_again
    a50_whoever_waits_on_a_fenced_writer_is_told
}

on_every_store_that_is_reopened! {
    a50_a_second_process_cannot_open_the_store
}

/// Awaits what must come: only a failure takes so long.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what)
        .await
        .unwrap()
}

fn stopped(error: &CallError, expected: (CommitOutcome, StopReason)) {
    let CallError::Stopped { outcome, why } = error else {
        panic!("{error:?}");
    };
    assert_eq!((*outcome, *why), expected);
}

async fn a50_a_second_runtime_on_a_live_pool_is_refused(world: World) {
    let owned = world.pool().await;
    let lead = world.join(&owned, "lead").await;
    let rival = world.rival();
    for _ in 0..2 {
        let error = rival
            .open(&pool("p"), PoolSpec::default())
            .await
            .unwrap_err();
        let OpenError::Lease(LeaseError::Owned { owner, .. }) = error else {
            panic!("{error:?}");
        };
        assert_eq!(owner, "tests");
    }
    let found = rival.find(&pool("p")).await.unwrap_err();
    assert!(
        matches!(found, OpenError::Lease(LeaseError::Owned { .. })),
        "{found:?}"
    );
    // Another pool of the same store is free, and the first owner goes on.
    rival.open(&pool("q"), PoolSpec::default()).await.unwrap();
    world.say(&owned, &lead, ("lead", "m1")).await;
    let digest = world.check_replay(&owned).await;
    world.runtime.shutdown().await;
    let taken = rival
        .open(&pool("p"), PoolSpec::default())
        .await
        .unwrap()
        .pool;
    assert_eq!(world.check_replay(&taken).await, digest);
    rival.shutdown().await;
}

async fn a50_a_second_process_cannot_open_the_store(world: World) {
    let owned = world.pool().await;
    if let Some(file) = world.file() {
        let error = world.kind.open_in(file.parent().unwrap()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Locked, "{error}");
        assert!(error.is_transient());
    }
    world.join(&owned, "lead").await;
    world.check_replay(&owned).await;
}

async fn a50_a_fenced_writer_stops_and_its_callers_are_told(world: World) {
    let owned = world.pool().await;
    let lead = world.join(&owned, "lead").await;
    world.check_replay(&owned).await;
    let before = world.head(&owned).await;
    let now = heronry_store::Clock::now(&world.clock).wall;
    let leases = &world.store().leases;
    let token = leases
        .seize(owned.id(), "usurper", now, heronry_store::LEASE_TERM)
        .await
        .unwrap();

    // All of them wait in the queue before the actor runs: one append, refused whole.
    let keys: Vec<String> = (0..10).map(|number| format!("k{number}")).collect();
    let sends = keys
        .iter()
        .map(|key| world.send(&owned, &lead, World::to_run("lead", key, "-")));
    for sent in futures::future::join_all(sends).await {
        stopped(
            &sent.unwrap_err(),
            (CommitOutcome::None, StopReason::OwnershipLost),
        );
    }
    let late = world
        .send(&owned, &lead, World::to_run("lead", "late", "-"))
        .await;
    stopped(
        &late.unwrap_err(),
        (CommitOutcome::None, StopReason::OwnershipLost),
    );
    let read = owned
        .call(DescribePool {
            caller: lead.clone(),
        })
        .await;
    stopped(
        &read.unwrap_err(),
        (CommitOutcome::None, StopReason::OwnershipLost),
    );
    assert_eq!(world.head(&owned).await, before, "nothing was written");

    let error = world
        .runtime
        .open(&pool("p"), PoolSpec::default())
        .await
        .unwrap_err();
    let OpenError::Lease(LeaseError::Owned { owner, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(owner, "usurper");
    leases.release(owned.id(), token).await.unwrap();
    let again = world.pool().await;
    let sent = world
        .send(&again, &lead, World::to_run("lead", "k0", "-"))
        .await
        .unwrap();
    assert!(!sent.repeated, "none meant none");
    world.check_replay(&again).await;
}

async fn a50_a_writer_that_meets_a_conflict_stops_and_never_tries_again(world: World) {
    let owned = world.pool().await;
    let lead = world.join(&owned, "lead").await;
    for fault in [AppendFault::Conflict, AppendFault::Fenced] {
        let owned = world.pool().await;
        let before = world.head(&owned).await;
        world.faults.fail_next_append(fault);
        let appends = world.faults.appends();
        let sent = world
            .send(&owned, &lead, World::to_run("lead", "k1", "-"))
            .await;
        stopped(
            &sent.unwrap_err(),
            (CommitOutcome::None, StopReason::OwnershipLost),
        );
        let again = world
            .send(&owned, &lead, World::to_run("lead", "k1", "-"))
            .await;
        stopped(
            &again.unwrap_err(),
            (CommitOutcome::None, StopReason::OwnershipLost),
        );
        assert_eq!(world.faults.appends(), appends + 1);
        assert_eq!(world.head(&owned).await, before);
    }
    let again = world.pool().await;
    let sent = world
        .send(&again, &lead, World::to_run("lead", "k1", "-"))
        .await
        .unwrap();
    assert!(!sent.repeated);
    world.check_replay(&again).await;
}

async fn a50_whoever_waits_on_a_fenced_writer_is_told(world: World) {
    let owned = world.pool().await;
    let lead = world.join(&owned, "lead").await;
    let scout = world.join(&owned, "scout").await;
    let receipt = world.say(&owned, &lead, ("lead", "m1")).await;
    let wake = world
        .register(&owned, &lead, World::waiting("false", "w1"))
        .await
        .wake_id;
    let wait = Millis::from_secs(50);
    let find = FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: receipt.message_id,
    };
    let (one, two, three) = (owned.clone(), owned.clone(), owned.clone());
    let fetch = World::fetch(&scout, "r1", 1);
    let on_inbox = tokio::spawn(async move { one.receive(fetch, wait).await });
    let as_of = receipt.as_of;
    let on_receipt = tokio::spawn(async move { two.wait_receipt(find, as_of, wait).await });
    let waiter = lead.clone();
    let on_wake = tokio::spawn(async move { three.wait_wake(waiter, None, wake, wait).await });
    let everything = World::seeing(Viewer::Operator, "false");
    let mut stream = owned.subscribe(everything, Follow::Live).await.unwrap();
    assert!(matches!(
        stream.next().await.unwrap(),
        Some(StreamItem::CaughtUp { .. })
    ));

    world.faults.fail_next_append(AppendFault::Fenced);
    world
        .send(&owned, &lead, World::to_run("lead", "k2", "-"))
        .await
        .unwrap_err();
    let expected = (CommitOutcome::None, StopReason::OwnershipLost);
    stopped(&soon(on_inbox).await.unwrap().unwrap_err(), expected);
    stopped(&soon(on_receipt).await.unwrap().unwrap_err(), expected);
    stopped(&soon(on_wake).await.unwrap().unwrap_err(), expected);
    let reason = CloseReason::Shutdown;
    let last = soon(stream.next()).await.unwrap();
    assert_eq!(last, Some(StreamItem::Closed { reason }));
    let again = world.pool().await;
    world.check_replay(&again).await;
}
