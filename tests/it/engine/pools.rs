//! Pools: created once, opened again, configured, rebuilt from the journal.

use futures::future::join_all;
use heronry_journal::Body;
use heronry_pool::{
    Caller, Rejection,
    decide::{ConfigurePool, DescribePool, How, ListMembers},
};
use heronry_runtime::{CallError, OpenError, OpenedPool};
use heronry_tests::{World, agent, on_every_store, on_every_store_that_is_reopened, pool, run};
use heronry_types::{
    Broadcast, EventKind, LimitName, Limits, Payload, PoolSpec, Position, WakePayload,
};

on_every_store! {
    a4_a_fresh_pool_and_two_joins_are_the_records_and_events_1_2_and_3
    a4_a_join_costs_the_same_however_many_members_there_are
    a5_opening_with_another_configuration_names_the_fields_and_changes_nothing
}

on_every_store_that_is_reopened! {
    a5_opening_again_with_the_same_or_fewer_fields_opens
    a5_settings_hold_for_later_records
    a6_clones_of_a_handle_see_the_same_pool_and_a_new_runtime_rebuilds_it
}

async fn a4_a_fresh_pool_and_two_joins_are_the_records_and_events_1_2_and_3(world: World) {
    let pool = world.pool().await;
    let first = world.join_as(&pool, World::joining("ada")).await.unwrap();
    let second = world.join_as(&pool, World::joining("bob")).await.unwrap();
    assert_eq!(
        (first.cursor.position, second.cursor.position),
        (Position(2), Position(3))
    );
    assert_eq!(
        (first.generation.0, second.generation.0),
        (Position(2), Position(3))
    );

    let records = world.records(&pool).await;
    let positions: Vec<Position> = records.iter().map(|record| record.position).collect();
    assert_eq!(positions, [Position(1), Position(2), Position(3)]);
    assert!(matches!(records[0].entry.body, Body::PoolCreated(_)));
    for (index, name) in [(1, "ada"), (2, "bob")] {
        let Body::MemberJoined(joined) = &records[index].entry.body else {
            panic!("record {} is {:?}", index + 1, records[index].kind());
        };
        assert_eq!(joined.members, index as u64);
        let lineage = &records[index].entry.lineage;
        assert_eq!(
            (&lineage.run, &lineage.agent),
            (&Some(run(name)), &Some(agent(name)))
        );
    }

    let events = world.events(&pool).await;
    let seen: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event.envelope.id(),
                event.envelope.kind,
                event.envelope.identity.run.clone(),
            )
        })
        .collect();
    let cursor = |position| World::cursor(&pool, Position(position));
    assert_eq!(
        seen,
        [
            (cursor(1), EventKind::AgentPoolCreated, None),
            (cursor(2), EventKind::AgentPoolRunJoined, Some(run("ada"))),
            (cursor(3), EventKind::AgentPoolRunJoined, Some(run("bob"))),
        ]
    );
    assert!(
        events
            .iter()
            .all(|event| event.payload == Payload::EnvelopeOnly)
    );
    world.check_replay(&pool).await;
}

async fn a4_a_join_costs_the_same_however_many_members_there_are(world: World) {
    const BATCH: u64 = 500;
    let pool = world.pool().await;
    for batch in 0..20 {
        // All calls of a batch wait in the queue before the actor runs: one append each.
        let joins = (0..BATCH).map(|one| {
            let name = format!("run-{:05}", batch * BATCH + one);
            world.join_as(&pool, World::joining(&name))
        });
        let joined: Vec<_> = join_all(joins)
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(joined.len() as u64, BATCH);
    }
    let chunks = world.chunks(&pool).await;
    let full: Vec<usize> = chunks
        .iter()
        .filter(|chunk| chunk.last().0 - chunk.first().0 + 1 == BATCH)
        .map(|chunk| chunk.bytes().len())
        .collect();
    assert_eq!(full.len(), 20, "each batch is one chunk");
    // Only the count of members grows, from one byte to three in each record.
    let (first, last) = (full[0], full[19]);
    assert!(
        last >= first && last - first <= 500 * 2,
        "500 joins took {first} bytes at first and {last} at last"
    );
    let (mut found, mut after) = (0, None);
    loop {
        let members = ListMembers {
            caller: Caller::Operator,
            after,
            max: 1_000,
        };
        let page = pool.call(members).await.unwrap();
        found += page.members.len();
        after = page.next;
        if after.is_none() {
            break;
        }
        assert_eq!(page.members.len(), 1_000);
    }
    assert_eq!(found, 10_000);
    world.check_replay(&pool).await;
}

/// A pool that names every field.
fn full_spec() -> PoolSpec {
    let mut limits = Limits::default();
    limits.set(LimitName::InboxDepthMax, 100);
    PoolSpec {
        retention: None,
        peering: None,
        required_policies: Some(World::policies(&["audit"])),
        broadcast: Some(Broadcast::IncludeSender),
        wake_payload: Some(WakePayload::Summary),
        policies: Some(World::policies(&["inside"])),
        grants: Some([(agent("ada"), World::policies(&["audit"]))].into()),
        limits: Some(limits),
    }
}

