//! Members: taken over, fenced, joining again.

use heronry_journal::Body;
use heronry_pool::{
    Caller, PolicyNeed, Rejection,
    decide::{ChangeMember, ClaimSet, ExtendClaims, JoinPool, ListMembers, PeekInbox, SendMessage},
};
use heronry_tests::{World, agent, on_every_store, on_every_store_that_is_reopened, run, topic};
use heronry_types::{Actor, CopyState, EventKind, Generation, Millis, RunEnd, WakeStatus};

on_every_store! {
    a8_another_instance_takes_over_with_a_higher_generation
    a8_the_predecessors_claims_come_back_uncounted
    a8_wakes_survive_a_takeover
    a8_the_older_generation_is_fenced
    a8_a_run_keeps_its_agent
    a8_joining_again_cannot_widen_policies
    a8_leaving_and_joining_again_gives_a_higher_generation_and_an_empty_inbox
    p3_topics_change_without_a_new_generation
    p8_an_operator_acts_for_a_run_and_the_record_says_so
}

on_every_store_that_is_reopened! {
    a8_the_same_instance_joining_again_gets_the_same_answer
}

fn generation(caller: &Caller) -> Generation {
    match caller {
        Caller::Member { generation, .. } => *generation,
        Caller::Operator => unreachable!("an operator has no generation"),
    }
}

/// Takes `scout` over for another instance.
async fn take_over(world: &World, pool: &heronry_runtime::Pool) -> Caller {
    let join = World::joining_as("scout", "instance-2");
    let joined = world.join_as(pool, join).await.unwrap();
    World::member("scout", joined.generation)
}

async fn a8_another_instance_takes_over_with_a_higher_generation(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let before = world.head(&pool).await;
    let join = World::joining_as("scout", "instance-2");
    let joined = world.join_as(&pool, join).await.unwrap();
    assert!(!joined.repeated);
    assert_eq!(
        joined.generation.0,
        before.next(),
        "the position of the record"
    );
    let records = world.records_after(&pool, before).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].kind(), EventKind::RunTakenOver);
    let Body::MemberTakenOver(taken) = &records[0].entry.body else {
        panic!("{:?}", records[0]);
    };
    assert_eq!((taken.predecessor, taken.members), (generation(&scout), 2));
    world.check_replay(&pool).await;
}

async fn a8_the_predecessors_claims_come_back_uncounted(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    for id in ["m1", "m2", "m3"] {
        world.say(&pool, &lead, ("scout", id)).await;
    }
    world.receive(&pool, &scout, "r1", 2).await;
    let successor = take_over(&world, &pool).await;
    let copy = &world.receipt(&pool, "lead", "m1").await.recipients[0];
    assert_eq!((copy.state, copy.attempt), (CopyState::Queued, 0));
    let received = world.receive(&pool, &successor, "r1", 10).await;
    let items = received.items.iter();
    let attempts: Vec<_> = items
        .map(|item| (item.message_id.as_str(), item.attempt))
        .collect();
    assert_eq!(
        attempts,
        [("m1", 1), ("m2", 1), ("m3", 1)],
        "at once, in order"
    );
    world.check_replay(&pool).await;
}

