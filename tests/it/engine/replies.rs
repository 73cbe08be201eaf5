//! Replies: which count, and when a message that asks for them is over.

use std::num::NonZeroU32;

use heronry_pool::{
    Caller, Rejection,
    decide::{ClaimSet, FetchMessages, FindMessage, SendRequest},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, body, key, message, on_every_store, run};
use heronry_types::{
    Address, Broadcast, CopyState, EventKind, LimitExceeded, LimitName, MessageFailure,
    MessageStatus, Millis, PoolSpec, Receipt, ReplyStanding, ResponseContract, RunEnd,
    TimelineState, Undeliverable,
};

on_every_store! {
    a26_the_second_of_two_replies_makes_a_message_responded
    a26_a_recipient_counts_once
    a26_a_reply_that_comes_after_the_number_is_delivered_and_marked_late
    a26_a_reply_by_a_stranger_or_to_somebody_else_does_not_count
    a26_only_the_replies_of_those_that_are_asked_count
    a26_more_replies_than_can_count_are_refused
    a26_acks_without_a_reply_that_leave_too_few_fail_the_message_at_once
    a26_a_departure_that_leaves_too_few_fails_the_message_in_the_same_append
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

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) pool: Pool,
    pub(super) lead: Caller,
    pub(super) others: Vec<Caller>,
}

impl Scene {
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

    /// Claims everything that waits for a member, and acknowledges it.
    pub(super) async fn ack_all(&self, by: &Caller) {
        let received = self.world.receive(&self.pool, by, "all", 100).await;
        let claims = ClaimSet::These(World::claims(&received));
        self.world.ack(&self.pool, by, claims).await.unwrap();
    }

    pub(super) async fn ends(self) {
        self.world.check_replay(&self.pool).await;
    }
}

async fn a26_the_second_of_two_replies_makes_a_message_responded(world: World) {
    let scene = Scene::new(world).await;
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

async fn a26_a_recipient_counts_once(world: World) {
    let scene = Scene::new(world).await;
    scene.send(&scene.lead, asking("m1", 2)).await;
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    scene
        .send(&scene.others[0], reply("r2", "lead", "m1"))
        .await;
    let (status, replied) = scene.stands("m1").await;
    assert_eq!(
        (status, replied),
        (MessageStatus::Delivered, vec!["ann".to_owned()])
    );
    let items = scene
        .world
        .receive(&scene.pool, &scene.lead, "r", 9)
        .await
        .items;
    let standings: Vec<_> = items.iter().map(|item| item.reply).collect();
    let (counted, uncounted) = (ReplyStanding::Counted, ReplyStanding::Uncounted);
    assert_eq!(standings, [Some(counted), Some(uncounted)]);
    scene.ends().await;
}

async fn a26_a_reply_that_comes_after_the_number_is_delivered_and_marked_late(world: World) {
    let scene = Scene::new(world).await;
    scene.send(&scene.lead, asking("m1", 2)).await;
    for (by, id) in scene.others.iter().zip(["r1", "r2", "r3"]) {
        scene.send(by, reply(id, "lead", "m1")).await;
    }
    let (status, replied) = scene.stands("m1").await;
    assert_eq!(status, MessageStatus::Responded);
    assert_eq!(replied, ["ann", "bob"]);
    let items = scene
        .world
        .receive(&scene.pool, &scene.lead, "r", 9)
        .await
        .items;
    let standings: Vec<_> = items.iter().filter_map(|item| item.reply).collect();
    let (counted, late) = (ReplyStanding::Counted, ReplyStanding::Late);
    assert_eq!(standings, [counted, counted, late]);
    // The copy of who was slow is handed over as ever.
    let slow = scene
        .world
        .receive(&scene.pool, &scene.others[2], "r", 9)
        .await;
    assert_eq!(slow.items[0].message_id, message("m1"));
    scene.ends().await;
}

async fn a26_a_reply_by_a_stranger_or_to_somebody_else_does_not_count(world: World) {
    let scene = Scene::new(world).await;
    let Scene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    scene.send(lead, asking("m1", 1)).await;
    let late_joiner = world.join(pool, "dan").await;
    scene.send(&late_joiner, reply("r1", "lead", "m1")).await;
    scene.send(&others[0], reply("r2", "bob", "m1")).await;
    scene.send(&others[0], reply("r3", "lead", "m2")).await;
    scene.send(lead, reply("r4", "lead", "m1")).await;
    let (status, replied) = scene.stands("m1").await;
    assert_eq!((status, replied), (MessageStatus::Delivered, vec![]));
    let items = world.receive(pool, lead, "r", 9).await.items;
    let standings: Vec<_> = items.iter().map(|item| item.reply).collect();
    assert_eq!(
        standings,
        [None, None, None],
        "nobody's message of that name"
    );
    // A reply that reaches the requester among others does.
    let to = Address::Pool {
        pool_id: pool.id().clone(),
    };
    let to_all = SendRequest {
        to,
        ..reply("r5", "lead", "m1")
    };
    scene.send(&others[0], to_all).await;
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Responded);
    scene.ends().await;
}

