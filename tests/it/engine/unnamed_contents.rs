//! Bodies that are stored by themselves: what they count for their run, and that they expire.

use futures::{FutureExt, future::join_all};
use heronry_journal::Body as RecordBody;
use heronry_pool::{
    Caller, Rejection,
    decide::{ConfigurePool, SendRequest, StateDigest},
};
use heronry_runtime::{BodyError, CallError, ContentScope, Pool, StoredBody};
use heronry_testkit::AppendFault;
use heronry_tests::{
    World, canary, key, on_every_store, on_every_store_that_is_reopened, run, until,
};
use heronry_types::{
    Actor, Address, Body, ContentRef, EventKind, LimitExceeded, LimitName, Limits, Millis,
    PoolSpec, RunEnd,
};

use crate::{
    stalls::{SOON, deadlocks, sleeps},
    suspend::seen,
};

on_every_store! {
    storing_a_body_is_one_event_and_a_repeat_records_nothing
    b2_what_a_run_has_stored_is_bounded_and_a_refusal_stores_nothing
    of_many_bodies_at_once_no_more_are_stored_than_there_is_room_for
    room_is_free_again_when_a_body_is_named_erased_or_expires
    another_member_has_its_own_room_and_the_pool_has_one_for_all
    a_small_body_counts_as_4_096_bytes
    b2_a_body_that_no_message_names_expires_when_its_time_is_over_and_not_before
    a_body_is_kept_as_long_as_the_settings_said_when_it_was_stored
    a_body_that_a_message_names_is_kept_even_when_nobody_gets_that_message
    a_body_whose_run_has_ended_expires_all_the_same
    a_body_is_recorded_when_nobody_waits_for_that_any_more
    a_call_that_stores_a_body_and_is_parked_keeps_nobody_from_storing_one
    who_waits_for_an_erasure_is_not_suspected_while_a_body_may_expire
}

on_every_store_that_is_reopened! {
    what_is_counted_and_when_it_expires_is_kept_over_a_restart
    a_body_that_was_put_and_not_recorded_is_recorded_by_a_repeat_under_its_key
}

const DAY: Millis = Millis(24 * 3_600_000);

/// The number of bytes that a small body counts as.
const SMALL: u64 = 4_096;

async fn limited(world: &World, values: &[(LimitName, u64)]) -> Pool {
    let mut limits = Limits::default();
    for (name, value) in values {
        limits.set(*name, *value);
    }
    let limits = Some(limits);
    world
        .pool_with(PoolSpec {
            limits,
            ..PoolSpec::default()
        })
        .await
}

/// A pool in which a run may store three small bodies.
async fn room_for_three(world: &World) -> Pool {
    limited(
        world,
        &[(LimitName::UnnamedContentBytesPerRunMax, 3 * SMALL)],
    )
    .await
}

fn small(text: &str) -> Body {
    Body::text(canary::said(text))
}

async fn store(pool: &Pool, caller: &Caller, text: &str) -> Result<StoredBody, BodyError> {
    pool.store_body(caller.clone(), small(text)).await
}

fn under(run_id: &str, key_text: &str) -> ContentScope {
    ContentScope {
        run: Some(run(run_id)),
        key: key(key_text),
    }
}

fn rejection(error: BodyError) -> Rejection {
    let BodyError::Call(error) = error else {
        panic!("{error}")
    };
    error.rejection().unwrap().clone()
}

fn over(limit: LimitName, max: u64, actual: u64) -> Rejection {
    Rejection::Limit(LimitExceeded::new(limit, max, actual))
}

fn over_run(actual: u64) -> Rejection {
    let limit = LimitName::UnnamedContentBytesPerRunMax;
    over(limit, 3 * SMALL, actual)
}

/// Sends a stored body to a run.
async fn name(
    world: &World,
    pool: &Pool,
    (caller, to): (&Caller, &str),
    content_ref: ContentRef,
) -> Result<heronry_pool::Sent, CallError> {
    let content = pool.stored(caller.clone(), content_ref).await.unwrap();
    let to = Address::Run { run_id: run(to) };
    let request = SendRequest::new(to, content, key(&content_ref.to_string()));
    world.send(pool, caller, request).await
}

