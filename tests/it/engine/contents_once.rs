//! Bodies that are stored by themselves from many threads at once.

use std::collections::BTreeSet;

use heronry_pool::Rejection;
use heronry_runtime::{BodyError, ContentScope, StoredBody};
use heronry_tests::{World, key, on_every_store, run};
use heronry_types::Body;

on_every_store! {
    of_bodies_under_one_key_at_once_one_is_stored
    of_other_bodies_under_one_key_at_once_one_is_stored_and_the_others_conflict
}

const THREADS: usize = 8;

/// Stores a body under one key from each thread at once.
async fn store(world: &World, body: impl Fn(usize) -> Body) -> Vec<Result<StoredBody, BodyError>> {
    let pool = world.pool().await;
    let lead = world.join(&pool, "lead").await;
    let start = std::sync::Arc::new(std::sync::Barrier::new(THREADS));
    let threads = (0..THREADS).map(|number| {
        let (pool, lead, start) = (pool.clone(), lead.clone(), start.clone());
        let body = body(number);
        let scope = ContentScope {
            run: Some(run("lead")),
            key: key("k"),
        };
        tokio::task::spawn_blocking(move || {
            start.wait();
            futures::executor::block_on(pool.store_body_once(lead, scope, body))
        })
    });
    let mut ends = Vec::new();
    for thread in threads.collect::<Vec<_>>() {
        ends.push(thread.await.unwrap());
    }
    let alone = world
        .store()
        .contents
        .list_alone(pool.id(), None, usize::MAX);
    assert_eq!(alone.await.unwrap().len(), 1, "one body is stored");
    world.check_replay(&pool).await;
    ends
}

async fn of_bodies_under_one_key_at_once_one_is_stored(world: World) {
    let ends = store(&world, |_| Body::text("the same")).await;
    let refs = ends.into_iter().map(|end| end.unwrap().content_ref);
    assert_eq!(refs.collect::<BTreeSet<_>>().len(), 1);
}

async fn of_other_bodies_under_one_key_at_once_one_is_stored_and_the_others_conflict(world: World) {
    let ends = store(&world, |number| Body::text(format!("body {number}"))).await;
    let refused = ends.iter().filter_map(|end| end.as_ref().err());
    let mut conflicts = 0;
    for error in refused {
        let BodyError::Call(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.rejection(), Some(&Rejection::ContentConflict));
        conflicts += 1;
    }
    assert_eq!(conflicts, THREADS - 1);
}
