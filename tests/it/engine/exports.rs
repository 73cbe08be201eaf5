//! Exports of events: what a sink gets, when, and what becomes of what it does not take.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use heronry_event::{Event, filter::Filter};
use heronry_pool::{
    Caller,
    decide::{RetirePool, Viewer},
    project,
};
use heronry_runtime::{
    ConsumeError, ConsumerActivity, ConsumerSpec, EventSink, ExportOptions, Pool, SinkError,
};
use heronry_store::ConsumerId;
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, let_others_run, on_every_store, on_every_store_that_is_reopened, until,
};
use heronry_types::{Cursor, Millis, PrivacyClass};

on_every_store! {
    o20_every_fact_has_one_event_and_their_export_is_the_projection_of_the_journal
    o21_a_sink_that_fails_twice_gets_each_event_once_and_in_order
    o21_a_batch_of_none_and_an_interval_of_none_still_flush
    o21_events_wait_for_others_until_the_interval_has_passed
    o21_a_sink_that_hangs_holds_one_batch_and_the_rest_is_lag
    o21_a_shutdown_beside_a_sink_that_hangs_ends_in_the_time_of_a_flush
    o21_a_permanent_refusal_parks_the_export_and_nothing_else_stops
    o21_what_may_not_leave_is_left_out_and_counted
}

on_every_store_that_is_reopened! {
    o21_a_shutdown_flushes_and_counts
    o21_an_export_goes_on_after_a_crash_and_repeats_only_what_was_not_committed
    o21_a_parked_export_keeps_no_pool_that_is_deleted
    o21_a_parked_export_keeps_no_pool_that_stops_by_itself
    o21_a_deletion_delivers_what_was_recorded
}

/// The treatment of the next batch by a sink.
#[derive(Clone, Debug)]
enum SinkAnswer {
    Fails,
    /// Takes the batch, and its answer is lost.
    TakesAndFails,
    Refuses,
    Hangs,
}

/// A sink that remembers what it took, and keeps one event of each id.
#[derive(Debug, Default)]
struct Taken {
    events: Mutex<Vec<Event>>,
    batches: Mutex<Vec<usize>>,
    answers: Mutex<VecDeque<SinkAnswer>>,
    repeated: Mutex<usize>,
}

#[async_trait]
impl EventSink for Taken {
    async fn append_batch(&self, events: &[Event]) -> Result<(), SinkError> {
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            None => self.take(events),
            Some(SinkAnswer::Fails) => return Err(SinkError::transient("not now")),
            Some(SinkAnswer::TakesAndFails) => {
                self.take(events);
                return Err(SinkError::transient("nobody heard the answer"));
            }
            Some(SinkAnswer::Refuses) => return Err(SinkError::permanent("never")),
            Some(SinkAnswer::Hangs) => std::future::pending::<()>().await,
        }
        Ok(())
    }
}

impl Taken {
    fn take(&self, events: &[Event]) {
        self.batches.lock().unwrap().push(events.len());
        let mut taken = self.events.lock().unwrap();
        for event in events {
            if taken
                .iter()
                .any(|it| it.envelope.id() == event.envelope.id())
            {
                *self.repeated.lock().unwrap() += 1;
            } else {
                taken.push(event.clone());
            }
        }
    }

    fn answering(answers: impl IntoIterator<Item = SinkAnswer>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Self::default()
        })
    }

    fn ids(&self) -> Vec<Cursor> {
        let events = self.events.lock().unwrap();
        events.iter().map(|it| it.envelope.id()).collect()
    }

    fn count(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

fn name() -> ConsumerId {
    ConsumerId::parse("out").unwrap()
}

fn spec() -> ConsumerSpec {
    ConsumerSpec::new(name(), Filter::compile("true").unwrap())
}

/// Options under which everything leaves, and nothing waits for others.
fn at_once() -> ExportOptions {
    ExportOptions {
        interval: Millis(0),
        privacy_max: PrivacyClass::Secret,
        ..ExportOptions::default()
    }
}

async fn talk(world: &World, messages: std::ops::Range<u32>) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    say(world, &pool, &lead, messages).await;
    (pool, lead)
}

async fn say(world: &World, pool: &Pool, lead: &Caller, messages: std::ops::Range<u32>) {
    for number in messages {
        let request = World::to_run("scout", &format!("k{number}"), "hello");
        world.send(pool, lead, request).await.unwrap();
    }
}

