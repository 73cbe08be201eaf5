//! Messages after a trim: which of them are known does not depend on what was in memory.

use heronry_pool::decide::FindMessage;
use heronry_runtime::{Holding, Pool};
use heronry_tests::{World, on_every_store_that_is_reopened};

use super::keeping::{forget_snapshots, handle, upto};

on_every_store_that_is_reopened! {
    o17_what_a_trim_forgets_does_not_depend_on_what_is_in_memory
}

/// The snapshot of before a trim, when the pool is opened again.
#[derive(Clone, Copy, Debug)]
enum OldSnapshot {
    Kept,
    Forgotten,
}

/// Sends and handles messages across a trim; returns what is told of each in the end, by the pool that was there
/// all the time and by the one that is opened from the baseline.
async fn told_after_trim(world: World, snapshot: OldSnapshot) -> Vec<String> {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    for number in 0..6 {
        let id = format!("m-{number}");
        world.say(&pool, &lead, ("scout", &id)).await;
    }
    for number in 0..2 {
        handle(&pool, &scout, &format!("r-{number}")).await;
    }
    let floor = pool.head().position;
    // This one is under way at the floor, and finished when the trim is decided.
    handle(&pool, &scout, "r-2").await;
    pool.snapshot().await.unwrap();
    let trimmed = pool.trim(upto(&pool, floor), Holding::Heeded).await;
    assert_eq!(trimmed.unwrap().floor.position, floor);
    // These two are under way when the trim is decided.
    for number in 3..5 {
        handle(&pool, &scout, &format!("r-{number}")).await;
    }
    let live = told(&world, &pool).await;
    match snapshot {
        OldSnapshot::Kept => {}
        OldSnapshot::Forgotten => forget_snapshots(&world, &pool).await,
    }
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(told(&world, &pool).await, live);
    live
}

/// Returns the receipt of each message, or the refusal, and the answer to a repeat.
async fn told(world: &World, pool: &Pool) -> Vec<String> {
    let lead = world.join(pool, "lead").await;
    let mut told = Vec::new();
    for number in 0..6 {
        let id = format!("m-{number}");
        let find = FindMessage {
            caller: lead.clone(),
            from: World::run_of(&lead),
            message_id: heronry_tests::message(&id),
        };
        let found = pool.call(find).await;
        let found = found.map(|found| (found.cursor, found.status, found.recipients));
        told.push(format!("{found:?}"));
    }
    told
}

async fn o17_what_a_trim_forgets_does_not_depend_on_what_is_in_memory(world: World) {
    let kind = world.kind;
    let expected = told_after_trim(world, OldSnapshot::Forgotten).await;
    let trimmed = expected.iter().map(|it| it.contains("CursorTrimmed"));
    let trimmed: Vec<_> = trimmed.collect();
    assert_eq!(
        trimmed,
        [true, true, true, false, false, false],
        "{expected:#?}"
    );
    for kept in [0, 3, usize::MAX] {
        for snapshot in [OldSnapshot::Kept, OldSnapshot::Forgotten] {
            let world = World::new(kind).await.keeping_finished(kept);
            let told = told_after_trim(world, snapshot).await;
            assert_eq!(told, expected, "with {kept} kept in memory");
        }
    }
}
