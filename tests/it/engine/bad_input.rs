//! Bad input: floods, and receipts of messages that are not there.

use futures::future::join_all;
use heronry_pool::{
    Caller, Rejection,
    decide::{ClaimSet, FindMessage, SendRequest},
};
use heronry_runtime::{CallError, Pool};
use heronry_tests::{World, body, key, message, on_every_store, run, topic};
use heronry_types::{Address, LimitName, Limits, Millis, PoolSpec};

on_every_store! {
    l_a_flood_of_keys_is_refused_by_name_and_loses_nothing
    m7_a_receipt_of_a_message_that_is_not_there_is_not_found
}

/// The number of keys that one run uses at once.
const KEYS: usize = 500;
/// The number of commands that may wait.
const PLACES: u64 = 64;
/// The number of waiting commands that one member may have: three quarters of the places that are
/// not kept for commands that relieve the pool.
const FREE: usize = 36;

async fn small_queue(world: &World) -> Pool {
    let mut limits = Limits::default();
    limits.set(LimitName::CommandQueueMax, PLACES);
    let limits = Some(limits);
    let spec = PoolSpec {
        limits,
        ..PoolSpec::default()
    };
    world.pool_with(spec).await
}

/// A message to nobody under a key of its own, as long as a key can be.
fn under(number: usize) -> SendRequest {
    let to = Address::Topic {
        topic_id: topic("nothing"),
    };
    SendRequest::new(to, body("-"), key(&format!("{number:0>512}")))
}

async fn l_a_flood_of_keys_is_refused_by_name_and_loses_nothing(world: World) {
    let pool = small_queue(&world).await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    world.say(&pool, &scout, ("scout", "m")).await;
    let claims = World::claims(&world.receive(&pool, &scout, "r", 1).await);
    let before = world.accepted(&pool).await;

    let flood = join_all((0..KEYS).map(|number| world.send(&pool, &lead, under(number))));
    // What relieves the pool has places of its own, and so have other members.
    let ack = world.ack(&pool, &scout, ClaimSet::These(claims));
    let other = world.send(&pool, &scout, under(0));
    let (answers, acked, other) = futures::join!(flood, ack, other);
    acked.unwrap();
    other.unwrap();
    let taken = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(taken, FREE, "all but the places that are kept free");
    assert_eq!(world.accepted(&pool).await - before, taken + 1);
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let busy = matches!(error, CallError::Busy { places, .. } if *places == PLACES);
        assert!(busy, "{error}");
    }

    // Whoever asks again under the same key gets the one message that there is of it.
    for numbers in (0..KEYS).collect::<Vec<_>>().chunks(FREE) {
        let sends = numbers
            .iter()
            .map(|number| world.send(&pool, &lead, under(*number)));
        for (number, again) in numbers.iter().zip(join_all(sends).await) {
            let again = again.unwrap();
            let first = &answers[*number];
            assert_eq!(again.repeated, first.is_ok());
            if let Ok(first) = first {
                assert_eq!(again.receipt.cursor, first.receipt.cursor);
            }
        }
    }
    assert_eq!(world.accepted(&pool).await - before, KEYS + 1);
    world.check_replay(&pool).await;
}

async fn m7_a_receipt_of_a_message_that_is_not_there_is_not_found(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let scout = world.join(&pool, "scout").await;
    world.say(&pool, &lead, ("scout", "m")).await;
    let find = |caller: &Caller, from: &str, id: &str| {
        let find = FindMessage {
            caller: caller.clone(),
            from: run(from),
            message_id: message(id),
        };
        world.refused(&pool, pool.call(find))
    };
    for (caller, from, id) in [
        (&lead, "lead", "absent"),
        (&Caller::Operator, "lead", "absent"),
        // The id is that of another run's message.
        (&scout, "scout", "m"),
        (&Caller::Operator, "scout", "m"),
        (&Caller::Operator, "nobody", "m"),
    ] {
        let refusal = find(caller, from, id).await;
        assert_eq!(refusal, Rejection::MessageNotFound, "{from} {id}");
    }
    let other = find(&scout, "lead", "absent").await;
    assert_eq!(
        other,
        find(&scout, "lead", "m").await,
        "what is there and what is not look alike to a stranger"
    );
    let absent = FindMessage {
        caller: lead.clone(),
        from: run("lead"),
        message_id: message("absent"),
    };
    let waiting = pool.wait_receipt(absent, pool.head(), Millis(50_000));
    let refused = world.refused(&pool, waiting).await;
    assert_eq!(refused, Rejection::MessageNotFound, "at once");
    world.check_replay(&pool).await;
}
