//! Receipts: every recipient with its own steps and attempts, and every change can be waited on.

use heronry_pool::{
    Caller,
    decide::{ClaimSet, FindMessage},
};
use heronry_runtime::Pool;
use heronry_tests::{World, let_others_run, message, on_every_store, run};
use heronry_types::{
    Address, CopyState, MessageStatus, Receipt, TimelineState, TimelineState as Is,
};
use tokio::task::JoinHandle;

use super::inbox::MINUTE;

on_every_store! {
    m7_a_receipt_shows_the_steps_and_the_attempts_of_each_recipient
    m7_every_change_of_a_receipt_is_an_event_and_wakes_who_waits_for_it
}

/// A message `m` from `lead` to `ann` and `bob`.
async fn broadcast(world: &World) -> (Pool, Caller, [Caller; 2], Receipt) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let readers = [
        world.join(&pool, "ann").await,
        world.join(&pool, "bob").await,
    ];
    let pool_id = pool.id().clone();
    let to = Address::Pool { pool_id };
    let sent = world.say_to(&pool, &lead, (to, "m")).await;
    (pool, lead, readers, sent)
}

fn steps_of(receipt: &Receipt, name: &str) -> Vec<TimelineState> {
    let name = run(name);
    let steps = receipt.timeline.iter();
    let of_run = steps.filter(|step| step.run_id.as_ref() == Some(&name));
    of_run.map(|step| step.state).collect()
}

async fn m7_a_receipt_shows_the_steps_and_the_attempts_of_each_recipient(world: World) {
    let (pool, _, [ann, bob], sent) = broadcast(&world).await;
    let first = world.receive(&pool, &ann, "first", 1).await;
    let claims = World::claims(&first);
    world.release(&pool, &ann, claims, None).await.unwrap();
    world.receive(&pool, &ann, "second", 1).await;
    world.pass(&pool, MINUTE).await;
    let third = world.receive(&pool, &ann, "third", 1).await;
    let claims = ClaimSet::These(World::claims(&third));
    world.ack(&pool, &ann, claims).await.unwrap();
    world.leave(&pool, &bob).await.unwrap();

    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    let shown = receipt.recipients.iter();
    let shown: Vec<_> = shown.map(|it| (it.state, it.attempt)).collect();
    let (acked, gone) = (CopyState::Acked, CopyState::Undeliverable);
    assert_eq!(shown, [(acked, 3), (gone, 0)]);
    assert_eq!(
        steps_of(&receipt, "ann"),
        [
            Is::Claimed,
            Is::Released,
            Is::Claimed,
            Is::Released,
            Is::Claimed,
            Is::Acked
        ]
    );
    assert_eq!(steps_of(&receipt, "bob"), [Is::Undeliverable]);
    let whole = receipt.timeline.iter().filter(|it| it.run_id.is_none());
    let whole: Vec<_> = whole.map(|step| step.state).collect();
    assert_eq!(whole, [Is::Accepted, Is::Delivered, Is::Settled]);
    assert!(
        receipt
            .timeline
            .is_sorted_by_key(|step| step.cursor.position)
    );
    assert!(receipt.timeline.is_sorted_by_key(|step| step.at));
    assert_eq!(
        receipt.cursor, sent.cursor,
        "the acceptance, and never another"
    );
    world.check_replay(&pool).await;
}

/// Waits for the next change after a receipt.
fn next(pool: &Pool, lead: &Caller, seen: &Receipt) -> JoinHandle<Receipt> {
    let find = FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: message("m"),
    };
    let (pool, seen) = (pool.clone(), seen.as_of);
    tokio::spawn(async move { pool.wait_receipt(find, seen, MINUTE).await.unwrap() })
}

async fn m7_every_change_of_a_receipt_is_an_event_and_wakes_who_waits_for_it(world: World) {
    let (pool, lead, [ann, bob], mut seen) = broadcast(&world).await;
    let claims = |receipt_id: &'static str| {
        let (world, pool, ann) = (&world, &pool, &ann);
        async move { World::claims(&world.receive(pool, ann, receipt_id, 1).await) }
    };
    let mut changed = async |waiting: JoinHandle<Receipt>, state: TimelineState| {
        let receipt = waiting.await.unwrap();
        assert!(receipt.as_of.position > seen.as_of.position);
        let is_new = |position| position > seen.as_of.position;
        let new = receipt.timeline.iter();
        let mut new = new.filter(|step| is_new(step.cursor.position));
        assert!(new.any(|step| step.state == state), "{state}");
        seen = receipt;
        seen.clone()
    };
    let mut last = world.receipt(&pool, "lead", "m").await;
    let waiting = next(&pool, &lead, &last);
    let_others_run().await;
    let held = claims("first").await;
    last = changed(waiting, TimelineState::Claimed).await;

    let waiting = next(&pool, &lead, &last);
    let_others_run().await;
    world.release(&pool, &ann, held, None).await.unwrap();
    last = changed(waiting, TimelineState::Released).await;

    let held = claims("second").await;
    last = changed(next(&pool, &lead, &last), TimelineState::Claimed).await;
    let waiting = next(&pool, &lead, &last);
    let_others_run().await;
    let acked = world.ack(&pool, &ann, ClaimSet::These(held)).await;
    acked.unwrap();
    last = changed(waiting, TimelineState::Acked).await;

    let waiting = next(&pool, &lead, &last);
    let_others_run().await;
    world.leave(&pool, &bob).await.unwrap();
    last = changed(waiting, TimelineState::Settled).await;

    let events = world.events(&pool).await;
    let cursors: Vec<_> = events
        .iter()
        .map(|event| event.envelope.stamp.cursor)
        .collect();
    let is_event = |cursor| cursors.contains(cursor);
    assert!(last.timeline.iter().all(|step| is_event(&step.cursor)));
    world.check_replay(&pool).await;
}
