//! Replies: which count, and when a message that asks for them is over.

use std::num::NonZeroU32;

use heronry_pool::{
    Caller,
    decide::{FetchMessages, FindMessage, SendRequest},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, body, key, message, on_every_store, run};
use heronry_types::{
    Address, CopyState, EventKind, LimitName, MessageFailure, MessageStatus, Millis, PoolSpec,
    Receipt, ResponseContract, TimelineState,
};

on_every_store! {
    a26_the_second_of_two_replies_makes_a_message_responded
    a26_a_copy_that_dies_or_cannot_be_handed_over_can_fail_the_message
}

pub(super) fn contract(expected: u32) -> ResponseContract {
    ResponseContract::new(NonZeroU32::new(expected).unwrap())
}

/// Everybody but the sender is asked for this many replies; id and key are `id`.
pub(super) fn asking(id: &str, expected: u32) -> SendRequest {
    let pool_id = heronry_tests::pool("p");
    let to = Address::Pool { pool_id };
    SendRequest {
        message_id: Some(message(id)),
        contract: Some(contract(expected)),
        ..SendRequest::new(to, body("who is free?"), key(id))
    }
}

/// A reply to `of`, under its own name.
pub(super) fn reply(id: &str, to: &str, of: &str) -> SendRequest {
    SendRequest {
        message_id: Some(message(id)),
        reply_to: Some(message(of)),
        ..World::to_run(to, id, "I am")
    }
}

pub(super) struct ReplyScene {
    pub(super) world: World,
    pub(super) pool: Pool,
    pub(super) lead: Caller,
    pub(super) others: Vec<Caller>,
}

impl ReplyScene {
    /// A lead and three others.
    pub(super) async fn new(world: World) -> Self {
        Self::of(world, PoolSpec::default(), &["ann", "bob", "cid"]).await
    }

    pub(super) async fn of(world: World, spec: PoolSpec, names: &[&str]) -> Self {
        let pool = world.pool_with(spec).await;
        let lead = world.join(&pool, "lead").await;
        let mut others = Vec::new();
        for name in names {
            others.push(world.join(&pool, name).await);
        }
        Self {
            world,
            pool,
            lead,
            others,
        }
    }

    pub(super) async fn send(&self, from: &Caller, request: SendRequest) -> Receipt {
        let sent = self.world.send(&self.pool, from, request).await;
        sent.unwrap().receipt
    }

    pub(super) async fn receipt(&self, id: &str) -> Receipt {
        self.world.receipt(&self.pool, "lead", id).await
    }

    /// Returns the status of the message, and the runs that have replied.
    pub(super) async fn stands(&self, id: &str) -> (MessageStatus, Vec<String>) {
        let receipt = self.receipt(id).await;
        let runs = receipt.responses.iter();
        let runs = runs.map(|response| response.run_id.as_str().to_owned());
        (receipt.status, runs.collect())
    }

    pub(super) async fn ends(self) {
        self.world.check_replay(&self.pool).await;
    }
}

async fn a26_the_second_of_two_replies_makes_a_message_responded(world: World) {
    let scene = ReplyScene::new(world).await;
    let [ann, bob, _] = &scene.others[..] else {
        unreachable!("three others");
    };
    let asked = scene.send(&scene.lead, asking("m1", 2)).await;
    assert_eq!(asked.response_contract, Some(contract(2)));
    assert_eq!((asked.responses, asked.deadline), (vec![], None));
    let first = scene.send(ann, reply("r1", "lead", "m1")).await;
    let stands = scene.stands("m1").await;
    assert_eq!(stands, (MessageStatus::Delivered, vec!["ann".to_owned()]));

    let before = scene.world.head(&scene.pool).await;
    let second = scene.send(bob, reply("r2", "lead", "m1")).await;
    let kinds = scene.world.kinds_after(&scene.pool, before).await;
    let (accepted, delivered) = (
        EventKind::RunMessageAccepted,
        EventKind::RunMessageDelivered,
    );
    assert_eq!(kinds, [accepted, delivered, EventKind::RunMessageResponded]);
    let receipt = scene.receipt("m1").await;
    assert_eq!(receipt.status, MessageStatus::Responded);
    let named: Vec<_> = receipt
        .responses
        .iter()
        .map(|it| (&it.message_id, it.cursor))
        .collect();
    let expected = [
        (&message("r1"), first.cursor),
        (&message("r2"), second.cursor),
    ];
    assert_eq!(named, expected);
    let steps: Vec<_> = receipt.timeline.iter().map(|step| step.state).collect();
    let (reply, end) = (TimelineState::Replied, TimelineState::Responded);
    assert_eq!(steps[2..], [reply, reply, end]);

    // The event names the message, its acceptance and the reply; it carries every copy.
    let events = scene.world.events(&scene.pool).await;
    let envelope = &events.last().unwrap().envelope;
    assert_eq!(envelope.exchange.message, Some(message("m1")));
    assert_eq!(envelope.causes.caused_by, Some(asked.cursor));
    assert_eq!(envelope.causes.causal, [second.cursor]);
    let records = scene.world.records_after(&scene.pool, before).await;
    let heronry_journal::Body::MessageResponded(body) = &records[2].entry.body else {
        panic!("{records:?}");
    };
    let states: Vec<_> = body.copies.iter().map(|copy| copy.state).collect();
    assert_eq!(states, [CopyState::Queued; 3]);
    scene.ends().await;
}

async fn a26_a_copy_that_dies_or_cannot_be_handed_over_can_fail_the_message(world: World) {
    let mut limits = heronry_types::Limits::default();
    limits.set(LimitName::AttemptsMax, 1);
    let spec = PoolSpec {
        limits: Some(limits),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let lead = world.join_with(&pool, "lead", &[], &["a"]).await;
    let ann = world.join_with(&pool, "ann", &[], &["a"]).await;
    let scene = ReplyScene {
        world,
        pool,
        lead,
        others: vec![ann],
    };
    let ReplyScene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    scene.send(lead, asking("m1", 1)).await;
    world.receive(pool, &others[0], "r1", 1).await;
    world.clock.advance(Millis::from_secs(60));
    assert_eq!(
        scene.receipt("m1").await.status,
        MessageStatus::Failed,
        "its only claim lapsed"
    );

    let carrying = SendRequest {
        policies: World::policies(&["a"]),
        ..asking("m2", 1)
    };
    scene.send(lead, carrying).await;
    let mut narrower = World::joining_as("ann", "instance-2");
    narrower.policies = Some(World::policies(&[]));
    let joined = world.join_as(pool, narrower).await.unwrap();
    let ann = World::member("ann", joined.generation);
    assert_eq!(world.receive(pool, &ann, "r2", 1).await.items, []);
    let receipt = scene.receipt("m2").await;
    assert_eq!(
        (receipt.status, receipt.reason),
        (MessageStatus::Failed, Some(MessageFailure::Unsatisfiable))
    );
    scene.ends().await;
}

/// Asks for the receipt of the lead's message.
pub(super) fn find(id: &str) -> FindMessage {
    FindMessage {
        caller: Caller::Operator,
        from: run("lead"),
        message_id: message(id),
    }
}

/// Claims what waits for a member, and returns how many copies that are.
pub(super) async fn fetch(scene: &ReplyScene, by: &Caller) -> Result<usize, CallError> {
    let fetch: FetchMessages = World::fetch(by, "r", 9);
    let received = scene.pool.call(fetch).await?;
    Ok(received.items.len())
}
