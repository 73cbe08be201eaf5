//! The whole line once: join, send, receive, acknowledge, wait, replay.

use heronry_pool::decide::{AckCopies, ClaimSet, RegisterWake};
use heronry_tests::{World, canary, on_every_store_that_is_reopened, run};
use heronry_types::{AckOutcome, EventKind, MessageStatus, Millis, WakeStatus};

on_every_store_that_is_reopened! { the_whole_line_once }

async fn the_whole_line_once(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let waiting = World::waiting(r#"kind == "run_message_settled""#, "w1");
    let wake = pool
        .call(RegisterWake::new(lead.clone(), run("lead"), waiting))
        .await
        .unwrap();
    assert_eq!(wake.wake.status, WakeStatus::Registered);

    let sent = world
        .send(&pool, &lead, World::to_run("scout", "k1", "look north"))
        .await
        .unwrap();
    assert_eq!(sent.receipt.status, MessageStatus::Delivered);
    let received = pool
        .receive(World::fetch(&scout, "r1", 10), Millis(0))
        .await
        .unwrap();
    let (claim, _) = received.items[0].claim.unwrap();
    let body = pool
        .body(scout.clone(), received.items[0].content_ref)
        .await
        .unwrap();
    assert_eq!(&*body.body.bytes, canary::said("look north").as_bytes());
    let ack = AckCopies {
        caller: scout.clone(),
        run: run("scout"),
        claims: ClaimSet::These(vec![claim]),
        outcome: AckOutcome::Done,
        note: None,
    };
    pool.call(ack).await.unwrap();
    let woken = pool
        .wait_wake(lead, None, wake.wake.wake_id, Millis(0))
        .await
        .unwrap();
    assert_eq!(woken.status, WakeStatus::Triggered);
    assert_eq!(woken.matches[0].kind, EventKind::RunMessageSettled);
    let digest = world.check_replay(&pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(world.check_replay(&pool).await, digest);
}
