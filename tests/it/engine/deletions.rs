//! Deleting a pool: who may, what stops, and what a later pool of the name has of it.

use heronry_event::{CloseReason, StreamItem};
use heronry_pool::{
    Caller, Rejection,
    decide::{CheckCursor, RetirePool, Viewer},
};
use heronry_runtime::{CallError, DeleteError, Follow, OpenError, Pool, StopReason};
use heronry_store::CommitOutcome;
use heronry_tests::{World, on_every_store_that_is_reopened, on_every_store_with_threads, run};
use heronry_types::{Cursor, Millis, RunEnd, Since};

on_every_store_that_is_reopened! {
    p9_a_pool_with_members_is_not_deleted_and_goes_on
    p9_a_pool_whose_runs_left_or_ended_is_deleted
    a_pool_is_deleted_by_operators_alone_and_at_the_head_that_they_saw
    who_works_with_a_pool_that_is_deleted_is_told
    p9_a_pool_of_the_name_of_a_deleted_one_is_another
    a_pool_that_is_deleted_before_it_was_opened_stays_deleted
}

on_every_store_with_threads! {
    of_a_join_and_a_deletion_at_once_one_is_refused
}

fn retire(expected: Option<Cursor>) -> RetirePool {
    RetirePool {
        caller: Caller::Operator,
        expected,
    }
}

async fn delete(world: &World, pool: &Pool) -> Result<Cursor, DeleteError> {
    world.runtime.delete(pool.id(), retire(None)).await
}

/// Returns the refusal of a deletion by the rules.
async fn refused(world: &World, pool: &Pool, retire: RetirePool) -> Rejection {
    let refused = world.runtime.delete(pool.id(), retire).await.unwrap_err();
    let DeleteError::Open(OpenError::Call(error)) = refused else {
        panic!("{refused:?}");
    };
    error.rejection().unwrap().clone()
}

async fn check_gone(world: &World, pool: &Pool) {
    let found = world.runtime.find(pool.id()).await;
    assert!(matches!(found, Err(OpenError::NotFound)), "{found:?}");
    assert_eq!(world.runtime.pools().await.unwrap(), []);
    let again = delete(world, pool).await;
    let is_not_there = matches!(again, Err(DeleteError::Open(OpenError::NotFound)));
    assert!(is_not_there, "{again:?}");
}

async fn p9_a_pool_with_members_is_not_deleted_and_goes_on(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    world.join(&pool, "scout").await;
    let refusal = refused(&world, &pool, retire(None)).await;
    assert_eq!(refusal, Rejection::HasMembers { members: 2 });
    // The same handle goes on: nothing was stopped.
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.check_replay(&pool).await;
}

async fn p9_a_pool_whose_runs_left_or_ended_is_deleted(world: World) {
    let pool = world.pool().await;
    let (lead, scout) = (
        world.join(&pool, "lead").await,
        world.join(&pool, "scout").await,
    );
    world.say(&pool, &lead, ("scout", "m1")).await;
    world.leave(&pool, &lead).await.unwrap();
    let refusal = refused(&world, &pool, retire(None)).await;
    assert_eq!(refusal, Rejection::HasMembers { members: 1 });
    world.end(&pool, &scout, RunEnd::Failed).await.unwrap();
    let head = pool.head();
    assert_eq!(delete(&world, &pool).await.unwrap(), head);
    check_gone(&world, &pool).await;
}

async fn a_pool_is_deleted_by_operators_alone_and_at_the_head_that_they_saw(world: World) {
    let pool = world.pool().await;
    let seen = pool.head();
    let lead = world.join(&pool, "lead").await;
    let by_member = RetirePool {
        caller: lead.clone(),
        expected: None,
    };
    let refusal = refused(&world, &pool, by_member).await;
    assert_eq!(refusal, Rejection::OperatorOnly);
    world.leave(&pool, &lead).await.unwrap();
    let head = pool.head();
    let refusal = refused(&world, &pool, retire(Some(seen))).await;
    let expected = seen;
    assert_eq!(refusal, Rejection::HeadMoved { expected, head });
    let deleted = world.runtime.delete(pool.id(), retire(Some(head))).await;
    assert_eq!(deleted.unwrap(), head);
    check_gone(&world, &pool).await;
}

