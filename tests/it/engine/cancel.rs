//! Cancelling messages.

use heronry_journal::Record;
use heronry_pool::{
    Caller, Rejection,
    decide::{CancelMessage, Expiry, ReplayCopy},
};
use heronry_runtime::Pool;
use heronry_tests::{World, message, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Actor, Address, CopyState, EventKind, MessageStatus, Millis, Receipt, TimelineState,
};

use super::inbox::MINUTE;

on_every_store! {
    a28_a_message_cancelled_before_it_is_claimed_is_never_seen
    m11_a_cancelled_message_does_not_expire_and_its_dead_copies_stay_dead
}

on_every_store_that_is_reopened! {
    m11_a_cancel_is_there_after_a_crash_and_wakes_who_waits_for_it
}

fn cancel(caller: &Caller, from: &str, id: &str) -> CancelMessage {
    CancelMessage {
        caller: caller.clone(),
        from: run(from),
        message_id: message(id),
    }
}

/// A pool with a lead and two scouts.
async fn with_scouts(world: &World) -> (Pool, Caller, [Caller; 2]) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scouts = [
        world.join(&pool, "ann").await,
        world.join(&pool, "bob").await,
    ];
    (pool, lead, scouts)
}

fn everybody(pool: &Pool) -> Address {
    let pool_id = pool.id().clone();
    Address::Pool { pool_id }
}

fn states(receipt: &Receipt) -> Vec<CopyState> {
    receipt.recipients.iter().map(|copy| copy.state).collect()
}

async fn a28_a_message_cancelled_before_it_is_claimed_is_never_seen(world: World) {
    let (pool, lead, [ann, bob]) = with_scouts(&world).await;
    let sent = world.say_to(&pool, &lead, (everybody(&pool), "m")).await;
    let before = world.head(&pool).await;
    let receipt = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(states(&receipt), [CopyState::Cancelled; 2]);
    assert_eq!(receipt.cursor, sent.cursor);
    let steps: Vec<_> = receipt.timeline[2..].iter().collect();
    let of: Vec<_> = steps.iter().map(|step| step.run_id.clone()).collect();
    assert_eq!(of, [Some(run("ann")), Some(run("bob")), None]);
    assert!(steps.iter().all(|it| it.state == TimelineState::Cancelled));

    let records = world.records_after(&pool, before).await;
    let kinds: Vec<_> = records.iter().map(Record::kind).collect();
    assert_eq!(kinds, [EventKind::RunMessageCancelled]);
    let entry = &records[0].entry;
    assert!(matches!(&entry.actor, Actor::Member { run, .. } if run.as_str() == "lead"));
    assert_eq!(entry.lineage.caused_by, Some(sent.cursor.position));
    let event = world.events(&pool).await.pop().unwrap();
    assert_eq!(event.envelope.exchange.message, Some(message("m")));
    for scout in [&ann, &bob] {
        let received = world.receive(&pool, scout, "r", 10).await;
        assert_eq!((received.items.len(), received.unread), (0, 0));
    }
    world.check_replay(&pool).await;
}

async fn m11_a_cancelled_message_does_not_expire_and_its_dead_copies_stay_dead(world: World) {
    let (pool, lead, [ann, bob]) = with_scouts(&world).await;
    let mut request = World::to_run("ann", "m", "work");
    request.to = everybody(&pool);
    request.message_id = Some(message("m"));
    request.expiry = Some(Expiry::In(Millis(MINUTE.0 * 10)));
    let sent = world.send(&pool, &lead, request).await.unwrap().receipt;
    for attempt in 1..=5 {
        let name = format!("r{attempt}");
        let claims = World::claims(&world.receive(&pool, &ann, &name, 1).await);
        world.release(&pool, &ann, claims, None).await.unwrap();
    }
    world.receive(&pool, &bob, "r", 1).await;
    let receipt = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(states(&receipt), [CopyState::Dead, CopyState::Claimed]);
    let replay = ReplayCopy {
        caller: ann.clone(),
        run: run("ann"),
        accepted: sent.cursor,
    };
    let refused = world.refused(&pool, pool.call(replay)).await;
    assert_eq!(refused, Rejection::MessageOver);
    let before = world.head(&pool).await;
    world.pass(&pool, Millis(MINUTE.0 * 11)).await;
    let receipt = world.receipt(&pool, "lead", "m").await;
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(states(&receipt), [CopyState::Dead, CopyState::Cancelled]);
    let kinds = world.kinds_after(&pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageReleased], "the claim lapsed");
    world.check_replay(&pool).await;
}

async fn m11_a_cancel_is_there_after_a_crash_and_wakes_who_waits_for_it(world: World) {
    let (pool, lead, _) = with_scouts(&world).await;
    let waiting = World::waiting(r#"kind == "run_message_cancelled" && message == "m""#, "w");
    let wake = world.register(&pool, &lead, waiting).await;
    let sent = world.say(&pool, &lead, ("ann", "m")).await;
    let find = heronry_pool::decide::FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: message("m"),
    };
    let watching = {
        let (pool, find) = (pool.clone(), find.clone());
        tokio::spawn(async move { pool.wait_receipt(find, sent.as_of, MINUTE).await })
    };
    heronry_tests::let_others_run().await;
    let cancelled = pool.call(cancel(&lead, "lead", "m")).await.unwrap();
    assert_eq!(watching.await.unwrap().unwrap().status, cancelled.status);
    let woken = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(woken.matches[0].kind, EventKind::RunMessageCancelled);
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    let again = pool.call(cancel(&lead, "lead", "m"));
    let again = world.unrecorded(&pool, again).await;
    assert_eq!(again.timeline, cancelled.timeline);
    world.check_replay(&pool).await;
}
