//! Scope: what a member sees of the others, and how much of it.

use heronry_event::Event;
use heronry_pool::{
    Caller, PolicyNeed, Rejection,
    decide::{AckCopies, ClaimSet, Viewer, Viewing},
};
use heronry_runtime::Pool;
use heronry_tests::{World, on_every_store, run};
use heronry_types::{AckOutcome, Actor, EventKind, Payload, PoolSpec, Visibility, WakePayload};

on_every_store! {
    s5_a_member_sees_only_authors_in_scope_and_the_engine_and_an_operator_sees_all
    s5_a_callers_filter_only_narrows
    s5_a_viewer_without_the_policy_is_refused
    s5_a_payload_is_reduced_to_the_wake_policy
}

/// A pool whose members must hold `inside` to be seen and to see: `in` holds it, `out` does not.
async fn scene(world: &World) -> (Pool, Caller, Caller) {
    let spec = PoolSpec {
        policies: Some(World::policies(&["inside"])),
        ..PoolSpec::default()
    };
    let pool = world.pool_with(spec).await;
    let inside = world.join_with(&pool, "in", &[], &["inside", "more"]).await;
    let outside = world.join_with(&pool, "out", &[], &["more"]).await;
    (pool, inside, outside)
}

fn kinds(events: &[Event]) -> Vec<(EventKind, Option<&str>)> {
    let by = |event: &Event| (event.envelope.kind, event.envelope.identity.run.clone());
    let of = |event| {
        let (kind, run) = by(event);
        let name = run.map(|run| if run.as_str() == "in" { "in" } else { "out" });
        (kind, name)
    };
    events.iter().map(of).collect()
}

async fn seen_by(pool: &Pool, caller: &Caller, filter: &str) -> Vec<Event> {
    let query = World::seeing(World::viewer(caller), filter);
    World::pages(pool, query).await.unwrap()
}

/// Both act: each sends to `in`, and the copies are settled.
async fn both_act(world: &World, pool: &Pool, (inside, outside): (&Caller, &Caller)) {
    for (caller, id) in [(inside, "m1"), (outside, "m2")] {
        world.say(pool, caller, ("in", id)).await;
    }
    let claims = World::claims(&world.receive(pool, inside, "r1", 10).await);
    world
        .ack(pool, inside, ClaimSet::These(claims))
        .await
        .unwrap();
    world.leave(pool, outside).await.unwrap();
}

async fn s5_a_member_sees_only_authors_in_scope_and_the_engine_and_an_operator_sees_all(
    world: World,
) {
    let (pool, inside, outside) = scene(&world).await;
    both_act(&world, &pool, (&inside, &outside)).await;
    let all = seen_by(&pool, &Caller::Operator, "true").await;
    assert_eq!(
        all.len() as u64,
        pool.head().position.0,
        "an operator sees every record"
    );
    let expected = [
        (EventKind::AgentPoolCreated, None),
        (EventKind::AgentPoolRunJoined, Some("in")),
        (EventKind::RunMessageAccepted, Some("in")),
        (EventKind::RunMessageDelivered, Some("in")),
        (EventKind::RunMessageFetched, Some("in")),
        (EventKind::RunMessageAcked, Some("in")),
        (EventKind::RunMessageSettled, Some("in")),
        // The engine's own, about a message of the one who is out of scope.
        (EventKind::RunMessageSettled, Some("out")),
    ];
    let seen = seen_by(&pool, &inside, "true").await;
    assert_eq!(kinds(&seen), expected);
    let hidden = all.iter().filter(|event| !seen.contains(event));
    assert_eq!(
        hidden.clone().count(),
        4,
        "joined, accepted, delivered, left"
    );
    for event in hidden {
        assert_eq!(event.envelope.identity.run, Some(run("out")));
    }
    for record in world.records(&pool).await {
        let by_out = record.entry.lineage.run == Some(run("out"));
        let hidden = by_out && record.entry.actor != Actor::Engine;
        assert_eq!(
            record.entry.visibility == Visibility::OutOfScope,
            hidden,
            "{record:?}"
        );
    }
    world.check_replay(&pool).await;
}