/// Returns every event of a pool.
async fn everything(pool: &Pool) -> Vec<Event> {
    let query = World::seeing(Viewer::Operator, "true");
    let page = pool.events(&query, 1_000, Millis(0)).await.unwrap();
    page.events
}

async fn all_ids(pool: &Pool) -> Vec<Cursor> {
    let events = everything(pool).await;
    events.iter().map(|it| it.envelope.id()).collect()
}

async fn committed(pool: &Pool) -> Cursor {
    pool.consumers().await.unwrap()[0].cursor
}

/// Lets time pass until something holds.
async fn in_time(world: &World, mut holds: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if holds() {
            return;
        }
        world.clock.advance(Millis(50));
        let_others_run().await;
    }
    panic!("it never came to hold");
}

async fn o20_every_fact_has_one_event_and_their_export_is_the_projection_of_the_journal(
    world: World,
) {
    let (pool, _) = talk(&world, 0..8).await;
    let sink = Taken::answering([]);
    pool.export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    until(|| sink.ids().last().map(|it| it.position) == Some(pool.head().position)).await;
    let records = world.records(&pool).await;
    let projected: Vec<Event> = records
        .iter()
        .map(|record| project(pool.timelines(), record))
        .collect();
    assert_eq!(
        projected.len() as u64,
        pool.head().position.0,
        "one event for each fact"
    );
    assert_eq!(*sink.events.lock().unwrap(), projected);
    assert_eq!(*sink.repeated.lock().unwrap(), 0);
}

async fn o21_a_sink_that_fails_twice_gets_each_event_once_and_in_order(world: World) {
    let (pool, _) = talk(&world, 0..40).await;
    let all = all_ids(&pool).await;
    assert!(all.len() > 64, "more than a batch");
    let sink = Taken::answering([SinkAnswer::Fails, SinkAnswer::TakesAndFails]);
    let export = pool
        .export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    in_time(&world, || sink.count() == all.len()).await;
    assert_eq!(sink.ids(), all);
    assert_eq!(*sink.batches.lock().unwrap().first().unwrap(), 64);
    assert_eq!(
        *sink.repeated.lock().unwrap(),
        64,
        "the batch whose answer was lost"
    );
    until(|| export.figures().exported == all.len() as u64).await;
    assert_eq!(export.figures().failed, 2);
    while committed(&pool).await != pool.head() {
        let_others_run().await;
    }
}

async fn o21_a_batch_of_none_and_an_interval_of_none_still_flush(world: World) {
    let (pool, lead) = talk(&world, 0..3).await;
    let sink = Taken::answering([]);
    let options = ExportOptions {
        batch: 0,
        ..at_once()
    };
    pool.export_to(spec(), sink.clone(), options).await.unwrap();
    let all = all_ids(&pool).await;
    until(|| sink.count() == all.len()).await;
    say(&world, &pool, &lead, 10..12).await;
    let all = all_ids(&pool).await;
    until(|| sink.count() == all.len()).await;
    assert_eq!(sink.ids(), all);
    assert!(sink.batches.lock().unwrap().iter().all(|size| *size == 1));
}

async fn o21_events_wait_for_others_until_the_interval_has_passed(world: World) {
    let (pool, lead) = talk(&world, 0..1).await;
    let sink = Taken::answering([]);
    let options = ExportOptions {
        interval: Millis(1_000),
        ..at_once()
    };
    let export = pool.export_to(spec(), sink.clone(), options).await.unwrap();
    let first = all_ids(&pool).await.len() as u64;
    until(|| export.figures().waiting == first).await;
    world.clock.advance(Millis(900));
    say(&world, &pool, &lead, 1..2).await;
    let all = all_ids(&pool).await;
    until(|| export.figures().waiting == all.len() as u64).await;
    assert_eq!(sink.count(), 0, "they wait for others");
    in_time(&world, || sink.count() == all.len()).await;
    assert_eq!(
        *sink.batches.lock().unwrap(),
        [all.len()],
        "and go together"
    );
}