async fn who_works_with_a_pool_that_is_deleted_is_told(world: World) {
    let pool = world.pool().await;
    let query = World::seeing(Viewer::Operator, "true");
    let mut stream = pool.subscribe(query, Follow::Live).await.unwrap();
    while !matches!(
        stream.next().await.unwrap(),
        Some(StreamItem::CaughtUp { .. })
    ) {}
    delete(&world, &pool).await.unwrap();
    let closed = StreamItem::Closed {
        reason: CloseReason::PoolDeleted,
    };
    assert_eq!(stream.next().await.unwrap(), Some(closed));
    assert_eq!(stream.next().await.unwrap(), None);
    let error = world.join_as(&pool, World::joining("lead")).await;
    let error = error.unwrap_err();
    let CallError::Stopped { outcome, why } = error else {
        panic!("{error:?}");
    };
    assert_eq!((outcome, why), (CommitOutcome::None, StopReason::Deleting));
    check_gone(&world, &pool).await;
}

async fn p9_a_pool_of_the_name_of_a_deleted_one_is_another(world: World) {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let told = world.say(&pool, &lead, ("lead", "m1")).await;
    world.leave(&pool, &lead).await.unwrap();
    let old = delete(&world, &pool).await.unwrap();
    let pool = world.pool().await;
    assert_ne!(pool.epoch(), old.epoch);
    assert_eq!(
        world.records(&pool).await.len(),
        1,
        "it was created just now"
    );
    for cursor in [told.cursor, old] {
        let refusal = world
            .refused(&pool, pool.call(CheckCursor { cursor }))
            .await;
        let Rejection::CursorForeign { requested, .. } = refusal else {
            panic!("{refusal:?}");
        };
        assert_eq!(requested, cursor);
    }
    let lead = world.join(&pool, "lead").await;
    let mut late = World::waiting("true", "w");
    late.since = Since::Cursor(old);
    let register = heronry_pool::decide::RegisterWake::new(lead.clone(), run("lead"), late);
    let refusal = world.refused(&pool, pool.call(register)).await;
    assert!(
        matches!(refusal, Rejection::CursorForeign { .. }),
        "{refusal:?}"
    );
    // Neither its keys nor its bodies are those of before.
    let again = world.say(&pool, &lead, ("lead", "m1")).await;
    assert_ne!(again.content_ref, told.content_ref);
    let old_body = pool.body(Caller::Operator, told.content_ref).await;
    assert!(old_body.is_err(), "{old_body:?}");
    assert_eq!(world.receive(&pool, &lead, "r", 10).await.items.len(), 1);
    world.check_replay(&pool).await;
}

async fn a_pool_that_is_deleted_before_it_was_opened_stays_deleted(world: World) {
    drop(world.pool().await);
    let world = world.restart().await;
    let id = heronry_tests::pool("p");
    let pools = world.runtime.pools().await.unwrap();
    assert_eq!(pools, std::slice::from_ref(&id));
    world.runtime.delete(&id, retire(None)).await.unwrap();
    let world = world.restart().await;
    assert_eq!(world.runtime.pools().await.unwrap(), []);
    let found = world.runtime.find(&id).await;
    assert!(matches!(found, Err(OpenError::NotFound)), "{found:?}");
    world.check_replay(&world.pool().await).await;
}

async fn of_a_join_and_a_deletion_at_once_one_is_refused(world: World) {
    for round in 0..20 {
        let pool = world.pool().await;
        let (runtime, id) = (world.runtime.clone(), pool.id().clone());
        let deleting = tokio::spawn(async move { runtime.delete(&id, retire(None)).await });
        let joining = pool.clone();
        let joining = tokio::spawn(async move { joining.call(World::joining("lead")).await });
        let (deleted, joined) = (deleting.await.unwrap(), joining.await.unwrap());
        if let Ok(joined) = joined {
            // An answer that was given is kept.
            let refused = deleted.unwrap_err();
            let DeleteError::Open(OpenError::Call(error)) = refused else {
                panic!("{refused:?}");
            };
            let members = Rejection::HasMembers { members: 1 };
            assert_eq!(error.rejection(), Some(&members), "round {round}");
            let pool = world.runtime.find(pool.id()).await.unwrap();
            let lead = World::member("lead", joined.generation);
            world.leave(&pool, &lead).await.unwrap();
            delete(&world, &pool).await.unwrap();
        } else {
            deleted.unwrap();
            let why = joined.unwrap_err();
            let is_told = matches!(
                why,
                CallError::Stopped {
                    outcome: CommitOutcome::None,
                    why: StopReason::Deleting,
                }
            );
            assert!(is_told, "{why:?}");
        }
        check_gone(&world, &pool).await;
    }
    world.clock.advance(Millis(1));
}
