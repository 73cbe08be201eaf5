//! Reading is work beside the pool: it is done in slices, by permit, and no command waits for it.

use futures::future::{Either, select};
use heronry_event::StreamItem;
use heronry_pool::{
    Caller,
    decide::{AppendEvents, Content, SendRequest},
};
use heronry_runtime::{Follow, Party, Pool, ReadFrom, SideWork};
use heronry_tests::{World, asked, key, on_every_store};
use heronry_types::{Address, Body, EventKind, Millis, NewEvent, Position};

on_every_store! {
    no_command_waits_for_a_read_and_a_read_has_no_permit_while_another_has_it
    a_short_read_waits_for_one_slice_of_a_long_one
    a_call_that_is_parked_while_it_waits_for_a_permit_keeps_it_from_nobody
    a_large_body_is_read_with_a_permit_and_a_small_one_where_it_is_asked_for
    a_replay_is_read_in_slices_and_each_fact_comes_once
    explaining_a_wake_is_work_in_slices_as_well
}

/// The most bytes of a body that is read where it is asked for.
const SMALL: usize = 16 * 1024;

/// The most records that one slice looks at.
const SLICE: usize = 512;

/// A pool with a history of four slices, on a runtime where one slice is done at a time.
struct Library {
    world: World,
    pool: Pool,
    side_work: SideWork,
    long: Caller,
    short: Caller,
}

async fn library(world: World) -> Library {
    let side_work = SideWork::with_permits(1);
    let world = world.with_options(|options| options.with_side_work(side_work.clone()));
    let pool = world.pool().await;
    let long = world.join(&pool, "long").await;
    let short = world.join(&pool, "short").await;
    for batch in 0..4 {
        let events = vec![NewEvent::new(EventKind::ToolCompleted); SLICE];
        let run = World::run_of(&long);
        let key = key(&format!("batch-{batch}"));
        let report = AppendEvents::new(long.clone(), run, events, key);
        pool.call(report).await.unwrap();
    }
    Library {
        world,
        pool,
        side_work,
        long,
        short,
    }
}

async fn no_command_waits_for_a_read_and_a_read_has_no_permit_while_another_has_it(world: World) {
    let Library {
        world,
        pool,
        side_work,
        long,
        short,
    } = library(world).await;
    let permit = side_work.permit(&Party::Operator).await;
    let query = World::seeing(World::viewer(&long), "run == \"nobody\"");
    let mut page = asked!(pool.events(&query, 10, Millis(0)));
    // The reader is admitted, and then waits for its permit however long the pool goes on.
    for number in 0..10 {
        let message = format!("m-{number}");
        world.say(&pool, &short, ("long", &message)).await;
        assert!(futures::poll!(page.as_mut()).is_pending());
    }
    drop(permit);
    assert!(page.await.unwrap().events.is_empty());
}