async fn o21_a_sink_that_hangs_holds_one_batch_and_the_rest_is_lag(world: World) {
    let (pool, lead) = talk(&world, 0..100).await;
    let sink = Taken::answering([SinkAnswer::Hangs]);
    let export = pool
        .export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    until(|| export.figures().waiting == 64).await;
    say(&world, &pool, &lead, 100..150).await;
    let_others_run().await;
    let figures = export.figures();
    assert_eq!(
        (figures.waiting, figures.exported),
        (64, 0),
        "bounded and counted"
    );
    let listed = pool.consumers().await.unwrap();
    assert_eq!(listed[0].lag, Some(pool.head().position.0), "and told");
    // An attempt that takes too long is made again, and nothing was lost.
    let all = all_ids(&pool).await;
    in_time(&world, || sink.count() == all.len()).await;
    assert_eq!(sink.ids(), all);
    assert_eq!(export.figures().failed, 1);
}

async fn o21_a_shutdown_beside_a_sink_that_hangs_ends_in_the_time_of_a_flush(world: World) {
    let (pool, _) = talk(&world, 0..4).await;
    let sink = Taken::answering(vec![SinkAnswer::Hangs; 8]);
    let (options, flush_for) = (at_once(), at_once().flush_for);
    let export = pool.export_to(spec(), sink.clone(), options).await.unwrap();
    until(|| sink.answers.lock().unwrap().len() == 7).await;
    let waiting = export.figures().waiting;
    let runtime = world.runtime.clone();
    let shutdown = tokio::spawn(async move { runtime.shutdown().await });
    let_others_run().await;
    world.clock.advance(Millis(flush_for.0 - 1));
    let_others_run().await;
    assert!(!shutdown.is_finished(), "the sink has the time of a flush");
    world.clock.advance(Millis(1));
    until(|| shutdown.is_finished()).await;
    let stopped = shutdown.await.unwrap();
    let figures = stopped[0].exports[0].figures;
    assert_eq!((figures.exported, figures.waiting), (0, waiting), "told");
    assert_eq!(
        sink.answers.lock().unwrap().len(),
        7,
        "it is not asked again"
    );
}

async fn o21_a_permanent_refusal_parks_the_export_and_nothing_else_stops(world: World) {
    let (pool, lead) = talk(&world, 0..4).await;
    let sink = Taken::answering([SinkAnswer::Refuses]);
    let export = pool
        .export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    let parked = |why: &str| ConsumerActivity::Parked {
        why: why.to_owned(),
    };
    while pool.consumers().await.unwrap()[0].activity != parked("never") {
        let_others_run().await;
    }
    // Others go on: members, and another export.
    let other = Taken::answering([]);
    let another = ConsumerSpec::new(
        ConsumerId::parse("other").unwrap(),
        Filter::compile("true").unwrap(),
    );
    pool.export_to(another, other.clone(), at_once())
        .await
        .unwrap();
    say(&world, &pool, &lead, 10..12).await;
    let all = all_ids(&pool).await;
    until(|| other.count() == all.len()).await;
    world.clock.advance(Millis::from_secs(3_600));
    let_others_run().await;
    assert_eq!(
        (sink.count(), export.figures().failed),
        (0, 1),
        "it is not tried again"
    );
    assert!(!pool.resume_consumer(&ConsumerId::parse("other").unwrap()));
    assert!(pool.resume_consumer(&name()));
    until(|| sink.count() == all.len()).await;
    assert_eq!(sink.ids(), all);
    let listed = pool.consumers().await.unwrap();
    let out = listed.iter().find(|it| it.name == name()).unwrap();
    assert_eq!(out.activity, ConsumerActivity::Held);
}

async fn o21_what_may_not_leave_is_left_out_and_counted(world: World) {
    let (pool, _) = talk(&world, 0..4).await;
    let sink = Taken::answering([]);
    let options = ExportOptions {
        privacy_max: PrivacyClass::Public,
        ..at_once()
    };
    let export = pool.export_to(spec(), sink.clone(), options).await.unwrap();
    let all = everything(&pool).await;
    let open = |event: &&Event| event.envelope.governance.privacy <= PrivacyClass::Public;
    let may_leave = all.iter().filter(open).count();
    let left_out = (all.len() - may_leave) as u64;
    assert!(left_out > 0);
    until(|| export.figures().left_out == left_out).await;
    // The cursor moves past what stays inside.
    while committed(&pool).await != pool.head() {
        let_others_run().await;
    }
    assert_eq!(sink.count(), may_leave);
}

