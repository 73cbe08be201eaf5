//! Trims beside what still needs the records, and beside what comes to need them meanwhile.

use heronry_pool::{
    Caller,
    decide::{RetirePool, StateDigest},
};
use heronry_runtime::{
    CONSUMER_HOLD, Holding, Pool, SnapshotError, TrimError, TrimHold, TrimTo, Trimmed,
};
use heronry_store::{Clock, ConsumerCursor, Tenure};
use heronry_testkit::Hold;
use heronry_tests::{World, let_others_run, on_every_store, pool, until};
use heronry_types::{Cursor, Epoch, Millis, PoolSpec, Position};
use tokio::task::JoinHandle;

use crate::{
    consumers::{name, say, spec, talk},
    keys,
    wake_scans::{from_start, history},
    wake_slices::{about, costly, letter, report},
    wakes::{NEWS, pair},
};

on_every_store! {
    s7_a_consumer_holds_records_until_its_time_has_passed
    s8_a_consumer_of_another_journal_holds_nothing
    s8_a_trim_goes_past_no_consumer_that_came_while_it_was_prepared
    s8_a_trim_goes_past_no_wake_that_looks_back_unless_it_is_overridden
    s8_a_trim_goes_past_nothing_that_is_still_matched
    s8_a_trim_beside_a_run_of_keys_that_is_under_way_waits_for_its_own
    s8_a_trim_puts_no_keys_that_the_store_has
    s8_a_trim_up_to_an_age_takes_what_was_durable_when_it_was_asked_for
    s8_a_pool_that_stops_waits_for_no_fold_of_another
}

async fn trim(pool: &Pool, upto: Position, holding: Holding) -> Result<Trimmed, TrimError> {
    let to = TrimTo::Upto(pool.cursor(upto));
    pool.trim(to, holding).await
}

/// Returns what holds a trim, and the words of the refusal.
fn held(refused: Result<Trimmed, TrimError>) -> (TrimHold, String) {
    let error = refused.unwrap_err();
    let text = error.to_string();
    let TrimError::Held { by, floor } = error else {
        panic!("{text}");
    };
    assert_eq!(floor, by.cursor());
    (by, text)
}

async fn s7_a_consumer_holds_records_until_its_time_has_passed(world: World) {
    let (pool, _) = talk(&world).await;
    let mut careless = spec("careless", "true");
    careless.claim.hold_for = Millis(0);
    drop(pool.consumer(careless).await.unwrap());
    let first = pool.cursor(Position(1));
    let trimmed = trim(&pool, first.position, Holding::Heeded).await.unwrap();
    assert_eq!(trimmed.floor, first, "who holds nothing is not waited for");
    let holder = async || {
        let refused = trim(&pool, pool.head().position, Holding::Heeded).await;
        let (TrimHold::Consumer { name, until }, text) = held(refused) else {
            panic!("another hold");
        };
        assert!(text.contains("override"), "{text}");
        (name, until.position)
    };
    let mut brief = spec("brief", "true");
    brief.claim.hold_for = Millis(1_000);
    drop(pool.consumer(brief).await.unwrap());
    let mut long = pool.consumer(spec("long", "true")).await.unwrap();
    world.clock.advance(Millis(600));
    long.commit(pool.cursor(Position(3))).await.unwrap();
    world.clock.advance(Millis(399));
    assert_eq!(holder().await, (name("brief"), Position(1)));
    world.clock.advance(Millis(1));
    assert_eq!(holder().await, (name("long"), Position(3)));
    // A commit of where it stands renews its time.
    world.clock.advance(Millis(1_000));
    long.commit(pool.cursor(Position(3))).await.unwrap();
    world.clock.advance(Millis(CONSUMER_HOLD.0 - 1));
    assert_eq!(holder().await, (name("long"), Position(3)));
    world.clock.advance(Millis(1));
    let last = pool.head().position.previous();
    let trimmed = trim(&pool, last, Holding::Heeded).await.unwrap();
    assert!(trimmed.floor.position > Position(3), "{trimmed:?}");
}