async fn a_short_read_waits_for_one_slice_of_a_long_one(world: World) {
    let Library {
        world: _world,
        pool,
        side_work,
        long,
        short,
    } = library(world).await;
    let permit = side_work.permit(&Party::Operator).await;
    let all = World::seeing(World::viewer(&long), "run == \"nobody\"");
    let mut newest = World::seeing(World::viewer(&short), "true");
    newest.from = ReadFrom::Cursor(World::cursor(&pool, Position(pool.head().position.0 - 1)));
    let mut long = Box::pin(pool.events(&all, 10, Millis(0)));
    let mut short = Box::pin(pool.events(&newest, 1, Millis(0)));
    // Both are admitted, the long one first.
    for _ in 0..100 {
        assert!(futures::poll!(long.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        assert!(futures::poll!(short.as_mut()).is_pending());
        tokio::task::yield_now().await;
    }
    drop(permit);
    // Four slices of the long one are left, and one slice of the short one.
    match select(short, long).await {
        Either::Left((page, long)) => {
            assert_eq!(page.unwrap().events.len(), 1);
            assert!(long.await.unwrap().events.is_empty());
        }
        Either::Right(_) => panic!("the long read was over first"),
    }
}

async fn a_call_that_is_parked_while_it_waits_for_a_permit_keeps_it_from_nobody(world: World) {
    let Library {
        world: _world,
        pool,
        side_work,
        long,
        short,
    } = library(world).await;
    let permit = side_work.permit(&Party::Operator).await;
    let all = World::seeing(World::viewer(&long), "run == \"nobody\"");
    let mut newest = World::seeing(World::viewer(&long), "true");
    newest.from = ReadFrom::Cursor(World::cursor(&pool, Position(pool.head().position.0 - 1)));
    let mut parked = [
        Box::pin(pool.events(&all, 10, Millis(0))),
        Box::pin(pool.events(&newest, 1, Millis(0))),
    ];
    for _ in 0..100 {
        for call in &mut parked {
            assert!(futures::poll!(call.as_mut()).is_pending());
        }
        tokio::task::yield_now().await;
    }
    drop(permit);
    // Neither of them is polled while another member reads all of it.
    let query = World::seeing(World::viewer(&short), "run == \"nobody\"");
    let page = pool.events(&query, 10, Millis(0));
    assert!(page.await.unwrap().events.is_empty());
    let [all, newest] = parked;
    assert!(all.await.unwrap().events.is_empty());
    assert_eq!(newest.await.unwrap().events.len(), 1);
}

async fn a_large_body_is_read_with_a_permit_and_a_small_one_where_it_is_asked_for(world: World) {
    let Library {
        world,
        pool,
        side_work,
        long,
        short,
    } = library(world).await;
    let mut sent = Vec::new();
    for bytes in [SMALL, SMALL + 1] {
        let body = Body::new(Body::BINARY, vec![7; bytes]);
        let name = format!("m-{bytes}");
        let to = Address::Run {
            run_id: World::run_of(&long),
        };
        let request = SendRequest::new(to, Content::Inline(body), key(&name));
        let told = world.send(&pool, &short, request).await.unwrap();
        sent.push(told.receipt.content_ref);
    }
    let stored = Body::new(Body::BINARY, vec![8; SMALL]);
    let stored = pool.store_body(short.clone(), stored).await.unwrap();
    let permit = side_work.permit(&Party::Operator).await;
    let small = pool.body(long.clone(), sent[0]).await.unwrap();
    assert_eq!(small.body.bytes.len(), SMALL);
    let mut large = asked!(pool.body(long.clone(), sent[1]));
    // Nobody knows how large that one is.
    let mut unnamed = asked!(pool.stored(short.clone(), stored.content_ref));
    for number in 0..10 {
        let message = format!("n-{number}");
        world.say(&pool, &short, ("long", &message)).await;
        assert!(futures::poll!(large.as_mut()).is_pending());
        assert!(futures::poll!(unnamed.as_mut()).is_pending());
    }
    drop(permit);
    assert_eq!(large.await.unwrap().body.bytes.len(), SMALL + 1);
    unnamed.await.unwrap();
}

async fn a_replay_is_read_in_slices_and_each_fact_comes_once(world: World) {
    let Library {
        world: _world,
        pool,
        side_work,
        long,
        ..
    } = library(world).await;
    let head = pool.head().position.0;
    let query = World::seeing(World::viewer(&long), "true");
    let mut stream = pool.subscribe(query, Follow::End).await.unwrap();
    let mut seen = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        let ahead = stream.read_ahead(usize::MAX);
        assert!(ahead.len() < SLICE, "no more than a slice is read ahead");
        // Nobody holds a permit between two slices.
        drop(side_work.permit(&Party::Operator).await);
        let items = std::iter::once(item).chain(ahead);
        for item in items {
            if let StreamItem::Event(event) = item {
                seen.push(event.envelope.id().position.0);
            }
        }
    }
    assert_eq!(seen, (1..=head).collect::<Vec<_>>());
}

async fn explaining_a_wake_is_work_in_slices_as_well(world: World) {
    let Library {
        world,
        pool,
        side_work,
        long,
        short,
    } = library(world).await;
    let request = World::waiting("run == \"nobody\"", "w");
    let wake = world.register(&pool, &long, request).await;
    let permit = side_work.permit(&Party::Operator).await;
    let run = Some(World::run_of(&long));
    let mut explained = asked!(pool.explain_wake(long, run, wake.wake_id));
    for number in 0..10 {
        let message = format!("m-{number}");
        world.say(&pool, &short, ("long", &message)).await;
        assert!(futures::poll!(explained.as_mut()).is_pending());
    }
    drop(permit);
    assert!(explained.await.unwrap().events >= 4 * SLICE as u64);
}