async fn o21_a_shutdown_flushes_and_counts(world: World) {
    let (pool, _) = talk(&world, 0..40).await;
    let all = all_ids(&pool).await;
    let sink = Taken::answering([SinkAnswer::Fails]);
    let options = ExportOptions {
        interval: Millis::from_secs(3_600),
        ..at_once()
    };
    let export = pool.export_to(spec(), sink.clone(), options).await.unwrap();
    in_time(&world, || sink.count() == 64).await;
    until(|| export.figures().waiting > 0).await;
    let stopped = world.runtime.shutdown().await;
    let [stopped] = &stopped[..] else {
        panic!("{stopped:?}");
    };
    assert_eq!(stopped.pool, *pool.id());
    assert_eq!(stopped.exports[0].consumer, name());
    let figures = stopped.exports[0].figures;
    assert_eq!((figures.exported, figures.waiting), (all.len() as u64, 0));
    assert_eq!(sink.ids(), all);
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(committed(&pool).await, *all.last().unwrap());
}

async fn o21_an_export_goes_on_after_a_crash_and_repeats_only_what_was_not_committed(world: World) {
    let (pool, lead) = talk(&world, 0..40).await;
    let sink = Taken::answering([]);
    let options = ExportOptions {
        interval: Millis::from_secs(3_600),
        ..at_once()
    };
    pool.export_to(spec(), sink.clone(), options).await.unwrap();
    until(|| sink.count() == 64).await;
    while committed(&pool).await != sink.ids()[63] {
        let_others_run().await;
    }
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    say(&world, &pool, &lead, 100..104).await;
    pool.export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    let all = all_ids(&pool).await;
    until(|| sink.count() >= all.len()).await;
    assert_eq!(sink.ids(), all);
    assert_eq!(
        *sink.repeated.lock().unwrap(),
        0,
        "what was committed does not come again"
    );
}

/// Begins an export that its sink refuses at once, and waits until it is parked.
async fn park(pool: &Pool) {
    let sink = Taken::answering([SinkAnswer::Refuses]);
    pool.export_to(spec(), sink, at_once()).await.unwrap();
    let is_parked = |it: &ConsumerActivity| matches!(it, ConsumerActivity::Parked { .. });
    while !is_parked(&pool.consumers().await.unwrap()[0].activity) {
        let_others_run().await;
    }
}

async fn delete(world: &World, pool: &Pool) {
    let retire = RetirePool {
        caller: Caller::Operator,
        expected: None,
    };
    world.runtime.delete(pool.id(), retire).await.unwrap();
}

async fn o21_a_parked_export_keeps_no_pool_that_is_deleted(world: World) {
    let pool = world.pool().await;
    park(&pool).await;
    delete(&world, &pool).await;
    drop(pool);
    // The store is free.
    let world = world.restart().await;
    assert_eq!(world.runtime.pools().await.unwrap(), []);
}

async fn o21_a_parked_export_keeps_no_pool_that_stops_by_itself(world: World) {
    let (pool, lead) = talk(&world, 0..2).await;
    park(&pool).await;
    world.faults.fail_next_append(AppendFault::Fenced);
    let request = World::to_run("scout", "late", "hello");
    world.send(&pool, &lead, request).await.unwrap_err();
    // An export that begins beside the stop is refused, and keeps nothing either.
    let refused = pool.export_to(spec(), Taken::answering([]), at_once());
    let error = refused.await.unwrap_err();
    assert!(matches!(error, ConsumeError::Call(_)), "{error:?}");
    drop(pool);
    let pool = world.pool().await;
    let listed = pool.consumers().await.unwrap();
    assert_eq!(listed[0].activity, ConsumerActivity::Idle);
    let sink = Taken::answering([]);
    pool.export_to(spec(), sink.clone(), at_once())
        .await
        .unwrap();
    let all = all_ids(&pool).await;
    until(|| sink.count() == all.len()).await;
    drop(pool);
    // The store is free.
    let world = world.restart().await;
    assert_eq!(all_ids(&world.pool().await).await, all);
}

async fn o21_a_deletion_delivers_what_was_recorded(world: World) {
    let pool = world.pool().await;
    let sink = Taken::answering([]);
    let options = ExportOptions {
        interval: Millis::from_secs(3_600),
        ..at_once()
    };
    let export = pool.export_to(spec(), sink.clone(), options).await.unwrap();
    until(|| export.figures().waiting > 0).await;
    let all = all_ids(&pool).await;
    delete(&world, &pool).await;
    assert_eq!(sink.ids(), all);
    drop(pool);
    drop(world.restart().await);
}
