//! Limits that have nothing to do with one message, and what limits can be set to.

use futures::future::join_all;
use heronry_journal::{Body, CopyName, Entry, MessageExpired, fits};
use heronry_pool::{
    Caller, Rejection,
    decide::{ConfigurePool, DescribePool, Expiry, RegisterWake},
};
use heronry_runtime::{CallError, EventsError, OpenError, Pool};
use heronry_store::Clock;
use heronry_tests::{World, on_every_store, on_every_store_that_is_reopened, run};
use heronry_types::{
    AckOutcome, CopyStanding, CopyState, CorrelationKey, CorrelationValue, LimitExceeded,
    LimitName, LimitNotSettable, Limits, Millis, PoolSpec, Position, Timestamp, Vocabulary,
};

on_every_store! {
    l_bytes_of_filter_texts
    l_a_limit_is_not_set_over_its_ceiling
    k_a_span_that_ends_past_the_calendar_is_refused_and_its_last_instant_is_a_time
    l_what_the_engine_writes_about_the_largest_message_fits_a_chunk
}

on_every_store_that_is_reopened! {
    l_places_of_the_command_queue
}

fn limits(values: &[(LimitName, u64)]) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in values {
        limits.set(*name, *value);
    }
    limits
}

pub(super) fn spec(values: &[(LimitName, u64)]) -> PoolSpec {
    PoolSpec {
        limits: Some(limits(values)),
        ..PoolSpec::default()
    }
}

async fn configure(
    pool: &Pool,
    version: u64,
    value: (LimitName, u64),
) -> Result<heronry_pool::Done, CallError> {
    let configure = ConfigurePool {
        retention: None,
        peering: None,
        caller: Caller::Operator,
        expected_version: version,
        limits: limits(&[value]),
    };
    pool.call(configure).await
}

async fn l_bytes_of_filter_texts(world: World) {
    let limit = LimitName::FilterTextBytesMax;
    let pool = world.pool_with(spec(&[(limit, 20)])).await;
    let lead = world.join(&pool, "lead").await;
    // The canonical text is longer than what was written, and is not what is counted.
    let text = |bytes: usize| format!("run=='{}'", "x".repeat(bytes - 7));
    let over = Rejection::Limit(LimitExceeded::new(limit, 20, 21));
    let wait = |bytes: usize| {
        let request = World::waiting(&text(bytes), &format!("k{bytes}"));
        pool.call(RegisterWake::new(lead.clone(), run("lead"), request))
    };
    wait(19).await.unwrap();
    wait(20).await.unwrap();
    assert_eq!(world.refused(&pool, wait(21)).await, over);

    let page = |bytes: usize| World::seeing(World::viewer(&lead), &text(bytes));
    for bytes in [19, 20] {
        pool.events(&page(bytes), 1, Millis(0)).await.unwrap();
    }
    let refused = pool.events(&page(21), 1, Millis(0)).await.unwrap_err();
    assert!(
        matches!(&refused, EventsError::Call(CallError::Rejected(rejection)) if *rejection == over),
        "{refused}"
    );
    // Lower from here on; what was registered before is answered as before.
    configure(&pool, 1, (limit, 1)).await.unwrap();
    assert!(world.unrecorded(&pool, wait(20)).await.repeated);
    world.check_replay(&pool).await;
}

/// Returns the number of these calls at once that find a place.
async fn places(pool: &Pool, calls: usize) -> usize {
    let caller = Caller::Operator;
    let calls = (0..calls).map(|_| {
        pool.call(DescribePool {
            caller: caller.clone(),
        })
    });
    // All of them ask before the pool takes the first.
    let answers = join_all(calls).await;
    for answer in &answers {
        if let Err(error) = answer {
            assert!(matches!(error, CallError::Busy { .. }), "{error}");
        }
    }
    answers.iter().filter(|answer| answer.is_ok()).count()
}

async fn l_places_of_the_command_queue(world: World) {
    let limit = LimitName::CommandQueueMax;
    let pool = world.pool_with(spec(&[(limit, 16)])).await;
    // A quarter is reserved for what relieves the pool.
    for (calls, found) in [(11, 11), (12, 12), (13, 12)] {
        assert_eq!(places(&pool, calls).await, found, "{calls}");
    }
    configure(&pool, 1, (limit, 20)).await.unwrap();
    for (calls, found) in [(14, 14), (15, 15), (16, 15)] {
        assert_eq!(places(&pool, calls).await, found, "{calls}");
    }
    world.check_replay(&pool).await;
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool_with(PoolSpec::default()).await;
    assert_eq!(places(&pool, 16).await, 15);
    let caller = Caller::Operator;
    pool.call(DescribePool { caller }).await.unwrap();
}

