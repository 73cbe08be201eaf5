//! Wakes: how they end, why they are refused, and whom they do not disturb.

use heronry_pool::{
    Caller, Rejection,
    decide::{
        CancelWake, EndRun, Expiry, LeavePool, RegisterWake, SendMessage, SendRequest, WakeRequest,
    },
};
use heronry_tests::{World, body, calling, key, let_others_run, on_every_store, run, until};
use heronry_types::{
    Address, Cursor, Epoch, EventKind, Generation, LimitName, Limits, Millis, PoolSpec, Position,
    RunEnd, Since, WakeStatus,
};

use crate::wakes::{NEWS, pair, since, tell, timed};

on_every_store! {
    a34_the_first_of_trigger_cancel_and_timeout_is_the_only_end
    a34_an_event_that_is_due_before_a_timeout_of_the_same_moment_triggers
    a37_a_waiter_that_left_ended_or_is_at_its_limit_fails_nobody
    w2_a_refused_registration_says_why_and_records_nothing
    w3_a_repeated_registration_is_answered_as_it_stands_now
    w7_ending_a_wait_does_not_end_the_wake
}

async fn a34_the_first_of_trigger_cancel_and_timeout_is_the_only_end(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    // All three at one moment, in every order of the two that are commands.
    for (round, cancel_first) in [(0, true), (1, false)] {
        let request = timed(NEWS, &format!("w{round}"), 5_000);
        let wake = world.register(&pool, &lead, request).await;
        let hold = world.faults.hold_appends();
        let busy = World::to_run("scout", "busy", "busy");
        let busy = calling(
            &pool,
            SendMessage::new(
                scout.clone(),
                run("scout"),
                SendRequest {
                    key: key(&format!("busy{round}")),
                    to: Address::Run {
                        run_id: run("nobody"),
                    },
                    ..busy
                },
            ),
        );
        hold.reached(1).await;
        world.clock.advance(Millis(4_999 + u64::from(cancel_first)));
        let tell = SendMessage::new(
            scout.clone(),
            run("scout"),
            World::to_run("lead", &format!("k{round}"), "news"),
        );
        let tell = calling(&pool, tell);
        let cancel = CancelWake {
            caller: lead.clone(),
            run: run("lead"),
            wake_id: wake.wake_id.clone(),
        };
        let cancel = calling(&pool, cancel);
        let_others_run().await;
        hold.release();
        busy.await.unwrap().unwrap();
        tell.await.unwrap().unwrap();
        let answer = cancel.await.unwrap().unwrap();
        world.clock.advance(Millis(10));
        let end = world.wake_of(&pool, &lead, &wake.wake_id).await;
        // The reserved lane goes first, what is due before it.
        let expected = if cancel_first {
            WakeStatus::TimedOut
        } else {
            WakeStatus::Cancelled
        };
        assert_eq!((end.status, answer.status), (expected, expected));
        assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    }
    world.check_replay(&pool).await;
}

async fn a34_an_event_that_is_due_before_a_timeout_of_the_same_moment_triggers(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let filter = r#"kind == "run_message_expired""#;
    let wake = world
        .register(&pool, &lead, timed(filter, "w", 5_000))
        .await;
    let mut request = World::to_run("lead", "k1", "news");
    request.expiry = Some(Expiry::In(Millis(4_000)));
    world.send(&pool, &scout, request).await.unwrap();
    // Both are due when somebody looks next; the message expired first.
    world.clock.advance(Millis(5_000));
    let end = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(end.status, WakeStatus::Triggered);
    assert_eq!(world.ends_of(&pool, &wake.wake_id).await.len(), 1);
    world.check_replay(&pool).await;
}

async fn a37_a_waiter_that_left_ended_or_is_at_its_limit_fails_nobody(world: World) {
    let mut limits = Limits::default();
    limits.set(LimitName::LiveWakesPerRunMax, 2);
    let limits = Some(limits);
    let pool = world
        .pool_with(PoolSpec {
            limits,
            ..PoolSpec::default()
        })
        .await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    let (leaver, ender) = (
        world.join(&pool, "leaver").await,
        world.join(&pool, "ender").await,
    );
    for waiter in [&lead, &leaver, &ender] {
        for key_text in ["w1", "w2"] {
            world
                .register(&pool, waiter, World::waiting(NEWS, key_text))
                .await;
        }
        let third = World::waiting(NEWS, "w3");
        let third = RegisterWake::new(waiter.clone(), World::run_of(waiter), third);
        let refused = world.refused(&pool, pool.call(third)).await;
        assert!(matches!(refused, Rejection::Limit(limit) if limit.max == 2));
    }
    let (caller, run_of_leaver) = (leaver.clone(), run("leaver"));
    pool.call(LeavePool {
        caller,
        run: run_of_leaver,
    })
    .await
    .unwrap();
    let end = EndRun {
        caller: ender.clone(),
        run: run("ender"),
        end: RunEnd::Failed,
        note: None,
    };
    pool.call(end).await.unwrap();
    let told = tell(&world, &pool, &scout, "k1").await;
    let triggered = world.kinds_after(&pool, told).await;
    assert_eq!(
        triggered,
        [EventKind::WakeConditionTriggered; 2],
        "the lead's two"
    );
    let third = world
        .register(&pool, &lead, World::waiting(NEWS, "w3"))
        .await;
    assert_eq!(third.status, WakeStatus::Registered, "there is room again");
    world.check_replay(&pool).await;
}

