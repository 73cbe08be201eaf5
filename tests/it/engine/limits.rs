//! Limits: below, at and above each of them; a refusal changes nothing.

use futures::future::join_all;
use heronry_pool::{
    Caller, Rejection,
    decide::{
        AdmitBody, ClaimSet, Content, ContentShare, DescribePool, JoinPool, ListWakes, PeekInbox,
        SendRequest, Viewer,
    },
};
use heronry_runtime::{EventsError, Pool};
use heronry_tests::{World, body, key, on_every_store, run, topic};
use heronry_types::{
    Address, Body, CorrelationKey, CorrelationValue, LimitExceeded, LimitName, Limits, Millis,
    PoolSpec,
};

on_every_store! {
    l1_the_limits_of_a_pool_are_the_documented_ones_until_they_are_set
    l_bytes_of_bodies
    l_items_of_pages
    j4_recipients_or_copies_that_do_not_fit_a_chunk_are_refused_and_the_pool_goes_on
}

/// A pool with these limits.
async fn limited(world: &World, values: &[(LimitName, u64)]) -> Pool {
    let mut limits = Limits::default();
    for (name, value) in values {
        limits.set(*name, *value);
    }
    world
        .pool_with(PoolSpec {
            limits: Some(limits),
            ..PoolSpec::default()
        })
        .await
}

fn over(limit: LimitName, max: u64, actual: u64) -> Rejection {
    Rejection::Limit(LimitExceeded::new(limit, max, actual))
}

async fn l1_the_limits_of_a_pool_are_the_documented_ones_until_they_are_set(world: World) {
    let pool = limited(&world, &[(LimitName::NoteBytesMax, 7)]).await;
    let limits = pool
        .call(DescribePool {
            caller: Caller::Operator,
        })
        .await
        .unwrap()
        .limits;
    let documented = [
        (LimitName::MembersMax, 100_000),
        (LimitName::TopicsPerMemberMax, 64),
        (LimitName::RecipientsPerMessageMax, 10_000),
        (LimitName::RecipientIdsBytesMax, 512 * 1_024),
        (LimitName::InboxDepthMax, 10_000),
        (LimitName::LiveWakesPerRunMax, 1_000),
        (LimitName::LiveWakesPerPoolMax, 2_000_000),
        (LimitName::WakeCostPerRunMax, 8_192),
        (LimitName::WakeCostPerPoolMax, 16_777_216),
        (LimitName::FilterTextBytesMax, 16 * 1_024),
        (LimitName::BodyInlineBytesMax, 256 * 1_024),
        (LimitName::ContentBytesMax, 32 * 1_024 * 1_024),
        (LimitName::CorrelationEntriesMax, 32),
        (LimitName::TagsMax, 32),
        (LimitName::NoteBytesMax, 7),
        (LimitName::PoliciesMax, 64),
        (LimitName::PageItemsMax, 1_000),
        (LimitName::LongPollMsMax, 50_000),
        (LimitName::CommandQueueMax, 4_096),
        (LimitName::SubscriptionsMax, 10_000),
        (LimitName::UnnamedContentBytesPerRunMax, 256 * 1_024 * 1_024),
        (LimitName::UnnamedContentBytesMax, 4 * 1_024 * 1_024 * 1_024),
        (LimitName::UnnamedContentKeepMsMax, 24 * 3_600_000),
    ];
    for (name, value) in documented {
        assert_eq!(limits.get(name), value, "{name:?}");
    }
    world.check_replay(&pool).await;
}

async fn l_bytes_of_bodies(world: World) {
    let limits = [
        (LimitName::BodyInlineBytesMax, 10),
        (LimitName::ContentBytesMax, 20),
    ];
    let pool = limited(&world, &limits).await;
    let lead = world.join(&pool, "lead").await;
    let inline = |bytes: usize| {
        let mut request = World::to_run("lead", &format!("k{bytes}"), "");
        request.content = Content::Inline(Body::text("x".repeat(bytes)));
        world.send(&pool, &lead, request)
    };
    inline(9).await.unwrap();
    inline(10).await.unwrap();
    let refusal = world.refused(&pool, inline(11)).await;
    assert_eq!(refusal, over(LimitName::BodyInlineBytesMax, 10, 11));
    let admit = |bytes| {
        pool.call(AdmitBody {
            caller: lead.clone(),
            media_type: Body::TEXT.into(),
            bytes,
            share: ContentShare::default(),
        })
    };
    admit(19).await.unwrap();
    admit(20).await.unwrap();
    let refusal = world.refused(&pool, admit(21)).await;
    assert_eq!(refusal, over(LimitName::ContentBytesMax, 20, 21));
    let stored = pool
        .store_body(lead.clone(), Body::text("x".repeat(20)))
        .await
        .unwrap()
        .content_ref;
    let error = pool
        .store_body(lead.clone(), Body::text("x".repeat(21)))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("content_bytes_max"), "{error}");
    // What was stored before may be larger than what rides inline.
    let content = pool.stored(lead.clone(), stored).await.unwrap();
    let to = Address::Run {
        run_id: run("lead"),
    };
    world
        .send(&pool, &lead, SendRequest::new(to, content, key("stored")))
        .await
        .unwrap();
    world.check_replay(&pool).await;
}

