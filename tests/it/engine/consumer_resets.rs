//! Named consumers whose cursor is not taken any more: each is told, and recovers as it asked.

use std::task::Poll;

use heronry_pool::{
    Rejection,
    decide::{DescribePool, Viewer},
};
use heronry_runtime::{CallError, ConsumeError, ConsumerSpec, Pool};
use heronry_store::{Commit, ConsumerCursor, FencingToken, Guard, Store};
use heronry_testkit::SeededIds;
use heronry_tests::{World, let_others_run, on_every_store};
use heronry_types::{
    ConsumerRecovery, Cursor, EventKind, LimitName, Millis, PoolSpec, Position, Timestamp,
};

use crate::{
    ceilings,
    consumers::{ids, read, say, spec, talk},
};

on_every_store! {
    o16_a_consumer_that_was_trimmed_is_told_and_recovers_as_it_asked
    o16_a_consumer_ahead_of_an_older_journal_is_told_and_recovers_as_it_asked
    o16_a_consumer_of_another_journal_is_told
    o16_a_reset_that_found_no_place_is_told_by_the_next_claim
    o16_a_consumer_that_was_forgotten_is_told_of_anew
}

/// Returns the resets that the journal tells of: where from, where to, why, and the recovery.
async fn resets(world: &World, pool: &Pool) -> Vec<String> {
    let records = world.records(pool).await.into_iter();
    let told = records.filter_map(|record| {
        let event = heronry_pool::project(pool.timelines(), &record);
        let correlation = &event.envelope.about.correlation;
        (event.envelope.kind == EventKind::ConsumerReset).then(|| {
            let of = |name: &str| correlation.get(name).cloned();
            let place = |name| {
                let cursor = of(name).map(|text| Cursor::parse(text.as_str()).unwrap());
                cursor.map_or("nowhere".to_owned(), |cursor| cursor.position.to_string())
            };
            let said = |name| of(name).unwrap();
            format!(
                "{} from {} to {}: {}, {}",
                said("consumer"),
                place("from"),
                place("to"),
                said("reason"),
                said("recovery")
            )
        })
    });
    told.collect()
}

async fn stale(pool: &Pool, asked: &ConsumerSpec) -> Rejection {
    let error = pool.consumer(asked.clone()).await.unwrap_err();
    let ConsumeError::Stale { why, .. } = error else {
        panic!("{error:?}");
    };
    why
}

async fn o16_a_consumer_that_was_trimmed_is_told_and_recovers_as_it_asked(world: World) {
    let (pool, _) = talk(&world).await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    consumer.commit(pool.cursor(Position(1))).await.unwrap();
    let journal = &world.store().journal;
    let trimmed =
        heronry_testkit::sample::trim(&**journal, pool.id(), Position(6), FencingToken(1)).await;
    let floor = trimmed.unwrap().floor;
    let error = consumer.next_batch(10, Millis(0)).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Events(_)), "{error:?}");
    drop(consumer);
    let mut asked = spec("c", "true");
    for _ in 0..3 {
        let why = stale(&pool, &asked).await;
        assert!(matches!(why, Rejection::CursorTrimmed { .. }), "{why:?}");
    }
    asked.claim.on_stale = ConsumerRecovery::RestartAtFloor;
    let mut consumer = pool.consumer(asked).await.unwrap();
    assert_eq!(consumer.committed(), pool.cursor(floor.previous()));
    let first = read(&mut consumer, 1).await;
    assert_eq!(ids(&first), [pool.cursor(floor)]);
    let page = pool
        .consumer(spec("reader", "kind == \"consumer_reset\""))
        .await;
    let told = read(&mut page.unwrap(), 10).await;
    let said = told.events.iter().map(|event| {
        let correlation = &event.envelope.about.correlation;
        let of = |name: &str| correlation.get(name).cloned();
        format!("{}, {}", of("reason").unwrap(), of("recovery").unwrap())
    });
    let said: Vec<_> = said.collect();
    assert_eq!(
        said,
        ["trimmed, fail", "trimmed, restart_at_floor"],
        "each is told once"
    );
}

/// Opens the pool `p` of an older journal, in a store of its own, beside the cursors of a newer one.
async fn older(world: &World, copy: &World) -> (heronry_runtime::Runtime, Pool) {
    let (pool, lead) = talk(world).await;
    // A copy of the journal as it is now, and a consumer that goes on meanwhile.
    let head = pool.head().position;
    let older = copy.store().clone();
    copy_journal(world, &older, &pool).await;
    say(world, &pool, &lead, 50..60).await;
    for name in ["fails", "floor", "head", "behind"] {
        let mut consumer = pool.consumer(spec(name, "true")).await.unwrap();
        let to = if name == "behind" {
            Position(2)
        } else {
            pool.head().position
        };
        consumer.commit(pool.cursor(to)).await.unwrap();
    }
    assert!(pool.head().position > head);
    let restored = Store {
        cursors: world.store().cursors.clone(),
        projections: world.store().projections.clone(),
        ..older
    };
    let options = heronry_runtime::RuntimeOptions::new([7; 32], "restored")
        .with_clock(std::sync::Arc::new(world.clock.clone()))
        .with_ids(std::sync::Arc::new(SeededIds::new(5)));
    let runtime = heronry_runtime::Runtime::new(restored, options);
    let opened = runtime.open(pool.id(), PoolSpec::default()).await.unwrap();
    (runtime, opened.pool)
}