/// Returns the number of bodies that the store has by themselves, erased ones aside.
async fn kept(world: &World, pool: &Pool) -> usize {
    let contents = &world.store().contents;
    let alone = contents.list_alone(pool.id(), None, usize::MAX).await;
    let alone = alone.unwrap().into_iter();
    alone.filter_map(|it| it.stored.body()).count()
}

/// Lets time pass, and has what is due decided.
async fn pass(world: &World, pool: &Pool, span: Millis) {
    world.clock.advance(span);
    pool.call(StateDigest).await.unwrap();
}

/// Checks that the engine erased a body as its run's, because of the record that it was stored.
async fn check_expired(world: &World, pool: &Pool, (stored, owner): (&StoredBody, Option<&str>)) {
    let records = world.records(pool).await;
    let erased = records.iter().find(|record| {
        matches!(&record.entry.body, RecordBody::ContentErased(it)
            if it.content_ref == stored.content_ref)
    });
    let erased = erased.unwrap();
    assert_eq!(erased.entry.actor, Actor::Engine);
    assert_eq!(erased.entry.lineage.run, owner.map(run));
    let caused_by = erased.entry.lineage.caused_by;
    assert_eq!(caused_by, Some(stored.cursor.position));
    let read = pool.body(Caller::Operator, stored.content_ref).await;
    let erased_at = erased.recorded_at;
    let expected = Rejection::ContentErased { erased_at };
    assert_eq!(rejection(read.unwrap_err()), expected);
}

async fn storing_a_body_is_one_event_and_a_repeat_records_nothing(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let head = pool.head().position;
    let put = || pool.store_body_once(lead.clone(), under("lead", "k1"), small("one"));
    let stored = put().await.unwrap();
    let records = world.records_after(&pool, head).await;
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(record.kind(), EventKind::ContentStored);
    assert_eq!(record.position, stored.cursor.position);
    assert_eq!(record.entry.lineage.run, Some(run("lead")));
    let RecordBody::ContentStored(body) = &record.entry.body else {
        panic!("{record:?}")
    };
    let facts = (body.content_ref, body.body_bytes, body.expires_at);
    let bytes = small("one").bytes.len() as u64;
    let expires_at = record.recorded_at.after(DAY);
    assert_eq!(facts, (stored.content_ref, bytes, expires_at));
    // Who knows the reference can send the body, so the event does not say it.
    let events = world.events(&pool).await;
    let told = serde_json::to_string(events.last().unwrap()).unwrap();
    assert!(!told.contains(&stored.content_ref.to_string()), "{told}");

    let again = world.unrecorded(&pool, put()).await;
    assert!(again.repeated);
    name(&world, &pool, (&lead, "lead"), stored.content_ref)
        .await
        .unwrap();
    let named = world.unrecorded(&pool, put()).await;
    assert_eq!(
        (named.content_ref, named.cursor),
        (stored.content_ref, pool.head())
    );
    pool.erase_body(lead.clone(), stored.content_ref)
        .await
        .unwrap();
    let erased = world.unrecorded(&pool, put()).await;
    assert!(erased.erased_at.is_some());
    world.check_replay(&pool).await;
}

async fn b2_what_a_run_has_stored_is_bounded_and_a_refusal_stores_nothing(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let of = |bytes: u64| {
        let body = Body::text("x".repeat(usize::try_from(bytes).unwrap()));
        pool.store_body(lead.clone(), body)
    };
    of(2 * SMALL - 1).await.unwrap();
    let head = pool.head();
    let refused = of(SMALL + 2).await.unwrap_err();
    assert_eq!(rejection(refused), over_run(3 * SMALL + 1));
    of(SMALL + 1).await.unwrap();
    let scope = under("lead", "k1");
    let keyed = pool.store_body_once(lead.clone(), scope, small("one"));
    assert_eq!(rejection(keyed.await.unwrap_err()), over_run(4 * SMALL));
    assert_eq!(pool.head().position, head.position.next());
    assert_eq!(kept(&world, &pool).await, 2);
    // A message that brings its body takes no room.
    let inline = World::to_run("lead", "k2", "inline");
    world.send(&pool, &lead, inline).await.unwrap();
    world.check_replay(&pool).await;
}

