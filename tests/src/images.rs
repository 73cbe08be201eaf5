//! Folding on from an image: whatever a fold of a whole journal gives, an image has.

use heronry_journal::{ChunkHash, Record};
use heronry_pool::{Minter, State, engine::Replay};
use heronry_types::{Durability, Epoch, PoolId};

/// How many pieces a history is cut into, an image between each two.
const PIECES: usize = 4;
/// The most records of a history that is folded again.
const RECORDS_MAX: usize = 20_000;

/// Folds records piece by piece, each from the image of those before, and checks that nothing differs
/// from folding them all at once.
///
/// # Panics
/// Panics when something differs.
#[expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]
pub fn check(pool: &PoolId, first: Epoch, records: &[Record], expected: ChunkHash) {
    if records.len() > RECORDS_MAX {
        return;
    }
    let minter = || Minter::new([7; 32]);
    let begin = || {
        let replay = Replay::new(pool.clone(), first, minter(), Durability::Memory);
        replay.keeping_finished(0).counting()
    };
    let fold = |mut replay: Replay, records: &[Record]| {
        for record in records {
            replay.record(record).unwrap();
            replay.forget_finished(record.position);
        }
        replay
    };
    let whole = fold(begin(), records).image();
    let mut image = begin().image();
    let piece = records.len().div_ceil(PIECES).max(1);
    for records in records.chunks(piece) {
        let replay = Replay::from_image(&image, minter(), Durability::Memory).unwrap();
        let replay = fold(replay.keeping_finished(0).counting(), records);
        image = replay.image();
    }
    let replay = Replay::from_image(&image, minter(), Durability::Memory).unwrap();
    assert_eq!(
        replay.state().digest(),
        expected,
        "an image has another state"
    );
    assert_eq!(image, whole, "images of one journal differ");
    let state = replay.state().to_bytes();
    assert_eq!(State::decode(&state).unwrap().to_bytes(), state);
}