async fn a8_wakes_survive_a_takeover(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let waiting = World::waiting(r#"kind == "run_completed""#, "w1");
    let wake = world.register(&pool, &scout, waiting).await.wake_id;
    let successor = take_over(&world, &pool).await;
    let kept = world.wake_of(&pool, &successor, &wake).await;
    assert_eq!(kept.status, WakeStatus::Registered);
    world.end(&pool, &lead, RunEnd::Completed).await.unwrap();
    let woken = world.wake_of(&pool, &successor, &wake).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}

async fn a8_the_older_generation_is_fenced(world: World) {
    let pool = world.pool().await;
    let scout = world.join(&pool, "scout").await;
    world.say(&pool, &scout, ("scout", "m1")).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r1", 1).await);
    let these = || ClaimSet::These(claims.clone());
    let successor = take_over(&world, &pool).await;

    let send = world.send(&pool, &scout, World::to_run("scout", "k2", "late"));
    assert_eq!(world.refused(&pool, send).await, Rejection::Fenced);
    let ack = world.ack(&pool, &scout, these());
    assert_eq!(world.refused(&pool, ack).await, Rejection::Fenced);
    let release = world.release(&pool, &scout, claims.clone(), None);
    assert_eq!(world.refused(&pool, release).await, Rejection::Fenced);
    let (caller, run) = (scout.clone(), run("scout"));
    let waiting = World::waiting("true", "w1");
    let wait = heronry_pool::decide::RegisterWake::new(caller.clone(), run.clone(), waiting);
    assert_eq!(
        world.refused(&pool, pool.call(wait)).await,
        Rejection::Fenced
    );
    let fetch = pool.call(World::fetch(&scout, "r1", 1));
    assert_eq!(world.refused(&pool, fetch).await, Rejection::Fenced);
    let leave = world.leave(&pool, &scout);
    assert_eq!(world.refused(&pool, leave).await, Rejection::Fenced);
    let peek = PeekInbox {
        caller: caller.clone(),
        run: run.clone(),
        max: 1,
    };
    assert_eq!(
        world.refused(&pool, pool.call(peek)).await,
        Rejection::Fenced
    );
    let extend = ExtendClaims {
        caller,
        run,
        claims: claims.clone(),
        claim_ms: Millis(1),
    };
    assert_eq!(
        world.refused(&pool, pool.call(extend)).await,
        Rejection::Fenced
    );

    // The claim is void: the successor does not hold it either, and claims anew.
    let ack = world.ack(&pool, &successor, these());
    let lapsed = Rejection::ClaimLapsed {
        claims: claims.clone(),
    };
    assert_eq!(world.refused(&pool, ack).await, lapsed);
    let newer = World::claims(&world.receive(&pool, &successor, "r2", 1).await);
    world
        .ack(&pool, &successor, ClaimSet::These(newer))
        .await
        .unwrap();
    world.check_replay(&pool).await;
}

async fn a8_the_same_instance_joining_again_gets_the_same_answer(world: World) {
    let pool = world.pool().await;
    let first = world.join_as(&pool, World::joining("scout")).await.unwrap();
    world.join(&pool, "other").await;
    let join = world.join_as(&pool, World::joining("scout"));
    let again = world.unrecorded(&pool, join).await;
    assert!(again.repeated);
    assert_eq!(
        (again.generation, again.cursor),
        (first.generation, first.cursor)
    );
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let join = world.join_as(&pool, World::joining("scout"));
    let again = world.unrecorded(&pool, join).await;
    assert_eq!(
        (again.generation, again.cursor),
        (first.generation, first.cursor)
    );
    world.check_replay(&pool).await;
}

async fn a8_a_run_keeps_its_agent(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "scout").await;
    for instance in ["instance-1", "instance-2"] {
        let other = JoinPool {
            agent: agent("other"),
            ..World::joining_as("scout", instance)
        };
        let refusal = world.refused(&pool, world.join_as(&pool, other)).await;
        assert_eq!(refusal, Rejection::MemberConflict { field: "agent_id" });
    }
    world.check_replay(&pool).await;
}

