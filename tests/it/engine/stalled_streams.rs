//! Streams whose readers have stopped to read: what each of them holds.

use heronry_event::StreamItem;
use heronry_pool::decide::Viewer;
use heronry_runtime::Follow;
use heronry_tests::{World, on_every_store};

use crate::streams::{resident, send_many};

on_every_store! {
    s2_a_stream_that_holds_few_events_costs_little_when_nobody_reads_it
    s2_a_stream_that_holds_one_event_shows_each_once
}

/// The number of streams.
const STREAMS: u64 = 100;
/// The most events that each holds.
const HELD: usize = 128;
/// The most bytes of one of them.
const BYTES_MAX: u64 = 256 * 1024;

async fn s2_a_stream_that_holds_few_events_costs_little_when_nobody_reads_it(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    send_many(&world, (&pool, &lead), 0..1_000).await;
    let before = resident();
    let mut stalled = Vec::new();
    for _ in 0..STREAMS {
        let query = World::seeing(Viewer::Operator, "true");
        let stream = pool.subscribe(query, Follow::Live).await.unwrap();
        let mut stream = stream.holding(HELD);
        let first = stream.next().await.unwrap();
        assert!(matches!(first, Some(StreamItem::Event(_))), "{first:?}");
        stalled.push(stream);
    }
    let grown = resident()
        .zip(before)
        .map(|(now, before)| now.saturating_sub(before) / STREAMS);
    assert!(
        grown.is_none_or(|grown| grown < BYTES_MAX),
        "each holds {grown:?} bytes"
    );
}

async fn s2_a_stream_that_holds_one_event_shows_each_once(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    send_many(&world, (&pool, &lead), 0..100).await;
    for most in [0, 1, usize::MAX] {
        let query = World::seeing(Viewer::Operator, "true");
        let stream = pool.subscribe(query, Follow::End).await.unwrap();
        let mut stream = stream.holding(most);
        let mut seen = Vec::new();
        while let Some(StreamItem::Event(event)) = stream.next().await.unwrap() {
            seen.push(event.envelope.id().position.0);
        }
        let expected: Vec<u64> = (1..=pool.head().position.0).collect();
        assert_eq!(seen, expected, "holding {most}");
    }
}
