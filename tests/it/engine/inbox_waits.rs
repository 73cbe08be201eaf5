//! Receives that wait, and answers that nobody takes.

use heronry_journal::Body;
use heronry_pool::decide::{ClaimSet, SendMessage};
use heronry_tests::{World, calling, let_others_run, on_every_store, receiving, run, until};
use heronry_types::{Millis, ReleaseReason};

use crate::inbox::{MINUTE, with_messages};

on_every_store! {
    m8_an_answer_that_nobody_takes_gives_its_copies_back_uncounted
    m8_a_retry_of_an_answer_that_nobody_took_keeps_its_claims
    m8_a_waiting_receive_is_woken_by_a_send
    m8_a_waiting_receive_is_woken_by_a_release_and_by_its_delay
    m8_a_waiting_receive_ends_with_the_clock
}

async fn m8_an_answer_that_nobody_takes_gives_its_copies_back_uncounted(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 2).await;
    let before = world.head(&pool).await;
    let hold = world.faults.hold_appends();
    let gone = receiving(&pool, World::fetch(&scout, "gone", 2), Millis(0));
    hold.reached(1).await;
    gone.abort();
    gone.await.unwrap_err();
    hold.release();

    let stays = World::fetch(&scout, "stays", 2);
    let received = pool.receive(stays, MINUTE).await.unwrap();
    assert_eq!(World::acceptances(&received), sent);
    assert!(received.items.iter().all(|item| item.attempt == 1));
    let records = world.records_after(&pool, before).await;
    let Body::MessageReleased(released) = &records[1].entry.body else {
        panic!("{:?}", records[1].kind());
    };
    assert_eq!(released.reason, ReleaseReason::Unanswered);
    assert_eq!(released.claims.len(), 2);
    world.check_replay(&pool).await;
}

async fn m8_a_retry_of_an_answer_that_nobody_took_keeps_its_claims(world: World) {
    let (pool, lead, scout, _) = with_messages(&world, 1).await;
    let hold = world.faults.hold_appends();
    let request = World::to_run("lead", "busy", "keeps the store busy");
    let busy = calling(&pool, SendMessage::new(lead, run("lead"), request));
    hold.reached(1).await;
    let gone = receiving(&pool, World::fetch(&scout, "r1", 1), Millis(0));
    let_others_run().await;
    gone.abort();
    gone.await.unwrap_err();
    let retry = receiving(&pool, World::fetch(&scout, "r1", 1), Millis(0));
    let_others_run().await;
    hold.release();
    busy.await.unwrap().unwrap();
    let claims = World::claims(&retry.await.unwrap().unwrap());
    let acked = world.ack(&pool, &scout, ClaimSet::These(claims)).await;
    acked.unwrap();
    world.check_replay(&pool).await;
}

async fn m8_a_waiting_receive_is_woken_by_a_send(world: World) {
    let (pool, lead, scout, _) = with_messages(&world, 0).await;
    let wait = Millis(50_000);
    let waiting = receiving(&pool, World::fetch(&scout, "r1", 10), wait);
    until(|| world.alarm_in(wait)).await;
    let request = World::to_run("scout", "k1", "look");
    let sent = world.send(&pool, &lead, request).await.unwrap();
    let received = waiting.await.unwrap().unwrap();
    let accepted = sent.receipt.cursor.position;
    assert_eq!(World::acceptances(&received), [accepted]);
    world.check_replay(&pool).await;
}

async fn m8_a_waiting_receive_is_woken_by_a_release_and_by_its_delay(world: World) {
    let (pool, _, scout, sent) = with_messages(&world, 1).await;
    let wait = Millis(50_000);
    for (round, delay) in [(1, None), (2, Some(Millis(7_000)))] {
        let held = world.receive(&pool, &scout, &format!("a{round}"), 1).await;
        let fetch = World::fetch(&scout, &format!("b{round}"), 1);
        let waiting = receiving(&pool, fetch, wait);
        until(|| world.alarm_in(wait)).await;
        let claims = World::claims(&held);
        world.release(&pool, &scout, claims, delay).await.unwrap();
        if let Some(delay) = delay {
            until(|| world.alarm_in(delay)).await;
            assert!(!waiting.is_finished());
            world.clock.advance(delay);
        }
        let received = waiting.await.unwrap().unwrap();
        assert_eq!(World::acceptances(&received), sent);
        let claims = World::claims(&received);
        world.release(&pool, &scout, claims, None).await.unwrap();
    }
    world.check_replay(&pool).await;
}

async fn m8_a_waiting_receive_ends_with_the_clock(world: World) {
    let (pool, _, scout, _) = with_messages(&world, 0).await;
    let before = world.head(&pool).await;
    let wait = Millis(50_000);
    let waiting = receiving(&pool, World::fetch(&scout, "r1", 10), wait);
    until(|| world.alarm_in(wait)).await;
    world.clock.advance(Millis(wait.0 - 1));
    let_others_run().await;
    assert!(!waiting.is_finished(), "the call waits for its whole time");
    world.clock.advance(Millis(1));
    let received = waiting.await.unwrap().unwrap();
    assert!(received.items.is_empty());
    assert_eq!(world.head(&pool).await, before, "waiting records nothing");
    world.check_replay(&pool).await;
}
