//! Messages that are over, and replies that come again or too late.

use heronry_pool::decide::CancelMessage;
use heronry_tests::{World, message, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{CopyState, MessageStatus, Millis, ReplyStanding};

use super::replies::{ReplyScene, asking, reply};

on_every_store! {
    m11_a_copy_that_expires_after_the_end_is_dead
    m11_a_cancelled_message_takes_no_more_replies
}

on_every_store_that_is_reopened! {
    m10_a_repeated_reply_counts_once_and_late_is_kept_across_a_restart
}

async fn m10_a_repeated_reply_counts_once_and_late_is_kept_across_a_restart(world: World) {
    let ReplyScene {
        world,
        pool,
        lead,
        others,
    } = ReplyScene::new(world).await;
    let asked = world.send(&pool, &lead, asking("m1", 2)).await.unwrap();
    let first = world
        .send(&pool, &others[0], reply("r1", "lead", "m1"))
        .await
        .unwrap();
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let again = world.send(&pool, &others[0], reply("r1", "lead", "m1"));
    let again = world.unrecorded(&pool, again).await;
    assert_eq!(again.receipt.cursor, first.receipt.cursor);
    let again = world
        .unrecorded(&pool, world.send(&pool, &lead, asking("m1", 2)))
        .await;
    assert_eq!(again.receipt.cursor, asked.receipt.cursor);
    assert_eq!(
        again.receipt.responses.len(),
        1,
        "the receipt as it stands now"
    );
    world
        .send(&pool, &others[1], reply("r2", "lead", "m1"))
        .await
        .unwrap();
    world
        .send(&pool, &others[2], reply("r3", "lead", "m1"))
        .await
        .unwrap();
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(
        world.receipt(&pool, "lead", "m1").await.status,
        MessageStatus::Responded
    );
    let items = world.receive(&pool, &lead, "r", 9).await.items;
    assert_eq!(items[2].reply, Some(ReplyStanding::Late));
    world.check_replay(&pool).await;
}

async fn m11_a_copy_that_expires_after_the_end_is_dead(world: World) {
    let scene = ReplyScene::new(world).await;
    let ReplyScene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    let mut request = asking("m1", 1);
    request.expiry = Some(heronry_pool::decide::Expiry::In(Millis::from_secs(30)));
    scene.send(lead, request).await;
    world.receive(pool, &others[1], "r1", 1).await;
    scene.send(&others[0], reply("r1", "lead", "m1")).await;
    world.clock.advance(Millis::from_secs(30));
    let receipt = scene.receipt("m1").await;
    assert_eq!(
        receipt.status,
        MessageStatus::Responded,
        "one terminal outcome"
    );
    let states: Vec<_> = receipt.recipients.iter().map(|it| it.state).collect();
    assert_eq!(
        states,
        [CopyState::Dead, CopyState::Claimed, CopyState::Dead]
    );
    scene.ends().await;
}

async fn m11_a_cancelled_message_takes_no_more_replies(world: World) {
    let scene = ReplyScene::new(world).await;
    let mut request = asking("m1", 1);
    request.contract.as_mut().unwrap().timeout_ms = Some(Millis(1_000));
    scene.send(&scene.lead, request).await;
    let cancel = CancelMessage {
        caller: scene.lead.clone(),
        from: run("lead"),
        message_id: message("m1"),
    };
    scene.pool.call(cancel).await.unwrap();
    let before = scene.world.head(&scene.pool).await;
    scene.world.clock.advance(Millis(2_000));
    let receipt = scene.receipt("m1").await;
    assert_eq!(receipt.status, MessageStatus::Cancelled);
    assert_eq!(
        scene.world.head(&scene.pool).await,
        before,
        "it waits no more"
    );
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    let items = scene.world.receive(&scene.pool, &scene.lead, "r", 9).await;
    assert_eq!(items.items[0].reply, Some(ReplyStanding::Late));
    scene.ends().await;
}