async fn a26_only_the_replies_of_those_that_are_asked_count(world: World) {
    let spec = PoolSpec {
        broadcast: Some(Broadcast::IncludeSender),
        ..PoolSpec::default()
    };
    let scene = Scene::of(world, spec, &["ann", "bob"]).await;
    let mut request = asking("m1", 1);
    let asked = ["bob", "lead", "zoe"].into_iter().map(run).collect();
    request.contract.as_mut().unwrap().from = Some(asked);
    let sent = scene.send(&scene.lead, request).await;
    assert_eq!(
        sent.recipients.len(),
        3,
        "the requester has a copy of its own"
    );
    scene
        .send(&scene.others[0], reply("r1", "lead", "m1"))
        .await;
    scene.send(&scene.lead, reply("r2", "lead", "m1")).await;
    assert_eq!(scene.receipt("m1").await.status, MessageStatus::Delivered);
    scene
        .send(&scene.others[1], reply("r3", "lead", "m1"))
        .await;
    let (status, replied) = scene.stands("m1").await;
    assert_eq!(
        (status, replied),
        (MessageStatus::Responded, vec!["bob".to_owned()])
    );
    scene.ends().await;
}

/// The refusal of a message that records nothing.
async fn refused(scene: &Scene, request: SendRequest) -> Option<Rejection> {
    let before = scene.world.head(&scene.pool).await;
    let answer = scene.world.send(&scene.pool, &scene.lead, request).await;
    assert_eq!(scene.world.head(&scene.pool).await, before);
    answer.unwrap_err().rejection().cloned()
}

async fn a26_more_replies_than_can_count_are_refused(world: World) {
    let scene = Scene::of(world, PoolSpec::default(), &["ann", "bob"]).await;
    let unsatisfiable =
        |expected, eligible| Some(Rejection::ContractUnsatisfiable { expected, eligible });
    assert_eq!(refused(&scene, asking("m1", 3)).await, unsatisfiable(3, 2));
    assert_eq!(
        refused(&scene, asking("m1", u32::MAX)).await,
        unsatisfiable(u32::MAX, 2)
    );
    let mut narrow = asking("m1", 1);
    narrow.contract.as_mut().unwrap().from = Some([run("zoe")].into_iter().collect());
    assert_eq!(refused(&scene, narrow.clone()).await, unsatisfiable(1, 0));
    narrow.contract.as_mut().unwrap().from = Some([].into_iter().collect());
    assert_eq!(refused(&scene, narrow).await, unsatisfiable(1, 0));
    let mut to_self = asking("m1", 1);
    to_self.to = Address::Run {
        run_id: run("lead"),
    };
    assert_eq!(refused(&scene, to_self).await, unsatisfiable(1, 0));
    // What has no recipient at all has a receipt that says why, as without a contract.
    let mut to_nobody = asking("m0", 1);
    to_nobody.to = Address::Run { run_id: run("zoe") };
    let receipt = scene.send(&scene.lead, to_nobody).await;
    assert_eq!(receipt.status, MessageStatus::Failed);
    assert_eq!(receipt.reason, Some(MessageFailure::NoSuchMember));

    let mut crowd = asking("m2", 1);
    let max = usize::try_from(LimitName::RecipientsPerMessageMax.default_value()).unwrap();
    let mut named = |count: usize| {
        let runs = (0..count)
            .map(|number| run(&format!("r{number}")))
            .chain([run("ann")]);
        crowd.contract.as_mut().unwrap().from = Some(runs.collect());
        crowd.clone()
    };
    let over = refused(&scene, named(max)).await;
    let (limit, max_allowed) = (LimitName::RecipientsPerMessageMax, max as u64);
    let exceeded = LimitExceeded::new(limit, max_allowed, max_allowed + 1);
    assert_eq!(over, Some(Rejection::Limit(exceeded)));
    let sent = scene.send(&scene.lead, named(max - 1)).await;
    assert_eq!(sent.status, MessageStatus::Delivered);

    assert_eq!(
        scene.send(&scene.lead, asking("m1", 2)).await.status,
        MessageStatus::Delivered
    );
    // A name keeps its contract.
    let conflict = refused(&scene, asking("m1", 1)).await;
    assert!(matches!(
        conflict,
        Some(Rejection::IdempotencyConflict { .. })
    ));
    scene.ends().await;
}

