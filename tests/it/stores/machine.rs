//! A state machine: random histories of a store beside a plain model of what its ports promise.
//!
//! After every step everything that can be seen is compared. That the machine can fail is shown by
//! stores that each break one rule: it finds every one of them.

mod compare;
mod liar;
mod liar_aside;
mod lies;
mod make;
mod model;
mod ops;
mod play;
mod restart;

use futures::executor::block_on;
use heronry_tests::StoreKind;
use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};

use heronry_tests::tries::cases;
use play::{Play, StoreUnderTest};

/// The most steps of one history.
const STEPS_MAX: usize = 40;

/// Plays random histories, and stops at the first that goes otherwise than the model.
fn play_all(
    subject: &StoreUnderTest,
    runner: &mut TestRunner,
) -> Result<(), TestError<Vec<ops::MachineStep>>> {
    runner.run(&ops::history(STEPS_MAX), |history| {
        let played = block_on(play(subject, &history));
        played.map_err(TestCaseError::fail)
    })
}

async fn play(subject: &StoreUnderTest, history: &[ops::MachineStep]) -> model::OpEnd<()> {
    let mut play = Play::start(subject).await?;
    for step in history {
        play.take(step).await?;
        if play.is_over() {
            break;
        }
    }
    Ok(())
}

/// Plays random histories, and prints the shortest one that goes otherwise than the model.
fn check(kind: StoreKind, few: u32) {
    let seeds = FileFailurePersistence::Direct("it/stores/machine.regressions");
    let config = Config {
        failure_persistence: Some(Box::new(seeds)),
        max_shrink_iters: 4_000,
        ..cases(few)
    };
    match play_all(&StoreUnderTest::honest(kind), &mut TestRunner::new(config)) {
        Ok(()) => {}
        Err(TestError::Abort(why)) => panic!("{why}"),
        Err(TestError::Fail(why, history)) => panic!("{why}\nafter {history:#?}"),
    }
}

/// A snapshot of several fragments, which is deleted: once its later ones stayed.
#[test]
fn a_large_snapshot_is_deleted_whole_on_every_store() {
    let act = |op| ops::MachineStep {
        op,
        look: ops::Look {
            pool: 0,
            after: 0,
            items: 3,
            more: 0,
            number: 0,
        },
    };
    let history = [
        act(ops::Op::Append(ops::AppendOp {
            pool: 0,
            chunks: vec![1],
            bodies: 0,
            how: ops::How::Right,
            is_part: false,
        })),
        act(ops::Op::Snapshot {
            pool: 0,
            at: 0,
            version: 255,
            point: ops::Point::End,
            token: ops::Token::Present,
        }),
        act(ops::Op::DeleteSnapshot(0, ops::Token::Present)),
        act(ops::Op::Reopen),
    ];
    for kind in [StoreKind::Memory, StoreKind::Redb, StoreKind::Sled] {
        let played = block_on(play(&StoreUnderTest::honest(kind), &history));
        assert_eq!(played, Ok(()), "{kind:?}");
    }
}

mod memory {
    #[test]
    fn random_histories_go_as_the_ports_promise() {
        super::check(super::StoreKind::Memory, 200);
    }
}

mod redb {
    #[test]
    fn random_histories_go_as_the_ports_promise() {
        super::check(super::StoreKind::Redb, 24);
    }
}

mod sled {
    #[test]
    fn random_histories_go_as_the_ports_promise() {
        super::check(super::StoreKind::Sled, 12);
    }
}
