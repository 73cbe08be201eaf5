//! Named consumers: what is read again, who holds one, and rows that change with the cursor.

use heronry_event::{Event, filter::Filter};
use heronry_pool::{Caller, decide::Viewer};
use heronry_runtime::{
    ConsumeError, ConsumerActivity, ConsumerBatch, ConsumerSpec, ConsumerStart, NamedConsumer,
    OnFilterChanged, OnHeld, Pool,
};
use heronry_store::{ConsumerError, ConsumerId, ProjectionChange, RowRange};
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened};
use heronry_types::{Cursor, Millis, Position};

on_every_store! {
    o15_a_second_holder_of_a_name_is_refused_or_takes_over
    o15_a_holder_outside_is_fenced_by_the_next_claim
    s7_a_consumer_with_another_filter_is_told_and_may_accept_it
    s7_a_consumer_begins_where_it_was_asked_to
    s7_a_filter_that_keeps_nothing_still_moves_the_cursor
    s7_only_what_is_durable_and_of_this_journal_is_committed_and_never_backwards
    s7_consumers_are_listed_with_their_lag_and_forgotten
    s7_rows_that_are_too_large_are_refused_and_the_batch_can_be_projected_again
}

on_every_store_that_is_reopened! {
    o15_a_crash_before_the_commit_redelivers_and_one_after_it_does_not
    o15_a_holder_of_before_a_restart_commits_no_more
    s7_each_event_counts_once_in_a_projection_whatever_crashes
}

pub(super) fn name(text: &str) -> ConsumerId {
    ConsumerId::parse(text).unwrap()
}

pub(super) fn spec(text: &str, filter: &str) -> ConsumerSpec {
    ConsumerSpec::new(name(text), Filter::compile(filter).unwrap())
}

/// A pool with two members, and four messages of the first to the second.
pub(super) async fn talk(world: &World) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    say(world, &pool, &lead, 0..4).await;
    (pool, lead)
}

pub(super) async fn say(world: &World, pool: &Pool, lead: &Caller, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let request = World::to_run("scout", &format!("k{number}"), "hello");
        world.send(pool, lead, request).await.unwrap();
    }
}

async fn all_of(pool: &Pool) -> Vec<Cursor> {
    let mut consumer = pool.consumer(spec("everything", "true")).await.unwrap();
    let read = consumer.next_batch(1_000, Millis(0)).await.unwrap();
    pool.forget_consumer(&name("everything")).await.unwrap();
    ids(&read)
}

pub(super) fn ids(batch: &ConsumerBatch) -> Vec<Cursor> {
    batch.events.iter().map(|it| it.envelope.id()).collect()
}

pub(super) async fn read(consumer: &mut NamedConsumer, max: usize) -> ConsumerBatch {
    consumer.next_batch(max, Millis(0)).await.unwrap()
}

async fn o15_a_crash_before_the_commit_redelivers_and_one_after_it_does_not(world: World) {
    let (pool, _) = talk(&world).await;
    let all = all_of(&pool).await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    let first = read(&mut consumer, 3).await;
    assert_eq!(ids(&first), all[..3]);
    consumer.commit(first.scanned_to).await.unwrap();
    // Handled, and not committed.
    let second = read(&mut consumer, 3).await;
    assert_eq!(ids(&second), all[3..6]);
    drop((consumer, pool));
    let world = world.crash().await;
    let pool = world.pool().await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    let again = read(&mut consumer, 3).await;
    assert_eq!(again, second, "what was not committed comes again");
    consumer.commit(again.scanned_to).await.unwrap();
    drop((consumer, pool));
    let world = world.crash().await;
    let pool = world.pool().await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    let rest = read(&mut consumer, 1_000).await;
    assert_eq!(ids(&rest)[0], all[6], "what was committed does not");
    assert_eq!(ids(&rest)[..all.len() - 6], all[6..]);
}

