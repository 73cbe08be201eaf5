//! The resume hook: who is told of the ends of wakes, how often, and who does not wait for that.

use std::{
    collections::HashSet,
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use heronry_pool::{Caller, decide::CancelWake};
use heronry_runtime::{NotResumed, Pool, ResumeHook, Resumed};
use heronry_store::{ConsumerCursor, ConsumerId, FilterFingerprint};
use heronry_testkit::SeededIds;
use heronry_tests::{
    World, calling, let_others_run, on_every_store, on_every_store_that_is_reopened, run, until,
};
use heronry_transfer::{self as transfer, Carrier};
use heronry_types::{Millis, Position, WakeId, WakeStatus};

use crate::wakes::{NEWS, pair, tell, timed};

on_every_store! {
    w7_a_host_is_told_of_every_end_as_it_stands
    w7_a_host_is_told_only_after_the_commit
    w7_what_a_host_does_not_take_is_told_again_and_holds_nothing_else_up
    w7_how_far_a_host_was_told_is_one_cursor_and_no_record
    w7_after_a_move_a_host_is_told_only_of_what_was_not_taken_before
    w7_a_host_goes_on_from_the_cursor_that_a_build_before_tenures_left
}

on_every_store_that_is_reopened! {
    w7_a_host_is_told_again_after_a_crash_and_not_after_it_has_taken_all
    w7_a_host_that_hangs_delays_no_command
}

/// Remembers what it was told.
#[derive(Debug, Default)]
pub(super) struct Host {
    told: Mutex<Vec<Resumed>>,
    /// Wakes that it does not take.
    refuses: Mutex<HashSet<WakeId>>,
    panics: AtomicBool,
    hangs: AtomicBool,
}

#[async_trait]
impl ResumeHook for Host {
    async fn resume(&self, resumed: &Resumed) -> Result<(), NotResumed> {
        self.told.lock().unwrap().push(resumed.clone());
        if self.hangs.load(Ordering::Relaxed) {
            future::pending::<()>().await;
        }
        if !self.refuses.lock().unwrap().contains(&resumed.wake.wake_id) {
            return Ok(());
        }
        assert!(!self.panics.load(Ordering::Relaxed), "it panics");
        Err(NotResumed("not now".to_owned()))
    }
}

impl Host {
    pub(super) fn told(&self) -> Vec<Resumed> {
        self.told.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.told.lock().unwrap().len()
    }

    fn count_of(&self, wake: &WakeId) -> usize {
        let told = self.told.lock().unwrap();
        told.iter().filter(|it| it.wake.wake_id == *wake).count()
    }
}

/// A world whose runtime tells a host.
pub(super) fn telling(world: World, host: &Arc<Host>) -> World {
    let hook = Arc::clone(host) as Arc<dyn ResumeHook>;
    world.with_options(|options| options.with_resume_hook(hook))
}

fn cancelling(lead: &Caller, wake: &WakeId) -> CancelWake {
    CancelWake {
        caller: lead.clone(),
        run: World::run_of(lead),
        wake_id: wake.clone(),
    }
}

/// Registers a wake and cancels it.
async fn ended(world: &World, pool: &Pool, lead: &Caller, key: &str) -> WakeId {
    let wake = world.register(pool, lead, World::waiting(NEWS, key)).await;
    pool.call(cancelling(lead, &wake.wake_id)).await.unwrap();
    wake.wake_id
}

async fn w7_a_host_is_told_of_every_end_as_it_stands(world: World) {
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let (pool, lead, scout) = pair(&world).await;
    let cancelled = ended(&world, &pool, &lead, "cancelled").await;
    let triggered = world.register(&pool, &lead, World::waiting(NEWS, "triggered"));
    let triggered = triggered.await.wake_id;
    tell(&world, &pool, &scout, "k1").await;
    let timed_out = world.register(&pool, &lead, timed(NEWS, "timed", 0)).await;
    until(|| host.count() == 3).await;
    for (wake, status) in [
        (&cancelled, WakeStatus::Cancelled),
        (&triggered, WakeStatus::Triggered),
        (&timed_out.wake_id, WakeStatus::TimedOut),
    ] {
        let told = host.told();
        let resumed = told.iter().find(|it| it.wake.wake_id == *wake).unwrap();
        assert_eq!(resumed.wake, world.wake_of(&pool, &lead, wake).await);
        assert_eq!(
            (resumed.wake.status, &resumed.wake.run_id),
            (status, &run("lead"))
        );
        assert_eq!(resumed.token.ended, resumed.wake.cursor);
        assert!(resumed.token.registered.position < resumed.token.ended.position);
        assert_eq!(&resumed.pool, pool.id());
    }
    let tokens: HashSet<_> = host.told().iter().map(|it| it.token).collect();
    assert_eq!(tokens.len(), 3);
    world.check_replay(&pool).await;
}

async fn w7_a_host_is_told_only_after_the_commit(world: World) {
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let (pool, lead, _) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    let hold = world.faults.hold_appends();
    let cancel = calling(&pool, cancelling(&lead, &wake.wake_id));
    hold.reached(1).await;
    let_others_run().await;
    assert_eq!(host.count(), 0);
    drop(hold);
    cancel.await.unwrap().unwrap();
    until(|| host.count() == 1).await;
}

async fn w7_what_a_host_does_not_take_is_told_again_and_holds_nothing_else_up(world: World) {
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let (pool, lead, _) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    host.refuses.lock().unwrap().insert(wake.wake_id.clone());
    pool.call(cancelling(&lead, &wake.wake_id)).await.unwrap();
    until(|| host.count() == 1).await;
    let other = ended(&world, &pool, &lead, "other").await;
    until(|| host.count_of(&other) == 1).await;
    assert_eq!(host.count(), 2, "nothing is told again at once");
    for times in 2..5 {
        if times == 4 {
            host.panics.store(true, Ordering::Relaxed);
        }
        until(|| {
            world.clock.advance(Millis(100));
            host.count_of(&wake.wake_id) >= times
        })
        .await;
    }
    host.refuses.lock().unwrap().clear();
    let before = host.count();
    until(|| {
        world.clock.advance(Millis(100));
        host.count() > before
    })
    .await;
    let told = host.told();
    let tokens = told.iter().filter(|it| it.wake.wake_id == wake.wake_id);
    let tokens: HashSet<_> = tokens.map(|it| it.token).collect();
    assert_eq!(tokens.len(), 1, "a repeated call is known by its token");
    assert_eq!(host.count_of(&other), 1);
}

async fn w7_a_host_is_told_again_after_a_crash_and_not_after_it_has_taken_all(world: World) {
    let first = Arc::new(Host::default());
    let world = telling(world, &first);
    let (pool, lead, _) = pair(&world).await;
    let wake = world
        .register(&pool, &lead, World::waiting(NEWS, "w"))
        .await;
    first.refuses.lock().unwrap().insert(wake.wake_id.clone());
    pool.call(cancelling(&lead, &wake.wake_id)).await.unwrap();
    until(|| first.count() == 1).await;
    drop(pool);

    let second = Arc::new(Host::default());
    let world = telling(world.crash().await, &second);
    let pool = world.pool().await;
    until(|| second.count() == 1).await;
    assert_eq!(second.told(), first.told(), "the same call, with its token");
    let_others_run().await;
    drop(pool);

    let third = Arc::new(Host::default());
    let world = telling(world.restart().await, &third);
    let pool = world.pool().await;
    let new = ended(&world, &pool, &lead, "new").await;
    until(|| third.count_of(&new) == 1).await;
    drop(pool);
    let world = world.restart().await;
    assert_eq!(third.count(), 1, "what was taken is not told again");

    // Nobody knows how far a host was told whose cursor is gone.
    let consumer = ConsumerId::parse("heronry/resume-hook").unwrap();
    let cursors = &world.store().cursors;
    cursors
        .delete(&heronry_tests::pool("p"), &consumer)
        .await
        .unwrap();
    let fourth = Arc::new(Host::default());
    let world = telling(world, &fourth);
    let pool = world.pool().await;
    until(|| fourth.count() == 2).await;
    assert_eq!(fourth.count_of(&wake.wake_id), 1);
    assert_eq!(fourth.count_of(&new), 1);
    world.check_replay(&pool).await;
}

async fn w7_a_host_that_hangs_delays_no_command(world: World) {
    let host = Arc::new(Host::default());
    host.hangs.store(true, Ordering::Relaxed);
    let world = telling(world, &host);
    let (pool, lead, scout) = pair(&world).await;
    for number in 0..40 {
        ended(&world, &pool, &lead, &format!("w{number}")).await;
    }
    until(|| host.count() == 16).await;
    tell(&world, &pool, &scout, "k1").await;
    let_others_run().await;
    assert_eq!(host.count(), 16, "a few calls at a time");
    drop(pool);
    let world = world.restart().await;
    let pool = world.pool().await;
    world.check_replay(&pool).await;
}

async fn w7_how_far_a_host_was_told_is_one_cursor_and_no_record(world: World) {
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let (pool, lead, _) = pair(&world).await;
    for number in 0..5 {
        ended(&world, &pool, &lead, &format!("w{number}")).await;
    }
    until(|| host.count() == 5).await;
    let head = pool.head();
    let_others_run().await;
    let saved = async || {
        let cursors = world.store().cursors.list(pool.id()).await.unwrap();
        cursors
            .first()
            .map_or(Position::ZERO, |it| it.cursor.cursor.position)
    };
    assert_eq!(saved().await, Position::ZERO, "what is told waits for more");
    for _ in 0..1_000 {
        world.clock.advance(Millis(100));
        let_others_run().await;
        if saved().await == head.position {
            break;
        }
    }
    assert_eq!(saved().await, head.position);
    assert_eq!(pool.head(), head);
    assert_eq!(
        world.store().cursors.list(pool.id()).await.unwrap().len(),
        1
    );
}

async fn w7_after_a_move_a_host_is_told_only_of_what_was_not_taken_before(world: World) {
    let first = Arc::new(Host::default());
    let world = telling(world, &first);
    let (pool, lead, _) = pair(&world).await;
    let taken = ended(&world, &pool, &lead, "taken").await;
    until(|| first.count_of(&taken) == 1).await;
    let open = world.register(&pool, &lead, World::waiting(NEWS, "open"));
    let open = open.await.wake_id;
    first.refuses.lock().unwrap().insert(open.clone());
    pool.call(cancelling(&lead, &open)).await.unwrap();
    until(|| first.count_of(&open) == 1).await;
    drop(pool);
    world.runtime.shutdown().await;

    let second = Arc::new(Host::default());
    let there = telling(World::new(world.kind).await, &second);
    let by = Carrier {
        clock: Arc::new(there.clock.clone()),
        ids: Arc::new(SeededIds::new(77)),
        owner: "a test that moves".to_owned(),
    };
    let route = heronry_store::MoveRoute {
        from: "here".to_owned(),
        to: "there".to_owned(),
    };
    let moved = transfer::move_all(world.store(), there.store(), &route, &by);
    moved.await.unwrap();
    let pool = there.pool().await;
    until(|| second.count() == 1).await;
    assert_eq!(second.told()[0].wake.wake_id, open);
    assert_eq!(second.told()[0].token, first.told()[1].token);
    let new = ended(&there, &pool, &lead, "new").await;
    until(|| second.count_of(&new) == 1).await;
    let_others_run().await;
    assert_eq!(second.count(), 2, "what was taken is not told again");
    there.check_replay(&pool).await;
}

async fn w7_a_host_goes_on_from_the_cursor_that_a_build_before_tenures_left(world: World) {
    let (pool, lead, _) = pair(&world).await;
    let before = ended(&world, &pool, &lead, "before").await;
    let left = pool.head();
    let after = ended(&world, &pool, &lead, "after").await;
    // The name and the fingerprint stand in stores, and are read forever.
    let name = ConsumerId::parse("heronry/resume-hook").unwrap();
    let filter = FilterFingerprint(*b"the ends of wakes, version 1    ");
    let row = ConsumerCursor::new(left, filter);
    let cursors = &world.store().cursors;
    let kept = cursors.commit(pool.id(), &name, None, row).await;
    kept.unwrap();
    drop(pool);
    world.runtime.shutdown().await;
    let host = Arc::new(Host::default());
    let world = telling(world, &host);
    let pool = world.pool().await;
    until(|| host.count_of(&after) == 1).await;
    assert_eq!(host.count_of(&before), 0);
    let listed = pool.consumers().await.unwrap();
    let [row] = &listed[..] else {
        panic!("{listed:?}");
    };
    assert_eq!((&row.name, row.filter.as_bytes()), (&name, &filter.0));
    assert!(row.generation > 0 && row.committed_at.is_some(), "{row:?}");
}