async fn of_many_bodies_at_once_no_more_are_stored_than_there_is_room_for(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let texts: Vec<String> = (0..8).map(|number| format!("body {number}")).collect();
    let ends = join_all(texts.iter().map(|text| store(&pool, &lead, text))).await;
    let stored = ends.iter().filter(|end| end.is_ok()).count();
    assert_eq!((stored, kept(&world, &pool).await), (3, 3));
    world.check_replay(&pool).await;
}

async fn room_is_free_again_when_a_body_is_named_erased_or_expires(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let mut stored = Vec::new();
    for text in ["one", "two", "three"] {
        stored.push(store(&pool, &lead, text).await.unwrap());
    }
    let refused = async |text: &str| {
        let refused = store(&pool, &lead, text).await.unwrap_err();
        assert_eq!(rejection(refused), over_run(4 * SMALL));
    };
    refused("four").await;
    name(&world, &pool, (&lead, "lead"), stored[0].content_ref)
        .await
        .unwrap();
    store(&pool, &lead, "four").await.unwrap();
    refused("five").await;
    let second = stored[1].content_ref;
    pool.erase_body(lead.clone(), second).await.unwrap();
    store(&pool, &lead, "five").await.unwrap();
    refused("six").await;
    pass(&world, &pool, DAY).await;
    for text in ["six", "seven", "eight"] {
        store(&pool, &lead, text).await.unwrap();
    }
    refused("nine").await;
    world.check_replay(&pool).await;
}

async fn another_member_has_its_own_room_and_the_pool_has_one_for_all(world: World) {
    let all = LimitName::UnnamedContentBytesMax;
    let limits = [
        (LimitName::UnnamedContentBytesPerRunMax, 3 * SMALL),
        (all, 5 * SMALL),
    ];
    let pool = limited(&world, &limits).await;
    let lead = world.join(&pool, "lead").await;
    let other = world.join(&pool, "other").await;
    for text in ["one", "two", "three"] {
        store(&pool, &lead, text).await.unwrap();
    }
    let refused = store(&pool, &lead, "four").await.unwrap_err();
    assert_eq!(rejection(refused), over_run(4 * SMALL));
    store(&pool, &other, "one").await.unwrap();
    // What an operator stores for no run is the pool's alone; what it stores for a run, that run's.
    let for_lead = pool.store_body_once(Caller::Operator, under("lead", "k"), small("x"));
    assert_eq!(rejection(for_lead.await.unwrap_err()), over_run(4 * SMALL));
    let nobodys = store(&pool, &Caller::Operator, "two").await.unwrap();
    for caller in [&other, &Caller::Operator] {
        let refused = store(&pool, caller, "three").await.unwrap_err();
        assert_eq!(rejection(refused), over(all, 5 * SMALL, 6 * SMALL));
    }
    pass(&world, &pool, DAY).await;
    check_expired(&world, &pool, (&nobodys, None)).await;
    store(&pool, &other, "three").await.unwrap();
    world.check_replay(&pool).await;
}

async fn a_small_body_counts_as_4_096_bytes(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    for _ in 0..3 {
        let empty = Body::text(String::new());
        pool.store_body(lead.clone(), empty).await.unwrap();
    }
    let refused = store(&pool, &lead, "").await.unwrap_err();
    assert_eq!(rejection(refused), over_run(4 * SMALL));
    world.check_replay(&pool).await;
}

