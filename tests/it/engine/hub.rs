//! The hub: a page of what was, and a stream that begins exactly behind it.

use heronry_event::{Event, Room, StreamItem, filter::Filter};
use heronry_pool::{
    Caller,
    decide::{AppendEvents, JoinPool, Viewer},
};
use heronry_runtime::{
    HubHalf, HubOrigin, HubRequest, HubSubscription, Pool, RoomEnding, SubscriptionHub,
};
use heronry_tests::{World, foreign::ForeignRuntime, key, on_every_store, run};
use heronry_types::{Cursor, Epoch, EventKind, NewEvent, Position, RunEnd, SessionId, SourceId};

on_every_store! {
    o12_the_stream_begins_exactly_behind_the_page
    o12_the_same_for_every_room
    o12_an_error_says_which_half_failed
    s6_a_hub_over_a_bridged_runtime_that_lags_and_starts_again
    o12_a_subscription_may_close_with_its_run
}

fn hub(pool: &Pool) -> SubscriptionHub {
    SubscriptionHub::new(pool.clone(), Viewer::Operator)
}

async fn report(pool: &Pool, by: &str, number: u64) {
    let events = vec![NewEvent::new(EventKind::ToolStarted)];
    let name = key(&format!("k{number}"));
    let append = AppendEvents::new(Caller::Operator, run(by), events, name);
    pool.call(append).await.unwrap();
}

/// Takes a subscription to its end: the events of the page, and those of the stream up to this head, each with its origin.
async fn taken(subscription: HubSubscription, until: Cursor) -> Vec<(Event, HubOrigin)> {
    let HubSubscription { page, mut live } = subscription;
    let (mut taken, head) = (Vec::new(), page.head);
    for event in page.events {
        let at = event.envelope.id().position;
        assert!(
            at <= page.scanned_to.position,
            "the page says how far it goes"
        );
        taken.push((event, origin_of(at, head.position)));
    }
    assert_eq!(live.replayed_to(), head);
    loop {
        let next = live.next().await.unwrap().unwrap();
        match next.item {
            StreamItem::Event(event) => {
                assert!(event.envelope.id().position > page.scanned_to.position);
                taken.push((event.into_event(), next.origin));
            }
            StreamItem::CaughtUp { head } if head == until => return taken,
            other @ (StreamItem::CaughtUp { .. }
            | StreamItem::Gap { .. }
            | StreamItem::Ephemeral(_)
            | StreamItem::Dropped(_)
            | StreamItem::Closed { .. }) => panic!("{other:?}"),
        }
        if live.scanned_to() == until {
            return taken;
        }
    }
}

fn origin_of(at: Position, head: Position) -> HubOrigin {
    if at <= head {
        HubOrigin::Replay
    } else {
        HubOrigin::Live
    }
}

async fn o12_the_stream_begins_exactly_behind_the_page(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "ann").await;
    world.join(&pool, "bob").await;
    for number in 0..10 {
        report(&pool, if number % 2 == 0 { "ann" } else { "bob" }, number).await;
    }
    for limit in [0, 1, 3, 5, 6, 7, 100] {
        for after in [None, Some(pool.cursor(Position(5)))] {
            let hub = hub(&pool);
            let subscribed = hub.subscribe_run(run("ann"), after, limit);
            let subscribed = subscribed.await.unwrap();
            assert!(subscribed.page.events.len() <= limit);
            assert_eq!(subscribed.page.head, pool.head());
            let is_whole = subscribed.page.scanned_to == pool.head();
            assert_eq!(subscribed.page.has_more(), !is_whole);
            let (before, number) = (pool.head(), 1_000 + pool.head().position.0);
            report(&pool, "bob", number).await;
            report(&pool, "ann", number + 1).await;
            let found = taken(subscribed, pool.head()).await;
            let all = world.events(&pool).await;
            let expected: Vec<_> = all
                .into_iter()
                .filter(|event| event.envelope.identity.run == Some(run("ann")))
                .filter(|event| {
                    after.is_none_or(|after| event.envelope.id().position > after.position)
                })
                .map(|event| {
                    let origin = origin_of(event.envelope.id().position, before.position);
                    (event, origin)
                })
                .collect();
            assert_eq!(found, expected, "limit {limit} after {after:?}");
        }
    }
}