async fn o15_a_second_holder_of_a_name_is_refused_or_takes_over(world: World) {
    let (pool, _) = talk(&world).await;
    let mut first = pool.consumer(spec("c", "true")).await.unwrap();
    let batch = read(&mut first, 2).await;
    let held = pool.consumer(spec("c", "true")).await.unwrap_err();
    let ConsumeError::Held { generation, .. } = held else {
        panic!("{held:?}");
    };
    assert_eq!(generation, first.generation());
    first.commit(batch.scanned_to).await.unwrap();
    // Another name is another consumer.
    pool.consumer(spec("d", "true")).await.unwrap();

    let read_on = read(&mut first, 2).await;
    let mut taking = spec("c", "true");
    taking.claim.on_held = OnHeld::TakeOver;
    let mut second = pool.consumer(taking).await.unwrap();
    assert!(second.generation() > first.generation());
    assert_eq!(second.committed(), batch.scanned_to);
    for error in [
        first.commit(read_on.scanned_to).await.unwrap_err(),
        first.next_batch(2, Millis(0)).await.unwrap_err(),
    ] {
        let ConsumeError::Fenced { held, current, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!((held, current), (first.generation(), second.generation()));
    }
    drop(first);
    // The one that was taken over gives nothing up that is not its own.
    let held = pool.consumer(spec("c", "true")).await.unwrap_err();
    assert!(matches!(held, ConsumeError::Held { .. }), "{held:?}");
    let again = read(&mut second, 2).await;
    assert_eq!(again, read_on);
    second.commit(again.scanned_to).await.unwrap();
    drop(second);
    let third = pool.consumer(spec("c", "true")).await.unwrap();
    assert_eq!(third.committed(), again.scanned_to);
}

async fn o15_a_holder_outside_is_fenced_by_the_next_claim(world: World) {
    let (pool, _) = talk(&world).await;
    let claim = spec("c", "true").claim;
    let first = pool.claim_consumer(&claim).await.unwrap();
    let at = |position| pool.cursor(Position(position));
    let commit = |generation, position| {
        let (pool, name) = (pool.clone(), claim.name.clone());
        async move {
            let to = pool.cursor(Position(position));
            pool.commit_consumer(&name, generation, to).await
        }
    };
    commit(first.generation, 2).await.unwrap();
    commit(first.generation, 2).await.unwrap();
    let second = pool.claim_consumer(&claim).await.unwrap();
    assert_eq!(second.cursor, at(2));
    assert_eq!(second.generation, first.generation + 1);
    let error = commit(first.generation, 3).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
    commit(second.generation, 3).await.unwrap();
    // A holder in this process is asked for, and then takes over alike.
    let mut held = pool.consumer(spec("c", "true")).await.unwrap();
    let error = commit(second.generation, 4).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
    let error = pool.claim_consumer(&claim).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Held { .. }), "{error:?}");
    let taking = heronry_runtime::ConsumerClaim {
        on_held: OnHeld::TakeOver,
        ..claim.clone()
    };
    let third = pool.claim_consumer(&taking).await.unwrap();
    let error = held.commit(at(4)).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
    commit(third.generation, 4).await.unwrap();
    // Who held a consumer of this name that was forgotten is not taken for its holder.
    pool.forget_consumer(&claim.name).await.unwrap();
    let error = commit(third.generation, 5).await.unwrap_err();
    assert!(matches!(error, ConsumeError::NotThere { .. }), "{error:?}");
    pool.claim_consumer(&claim).await.unwrap();
    let error = commit(third.generation, 5).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
}

async fn o15_a_holder_of_before_a_restart_commits_no_more(world: World) {
    let (pool, _) = talk(&world).await;
    let claim = spec("c", "true").claim;
    let first = pool.claim_consumer(&claim).await.unwrap();
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let consumer = pool.consumer(spec("c", "true")).await.unwrap();
    assert_eq!(consumer.generation(), first.generation + 1);
    let to = pool.cursor(Position(1));
    let late = pool.commit_consumer(&claim.name, first.generation, to);
    let error = late.await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
}

