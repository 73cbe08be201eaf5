//! Folding on from an image: whatever a fold of a whole journal gives, an image has.

use heronry_journal::{Body, ChunkHash, Record};
use heronry_pool::{Minter, State, TrimNote, engine::Replay};
use heronry_types::{Durability, Epoch, PoolId, Position};

/// The number of pieces that a history is cut into, an image between each two.
const PIECES: usize = 3;
/// The most records of a history that is folded again.
const RECORDS_MAX: usize = 3_000;
/// The numbers of finished messages that are kept in memory.
const KEPT: [usize; 3] = [0, 3, usize::MAX];

/// A history, and how many finished messages stay in memory while it is folded.
#[derive(Clone, Copy)]
struct History<'a> {
    pool: &'a PoolId,
    first: Epoch,
    records: &'a [Record],
    kept: usize,
}

/// Folds records piece by piece, each from the image of those before, and checks that nothing differs
/// from folding them all at once; and that after a trim a fold from its baseline knows the messages that a fold
/// knows which took in everything.
///
/// # Panics
/// Panics when something differs.
pub fn check(pool: &PoolId, first: Epoch, records: &[Record], expected: ChunkHash) {
    if records.len() > RECORDS_MAX {
        return;
    }
    let known = KEPT.map(|kept| {
        let history = History {
            pool,
            first,
            records,
            kept,
        };
        history.check_pieces(expected);
        history.known_after_trim()
    });
    for other in &known {
        assert_eq!(*other, known[0], "what is known depends on memory");
    }
}

#[expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]
impl History<'_> {
    fn minter() -> Minter {
        Minter::new([7; 32])
    }

    fn begin(self) -> Replay {
        let pool = self.pool.clone();
        let replay = Replay::new(pool, self.first, Self::minter(), Durability::Memory);
        replay.keeping_finished(self.kept).counting()
    }

    fn continue_from(self, image: &[u8]) -> Replay {
        let replay = Replay::from_image(image, Self::minter(), Durability::Memory);
        replay.unwrap().keeping_finished(self.kept).counting()
    }

    fn check_pieces(self, expected: ChunkHash) {
        let whole = fold(self.begin(), self.records).image();
        let mut image = self.begin().image();
        let piece = self.records.len().div_ceil(PIECES).max(1);
        for records in self.records.chunks(piece) {
            image = fold(self.continue_from(&image), records).image();
        }
        let replay = self.continue_from(&image);
        let digest = replay.state().digest();
        assert_eq!(digest, expected, "an image has another state");
        assert_eq!(image, whole, "images of one journal differ");
        let state = replay.state().to_bytes();
        assert_eq!(State::decode(&state).unwrap().to_bytes(), state);
    }

    /// Trims a third of the history when two thirds of it are there; returns the messages that are known at its
    /// end.
    fn known_after_trim(self) -> Vec<Position> {
        let third = self.records.len() / 3;
        let (before, rest) = self.records.split_at(third);
        let (then, later) = rest.split_at(third);
        let (Some(floor), Some(decided)) = (then.first(), then.last()) else {
            return Vec::new();
        };
        let note = TrimNote {
            floor: floor.position,
            at: decided.recorded_at,
            decided: decided.position,
        };
        let mut baseline = fold(self.begin(), before);
        baseline.trimmed(note);
        let baseline = baseline.image();

        let mut live = fold(fold(self.begin(), before), then);
        let old_snapshot = live.image();
        live.trimmed(note);
        let of_live = self.known(&fold(live, later));
        let opened = fold(fold(self.continue_from(&baseline), then), later);
        assert_eq!(self.known(&opened), of_live, "opened from the baseline");

        let mut opened = self.continue_from(&old_snapshot);
        opened.take_over_trims(&self.continue_from(&baseline));
        let opened = fold(opened, later);
        assert_eq!(self.known(&opened), of_live, "opened from a snapshot");
        of_live
    }

    fn known(self, replay: &Replay) -> Vec<Position> {
        let records = self.records.iter();
        let accepted = records.filter(|it| matches!(it.entry.body, Body::MessageAccepted(_)));
        let accepted = accepted.map(|record| record.position);
        let messages = replay.state().messages();
        accepted.filter(|it| messages.knows(*it)).collect()
    }
}

#[expect(clippy::unwrap_used, reason = "a helper of a test fails by panicking")]
fn fold(mut replay: Replay, records: &[Record]) -> Replay {
    for record in records {
        replay.record(record).unwrap();
        replay.forget_finished(record.position);
    }
    replay
}
