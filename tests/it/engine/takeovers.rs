//! Takeovers: their answer, their refusals, and the members that they do not concern.

use heronry_event::{CloseReason, StreamItem};
use heronry_pool::{
    Caller, Joined, Rejection, TakenOver,
    decide::{ChangeMember, JoinNew, JoinPool, Viewer, Viewing},
};
use heronry_runtime::{CallError, EventQuery, Follow, Pool, ReadFrom, Subscription};
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{EventKind, Millis, Position, RunEnd, Timestamp};

on_every_store! {
    p3_a_join_that_takes_over_says_from_whom_and_a_repeat_says_the_same
    p3_a_new_join_refuses_a_live_run_and_records_nothing
}

on_every_store_that_is_reopened! {
    p3_what_was_taken_over_is_said_also_after_a_restart
    a56_an_operators_stream_with_a_members_eyes_lives_through_a_takeover
    a56_an_operators_page_with_a_members_eyes_waits_through_a_takeover
    a56_an_operators_view_ends_when_its_run_leaves_or_ends
}

fn now(world: &World) -> Timestamp {
    heronry_store::Clock::now(&world.clock).wall
}

/// Joins `scout` as this instance.
async fn join(world: &World, pool: &Pool, instance: &str) -> Joined {
    let join = World::joining_as("scout", instance);
    world.join_as(pool, join).await.unwrap()
}

async fn p3_a_join_that_takes_over_says_from_whom_and_a_repeat_says_the_same(world: World) {
    let pool = world.pool().await;
    let first = join(&world, &pool, "one").await;
    assert_eq!(first.taken_over, None);
    world.pass(&pool, Millis(700)).await;
    // Whatever it does, it is heard of; it needs no lease for that.
    let scout = World::member("scout", first.generation);
    world.say(&pool, &scout, ("scout", "m1")).await;
    let seen = now(&world);
    world.pass(&pool, Millis(300)).await;
    let second = join(&world, &pool, "two").await;
    let taken_over = Some(TakenOver {
        generation: first.generation,
        last_seen: Some(seen),
    });
    assert_eq!((second.taken_over, second.repeated), (taken_over, false));
    world.pass(&pool, Millis(300)).await;
    let head = world.head(&pool).await;
    let again = join(&world, &pool, "two").await;
    assert_eq!((again.taken_over, again.repeated), (taken_over, true));
    assert_eq!(world.head(&pool).await, head, "nothing is taken over again");
    let third = join(&world, &pool, "three").await;
    let from_second = third.taken_over.unwrap();
    assert_eq!(from_second.generation, second.generation);
    assert_eq!(from_second.last_seen, Some(now(&world)));
    world.check_replay(&pool).await;
}

async fn p3_what_was_taken_over_is_said_also_after_a_restart(world: World) {
    let pool = world.pool().await;
    let first = join(&world, &pool, "one").await;
    let second = join(&world, &pool, "two").await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let nobody_heard = |generation| {
        Some(TakenOver {
            generation,
            last_seen: None,
        })
    };
    let again = join(&world, &pool, "two").await;
    assert_eq!(again.taken_over, nobody_heard(first.generation));
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let third = join(&world, &pool, "three").await;
    assert_eq!(third.taken_over, nobody_heard(second.generation));
    world.check_replay(&pool).await;
}

fn new(instance: &str) -> JoinNew {
    JoinNew(World::joining_as("scout", instance))
}

async fn p3_a_new_join_refuses_a_live_run_and_records_nothing(world: World) {
    let pool = world.pool().await;
    let lease = Millis::from_secs(10);
    let first = JoinPool {
        lease: Some(lease),
        ..World::joining_as("scout", "one")
    };
    let first = world.join_as(&pool, first).await.unwrap();
    let taken = Rejection::RunTaken {
        generation: first.generation,
        last_seen: Some(now(&world)),
    };
    world.pass(&pool, Millis(500)).await;
    let refusal = world.refused(&pool, pool.call(new("two"))).await;
    assert_eq!(refusal, taken);
    // Who is lost keeps its inbox and its wakes, and may come back: it is no free run either.
    world.pass(&pool, lease).await;
    let last = world.records(&pool).await.pop().unwrap();
    assert_eq!(last.kind(), EventKind::RunLost);
    let refusal = world.refused(&pool, pool.call(new("two"))).await;
    assert_eq!(refusal, taken);
    let scout = World::member("scout", first.generation);
    world.leave(&pool, &scout).await.unwrap();
    let joined = pool.call(new("two")).await.unwrap();
    assert_eq!(joined.taken_over, None);
    let two = World::member("scout", joined.generation);
    world.end(&pool, &two, RunEnd::Completed).await.unwrap();
    let state = RunEnd::Completed;
    let refusal = world.refused(&pool, pool.call(new("three"))).await;
    assert_eq!(refusal, Rejection::RunEnded { state });
    world.check_replay(&pool).await;
}