async fn o12_the_same_for_every_room(world: World) {
    let pool = world.pool().await;
    let join = JoinPool {
        session: Some(SessionId::parse("s").unwrap()),
        ..World::joining("ann")
    };
    world.join_as(&pool, join).await.unwrap();
    let ann = World::member("ann", heronry_types::Generation(Position(2)));
    world.join(&pool, "bob").await;
    let topic = heronry_types::Address::Topic {
        topic_id: heronry_tests::topic("news"),
    };
    for number in 0..4 {
        let id = format!("m{number}");
        world.say_to(&pool, &ann, (topic.clone(), &id)).await;
        report(&pool, "bob", number).await;
    }
    for room in [
        "run:bob",
        "session:s",
        "agent:ann",
        "topic:news",
        "pool",
        "run:nobody",
    ] {
        let room = Room::parse(room).unwrap();
        let filter = room.filter().unwrap();
        let all = world.events(&pool).await;
        let expected: Vec<Event> = all
            .into_iter()
            .filter(|event| filter.matches(&event.envelope))
            .collect();
        for limit in [1, 2, 50] {
            let request = HubRequest::new(room.clone(), None, limit);
            let subscribed = hub(&pool).subscribe(request).await.unwrap();
            let found = taken(subscribed, pool.head()).await;
            let found: Vec<Event> = found.into_iter().map(|(event, _)| event).collect();
            assert_eq!(found, expected, "{room} in pages of {limit}");
        }
    }
    let mut narrowed = HubRequest::new(Room::Pool, None, 10);
    narrowed.filter = Filter::compile(r#"run == "bob""#).unwrap();
    let subscribed = hub(&pool).subscribe(narrowed).await.unwrap();
    let found = taken(subscribed, pool.head()).await;
    assert_eq!(found.len(), 5);
}

async fn o12_an_error_says_which_half_failed(world: World) {
    let pool = world.pool().await;
    world.join(&pool, "ann").await;
    let ahead = pool.cursor(Position(1_000));
    let foreign = Cursor::new(Epoch([9; 16]), Position(1));
    for after in [ahead, foreign] {
        let hub = hub(&pool);
        let error = hub.subscribe_run(run("ann"), Some(after), 10);
        let error = error.await.unwrap_err();
        assert_eq!(error.half, HubHalf::Replay);
        assert!(error.to_string().starts_with("the replay half"), "{error}");
    }
    world.faults.fail_next_read();
    let error = hub(&pool)
        .subscribe_run(run("ann"), None, 10)
        .await
        .unwrap_err();
    assert_eq!(error.half, HubHalf::Replay, "{error}");
    let subscribed = hub(&pool).subscribe_run(run("ann"), None, 1).await.unwrap();
    let mut live = subscribed.live;
    report(&pool, "ann", 1).await;
    world.faults.fail_next_read();
    let error = live.next().await.unwrap_err();
    assert_eq!(error.half, HubHalf::Live, "{error}");
}

async fn s6_a_hub_over_a_bridged_runtime_that_lags_and_starts_again(world: World) {
    use heronry_runtime::{BridgeOptions, EventBridge};
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let foreign = ForeignRuntime::default();
    let source = SourceId::parse("feed").unwrap();
    let bridge = || async {
        let (caller, source) = (ann.clone(), source.clone());
        let options = BridgeOptions::default();
        let spawned = EventBridge::spawn(&pool, caller, source, foreign.replay(), options);
        spawned.await.unwrap()
    };
    foreign.emit_all((1..=3).map(|number| number.to_string()));
    bridge().await.stop().await.unwrap();
    let subscribed = hub(&pool).subscribe_run(run("ann"), None, 2).await.unwrap();
    let second = bridge().await;
    foreign.lag(2);
    foreign.emit_all((4..=6).map(|number| number.to_string()));
    second.stop().await.unwrap();
    foreign.close();
    foreign.emit_all((7..=8).map(|number| number.to_string()));
    bridge().await.stop().await.unwrap();
    let found = taken(subscribed, pool.head()).await;
    let kinds: Vec<_> = found.iter().map(|(event, _)| event.envelope.kind).collect();
    let count = |kind| kinds.iter().filter(|it| **it == kind).count();
    assert_eq!(count(EventKind::ToolStarted), 6, "{kinds:?}");
    assert_eq!(count(EventKind::SourceGap), 1);
    let mut positions: Vec<_> = found
        .iter()
        .map(|(event, _)| event.envelope.id().position)
        .collect();
    let before = positions.len();
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), before, "each once");
}

async fn o12_a_subscription_may_close_with_its_run(world: World) {
    let pool = world.pool().await;
    let ann = world.join(&pool, "ann").await;
    let mut request = HubRequest::new(Room::Run(run("ann")), None, 1);
    request.ending = RoomEnding::ClosesWithRun;
    let subscribed = hub(&pool).subscribe(request.clone()).await.unwrap();
    world.end(&pool, &ann, RunEnd::Completed).await.unwrap();
    let closing = |subscription: HubSubscription| async {
        let HubSubscription { page, mut live } = subscription;
        let mut names: Vec<_> = page
            .events
            .iter()
            .map(|it| it.envelope.kind.to_string())
            .collect();
        while let Some(item) = live.next().await.unwrap() {
            names.push(item.item.name().to_owned());
        }
        names
    };
    let expected = ["agent_pool_run_joined", "run_completed", "closed"];
    assert_eq!(closing(subscribed).await, expected);
    // The end stands in the page.
    request.limit = 10;
    let subscribed = hub(&pool).subscribe(request).await.unwrap();
    let expected = [
        "agent_pool_run_joined",
        "run_completed",
        "caught_up",
        "closed",
    ];
    assert_eq!(closing(subscribed).await, expected);
}