async fn s8_a_consumer_of_another_journal_holds_nothing(world: World) {
    let (pool, _) = talk(&world).await;
    let claim = spec("c", "true").claim;
    let elsewhere = Cursor::new(Epoch([9; 16]), Position(2));
    let mut row = ConsumerCursor::new(elsewhere, claim.filter);
    let of_nobody = row;
    row.tenure = Tenure {
        committed_at: Some(world.clock.now().wall),
        hold_for: CONSUMER_HOLD,
        ..row.tenure
    };
    let cursors = &world.store().cursors;
    for (name, row) in [(&claim.name, row), (&name("unknown"), of_nobody)] {
        cursors.commit(pool.id(), name, None, row).await.unwrap();
    }
    let trimmed = trim(&pool, Position(4), Holding::Heeded).await.unwrap();
    assert!(trimmed.floor.position > Position(2), "{trimmed:?}");
    assert_eq!(trimmed.held_by, None);
}

/// Begins a trim that is held after its first look at what holds it.
async fn trim_held_half_way(
    pool: &Pool,
    holding: Holding,
    hold: &Hold,
) -> JoinHandle<Result<Trimmed, TrimError>> {
    let (trimming, upto) = (pool.clone(), pool.head().position.previous());
    let trimming = tokio::spawn(async move { trim(&trimming, upto, holding).await });
    hold.reached(1).await;
    trimming
}

async fn s8_a_trim_goes_past_no_consumer_that_came_while_it_was_prepared(world: World) {
    let (pool, _) = talk(&world).await;
    let of = |name, position| TrimHold::Consumer {
        name,
        until: pool.cursor(position),
    };
    // One that is claimed meanwhile.
    let hold = world.faults.hold_reads();
    let trimming = trim_held_half_way(&pool, Holding::Heeded, &hold).await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    hold.release();
    let (by, _) = held(trimming.await.unwrap());
    assert_eq!(by, of(name("c"), Position::ZERO));
    // One whose time was over, and that commits meanwhile.
    consumer.commit(pool.cursor(Position(2))).await.unwrap();
    world.clock.advance(CONSUMER_HOLD);
    let hold = world.faults.hold_reads();
    let trimming = trim_held_half_way(&pool, Holding::Yielding, &hold).await;
    consumer.commit(pool.cursor(Position(3))).await.unwrap();
    hold.release();
    let trimmed = trimming.await.unwrap().unwrap();
    assert_eq!(trimmed.held_by, Some(of(name("c"), Position(3))));
    assert_eq!(
        trimmed.floor.position,
        Position(3),
        "as much as nobody needs"
    );
    // Who overrides passes it all the same.
    let hold = world.faults.hold_reads();
    let trimming = trim_held_half_way(&pool, Holding::Overridden, &hold).await;
    consumer.commit(pool.cursor(Position(3))).await.unwrap();
    hold.release();
    let trimmed = trimming.await.unwrap().unwrap();
    assert!(trimmed.floor.position > Position(3), "{trimmed:?}");
}

async fn s8_a_trim_goes_past_no_wake_that_looks_back_unless_it_is_overridden(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    history(&world, &pool, &scout).await;
    for holding in [Holding::Heeded, Holding::Overridden] {
        // Where the wake looks back to when it is asked what holds the trim.
        let hold = world.faults.hold_reads();
        let wake = from_start(NEWS, &format!("{holding:?}"));
        world.register(&pool, &lead, wake).await;
        hold.reached(1).await;
        let trimming = pool.clone();
        let trimming = tokio::spawn(async move { trim(&trimming, Position(100), holding).await });
        hold.reached(2).await;
        hold.release();
        let ended = trimming.await.unwrap();
        match holding {
            Holding::Heeded | Holding::Yielding => {
                let (by, text) = held(ended);
                let after = pool.cursor(Position::ZERO);
                assert_eq!(by, TrimHold::LookBack { after });
                assert!(text.contains("override"), "{text}");
            }
            Holding::Overridden => {
                let floor = ended.unwrap().floor.position;
                assert!(floor > Position::ZERO, "{floor}");
            }
        }
    }
    pool.call(StateDigest).await.unwrap();
}