/// Copies the journal of a pool, chunk by chunk, as a backup does.
async fn copy_journal(world: &World, to: &Store, pool: &Pool) {
    let page = world
        .store()
        .journal
        .read(pool.id(), Position::ZERO, usize::MAX);
    let chunks = page.await.unwrap().chunks;
    let token = to
        .leases
        .acquire(pool.id(), "copies", Timestamp::FIRST, Millis(1))
        .await;
    let token = token.unwrap();
    let commit = Commit {
        chunks,
        ..Commit::default()
    };
    let guard = Guard {
        expected_head: Position::ZERO,
        token,
    };
    to.journal.append(pool.id(), commit, guard).await.unwrap();
    to.leases.release(pool.id(), token).await.unwrap();
}

async fn o16_a_consumer_ahead_of_an_older_journal_is_told_and_recovers_as_it_asked(world: World) {
    let copy = World::new(world.kind).await;
    let (runtime, pool) = older(&world, &copy).await;
    let asked = |name: &str, on_stale| {
        let mut asked = spec(name, "true");
        asked.claim.on_stale = on_stale;
        asked
    };
    let why = stale(&pool, &asked("fails", ConsumerRecovery::Fail)).await;
    assert!(matches!(why, Rejection::CursorAhead { .. }), "{why:?}");
    let restarts = asked("floor", ConsumerRecovery::RestartAtFloor);
    let consumer = pool.consumer(restarts).await.unwrap();
    assert_eq!(consumer.committed().position, Position::ZERO);
    let before = pool.head();
    let ahead = asked("head", ConsumerRecovery::Head);
    let consumer = pool.consumer(ahead).await.unwrap();
    assert_eq!(consumer.committed(), before);
    let behind = pool
        .consumer(asked("behind", ConsumerRecovery::Fail))
        .await
        .unwrap();
    assert_eq!(
        behind.committed().position,
        Position(2),
        "what is kept is valid"
    );
    let query = World::seeing(Viewer::Operator, "kind == \"consumer_reset\"");
    let told = pool.events(&query, 10, Millis(0)).await.unwrap().events;
    let said = told.iter().map(|event| {
        let correlation = &event.envelope.about.correlation;
        let of = |name: &str| correlation.get(name).cloned();
        let is_going_on = of("to").is_some();
        format!(
            "{} {} {is_going_on}",
            of("consumer").unwrap(),
            of("reason").unwrap()
        )
    });
    let said: Vec<_> = said.collect();
    assert_eq!(
        said,
        ["fails ahead false", "floor ahead true", "head ahead true"]
    );
    runtime.shutdown().await;
}

/// Has the store keep consumer `c` with a cursor of another journal.
pub(super) async fn keep_foreign(world: &World, pool: &Pool) {
    let claim = spec("c", "true").claim;
    let elsewhere = Cursor::new(heronry_types::Epoch([9; 16]), Position(1));
    let row = ConsumerCursor::new(elsewhere, claim.filter);
    let cursors = &world.store().cursors;
    let kept = cursors.commit(pool.id(), &claim.name, None, row).await;
    kept.unwrap();
}

/// Polls a call while the queue of the pool has no place: whatever it asks the pool is refused.
async fn beside_a_full_queue<T>(pool: &Pool, call: impl Future<Output = T>) -> T {
    let mut call = Box::pin(call);
    let mut waiting = Vec::new();
    loop {
        loop {
            let caller = heronry_pool::Caller::Operator;
            let mut describe = Box::pin(pool.call(DescribePool { caller }));
            match futures::poll!(describe.as_mut()) {
                Poll::Pending => waiting.push(describe),
                Poll::Ready(answer) => {
                    assert!(matches!(answer, Err(CallError::Busy { .. })));
                    break;
                }
            }
        }
        if let Poll::Ready(answer) = futures::poll!(call.as_mut()) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

async fn o16_a_reset_that_found_no_place_is_told_by_the_next_claim(world: World) {
    let pool = world
        .pool_with(ceilings::spec(&[(LimitName::CommandQueueMax, 16)]))
        .await;
    keep_foreign(&world, &pool).await;
    let asked = spec("c", "true");
    let refused = beside_a_full_queue(&pool, pool.consumer(asked.clone())).await;
    let error = refused.unwrap_err();
    let ConsumeError::Call(CallError::Busy { .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(resets(&world, &pool).await, [""; 0]);
    let_others_run().await;
    for _ in 0..2 {
        let why = stale(&pool, &asked).await;
        assert!(matches!(why, Rejection::CursorForeign { .. }), "{why:?}");
    }
    let told = resets(&world, &pool).await;
    assert_eq!(told, ["c from 1 to nowhere: foreign, fail"]);
}

async fn o16_a_consumer_that_was_forgotten_is_told_of_anew(world: World) {
    let pool = world.pool().await;
    let asked = spec("c", "true");
    for times in 1..4 {
        keep_foreign(&world, &pool).await;
        for _ in 0..2 {
            stale(&pool, &asked).await;
        }
        assert_eq!(resets(&world, &pool).await.len(), times);
        pool.forget_consumer(&asked.claim.name).await.unwrap();
    }
}

async fn o16_a_consumer_of_another_journal_is_told(world: World) {
    let (pool, _) = talk(&world).await;
    keep_foreign(&world, &pool).await;
    assert_eq!(pool.consumers().await.unwrap()[0].lag, None);
    let mut asked = spec("c", "true");
    let why = stale(&pool, &asked).await;
    assert!(matches!(why, Rejection::CursorForeign { .. }), "{why:?}");
    asked.claim.on_stale = ConsumerRecovery::Head;
    pool.consumer(asked).await.unwrap();
    let told = resets(&world, &pool).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "c from 1 to nowhere: foreign, fail");
    assert!(told[1].ends_with("foreign, head"), "{told:?}");
    world.check_replay(&pool).await;
}