async fn a5_opening_again_with_the_same_or_fewer_fields_opens(world: World) {
    let OpenedPool { pool: created, how } =
        world.runtime.open(&pool("p"), full_spec()).await.unwrap();
    assert_eq!(how, How::Written);
    let fewer = [
        full_spec(),
        PoolSpec::default(),
        PoolSpec {
            broadcast: Some(Broadcast::IncludeSender),
            ..PoolSpec::default()
        },
        PoolSpec {
            limits: full_spec().limits,
            ..PoolSpec::default()
        },
    ];
    for spec in fewer.clone() {
        let how = world.runtime.open(&pool("p"), spec).await.unwrap().how;
        assert_eq!(how, How::Unchanged);
    }
    assert_eq!(world.head(&created).await, Position(1));
    drop(created);
    let world = world.restart().await;
    for spec in fewer {
        let how = world.runtime.open(&pool("p"), spec).await.unwrap().how;
        assert_eq!(how, How::Unchanged);
    }
    let pool = world.pool().await;
    assert_eq!(world.head(&pool).await, Position(1));
    world.check_replay(&pool).await;
}

/// Each field with another value than [`full_spec`] has, by the name that a conflict gives it.
fn other_fields() -> Vec<(&'static str, PoolSpec)> {
    let none = PoolSpec::default;
    let mut limits = Limits::default();
    limits.set(LimitName::InboxDepthMax, 101);
    vec![
        (
            "message_policy.required_policies",
            PoolSpec {
                required_policies: Some(World::policies(&[])),
                ..none()
            },
        ),
        (
            "message_policy.include_sender_in_pool_broadcast",
            PoolSpec {
                broadcast: Some(Broadcast::ExcludeSender),
                ..none()
            },
        ),
        (
            "wake_policy.payload",
            PoolSpec {
                wake_payload: Some(WakePayload::Refs),
                ..none()
            },
        ),
        (
            "policies",
            PoolSpec {
                policies: Some(World::policies(&["outside"])),
                ..none()
            },
        ),
        (
            "grants",
            PoolSpec {
                grants: Some([].into()),
                ..none()
            },
        ),
        (
            "limits",
            PoolSpec {
                limits: Some(limits),
                ..none()
            },
        ),
    ]
}

async fn a5_opening_with_another_configuration_names_the_fields_and_changes_nothing(world: World) {
    let created = world.pool_with(full_spec()).await;
    let all_at_once = PoolSpec {
        broadcast: Some(Broadcast::ExcludeSender),
        ..PoolSpec::default()
    };
    let two = PoolSpec {
        grants: Some([].into()),
        ..all_at_once
    };
    let names = ["message_policy.include_sender_in_pool_broadcast", "grants"];
    let mut cases = vec![(names.to_vec(), two)];
    cases.extend(
        other_fields()
            .into_iter()
            .map(|(name, spec)| (vec![name], spec)),
    );
    for (expected, spec) in cases {
        let error = world.runtime.open(&pool("p"), spec).await.unwrap_err();
        let OpenError::Call(CallError::Rejected(Rejection::ConfigConflict { fields })) = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(fields, expected);
    }
    assert_eq!(world.head(&created).await, Position(1));
    let shown = created
        .call(DescribePool {
            caller: Caller::Operator,
        })
        .await
        .unwrap();
    assert_eq!(shown.config, full_spec().config());
    world.check_replay(&created).await;
}

fn patch(expected_version: u64, name: LimitName, value: u64) -> ConfigurePool {
    let mut limits = Limits::default();
    limits.set(name, value);
    ConfigurePool {
        retention: None,
        peering: None,
        caller: Caller::Operator,
        expected_version,
        limits,
    }
}

async fn a5_settings_hold_for_later_records(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    pool.call(patch(1, LimitName::InboxDepthMax, 2))
        .await
        .unwrap();
    // One sender may fill half of an inbox of two, which is one copy.
    world.say(&pool, &lead, ("lead", "m1")).await;
    let second = world.send(&pool, &lead, World::to_run("lead", "k2", "2"));
    let refusal = world.refused(&pool, second).await;
    assert_eq!(refusal, Rejection::InboxFull { depth: 2 });
    let digest = world.check_replay(&pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(world.check_replay(&pool).await, digest);
    let second = world.send(&pool, &lead, World::to_run("lead", "k2", "2"));
    let refusal = world.refused(&pool, second).await;
    assert_eq!(refusal, Rejection::InboxFull { depth: 2 });
}

async fn a6_clones_of_a_handle_see_the_same_pool_and_a_new_runtime_rebuilds_it(world: World) {
    let one = world.pool().await;
    let other = world.pool().await;
    let lead = world.join(&one, "lead").await;
    world.join(&other, "scout").await;
    let sent = world
        .send(&one, &lead, World::to_run("scout", "k1", "go"))
        .await
        .unwrap();
    let repeated = world
        .send(&other, &lead, World::to_run("scout", "k1", "go"))
        .await
        .unwrap();
    assert!(repeated.repeated);
    assert_eq!(repeated.receipt, sent.receipt);
    for handle in [&one, &other] {
        let members = handle
            .call(ListMembers {
                caller: lead.clone(),
                after: None,
                max: 10,
            })
            .await
            .unwrap()
            .members;
        let runs: Vec<_> = members.iter().map(|member| member.run.clone()).collect();
        assert_eq!(runs, [run("lead"), run("scout")]);
        assert_eq!(members[1].unread, 1);
    }
    let digest = world.check_replay(&one).await;
    drop((one, other));
    let world = world.restart().await;
    let pool = world.pool().await;
    assert_eq!(world.check_replay(&pool).await, digest);
}
