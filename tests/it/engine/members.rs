//! Members: joining again.

use heronry_tests::{World, on_every_store_that_is_reopened};

on_every_store_that_is_reopened! {
    a8_the_same_instance_joining_again_gets_the_same_answer
}

async fn a8_the_same_instance_joining_again_gets_the_same_answer(world: World) {
    let pool = world.pool().await;
    let first = world.join_as(&pool, World::joining("scout")).await.unwrap();
    world.join(&pool, "other").await;
    let join = world.join_as(&pool, World::joining("scout"));
    let again = world.unrecorded(&pool, join).await;
    assert!(again.repeated);
    assert_eq!(
        (again.generation, again.cursor),
        (first.generation, first.cursor)
    );
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    let join = world.join_as(&pool, World::joining("scout"));
    let again = world.unrecorded(&pool, join).await;
    assert_eq!(
        (again.generation, again.cursor),
        (first.generation, first.cursor)
    );
    world.check_replay(&pool).await;
}