async fn a8_joining_again_cannot_widen_policies(world: World) {
    let pool = world.pool().await;
    world
        .join_with(&pool, "scout", &[], &["read", "write"])
        .await;
    let joining = |instance, policies: Option<&[&str]>| {
        let policies = policies.map(World::policies);
        world.join_as(
            &pool,
            JoinPool {
                policies,
                ..World::joining_as("scout", instance)
            },
        )
    };
    for instance in ["instance-1", "instance-2"] {
        let refusal = world
            .refused(&pool, joining(instance, Some(&["admin", "read"])))
            .await;
        let Rejection::Policy { policy, need } = refusal else {
            panic!("{refusal:?}");
        };
        assert_eq!(
            (policy.id.as_str(), need),
            ("admin", PolicyNeed::NotWidened)
        );
    }
    joining("instance-2", Some(&["read"])).await.unwrap();
    joining("instance-3", None).await.unwrap();
    let members = pool
        .call(ListMembers {
            caller: Caller::Operator,
            after: None,
            max: 10,
        })
        .await
        .unwrap()
        .members;
    assert_eq!(
        members[0].policies,
        World::policies(&["read"]),
        "what it held stays"
    );
    world.check_replay(&pool).await;
}

async fn a8_leaving_and_joining_again_gives_a_higher_generation_and_an_empty_inbox(world: World) {
    let pool = world.pool().await;
    let first = world.join(&pool, "scout").await;
    world.say(&pool, &first, ("scout", "m1")).await;
    let claims = World::claims(&world.receive(&pool, &first, "r1", 1).await);
    world.leave(&pool, &first).await.unwrap();
    let joined = world.join_as(&pool, World::joining("scout")).await.unwrap();
    assert!(joined.generation > generation(&first));
    assert_eq!((joined.unread, joined.repeated), (0, false));
    let send = world.send(&pool, &first, World::to_run("scout", "k2", "late"));
    assert_eq!(world.refused(&pool, send).await, Rejection::Fenced);
    let present = World::member("scout", joined.generation);
    let ack = world.ack(&pool, &present, ClaimSet::These(claims.clone()));
    assert_eq!(
        world.refused(&pool, ack).await,
        Rejection::ClaimLapsed { claims }
    );
    world.check_replay(&pool).await;
}

async fn p3_topics_change_without_a_new_generation(world: World) {
    let pool = world.pool().await;
    let scout = world.join_with(&pool, "scout", &["b", "a", "b"], &[]).await;
    let state = world.state(&pool).await;
    let listed = &state.members().get(&run("scout")).unwrap().topics;
    assert_eq!(*listed, [topic("a"), topic("b")], "sorted and distinct");
    let change = |topics: &[&str]| ChangeMember {
        caller: scout.clone(),
        run: run("scout"),
        topics: Some(topics.iter().map(|name| topic(name)).collect()),
        lease: None,
    };
    world
        .unrecorded(&pool, pool.call(change(&["b", "a"])))
        .await;
    let before = world.head(&pool).await;
    pool.call(change(&["c", "b"])).await.unwrap();
    assert_eq!(
        world.kinds_after(&pool, before).await,
        [EventKind::AgentPoolRunChanged]
    );
    let state = world.state(&pool).await;
    let member = state.members().get(&run("scout")).unwrap();
    assert_eq!(member.topics, [topic("b"), topic("c")]);
    assert_eq!(member.generation, generation(&scout));
    assert_eq!(state.members().of_topic(&topic("a")).count(), 0);
    world.check_replay(&pool).await;
}

async fn p8_an_operator_acts_for_a_run_and_the_record_says_so(world: World) {
    let pool = world.pool().await;
    let scout = world.join(&pool, "scout").await;
    let before = world.head(&pool).await;
    let request = World::to_run("scout", "k1", "from outside");
    let by_operator = SendMessage::new(Caller::Operator, run("scout"), request.clone());
    let first = pool.call(by_operator).await.unwrap();
    assert_eq!(first.receipt.from, run("scout"));
    for record in world.records_after(&pool, before).await {
        assert_eq!(record.entry.actor, Actor::Operator);
        assert_eq!(record.entry.lineage.run, Some(run("scout")));
    }
    // One key space for a run, whoever acts for it.
    let again = world.send(&pool, &scout, request);
    assert!(world.unrecorded(&pool, again).await.repeated);
    world.check_replay(&pool).await;
}
