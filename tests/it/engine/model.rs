//! Random histories against a model: whatever runs do, in whatever order, the rules hold.

mod claims;
mod contents;
mod effects;
mod faults;
mod leases;
mod messages;
mod play;
mod replies;
mod reports;
mod roster;
mod sources;
mod steps;
mod suspend;
mod wiring;

use std::sync::atomic::{AtomicUsize, Ordering};

use heronry_pool::engine::MATCHING_SLICE;
use heronry_tests::{StoreKind, World, as_many_as_asked};
use proptest::{
    collection::vec,
    test_runner::{Config, FileFailurePersistence, TestError, TestRunner},
};

use play::Play;

/// The most steps of one history.
const STEPS_MAX: usize = 60;

/// Plays random histories, as many as `HERONRY_HISTORIES` says or else the usual number, and prints the
/// shortest one that breaks a rule. Returns how many wakes were
/// registered in them before their earlier events were looked through.
fn check(kind: StoreKind, usual: usize) -> usize {
    let looked_back = AtomicUsize::new(0);
    let seeds = FileFailurePersistence::Direct("it/engine/model.regressions");
    let cases = as_many_as_asked("HERONRY_HISTORIES", usual);
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: Some(Box::new(seeds)),
        ..Config::default()
    };
    let histories = (steps::before(), vec(steps::step(), 1..STEPS_MAX));
    let played = TestRunner::new(config).run(&histories, |(before, history)| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            // Some keep nothing that is finished in memory, others a little.
            let world = World::new(kind).await.keeping_finished(history.len() % 3);
            // Some match one event at a time, others many.
            let slices = [1, 2, 16, MATCHING_SLICE];
            let slice = slices.get(history.len() % slices.len());
            let world = world.matching_in_slices_of(*slice.unwrap());
            let mut play = Play::start(world, before).await;
            for step in &history {
                play.take(step).await;
            }
            looked_back.fetch_add(play.finish().await, Ordering::Relaxed);
        });
        Ok(())
    });
    match played {
        Ok(()) => {}
        Err(TestError::Abort(why)) => panic!("{why}"),
        Err(TestError::Fail(why, history)) => panic!("{why}\nafter {history:#?}"),
    }
    looked_back.into_inner()
}

mod memory {
    #[test]
    fn random_histories_keep_the_invariants() {
        let looked_back = super::check(super::StoreKind::Memory, 64);
        assert!(looked_back > 0, "no history looks far back");
    }
}

mod redb {
    #[test]
    fn random_histories_keep_the_invariants() {
        super::check(super::StoreKind::Redb, 16);
    }
}

mod sled {
    #[test]
    #[ignore = "asked on memory and redb; on every store in `cargo xtask prove`"]
    fn random_histories_keep_the_invariants() {
        super::check(super::StoreKind::Sled, 12);
    }
}