/// An operator's view with the eyes of `scout`.
async fn eyes(pool: &Pool) -> Viewer {
    let viewing = Viewing {
        caller: Caller::Operator,
        run: Some(run("scout")),
    };
    pool.call(viewing).await.unwrap()
}

async fn stream(pool: &Pool, viewer: Viewer, from: ReadFrom) -> Subscription {
    let query = EventQuery {
        from,
        ..World::seeing(viewer, "true")
    };
    pool.subscribe(query, Follow::Live).await.unwrap()
}

/// Reads up to this position; nothing when the stream closes before.
async fn position_seen(stream: &mut Subscription, until: Position) -> Option<Position> {
    while let Some(item) = stream.next().await.unwrap() {
        match item {
            StreamItem::Event(event) if event.envelope.id().position >= until => {
                return Some(event.envelope.id().position);
            }
            StreamItem::Closed { reason } => panic!("closed: {reason:?}"),
            StreamItem::Event(_)
            | StreamItem::CaughtUp { .. }
            | StreamItem::Gap { .. }
            | StreamItem::Ephemeral(_)
            | StreamItem::Dropped(_) => {}
        }
    }
    None
}

async fn a56_an_operators_stream_with_a_members_eyes_lives_through_a_takeover(world: World) {
    let pool = world.pool().await;
    let scout = World::member("scout", join(&world, &pool, "one").await.generation);
    let before = eyes(&pool).await;
    let mut live = stream(&pool, before.clone(), ReadFrom::Start).await;
    let mut of_member = stream(&pool, World::viewer(&scout), ReadFrom::Start).await;
    let taken_over = join(&world, &pool, "two").await.generation;
    let successor = World::member("scout", taken_over);
    let told = world.say(&pool, &successor, ("scout", "m1")).await;
    let told = told.cursor.position;
    assert_eq!(position_seen(&mut live, told).await, Some(told));
    // Who had asked before the takeover, and begins to read only after it.
    let mut late = stream(&pool, before, ReadFrom::Start).await;
    assert_eq!(position_seen(&mut late, told).await, Some(told));
    // The member itself is fenced, and its view ends.
    let mut last = None;
    while let Some(item) = of_member.next().await.unwrap() {
        last = Some(item);
    }
    let revoked = StreamItem::Closed {
        reason: CloseReason::Revoked,
    };
    assert_eq!(last, Some(revoked));
    let change = ChangeMember {
        caller: scout,
        run: run("scout"),
        topics: None,
        lease: None,
    };
    let refused = pool.call(change).await.unwrap_err();
    assert!(matches!(refused, CallError::Rejected(Rejection::Fenced)));
    world.check_replay(&pool).await;
}

async fn a56_an_operators_page_with_a_members_eyes_waits_through_a_takeover(world: World) {
    let pool = world.pool().await;
    join(&world, &pool, "one").await;
    let wanted = r#"kind == "run_message_accepted""#;
    let query = World::seeing(eyes(&pool).await, wanted);
    let asked = pool.clone();
    let page = tokio::spawn(async move { asked.events(&query, 1, Millis::from_secs(30)).await });
    heronry_tests::let_others_run().await;
    let successor = join(&world, &pool, "two").await;
    heronry_tests::let_others_run().await;
    let successor = World::member("scout", successor.generation);
    let told = world.say(&pool, &successor, ("scout", "m1")).await;
    let page = page.await.unwrap().unwrap();
    let found = page.events.iter().map(|event| event.envelope.id());
    assert_eq!(found.collect::<Vec<_>>(), [told.cursor]);
    world.check_replay(&pool).await;
}

async fn a56_an_operators_view_ends_when_its_run_leaves_or_ends(world: World) {
    let pool = world.pool().await;
    for ends in [CloseReason::Left, CloseReason::RunEnded] {
        join(&world, &pool, "one").await;
        let mut live = stream(&pool, eyes(&pool).await, ReadFrom::Head).await;
        let scout = World::member("scout", join(&world, &pool, "two").await.generation);
        if ends == CloseReason::Left {
            world.leave(&pool, &scout).await.unwrap();
        } else {
            world.end(&pool, &scout, RunEnd::Failed).await.unwrap();
        }
        let mut last = None;
        while let Some(item) = live.next().await.unwrap() {
            last = Some(item);
        }
        assert_eq!(last, Some(StreamItem::Closed { reason: ends }));
    }
    world.check_replay(&pool).await;
}
