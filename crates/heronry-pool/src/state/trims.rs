//! The trims of a journal: which records are gone, and since when.

use heronry_types::{Millis, Position, Timestamp};

use crate::state::{
    decoding::{Decoding, UnreadableState},
    encoding::{Encoding, Sink},
};

/// The time for which keys of trimmed records still answer.
pub const KEYS_KEPT_AFTER_TRIM: Millis = Millis::from_secs(30 * 24 * 60 * 60);

/// A trim: the floor that it moved to, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TrimNote {
    /// The first position that it left.
    pub floor: Position,
    /// The time.
    pub at: Timestamp,
}

/// The trims whose records still have keys that answer, oldest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Trims(Vec<TrimNote>);

impl Trims {
    /// Notes a trim, and forgets those of before of which no key answers any more.
    pub(crate) fn note(&mut self, trim: TrimNote) {
        // The last one that is over says which positions have no key.
        let over = self.0.iter().filter(|it| is_over(**it, trim.at)).count();
        self.0.drain(..over.saturating_sub(1));
        self.0.push(trim);
    }

    /// Returns true when the keys of a trimmed record answer no more.
    pub(crate) fn has_forgotten(&self, position: Position, now: Timestamp) -> bool {
        let trimmed_by = self.0.iter().find(|trim| position < trim.floor);
        trimmed_by.is_some_and(|trim| is_over(*trim, now))
    }
}

fn is_over(trim: TrimNote, now: Timestamp) -> bool {
    now.since(trim.at) > KEYS_KEPT_AFTER_TRIM
}

impl Trims {
    pub(super) fn encode<W: Sink>(&self, to: &mut Encoding<W>) {
        let Self(trims) = self;
        to.each(trims.iter(), |to, trim| {
            let TrimNote { floor, at } = trim;
            to.put((floor, at));
        });
    }

    pub(super) fn decode(from: &mut Decoding<'_>) -> Result<Self, UnreadableState> {
        let trims = from.list_of(|from| {
            let (floor, at) = from.take()?;
            Ok(TrimNote { floor, at })
        })?;
        Ok(Self(trims))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_answer_for_their_time_after_the_trim_that_took_their_record() {
        let day = |day: i64| Timestamp::from_millis(day * 24 * 60 * 60 * 1_000);
        let mut trims = Trims::default();
        for (floor, at) in [(10, 0), (20, 20), (30, 40), (40, 80)] {
            trims.note(TrimNote {
                floor: Position(floor),
                at: day(at),
            });
        }
        // Those of the first two are over by the last one, and one of them says up to where.
        assert_eq!(trims.0.len(), 2);
        for (position, now, expected) in [
            (5, 81, true),
            (29, 81, true),
            (30, 110, false),
            (30, 111, true),
            (40, 999, false),
        ] {
            let forgotten = trims.has_forgotten(Position(position), day(now));
            assert_eq!(forgotten, expected, "{position} at {now}");
        }
    }
}
