//! The machine finds every store that breaks a rule.

use heronry_tests::StoreKind;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use super::{liar::lying, play::StoreUnderTest, play_all};

/// The rule that is broken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    /// An append of several chunks keeps the first alone.
    DropsAChunk,
    /// An append is taken whatever head it names.
    IgnoresTheHead,
    /// An append is taken whatever token it shows.
    IgnoresTheToken,
    /// The last body of an append is lost.
    LosesABody,
    /// An erased body is still there.
    KeepsWhatIsErased,
    /// A body is found beside the append that it rode with.
    FindsABodyNextDoor,
    /// A body by itself replaces the one that is there.
    LosesABodyByItself,
    /// A trim takes one position too many.
    TrimsOneTooMany,
    /// A pool that was deleted is still there.
    KeepsADeletedPool,
    /// A trim leaves the floor where it was.
    ShowsTheOldFloor,
    /// The head is the one before the last append.
    ShowsTheOldHead,
    /// A read starts with what the reader has.
    ReadsFromOneBefore,
    /// A read misses what begins in the middle of a chunk.
    ReadsFromTheNextChunk,
    /// A page holds whatever follows.
    IgnoresTheLimit,
    /// A page that would be too large is empty.
    MakesEmptyPages,
    /// A page of several chunks has them in another order.
    SwapsChunks,
    /// Everything is in the list, also pools without a journal.
    ListsWhatIsNotThere,
    /// Contents are listed from the append that the reader has.
    ListsFromOneBefore,
    /// Writing goes on in a sealed store.
    IgnoresTheSeal,
    /// A token is given twice.
    GivesATokenTwice,
    /// A pool is given to whoever asks.
    GivesAwayWhatIsOwned,
    /// The last key of a run is lost.
    LosesAKey,
    /// The checkpoint stays where it was first.
    KeepsTheCheckpoint,
    /// Keys are cleared for no pool.
    ClearsNoKeys,
    /// Whoever watches is told at once.
    RingsAtOnce,
    /// A snapshot does not take the place of the one before.
    KeepsTheFirstSnapshot,
    /// The end of a snapshot is missing.
    CutsASnapshot,
    /// A consumer is moved from wherever it stands.
    IgnoresWhereAConsumerStands,
    /// Consumers are listed in another order.
    ListsConsumersBackwards,
    /// A consumer that was deleted is still there.
    KeepsADeletedConsumer,
}

impl Lie {
    pub(crate) const ALL: [Self; 30] = [
        Self::DropsAChunk,
        Self::IgnoresTheHead,
        Self::IgnoresTheToken,
        Self::LosesABody,
        Self::FindsABodyNextDoor,
        Self::KeepsWhatIsErased,
        Self::LosesABodyByItself,
        Self::TrimsOneTooMany,
        Self::KeepsADeletedPool,
        Self::ShowsTheOldFloor,
        Self::ShowsTheOldHead,
        Self::ReadsFromOneBefore,
        Self::ReadsFromTheNextChunk,
        Self::IgnoresTheLimit,
        Self::MakesEmptyPages,
        Self::SwapsChunks,
        Self::ListsWhatIsNotThere,
        Self::ListsFromOneBefore,
        Self::IgnoresTheSeal,
        Self::GivesATokenTwice,
        Self::GivesAwayWhatIsOwned,
        Self::LosesAKey,
        Self::KeepsTheCheckpoint,
        Self::ClearsNoKeys,
        Self::RingsAtOnce,
        Self::KeepsTheFirstSnapshot,
        Self::CutsASnapshot,
        Self::IgnoresWhereAConsumerStands,
        Self::ListsConsumersBackwards,
        Self::KeepsADeletedConsumer,
    ];
}

/// A runner that plays the same histories in every run.
fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Returns what the machine says of a store that lies; nothing when it finds nothing.
fn found(subject: &StoreUnderTest, cases: u32) -> Option<String> {
    match play_all(subject, &mut runner(cases)) {
        Ok(()) => None,
        Err(TestError::Fail(why, _)) => Some(why.to_string()),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

#[test]
fn every_broken_rule_is_found() {
    for lie in Lie::ALL {
        let subject = StoreUnderTest {
            wrap: Box::new(move |store| lying(store, lie)),
            ..StoreUnderTest::honest(StoreKind::Memory)
        };
        let why = found(&subject, 200);
        assert!(why.is_some(), "{lie:?} is not found");
    }
}

#[test]
fn a_store_that_forgets_what_it_acknowledged_is_found() {
    let subject = StoreUnderTest {
        forgets: true,
        ..StoreUnderTest::honest(StoreKind::Redb)
    };
    let why = found(&subject, 40);
    assert!(why.is_some(), "forgetting is not found");
}