async fn s7_a_consumer_with_another_filter_is_told_and_may_accept_it(world: World) {
    let (pool, _) = talk(&world).await;
    let joins = r#"kind == "agent_pool_run_joined""#;
    let mut consumer = pool.consumer(spec("c", joins)).await.unwrap();
    let batch = read(&mut consumer, 1).await;
    consumer.commit(batch.scanned_to).await.unwrap();
    drop(consumer);
    // Another text with the same meaning is the same filter.
    let same = r#"(kind == "agent_pool_run_joined")"#;
    drop(pool.consumer(spec("c", same)).await.unwrap());
    let mut other = spec("c", "true");
    let error = pool.consumer(other.clone()).await.unwrap_err();
    let ConsumeError::FilterChanged { found, asked, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(found, *Filter::compile(joins).unwrap().fingerprint());
    assert_eq!(asked, *other.filter.fingerprint());
    other.claim.on_filter_changed = OnFilterChanged::Accept;
    let consumer = pool.consumer(other).await.unwrap();
    assert_eq!(consumer.committed(), batch.scanned_to);
    drop(consumer);
    drop(pool.consumer(spec("c", "true")).await.unwrap());
}

async fn s7_a_consumer_begins_where_it_was_asked_to(world: World) {
    let (pool, lead) = talk(&world).await;
    let all = all_of(&pool).await;
    let mut open = Vec::new();
    for (text, start) in [
        ("floor", ConsumerStart::Floor),
        ("head", ConsumerStart::Head),
        ("cursor", ConsumerStart::Cursor(all[2])),
    ] {
        let mut asked = spec(text, "true");
        asked.claim.start = start;
        open.push(pool.consumer(asked).await.unwrap());
    }
    say(&world, &pool, &lead, 10..11).await;
    let firsts = [
        all[0],
        pool.cursor(all.last().unwrap().position.next()),
        all[3],
    ];
    for (consumer, first) in open.iter_mut().zip(firsts) {
        assert_eq!(
            ids(&read(consumer, 1).await),
            [first],
            "{}",
            consumer.name()
        );
    }
    let mut ahead = spec("ahead", "true");
    ahead.claim.start = ConsumerStart::Cursor(pool.cursor(Position(1_000)));
    let error = pool.consumer(ahead).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Call(_)), "{error:?}");
    assert_eq!(pool.consumers().await.unwrap().len(), 3, "nothing was made");
}

async fn s7_a_filter_that_keeps_nothing_still_moves_the_cursor(world: World) {
    let (pool, _) = talk(&world).await;
    let nothing = r#"kind == "agent_pool_run_left""#;
    let mut consumer = pool.consumer(spec("c", nothing)).await.unwrap();
    let batch = read(&mut consumer, 10).await;
    assert_eq!(batch.events, []);
    assert_eq!(batch.scanned_to, pool.head());
    consumer.commit(batch.scanned_to).await.unwrap();
    drop(consumer);
    let consumer = pool.consumer(spec("c", nothing)).await.unwrap();
    assert_eq!(consumer.committed(), pool.head());
}