async fn a26_acks_without_a_reply_that_leave_too_few_fail_the_message_at_once(world: World) {
    let scene = Scene::new(world).await;
    scene.send(&scene.lead, asking("m1", 2)).await;
    scene.ack_all(&scene.others[0]).await;
    assert_eq!(
        scene.receipt("m1").await.status,
        MessageStatus::Delivered,
        "two are left"
    );
    let before = scene.world.head(&scene.pool).await;
    scene.ack_all(&scene.others[1]).await;
    let kinds = scene.world.kinds_after(&scene.pool, before).await;
    let (fetched, acked) = (EventKind::RunMessageFetched, EventKind::RunMessageAcked);
    assert_eq!(kinds, [fetched, acked, EventKind::RunMessageFailed]);
    let receipt = scene.receipt("m1").await;
    assert_eq!(receipt.status, MessageStatus::Failed);
    assert_eq!(receipt.reason, Some(MessageFailure::Unsatisfiable));
    let states: Vec<_> = receipt.recipients.iter().map(|it| it.state).collect();
    assert_eq!(
        states,
        [CopyState::Acked, CopyState::Acked, CopyState::Queued]
    );
    // The terminal record carries the ack that caused it.
    let records = scene.world.records_after(&scene.pool, before).await;
    let heronry_journal::Body::MessageUnsatisfiable(body) = &records[2].entry.body else {
        panic!("{records:?}");
    };
    let recorded: Vec<_> = body.copies.iter().map(|copy| copy.state).collect();
    assert_eq!(recorded, states);
    // Whatever comes now is late.
    scene
        .send(&scene.others[2], reply("r1", "lead", "m1"))
        .await;
    let items = scene
        .world
        .receive(&scene.pool, &scene.lead, "r", 9)
        .await
        .items;
    assert_eq!(items[0].reply, Some(ReplyStanding::Late));
    scene.ends().await;
}

async fn a26_a_departure_that_leaves_too_few_fails_the_message_in_the_same_append(world: World) {
    let scene = Scene::new(world).await;
    let Scene {
        world,
        pool,
        lead,
        others,
    } = &scene;
    scene.send(lead, asking("m1", 3)).await;
    scene.send(lead, asking("m2", 2)).await;
    let before = world.head(pool).await;
    world.leave(pool, &others[0]).await.unwrap();
    let kinds = world.kinds_after(pool, before).await;
    assert_eq!(
        kinds,
        [EventKind::AgentPoolRunLeft, EventKind::RunMessageFailed]
    );
    let receipt = scene.receipt("m1").await;
    assert_eq!(receipt.reason, Some(MessageFailure::Unsatisfiable));
    assert_eq!(receipt.recipients[0].why, Some(Undeliverable::Left));
    assert_eq!(scene.receipt("m2").await.status, MessageStatus::Delivered);
    // Held copies count as well as queued ones.
    world.receive(pool, &others[1], "r", 9).await;
    world
        .end(pool, &others[1], RunEnd::Completed)
        .await
        .unwrap();
    assert_eq!(scene.receipt("m2").await.status, MessageStatus::Failed);
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
    let scene = Scene {
        world,
        pool,
        lead,
        others: vec![ann],
    };
    let Scene {
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
pub(super) async fn fetch(scene: &Scene, by: &Caller) -> Result<usize, CallError> {
    let fetch: FetchMessages = World::fetch(by, "r", 9);
    let received = scene.pool.call(fetch).await?;
    Ok(received.items.len())
}
