//! Keys that the store keeps: where they go on after a restart, and when they are not believed.

use futures::future::join_all;
use heronry_journal::{ChunkHash, RequestHash};
use heronry_pool::{Caller, Sent, decide::SendRequest};
use heronry_runtime::Pool;
use heronry_store::{Checkpoint, KeyEntry, KeyHash, KeyName, KeyedEntry};
use heronry_tests::{
    StoreKind, World, body, key, on_every_store, on_every_store_that_is_reopened, pool as pool_id,
    run, topic,
};
use heronry_types::{Address, Cursor, Position, Timestamp};

on_every_store! {
    keys_are_found_whether_they_were_handed_over_or_not
}

on_every_store_that_is_reopened! {
    keys_go_on_after_a_restart_where_they_stood
    keys_of_no_journal_of_this_pool_are_folded_again
}

/// As many messages as make keys go to the store.
const MANY: usize = 5_000;

pub(super) async fn scene(world: &World) -> (Pool, Caller) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    (pool, lead)
}

/// A message to nobody, so that no inbox is in the way.
fn numbered(number: usize) -> SendRequest {
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    SendRequest::new(to, body("-"), key(&format!("k-{number}")))
}

pub(super) async fn send(
    world: &World,
    pool: &Pool,
    lead: &Caller,
    numbers: std::ops::Range<usize>,
) -> Vec<Sent> {
    let numbers: Vec<_> = numbers.collect();
    let mut sent = Vec::new();
    // As many at a time as the queue takes.
    for some in numbers.chunks(1_000) {
        let sends = some
            .iter()
            .map(|number| world.send(pool, lead, numbered(*number)));
        sent.extend(join_all(sends).await.into_iter().map(|sent| sent.unwrap()));
    }
    sent
}

/// Sends again; nothing of it is new.
async fn check_repeats(world: &World, pool: &Pool, lead: &Caller, first: &[Sent]) {
    let head = world.head(pool).await;
    let again = send(world, pool, lead, 0..first.len()).await;
    for (number, (again, first)) in again.iter().zip(first).enumerate() {
        assert!(again.repeated, "send {number}");
        assert_eq!(again.receipt.message_id, first.receipt.message_id);
        assert_eq!(again.receipt.cursor, first.receipt.cursor);
    }
    assert_eq!(world.head(pool).await, head);
}

async fn keys_are_found_whether_they_were_handed_over_or_not(world: World) {
    let (pool, lead) = scene(&world).await;
    let mut first = Vec::new();
    while first.len() < MANY {
        first.extend(send(&world, &pool, &lead, first.len()..first.len() + 500).await);
        let some = first.len() - 500;
        check_repeats(&world, &pool, &lead, &first[..some.min(20)]).await;
    }
    check_repeats(&world, &pool, &lead, &first).await;
    world.check_replay(&pool).await;
}

async fn keys_go_on_after_a_restart_where_they_stood(world: World) {
    let (pool, lead) = scene(&world).await;
    let first = send(&world, &pool, &lead, 0..MANY).await;
    drop(pool);
    let world = world.restart().await;
    let kept = world.store().keys.checkpoint(&pool_id("p")).await.unwrap();
    // The store in memory has nothing over a restart.
    assert_eq!(kept.is_some(), world.kind != StoreKind::Memory);
    let (pool, lead) = scene(&world).await;
    check_repeats(&world, &pool, &lead, &first).await;
    let now = world.store().keys.checkpoint(&pool_id("p")).await.unwrap();
    assert!(now == kept || kept.is_none(), "nothing was folded again");
    // A crash behind the checkpoint loses nothing either.
    let more = send(&world, &pool, &lead, MANY..MANY + 10).await;
    drop(pool);
    let world = world.crash().await;
    let (pool, lead) = scene(&world).await;
    let all: Vec<_> = first.into_iter().chain(more).collect();
    check_repeats(&world, &pool, &lead, &all).await;
    world.check_replay(&pool).await;
}

async fn keys_of_no_journal_of_this_pool_are_folded_again(world: World) {
    let (pool, lead) = scene(&world).await;
    let first = send(&world, &pool, &lead, 0..3).await;
    let head: Cursor = pool.head();
    drop(pool);
    let mut world = world.restart().await;
    // Above the head, on another chain, on another timeline.
    for (position, epoch) in [
        (head.position.0 + 1, head.epoch),
        (head.position.0, head.epoch),
        (head.position.0, heronry_types::Epoch([9; 16])),
    ] {
        put_false_claims(
            &world,
            Checkpoint {
                epoch,
                position: Position(position),
                hash: ChunkHash([7; 32]),
            },
        )
        .await;
        let (pool, lead) = scene(&world).await;
        check_repeats(&world, &pool, &lead, &first).await;
        let kept = world.store().keys.checkpoint(&pool_id("p")).await.unwrap();
        assert_eq!(kept, None);
        world.check_replay(&pool).await;
        drop(pool);
        world = world.restart().await;
    }
}

/// Puts a claim that was never made, and denies those that were.
async fn put_false_claims(world: &World, at: Checkpoint) {
    let (pool, store) = (pool_id("p"), world.store());
    let now = Timestamp::default();
    let token = store
        .leases
        .acquire(&pool, "a liar", now, heronry_store::LEASE_TERM)
        .await
        .unwrap();
    let claim = KeyHash::new(&run("lead"), &KeyName::Key(key("k-0")));
    let entry = KeyEntry {
        first: Position(1),
        request_hash: RequestHash([1; 16]),
    };
    let run = vec![KeyedEntry::new(claim, entry)];
    store.keys.put_run(&pool, run, at, token).await.unwrap();
    store.leases.release(&pool, token).await.unwrap();
}
