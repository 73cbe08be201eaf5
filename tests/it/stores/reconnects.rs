//! O3: whoever reconnects at any cursor, however often, misses nothing and sees nothing twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use heronry_event::StreamItem;
use heronry_pool::{
    Caller,
    decide::{SendRequest, Viewer},
};
use heronry_runtime::{EventQuery, Follow, Pool, ReadFrom};
use heronry_tests::{World, body, key, on_every_store_with_threads, topic};
use heronry_types::{Address, Cursor, Position};

use heronry_tests::tries::{Draw, scaled};

on_every_store_with_threads! {
    o3_reconnecting_at_random_cursors_while_events_are_appended_leaves_no_gap_and_no_duplicate
}

/// The number of readers that connect at once.
const READERS: u64 = 4;
/// The number of events before anybody connects.
const BEFORE: u64 = 400;
/// The longest wait of a test for something that must come: only a failure takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn after(cursor: Cursor) -> EventQuery {
    EventQuery {
        from: ReadFrom::Cursor(cursor),
        ..World::seeing(Viewer::Operator, "true")
    }
}

/// Returns a message to nobody: two records that leave no inbox behind.
fn to_nobody(number: u64) -> SendRequest {
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    SendRequest::new(to, body("-"), key(&format!("k{number}")))
}

/// Appends until somebody says that it is enough; returns how many messages there were.
async fn append(world: &World, (pool, from): (&Pool, &Caller), enough: &AtomicBool) -> u64 {
    let mut sent = 0;
    while !enough.load(Ordering::Acquire) || sent * 2 < BEFORE {
        let sends = (sent..sent + 10).map(|number| world.send(pool, from, to_nobody(number)));
        assert!(join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
        sent += 10;
    }
    sent
}

/// Connects again and again: where it stopped, or anywhere before the head.
async fn reconnect(pool: Pool, seed: u64, times: u64) {
    let mut draw = Draw(seed);
    let mut stopped = World::cursor(&pool, Position::ZERO);
    for _ in 0..times {
        let head = pool.head();
        if draw.below(2) == 0 {
            let before = usize::try_from(head.position.0).unwrap() + 1;
            stopped.position = Position(draw.below(before) as u64);
        }
        let subscribed = pool.subscribe(after(stopped), Follow::Live).await;
        let mut stream = subscribed.unwrap();
        // Now and then it stays until something comes that was not there when it connected.
        let mut wanted = draw.below(12);
        if draw.below(8) == 0 {
            wanted = head.position.0.saturating_sub(stopped.position.0).min(600) + 3;
        }
        while wanted > 0 {
            let item = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap();
            let item = item.unwrap().unwrap();
            if let StreamItem::CaughtUp { head } = item {
                assert_eq!(head, stopped, "everything up to there was sent");
                continue;
            }
            let next = Cursor::new(stopped.epoch, stopped.position.next());
            assert_eq!(item.cursor(), Some(next), "{item:?}");
            stopped = next;
            wanted -= 1;
        }
    }
}

async fn o3_reconnecting_at_random_cursors_while_events_are_appended_leaves_no_gap_and_no_duplicate(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let enough = Arc::new(AtomicBool::new(false));
    let times = scaled(200) / READERS;
    let readers = (0..READERS).map(|seed| tokio::spawn(reconnect(pool.clone(), seed, times)));
    let readers = join_all(readers);
    let (sent, ()) = tokio::join!(append(&world, (&pool, &lead), &enough), async {
        for reader in readers.await {
            reader.unwrap();
        }
        enough.store(true, Ordering::Release);
    });
    assert_eq!(pool.head().position, Position(2 + sent * 2));
    world.check_replay(&pool).await;
}