async fn l_items_of_pages(world: World) {
    let pool = limited(&world, &[(LimitName::PageItemsMax, 3)]).await;
    let lead = world.join(&pool, "lead").await;
    for number in 0..6 {
        world
            .say(&pool, &lead, ("lead", &format!("m{number}")))
            .await;
    }
    let refusal = over(LimitName::PageItemsMax, 3, 4);
    let (caller, name) = (|| lead.clone(), || run("lead"));
    let peek = |max| {
        pool.call(PeekInbox {
            caller: caller(),
            run: name(),
            max,
        })
    };
    assert_eq!(peek(2).await.unwrap().items.len(), 2);
    assert_eq!(peek(3).await.unwrap().items.len(), 3);
    assert_eq!(world.refused(&pool, peek(4)).await, refusal);
    let list = |max| {
        pool.call(ListWakes {
            caller: caller(),
            run: None,
            after: None,
            max,
        })
    };
    list(3).await.unwrap();
    assert_eq!(world.refused(&pool, list(4)).await, refusal);
    let fetch = |id: &str, max| pool.call(World::fetch(&lead, id, max));
    assert_eq!(world.refused(&pool, fetch("r1", 4)).await, refusal);
    let mut claims = World::claims(&fetch("r1", 2).await.unwrap());
    claims.extend(World::claims(&fetch("r2", 3).await.unwrap()));
    let ack = world.ack(&pool, &lead, ClaimSet::These(claims[..4].to_vec()));
    assert_eq!(world.refused(&pool, ack).await, refusal);
    let release = world.release(&pool, &lead, claims[..4].to_vec(), None);
    assert_eq!(world.refused(&pool, release).await, refusal);
    world
        .ack(&pool, &lead, ClaimSet::These(claims[..3].to_vec()))
        .await
        .unwrap();

    let query = World::seeing(Viewer::Operator, "true");
    for limit in [2, 3] {
        let page = pool.events(&query, limit, Millis(0)).await.unwrap();
        assert_eq!(page.events.len(), limit);
    }
    let error = pool.events(&query, 4, Millis(0)).await.unwrap_err();
    let EventsError::Call(error) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.rejection(), Some(&refusal));
    let none = pool.events(&query, 0, Millis(0)).await.unwrap();
    assert_eq!(none.events, []);
    world.check_replay(&pool).await;
}

async fn j4_recipients_or_copies_that_do_not_fit_a_chunk_are_refused_and_the_pool_goes_on(
    world: World,
) {
    let limits = [
        (LimitName::CorrelationEntriesMax, 256),
        (LimitName::PageItemsMax, 10_000),
    ];
    let pool = limited(&world, &limits).await;
    let long = |number: usize| format!("{number:0>500}");
    // 524 000 bytes of ids are within their limit, and leave no room for so many correlations.
    let joins = (0..1_048).map(|number| {
        let join = JoinPool {
            topics: vec![topic("all")],
            ..World::joining(&long(number))
        };
        world.join_as(&pool, join)
    });
    assert!(
        join_all(joins)
            .await
            .into_iter()
            .all(|joined| joined.is_ok())
    );
    let lead = world.join(&pool, "lead").await;
    let to = Address::Topic {
        topic_id: topic("all"),
    };
    let mut request = SendRequest::new(to, body("-"), key("k1"));
    let entry = |number: usize| {
        let text = format!("{number:0>512}");
        let (key, value) = (CorrelationKey::parse(&text), CorrelationValue::parse(&text));
        (key.unwrap(), value.unwrap())
    };
    request.correlation = (0..256).map(entry).collect();
    let send = world.send(&pool, &lead, request);
    let refusal = world.refused(&pool, send).await;
    assert!(matches!(refusal, Rejection::TooLarge { .. }), "{refusal:?}");

    let sends = (0..1_700).map(|number| {
        let mut request = World::to_run("lead", &format!("k-{number}"), "-");
        request.message_id = Some(heronry_tests::message(&long(number)));
        world.send(&pool, &lead, request)
    });
    assert!(join_all(sends).await.into_iter().all(|sent| sent.is_ok()));
    let all = pool.call(World::fetch(&lead, "r1", 10_000));
    let refusal = world.refused(&pool, all).await;
    assert!(matches!(refusal, Rejection::TooLarge { .. }), "{refusal:?}");
    assert_eq!(
        world.receive(&pool, &lead, "r1", 1_000).await.items.len(),
        1_000
    );
    world.check_replay(&pool).await;
}
