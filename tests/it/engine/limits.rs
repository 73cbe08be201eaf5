//! Limits: below, at and above each of them; a refusal changes nothing.

use futures::future::join_all;
use heronry_pool::{
    Caller, Rejection,
    decide::{
        AckCopies, AdmitBody, ChangeMember, ClaimSet, Content, ContentShare, DescribePool, EndRun,
        ExtendClaims, FetchMessages, JoinPool, ListWakes, PeekInbox, RegisterWake, ReleaseClaims,
        SendRequest, Viewer,
    },
};
use heronry_runtime::{CallError, EventsError, Pool};
use heronry_tests::{World, body, key, on_every_store, run, topic};
use heronry_types::{
    AckOutcome, Address, Body, CorrelationKey, CorrelationValue, LimitExceeded, LimitName, Limits,
    Millis, PoolSpec, RunEnd,
};

on_every_store! {
    l1_the_limits_of_a_pool_are_the_documented_ones_until_they_are_set
    l_members
    l_topics
    l_recipients
    l_bytes_of_recipient_ids
    l_inbox_depth_and_the_share_of_one_sender
    l_policies
    l_correlation_entries
    l_bytes_of_bodies
    l_bytes_of_notes
    l_milliseconds_of_claims
    l_items_of_pages
    l_live_wakes
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

async fn l_members(world: World) {
    let pool = limited(&world, &[(LimitName::MembersMax, 3)]).await;
    for name in ["one", "two", "three"] {
        world.join(&pool, name).await;
    }
    let refusal = world
        .refused(&pool, world.join_as(&pool, World::joining("four")))
        .await;
    assert_eq!(refusal, over(LimitName::MembersMax, 3, 4));
    // Who is a member already may join again.
    world
        .join_as(&pool, World::joining_as("two", "instance-2"))
        .await
        .unwrap();
    let three = world.join(&pool, "three").await;
    world.leave(&pool, &three).await.unwrap();
    world.join(&pool, "four").await;
    world.check_replay(&pool).await;
}

async fn l_topics(world: World) {
    let pool = limited(&world, &[(LimitName::TopicsPerMemberMax, 3)]).await;
    let refusal = over(LimitName::TopicsPerMemberMax, 3, 4);
    world.join_with(&pool, "two", &["a", "b"], &[]).await;
    let three = world
        .join_with(&pool, "three", &["a", "b", "c", "c"], &[])
        .await;
    let topics = |names: &[&str]| names.iter().map(|name| topic(name)).collect::<Vec<_>>();
    let join = JoinPool {
        topics: topics(&["a", "b", "c", "d"]),
        ..World::joining("four")
    };
    assert_eq!(
        world.refused(&pool, world.join_as(&pool, join)).await,
        refusal
    );
    let change = |names: &[&str]| ChangeMember {
        caller: three.clone(),
        run: run("three"),
        topics: Some(topics(names)),
        lease: None,
    };
    pool.call(change(&["d", "e"])).await.unwrap();
    pool.call(change(&["d", "e", "f"])).await.unwrap();
    let call = pool.call(change(&["d", "e", "f", "g"]));
    assert_eq!(world.refused(&pool, call).await, refusal);
    world.check_replay(&pool).await;
}

/// Joins runs of these ids and sends one message to all of them, by a topic of its own.
async fn to_all(
    world: &World,
    (pool, lead): (&Pool, &Caller),
    name: &str,
    ids: &[&str],
) -> Result<usize, CallError> {
    for id in ids {
        world.join_with(pool, id, &[name], &[]).await;
    }
    let to = Address::Topic {
        topic_id: topic(name),
    };
    let sent = world
        .send(pool, lead, SendRequest::new(to, body("-"), key(name)))
        .await;
    sent.map(|sent| sent.receipt.recipients.len())
}

async fn l_recipients(world: World) {
    let pool = limited(&world, &[(LimitName::RecipientsPerMessageMax, 3)]).await;
    let lead = world.join(&pool, "lead").await;
    let at = (&pool, &lead);
    assert_eq!(to_all(&world, at, "two", &["a", "b"]).await.unwrap(), 2);
    assert_eq!(
        to_all(&world, at, "three", &["c", "d", "e"]).await.unwrap(),
        3
    );
    let four = to_all(&world, at, "four", &["f", "g", "h", "i"])
        .await
        .unwrap_err();
    assert_eq!(
        four.rejection(),
        Some(&over(LimitName::RecipientsPerMessageMax, 3, 4))
    );
    assert_eq!(world.accepted(&pool).await, 2);
    world.check_replay(&pool).await;
}

async fn l_bytes_of_recipient_ids(world: World) {
    let pool = limited(&world, &[(LimitName::RecipientIdsBytesMax, 12)]).await;
    let lead = world.join(&pool, "lead").await;
    let at = (&pool, &lead);
    assert_eq!(
        to_all(&world, at, "eleven", &["aaaaaaa", "aaab"])
            .await
            .unwrap(),
        2
    );
    // Bytes, not characters: ä has two.
    assert_eq!(
        to_all(&world, at, "twelve", &["bbbbbb", "ääb"])
            .await
            .unwrap_or(0),
        2
    );
    let more = to_all(&world, at, "thirteen", &["cccccc", "ccccccc"])
        .await
        .unwrap_err();
    assert_eq!(
        more.rejection(),
        Some(&over(LimitName::RecipientIdsBytesMax, 12, 13))
    );
    assert_eq!(world.accepted(&pool).await, 2);
    world.check_replay(&pool).await;
}

async fn l_inbox_depth_and_the_share_of_one_sender(world: World) {
    let pool = limited(&world, &[(LimitName::InboxDepthMax, 4)]).await;
    let reader = world.join(&pool, "reader").await;
    let full = Rejection::InboxFull { depth: 4 };
    for name in ["one", "two"] {
        let sender = world.join(&pool, name).await;
        world.say(&pool, &sender, ("reader", "m1")).await;
        world.say(&pool, &sender, ("reader", "m2")).await;
        let third = world.send(&pool, &sender, World::to_run("reader", "m3", "-"));
        assert_eq!(
            world.refused(&pool, third).await,
            full,
            "half of the inbox is {name}'s"
        );
    }
    let three = world.join(&pool, "three").await;
    let request = || World::to_run("reader", "m1", "-");
    let fifth = world.send(&pool, &three, request());
    assert_eq!(world.refused(&pool, fifth).await, full, "the inbox is full");
    // A claimed copy is still in the inbox; an acknowledged one is not.
    let claims = World::claims(&world.receive(&pool, &reader, "r1", 1).await);
    let fifth = world.send(&pool, &three, request());
    assert_eq!(world.refused(&pool, fifth).await, full);
    world
        .ack(&pool, &reader, ClaimSet::These(claims))
        .await
        .unwrap();
    world.send(&pool, &three, request()).await.unwrap();
    let sixth = world.send(&pool, &three, World::to_run("reader", "m2", "-"));
    assert_eq!(world.refused(&pool, sixth).await, full);
    world.check_replay(&pool).await;
}

async fn l_policies(world: World) {
    let pool = limited(&world, &[(LimitName::PoliciesMax, 3)]).await;
    let refusal = over(LimitName::PoliciesMax, 3, 4);
    world.join_with(&pool, "two", &[], &["a", "b"]).await;
    let lead = world.join_with(&pool, "three", &[], &["a", "b", "c"]).await;
    let policies = Some(World::policies(&["a", "b", "c", "d"]));
    let join = world.join_as(
        &pool,
        JoinPool {
            policies,
            ..World::joining("four")
        },
    );
    assert_eq!(world.refused(&pool, join).await, refusal);
    let carrying = |ids: &[&str]| {
        let mut request = World::to_run("three", &ids.concat(), "-");
        request.policies = World::policies(ids);
        world.send(&pool, &lead, request)
    };
    carrying(&["a", "b"]).await.unwrap();
    carrying(&["a", "b", "c"]).await.unwrap();
    let refused = world.refused(&pool, carrying(&["a", "b", "c", "d"])).await;
    assert_eq!(
        refused, refusal,
        "the limit comes before the policies themselves"
    );
    world.check_replay(&pool).await;
}

async fn l_correlation_entries(world: World) {
    let pool = limited(&world, &[(LimitName::CorrelationEntriesMax, 3)]).await;
    let lead = world.join(&pool, "lead").await;
    let correlated = |count: usize| {
        let mut request = World::to_run("lead", &format!("k{count}"), "-");
        for number in 0..count {
            let name = CorrelationKey::parse(format!("k{number}")).unwrap();
            request
                .correlation
                .insert(name, CorrelationValue::parse("v").unwrap());
        }
        world.send(&pool, &lead, request)
    };
    correlated(2).await.unwrap();
    correlated(3).await.unwrap();
    let refusal = world.refused(&pool, correlated(4)).await;
    assert_eq!(refusal, over(LimitName::CorrelationEntriesMax, 3, 4));
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

async fn l_bytes_of_notes(world: World) {
    let pool = limited(&world, &[(LimitName::NoteBytesMax, 3)]).await;
    let lead = world.join(&pool, "lead").await;
    for (number, bytes) in [2, 3, 4].into_iter().enumerate() {
        world
            .say(&pool, &lead, ("lead", &format!("m{number}")))
            .await;
        let received = world.receive(&pool, &lead, &format!("r{number}"), 1).await;
        let ack = AckCopies {
            caller: lead.clone(),
            run: run("lead"),
            claims: ClaimSet::These(World::claims(&received)),
            outcome: AckOutcome::Done,
            note: Some("n".repeat(bytes)),
        };
        if bytes > 3 {
            let refusal = world.refused(&pool, pool.call(ack)).await;
            assert_eq!(refusal, over(LimitName::NoteBytesMax, 3, 4));
        } else {
            pool.call(ack).await.unwrap();
        }
    }
    let end = |note: &str| {
        let (caller, run) = (lead.clone(), run("lead"));
        pool.call(EndRun {
            caller,
            run,
            end: RunEnd::Failed,
            note: Some(note.to_owned()),
        })
    };
    assert_eq!(
        world.refused(&pool, end("four")).await,
        over(LimitName::NoteBytesMax, 3, 4)
    );
    end("123").await.unwrap();
    world.check_replay(&pool).await;
}

async fn l_milliseconds_of_claims(world: World) {
    let pool = limited(&world, &[(LimitName::ClaimMsMax, 1_000)]).await;
    let lead = world.join(&pool, "lead").await;
    let refusal = over(LimitName::ClaimMsMax, 1_000, 1_001);
    for number in 0..3 {
        world
            .say(&pool, &lead, ("lead", &format!("m{number}")))
            .await;
    }
    let fetch = |id: &str, ms| {
        let fetch = World::fetch(&lead, id, 1);
        pool.call(FetchMessages {
            claim_ms: Millis(ms),
            ..fetch
        })
    };
    let first = World::claims(&fetch("r1", 999).await.unwrap());
    let second = World::claims(&fetch("r2", 1_000).await.unwrap());
    assert_eq!(world.refused(&pool, fetch("r3", 1_001)).await, refusal);
    let extend = |ms| ExtendClaims {
        caller: lead.clone(),
        run: run("lead"),
        claims: first.clone(),
        claim_ms: Millis(ms),
    };
    pool.call(extend(999)).await.unwrap();
    pool.call(extend(1_000)).await.unwrap();
    assert_eq!(
        world.refused(&pool, pool.call(extend(1_001))).await,
        refusal
    );
    let release = |claims: &[heronry_journal::Claim], ms| ReleaseClaims {
        caller: lead.clone(),
        run: run("lead"),
        claims: claims.to_vec(),
        delay: Some(Millis(ms)),
    };
    let call = pool.call(release(&first, 1_001));
    assert_eq!(world.refused(&pool, call).await, refusal);
    pool.call(release(&first, 1_000)).await.unwrap();
    pool.call(release(&second, 999)).await.unwrap();
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

async fn l_live_wakes(world: World) {
    let limits = [
        (LimitName::LiveWakesPerRunMax, 2),
        (LimitName::LiveWakesPerPoolMax, 3),
    ];
    let pool = limited(&world, &limits).await;
    let one = world.join(&pool, "one").await;
    let two = world.join(&pool, "two").await;
    let wait = |caller: &Caller, key_text: &str| {
        let waiting = World::waiting(r#"kind == "run_failed""#, key_text);
        pool.call(RegisterWake::new(
            caller.clone(),
            World::run_of(caller),
            waiting,
        ))
    };
    let first = wait(&one, "w1").await.unwrap().wake.wake_id;
    wait(&one, "w2").await.unwrap();
    let refusal = world.refused(&pool, wait(&one, "w3")).await;
    assert_eq!(refusal, over(LimitName::LiveWakesPerRunMax, 2, 3));
    wait(&two, "w1").await.unwrap();
    let refusal = world.refused(&pool, wait(&two, "w2")).await;
    assert_eq!(refusal, over(LimitName::LiveWakesPerPoolMax, 3, 4));
    assert!(world.unrecorded(&pool, wait(&one, "w2")).await.repeated);
    world.cancel(&pool, &one, &first).await.unwrap();
    wait(&one, "w3").await.unwrap();
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
