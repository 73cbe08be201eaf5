//! The handle of a bridge.

use heronry_pool::Caller;
use heronry_runtime::{BridgeEnd, BridgeHandle, BridgeOptions, EventBridge, SourceItem};
use heronry_tests::{World, foreign::ForeignRuntime, let_others_run, on_every_store, until};
use heronry_types::{EventKind, NewEvent, SourceId, SourcePosition};

on_every_store! {
    o14_abort_is_idempotent_and_join_after_it_says_cancelled
    o14_join_after_a_panic_carries_its_text
    o14_dropping_the_handle_aborts
    o14_a_bridge_is_finished_afterwards
}

async fn spawn(world: &World, foreign: &ForeignRuntime) -> BridgeHandle {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    of_stream(&pool, ann, foreign.replay()).await
}

async fn of_stream(
    pool: &heronry_runtime::Pool,
    caller: Caller,
    stream: impl futures::Stream<Item = SourceItem> + Send + 'static,
) -> BridgeHandle {
    let source = SourceId::parse("feed").unwrap();
    let options = BridgeOptions::default();
    let spawned = EventBridge::spawn(pool, caller, source, stream, options);
    spawned.await.unwrap()
}

fn event(number: u64) -> SourceItem {
    let event = NewEvent::new(EventKind::ToolStarted);
    SourceItem::event(SourcePosition::Number(number), event)
}

async fn o14_abort_is_idempotent_and_join_after_it_says_cancelled(world: World) {
    let foreign = ForeignRuntime::default();
    let bridge = spawn(&world, &foreign).await;
    let hold = world.faults.hold_appends();
    foreign.emit_all(["one".to_owned(), "two".to_owned()]);
    hold.reached(1).await;
    assert_eq!(bridge.abort(), 2);
    hold.release();
    until(|| bridge.is_finished()).await;
    foreign.emit_all(["three".to_owned()]);
    assert_eq!((bridge.abort(), bridge.abort()), (2, 2));
    assert_eq!(bridge.join().await, Err(BridgeEnd::Cancelled { left: 2 }));
}

async fn o14_join_after_a_panic_carries_its_text(world: World) {
    let pool = world.pool().await;
    for at_once in [true, false] {
        let ann = world.join(&pool, "ann").await;
        let mut said = u64::from(at_once);
        let stream = futures::stream::poll_fn(move |_| {
            assert!(said < 1, "the feed said {said}, and broke");
            said += 1;
            std::task::Poll::Ready(Some(event(said)))
        });
        let bridge = of_stream(&pool, ann, stream).await;
        until(|| bridge.is_finished()).await;
        let text = "the feed said 1, and broke".to_owned();
        assert_eq!(bridge.join().await, Err(BridgeEnd::Panicked { text }));
    }
}

async fn o14_dropping_the_handle_aborts(world: World) {
    let foreign = ForeignRuntime::default();
    let bridge = spawn(&world, &foreign).await;
    assert_eq!(foreign.listeners(), 1);
    drop(bridge);
    let_others_run().await;
    assert_eq!(foreign.listeners(), 0, "nobody reads it any more");
}

async fn o14_a_bridge_is_finished_afterwards(world: World) {
    let foreign = ForeignRuntime::default();
    let bridge = spawn(&world, &foreign).await;
    let_others_run().await;
    assert!(!bridge.is_finished());
    foreign.close();
    until(|| bridge.is_finished()).await;
    assert!(bridge.join().await.is_ok());
    let bridge = spawn(&world, &foreign).await;
    bridge.abort();
    until(|| bridge.is_finished()).await;
}
