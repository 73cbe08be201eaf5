//! Policies of messages, and broadcasts.

use heronry_pool::{
    PolicyNeed, Rejection,
    decide::{JoinPool, SendRequest},
};
use heronry_runtime::Pool;
use heronry_tests::{World, agent, body, key, on_every_store, run};
use heronry_types::{
    Address, Broadcast, CopyState, EventKind, MessageFailure, MessageStatus, PoolId, PoolSpec,
    Receipt, Undeliverable,
};

on_every_store! {
    a15_an_agent_address_reaches_only_members_that_hold_the_policy
    p2_a_broadcast_may_include_its_sender
    a16_another_pools_id_reaches_nobody
    a18_a_sender_cannot_attach_a_policy_that_it_does_not_hold
    m4_a_policy_lost_before_receiving_makes_the_copy_undeliverable
}

fn runs(receipt: &Receipt) -> Vec<&str> {
    receipt
        .recipients
        .iter()
        .map(|copy| copy.run_id.as_str())
        .collect()
}

/// A message that carries these policies.
fn carrying(to: Address, id: &str, policies: &[&str]) -> SendRequest {
    let mut request = SendRequest::new(to, body(id), key(id));
    request.policies = World::policies(policies);
    request
}

fn needs(refusal: Rejection) -> (String, PolicyNeed) {
    let Rejection::Policy { policy, need } = refusal else {
        panic!("{refusal:?}");
    };
    (policy.id.as_str().to_owned(), need)
}

/// Joins two runs of the agent `reviewer`; only the first holds `secret`.
async fn join_reviewers(world: &World, pool: &Pool) {
    for (name, policies) in [("one", &["secret"][..]), ("two", &[])] {
        let join = JoinPool {
            agent: agent("reviewer"),
            policies: Some(World::policies(policies)),
            ..World::joining(name)
        };
        world.join_as(pool, join).await.unwrap();
    }
}

async fn a15_an_agent_address_reaches_only_members_that_hold_the_policy(world: World) {
    let pool = world.pool().await;
    let lead = world
        .join_with(&pool, "lead", &[], &["secret", "public"])
        .await;
    join_reviewers(&world, &pool).await;
    let to = || Address::Agent {
        agent_id: agent("reviewer"),
    };
    let sent = world
        .send(&pool, &lead, carrying(to(), "m1", &["secret"]))
        .await
        .unwrap();
    assert_eq!(runs(&sent.receipt), ["one"]);
    let sent = world
        .send(&pool, &lead, carrying(to(), "m2", &[]))
        .await
        .unwrap();
    assert_eq!(runs(&sent.receipt), ["one", "two"]);
    let sent = world
        .send(&pool, &lead, carrying(to(), "m3", &["public"]))
        .await
        .unwrap();
    assert_eq!(sent.receipt.status, MessageStatus::Failed);
    assert_eq!(
        sent.receipt.reason,
        Some(MessageFailure::Policy),
        "members, but none holds it"
    );
    world.check_replay(&pool).await;
}

/// A pool that requires `team`: the sender and `peer` hold it, `guest` does not.
async fn broadcast(world: &World, broadcast: Option<Broadcast>, id: &str) -> (Pool, Receipt) {
    let spec = PoolSpec {
        required_policies: Some(World::policies(&["team"])),
        broadcast,
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let sender = world.join_with(&pool, "sender", &[], &["team"]).await;
    world.join_with(&pool, "peer", &[], &["team"]).await;
    world.join(&pool, "guest").await;
    let pool_id = PoolId::parse(id).unwrap();
    let request = carrying(Address::Pool { pool_id }, "m1", &["team"]);
    let sent = world.send(&pool, &sender, request).await.unwrap();
    (pool, sent.receipt)
}

async fn p2_a_broadcast_may_include_its_sender(world: World) {
    let (pool, receipt) = broadcast(&world, Some(Broadcast::IncludeSender), "p").await;
    assert_eq!(runs(&receipt), ["peer", "sender"]);
    world.check_replay(&pool).await;
}

async fn a16_another_pools_id_reaches_nobody(world: World) {
    let (pool, receipt) = broadcast(&world, Some(Broadcast::IncludeSender), "q").await;
    assert_eq!(receipt.status, MessageStatus::Failed);
    assert_eq!(receipt.reason, Some(MessageFailure::ForeignPool));
    assert_eq!(runs(&receipt), Vec::<&str>::new());
    for copies in world.state(&pool).await.members().iter() {
        assert_eq!(copies.inbox.depth(), 0);
    }
    world.check_replay(&pool).await;
}

async fn a18_a_sender_cannot_attach_a_policy_that_it_does_not_hold(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["public"]).await;
    world
        .join_with(&pool, "peer", &[], &["public", "secret"])
        .await;
    let run_id = run("peer");
    let request = carrying(Address::Run { run_id }, "m1", &["public", "secret"]);
    let refusal = world
        .refused(&pool, world.send(&pool, &lead, request))
        .await;
    assert_eq!(
        needs(refusal),
        ("secret".to_owned(), PolicyNeed::SenderHolds)
    );
    world.check_replay(&pool).await;
}

async fn m4_a_policy_lost_before_receiving_makes_the_copy_undeliverable(world: World) {
    let pool = world.pool().await;
    let lead = world.join_with(&pool, "lead", &[], &["secret"]).await;
    world.join_with(&pool, "peer", &[], &["secret"]).await;
    for (id, policies) in [("m1", &["secret"][..]), ("m2", &[])] {
        let run_id = run("peer");
        let mut request = carrying(Address::Run { run_id }, id, policies);
        request.message_id = Some(heronry_tests::message(id));
        world.send(&pool, &lead, request).await.unwrap();
    }
    let narrower = JoinPool {
        policies: Some(World::policies(&[])),
        ..World::joining_as("peer", "instance-2")
    };
    let joined = world.join_as(&pool, narrower).await.unwrap();
    let peer = World::member("peer", joined.generation);
    let before = world.head(&pool).await;
    let received = world.receive(&pool, &peer, "r1", 10).await;
    let items: Vec<_> = received
        .items
        .iter()
        .map(|item| item.message_id.as_str())
        .collect();
    assert_eq!(items, ["m2"]);
    let expected = [EventKind::RunMessageFetched, EventKind::RunMessageSettled];
    assert_eq!(world.kinds_after(&pool, before).await, expected);
    let receipt = world.receipt(&pool, "lead", "m1").await;
    assert_eq!(receipt.status, MessageStatus::Settled);
    let copy = &receipt.recipients[0];
    assert_eq!(
        (copy.state, copy.why),
        (CopyState::Undeliverable, Some(Undeliverable::Policy))
    );
    let events = world.events(&pool).await;
    let fetched = events
        .iter()
        .find(|event| event.envelope.id().position == before.next());
    let fetched = fetched.unwrap();
    assert_eq!(
        fetched.envelope.about.related.len(),
        2,
        "named in that call's record"
    );
    world.check_replay(&pool).await;
}
