//! The message that a reply answers, and the things that replies leave alone.

use heronry_pool::decide::{CancelMessage, SendRequest};
use heronry_tests::{World, message, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{Address, CopyState, MessageStatus, Millis, Position, Receipt, ReplyStanding};

use super::replies::{Scene, asking, reply};

on_every_store! {
    m10_who_has_replied_may_ack_leave_and_die
    m10_who_has_acked_may_still_reply_while_the_message_waits
    m10_a_reply_is_to_the_latest_message_of_that_id_that_fits
    m10_a_reply_that_has_expired_already_does_not_count
    m11_a_copy_that_expires_after_the_end_is_dead
    m10_a_message_that_asks_for_nothing_can_be_replied_to
    m11_a_cancelled_message_takes_no_more_replies
}

on_every_store_that_is_reopened! {
    m10_a_repeated_reply_counts_once_and_late_is_kept_across_a_restart
}

async fn m10_who_has_replied_may_ack_leave_and_die(world: World) {
    let scene = Scene::new(world).await;
    let Scene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    scene.send(lead, asking("m1", 3)).await;
    scene.send(&others[0], reply("r1", "lead", "m1")).await;
    scene.ack_all(&others[0]).await;
    scene.send(&others[1], reply("r2", "lead", "m1")).await;
    world.leave(pool, &others[1]).await.unwrap();
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Delivered);
    scene.send(&others[2], reply("r3", "lead", "m1")).await;
    let (status, replied) = scene.stands("m1").await;
    assert_eq!(status, MessageStatus::Responded);
    assert_eq!(replied, ["ann", "bob", "cid"]);
    scene.ends().await;
}

async fn m10_who_has_acked_may_still_reply_while_the_message_waits(world: World) {
    let scene = Scene::new(world).await;
    scene.send(&scene.lead, asking("m1", 1)).await;
    scene.ack_all(&scene.others[0]).await;
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    let (status, replied) = scene.stands("m1").await;
    assert_eq!(
        (status, replied),
        (MessageStatus::Responded, vec!["ann".to_owned()])
    );
    scene.ends().await;
}

/// Returns the acceptance of the message that the reply at this acceptance answers.
async fn answered(scene: &Scene, reply: &Receipt) -> Option<Position> {
    let state = scene.world.state(&scene.pool).await;
    let accepted = &state
        .messages()
        .get(reply.cursor.position)
        .unwrap()
        .accepted;
    Some(accepted.answering()?.accepted)
}

async fn m10_a_reply_is_to_the_latest_message_of_that_id_that_fits(world: World) {
    let scene = Scene::new(world).await;
    let Scene {
        pool, lead, others, ..
    } = &scene;
    let everybody = || Address::Pool {
        pool_id: pool.id().clone(),
    };
    let of_lead = scene.send(lead, asking("same", 1)).await;
    let of_bob = scene
        .send(
            &others[1],
            SendRequest {
                to: everybody(),
                ..asking("same", 1)
            },
        )
        .await;
    // A message of that name that the replier has no copy of.
    let to_lead = Address::Run {
        run_id: run("lead"),
    };
    scene
        .send(
            &others[2],
            SendRequest {
                to: to_lead,
                ..asking("same", 1)
            },
        )
        .await;
    let to_all = SendRequest {
        to: everybody(),
        ..reply("r1", "lead", "same")
    };
    let broadcast = scene.send(&others[0], to_all).await;
    assert_eq!(
        answered(&scene, &broadcast).await,
        Some(of_bob.cursor.position)
    );
    let to_one = scene.send(&others[0], reply("r2", "lead", "same")).await;
    assert_eq!(
        answered(&scene, &to_one).await,
        Some(of_lead.cursor.position)
    );
    assert_eq!(scene.receipt("same").await.status, MessageStatus::Responded);
    let unknown = scene.send(&others[0], reply("r3", "lead", "other")).await;
    assert_eq!(answered(&scene, &unknown).await, None);
    scene.ends().await;
}

async fn m10_a_repeated_reply_counts_once_and_late_is_kept_across_a_restart(world: World) {
    let Scene {
        world,
        pool,
        lead,
        others,
    } = Scene::new(world).await;
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

async fn m10_a_reply_that_has_expired_already_does_not_count(world: World) {
    let scene = Scene::new(world).await;
    scene.send(&scene.lead, asking("m1", 1)).await;
    let mut expired = reply("r1", "lead", "m1");
    expired.expiry = Some(heronry_pool::decide::Expiry::In(Millis(0)));
    let sent = scene.send(&scene.others[0], expired).await;
    assert_eq!(sent.status, MessageStatus::Expired);
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Delivered);
    scene
        .send(&scene.others[0], reply("r2", "lead", "m1"))
        .await;
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Responded);
    scene.ends().await;
}

async fn m11_a_copy_that_expires_after_the_end_is_dead(world: World) {
    let scene = Scene::new(world).await;
    let Scene {
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

async fn m10_a_message_that_asks_for_nothing_can_be_replied_to(world: World) {
    let scene = Scene::new(world).await;
    let mut plain = World::to_run("ann", "named", "hello");
    plain.message_id = Some(message("named"));
    let named = scene.send(&scene.lead, plain).await;
    let back = scene
        .send(&scene.others[0], reply("r4", "lead", "named"))
        .await;
    let answered = answered(&scene, &back).await;
    assert_eq!(answered, Some(named.cursor.position));
    let receipt = scene.receipt("named").await;
    let stands = (receipt.status, receipt.responses);
    assert_eq!(stands, (MessageStatus::Delivered, vec![]));
    scene.ends().await;
}

async fn m11_a_cancelled_message_takes_no_more_replies(world: World) {
    let scene = Scene::new(world).await;
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
