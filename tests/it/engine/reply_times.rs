//! The time for which a message waits for replies, and those who are told of its end.

use std::time::Duration;

use heronry_pool::{Rejection, decide::Expiry};
use heronry_tests::{
    World, let_others_run, on_every_store, on_every_store_that_is_reopened, until,
};
use heronry_types::{
    CopyState, EventKind, MessageStatus, Millis, PoolSpec, TimelineState, Timestamp,
};

use super::replies::{ReplyScene, asking, find, reply};

on_every_store! {
    m7_a_waiter_on_a_receipt_is_woken_by_each_reply_and_by_the_last
}

on_every_store_that_is_reopened! {
    a27_a_message_times_out_at_its_deadline_and_the_waiter_on_its_receipt_is_woken
    a27_a_deadline_that_passed_while_the_pool_was_closed_is_decided_on_opening
    a27_timeout_zero_is_timed_out_at_once
    a27_a_full_number_ends_the_wait_for_the_deadline
    a27_a_span_that_ends_after_the_calendar_is_refused
    k2_a_reply_at_the_deadline_is_late
    m7_whichever_of_expiry_and_deadline_is_first_ends_the_message
}

fn within(id: &str, expected: u32, span: Millis) -> heronry_pool::decide::SendRequest {
    let mut request = asking(id, expected);
    request.contract.as_mut().unwrap().timeout_ms = Some(span);
    request
}

async fn a27_a_message_times_out_at_its_deadline_and_the_waiter_on_its_receipt_is_woken(
    world: World,
) {
    let scene = ReplyScene::new(world).await;
    let ReplyScene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    let sent = scene.send(lead, within("m1", 2, Millis(10_000))).await;
    let at = sent.timeline[0].at;
    assert_eq!(sent.deadline, Some(at.after(Millis(10_000))));
    let first = scene.send(&others[0], reply("r1", "lead", "m1")).await;
    let waiting = {
        let (pool, seen) = (pool.clone(), first.as_of);
        tokio::spawn(async move { pool.wait_receipt(find("m1"), seen, Millis(50_000)).await })
    };
    let before = world.head(pool).await;
    world.clock.advance(Millis(9_999));
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Delivered);
    world.clock.advance(Millis(1));
    let ended = tokio::time::timeout(Duration::from_secs(30), waiting);
    let ended = ended.await.unwrap().unwrap().unwrap();
    assert_eq!(ended.status, MessageStatus::TimedOut);
    assert_eq!(ended.responses.len(), 1);
    assert_eq!(
        ended.timeline.last().unwrap().state,
        TimelineState::TimedOut
    );
    assert_eq!(ended.recipients[2].state, CopyState::Queued);
    let kinds = world.kinds_after(pool, before).await;
    assert_eq!(kinds, [EventKind::RunMessageTimedOut]);
    scene.ends().await;
}

async fn a27_a_deadline_that_passed_while_the_pool_was_closed_is_decided_on_opening(world: World) {
    let ReplyScene {
        world,
        pool,
        lead,
        others,
    } = ReplyScene::new(world).await;
    world
        .send(&pool, &lead, within("m1", 1, Millis(10_000)))
        .await
        .unwrap();
    world
        .send(&pool, &lead, within("m2", 1, Millis(60_000)))
        .await
        .unwrap();
    drop(pool);
    world.clock.advance(Millis(20_000));
    let world = world.restart().await;
    let pool = world.pool().await;
    let before = world.receipt(&pool, "lead", "m1").await;
    assert_eq!(before.status, MessageStatus::TimedOut);
    assert_eq!(
        world.receipt(&pool, "lead", "m2").await.status,
        MessageStatus::Delivered
    );
    world
        .send(&pool, &others[0], reply("r1", "lead", "m2"))
        .await
        .unwrap();
    assert_eq!(
        world.receipt(&pool, "lead", "m2").await.status,
        MessageStatus::Responded
    );
    world.check_replay(&pool).await;
}

async fn a27_timeout_zero_is_timed_out_at_once(world: World) {
    let scene = ReplyScene::new(world).await;
    let before = scene.world.head(&scene.pool).await;
    let sent = scene.send(&scene.lead, within("m1", 1, Millis(0))).await;
    assert_eq!(sent.status, MessageStatus::TimedOut);
    let kinds = scene.world.kinds_after(&scene.pool, before).await;
    let (accepted, delivered) = (
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
    );
    assert_eq!(kinds, [accepted, delivered, EventKind::RunMessageTimedOut]);
    assert_eq!(
        super::replies::fetch(&scene, &scene.others[0])
            .await
            .unwrap(),
        1
    );
    scene.ends().await;
}

