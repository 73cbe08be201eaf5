//! Expiry: of queued copies, never of a live claim.

use std::time::Duration;

use heronry_pool::decide::{ClaimSet, Expiry, ExtendClaims, FindMessage, SendRequest};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    Address, CopyState, EventKind, MessageStatus, Millis, Receipt, RunEnd, TimelineState,
};

on_every_store! {
    a19_a_queued_message_expires_and_the_waiter_on_its_receipt_is_woken
    a19_a_live_claim_may_be_acked_after_the_expiry
    a19_a_copy_that_comes_back_after_the_expiry_expires
    a19_a_copy_given_back_after_the_expiry_is_not_claimed_in_the_same_append
    a19_claims_are_not_extended_past_the_expiry
    a19_extending_never_shortens_a_claim_because_of_the_expiry
    k2_what_became_due_in_an_append_is_decided_before_the_next_command
}

on_every_store_that_is_reopened! {
    a19_a_message_expires_while_the_pool_is_closed
}

fn seconds(count: u64) -> Millis {
    Millis::from_secs(count)
}

fn expiring(id: &str, expiry: Expiry) -> SendRequest {
    let mut request = World::to_run("scout", id, id);
    request.message_id = Some(heronry_tests::message(id));
    request.expiry = Some(expiry);
    request
}

struct ExpiryScene {
    world: World,
    pool: Pool,
    lead: heronry_pool::Caller,
    scout: heronry_pool::Caller,
}

impl ExpiryScene {
    async fn new(world: World) -> Self {
        let pool = world.pool().await;
        let lead = world.join(&pool, "lead").await;
        let scout = world.join(&pool, "scout").await;
        Self {
            world,
            pool,
            lead,
            scout,
        }
    }

    /// Sends `m1` to the scout; it expires after this many seconds.
    async fn send(&self, count: u64) -> Receipt {
        let request = expiring("m1", Expiry::In(seconds(count)));
        self.world
            .send(&self.pool, &self.lead, request)
            .await
            .unwrap()
            .receipt
    }

    async fn receipt(&self) -> Receipt {
        self.world.receipt(&self.pool, "lead", "m1").await
    }

    async fn ends(self) {
        self.world.check_replay(&self.pool).await;
    }
}

async fn a19_a_queued_message_expires_and_the_waiter_on_its_receipt_is_woken(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world,
        pool,
        lead,
        scout,
    } = &scene;
    let receipt = scene.send(10).await;
    let find = FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: receipt.message_id.clone(),
    };
    let waiting = {
        let pool = pool.clone();
        tokio::spawn(async move { pool.wait_receipt(find, receipt.as_of, seconds(50)).await })
    };
    let before = world.head(pool).await;
    world.clock.advance(Millis(9_999));
    assert_eq!(scene.receipt().await.status, MessageStatus::Delivered);
    world.clock.advance(Millis(1));
    let expired = tokio::time::timeout(Duration::from_secs(30), waiting);
    let expired = expired.await.unwrap().unwrap().unwrap();
    assert_eq!(expired.status, MessageStatus::Expired);
    assert_eq!(expired.recipients[0].state, CopyState::Expired);
    assert_eq!(
        expired.timeline.last().unwrap().state,
        TimelineState::Expired
    );
    assert_eq!(
        world.kinds_after(pool, before).await,
        [EventKind::RunMessageExpired]
    );
    let received = world.receive(pool, scout, "r1", 10).await;
    assert_eq!((received.items.len(), received.unread), (0, 0));
    scene.ends().await;
}

async fn a19_a_live_claim_may_be_acked_after_the_expiry(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world, pool, scout, ..
    } = &scene;
    scene.send(10).await;
    let claims = World::claims(&world.receive(pool, scout, "r1", 1).await);
    world.clock.advance(seconds(20));
    assert_eq!(scene.receipt().await.status, MessageStatus::Delivered);
    world
        .ack(pool, scout, ClaimSet::These(claims))
        .await
        .unwrap();
    let receipt = scene.receipt().await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    assert_eq!(receipt.recipients[0].state, CopyState::Acked);
    scene.ends().await;
}

async fn a19_a_copy_that_comes_back_after_the_expiry_expires(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world, pool, scout, ..
    } = &scene;
    scene.send(10).await;
    world.receive(pool, scout, "r1", 1).await;
    world.clock.advance(seconds(60));
    let receipt = scene.receipt().await;
    assert_eq!(receipt.status, MessageStatus::Expired);
    assert_eq!(receipt.recipients[0].state, CopyState::Expired);
    assert_eq!(world.receive(pool, scout, "r2", 1).await.items, []);
    scene.ends().await;
}