async fn s5_a_callers_filter_only_narrows(world: World) {
    let (pool, inside, outside) = scene(&world).await;
    both_act(&world, &pool, (&inside, &outside)).await;
    let widest = seen_by(&pool, &inside, "true").await;
    for filter in [
        r#"run == "out""#,
        r#"run == "out" || true"#,
        r#"agent == "out" || "in" in recipients"#,
        r#"privacy in ["public", "internal", "content_refs_only", "sensitive", "secret"]"#,
    ] {
        for event in seen_by(&pool, &inside, filter).await {
            assert!(widest.contains(&event), "{filter} shows {event:?}");
        }
    }
    let of_out = seen_by(&pool, &inside, r#"run == "out""#).await;
    assert_eq!(
        kinds(&of_out),
        [(EventKind::RunMessageSettled, Some("out"))]
    );
    world.check_replay(&pool).await;
}

async fn s5_a_viewer_without_the_policy_is_refused(world: World) {
    let (pool, inside, outside) = scene(&world).await;
    let viewing = |caller: &Caller, of: Option<&str>| {
        pool.call(Viewing {
            caller: caller.clone(),
            run: of.map(run),
        })
    };
    let refusal = world.refused(&pool, viewing(&outside, None)).await;
    let Rejection::Policy { policy, need } = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(
        (policy.id.as_str(), need),
        ("inside", PolicyNeed::ViewerHolds)
    );
    let refusal = world.refused(&pool, viewing(&inside, Some("out"))).await;
    assert_eq!(refusal, Rejection::SenderMismatch);
    assert_eq!(
        viewing(&inside, None).await.unwrap(),
        World::viewer(&inside)
    );
    assert_eq!(
        viewing(&Caller::Operator, None).await.unwrap(),
        Viewer::Operator
    );
    let narrowed = viewing(&Caller::Operator, Some("in")).await.unwrap();
    assert_eq!(
        narrowed,
        Viewer::AsMember {
            run: run("in"),
            since: World::generation(&inside),
        },
        "an operator may look as a member"
    );
    world.check_replay(&pool).await;
}

async fn s5_a_payload_is_reduced_to_the_wake_policy(world: World) {
    let note = Payload::Summary {
        summary: "three files".to_owned(),
        refs: Vec::new(),
    };
    for (number, (most, shown)) in [
        (None, Payload::EnvelopeOnly),
        (Some(WakePayload::EnvelopeOnly), Payload::EnvelopeOnly),
        (Some(WakePayload::Summary), note.clone()),
        (Some(WakePayload::Refs), note.clone()),
    ]
    .into_iter()
    .enumerate()
    {
        let spec = PoolSpec {
            wake_payload: most,
            ..PoolSpec::default()
        };
        let id = heronry_tests::pool(&format!("p{number}"));
        let pool = world.runtime.open(&id, spec).await.unwrap().pool;
        let lead = world.join(&pool, "lead").await;
        world.say(&pool, &lead, ("lead", "m1")).await;
        let claims = World::claims(&world.receive(&pool, &lead, "r1", 1).await);
        let ack = AckCopies {
            caller: lead.clone(),
            run: run("lead"),
            claims: ClaimSet::These(claims),
            outcome: AckOutcome::Seen,
            note: Some("three files".to_owned()),
        };
        pool.call(ack).await.unwrap();
        let acked = r#"kind == "run_message_acked""#;
        let payload = |events: Vec<Event>| events[0].payload.clone();
        assert_eq!(
            payload(seen_by(&pool, &lead, acked).await),
            shown,
            "{most:?}"
        );
        assert_eq!(
            payload(seen_by(&pool, &Caller::Operator, acked).await),
            note
        );
        world.check_replay(&pool).await;
    }
}