async fn a27_a_full_number_ends_the_wait_for_the_deadline(world: World) {
    let scene = ReplyScene::new(world).await;
    scene
        .send(&scene.lead, within("m1", 1, Millis(10_000)))
        .await;
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    let before = scene.world.head(&scene.pool).await;
    scene.world.clock.advance(Millis(20_000));
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Responded);
    assert_eq!(scene.world.head(&scene.pool).await, before);
    scene.ends().await;
}

async fn a27_a_span_that_ends_after_the_calendar_is_refused(world: World) {
    let scene = ReplyScene::new(world).await;
    let now = heronry_store::Clock::now(&scene.world.clock).wall;
    let max = Timestamp::LAST.since(now);
    let over = within("m1", 1, Millis(max.0 + 1));
    let answer = scene.world.send(&scene.pool, &scene.lead, over).await;
    let field = "response_contract.timeout_ms";
    let expected = Rejection::PastCalendar { field, max };
    assert_eq!(answer.unwrap_err().rejection(), Some(&expected));
    let sent = scene.send(&scene.lead, within("m1", 1, max)).await;
    assert_eq!(sent.deadline, Some(Timestamp::LAST));
    scene.ends().await;
}

async fn k2_a_reply_at_the_deadline_is_late(world: World) {
    let scene = ReplyScene::new(world).await;
    scene
        .send(&scene.lead, within("m1", 1, Millis(1_000)))
        .await;
    scene.world.clock.advance(Millis(1_000));
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    let receipt = scene.receipt("m1").await;
    assert_eq!(receipt.status, MessageStatus::TimedOut);
    assert_eq!(receipt.responses, []);
    scene.ends().await;
}

async fn m7_whichever_of_expiry_and_deadline_is_first_ends_the_message(world: World) {
    let scene = ReplyScene::new(world).await;
    let ending = |expiry, deadline, id| {
        let mut request = within(id, 1, Millis::from_secs(deadline));
        request.expiry = Some(Expiry::In(Millis::from_secs(expiry)));
        request
    };
    scene.send(&scene.lead, ending(10, 20, "m0")).await;
    for by in &scene.others {
        super::replies::fetch(&scene, by).await.unwrap();
    }
    for (id, expiry, deadline) in [("m1", 10, 20), ("m2", 20, 10), ("m3", 20, 20)] {
        scene.send(&scene.lead, ending(expiry, deadline, id)).await;
    }
    // Both are due when the engine looks again.
    scene.world.clock.advance(Millis::from_secs(30));
    for (id, status, copies) in [
        // Every copy is held: its expiry takes nothing.
        ("m0", MessageStatus::TimedOut, CopyState::Claimed),
        ("m1", MessageStatus::Expired, CopyState::Expired),
        ("m2", MessageStatus::TimedOut, CopyState::Dead),
        ("m3", MessageStatus::Expired, CopyState::Expired),
    ] {
        let receipt = scene.receipt(id).await;
        assert_eq!(
            (receipt.status, receipt.recipients[0].state),
            (status, copies),
            "{id}"
        );
    }
    scene.ends().await;
}

async fn m7_a_waiter_on_a_receipt_is_woken_by_each_reply_and_by_the_last(world: World) {
    let scene = ReplyScene::of(world, PoolSpec::default(), &["ann", "bob"]).await;
    let mut seen = scene.send(&scene.lead, asking("m1", 2)).await.as_of;
    let replies = scene.others.iter().zip([("r1", 1), ("r2", 2)]);
    for (by, (id, count)) in replies {
        let waiting = {
            let pool = scene.pool.clone();
            tokio::spawn(async move { pool.wait_receipt(find("m1"), seen, Millis(50_000)).await })
        };
        until(|| scene.world.alarm_in(Millis(50_000))).await;
        let_others_run().await;
        scene.send(by, reply(id, "lead", "m1")).await;
        let receipt = waiting.await.unwrap().unwrap();
        assert_eq!(receipt.responses.len(), count);
        seen = receipt.as_of;
    }
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Responded);
    assert_eq!(scene.world.monotonic(), Millis(0), "no clock was needed");
    scene.ends().await;
}
