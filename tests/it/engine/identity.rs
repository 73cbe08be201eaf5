//! Identity: who may do what, and nothing recorded for who may not.

use heronry_journal::Claim;
use heronry_pool::{
    Caller, Rejection,
    decide::{
        AckCopies, AdmitBody, CancelWake, ChangeMember, ClaimSet, Command, ConfigurePool,
        ContentAccess, ContentShare, DescribePool, EndRun, ExtendClaims, FetchMessages,
        FindMessage, FindWake, Heartbeat, LeavePool, ListMembers, ListWakes, PeekInbox,
        RegisterWake, ReleaseClaims, SendMessage, Viewing,
    },
};
use heronry_runtime::Pool;
use heronry_tests::{World, message, on_every_store, run, topic, wake};
use heronry_types::{
    AckOutcome, ContentRef, Limits, Millis, Position, RunEnd, RunId, WakeReason, WakeStatus,
};

on_every_store! {
    a52_a_member_cannot_do_what_only_an_operator_may
    a52_a_member_cannot_act_for_another_run
    a52_an_older_generation_is_fenced_everywhere
    a52_who_left_is_no_member_and_who_ended_has_ended
    a52_another_runs_wake_cannot_be_cancelled
}

async fn refusal<C: Command + Sync>(world: &World, pool: &Pool, command: C) -> Rejection
where
    C::Answer: Sync,
{
    let before = world.head(pool).await;
    let Err(error) = pool.call(command).await else {
        panic!("it was let through");
    };
    assert_eq!(world.head(pool).await, before, "a refusal was recorded");
    error.rejection().unwrap().clone()
}

/// Checks the refusal of every command as `run`, asked by `caller`.
async fn check_acting(
    world: &World,
    pool: &Pool,
    (caller, run): (&Caller, &RunId),
    expected: &Rejection,
) {
    let (c, r) = (|| caller.clone(), || run.clone());
    let claims = vec![Claim {
        accepted: Position(4),
        fetched: Position(6),
    }];
    let claim_ms = Millis(1_000);
    macro_rules! refused {
        ($($command:expr),* $(,)?) => {
            $(assert_eq!(refusal(world, pool, $command).await, *expected, "{}", stringify!($command));)*
        };
    }
    let request = World::to_run("victim", "fresh", "hi");
    let waiting = World::waiting("true", "fresh");
    refused! {
        SendMessage::new(c(), r(), request),
        RegisterWake::new(c(), r(), waiting),
        CancelWake { caller: c(), run: r(), wake_id: wake("w1") },
        FetchMessages { caller: c(), run: r(), ..World::fetch(&World::member("victim", heronry_types::Generation(Position(1))), "r9", 1) },
        PeekInbox { caller: c(), run: r(), max: 1 },
        AckCopies { caller: c(), run: r(), claims: ClaimSet::These(claims.clone()), outcome: AckOutcome::Done, note: None },
        AckCopies { caller: c(), run: r(), claims: ClaimSet::UpTo(claims[0]), outcome: AckOutcome::Done, note: None },
        ReleaseClaims { caller: c(), run: r(), claims: claims.clone(), delay: None },
        ExtendClaims { caller: c(), run: r(), claims: claims.clone(), claim_ms },
        ChangeMember { caller: c(), run: r(), topics: Some(vec![topic("t")]), lease: None },
        Heartbeat { caller: c(), run: r() },
        LeavePool { caller: c(), run: r() },
        EndRun { caller: c(), run: r(), end: RunEnd::Failed, note: None },
        FindMessage { caller: c(), from: r(), message_id: message("m1") },
        FindMessage { caller: c(), from: r(), message_id: message("absent") },
        FindWake { caller: c(), run: Some(r()), wake_id: wake("w1") },
        ListWakes { caller: c(), run: Some(r()), after: None, max: 10 },
        Viewing { caller: c(), run: Some(r()) },
    }
}

fn members(caller: &Caller) -> ListMembers {
    ListMembers {
        caller: caller.clone(),
        after: None,
        max: 10,
    }
}

/// Asks whether a body of one byte may be stored.
fn admission(caller: &Caller) -> AdmitBody {
    AdmitBody {
        caller: caller.clone(),
        media_type: "text/plain".into(),
        bytes: 1,
        share: ContentShare::default(),
    }
}