async fn s8_a_trim_goes_past_nothing_that_is_still_matched(world: World) {
    let (_world, pool, noisy, quiet) = costly(world).await;
    let before = pool.head().position;
    let events = (0..300).map(about).collect();
    pool.call(report(&noisy, events, "many")).await.unwrap();
    // Chunks that may go, but for those events.
    for number in 0..2 {
        let letter = letter(&quiet, &format!("m{number}"));
        pool.call(letter).await.unwrap();
    }
    let last = pool.head().position;
    for holding in [Holding::Heeded, Holding::Overridden] {
        let (by, text) = held(trim(&pool, last, holding).await);
        let TrimHold::Matching { until } = by else {
            panic!("{by:?}");
        };
        assert!(until.position >= before, "{until}");
        assert!(!text.contains("override"), "it cannot be: {text}");
        assert!(text.contains("try again"), "{text}");
    }
    let yielding = trim(&pool, last, Holding::Yielding).await.unwrap();
    let Some(TrimHold::Matching { until }) = yielding.held_by else {
        panic!("{yielding:?}");
    };
    assert!(yielding.floor.position <= until.position);
    // Time goes on, and the wish can be met.
    while trim(&pool, last, Holding::Heeded).await.is_err() {
        let_others_run().await;
    }
}

async fn s8_a_trim_beside_a_run_of_keys_that_is_under_way_waits_for_its_own(world: World) {
    let (pool, lead) = keys::scene(&world).await;
    let hold = world.faults.hold_keys();
    let mut sent = 0;
    while world.faults.key_runs() == 0 {
        keys::send(&world, &pool, &lead, sent..sent + 500).await;
        sent += 500;
    }
    hold.reached(1).await;
    // The run on its way has no keys of these.
    keys::send(&world, &pool, &lead, sent..sent + 10).await;
    let (trimming, last) = (pool.clone(), pool.head().position);
    let trimming = tokio::spawn(async move { trim(&trimming, last, Holding::Heeded).await });
    let_others_run().await;
    hold.release();
    let trimmed = trimming.await.unwrap().unwrap();
    assert!(trimmed.floor.position > Position(1), "{trimmed:?}");
    assert_eq!(world.faults.key_runs(), 2);
}

async fn s8_a_trim_puts_no_keys_that_the_store_has(world: World) {
    let (pool, lead) = talk(&world).await;
    let everything = TrimTo::Older(Millis(0));
    for _ in 0..4 {
        pool.trim(everything, Holding::Heeded).await.unwrap();
        assert_eq!(world.faults.key_runs(), 1, "nothing came since");
    }
    say(&world, &pool, &lead, 10..11).await;
    pool.trim(everything, Holding::Heeded).await.unwrap();
    assert_eq!(world.faults.key_runs(), 2);
}

async fn s8_a_trim_up_to_an_age_takes_what_was_durable_when_it_was_asked_for(world: World) {
    let (pool, lead) = talk(&world).await;
    let durable = pool.head().position;
    let hold = world.faults.hold_keys();
    let trimming = pool.clone();
    let everything = TrimTo::Older(Millis(0));
    world.clock.advance(Millis(1));
    let trimming = tokio::spawn(async move { trimming.trim(everything, Holding::Heeded).await });
    hold.reached(1).await;
    say(&world, &pool, &lead, 10..14).await;
    world.clock.advance(Millis(1));
    hold.release();
    let trimmed = trimming.await.unwrap().unwrap();
    assert!(trimmed.floor.position <= durable, "{trimmed:?}");
    assert!(trimmed.floor.position > Position(1), "{trimmed:?}");
}

async fn s8_a_pool_that_stops_waits_for_no_fold_of_another(world: World) {
    let one = world.pool().await;
    let other = pool("other");
    let other = world.runtime.open(&other, PoolSpec::default()).await;
    let other = other.unwrap().pool;
    // Folds take turns, and this one is held half way.
    let hold = world.faults.hold_reads();
    let folded = other.clone();
    let folding = tokio::spawn(async move { folded.snapshot().await });
    hold.reached(1).await;
    let waiting = one.clone();
    let waiting = tokio::spawn(async move { waiting.snapshot().await });
    let_others_run().await;
    let retire = RetirePool {
        caller: Caller::Operator,
        expected: None,
    };
    let (runtime, id) = (world.runtime.clone(), one.id().clone());
    let deleting = tokio::spawn(async move { runtime.delete(&id, retire).await });
    until(|| deleting.is_finished()).await;
    deleting.await.unwrap().unwrap();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, SnapshotError::Stopped(_)), "{error}");
    assert!(!folding.is_finished());
    hold.release();
    assert_eq!(folding.await.unwrap().unwrap().at, other.head());
}