async fn l_a_limit_is_not_set_over_its_ceiling(world: World) {
    let pool = world.pool().await;
    for (version, limit) in (1..).zip(LimitName::ALL.iter().copied()) {
        let ceiling = limit.ceiling();
        let set = |value| configure(&pool, version, (limit, value));
        let asked = ceiling + 1;
        let refused = LimitNotSettable::AboveCeiling {
            limit,
            ceiling,
            asked,
        };
        let refused = Rejection::LimitNotSettable(refused);
        assert_eq!(world.refused(&pool, set(asked)).await, refused);
        let other = "other".parse().unwrap();
        let opened = world.runtime.open(&other, spec(&[(limit, asked)])).await;
        let error = opened.map(|_| ()).unwrap_err();
        assert!(
            matches!(&error, OpenError::Call(CallError::Rejected(rejection)) if *rejection == refused),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("limits.{limit}")));
        set(ceiling).await.unwrap();
    }
    world.check_replay(&pool).await;
}

async fn k_a_span_that_ends_past_the_calendar_is_refused_and_its_last_instant_is_a_time(
    world: World,
) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let max = Timestamp::LAST.since(world.clock.now().wall);
    let send = |span: u64| {
        let mut request = World::to_run("lead", &format!("m{span}"), "-");
        request.expiry = Some(Expiry::In(Millis(span)));
        world.send(&pool, &lead, request)
    };
    let wait = |span: u64| {
        let mut request = World::waiting("terminal", &format!("w{span}"));
        request.timeout = Some(Millis(span));
        pool.call(RegisterWake::new(lead.clone(), run("lead"), request))
    };
    send(max.0 - 1).await.unwrap();
    send(max.0).await.unwrap();
    wait(max.0 - 1).await.unwrap();
    let last = wait(max.0).await.unwrap().wake;
    assert_eq!(last.deadline, Some(Timestamp::LAST));
    for span in [max.0 + 1, 1 << 63, u64::MAX] {
        let refused = |field| Rejection::PastCalendar { field, max };
        let refusal = world.refused(&pool, send(span)).await;
        assert_eq!(refusal, refused("expires_in_ms"));
        let waited = world.refused(&pool, wait(span)).await;
        assert_eq!(waited, refused("timeout_ms"));
    }
    let mut request = World::to_run("lead", "at", "-");
    request.expiry = Some(Expiry::At("9999-12-31T23:59:59.999Z".parse().unwrap()));
    world.send(&pool, &lead, request).await.unwrap();
    world.check_replay(&pool).await;
}

/// The record that nobody could refuse any more: the end of a message of as many recipients and as
/// long correlations as can be configured.
async fn l_what_the_engine_writes_about_the_largest_message_fits_a_chunk(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.say(&pool, &lead, ("lead", "m")).await;
    let mut records = world.records(&pool).await;
    let Entry {
        mut lineage, actor, ..
    } = records.pop().unwrap().entry;
    let text = |number: u64| format!("{number:0>512}");
    let entry = |number: u64| {
        let key = CorrelationKey::parse(text(number)).unwrap();
        (key, CorrelationValue::parse(text(number)).unwrap())
    };
    lineage.correlation = (0..LimitName::CorrelationEntriesMax.ceiling())
        .map(entry)
        .collect();
    let copy = CopyStanding {
        state: CopyState::Acked,
        attempt: 60_000,
        why: None,
        outcome: Some(AckOutcome::Done),
    };
    let recipients = usize::try_from(LimitName::RecipientsPerMessageMax.ceiling()).unwrap();
    let body = MessageExpired {
        message: CopyName {
            accepted: Position(u64::MAX),
            message_id: text(0).parse().unwrap(),
        },
        copies: vec![copy; recipients],
    };
    let visibility = records.pop().unwrap().entry.visibility;
    let entry = Entry {
        lineage,
        actor,
        visibility,
        body: Body::MessageExpired(body),
    };
    fits(&entry).unwrap();
}