/// Checks the refusal of every command that names no run.
async fn check_present(world: &World, pool: &Pool, caller: &Caller, expected: &Rejection) {
    let c = || caller.clone();
    let content_ref = ContentRef::from_bits([1; 16]);
    let answers = [
        refusal(world, pool, DescribePool { caller: c() }).await,
        refusal(world, pool, members(caller)).await,
        refusal(
            world,
            pool,
            ListWakes {
                caller: c(),
                run: None,
                after: None,
                max: 10,
            },
        )
        .await,
        refusal(
            world,
            pool,
            FindWake {
                caller: c(),
                run: None,
                wake_id: wake("w1"),
            },
        )
        .await,
        refusal(world, pool, admission(caller)).await,
        refusal(
            world,
            pool,
            ContentAccess {
                caller: c(),
                content_ref,
            },
        )
        .await,
        refusal(
            world,
            pool,
            Viewing {
                caller: c(),
                run: None,
            },
        )
        .await,
    ];
    for answer in answers {
        assert_eq!(answer, *expected);
    }
}

/// `victim` has a message, a claim and a wake; `other` is a member too.
async fn scene(world: &World) -> (Pool, Caller, Caller) {
    let pool = world.pool().await;
    let victim = world.join(&pool, "victim").await;
    let other = world.join(&pool, "other").await;
    world.say(&pool, &victim, ("victim", "m1")).await;
    world.receive(&pool, &victim, "r1", 1).await;
    let mut waiting = World::waiting(r#"kind == "run_failed""#, "w1");
    waiting.wake_id = Some(wake("w1"));
    world.register(&pool, &victim, waiting).await;
    (pool, victim, other)
}

async fn a52_a_member_cannot_do_what_only_an_operator_may(world: World) {
    let (pool, victim, other) = scene(&world).await;
    for caller in [&victim, &other] {
        let mut join = World::joining_as("victim", "instance-2");
        join.caller = caller.clone();
        assert_eq!(refusal(&world, &pool, join).await, Rejection::OperatorOnly);
        let mut join = World::joining("fresh");
        join.caller = caller.clone();
        assert_eq!(refusal(&world, &pool, join).await, Rejection::OperatorOnly);
        let (caller, expected_version) = (caller.clone(), 1);
        let limits = Limits::default();
        let configure = ConfigurePool {
            caller,
            expected_version,
            limits,
        };
        assert_eq!(
            refusal(&world, &pool, configure).await,
            Rejection::OperatorOnly
        );
    }
    world.check_replay(&pool).await;
}

async fn a52_a_member_cannot_act_for_another_run(world: World) {
    let (pool, _, other) = scene(&world).await;
    let mismatch = Rejection::SenderMismatch;
    check_acting(&world, &pool, (&other, &run("victim")), &mismatch).await;
    // Absent and forbidden look alike.
    check_acting(&world, &pool, (&other, &run("absent")), &mismatch).await;
    world.check_replay(&pool).await;
}

async fn a52_an_older_generation_is_fenced_everywhere(world: World) {
    let (pool, victim, _) = scene(&world).await;
    world
        .join_as(&pool, World::joining_as("victim", "instance-2"))
        .await
        .unwrap();
    check_acting(&world, &pool, (&victim, &run("victim")), &Rejection::Fenced).await;
    check_present(&world, &pool, &victim, &Rejection::Fenced).await;
    world.check_replay(&pool).await;
}

async fn a52_who_left_is_no_member_and_who_ended_has_ended(world: World) {
    let (pool, victim, other) = scene(&world).await;
    world.leave(&pool, &victim).await.unwrap();
    check_acting(
        &world,
        &pool,
        (&victim, &run("victim")),
        &Rejection::NotAMember,
    )
    .await;
    check_present(&world, &pool, &victim, &Rejection::NotAMember).await;
    world.end(&pool, &other, RunEnd::Cancelled).await.unwrap();
    let ended = Rejection::RunEnded {
        state: RunEnd::Cancelled,
    };
    check_acting(&world, &pool, (&other, &run("other")), &ended).await;
    check_present(&world, &pool, &other, &ended).await;
    world.check_replay(&pool).await;
}

async fn a52_another_runs_wake_cannot_be_cancelled(world: World) {
    let (pool, victim, other) = scene(&world).await;
    // Under its own name it has no such wake, and learns no more than that.
    for id in ["w1", "absent"] {
        let id = wake(id);
        let cancel = world.cancel(&pool, &other, &id);
        assert_eq!(world.refused(&pool, cancel).await, Rejection::WakeNotFound);
    }
    let kept = world.wake_of(&pool, &victim, &wake("w1")).await;
    assert_eq!(kept.status, WakeStatus::Registered);
    let (caller, wake_id) = (Caller::Operator, wake("w1"));
    let by_operator = CancelWake {
        caller,
        run: run("victim"),
        wake_id,
    };
    let cancelled = pool.call(by_operator).await.unwrap();
    assert_eq!(cancelled.status, WakeStatus::Cancelled);
    assert_eq!(cancelled.reason, Some(WakeReason::Requested.into()));
    world.check_replay(&pool).await;
}
