//! The input of matching: envelopes, and never the bodies that they refer to.

use futures::future::join_all;
use heronry_runtime::Follow;
use heronry_tests::{World, on_every_store};
use heronry_types::{Millis, Since, WakeStatus};

use crate::wakes::{NEWS, pair, since, tell};

on_every_store! {
    a42_whatever_matches_events_resolves_no_content
}

const FILTERS: [&str; 4] = [
    NEWS,
    r#"correlation["k"] == "v" || "lead" in recipients"#,
    r#"kind == "run_message_accepted" && !terminal"#,
    r#"related.exists(r, r.kind == "message") || position > 3"#,
];

async fn a42_whatever_matches_events_resolves_no_content(world: World) {
    let (pool, lead, scout) = pair(&world).await;
    let before = world.faults.content_reads();
    let mut wakes = Vec::new();
    for (number, filter) in FILTERS.into_iter().enumerate() {
        let live = World::waiting(filter, &format!("live-{number}"));
        wakes.push(world.register(&pool, &lead, live).await.wake_id);
    }
    let never = World::waiting(r#"kind == "run_failed""#, "never");
    let never = world.register(&pool, &lead, never).await.wake_id;
    // More than is looked through at once, each with a body of its own.
    let names: Vec<String> = (0..600).map(|number| format!("k{number}")).collect();
    join_all(names.iter().map(|name| tell(&world, &pool, &scout, name))).await;
    for (number, filter) in FILTERS.into_iter().enumerate() {
        let back = since(filter, &format!("back-{number}"), Since::Start);
        wakes.push(world.register(&pool, &lead, back).await.wake_id);
        let query = || World::seeing(World::viewer(&lead), filter);
        let paged = World::pages(&pool, query()).await.unwrap();
        assert!(
            paged
                .iter()
                .all(|event| event.envelope.identity.pool == *pool.id())
        );
        let mut stream = pool.subscribe(query(), Follow::End).await.unwrap();
        while stream.next().await.unwrap().is_some() {}
    }
    for wake in wakes {
        let ended = pool.wait_wake(lead.clone(), None, wake, Millis(50_000));
        assert_eq!(ended.await.unwrap().status, WakeStatus::Triggered);
    }
    pool.explain_wake(lead.clone(), None, never).await.unwrap();
    assert_eq!(world.faults.content_reads(), before, "nobody read a body");

    let content = world.say(&pool, &scout, ("lead", "m")).await.content_ref;
    pool.body(lead, content).await.unwrap();
    assert_eq!(world.faults.content_reads(), before + 1, "they are counted");
    world.check_replay(&pool).await;
}
