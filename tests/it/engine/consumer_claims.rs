//! Claims of one consumer at once: they take turns, and one of them has it.

use heronry_runtime::{ConsumeError, NamedConsumer, OnHeld};
use heronry_tests::{World, on_every_store, on_every_store_with_threads};
use heronry_types::{ConsumerRecovery, Millis};

use crate::{
    consumer_resets::keep_foreign,
    consumers::{name, spec, talk},
};

on_every_store! {
    o15_of_two_claims_at_once_the_second_is_refused
    o15_a_consumer_is_forgotten_after_the_claim_that_is_under_way
}

on_every_store_with_threads! {
    o15_of_many_claims_at_once_one_is_kept
    o15_of_many_that_take_over_at_once_the_last_one_holds
}

async fn o15_of_two_claims_at_once_the_second_is_refused(world: World) {
    let pool = world.pool().await;
    // A claim that is slow, because it records that the consumer is stale.
    keep_foreign(&world, &pool).await;
    let mut asked = spec("c", "true");
    asked.claim.on_stale = ConsumerRecovery::Head;
    let hold = world.faults.hold_appends();
    let claiming = |asked| {
        let pool = pool.clone();
        tokio::spawn(async move { pool.consumer(asked).await })
    };
    let first = claiming(asked.clone());
    hold.reached(1).await;
    let second = claiming(asked.clone());
    // Another name waits for nobody.
    let other = claiming(spec("other", "true"));
    drop(other.await.unwrap().unwrap());
    assert!(!second.is_finished(), "it waits for the first one");
    hold.release();
    let first = first.await.unwrap().unwrap();
    let error = second.await.unwrap().unwrap_err();
    let ConsumeError::Held { generation, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!(generation, first.generation());
}

async fn o15_a_consumer_is_forgotten_after_the_claim_that_is_under_way(world: World) {
    let pool = world.pool().await;
    keep_foreign(&world, &pool).await;
    let mut asked = spec("c", "true");
    asked.claim.on_stale = ConsumerRecovery::Head;
    let hold = world.faults.hold_appends();
    let claiming = pool.clone();
    let claim = tokio::spawn(async move { claiming.consumer(asked).await });
    hold.reached(1).await;
    let forgetting = pool.clone();
    let forget = tokio::spawn(async move { forgetting.forget_consumer(&name("c")).await });
    hold.release();
    let mut consumer = claim.await.unwrap().unwrap();
    forget.await.unwrap().unwrap();
    assert_eq!(pool.consumers().await.unwrap(), []);
    let error = consumer.commit(pool.head()).await.unwrap_err();
    assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
}

async fn many_at_once(world: &World, on_held: OnHeld) -> Vec<Result<NamedConsumer, ConsumeError>> {
    let pool = world.pool().await;
    let claims = (0..8).map(|_| {
        let (pool, mut asked) = (pool.clone(), spec("c", "true"));
        asked.claim.on_held = on_held;
        tokio::spawn(async move { pool.consumer(asked).await })
    });
    let claims: Vec<_> = claims.collect();
    let mut answers = Vec::new();
    for claim in claims {
        answers.push(claim.await.unwrap());
    }
    answers
}

async fn o15_of_many_claims_at_once_one_is_kept(world: World) {
    talk(&world).await;
    for _ in 0..30 {
        let answers = many_at_once(&world, OnHeld::Refuse).await;
        let kept = answers.iter().flatten().count();
        assert_eq!(kept, 1);
        for error in answers.into_iter().filter_map(Result::err) {
            assert!(matches!(error, ConsumeError::Held { .. }), "{error:?}");
        }
    }
}

async fn o15_of_many_that_take_over_at_once_the_last_one_holds(world: World) {
    let (pool, _) = talk(&world).await;
    for _ in 0..30 {
        let answers = many_at_once(&world, OnHeld::TakeOver).await;
        let mut held: Vec<NamedConsumer> = answers.into_iter().map(Result::unwrap).collect();
        held.sort_by_key(NamedConsumer::generation);
        let mut last = held.pop().unwrap();
        let row = pool.consumers().await.unwrap();
        assert_eq!(row[0].generation, last.generation());
        last.next_batch(1, Millis(0)).await.unwrap();
        last.commit(pool.head()).await.unwrap();
        for mut before in held {
            let error = before.next_batch(1, Millis(0)).await.unwrap_err();
            assert!(matches!(error, ConsumeError::Fenced { .. }), "{error:?}");
        }
    }
}