async fn b2_a_body_that_no_message_names_expires_when_its_time_is_over_and_not_before(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let stored = store(&pool, &lead, "one").await.unwrap();
    pass(&world, &pool, Millis(DAY.0 - 1)).await;
    let read = pool.body(Caller::Operator, stored.content_ref).await;
    assert_eq!(read.unwrap().body, small("one"));
    let later = store(&pool, &lead, "two").await.unwrap();
    pass(&world, &pool, Millis(1)).await;
    check_expired(&world, &pool, (&stored, Some("lead"))).await;
    assert_eq!(kept(&world, &pool).await, 1, "only the later one is left");
    let head = pool.head();
    let sent = name(&world, &pool, (&lead, "lead"), stored.content_ref).await;
    let refused = sent.unwrap_err();
    let refused = refused.rejection();
    assert!(
        matches!(refused, Some(Rejection::ContentErased { .. })),
        "{refused:?}"
    );
    assert_eq!(pool.head(), head);
    pass(&world, &pool, DAY).await;
    check_expired(&world, &pool, (&later, Some("lead"))).await;
    world.check_replay(&pool).await;
}

async fn a_body_is_kept_as_long_as_the_settings_said_when_it_was_stored(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let first = store(&pool, &lead, "one").await.unwrap();
    let mut limits = Limits::default();
    limits.set(LimitName::UnnamedContentKeepMsMax, 1_000);
    let configure = ConfigurePool {
        retention: None,
        peering: None,
        caller: Caller::Operator,
        expected_version: 1,
        limits,
    };
    pool.call(configure).await.unwrap();
    let second = store(&pool, &lead, "two").await.unwrap();
    pass(&world, &pool, Millis(1_000)).await;
    check_expired(&world, &pool, (&second, Some("lead"))).await;
    let read = pool.body(Caller::Operator, first.content_ref).await;
    assert_eq!(read.unwrap().body, small("one"));
    pass(&world, &pool, DAY).await;
    check_expired(&world, &pool, (&first, Some("lead"))).await;
    world.check_replay(&pool).await;
}

async fn a_body_that_a_message_names_is_kept_even_when_nobody_gets_that_message(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    for (to, text) in [("lead", "one"), ("nobody", "two")] {
        let stored = store(&pool, &lead, text).await.unwrap();
        name(&world, &pool, (&lead, to), stored.content_ref)
            .await
            .unwrap();
        pass(&world, &pool, Millis(30 * DAY.0)).await;
        let read = pool.body(lead.clone(), stored.content_ref).await;
        assert_eq!(read.unwrap().body, small(text));
    }
    world.check_replay(&pool).await;
}

async fn a_body_whose_run_has_ended_expires_all_the_same(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let stored = store(&pool, &lead, "one").await.unwrap();
    world.end(&pool, &lead, RunEnd::Completed).await.unwrap();
    pass(&world, &pool, DAY).await;
    check_expired(&world, &pool, (&stored, Some("lead"))).await;
    assert_eq!(kept(&world, &pool).await, 0);
    world.check_replay(&pool).await;
}

async fn a_body_is_recorded_when_nobody_waits_for_that_any_more(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let hold = world.faults.hold_appends();
    let appends = world.faults.appends();
    let mut storing = Box::pin(store(&pool, &lead, "one"));
    // Its record is on the way, and so it was put.
    until(|| {
        assert!((&mut storing).now_or_never().is_none());
        world.faults.appends() > appends
    })
    .await;
    drop(storing);
    drop(hold);
    pool.call(StateDigest).await.unwrap();
    let kinds = world
        .kinds_after(&pool, heronry_types::Position::ZERO)
        .await;
    assert_eq!(kinds.last(), Some(&EventKind::ContentStored));
    assert_eq!(kept(&world, &pool).await, 1);
    world.check_replay(&pool).await;
}

