//! Gaps of foreign sources: each is recorded once, however often its source begins again.

use futures::StreamExt;
use heronry_runtime::{EventBridge, MissingItem, SourceItem};
use heronry_tests::{World, let_others_run, on_every_store};
use heronry_types::{EventKind, NewEvent, NewSourceGap, SourceGapReason, SourcePosition};

use crate::bridge::{feed, gaps, options};

on_every_store! {
    o13_a_gap_before_the_first_event_of_a_source_is_told_once
}

async fn o13_a_gap_before_the_first_event_of_a_source_is_told_once(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let at = |number| {
        let event = NewEvent::new(EventKind::ToolStarted);
        SourceItem::event(SourcePosition::Number(number), event)
    };
    let unreadable = || {
        SourceItem::Missing(Box::new(MissingItem {
            gap: NewSourceGap::new(SourceGapReason::Unreadable),
            key: None,
        }))
    };
    let bridged = async |said: Vec<SourceItem>| {
        // Each item comes by itself: what is ready together does not matter.
        let stream = futures::stream::iter(said).then(async |item| {
            let_others_run().await;
            item
        });
        let stream = Box::pin(stream);
        let bridge = EventBridge::spawn(&pool, ann.clone(), feed(), stream, options());
        let counts = bridge.await.unwrap().join().await.unwrap();
        (counts.appended, counts.gaps)
    };
    let lagged = || SourceItem::Lagged { missed: 3 };
    let said = || vec![unreadable(), lagged(), unreadable(), at(4), at(5)];
    assert_eq!(bridged(said()).await, (2, 3));
    let told = gaps(&world, &pool).await;
    // The source from its start again, and then from where it stands.
    assert_eq!(bridged(said()).await, (0, 0));
    assert_eq!(gaps(&world, &pool).await, told);
    assert_eq!(bridged(vec![lagged(), at(9)]).await, (1, 1), "this is news");
    world.check_replay(&pool).await;
}