async fn a19_a_copy_given_back_after_the_expiry_is_not_claimed_in_the_same_append(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world, pool, scout, ..
    } = &scene;
    scene.send(10).await;
    let claims = World::claims(&world.receive(pool, scout, "r1", 1).await);
    world.clock.advance(seconds(20));
    // Both wait in the queue before the actor runs.
    let release = world.release(pool, scout, claims, None);
    let fetch = pool.call(World::fetch(scout, "r2", 1));
    let (released, fetched) = tokio::join!(release, fetch);
    released.unwrap();
    assert_eq!(fetched.unwrap().items, []);
    assert_eq!(scene.receipt().await.status, MessageStatus::Expired);
    scene.ends().await;
}

/// Claims the only copy for this many seconds and returns what extends it by a minute.
async fn claim(scene: &ExpiryScene, count: u64) -> ExtendClaims {
    let mut fetch = World::fetch(&scene.scout, "r1", 1);
    fetch.claim_ms = seconds(count);
    let received = scene.pool.call(fetch).await.unwrap();
    ExtendClaims {
        caller: scene.scout.clone(),
        run: run("scout"),
        claims: World::claims(&received),
        claim_ms: seconds(60),
    }
}

/// Returns how many milliseconds the claim still holds.
async fn held_for(scene: &ExpiryScene) -> Millis {
    let received = scene
        .world
        .receive(&scene.pool, &scene.scout, "r1", 1)
        .await;
    let (_, until) = received.items[0].claim.unwrap();
    until.since(heronry_store::Clock::now(&scene.world.clock).wall)
}

async fn a19_claims_are_not_extended_past_the_expiry(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene { world, pool, .. } = &scene;
    scene.send(30).await;
    let extend = claim(&scene, 10).await;
    world.clock.advance(seconds(5));
    pool.call(extend).await.unwrap();
    assert_eq!(
        held_for(&scene).await,
        seconds(25),
        "until the message expires, no longer"
    );
    world.clock.advance(seconds(25));
    assert_eq!(scene.receipt().await.status, MessageStatus::Expired);
    scene.ends().await;
}

async fn a19_extending_never_shortens_a_claim_because_of_the_expiry(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world, pool, scout, ..
    } = &scene;
    scene.send(30).await;
    let extend = claim(&scene, 60).await;
    world.clock.advance(seconds(10));
    pool.call(extend.clone()).await.unwrap();
    assert_eq!(
        held_for(&scene).await,
        seconds(50),
        "as the claim was given"
    );
    world.clock.advance(seconds(30));
    pool.call(extend.clone()).await.unwrap();
    assert_eq!(held_for(&scene).await, seconds(20), "also after the expiry");
    world
        .ack(pool, scout, ClaimSet::These(extend.claims))
        .await
        .unwrap();
    assert_eq!(scene.receipt().await.status, MessageStatus::Settled);
    scene.ends().await;
}

async fn a19_a_message_expires_while_the_pool_is_closed(world: World) {
    let scene = ExpiryScene::new(world).await;
    scene.send(10).await;
    let pool_id = scene.pool.id().clone();
    let ExpiryScene {
        world,
        pool,
        lead,
        scout,
    } = scene;
    let to_pool = world
        .say_to(&pool, &lead, (Address::Pool { pool_id }, "m2"))
        .await;
    drop(pool);
    world.clock.advance(seconds(20));
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(
        world.receipt(&pool, "lead", "m1").await.status,
        MessageStatus::Expired
    );
    let received = world.receive(&pool, &scout, "r1", 10).await;
    assert_eq!(World::acceptances(&received), [to_pool.cursor.position]);
    world.end(&pool, &scout, RunEnd::Completed).await.unwrap();
    world.check_replay(&pool).await;
}

async fn k2_what_became_due_in_an_append_is_decided_before_the_next_command(world: World) {
    let scene = ExpiryScene::new(world).await;
    let ExpiryScene {
        world, pool, scout, ..
    } = &scene;
    scene.send(100).await;
    let mut extend = claim(&scene, 60).await;
    extend.claim_ms = Millis(0);
    let claims = extend.claims.clone();
    // Both wait in the queue before the actor runs.
    let ack = world.ack(pool, scout, ClaimSet::These(claims.clone()));
    let (extended, acked) = tokio::join!(pool.call(extend), ack);
    extended.unwrap();
    let lapsed = heronry_pool::Rejection::ClaimLapsed { claims };
    assert_eq!(acked.unwrap_err().rejection(), Some(&lapsed));
    assert_eq!(scene.receipt().await.recipients[0].state, CopyState::Queued);
    scene.ends().await;
}