async fn a_call_that_stores_a_body_and_is_parked_keeps_nobody_from_storing_one(world: World) {
    let pool = limited(&world, &[]).await;
    let a = world.join(&pool, "a").await;
    let large = || Body::new(Body::BINARY, vec![7; 64 * 1024]);
    // However far each of them has come when it is parked.
    let mut parked = Vec::new();
    for polls in 1..=4 {
        let mut call = Box::pin(pool.store_body(a.clone(), large()));
        for _ in 0..polls {
            if (&mut call).now_or_never().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        parked.push(call);
        pool.store_body(a.clone(), large()).await.unwrap();
    }
}

async fn who_waits_for_an_erasure_is_not_suspected_while_a_body_may_expire(world: World) {
    let pool = world.pool().await;
    let mut callers = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        callers.push(world.join(&pool, name).await);
    }
    store(&pool, &callers[3], "one").await.unwrap();
    let before = world.head(&pool).await;
    for (caller, other) in callers.iter().zip(["bob", "ann", "dan", "cid"]) {
        let anything_of = format!(r#"run == "{other}""#);
        sleeps(&world, &pool, caller, &anything_of).await;
    }
    world.pass(&pool, Millis(2 * SOON.0)).await;
    let suspected = deadlocks(&world.records_after(&pool, before).await);
    let suspected: Vec<_> = suspected.into_iter().map(|it| it.runs).collect();
    assert_eq!(
        suspected,
        [[run("ann"), run("bob")]],
        "nothing of theirs expires"
    );
    pass(&world, &pool, DAY).await;
    assert!(seen(&pool, "cid").await.suspended.is_none());
    assert!(seen(&pool, "ann").await.suspended.is_some());
    world.check_replay(&pool).await;
}

async fn what_is_counted_and_when_it_expires_is_kept_over_a_restart(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let first = store(&pool, &lead, "one").await.unwrap();
    pass(&world, &pool, Millis(1_000)).await;
    for text in ["two", "three"] {
        store(&pool, &lead, text).await.unwrap();
    }
    drop(pool);
    let mut world = world;
    for _ in 0..2 {
        world = world.crash().await;
        let pool = world.pool().await;
        let refused = store(&pool, &lead, "four").await.unwrap_err();
        assert_eq!(rejection(refused), over_run(4 * SMALL));
        world.check_replay(&pool).await;
    }
    // It is due while nobody has the pool.
    world.clock.advance(Millis(DAY.0 - 1_000));
    let world = world.restart().await;
    let pool = world.pool().await;
    pool.call(StateDigest).await.unwrap();
    check_expired(&world, &pool, (&first, Some("lead"))).await;
    assert_eq!(kept(&world, &pool).await, 2);
    store(&pool, &lead, "four").await.unwrap();
    let refused = store(&pool, &lead, "five").await.unwrap_err();
    assert_eq!(rejection(refused), over_run(4 * SMALL));
    world.check_replay(&pool).await;
}

async fn a_body_that_was_put_and_not_recorded_is_recorded_by_a_repeat_under_its_key(world: World) {
    let pool = room_for_three(&world).await;
    let lead = world.join(&pool, "lead").await;
    let before = world.records(&pool).await.len();
    world.faults.fail_next_append(AppendFault::UnknownNotKept);
    let put = async |pool: &Pool| {
        let scope = under("lead", "k1");
        pool.store_body_once(lead.clone(), scope, small("one"))
            .await
    };
    put(&pool).await.unwrap_err();
    drop(pool);
    let world = world.crash().await;
    let pool = world.pool().await;
    assert_eq!(kept(&world, &pool).await, 1, "it was put");
    assert_eq!(world.records(&pool).await.len(), before, "and not recorded");
    let again = put(&pool).await.unwrap();
    assert!(again.repeated);
    let kinds = world
        .kinds_after(&pool, again.cursor.position.previous())
        .await;
    assert_eq!(kinds, [EventKind::ContentStored]);
    assert!(world.unrecorded(&pool, put(&pool)).await.repeated);
    for text in ["two", "three"] {
        store(&pool, &lead, text).await.unwrap();
    }
    let refused = store(&pool, &lead, "four").await.unwrap_err();
    assert_eq!(rejection(refused), over_run(4 * SMALL));
    pass(&world, &pool, DAY).await;
    check_expired(&world, &pool, (&again, Some("lead"))).await;
    world.check_replay(&pool).await;
}