async fn s7_only_what_is_durable_and_of_this_journal_is_committed_and_never_backwards(
    world: World,
) {
    let (pool, _) = talk(&world).await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    let three = pool.cursor(Position(3));
    consumer.commit(three).await.unwrap();
    let head = pool.head();
    for bad in [
        Cursor::new(head.epoch, head.position.next()),
        Cursor::new(heronry_types::Epoch([9; 16]), Position(4)),
    ] {
        let error = consumer.commit(bad).await.unwrap_err();
        assert!(matches!(error, ConsumeError::NotCommitted(_)), "{error:?}");
    }
    let error = consumer.commit(pool.cursor(Position(2))).await.unwrap_err();
    let ConsumeError::Behind { committed, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(committed, three);
    assert_eq!(consumer.committed(), three);
}

async fn s7_consumers_are_listed_with_their_lag_and_forgotten(world: World) {
    let (pool, lead) = talk(&world).await;
    let mut consumer = pool.consumer(spec("c", "true")).await.unwrap();
    consumer.commit(pool.head()).await.unwrap();
    drop(pool.consumer(spec("a", "true")).await.unwrap());
    world.clock.advance(Millis(500));
    say(&world, &pool, &lead, 10..11).await;
    let head = pool.head().position.0;
    let listed = pool.consumers().await.unwrap();
    let [a, c] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!((a.name.as_str(), a.lag), ("a", Some(head)));
    assert_eq!(a.activity, ConsumerActivity::Idle);
    assert_eq!(
        (c.name.as_str(), c.lag),
        ("c", Some(head - consumer.committed().position.0))
    );
    assert_eq!(c.activity, ConsumerActivity::Held);
    assert_eq!(c.generation, consumer.generation());
    assert!(c.committed_at.is_some());
    for _ in 0..2 {
        pool.forget_consumer(&name("c")).await.unwrap();
    }
    let error = consumer.commit(pool.head()).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
    assert_eq!(pool.consumers().await.unwrap().len(), 1);
}

/// The number of messages of each kind, as rows: the kind, and how many there were.
async fn counted(world: &World, pool: &Pool) -> Vec<(String, u64)> {
    let everything = RowRange {
        after: None,
        rows_max: 100,
        bytes_max: usize::MAX,
    };
    let projections = &world.store().projections;
    let consumer = name("counts");
    let rows = projections.scan(pool.id(), &consumer, everything);
    let rows = rows.await.unwrap().into_iter().map(|row| {
        let count = String::from_utf8(row.value).unwrap();
        (String::from_utf8(row.key).unwrap(), count.parse().unwrap())
    });
    rows.collect()
}

/// Counts the events of a batch, on top of the rows that are there.
async fn count(
    world: &World,
    consumer: &mut NamedConsumer,
    batch: &ConsumerBatch,
) -> Result<(), ConsumeError> {
    let known = counted(world, consumer.pool()).await;
    let mut counts: std::collections::BTreeMap<_, _> = known.into_iter().collect();
    consumer
        .project(batch, |event: &Event| {
            let key = event.envelope.kind.to_string();
            let count = counts.entry(key.clone()).or_insert(0);
            *count += 1;
            vec![ProjectionChange::Put {
                key: key.into_bytes(),
                value: count.to_string().into_bytes(),
            }]
        })
        .await
}

async fn s7_each_event_counts_once_in_a_projection_whatever_crashes(world: World) {
    let (pool, lead) = talk(&world).await;
    let mut expected = std::collections::BTreeMap::new();
    let mut consumer = pool.consumer(spec("counts", "true")).await.unwrap();
    let batch = read(&mut consumer, 4).await;
    count(&world, &mut consumer, &batch).await.unwrap();
    // Handled, and lost with the process.
    let lost = read(&mut consumer, 4).await;
    assert_eq!(lost.events.len(), 4);
    drop((consumer, pool));
    let world = world.crash().await;
    let pool = world.pool().await;
    let mut consumer = pool.consumer(spec("counts", "true")).await.unwrap();
    loop {
        let batch = read(&mut consumer, 3).await;
        if batch.events.is_empty() {
            break;
        }
        count(&world, &mut consumer, &batch).await.unwrap();
        // A batch that is projected again is known.
        let again = count(&world, &mut consumer, &batch).await.unwrap_err();
        assert!(matches!(again, ConsumeError::Elsewhere { .. }), "{again:?}");
    }
    say(&world, &pool, &lead, 20..21).await;
    let batch = read(&mut consumer, 100).await;
    count(&world, &mut consumer, &batch).await.unwrap();
    let head = consumer.committed();
    drop((consumer, pool));
    let world = world.restart().await;
    let pool = world.pool().await;
    let everything = World::seeing(Viewer::Operator, "true");
    let read = pool.events(&everything, 1_000, Millis(0));
    let seen = read.await.unwrap().events.into_iter();
    for event in seen.filter(|it| it.envelope.id().position <= head.position) {
        *expected.entry(event.envelope.kind.to_string()).or_insert(0) += 1;
    }
    let expected: Vec<(String, u64)> = expected.into_iter().collect();
    assert_eq!(counted(&world, &pool).await, expected);
}

async fn s7_rows_that_are_too_large_are_refused_and_the_batch_can_be_projected_again(world: World) {
    let (pool, _) = talk(&world).await;
    let mut consumer = pool.consumer(spec("counts", "true")).await.unwrap();
    let batch = read(&mut consumer, 2).await;
    let large = |_: &Event| {
        vec![ProjectionChange::Put {
            key: Vec::new(),
            value: Vec::new(),
        }]
    };
    let error = consumer.project(&batch, large).await.unwrap_err();
    let ConsumeError::TooMuch(ConsumerError::EmptyKey) = error else {
        panic!("{error:?}");
    };
    assert_eq!(counted(&world, &pool).await, []);
    count(&world, &mut consumer, &batch).await.unwrap();
    // A batch that was left out is missed, not lost.
    let left_out = read(&mut consumer, 1).await;
    let after = read(&mut consumer, 1).await;
    let error = count(&world, &mut consumer, &after).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Elsewhere { .. }), "{error:?}");
    consumer.rewind();
    assert_eq!(read(&mut consumer, 1).await, left_out);
}
