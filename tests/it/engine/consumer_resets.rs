//! Named consumers whose cursor is not taken any more: each is told, and recovers as it asked.

use heronry_pool::{Rejection, decide::Viewer};
use heronry_runtime::{ConsumeError, ConsumerSpec, Pool};
use heronry_store::{Commit, ConsumerCursor, FencingToken, Guard, Store};
use heronry_testkit::SeededIds;
use heronry_tests::{World, on_every_store};
use heronry_types::{ConsumerRecovery, Cursor, EventKind, Millis, PoolSpec, Position, Timestamp};

use crate::consumers::{ids, read, say, spec, talk};

on_every_store! {
    o16_a_consumer_that_was_trimmed_is_told_and_recovers_as_it_asked
    o16_a_consumer_ahead_of_an_older_journal_is_told_and_recovers_as_it_asked
    o16_a_consumer_of_another_journal_is_told
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

/// Opens the pool `p` of an older journal beside the cursors of a newer one.
async fn older(world: &World) -> (heronry_runtime::Runtime, Pool) {
    let (pool, lead) = talk(world).await;
    // A copy of the journal as it is now, and a consumer that goes on meanwhile.
    let copy = World::new(world.kind).await;
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
    let (runtime, pool) = older(&world).await;
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

async fn o16_a_consumer_of_another_journal_is_told(world: World) {
    let (pool, _) = talk(&world).await;
    let claim = spec("c", "true").claim;
    let elsewhere = Cursor::new(heronry_types::Epoch([9; 16]), Position(3));
    let row = ConsumerCursor::new(elsewhere, claim.filter);
    let cursors = &world.store().cursors;
    cursors
        .commit(pool.id(), &claim.name, None, row)
        .await
        .unwrap();
    assert_eq!(pool.consumers().await.unwrap()[0].lag, None);
    let mut asked = spec("c", "true");
    let why = stale(&pool, &asked).await;
    assert!(matches!(why, Rejection::CursorForeign { .. }), "{why:?}");
    asked.claim.on_stale = ConsumerRecovery::Head;
    pool.consumer(asked).await.unwrap();
    let told = resets(&world, &pool).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0], "c from 3 to nowhere: foreign, fail");
    assert!(told[1].ends_with("foreign, head"), "{told:?}");
    world.check_replay(&pool).await;
}