async fn w2_a_refused_registration_says_why_and_records_nothing(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let ahead = Cursor::new(pool.epoch(), Position(1_000));
    let foreign = Cursor::new(Epoch([9; 16]), Position(1));
    let register = |caller: &Caller, as_run: &str, request: WakeRequest| {
        pool.call(RegisterWake::new(caller.clone(), run(as_run), request))
    };
    let request = since(NEWS, "w", Since::Cursor(ahead));
    let refused = world
        .refused(&pool, register(&lead, "lead", request.clone()))
        .await;
    let head = pool.head();
    assert_eq!(
        refused,
        Rejection::CursorAhead {
            requested: ahead,
            head
        }
    );
    // Whose wake it is comes before what it asks for.
    let refused = world
        .refused(&pool, register(&scout, "lead", request))
        .await;
    assert_eq!(refused, Rejection::SenderMismatch);
    let request = since(NEWS, "w", Since::Cursor(foreign));
    let refused = world
        .refused(&pool, register(&lead, "lead", request.clone()))
        .await;
    let is_foreign = matches!(
        refused,
        Rejection::CursorForeign { requested, diverged_at: None } if requested == foreign
    );
    assert!(is_foreign, "{refused:?}");
    let stranger = World::member("stranger", Generation(Position(1)));
    let refused = world
        .refused(&pool, register(&stranger, "stranger", request))
        .await;
    assert_eq!(refused, Rejection::NotAMember);
    world.check_replay(&pool).await;
}

async fn w3_a_repeated_registration_is_answered_as_it_stands_now(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let request = since(NEWS, "w", Since::Start);
    let first = world.register(&pool, &lead, request.clone()).await;
    assert_eq!(first.status, WakeStatus::Registered);
    tell(&world, &pool, &scout, "k1").await;
    let reads = world.faults.reads();
    let register = RegisterWake::new(lead.clone(), run("lead"), request);
    let again = world.unrecorded(&pool, pool.call(register)).await;
    assert!(again.repeated);
    assert_eq!(again.wake.wake_id, first.wake_id);
    assert_eq!(again.wake.status, WakeStatus::Triggered);
    assert_eq!(world.faults.reads(), reads, "a repeat scans nothing");
    let other = WakeRequest {
        timeout: Some(Millis(1)),
        ..World::waiting(NEWS, "w")
    };
    let other = pool.call(RegisterWake::new(lead.clone(), run("lead"), other));
    let refused = world.refused(&pool, other).await;
    let expected = World::cursor(&pool, Position(4));
    assert!(
        matches!(refused, Rejection::IdempotencyConflict { first, .. } if first == expected),
        "{refused:?}"
    );
    let send = SendRequest::new(
        Address::Run {
            run_id: run("lead"),
        },
        body("x"),
        key("w"),
    );
    let refused = world.refused(&pool, world.send(&pool, &lead, send)).await;
    assert!(
        matches!(refused, Rejection::IdempotencyConflict { .. }),
        "one space of keys"
    );
    world.check_replay(&pool).await;
}

async fn w7_ending_a_wait_does_not_end_the_wake(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    let before = world.head(&pool).await;
    let wait = |span| {
        let (pool, lead, id) = (pool.clone(), lead.clone(), wake.wake_id.clone());
        tokio::spawn(async move { pool.wait_wake(lead, None, id, span).await })
    };
    let gone = wait(Millis(50_000));
    until(|| world.alarm_in(Millis(50_000))).await;
    gone.abort();
    gone.await.unwrap_err();
    let short = wait(Millis(1_000));
    until(|| world.alarm_in(Millis(1_000))).await;
    world.clock.advance(Millis(1_000));
    let view = short.await.unwrap().unwrap();
    assert_eq!(view.status, WakeStatus::Registered);
    assert_eq!(world.head(&pool).await, before);
    tell(&world, &pool, &scout, "k1").await;
    let woken = world.wake_of(&pool, &lead, &wake.wake_id).await;
    assert_eq!(woken.status, WakeStatus::Triggered);
    world.check_replay(&pool).await;
}
